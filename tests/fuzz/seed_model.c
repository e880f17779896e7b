/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the smallest model to the file given: how corpus/model/tiny.shoal was made, and is made
 * again when the format changes. With "clusters" behind it, one that has clusters: clusters.shoal. */
#include <stdio.h>
#include <string.h>

#include "tests/model/tiny_clusters.h"

int main(int argc, char **argv)
{
    struct shoal_message message = {{0}};
    struct shoal_dims dims = tiny_dims();
    struct shoal_model *model = tiny_model(&dims, 1);
    bool clusters = argc == 3 && strcmp(argv[2], "clusters") == 0;
    if ((argc != 2 && !clusters) || !model) {
        fputs("usage: seed_model FILE [clusters]\n", stderr);
        return 2;
    }
    if (clusters)
        model->clusters = tiny_clusters(dims.hidden + SHOAL_COUNTERS, 3, 1);
    enum shoal_status status = shoal_model_save(model, argv[1], &message);
    if (status != SHOAL_OK)
        fprintf(stderr, "%s\n", message.text);
    shoal_model_destroy(model);
    return status == SHOAL_OK ? 0 : 1;
}

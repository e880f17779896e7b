/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the smallest model to the file given: how corpus/model/tiny.shoal was made, and is made
 * again when the format changes. */
#include <stdio.h>

#include "tests/model/tiny_model.h"

int main(int argc, char **argv)
{
    struct shoal_message message = {{0}};
    struct shoal_dims dims = tiny_dims();
    struct shoal_model *model = tiny_model(&dims, 1);
    if (argc != 2 || !model) {
        fputs("usage: seed_model FILE\n", stderr);
        return 2;
    }
    enum shoal_status status = shoal_model_save(model, argv[1], &message);
    if (status != SHOAL_OK)
        fprintf(stderr, "%s\n", message.text);
    shoal_model_destroy(model);
    return status == SHOAL_OK ? 0 : 1;
}

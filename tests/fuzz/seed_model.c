/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the smallest model to the file given: how corpus/model/tiny.shoal was made, and is made
 * again when the format changes. With "clusters", "items" or "prompts" behind it, one that has them (prompts with
 * items): clusters.shoal, items.shoal, prompts.shoal. */
#include <stdio.h>
#include <string.h>

#include "tests/model/tiny_clusters.h"
#include "tests/model/tiny_items.h"
#include "tests/model/tiny_prompts.h"

int main(int argc, char **argv)
{
    struct shoal_message message = {{0}};
    struct shoal_dims dims = tiny_dims();
    struct shoal_model *model = tiny_model(&dims, 1);
    bool clusters = argc == 3 && strcmp(argv[2], "clusters") == 0;
    bool prompts = argc == 3 && strcmp(argv[2], "prompts") == 0;
    bool items = prompts || (argc == 3 && strcmp(argv[2], "items") == 0);
    if ((argc != 2 && !clusters && !items) || !model) {
        fputs("usage: seed_model FILE [clusters|items|prompts]\n", stderr);
        return 2;
    }
    if (clusters)
        model->clusters = tiny_clusters(dims.hidden + SHOAL_COUNTERS, 3, 1);
    if (items)
        model->items = tiny_items(7, 8, dims.hidden, 1);
    if (prompts)
        model->items->prompts = tiny_prompts(dims.hidden, 0.2f);
    enum shoal_status status = shoal_model_save(model, argv[1], &message);
    if (status != SHOAL_OK)
        fprintf(stderr, "%s\n", message.text);
    shoal_model_destroy(model);
    return status == SHOAL_OK ? 0 : 1;
}

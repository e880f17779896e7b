/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes, the table of tensors and the one block that holds them; see params.h.
 *
 *   block  [item_embedding … |0|category_embedding … |0|…|head_bias|0]
 *          ^ 64 bytes         ^ 64 bytes                 every tensor, zeros up to the next one */
#include "model/params.h"

#include <stdlib.h>
#include <string.h>

enum {
    ALIGNMENT_BYTES = 64,
    ALIGNMENT_FLOATS = ALIGNMENT_BYTES / sizeof(float),
    BUCKETS_MAX = 1 << 22,
    WIDTH_MAX = 256,
    FLOATS_MAX = (1 << 28) - (1 << 16), /* with all else still within a model file's 1 GiB */
};

struct shoal_dims shoal_dims_default(void)
{
    return (struct shoal_dims){
        .hidden = 64,
        .item_buckets = 4096,
        .item_width = 16,
        .category_buckets = 1024,
        .category_width = 16,
        .behavior_width = 8,
        .ring = SHOAL_RING_DEFAULT,
    };
}

size_t shoal_dims_inputs(const struct shoal_dims *dims)
{
    return (size_t)dims->item_width + dims->category_width + dims->behavior_width + SHOAL_NUMERIC;
}

static size_t round_up(size_t floats)
{
    return (floats + ALIGNMENT_FLOATS - 1) / ALIGNMENT_FLOATS * ALIGNMENT_FLOATS;
}

/* Floats of the block; dims within their bounds, so that no product overflows 64 bits. */
static uint64_t block_floats(const struct shoal_dims *d)
{
    uint64_t count = 0;
#define X(field, rows, columns) count += round_up((size_t)(rows) * (columns));
    SHOAL_PARAMS_LIST(X)
#undef X
    return count;
}

enum shoal_status shoal_dims_check(const struct shoal_dims *dims, struct shoal_message *message)
{
    const struct {
        const char *name;
        uint32_t value, min, max;
    } bounds[] = {
        {"hidden", dims->hidden, 16, SHOAL_HIDDEN_MAX},
        {"item_buckets", dims->item_buckets, 1, BUCKETS_MAX},
        {"item_width", dims->item_width, 1, WIDTH_MAX},
        {"category_buckets", dims->category_buckets, 2, BUCKETS_MAX},
        {"category_width", dims->category_width, 1, WIDTH_MAX},
        {"behavior_width", dims->behavior_width, 1, WIDTH_MAX},
        {"ring", dims->ring, 1, SHOAL_RING_MAX},
    };
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++)
        if (bounds[i].value < bounds[i].min || bounds[i].value > bounds[i].max)
            return shoal_fail(message, SHOAL_INVALID, "%s is %u, must be %u to %u", bounds[i].name,
                              bounds[i].value, bounds[i].min, bounds[i].max);
    if (dims->hidden % 8)
        return shoal_fail(message, SHOAL_INVALID, "hidden is %u, must be a multiple of 8",
                          dims->hidden);
    if (block_floats(dims) > FLOATS_MAX)
        return shoal_fail(message, SHOAL_INVALID, "the parameters would take 1 GiB or more");
    return SHOAL_OK;
}

enum shoal_status shoal_params_init(struct shoal_params *params, const struct shoal_dims *dims)
{
    *params = (struct shoal_params){0};
    size_t count = (size_t)block_floats(dims);
    float *block = aligned_alloc(ALIGNMENT_BYTES, count * sizeof *block);
    if (!block)
        return SHOAL_NOMEM;
    memset(block, 0, count * sizeof *block);
    params->dims = *dims;
    params->block = block;
    params->count = count;
#define X(field, rows, columns)                                                                    \
    params->field = block + shoal_params_tensor(dims, SHOAL_TENSOR_##field).offset;
    SHOAL_PARAMS_LIST(X)
#undef X
    return SHOAL_OK;
}

void shoal_params_finish(struct shoal_params *params)
{
    if (!params)
        return;
    free(params->block);
    *params = (struct shoal_params){0};
}

struct shoal_tensor_info shoal_params_tensor(const struct shoal_dims *dims,
                                             enum shoal_tensor tensor)
{
    const struct shoal_dims *d = dims;
    const struct shoal_tensor_info table[SHOAL_TENSOR_COUNT] = {
#define X(field, rows, columns) {#field, (rows), (columns), 0},
        SHOAL_PARAMS_LIST(X)
#undef X
    };
    struct shoal_tensor_info info = table[tensor];
    for (unsigned before = 0; before < (unsigned)tensor; before++)
        info.offset += round_up(table[before].rows * table[before].columns);
    return info;
}

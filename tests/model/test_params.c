/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "model/params.h"

Test(params, the_default_model_has_the_documented_sizes)
{
    struct shoal_dims dims = shoal_dims_default();
    cr_expect_eq(shoal_dims_check(&dims, NULL), SHOAL_OK);
    cr_expect_eq(shoal_dims_inputs(&dims), 48);
    struct shoal_tensor_info gates = shoal_params_tensor(&dims, SHOAL_TENSOR_gates_weight);
    cr_expect_str_eq(gates.name, "gates_weight");
    cr_expect_eq(gates.rows, 112);
    cr_expect_eq(gates.columns, 256);
}

Test(params, tensors_lie_aligned_in_one_zeroed_block_and_do_not_overlap)
{
    struct shoal_dims dims = shoal_dims_default();
    dims.item_width = 5; /* sizes that are no multiple of the alignment */
    dims.category_width = 3;
    dims.item_buckets = 7;
    struct shoal_params params;
    cr_assert_eq(shoal_params_init(&params, &dims), SHOAL_OK);
    size_t end = 0;
    for (unsigned t = 0; t < SHOAL_TENSOR_COUNT; t++) {
        struct shoal_tensor_info info = shoal_params_tensor(&dims, (enum shoal_tensor)t);
        cr_expect_eq(((uintptr_t)(params.block + info.offset)) % 64, 0, "%s", info.name);
        cr_expect(info.offset >= end, "%s", info.name);
        end = info.offset + info.rows * info.columns;
    }
    cr_expect(end <= params.count);
    cr_expect_eq(params.head_bias,
                 params.block + shoal_params_tensor(&dims, SHOAL_TENSOR_head_bias).offset);
    for (size_t i = 0; i < params.count; i++)
        cr_assert_eq(params.block[i], 0.0f);
    shoal_params_finish(&params);
    cr_expect_null(params.block);
    shoal_params_finish(&params);
    shoal_params_finish(NULL);
}

static void expect_refused(struct shoal_dims dims, const char *word)
{
    struct shoal_message message = {{0}};
    cr_expect_eq(shoal_dims_check(&dims, &message), SHOAL_INVALID, "%s", word);
    cr_expect(strstr(message.text, word), "\"%s\" says nothing of %s", message.text, word);
}

Test(params, dimensions_out_of_range_are_refused_by_name)
{
    struct shoal_dims dims = shoal_dims_default(), bad;
#define REFUSE(field, value)                                                                       \
    bad = dims;                                                                                    \
    bad.field = value;                                                                             \
    expect_refused(bad, #field);
    REFUSE(hidden, 8)
    REFUSE(hidden, 520)
    REFUSE(hidden, 60)
    REFUSE(item_buckets, 0)
    REFUSE(item_width, 0)
    REFUSE(category_buckets, 1)
    REFUSE(category_width, 257)
    REFUSE(behavior_width, UINT32_MAX)
    REFUSE(ring, 0)
    REFUSE(ring, SHOAL_RING_MAX + 1)
#undef REFUSE
    dims.item_buckets = 1 << 22;
    dims.item_width = 256;
    expect_refused(dims, "1 GiB");
}

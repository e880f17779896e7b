/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>

#include "model/user_vector.h"
#include "tests/model/tiny_model.h"

Test(user_vector, it_is_the_state_and_what_the_heads_see_of_the_counters)
{
    struct shoal_dims dims = tiny_dims();
    struct shoal_model *model = tiny_model(&dims, 3);
    float h[SHOAL_HIDDEN_MAX], rates[SHOAL_COUNTERS], vector[SHOAL_VECTOR_MAX + 1];
    cr_assert_not_null(model);
    cr_assert_eq(shoal_user_vector_size(model), dims.hidden + SHOAL_COUNTERS);
    for (size_t i = 0; i < dims.hidden; i++)
        h[i] = (float)i / 7 - 1;
    for (size_t k = 0; k < SHOAL_COUNTERS; k++)
        rates[k] = k % 3 ? (float)(k * k) * 1.5f : 0;
    size_t size = shoal_user_vector_size(model);
    vector[size] = 12345;
    shoal_user_vector(model, h, rates, vector);
    for (size_t i = 0; i < dims.hidden; i++)
        cr_assert_eq(vector[i], h[i]);
    for (size_t k = 0; k < SHOAL_COUNTERS; k++) {
        double z = (log1p((double)rates[k]) - (double)model->counter_mean[k]) /
                   (double)model->counter_deviation[k];
        cr_assert_float_eq((double)vector[dims.hidden + k], z, 1e-5, "counter %zu", k);
    }
    cr_assert_eq(vector[size], 12345, "nothing is written behind it");
    shoal_model_destroy(model);
}

Test(user_vector, there_is_room_for_that_of_the_largest_model)
{
    struct shoal_dims dims = tiny_dims();
    dims.hidden = SHOAL_HIDDEN_MAX;
    struct shoal_model *model = tiny_model(&dims, 3);
    cr_assert_not_null(model);
    cr_assert_leq(shoal_user_vector_size(model), SHOAL_VECTOR_MAX);
    shoal_model_destroy(model);
}

Test(user_vector, the_same_input_gives_the_same_bits)
{
    struct shoal_dims dims = tiny_dims();
    struct shoal_model *model = tiny_model(&dims, 4);
    float h[SHOAL_HIDDEN_MAX] = {0.25f}, rates[SHOAL_COUNTERS] = {0};
    float one[SHOAL_VECTOR_MAX], two[SHOAL_VECTOR_MAX + 3];
    cr_assert_not_null(model);
    for (size_t k = 0; k < SHOAL_COUNTERS; k++)
        rates[k] = 0.1f * (float)k;
    shoal_user_vector(model, h, rates, one);
    for (size_t shift = 0; shift < 4; shift++) { /* wherever it lies in memory */
        shoal_user_vector(model, h, rates, two + shift);
        for (size_t i = 0; i < shoal_user_vector_size(model); i++)
            cr_assert_eq(two[shift + i], one[i]);
    }
    shoal_model_destroy(model);
}

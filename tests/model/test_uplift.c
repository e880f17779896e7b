/* SPDX-License-Identifier: Apache-2.0 */
/* Engagement as it is served: probabilities, prompted by either form, and the model file's section. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "model/uplift_parts.h"

enum { V = 3 };
static const float vector[V] = {1, -1, 0.5f};

/* Logits: unengaged 0.5 + 1 = 1.5, engaged −0.25, z 0.7. */
static struct shoal_uplift *make(enum shoal_prompted_form form)
{
    static const float weights[3 * (V + 1)] = {1, 0.5f, 0, 1, 0, 0, -1, 0.25f, 0.2f, 0, 1, 0};
    struct shoal_uplift *uplift = shoal_uplift_create(V);
    cr_assert_not_null(uplift);
    memcpy(uplift->weights, weights, sizeof weights);
    uplift->form = form;
    return uplift;
}

Test(uplift, the_most_probable_level_is_told_with_all_probabilities)
{
    struct shoal_uplift *uplift = make(SHOAL_PROMPTED_none);
    struct shoal_uplift_choice choice;
    shoal_uplift_apply(uplift, vector, &choice);
    double sum = 1 + exp(1.5) + exp(-0.25);
    cr_expect_eq(choice.engagement, SHOAL_UNENGAGED);
    cr_expect(fabs((double)choice.probability[0] - 1 / sum) < 1e-6);
    cr_expect(fabs((double)choice.probability[1] - exp(1.5) / sum) < 1e-6);
    cr_expect(fabs((double)choice.probability[2] - exp(-0.25) / sum) < 1e-6);
    cr_expect(isnan(choice.prompted));
    uplift->weights[V + 1 + V] = 9;
    shoal_uplift_apply(uplift, vector, &choice);
    cr_expect_eq(choice.engagement, SHOAL_ENGAGED);
    shoal_uplift_destroy(uplift);
}

Test(uplift, prompted_is_a_logistic_or_what_the_analytic_form_says)
{
    struct shoal_uplift_choice choice;
    struct shoal_uplift *staged = make(SHOAL_PROMPTED_two_stage), *analytic = make(SHOAL_PROMPTED_analytic);
    shoal_uplift_apply(staged, vector, &choice);
    cr_expect(fabs((double)choice.prompted - 1 / (1 + exp(-0.7))) < 1e-6);
    shoal_uplift_apply(analytic, vector, &choice);
    cr_expect(fabs((double)choice.prompted - (1 - exp(-0.7))) < 1e-6);
    analytic->weights[3 * (V + 1) - 1] = -5; /* put off rather than prompted */
    shoal_uplift_apply(analytic, vector, &choice);
    cr_expect(choice.prompted <= 0 && choice.prompted >= 0);
    shoal_uplift_destroy(staged);
    shoal_uplift_destroy(analytic);
}

Test(uplift, no_weight_makes_a_probability_that_is_none)
{
    struct shoal_uplift_choice choice;
    struct shoal_uplift *uplift = make(SHOAL_PROMPTED_two_stage);
    for (size_t k = 0; k < 3 * (V + 1); k++)
        uplift->weights[k] = k % 2 ? 3e38f : -3e38f;
    shoal_uplift_apply(uplift, vector, &choice);
    for (int k = 0; k < 3; k++)
        cr_expect(choice.probability[k] >= 0 && choice.probability[k] <= 1);
    cr_expect(choice.prompted >= 0 && choice.prompted <= 1);
    shoal_uplift_destroy(uplift);
}

static enum shoal_status unpack(const struct shoal_buffer *bytes, size_t size, size_t width,
                                struct shoal_uplift **uplift)
{
    struct shoal_unpack in;
    shoal_unpack_init(&in, bytes->bytes, size);
    return shoal_uplift_unpack(&in, width, uplift, NULL);
}

Test(uplift, comes_back_from_its_bytes_in_each_form)
{
    for (int form = 0; form < SHOAL_PROMPTED_FORMS; form++) {
        struct shoal_uplift *uplift = make((enum shoal_prompted_form)form), *again;
        if (form == SHOAL_PROMPTED_none)
            memset(uplift->weights + 2 * (V + 1), 0, (V + 1) * sizeof(float));
        struct shoal_buffer bytes = {0};
        shoal_uplift_pack(uplift, &bytes);
        cr_assert_eq(unpack(&bytes, bytes.size, V, &again), SHOAL_OK);
        cr_expect_eq(again->form, uplift->form);
        cr_expect_eq(memcmp(again->weights, uplift->weights, 3 * (V + 1) * sizeof(float)), 0);
        shoal_uplift_destroy(again);
        cr_expect_eq(unpack(&bytes, bytes.size, V + 1, &again), SHOAL_DAMAGED);
        for (size_t size = 0; size < bytes.size; size++)
            cr_expect_eq(unpack(&bytes, size, V, &again), SHOAL_DAMAGED, "size %zu", size);
        shoal_uplift_destroy(uplift);
        shoal_buffer_finish(&bytes);
    }
}

Test(uplift, nil_is_none_and_a_weight_that_is_no_number_is_damage)
{
    struct shoal_uplift *uplift, *broken = make(SHOAL_PROMPTED_two_stage);
    struct shoal_buffer bytes = {0};
    shoal_uplift_pack(NULL, &bytes);
    cr_assert_eq(unpack(&bytes, bytes.size, V, &uplift), SHOAL_OK);
    cr_expect_null(uplift);
    shoal_buffer_clear(&bytes);
    broken->weights[5] = NAN;
    shoal_uplift_pack(broken, &bytes);
    cr_expect_eq(unpack(&bytes, bytes.size, V, &uplift), SHOAL_DAMAGED);
    cr_expect_null(uplift);
    shoal_uplift_destroy(broken);
    shoal_buffer_finish(&bytes);
}

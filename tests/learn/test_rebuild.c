/* SPDX-License-Identifier: Apache-2.0 */
/* The distance of rebuilt states: nothing where the ring holds everything, and what a rebuild by hand
 * gives where it does not. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/learn/examples.h"
#include "model/learn/rebuild.h"
#include "tests/model/tiny_model.h"

enum { USERS = 9, EVENTS = 30 };

static void make(struct shoal_dataset *dataset, int64_t part_ms)
{
    uint64_t state = 5;
    shoal_dataset_init(dataset, 4);
    for (int i = 0; i < EVENTS; i++) {
        for (int u = 0; u < USERS; u++) {
            char user[16];
            int size = snprintf(user, sizeof user, "u%d", u);
            state = state * 6364136223846793005u + 1442695040888963407u;
            struct shoal_touch touch = {
                .time_ms = 1511660000000 + i * 977000 + (int64_t)(state >> 60) * 1000 + part_ms,
                .item = (uint32_t)(state >> 40) % 20,
                .category = (uint16_t)(1 + (state >> 50) % 4),
                .behavior = (uint8_t)((state >> 33) % 4),
            };
            cr_assert_eq(shoal_dataset_append(dataset, user, (size_t)size, &touch, 0), SHOAL_OK);
        }
    }
    cr_assert_eq(shoal_dataset_group(dataset), SHOAL_OK);
}

static struct shoal_rebuild_options all(size_t samples)
{
    return (struct shoal_rebuild_options){.from_ms = INT64_MIN,
                                          .until_ms = INT64_MAX,
                                          .precision = SHOAL_FP16,
                                          .samples_max = samples,
                                          .seed = 1};
}

static struct shoal_model *model_of_ring(uint32_t ring)
{
    struct shoal_dims dims = tiny_dims();
    dims.ring = ring;
    return tiny_model(&dims, 3);
}

Test(rebuild, a_ring_that_holds_the_whole_history_gives_the_same_score)
{
    struct shoal_dataset dataset;
    make(&dataset, 0);
    struct shoal_model *model = model_of_ring(32);
    struct shoal_rebuild_options options = all(1000);
    struct shoal_rebuild_distance d[] = {{.ring = 32}, {.ring = 2}};
    cr_assert_eq(shoal_rebuild_measure(model, &dataset, &options, d, 2, NULL), SHOAL_OK);
    cr_assert_eq(d[0].samples, USERS * EVENTS);
    cr_assert_eq(d[0].longer, 0);
    cr_assert_eq(d[0].longest, 0, "%g", d[0].longest);
    cr_assert_eq(d[1].longer, USERS * (EVENTS - 3));
    cr_assert_gt(d[1].mean, 0);
    cr_assert_gt(d[1].p99, d[1].mean);
    cr_assert_geq(d[1].longest, d[1].p99);
    shoal_model_destroy(model);
    shoal_dataset_finish(&dataset);
}

/* One event's score from a ring of two, step by step. */
static double by_hand(const struct shoal_model *model, const struct shoal_dataset *dataset,
                      size_t event)
{
    float h[64] = {0}, c[64] = {0}, zeros[SHOAL_COUNTERS] = {0};
    struct shoal_examples examples;
    struct shoal_step *step;
    struct shoal_touch ring[2];
    struct shoal_step_row row = {.h = h, .c = c};
    cr_assert_eq(shoal_examples_make(dataset, &model->params.dims, &examples), SHOAL_OK);
    cr_assert_eq(shoal_step_create(model, 1, SHOAL_FP16, &step), SHOAL_OK);
    for (size_t t = 0; t < 2; t++) {
        ring[t] = dataset->touches[event - 2 + t];
        ring[t].time_ms -= ring[t].time_ms % 1000;
        shoal_features_of(&model->params.dims, ring, t, &ring[t],
                          t ? ring[1].time_ms - ring[0].time_ms : 0, &row.features);
        row.counters = zeros;
        shoal_step_run(step, &row, 1);
    }
    row.features = examples.features[event];
    row.counters = examples.counters + event * SHOAL_COUNTERS;
    shoal_step_run(step, &row, 1);
    shoal_step_destroy(step);
    shoal_examples_finish(&examples);
    return (double)row.score;
}

Test(rebuild, the_distance_is_that_of_a_rebuild_by_hand)
{
    struct shoal_dataset dataset;
    make(&dataset, 789);
    struct shoal_model *model = model_of_ring(2);
    size_t event = dataset.first[4] + 17;
    int64_t time_ms = dataset.touches[event].time_ms;
    struct shoal_rebuild_options options = all(1000);
    options.from_ms = time_ms;
    options.until_ms = time_ms + 1;
    struct shoal_rebuild_distance d[] = {{.ring = 2}, {.ring = 32}};
    cr_assert_eq(shoal_rebuild_measure(model, &dataset, &options, d, 2, NULL), SHOAL_OK);
    size_t same_time = 0;
    for (size_t i = 0; i < dataset.events_count; i++)
        same_time += dataset.touches[i].time_ms == time_ms;
    cr_assert_eq(d[0].samples, same_time);
    struct shoal_examples examples;
    cr_assert_eq(shoal_examples_make(&dataset, &model->params.dims, &examples), SHOAL_OK);
    float h[64] = {0}, c[64] = {0};
    struct shoal_step *step;
    struct shoal_step_row row = {.h = h, .c = c};
    cr_assert_eq(shoal_step_create(model, 1, SHOAL_FP16, &step), SHOAL_OK);
    for (size_t i = dataset.first[4]; i <= event; i++) {
        row.features = examples.features[i];
        row.counters = examples.counters + i * SHOAL_COUNTERS;
        shoal_step_run(step, &row, 1);
    }
    double wanted = fabs(by_hand(model, &dataset, event) - (double)row.score);
    cr_assert_gt(wanted, 0);
    if (same_time == 1)
        cr_assert_eq(d[0].longest, wanted, "%g instead of %g", d[0].longest, wanted);
    else
        cr_assert_geq(d[0].longest, wanted);
    shoal_step_destroy(step);
    shoal_examples_finish(&examples);
    shoal_model_destroy(model);
    shoal_dataset_finish(&dataset);
}

Test(rebuild, a_sample_is_of_the_size_asked_for_and_of_the_seed)
{
    struct shoal_dataset dataset;
    make(&dataset, 0);
    struct shoal_model *model = model_of_ring(4);
    struct shoal_rebuild_options options = all(50);
    struct shoal_rebuild_distance one = {.ring = 2}, again = {.ring = 2}, other = {.ring = 2};
    cr_assert_eq(shoal_rebuild_measure(model, &dataset, &options, &one, 1, NULL), SHOAL_OK);
    cr_assert_eq(shoal_rebuild_measure(model, &dataset, &options, &again, 1, NULL), SHOAL_OK);
    options.seed = 2;
    cr_assert_eq(shoal_rebuild_measure(model, &dataset, &options, &other, 1, NULL), SHOAL_OK);
    cr_assert_eq(one.samples, 50);
    cr_assert_eq(one.mean, again.mean);
    cr_assert_neq(one.mean, other.mean);
    shoal_model_destroy(model);
    shoal_dataset_finish(&dataset);
}

Test(rebuild, nothing_to_sample_and_an_impossible_ring_are_reported)
{
    struct shoal_dataset dataset;
    make(&dataset, 0);
    struct shoal_model *model = model_of_ring(4);
    struct shoal_rebuild_options options = all(50);
    struct shoal_rebuild_distance d = {.ring = 33};
    cr_assert_eq(shoal_rebuild_measure(model, &dataset, &options, &d, 1, NULL), SHOAL_INVALID);
    d.ring = 4;
    options.until_ms = 0;
    cr_assert_eq(shoal_rebuild_measure(model, &dataset, &options, &d, 1, NULL), SHOAL_TOO_FEW);
    shoal_model_destroy(model);
    shoal_dataset_finish(&dataset);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Clusters from events: which states, what they are like, and a whole training with a model whose weights are chance.
 * Buyers, viewers and rare guests are planted. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/learn/cluster_points.h"
#include "model/learn/cluster_profile.h"
#include "model/learn/labels.h"
#include "model/learn/random.h"
#include "model/learn/train_clusters.h"
#include "tests/model/tiny_model.h"

enum { USERS = 240, DAYS = 6 };

#define DAY_MS INT64_C(86400000)
static const int64_t begin_ms = 17500 * DAY_MS;

static struct shoal_dataset dataset;
static struct shoal_model *model;

static void add(const char *user, int64_t time_ms, enum shoal_behavior behavior, uint32_t item)
{
    struct shoal_touch touch = {.time_ms = time_ms, .item = item, .category = (uint16_t)(1 + item % 50),
                                .behavior = (uint8_t)behavior};
    cr_assert_eq(shoal_dataset_append(&dataset, user, strlen(user), &touch, 0), SHOAL_OK);
}

/* Of every three users: one buys every day, one only views, a lot, one comes once in a while. */
static void add_users(size_t users)
{
    for (size_t u = 0; u < users; u++) {
        char id[16];
        snprintf(id, sizeof id, "u%zu", u);
        for (size_t day = 0; day < DAYS; day++) {
            int64_t now = begin_ms + (int64_t)day * DAY_MS + 3600000 * (int64_t)(8 + u % 7);
            uint32_t item = (uint32_t)(u * 131 + day * 17);
            size_t extra = shoal_random_mix(u * 10 + day) % 3;
            for (size_t i = 0; i < extra + (u % 3 == 0 ? 3 : u % 3 == 1 ? 15 : day % 3 == 0); i++)
                add(id, now += 60000, SHOAL_PV, item + (uint32_t)i);
            for (size_t i = 0; u % 3 == 0 && i < 2; i++) {
                add(id, now += 60000, SHOAL_CART, item);
                add(id, now += 60000, SHOAL_BUY, item);
            }
        }
    }
    cr_assert_eq(shoal_dataset_group(&dataset), SHOAL_OK);
}

static void setup(void)
{
    struct shoal_dims dims = tiny_dims();
    model = tiny_model(&dims, 3);
    shoal_dataset_init(&dataset, 4);
}

static void teardown(void)
{
    shoal_dataset_finish(&dataset);
    shoal_model_destroy(model);
}

TestSuite(train_clusters, .init = setup, .fini = teardown);

static struct shoal_train_clusters_options quick(void)
{
    struct shoal_train_clusters_options options = shoal_train_clusters_options_default(1);
    options.search.resamples = 4;
    options.search.repeats = 3;
    options.search.idec.epochs = 30;
    return options;
}

static struct shoal_train_clusters_report train(struct shoal_model *of,
                                                const struct shoal_train_clusters_options *options,
                                                const struct shoal_model *before)
{
    struct shoal_train_clusters_report report;
    cr_assert_eq(shoal_train_clusters(of, &dataset, begin_ms + DAYS * DAY_MS, options, before, &report),
                 SHOAL_OK);
    return report;
}

/* ---- states --------------------------------------------------------------------------------- */

Test(train_clusters, states_are_one_event_of_each_active_day_that_is_known_to_its_end)
{
    struct shoal_cluster_points points, again, some;
    int64_t end_ms = begin_ms + DAYS * DAY_MS;
    add_users(USERS);
    cr_assert_eq(shoal_cluster_points_make(&dataset, INT64_MIN, end_ms, end_ms, 1 << 20, &points), SHOAL_OK);
    cr_assert_eq(points.users, USERS);
    for (size_t i = 0; i < points.count; i++) {
        const struct shoal_touch *touch = &dataset.touches[points.events[i]];
        cr_assert_eq(points.owners[i], dataset.owners[points.events[i]]);
        cr_assert_leq(touch->time_ms, end_ms - SHOAL_HORIZON_MS);
        if (i && points.owners[i] == points.owners[i - 1])
            cr_assert_gt(touch->time_ms / DAY_MS,
                         dataset.touches[points.events[i - 1]].time_ms / DAY_MS, "one a day, in order");
        bool buys = points.owners[i] % 3 == 0;
        cr_assert_eq(points.outcomes[i], buys, "buyers buy every day");
    }
    cr_assert_eq(shoal_cluster_points_make(&dataset, INT64_MIN, end_ms, end_ms, 1 << 20, &again), SHOAL_OK);
    cr_assert_eq(points.count, again.count);
    cr_assert_eq(memcmp(points.events, again.events, points.count * sizeof *points.events), 0);
    cr_assert_eq(shoal_cluster_points_make(&dataset, INT64_MIN, end_ms, end_ms, points.count / 2, &some),
                 SHOAL_OK);
    cr_assert_float_eq((double)some.count, (double)points.count / 2, 0.15 * (double)points.count);
    shoal_cluster_points_finish(&points);
    shoal_cluster_points_finish(&again);
    shoal_cluster_points_finish(&some);
}

Test(train_clusters, traits_are_counted_in_their_windows)
{
    struct shoal_cluster_points points;
    int64_t now = begin_ms + 10 * DAY_MS;
    add("a", now - 8 * DAY_MS, SHOAL_BUY, 1);             /* too old for the week */
    add("a", now - 6 * DAY_MS, SHOAL_FAV, 2);
    add("a", now - 2 * DAY_MS, SHOAL_CART, 3);
    add("a", now - 3 * 3600000, SHOAL_PV, 3);             /* seen again */
    add("a", now - 60000, SHOAL_PV, 4);
    add("a", now, SHOAL_BUY, 4);                          /* seen again */
    add("a", now + DAY_MS, SHOAL_PV, 9);
    cr_assert_eq(shoal_dataset_group(&dataset), SHOAL_OK);
    cr_assert_eq(shoal_cluster_points_make(&dataset, now, now + 1, now + DAY_MS, 100, &points), SHOAL_OK);
    cr_assert_eq(points.count, 1);
    cr_assert_eq(points.events[0], 5);
    const float wanted[SHOAL_CLUSTER_TRAITS] = {
        [SHOAL_TRAIT_events_1h] = 2,     [SHOAL_TRAIT_views_1d] = 2,
        [SHOAL_TRAIT_carts_7d] = 1,      [SHOAL_TRAIT_favs_7d] = 1,
        [SHOAL_TRAIT_buys_7d] = 1,       [SHOAL_TRAIT_days_7d] = 4,
        [SHOAL_TRAIT_categories_7d] = 3, [SHOAL_TRAIT_repeats_7d] = 0.4f,
        [SHOAL_TRAIT_known_days] = 8,
    };
    for (size_t t = 0; t < SHOAL_CLUSTER_TRAITS; t++)
        cr_expect_float_eq(points.traits[t], wanted[t], 1e-6f, "%s: %g",
                           shoal_cluster_trait_info((enum shoal_cluster_trait)t)->name,
                           (double)points.traits[t]);
    const float mix[] = {0.4f, 0.2f, 0.2f, 0.2f};
    for (size_t b = 0; b < SHOAL_BEHAVIOR_COUNT; b++)
        cr_expect_float_eq(points.mix[b], mix[b], 1e-6f);
    cr_expect_eq(points.outcomes[0], 0, "its own purchase is not ahead of it");
    shoal_cluster_points_finish(&points);
}

Test(train_clusters, profiles_are_means_by_cluster)
{
    struct shoal_cluster_points points;
    static uint8_t labels[USERS * DAYS];
    struct shoal_cluster_profile profiles[3] = {{0}};
    struct shoal_cluster_summary summary = {0};
    int64_t end_ms = begin_ms + DAYS * DAY_MS;
    add_users(USERS);
    cr_assert_eq(shoal_cluster_points_make(&dataset, INT64_MIN, end_ms, end_ms, 1 << 20, &points), SHOAL_OK);
    for (size_t i = 0; i < points.count; i++)
        labels[i] = (uint8_t)(points.owners[i] % 3);
    shoal_cluster_profiles(&points, labels, 3, profiles, &summary);
    cr_expect_eq(profiles[0].conversion, 1);
    cr_expect_eq(profiles[1].conversion, 0);
    cr_expect_float_eq(profiles[0].share + profiles[1].share + profiles[2].share, 1, 1e-6f);
    float average = 0;
    for (size_t j = 0; j < 3; j++)
        average += profiles[j].share * profiles[j].traits[SHOAL_TRAIT_views_1d];
    cr_expect_float_eq(average, summary.everybody.traits[SHOAL_TRAIT_views_1d], 1e-4f);
    cr_expect_gt(profiles[1].traits[SHOAL_TRAIT_views_1d], profiles[0].traits[SHOAL_TRAIT_views_1d]);
    cr_expect_eq(summary.states, points.count);
    shoal_cluster_points_finish(&points);
}

Test(train_clusters, the_hidden_state_and_the_counters_weigh_the_same)
{
    enum { COUNT = 50, SIZE = 16 + SHOAL_COUNTERS };
    static float points[COUNT * SIZE];
    float mean[SIZE], deviation[SIZE];
    double hidden = 0, counters = 0;
    for (size_t i = 0; i < COUNT * SIZE; i++)
        points[i] = 3 + (float)(i % SIZE) * shoal_random_uniform(1, i);
    shoal_cluster_standardize(points, COUNT, SIZE, mean, deviation);
    for (size_t i = 0; i < COUNT * SIZE; i++)
        *(i % SIZE < 16 ? &hidden : &counters) += (double)points[i] * (double)points[i];
    cr_expect_float_eq(counters, COUNT * SHOAL_COUNTERS, 0.1);
    cr_expect_float_eq(hidden, counters * 15 / 16, 0.1, "the first input is constant");
}

/* ---- training ------------------------------------------------------------------------------- */

Test(train_clusters, planted_kinds_of_users_become_clusters)
{
    struct shoal_train_clusters_options options = quick();
    add_users(USERS);
    options.search.clusters = 3;
    struct shoal_train_clusters_report report = train(model, &options, NULL);
    cr_assert_not_null(model->clusters, "%s", report.why_not.text);
    cr_assert_eq(report.found.clusters, 3);
    cr_assert_eq(shoal_clusters_count(model->clusters), 3);
    size_t buyers = 0, others = 0;
    for (size_t j = 0; j < 3; j++) {
        const struct shoal_cluster_profile *profile = shoal_clusters_profile(model->clusters, j);
        cr_expect_eq(profile->id, j + 1, "the greatest first");
        cr_expect(j == 0 || profile->share <= shoal_clusters_profile(model->clusters, j - 1)->share);
        buyers += profile->conversion > 0.9f;
        others += profile->conversion < 0.1f;
    }
    cr_expect_geq(buyers, 1);
    cr_expect_geq(others, 1);
}

Test(train_clusters, the_same_events_and_seed_give_the_same_bytes_through_the_file)
{
    struct shoal_train_clusters_options options = quick();
    struct shoal_buffer first = {0}, second = {0};
    struct shoal_model *read;
    struct shoal_message message = {""};
    add_users(USERS);
    train(model, &options, NULL);
    cr_assert_eq(shoal_model_serialize(model, &first), SHOAL_OK);
    train(model, &options, NULL);
    cr_assert_eq(shoal_model_serialize(model, &second), SHOAL_OK);
    cr_assert_eq(first.size, second.size);
    cr_assert_eq(memcmp(first.bytes, second.bytes, first.size), 0);
    cr_assert_eq(shoal_model_parse(first.bytes, first.size, &read, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(shoal_clusters_count(read->clusters), shoal_clusters_count(model->clusters));
    first.bytes[first.size / 2] ^= 1;
    struct shoal_model *none;
    cr_assert_neq(shoal_model_parse(first.bytes, first.size, &none, NULL), SHOAL_OK);
    shoal_model_destroy(read);
    shoal_buffer_finish(&first);
    shoal_buffer_finish(&second);
}

Test(train_clusters, a_retraining_keeps_the_ids_and_the_number)
{
    struct shoal_train_clusters_options options = quick();
    struct shoal_dims dims = tiny_dims();
    struct shoal_model *next = tiny_model(&dims, 3);
    add_users(USERS);
    options.search.clusters = 3;
    train(model, &options, NULL);
    options.search.idec.seed = 99;
    struct shoal_train_clusters_report report = train(next, &options, model);
    cr_assert(report.matched);
    cr_assert_eq(report.panel, report.users);
    cr_assert_eq(report.kept, 3, "%zu", report.kept);
    cr_assert_eq(report.fresh, 0);
    for (size_t j = 0; j < 3; j++) {
        const struct shoal_cluster_profile *profile = shoal_clusters_profile(next->clusters, j);
        cr_expect_eq(profile->from, profile->id);
        cr_expect_gt(profile->jaccard, 0.5f);
        cr_expect_float_eq(profile->conversion,
                           shoal_clusters_profile(model->clusters, j)->conversion, 0.1f,
                           "segment %u is of another kind than before", profile->id);
    }
    shoal_model_destroy(next);
}

Test(train_clusters, too_few_users_give_none_and_a_reason)
{
    struct shoal_train_clusters_options options = quick();
    add_users(60);
    struct shoal_train_clusters_report report = train(model, &options, NULL);
    cr_assert_null(model->clusters);
    cr_assert(strstr(report.why_not.text, "60 users"), "%s", report.why_not.text);
    cr_assert(strstr(report.why_not.text, "needed are 200"));
}

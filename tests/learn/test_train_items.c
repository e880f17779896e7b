/* SPDX-License-Identifier: Apache-2.0 */
/* Next items from a log in which one item leads to another, and logs that hold little; names of items. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "model/learn/evaluate_items.h"
#include "model/learn/train_items.h"
#include "tests/model/tiny_model.h"

enum { ITEMS = 60, GROUPS = 6 };

static const int64_t START_MS = INT64_C(1511654400000), STEP_MS = 600000;

static uint32_t hash_of(uint32_t item)
{
    return (item + 1) * 2654435761u;
}

static uint32_t draw(uint64_t *state, uint32_t bound)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33) % bound;
}

/* Users go on within a group of ten items, mostly from item i to i + 1; all items are as popular. After a cart
 * a purchase of the same item comes two events later. */
static void make(struct shoal_dataset *dataset, struct shoal_item_names *names, size_t users,
                 size_t events)
{
    uint64_t state = 3;
    shoal_dataset_init(dataset, 4);
    shoal_item_names_init(names);
    for (size_t e = 0; e < events; e++)
        for (size_t u = 0; u < users; u++) {
            char user[16], id[16];
            int user_size = snprintf(user, sizeof user, "u%zu", u);
            uint32_t group = (uint32_t)u % GROUPS;
            uint32_t step = draw(&state, 10) < 7 ? (uint32_t)(u / GROUPS + e) % 10
                                                 : draw(&state, 10);
            uint32_t item = group * 10 + step;
            struct shoal_touch touch = {
                .time_ms = START_MS + (int64_t)e * STEP_MS + (int64_t)u * 1000,
                .item = hash_of(item),
                .category = (uint16_t)(1 + group),
                .behavior = e % 5 == 4 ? SHOAL_BUY : SHOAL_PV,
            };
            int id_size = snprintf(id, sizeof id, "i%u", item);
            cr_assert_eq(shoal_dataset_append(dataset, user, (size_t)user_size, &touch, 0), SHOAL_OK);
            cr_assert_eq(shoal_item_names_add(names, touch.item, id, (size_t)id_size), SHOAL_OK);
        }
    cr_assert_eq(shoal_dataset_group(dataset), SHOAL_OK);
}

static struct shoal_model *model(void)
{
    struct shoal_dims dims = tiny_dims();
    return tiny_model(&dims, 3);
}

static void learn(struct shoal_model *made, const struct shoal_dataset *dataset, int64_t end_ms,
                  const struct shoal_item_names *names, struct shoal_train_items_report *report)
{
    const struct shoal_train_items_options options = {.names = names, .seed = 5};
    cr_assert_eq(shoal_train_items(made, dataset, end_ms, &options, report), SHOAL_OK);
}

Test(train_items, what_follows_is_found_and_beats_popularity)
{
    enum { USERS = 240, EVENTS = 20, SEEN = 15 };
    struct shoal_dataset dataset, before;
    struct shoal_item_names names, unused;
    struct shoal_train_items_report report;
    struct shoal_items_evaluation evaluation;
    struct shoal_model *made = model();
    int64_t cut_ms = START_MS + SEEN * STEP_MS;
    make(&dataset, &names, USERS, EVENTS);
    make(&before, &unused, USERS, SEEN);
    learn(made, &before, cut_ms - 1, &names, &report);
    cr_assert(report.made, "%s", report.why.text);
    cr_assert_eq(report.count, ITEMS);
    cr_assert(report.judged[SHOAL_GOAL_ANY] > 100);
    const struct shoal_items_evaluate_options options = {
        .from_ms = cut_ms, .until_ms = INT64_MAX, .seed = 1};
    struct shoal_message why = {""};
    cr_assert_eq(shoal_items_evaluate(made, &dataset, &options, &evaluation, &why), SHOAL_OK);
    const double *values = evaluation.model[SHOAL_ITEM_GROUP_ALL].values;
    cr_assert_gt(values[SHOAL_ITEM_MEASURE_hr10], 0.8, "%g", values[SHOAL_ITEM_MEASURE_hr10]);
    cr_assert_gt(values[SHOAL_ITEM_MEASURE_ndcg10], 0.6, "%g", values[SHOAL_ITEM_MEASURE_ndcg10]);
    cr_assert_gt(
        evaluation.difference[SHOAL_ITEM_GROUP_ALL].intervals[SHOAL_ITEM_MEASURE_ndcg10].low, 0.3);
    cr_assert_eq(evaluation.unseen, 0);
    cr_assert_eq(evaluation.missing, 0);
    for (uint32_t j = 0; j < ITEMS; j++) {
        size_t size, wanted;
        const char *id = shoal_items_id(made->items, j, &size);
        uint32_t item = (uint32_t)atoi(id + 1), found;
        const char *name = shoal_item_names_find(&names, hash_of(item), &wanted);
        cr_assert(shoal_items_find(made->items, hash_of(item), &found) && found == j);
        cr_assert(size == wanted && !memcmp(id, name, size));
    }
    shoal_items_evaluation_finish(&evaluation);
    shoal_item_names_finish(&names);
    shoal_item_names_finish(&unused);
    shoal_dataset_finish(&dataset);
    shoal_dataset_finish(&before);
    shoal_model_destroy(made);
}

Test(train_items, the_same_log_and_seed_give_the_same_bytes_and_a_file_that_is_read)
{
    struct shoal_dataset dataset;
    struct shoal_item_names names;
    struct shoal_train_items_report report;
    struct shoal_buffer first = {0}, second = {0};
    struct shoal_model *made = model(), *again = model(), *read = NULL;
    struct shoal_message why = {""};
    make(&dataset, &names, 60, 12);
    learn(made, &dataset, dataset.last_ms, &names, &report);
    learn(again, &dataset, dataset.last_ms, &names, &report);
    cr_assert_eq(shoal_model_serialize(made, &first), SHOAL_OK);
    cr_assert_eq(shoal_model_serialize(again, &second), SHOAL_OK);
    cr_assert(first.size == second.size && !memcmp(first.bytes, second.bytes, first.size));
    cr_assert_eq(shoal_model_parse(first.bytes, first.size, &read, &why), SHOAL_OK, "%s", why.text);
    cr_assert_eq(shoal_items_count(read->items), ITEMS);
    shoal_buffer_finish(&first);
    shoal_buffer_finish(&second);
    shoal_model_destroy(made);
    shoal_model_destroy(again);
    shoal_model_destroy(read);
    shoal_item_names_finish(&names);
    shoal_dataset_finish(&dataset);
}

Test(train_items, the_most_frequent_are_kept_where_a_number_is_given)
{
    struct shoal_dataset dataset;
    struct shoal_item_names names;
    struct shoal_train_items_report report;
    struct shoal_model *made = model();
    make(&dataset, &names, 30, 10);
    const struct shoal_train_items_options options = {.names = &names, .most = 7, .seed = 1};
    cr_assert_eq(shoal_train_items(made, &dataset, dataset.last_ms, &options, &report), SHOAL_OK);
    cr_assert(report.made && report.count == 7);
    for (uint32_t j = 1; j < 7; j++)
        cr_assert_geq(shoal_items_support(made->items, j - 1), shoal_items_support(made->items, j));
    shoal_item_names_finish(&names);
    shoal_dataset_finish(&dataset);
    shoal_model_destroy(made);
}

static void append(struct shoal_dataset *dataset, struct shoal_item_names *names, const char *user,
                   uint32_t item, int second)
{
    struct shoal_touch touch = {.time_ms = START_MS + second * 1000, .item = hash_of(item)};
    cr_assert_eq(shoal_dataset_append(dataset, user, strlen(user), &touch, 0), SHOAL_OK);
    cr_assert_eq(shoal_item_names_add(names, touch.item, "x", 1), SHOAL_OK);
}

Test(train_items, a_catalogue_of_one_item_can_be_asked)
{
    struct shoal_dataset dataset;
    struct shoal_item_names names;
    struct shoal_train_items_report report;
    struct shoal_model *made = model();
    struct shoal_items_room *room;
    struct shoal_item_pick pick[3];
    struct shoal_item_query nobody = {.goal = SHOAL_GOAL_ANY};
    size_t count;
    shoal_dataset_init(&dataset, 4);
    shoal_item_names_init(&names);
    append(&dataset, &names, "a", 1, 0);
    append(&dataset, &names, "a", 1, 5);
    append(&dataset, &names, "b", 1, 9);
    cr_assert_eq(shoal_dataset_group(&dataset), SHOAL_OK);
    learn(made, &dataset, dataset.last_ms, &names, &report);
    cr_assert(report.made && report.count == 1 && report.judged[SHOAL_GOAL_ANY] == 0);
    cr_assert_eq(shoal_items_room_create(made->items, 1, &room), SHOAL_OK);
    shoal_items_top(made->items, room, &nobody, 1, 3, pick, &count);
    cr_assert(count == 1 && pick[0].item == 0);
    shoal_items_room_destroy(room);
    shoal_item_names_finish(&names);
    shoal_dataset_finish(&dataset);
    shoal_model_destroy(made);
}

Test(train_items, a_log_without_events_leaves_the_model_without_items)
{
    struct shoal_dataset dataset;
    struct shoal_item_names names;
    struct shoal_train_items_report report;
    struct shoal_model *made = model();
    shoal_dataset_init(&dataset, 4);
    shoal_item_names_init(&names);
    cr_assert_eq(shoal_dataset_group(&dataset), SHOAL_OK);
    learn(made, &dataset, 0, &names, &report);
    cr_assert(!report.made && report.why.text[0] && !made->items);
    shoal_item_names_finish(&names);
    shoal_dataset_finish(&dataset);
    shoal_model_destroy(made);
}

Test(train_items, of_ids_with_one_hash_the_more_frequent_names_the_item)
{
    struct shoal_item_names names;
    size_t size;
    shoal_item_names_init(&names);
    cr_assert_null(shoal_item_names_find(&names, 7, &size));
    cr_assert_eq(shoal_item_names_add(&names, 7, "first", 5), SHOAL_OK);
    cr_assert_eq(shoal_item_names_add(&names, 7, "other", 5), SHOAL_OK);
    cr_assert_eq(memcmp(shoal_item_names_find(&names, 7, &size), "first", 5), 0);
    cr_assert_eq(shoal_item_names_add(&names, 7, "other", 5), SHOAL_OK);
    cr_assert_eq(memcmp(shoal_item_names_find(&names, 7, &size), "other", 5), 0);
    for (uint32_t i = 100; i < 5000; i++)
        cr_assert_eq(shoal_item_names_add(&names, i, "many", 4), SHOAL_OK);
    cr_assert_eq(memcmp(shoal_item_names_find(&names, 7, &size), "other", 5), 0);
    cr_assert_eq(size, 5);
    cr_assert_null(shoal_item_names_find(&names, 99, &size));
    shoal_item_names_finish(&names);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Items that came after the training: what they get, by hand, and that nothing else changes. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/items_add.h"
#include "stream/event.h"
#include "tests/model/planted_items.h"

enum { COUNT = 20, WIDTH = 8, HIDDEN = 16 };

static struct shoal_dataset dataset;
static struct shoal_item_names names;
static struct shoal_items *items, *grown;
static struct shoal_items_added added;
static int64_t now_ms;

static void setup(void)
{
    shoal_dataset_init(&dataset, 8);
    shoal_item_names_init(&names);
    items = planted_items(COUNT, WIDTH, HIDDEN, 3);
    grown = NULL;
    now_ms = 1511660000000;
    cr_assert_not_null(items);
}

static void teardown(void)
{
    shoal_dataset_finish(&dataset);
    shoal_item_names_finish(&names);
    shoal_items_destroy(items);
    shoal_items_destroy(grown);
}

TestSuite(items_add, .init = setup, .fini = teardown);

static void see(const char *user, const char *item, uint16_t category)
{
    struct shoal_touch touch = {.time_ms = now_ms += 60000,
                                .item = shoal_item_hash(item, strlen(item)),
                                .category = category};
    struct shoal_extra extra = {.amount = NAN};
    cr_assert_eq(shoal_dataset_append_event(&dataset, user, strlen(user), &touch, &extra), SHOAL_OK);
    cr_assert_eq(shoal_item_names_add(&names, touch.item, item, strlen(item)), SHOAL_OK);
}

static void grow(uint32_t least)
{
    cr_assert_eq(shoal_dataset_group(&dataset), SHOAL_OK);
    cr_assert_eq(shoal_items_add(items, &dataset, &names, least, &grown, &added), SHOAL_OK);
}

static uint32_t place_of(const char *item)
{
    uint32_t place = UINT32_MAX;
    cr_assert(shoal_items_find(grown, shoal_item_hash(item, strlen(item)), &place), "%s", item);
    return place;
}

static void assert_vector(uint32_t item, const double *wanted)
{
    for (size_t i = 0; i < WIDTH; i++) /* to half the last bit of a half */
        cr_assert_float_eq(grown->vectors[item * WIDTH + i], (float)wanted[i],
                           fmaxf(fabsf((float)wanted[i]) * 0x1p-10f, 1e-4f), "%zu: %g, not %g", i,
                           (double)grown->vectors[item * WIDTH + i], wanted[i]);
}

Test(items_add, a_vector_is_that_of_its_category_and_its_company_by_their_weights)
{
    see("u1", "4", 5);
    see("u1", "new", 3);
    see("u1", "9", 3);
    see("u2", "new", 3);
    see("u2", "9", 3);
    grow(2);
    cr_assert_eq(added.added, 1);
    cr_assert_eq(added.by_category, 1);
    cr_assert_eq(added.by_company, 1);
    uint32_t place = place_of("new");
    cr_assert_eq(place, COUNT);
    cr_assert_eq(shoal_items_count(grown), COUNT + 1);
    cr_assert_eq(shoal_items_support(grown, place), 2);
    cr_assert_eq(shoal_items_category(grown, place), 3);
    size_t size;
    const char *id = shoal_items_id(grown, place, &size);
    cr_assert(size == 3 && memcmp(id, "new", 3) == 0);
    /* Item 4 once before it, 9 twice behind it, each next to it: n_ij + n_ji = 1.5 for each meeting. */
    const float *mean = shoal_items_category_vector(items, 3);
    double wanted[WIDTH];
    for (size_t i = 0; i < WIDTH; i++)
        wanted[i] = (4 * (double)mean[i] + 1.5 * (double)items->vectors[4 * WIDTH + i] +
                     3 * (double)items->vectors[9 * WIDTH + i]) /
                    8.5;
    assert_vector(place, wanted);
}

Test(items_add, without_company_it_is_its_category_and_without_both_it_has_popularity_alone)
{
    see("u1", "alike", 3);
    see("u2", "alike", 3);
    see("u3", "strange", 999);
    see("u4", "strange", 999);
    see("u5", "4", 5);
    grow(2);
    double mean[WIDTH], nothing[WIDTH] = {0};
    for (size_t i = 0; i < WIDTH; i++)
        mean[i] = (double)shoal_items_category_vector(items, 3)[i];
    assert_vector(place_of("alike"), mean);
    assert_vector(place_of("strange"), nothing);
    cr_assert_eq(added.by_category, 1);
    cr_assert_eq(added.by_company, 0);
}

Test(items_add, a_bias_lies_on_the_line_through_those_of_the_catalogue)
{
    for (size_t j = 0; j < COUNT; j++) { /* on a line, exactly */
        items->support[j] = (uint32_t)(j + 1) * 10;
        items->asking[SHOAL_GOAL_ANY].bias[j] = 2 * logf((float)items->support[j]) - 7;
        items->asking[SHOAL_GOAL_BUY].bias[j] = logf((float)items->support[j]) - 9;
    }
    for (int i = 0; i < 3; i++)
        see("u1", "9", 3); /* 100 in the training, 3 here: r = 100/3 */
    for (int i = 0; i < 6; i++)
        see("u2", "new", 0);
    grow(2);
    uint32_t place = place_of("new");
    cr_assert_float_eq(grown->asking[SHOAL_GOAL_ANY].bias[place], 2 * logf(200) - 7, 1e-4f);
    cr_assert_float_eq(grown->asking[SHOAL_GOAL_BUY].bias[place], logf(200) - 9, 1e-4f);
    cr_assert_eq(shoal_items_support(grown, place), 6);
}

Test(items_add, what_was_there_stays_bit_for_bit)
{
    see("u1", "0", 1);
    see("u1", "new", 3);
    see("u1", "18", 3);
    see("u1", "new", 3);
    grow(2);
    cr_assert_arr_eq(grown->vectors, items->vectors, COUNT * WIDTH * sizeof(float));
    cr_assert_arr_eq(grown->hashes, items->hashes, COUNT * sizeof(uint32_t));
    for (int g = 0; g < SHOAL_ITEM_GOALS; g++) {
        cr_assert_arr_eq(grown->asking[g].bias, items->asking[g].bias, COUNT * sizeof(float));
        cr_assert_arr_eq(grown->asking[g].state, items->asking[g].state,
                         WIDTH * HIDDEN * sizeof(float));
        cr_assert_arr_eq(grown->asking[g].pooling, items->asking[g].pooling,
                         SHOAL_ITEM_HEADS * WIDTH * WIDTH * sizeof(float));
        cr_assert_arr_eq(&grown->asking[g].follow, &items->asking[g].follow,
                         sizeof items->asking[g].follow);
        cr_assert_arr_eq(&grown->asking[g].again, &items->asking[g].again,
                         sizeof items->asking[g].again);
    }
    for (size_t j = 0; j < COUNT; j++) {
        size_t has = items->near_at[j + 1] - items->near_at[j];
        size_t now = grown->near_at[j + 1] - grown->near_at[j];
        cr_assert_eq(now, has + (j == 0 || j == 18), "%zu", j);
        for (size_t k = 0; k < has; k++)
            cr_assert_eq(grown->near[grown->near_at[j] + k], items->near[items->near_at[j] + k]);
    }
    /* and the new one has those two */
    cr_assert_eq(grown->near_at[COUNT + 1] - grown->near_at[COUNT], 2);
    cr_assert_eq(grown->near[grown->near_at[COUNT]], 0);
    cr_assert_eq(grown->near[grown->near_at[COUNT] + 1], 18);
    cr_assert_gt(grown->near_weight[grown->near_at[COUNT]], 0);
}

Test(items_add, rare_items_are_left_out_and_nothing_new_is_no_failure)
{
    see("u1", "0", 1);
    see("u1", "new", 3);
    grow(2);
    cr_assert_eq(added.added, 0);
    cr_assert_eq(added.rare, 1);
    cr_assert_eq(shoal_items_count(grown), COUNT);
    shoal_items_destroy(grown);
    grow(1);
    cr_assert_eq(added.added, 1);
}

Test(items_add, a_catalogue_of_one_item_takes_more)
{
    shoal_items_destroy(items);
    items = planted_items(1, WIDTH, HIDDEN, 3);
    cr_assert_not_null(items);
    see("u1", "0", 1);
    see("u1", "x", 1);
    see("u1", "x", 1);
    see("u1", "y", 2);
    grow(1);
    cr_assert_eq(added.added, 2);
    cr_assert(isfinite(grown->asking[0].bias[1]) && isfinite(grown->asking[0].bias[2]));
    cr_assert_gt(grown->asking[0].bias[1], grown->asking[0].bias[2]); /* named twice */
    struct shoal_buffer bytes = {0};
    struct shoal_unpack in;
    struct shoal_items *again;
    struct shoal_message message = {.text = ""};
    shoal_items_pack(grown, &bytes);
    shoal_unpack_init(&in, bytes.bytes, bytes.size);
    cr_assert_eq(shoal_items_unpack(&in, HIDDEN, &again, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(shoal_items_count(again), 3);
    shoal_items_destroy(again);
    shoal_buffer_finish(&bytes);
}

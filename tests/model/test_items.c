/* SPDX-License-Identifier: Apache-2.0 */
/* What a catalogue offers against a loop over all items in double precision; users alone and in a batch; the corners;
 * the section of the model file, whole and damaged. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "tests/model/tiny_items.h"

enum { WIDTH = 16, HIDDEN = 16, RING = 8, USERS = 100, NOW_S = 1512000000 };

/* Users with random states and rings; one event in eight is of an item that the catalogue does not have. */
struct users {
    float states[USERS][HIDDEN];
    struct shoal_touch rings[USERS][RING];
    struct shoal_item_query queries[USERS];
};

static uint32_t below(uint64_t *state, uint32_t bound)
{
    return (uint32_t)((0.5f + 0.5f * tiny_random(state)) * (float)bound) % bound;
}

static void make_users(const struct shoal_items *items, uint64_t seed, struct users *users)
{
    uint64_t state = seed * 77 + 5;
    for (size_t u = 0; u < USERS; u++) {
        for (size_t i = 0; i < HIDDEN; i++)
            users->states[u][i] = tiny_random(&state);
        for (size_t k = 0; k < RING; k++) {
            size_t item = below(&state, (uint32_t)items->count);
            bool known = below(&state, 8) > 0;
            users->rings[u][k] = (struct shoal_touch){
                .time_ms = (NOW_S - (int64_t)((RING - k) * below(&state, 40000))) * 1000,
                .item = known ? items->hashes[item] : 12345,
                .category = (uint16_t)below(&state, 8),
                .behavior = (uint8_t)below(&state, SHOAL_BEHAVIOR_COUNT),
            };
        }
        users->queries[u] = (struct shoal_item_query){
            .h = users->states[u],
            .ring = users->rings[u],
            .ring_count = u % (RING + 1),
            .now_ms = (int64_t)NOW_S * 1000,
            .goal = u % 2 ? SHOAL_GOAL_BUY : SHOAL_GOAL_ANY,
            .without_bought = u % 3 == 0,
        };
        if (u % (RING + 1) == 0)
            users->queries[u].h = NULL;
    }
}

/* ---- the same in double, straight from the equations -------------------------------------------- */

static double entry(const struct shoal_item_table *table, size_t k, const struct shoal_touch *touch,
                    int64_t now_ms)
{
    return (double)table->place[k] + (double)table->behavior[touch->behavior] +
           (double)table->age[shoal_item_age(now_ms - touch->time_ms)];
}

static int find(const struct shoal_items *items, uint32_t hash)
{
    for (size_t j = 0; j < items->count; j++)
        if (items->hashes[j] == hash)
            return (int)j;
    return -1;
}

/* The vector of a recent event's item, or the mean of its category's; false if neither is known. */
static bool vector_of(const struct shoal_items *items, const struct shoal_touch *touch, double *vector)
{
    int item = find(items, touch->item);
    double members = 0;
    memset(vector, 0, WIDTH * sizeof *vector);
    for (size_t j = 0; j < items->count; j++) {
        bool counts = item >= 0 ? (int)j == item
                                : touch->category && items->categories[j] == touch->category;
        members += counts;
        for (size_t i = 0; counts && i < WIDTH; i++)
            vector[i] += (double)items->vectors[j * WIDTH + i];
    }
    for (size_t i = 0; i < WIDTH; i++)
        vector[i] /= fmax(members, 1);
    return members > 0;
}

static void naive_pool(const struct shoal_items *items, const struct shoal_item_query *query,
                       const struct shoal_item_table *table, double *pooled)
{
    double sum = 0, vector[WIDTH];
    memset(pooled, 0, WIDTH * sizeof *pooled);
    for (size_t k = 0; k < query->ring_count; k++) {
        const struct shoal_touch *touch = &query->ring[query->ring_count - 1 - k];
        if (!vector_of(items, touch, vector))
            continue;
        double weight = exp(entry(table, k, touch, query->now_ms));
        sum += weight;
        for (size_t i = 0; i < WIDTH; i++)
            pooled[i] += weight * vector[i];
    }
    for (size_t i = 0; sum > 0 && i < WIDTH; i++)
        pooled[i] /= sum;
}

static void naive_query(const struct shoal_items *items, const struct shoal_item_query *query,
                        double *q)
{
    const struct shoal_item_asking *asking = &items->asking[query->goal];
    double pooled[WIDTH];
    for (size_t i = 0; i < WIDTH; i++) {
        q[i] = query->h ? (double)asking->offset[i] : 0;
        for (size_t n = 0; query->h && n < HIDDEN; n++)
            q[i] += (double)asking->state[i * HIDDEN + n] * (double)query->h[n];
    }
    for (size_t p = 0; p < SHOAL_ITEM_HEADS; p++) {
        naive_pool(items, query, &asking->pool[p], pooled);
        for (size_t i = 0; i < WIDTH; i++)
            for (size_t n = 0; n < WIDTH; n++)
                q[i] += (double)asking->pooling[(p * WIDTH + i) * WIDTH + n] * pooled[n];
    }
}

static double naive_score(const struct shoal_items *items, const struct shoal_item_query *query,
                          const double *q, size_t j)
{
    const struct shoal_item_asking *asking = &items->asking[query->goal];
    double score = (double)asking->bias[j];
    bool seen = false;
    for (size_t i = 0; i < WIDTH; i++)
        score += q[i] * (double)items->vectors[j * WIDTH + i];
    for (size_t k = 0; k < query->ring_count; k++) {
        const struct shoal_touch *touch = &query->ring[query->ring_count - 1 - k];
        int item = find(items, touch->item);
        if (item < 0)
            continue;
        for (size_t n = items->near_at[item]; n < items->near_at[item + 1]; n++)
            if (items->near[n] == j)
                score += exp(entry(&asking->follow, k, touch, query->now_ms)) *
                         (double)items->near_weight[n];
        if (item == (int)j) {
            score -= seen ? 0 : (double)asking->level * (double)asking->bias[j];
            seen = true;
            score += entry(&asking->again, k, touch, query->now_ms);
            if (query->without_bought && touch->behavior == SHOAL_BUY)
                score = -INFINITY;
        }
    }
    return score;
}

/* Every pick has its naive score, they fall, and nothing that is left out is greater than the last. */
static void assert_top(const struct shoal_items *items, const struct shoal_item_query *query,
                       const struct shoal_item_pick *picks, size_t count, size_t n)
{
    double q[WIDTH], least = INFINITY;
    bool *picked = calloc(items->count, sizeof *picked);
    size_t there = 0;
    naive_query(items, query, q);
    for (size_t p = 0; p < count; p++) {
        double score = naive_score(items, query, q, picks[p].item);
        cr_assert(fabs(score - (double)picks[p].score) < 2e-4, "%g is %g", (double)picks[p].score,
                  score);
        cr_assert(p == 0 || picks[p].score < picks[p - 1].score ||
                  (picks[p].score == picks[p - 1].score && picks[p].item > picks[p - 1].item));
        cr_assert_not(picked[picks[p].item], "an item twice");
        picked[picks[p].item] = true;
        least = (double)picks[p].score;
    }
    for (size_t j = 0; j < items->count; j++) {
        double score = naive_score(items, query, q, j);
        there += score > -INFINITY;
        cr_assert(picked[j] || count < n ? score == -INFINITY || picked[j] : score < least + 2e-4);
    }
    cr_assert_eq(count, there < n ? there : n);
    free(picked);
}

static void check_top(size_t items_count, size_t n)
{
    struct users *users = malloc(sizeof *users);
    struct shoal_items *items = tiny_items(items_count, WIDTH, HIDDEN, items_count);
    struct shoal_items_room *room;
    struct shoal_item_pick *picks = malloc(USERS * n * sizeof *picks);
    size_t counts[USERS];
    cr_assert(users && items && picks);
    make_users(items, n, users);
    cr_assert_eq(shoal_items_room_create(items, USERS, &room), SHOAL_OK);
    shoal_items_top(items, room, users->queries, USERS, n, picks, counts);
    for (size_t u = 0; u < USERS; u++)
        assert_top(items, &users->queries[u], picks + u * n, counts[u], n);
    shoal_items_room_destroy(room);
    shoal_items_destroy(items);
    free(picks);
    free(users);
}

Test(items, top_is_that_of_a_loop_over_all_items)
{
    check_top(2500, 10); /* three blocks, the last one cut */
    check_top(1024, 100);
    check_top(37, 1);
}

Test(items, more_than_the_catalogue_has_gives_all_of_it)
{
    check_top(20, 50);
    check_top(1, 3);
}

Test(items, a_user_gets_the_same_bits_alone_and_in_any_batch)
{
    enum { N = 20 };
    struct users *users = malloc(sizeof *users);
    struct shoal_items *items = tiny_items(3000, WIDTH, HIDDEN, 9);
    struct shoal_items_room *room, *single;
    struct shoal_item_pick *picks = malloc(USERS * N * sizeof *picks), own[N];
    size_t counts[USERS], count;
    uint32_t targets[USERS], ranks[USERS], rank;
    cr_assert(users && items && picks);
    make_users(items, 4, users);
    cr_assert_eq(shoal_items_room_create(items, 64, &room), SHOAL_OK);
    cr_assert_eq(shoal_items_room_create(items, 1, &single), SHOAL_OK);
    for (size_t size = 1; size <= USERS; size += size < 8 ? 1 : 23) {
        shoal_items_top(items, room, users->queries, size, N, picks, counts);
        for (size_t u = 0; u < size; u++)
            targets[u] = (uint32_t)(u * 29);
        shoal_items_ranks(items, room, users->queries, targets, size, ranks);
        for (size_t u = 0; u < size; u++) {
            shoal_items_top(items, single, &users->queries[u], 1, N, own, &count);
            cr_assert_eq(count, counts[u]);
            cr_assert_eq(memcmp(own, picks + u * N, count * sizeof *own), 0);
            shoal_items_ranks(items, single, &users->queries[u], &targets[u], 1, &rank);
            cr_assert_eq(rank, ranks[u]);
        }
    }
    shoal_items_room_destroy(room);
    shoal_items_room_destroy(single);
    shoal_items_destroy(items);
    free(picks);
    free(users);
}

Test(items, a_rank_is_the_place_among_the_best)
{
    enum { COUNT = 1000 };
    struct users *users = malloc(sizeof *users);
    struct shoal_items *items = tiny_items(COUNT, WIDTH, HIDDEN, 5);
    struct shoal_items_room *room;
    struct shoal_item_pick *picks = malloc(COUNT * sizeof *picks);
    size_t count;
    cr_assert(users && items && picks);
    make_users(items, 2, users);
    items->asking[0].bias[7] = items->asking[0].bias[8];
    memcpy(items->vectors + 7 * WIDTH, items->vectors + 8 * WIDTH, WIDTH * sizeof(float));
    cr_assert_eq(shoal_items_room_create(items, 1, &room), SHOAL_OK);
    for (size_t u = 0; u < 10; u++) {
        struct shoal_item_query query = users->queries[u];
        query.without_bought = false;
        query.goal = SHOAL_GOAL_ANY;
        shoal_items_top(items, room, &query, 1, COUNT, picks, &count);
        cr_assert_eq(count, COUNT);
        for (uint32_t p = 0; p < COUNT; p++) {
            uint32_t rank;
            shoal_items_ranks(items, room, &query, &picks[p].item, 1, &rank);
            cr_assert_eq(rank, p);
        }
    }
    shoal_items_room_destroy(room);
    shoal_items_destroy(items);
    free(picks);
    free(users);
}

Test(items, a_user_without_history_gets_what_the_bias_says)
{
    struct shoal_items *items = tiny_items(50, WIDTH, HIDDEN, 2);
    struct shoal_items_room *room;
    struct shoal_item_query query = {.now_ms = 1000, .goal = SHOAL_GOAL_BUY};
    struct shoal_item_pick picks[50];
    size_t count;
    cr_assert_not_null(items);
    cr_assert_eq(shoal_items_room_create(items, 1, &room), SHOAL_OK);
    shoal_items_top(items, room, &query, 1, 50, picks, &count);
    cr_assert_eq(count, 50);
    for (size_t p = 0; p < count; p++)
        cr_assert_eq(picks[p].score, items->asking[SHOAL_GOAL_BUY].bias[picks[p].item]);
    shoal_items_room_destroy(room);
    shoal_items_destroy(items);
}

Test(items, an_item_is_found_by_its_hash_and_has_its_id)
{
    struct shoal_items *items = tiny_items(300, WIDTH, HIDDEN, 2);
    uint32_t item;
    size_t size;
    cr_assert_not_null(items);
    cr_assert_eq(shoal_items_count(items), 300);
    cr_assert_eq(shoal_items_width(items), WIDTH);
    for (uint32_t j = 0; j < 300; j++) {
        char wanted[16];
        int wanted_size = snprintf(wanted, sizeof wanted, "item%u", j);
        cr_assert(shoal_items_find(items, tiny_item_hash(j), &item) && item == j);
        const char *id = shoal_items_id(items, j, &size);
        cr_assert(size == (size_t)wanted_size && !memcmp(id, wanted, size));
        cr_assert_eq(shoal_items_category(items, j), 1 + j % 5);
        cr_assert_eq(shoal_items_support(items, j), 300 - j);
    }
    cr_assert_not(shoal_items_find(items, 12345, &item));
    shoal_items_destroy(items);
}

/* ---- the section of the file -------------------------------------------------------------------- */

static enum shoal_status unpack(const uint8_t *bytes, size_t size, size_t hidden,
                                struct shoal_items **items)
{
    struct shoal_unpack in;
    struct shoal_message why = {""};
    shoal_unpack_init(&in, bytes, size);
    enum shoal_status status = shoal_items_unpack(&in, hidden, items, &why);
    cr_assert(status == SHOAL_OK || (status == SHOAL_DAMAGED && why.text[0] && !*items));
    return status;
}

Test(items, a_section_is_read_back_to_the_same_bytes_and_picks)
{
    struct users *users = malloc(sizeof *users);
    struct shoal_items *items = tiny_items(200, WIDTH, HIDDEN, 6), *again;
    struct shoal_items_room *room;
    struct shoal_item_pick first[10], second[10];
    struct shoal_buffer bytes = {0}, repeated = {0};
    size_t count;
    cr_assert(users && items);
    make_users(items, 6, users);
    shoal_items_pack(items, &bytes);
    cr_assert_eq(unpack(bytes.bytes, bytes.size, HIDDEN, &again), SHOAL_OK);
    shoal_items_pack(again, &repeated);
    cr_assert(bytes.size == repeated.size && !memcmp(bytes.bytes, repeated.bytes, bytes.size));
    cr_assert_eq(shoal_items_room_create(items, 1, &room), SHOAL_OK);
    for (size_t u = 0; u < USERS; u++) {
        memset(first, 0, sizeof first);
        memset(second, 0, sizeof second);
        shoal_items_top(items, room, &users->queries[u], 1, 10, first, &count);
        shoal_items_top(again, room, &users->queries[u], 1, 10, second, &count);
        cr_assert_eq(memcmp(first, second, sizeof first), 0);
    }
    shoal_items_room_destroy(room);
    shoal_buffer_finish(&bytes);
    shoal_buffer_finish(&repeated);
    shoal_items_destroy(items);
    shoal_items_destroy(again);
    free(users);
}

Test(items, no_items_are_nil)
{
    struct shoal_buffer bytes = {0};
    struct shoal_items *items = (struct shoal_items *)&bytes;
    shoal_items_pack(NULL, &bytes);
    cr_assert_eq(unpack(bytes.bytes, bytes.size, HIDDEN, &items), SHOAL_OK);
    cr_assert_null(items);
    shoal_buffer_finish(&bytes);
}

Test(items, a_cut_section_or_one_for_another_network_is_refused)
{
    struct shoal_items *items = tiny_items(12, 8, HIDDEN, 6), *again;
    struct shoal_buffer bytes = {0};
    cr_assert_not_null(items);
    shoal_items_pack(items, &bytes);
    for (size_t size = 0; size < bytes.size; size++)
        cr_assert_eq(unpack(bytes.bytes, size, HIDDEN, &again), SHOAL_DAMAGED, "%zu bytes", size);
    cr_assert_eq(unpack(bytes.bytes, bytes.size, HIDDEN + 8, &again), SHOAL_DAMAGED);
    shoal_buffer_finish(&bytes);
    shoal_items_destroy(items);
}

/* Packs a catalogue that a change has made unsound, and expects that it is not read. */
static void expect_refused(void (*spoil)(struct shoal_items *items))
{
    struct shoal_items *items = tiny_items(12, 8, HIDDEN, 6), *again;
    struct shoal_buffer bytes = {0};
    cr_assert_not_null(items);
    spoil(items);
    shoal_items_pack(items, &bytes);
    cr_expect_eq(unpack(bytes.bytes, bytes.size, HIDDEN, &again), SHOAL_DAMAGED);
    shoal_buffer_finish(&bytes);
    shoal_items_destroy(items);
}

static void same_hash(struct shoal_items *items)
{
    items->hashes[3] = items->hashes[7];
}

static void infinite_vector(struct shoal_items *items)
{
    items->vectors[5] = NAN; /* the largest half is finite */
}

static void infinite_bias(struct shoal_items *items)
{
    items->asking[1].bias[2] = INFINITY;
}

static void wild_table(struct shoal_items *items)
{
    items->asking[1].follow.age[2] = 80;
}

static void far_neighbour(struct shoal_items *items)
{
    items->near[2] = 12;
}

static void neighbour_twice(struct shoal_items *items)
{
    items->near[1] = items->near[0];
}

static void negative_neighbour(struct shoal_items *items)
{
    items->near_weight[1] = -1;
}

static void no_id(struct shoal_items *items)
{
    items->id_at[1] = 0;
}

Test(items, a_section_with_parts_that_cannot_be_is_refused)
{
    expect_refused(same_hash);
    expect_refused(infinite_vector);
    expect_refused(infinite_bias);
    expect_refused(wild_table);
    expect_refused(far_neighbour);
    expect_refused(neighbour_twice);
    expect_refused(negative_neighbour);
    expect_refused(no_id);
}

Test(items, damaged_bytes_are_read_or_refused_but_never_crash)
{
    struct shoal_items *items = tiny_items(12, 8, HIDDEN, 6), *again;
    struct shoal_buffer bytes = {0};
    uint64_t state = 11;
    cr_assert_not_null(items);
    shoal_items_pack(items, &bytes);
    for (int i = 0; i < 20000; i++) {
        size_t at = below(&state, (uint32_t)(i % 2 ? bytes.size : 900));
        uint8_t kept = bytes.bytes[at];
        bytes.bytes[at] ^= (uint8_t)(1 + below(&state, 255));
        (void)unpack(bytes.bytes, bytes.size, HIDDEN, &again);
        shoal_items_destroy(again);
        bytes.bytes[at] = kept;
    }
    shoal_buffer_finish(&bytes);
    shoal_items_destroy(items);
}

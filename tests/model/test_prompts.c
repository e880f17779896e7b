/* SPDX-License-Identifier: Apache-2.0 */
/* Prompts as they are served: nothing generated changes nothing, statistics, the same bits alone and in batches, and
 * their place in a model file. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "model/features.h"
#include "model/lstm.h"
#include "tests/model/tiny_items.h"
#include "tests/model/tiny_prompts.h"

enum { ITEMS = 40, WIDTH = 8, QUERIES = 70, N = 10 };

static const int64_t START_MS = INT64_C(1511654400000); /* Sunday, 00:00 */

struct fixture {
    struct shoal_model *model;
    struct shoal_touch rings[QUERIES][SHOAL_RING_MAX];
    float states[QUERIES][16], rates[QUERIES][SHOAL_COUNTERS];
    struct shoal_item_query queries[QUERIES];
};

static void fill(struct fixture *f)
{
    uint64_t state = 21;
    for (size_t i = 0; i < QUERIES; i++) {
        size_t count = 1 + i % 4;
        for (size_t j = 0; j < 16; j++)
            f->states[i][j] = tiny_random(&state);
        for (size_t k = 0; k < SHOAL_COUNTERS; k++)
            f->rates[i][k] = 3 * (tiny_random(&state) + 1);
        for (size_t k = 0; k < count; k++)
            f->rings[i][k] = (struct shoal_touch){
                .time_ms = START_MS + (int64_t)(i * 3600000 + k * 60000),
                .item = tiny_item_hash((i * 7 + k * 3) % ITEMS),
                .category = (uint16_t)(1 + k % 3),
                .behavior = (uint8_t)(k % 4),
                .price_level = (uint8_t)(k * 10),
            };
        f->queries[i] = (struct shoal_item_query){
            .h = f->states[i],
            .rates = i % 5 ? f->rates[i] : NULL,
            .ring = f->rings[i],
            .ring_count = count,
            .now_ms = f->rings[i][count - 1].time_ms + 30000,
            .goal = i % 2 ? SHOAL_GOAL_BUY : SHOAL_GOAL_ANY,
        };
    }
}

static void begin(struct fixture *f, float scale)
{
    struct shoal_dims dims = tiny_dims();
    f->model = tiny_model(&dims, 3);
    cr_assert_not_null(f->model);
    f->model->items = tiny_items(ITEMS, WIDTH, dims.hidden, 5);
    cr_assert_not_null(f->model->items);
    if (scale >= 0)
        f->model->items->prompts = tiny_prompts(dims.hidden, scale);
    shoal_items_bind(f->model->items, f->model);
    fill(f);
}

static void top(const struct shoal_items *items, const struct shoal_item_query *queries, size_t count,
                struct shoal_item_pick *picks)
{
    struct shoal_items_room *room;
    size_t counts[QUERIES];
    cr_assert_eq(shoal_items_room_create(items, QUERIES, &room), SHOAL_OK);
    shoal_items_top(items, room, queries, count, N, picks, counts);
    shoal_items_room_destroy(room);
}

Test(prompts, generated_zeros_change_no_bit)
{
    static struct fixture f;
    static struct shoal_item_pick with[QUERIES * N], without[QUERIES * N];
    begin(&f, 0);
    float state[16];
    for (size_t i = 0; i < QUERIES; i++) {
        shoal_prompts_state(f.model->items->prompts, f.model, &f.queries[i], state);
        cr_assert_eq(memcmp(state, f.states[i], sizeof state), 0, "query %zu", i);
    }
    top(f.model->items, f.queries, QUERIES, with);
    shoal_prompts_destroy(f.model->items->prompts);
    f.model->items->prompts = NULL;
    top(f.model->items, f.queries, QUERIES, without);
    cr_assert_eq(memcmp(with, without, sizeof with), 0);
    shoal_model_destroy(f.model);
}

Test(prompts, a_user_has_the_same_bits_alone_and_in_a_batch_and_others_than_without)
{
    static struct fixture f;
    static struct shoal_item_pick all[QUERIES * N], alone[N], without[N];
    size_t changed = 0;
    begin(&f, 0.2f);
    top(f.model->items, f.queries, QUERIES, all);
    struct shoal_prompts *prompts = f.model->items->prompts;
    for (size_t i = 0; i < QUERIES; i++) {
        top(f.model->items, &f.queries[i], 1, alone);
        cr_assert_eq(memcmp(alone, all + i * N, sizeof alone), 0, "query %zu", i);
        f.model->items->prompts = NULL;
        top(f.model->items, &f.queries[i], 1, without);
        f.model->items->prompts = prompts;
        changed += memcmp(alone, without, sizeof alone) != 0;
    }
    cr_assert_eq(changed, QUERIES);
    shoal_model_destroy(f.model);
}

Test(prompts, each_goal_has_its_own)
{
    static struct fixture f;
    float any[16], buy[16];
    begin(&f, 0.2f);
    struct shoal_prompts *prompts = f.model->items->prompts;
    struct shoal_item_query query = f.queries[1];
    query.goal = SHOAL_GOAL_ANY;
    shoal_prompts_state(prompts, f.model, &query, any);
    query.goal = SHOAL_GOAL_BUY;
    shoal_prompts_state(prompts, f.model, &query, buy);
    cr_assert_neq(memcmp(any, buy, sizeof any), 0);
    prompts->parts[SHOAL_GOAL_BUY] = 0;
    shoal_prompts_state(prompts, f.model, &query, buy);
    cr_assert_eq(memcmp(buy, query.h, sizeof buy), 0, "a goal without prompts has the served state");
    shoal_model_destroy(f.model);
}

/* With the start and gates of a prompt the ring is run as the step would run it. */
Test(prompts, the_gate_prompt_is_a_bias_of_the_network)
{
    static struct fixture f;
    float with[16], expected[16], plain[16];
    begin(&f, 0);
    struct shoal_prompts *prompts = f.model->items->prompts;
    struct shoal_params *params = &f.model->params;
    struct shoal_prompt_generator generator = shoal_prompt_generator_in(prompts->blocks[0], 16);
    struct shoal_item_query query = f.queries[2];
    for (size_t j = 0; j < 64; j++)
        generator.outer_bias[SHOAL_PROMPT_AT_GATES * 16 + j] = 0.01f * (float)j - 0.3f;
    shoal_prompts_state(prompts, f.model, &query, with);
    for (int moved = 0; moved < 2; moved++) { /* h from zero with the network's bias, then with it moved */
        float c[16] = {0}, tanh_c[16], gates[64], *h = moved ? expected : plain;
        memset(h, 0, sizeof expected);
        for (size_t k = 0; k < query.ring_count; k++) {
            float xh[64] = {0};
            struct shoal_features features;
            size_t inputs = shoal_dims_inputs(&params->dims);
            shoal_features_of(&params->dims, query.ring, k, &query.ring[k], k ? 60000 : 0, &features);
            shoal_features_gather(params, &features, xh);
            memcpy(xh + inputs, h, 16 * sizeof *h);
            for (size_t j = 0; j < 64; j++) {
                gates[j] = 0;
                for (size_t i = 0; i < inputs + 16; i++)
                    gates[j] += xh[i] * params->gates_weight[i * 64 + j];
                gates[j] += moved ? generator.outer_bias[SHOAL_PROMPT_AT_GATES * 16 + j] : 0;
            }
            shoal_lstm_cell(1, 16, gates, params->gates_bias, c, 16, tanh_c, h, 16);
        }
    }
    for (size_t j = 0; j < 16; j++)
        cr_assert_float_eq(with[j], query.h[j] + expected[j] - plain[j], 1e-5, "unit %zu", j);
    shoal_model_destroy(f.model);
}

Test(prompts, statistics_are_what_the_list_says)
{
    static struct fixture f;
    float z[SHOAL_PROMPT_STATISTICS];
    begin(&f, -1);
    struct shoal_item_query query = f.queries[8]; /* one event, at 08:00 */
    query.ring_count = 3;
    for (size_t k = 0; k < 3; k++)
        f.rings[8][k] = (struct shoal_touch){.time_ms = START_MS + 6 * 3600000 + (int64_t)k * 63000,
                                             .item = k == 2 ? 9 : 8,
                                             .behavior = k == 1 ? SHOAL_BUY : SHOAL_PV,
                                             .price_level = (uint8_t)(k * 16)};
    query.now_ms = f.rings[8][2].time_ms + 1000;
    shoal_prompts_statistics(f.model, &query, z);
    const float *mean = f.model->counter_mean, *deviation = f.model->counter_deviation;
    for (size_t k = 0; k < SHOAL_COUNTERS; k++)
        cr_assert_float_eq(z[k], (log1pf(f.rates[8][k]) - mean[k]) / deviation[k], 1e-5);
    const float expected[] = {0.5f,           /* log2(4)/4 */
                              2 / 3.0f, 0, 0, 1 / 3.0f, /* pv, cart, fav, buy */
                              2 / 3.0f,       /* different items */
                              0.05f,          /* log2(2)/20 */
                              0.35f,          /* 127 s: log2(128)/20 */
                              1, 0,           /* six o'clock */
                              z[22], z[23], 24 / 64.0f};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        cr_assert_float_eq(z[SHOAL_COUNTERS + i], expected[i], 1e-4, "%zu: %g", i,
                           (double)z[SHOAL_COUNTERS + i]);
    cr_assert_float_eq(z[22] * z[22] + z[23] * z[23], 1, 1e-5);
    cr_assert_eq(SHOAL_COUNTERS + sizeof expected / sizeof expected[0], SHOAL_PROMPT_STATISTICS);
    shoal_model_destroy(f.model);
}

Test(prompts, a_model_file_keeps_them)
{
    static struct fixture f;
    static struct shoal_item_pick before[QUERIES * N], after[QUERIES * N];
    struct shoal_buffer out = {0}, again = {0};
    struct shoal_message message;
    struct shoal_model *read;
    begin(&f, 0.2f);
    f.model->items->prompts->parts[SHOAL_GOAL_BUY] = 0;
    top(f.model->items, f.queries, QUERIES, before);
    cr_assert_eq(shoal_model_serialize(f.model, &out), SHOAL_OK);
    cr_assert_eq(shoal_model_parse(out.bytes, out.size, &read, &message), SHOAL_OK, "%s", message.text);
    top(read->items, f.queries, QUERIES, after);
    cr_assert_eq(memcmp(before, after, sizeof before), 0);
    cr_assert_eq(shoal_prompts_count(read->items->prompts),
                 2 * (SHOAL_PROMPT_UNITS * (SHOAL_PROMPT_STATISTICS + 1) +
                      9 * 16 * (SHOAL_PROMPT_UNITS + 1)));
    cr_assert_eq(shoal_model_serialize(read, &again), SHOAL_OK);
    cr_assert(out.size == again.size && !memcmp(out.bytes, again.bytes, out.size));
    shoal_buffer_finish(&out);
    shoal_buffer_finish(&again);
    shoal_model_destroy(read);
    shoal_model_destroy(f.model);
}

static enum shoal_status unpack(const struct shoal_prompts *prompts, size_t hidden, size_t cut)
{
    struct shoal_buffer out = {0};
    struct shoal_prompts *read;
    struct shoal_message message;
    shoal_prompts_pack(prompts, &out);
    struct shoal_unpack in;
    shoal_unpack_init(&in, out.bytes, out.size - cut);
    enum shoal_status status = shoal_prompts_unpack(&in, hidden, &read, &message);
    cr_assert(status == SHOAL_OK || !read);
    shoal_prompts_destroy(read);
    shoal_buffer_finish(&out);
    return status;
}

Test(prompts, what_is_damaged_is_refused)
{
    struct shoal_prompts *prompts = tiny_prompts(16, 0.2f);
    cr_assert_eq(unpack(prompts, 16, 0), SHOAL_OK);
    cr_assert_eq(unpack(NULL, 16, 0), SHOAL_OK, "none is nil");
    cr_assert_eq(unpack(prompts, 24, 0), SHOAL_DAMAGED, "of another network");
    cr_assert_eq(unpack(prompts, 16, 1), SHOAL_DAMAGED, "cut off");
    prompts->parts[1] = SHOAL_PROMPT_STATE;
    cr_assert_eq(unpack(prompts, 16, 0), SHOAL_DAMAGED, "weights of a part that is not there");
    prompts->parts[1] = SHOAL_PROMPT_PARTS + 1;
    cr_assert_eq(unpack(prompts, 16, 0), SHOAL_DAMAGED, "no such part");
    prompts->parts[1] = SHOAL_PROMPT_PARTS;
    prompts->blocks[1][3] = NAN;
    cr_assert_eq(unpack(prompts, 16, 0), SHOAL_DAMAGED, "not a number");
    shoal_prompts_destroy(prompts);
}

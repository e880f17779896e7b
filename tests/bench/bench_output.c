/* SPDX-License-Identifier: Apache-2.0 */
/* Microseconds to decide and to format one output; run by hand. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/base/clock.h"
#include "stream/output.h"

enum { ROUNDS = 7, CALLS = 200000 };

static struct shoal_promotion promotions[4];
static struct shoal_policy policy = {.promotions = promotions, .count = 4};
static struct shoal_record record;
static struct shoal_model model = {.warm = 0.2f, .hot = 0.6f, .version = "0123456789abcdef"};
static struct shoal_event event = {
    .partition = 3, .offset = 12345678, .user = "1000042", .user_size = 7};
static struct shoal_decision decision;
static struct shoal_change change = {SHOAL_INTENT, SHOAL_COLD, SHOAL_WARM, 0.231f};
static struct shoal_buffer out;
static char id[320];
static volatile size_t sink;

static void prepare(void)
{
    for (size_t i = 0; i < policy.count; i++) {
        snprintf(promotions[i].id, sizeof promotions[i].id, "checkout-reminder-%zu", i);
        promotions[i].hash = shoal_promotion_hash(promotions[i].id, strlen(promotions[i].id));
        promotions[i].triggers = 1u << SHOAL_CART;
        promotions[i].levels[SHOAL_INTENT].bits[0] = (6) << 1;
        promotions[i].levels[SHOAL_LIFECYCLE].bits[0] = (6) << 1;
        promotions[i].min_score = 0.2f;
        promotions[i].max_score = 1;
        promotions[i].cooldown_ms = 86400000;
        promotions[i].limit = 3;
        promotions[i].valid_from_ms = INT64_MIN;
        promotions[i].valid_until_ms = INT64_MAX;
        promotions[i].offer_ms = 1800000;
        promotions[i].control = 0.1f;
    }
    shoal_policy_settle(&policy);
    event.touch.time_ms = INT64_C(1512172800123);
    record.last_ms = event.touch.time_ms;
    record.score = 0.231f;
    record.standings[SHOAL_INTENT].level = SHOAL_WARM;
    record.standings[SHOAL_LIFECYCLE].level = SHOAL_ACTIVE;
}

static void format_decision(void)
{
    shoal_output_id("shoal.events", &event, decision.promotion->id, id, sizeof id);
    shoal_output_decision(SHOAL_OUTPUT_JSON, &event, &decision, &record, &model, id, &out);
}

static void pack_decision(void)
{
    shoal_output_id("shoal.events", &event, decision.promotion->id, id, sizeof id);
    shoal_output_decision(SHOAL_OUTPUT_MSGPACK, &event, &decision, &record, &model, id, &out);
}

static void format_change(void)
{
    shoal_output_id("shoal.events", &event, "intent", id, sizeof id);
    shoal_output_change(SHOAL_OUTPUT_JSON, &event, &change, &record, &model, id, &out);
}

static void decide_view(void)
{
    struct shoal_decision decisions[4];
    event.touch.behavior = SHOAL_PV;
    struct shoal_occasion occasion = {.event = &event, .prompted = NAN, .partitions = 1};
    sink = shoal_decide(&policy, &occasion, &record, NULL, decisions);
}

static void decide_cart(void)
{
    struct shoal_decision decisions[4];
    event.touch.behavior = SHOAL_CART;
    struct shoal_occasion occasion = {.event = &event, .prompted = NAN, .partitions = 1};
    sink = shoal_decide(&policy, &occasion, &record, NULL, decisions);
    decision = decisions[0];
}

static void segments(void)
{
    struct shoal_segment_rules rules = shoal_segment_rules_default();
    struct shoal_change changes[SHOAL_DIMENSION_COUNT];
    struct shoal_view view = {.model = &model, .now_ms = event.touch.time_ms};
    sink = shoal_segments_update(&rules, &view, &record, changes);
}

static void measure(const char *name, void (*call)(void))
{
    double best = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t start = shoal_clock_ns();
        for (int i = 0; i < CALLS; i++) {
            event.offset++;
            shoal_buffer_clear(&out);
            call();
        }
        double us = (double)(shoal_clock_ns() - start) / 1e3 / CALLS;
        best = us < best ? us : best;
    }
    printf("%-28s %.3f us  %zu bytes\n", name, best, out.size);
}

int main(void)
{
    prepare();
    measure("segments", segments);
    measure("decide, 4 promotions, view", decide_view);
    measure("decide, 4 promotions, cart", decide_cart);
    measure("decision as JSON", format_decision);
    measure("decision as MessagePack", pack_decision);
    measure("change as JSON", format_change);
    printf("%.*s\n", (int)out.size, (const char *)out.bytes);
    shoal_buffer_finish(&out);
    return 0;
}

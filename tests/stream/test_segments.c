/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "stream/segments.h"

static const int64_t MIN = 60000, HOUR = 3600000, DAY = 86400000;
static const struct shoal_model model = {.warm = 0.2f, .hot = 0.6f};
static struct shoal_segment_rules rules;
static struct shoal_record record;
static struct shoal_change changes[SHOAL_DIMENSION_COUNT];

/* One event: the record as the pipeline has it after applying, then the segments. */
static size_t event(int64_t time_ms, float score)
{
    int64_t gap = 0;
    if (record.events_count++ == 0)
        record.first_ms = record.last_ms = time_ms;
    if (time_ms > record.last_ms) {
        gap = time_ms - record.last_ms;
        record.last_ms = time_ms;
    }
    record.score = score;
    struct shoal_view view = {.model = &model, .now_ms = record.last_ms, .gap_ms = gap};
    return shoal_segments_update(&rules, &view, &record, changes);
}

static void setup(void)
{
    rules = shoal_segment_rules_default();
    memset(&record, 0, sizeof record);
}

TestSuite(segments, .init = setup);

Test(segments, the_first_event_assigns_every_dimension_from_zero)
{
    cr_assert_eq(event(DAY * 100, 0.1f), 2);
    cr_assert_eq(changes[0].dimension, SHOAL_INTENT);
    cr_assert_eq(changes[0].from, 0);
    cr_assert_eq(changes[0].to, SHOAL_COLD);
    cr_assert_eq(changes[0].score, 0.1f);
    cr_assert_eq(changes[1].dimension, SHOAL_LIFECYCLE);
    cr_assert_eq(changes[1].from, 0);
    cr_assert_eq(changes[1].to, SHOAL_NEW);
    cr_assert_eq(event(DAY * 100 + 1, 0.1f), 0);
}

Test(segments, the_score_at_a_threshold_moves_up_at_once)
{
    event(0, 0.1f);
    cr_assert_eq(event(1, nextafterf(0.2f, 0)), 0);
    cr_assert_eq(event(2, 0.2f), 1);
    cr_assert_eq(changes[0].to, SHOAL_WARM);
    cr_assert_eq(event(3, 0.6f), 1);
    cr_assert_eq(changes[0].from, SHOAL_WARM);
    cr_assert_eq(changes[0].to, SHOAL_HOT);
    cr_assert_eq(record.standings[SHOAL_INTENT].since_ms, 1000, "up to the whole second");
}

Test(segments, cold_can_become_hot_in_one_event)
{
    event(0, 0.1f);
    cr_assert_eq(event(1, 0.9f), 1);
    cr_assert_eq(changes[0].from, SHOAL_COLD);
    cr_assert_eq(changes[0].to, SHOAL_HOT);
}

Test(segments, down_needs_both_hysteresis_and_dwell)
{
    event(0, 0.7f);
    cr_assert_eq(event(9 * MIN, 0.3f), 0, "before the dwell time");
    cr_assert_eq(event(10 * MIN, 0.59f), 0, "within the hysteresis");
    cr_assert_eq(event(10 * MIN + 1000, 0.57f), 1);
    cr_assert_eq(changes[0].to, SHOAL_WARM);
    /* The dwell time begins anew with the level. */
    cr_assert_eq(event(20 * MIN + 999, 0.01f), 0);
    cr_assert_eq(event(20 * MIN + 1000, 0.01f), 1);
    cr_assert_eq(changes[0].to, SHOAL_COLD);
}

Test(segments, a_fall_ends_at_the_level_whose_hysteresis_holds_it)
{
    event(0, 0.7f);
    event(HOUR, 0.19f);
    cr_assert_eq(record.standings[SHOAL_INTENT].level, SHOAL_WARM,
                 "0.19 is within warm's hysteresis");
    setup();
    event(0, 0.7f);
    event(HOUR, 0.17f);
    cr_assert_eq(record.standings[SHOAL_INTENT].level, SHOAL_COLD);
}

Test(segments, lifecycle_goes_from_new_to_active_after_its_time)
{
    event(0, 0.1f);
    cr_assert_eq(event(DAY - 1, 0.1f), 0);
    cr_assert_eq(event(DAY, 0.1f), 1);
    cr_assert_eq(changes[0].dimension, SHOAL_LIFECYCLE);
    cr_assert_eq(changes[0].from, SHOAL_NEW);
    cr_assert_eq(changes[0].to, SHOAL_ACTIVE);
}

Test(segments, a_long_gap_makes_returning_for_a_while)
{
    event(0, 0.1f);
    event(2 * DAY, 0.1f);
    cr_assert_eq(event(9 * DAY - 1, 0.1f), 0);
    cr_assert_eq(event(16 * DAY, 0.1f), 1);
    cr_assert_eq(changes[0].to, SHOAL_RETURNING);
    cr_assert_eq(event(17 * DAY - 1, 0.1f), 0);
    cr_assert_eq(event(17 * DAY, 0.1f), 1);
    cr_assert_eq(changes[0].from, SHOAL_RETURNING);
    cr_assert_eq(changes[0].to, SHOAL_ACTIVE);
}

Test(segments, a_second_long_gap_renews_returning_without_a_change)
{
    rules.returning_ms = 30 * DAY;
    event(0, 0.1f);
    event(10 * DAY, 0.1f);
    cr_assert_eq(record.standings[SHOAL_LIFECYCLE].level, SHOAL_RETURNING);
    cr_assert_eq(event(20 * DAY, 0.1f), 0);
    cr_assert_eq(record.standings[SHOAL_LIFECYCLE].since_ms, 20 * DAY);
    cr_assert_eq(event(26 * DAY, 0.1f), 0);
    cr_assert_eq(event(31 * DAY, 0.1f), 0);
    cr_assert_eq(event(37 * DAY, 0.1f), 0, "20 + 30 d are not over");
}

Test(segments, a_late_event_counts_as_of_the_latest_one)
{
    event(HOUR, 0.7f);
    event(2 * HOUR, 0.1f);
    cr_assert_eq(record.standings[SHOAL_INTENT].since_ms, 2 * HOUR);
    event(HOUR, 0.7f);
    cr_assert_eq(record.standings[SHOAL_INTENT].level, SHOAL_HOT);
    cr_assert_eq(record.standings[SHOAL_INTENT].since_ms, 2 * HOUR);
}

static uint64_t state = 88172645463325252u;
static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

Test(segments, changes_chain_and_downward_moves_keep_the_dwell_time)
{
    uint8_t levels[SHOAL_DIMENSION_COUNT] = {0};
    int64_t entered = 0, last_since = 0;
    int64_t time_ms = DAY;
    for (int i = 0; i < 200000; i++) {
        time_ms += (int64_t)(next_random() % (uint64_t)(20 * MIN)) - 2 * MIN;
        if (next_random() % 200 == 0)
            time_ms += 8 * DAY;
        float score = (float)(next_random() % 1000) / 1000;
        size_t count = event(time_ms, score);
        for (size_t k = 0; k < count; k++) {
            const struct shoal_change *c = &changes[k];
            cr_assert_eq(c->from, levels[c->dimension]);
            cr_assert_neq(c->from, c->to);
            cr_assert_not_null(shoal_level_name(c->dimension, c->to));
            if (c->dimension == SHOAL_INTENT) {
                if (c->to < c->from)
                    cr_assert_geq(record.last_ms - entered, rules.intent_dwell_ms);
                entered = record.last_ms;
            }
            levels[c->dimension] = c->to;
        }
        cr_assert_geq(record.standings[SHOAL_INTENT].since_ms, last_since);
        last_since = record.standings[SHOAL_INTENT].since_ms;
        cr_assert(score < model.hot || levels[SHOAL_INTENT] == SHOAL_HOT);
        cr_assert(score < model.warm || levels[SHOAL_INTENT] >= SHOAL_WARM);
    }
}

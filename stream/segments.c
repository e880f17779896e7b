/* SPDX-License-Identifier: Apache-2.0 */
/* Segment levels of one user after one event; see segments.h.
 *
 *   intent      up at once when the score reaches a level's threshold; down only when the score has
 *               fallen below the level's threshold by more than the hysteresis and the level has
 *               been held for the dwell time
 *   lifecycle   new ──► active ◄──► returning   by time since the first event and by gaps
 *
 * Time is event time and never goes back: a late event counts as of the user's latest one. */
#include "stream/segments.h"

static float threshold_of(const struct shoal_model *model, uint8_t level)
{
    return level == SHOAL_HOT ? model->hot : model->warm;
}

static uint8_t intent_of(const struct shoal_segment_rules *rules, const struct shoal_model *model,
                         float score, const struct shoal_standing *standing, int64_t now_ms)
{
    uint8_t reached = SHOAL_COLD;
    if (score >= model->hot)
        reached = SHOAL_HOT;
    else if (score >= model->warm)
        reached = SHOAL_WARM;
    if (reached >= standing->level)
        return reached;
    if (now_ms - standing->since_ms < rules->intent_dwell_ms)
        return standing->level;
    /* Level by level, so that the result does not depend on how many events the fall took. */
    uint8_t level = standing->level;
    while (level > reached && score < threshold_of(model, level) - rules->hysteresis)
        level--;
    return level;
}

static uint8_t lifecycle_of(const struct shoal_segment_rules *rules,
                            const struct shoal_record *record, int64_t now_ms, int64_t gap_ms)
{
    const struct shoal_standing *standing = &record->standings[SHOAL_LIFECYCLE];
    if (now_ms - record->first_ms < rules->new_ms)
        return SHOAL_NEW;
    if (gap_ms >= rules->returning_gap_ms)
        return SHOAL_RETURNING;
    bool still =
        standing->level == SHOAL_RETURNING && now_ms - standing->since_ms < rules->returning_ms;
    return still ? SHOAL_RETURNING : SHOAL_ACTIVE;
}

static size_t move(struct shoal_record *record, enum shoal_dimension dimension, uint8_t level,
                   int64_t now_ms, struct shoal_change *change)
{
    struct shoal_standing *standing = &record->standings[dimension];
    if (standing->level == level)
        return 0;
    *change = (struct shoal_change){
        .dimension = dimension, .from = standing->level, .to = level, .score = record->score};
    *standing = (struct shoal_standing){.level = level, .since_ms = now_ms};
    return 1;
}

size_t shoal_segments_update(const struct shoal_segment_rules *rules,
                             const struct shoal_model *model, struct shoal_record *record,
                             int64_t time_ms, int64_t gap_ms, struct shoal_change *changes)
{
    int64_t now_ms = time_ms > record->last_ms ? time_ms : record->last_ms;
    uint8_t intent =
        intent_of(rules, model, record->score, &record->standings[SHOAL_INTENT], now_ms);
    uint8_t lifecycle = lifecycle_of(rules, record, now_ms, gap_ms);
    size_t count = move(record, SHOAL_INTENT, intent, now_ms, changes);
    count += move(record, SHOAL_LIFECYCLE, lifecycle, now_ms, changes + count);
    /* A second long silence makes a returning user return again. */
    if (lifecycle == SHOAL_RETURNING && gap_ms >= rules->returning_gap_ms)
        record->standings[SHOAL_LIFECYCLE].since_ms = now_ms;
    return count;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Segment levels of one user after one event, or as time passes; see segments.h.
 *
 *   intent      up at once when the score reaches a level's threshold; down only when the score has
 *               fallen below the level's threshold by more than the hysteresis and the level has
 *               been held for the dwell time; cold once the prediction has run out
 *   lifecycle   new ──► active ◄──► returning        by time since the first event and by gaps
 *                         └──► lapsing ──► inactive  by silence
 *   value       tiers, like intent
 *   cluster, engagement   the nearest or most probable, with a margin
 *   traits      in or out
 *
 * Time is event time. A late event counts as of the user's latest one. */
#include "stream/segments.h"

#include "stream/traits.h"

static const int64_t HOUR_MS = 3600000, DAY_MS = 86400000;
enum { FIRST_LOOK = 4 }; /* event of a user */

/* Held for the dwell time? */
static bool dwelt(const struct shoal_standing *standing, int64_t now_ms, int64_t dwell_ms)
{
    return now_ms - standing->since_ms >= dwell_ms;
}

static bool may_move(const struct shoal_standing *standing, int64_t now_ms, int64_t dwell_ms)
{
    return standing->level == 0 || dwelt(standing, now_ms, dwell_ms);
}

unsigned shoal_segments_look(const struct shoal_segment_rules *rules,
                             const struct shoal_view *view, const struct shoal_record *record,
                             enum shoal_behavior behavior, int64_t previous_ms)
{
    const struct shoal_standing *standings = record->standings;
    const struct shoal_model *model = view->model;
    bool first = !view->timer && record->events_count == FIRST_LOOK;
    bool bought = !view->timer && behavior == SHOAL_BUY;
    bool hour = view->timer || view->now_ms / HOUR_MS != previous_ms / HOUR_MS;
    bool day = view->now_ms / DAY_MS != previous_ms / DAY_MS;
    unsigned look = 0;
    if (rules->intent_only || (record->events_count < FIRST_LOOK && !bought && !view->timer))
        return 0;
    if (hour || behavior != SHOAL_PV)
        look |= SHOAL_LOOK_TRAITS;
    if (record->events_count < FIRST_LOOK && !bought)
        return look;
    uint8_t value = standings[SHOAL_VALUE].level;
    if (model->value && (first || bought || day || value == 0) &&
        (value < SHOAL_VALUE_HIGH ||
         dwelt(&standings[SHOAL_VALUE], view->now_ms, rules->value_dwell_ms)))
        look |= SHOAL_LOOK_VALUE;
    if (!first && !bought && !hour)
        return look;
    uint8_t cluster = standings[SHOAL_CLUSTER].level;
    if (model->clusters &&
        (may_move(&standings[SHOAL_CLUSTER], view->now_ms, rules->cluster_dwell_ms) ||
         shoal_clusters_successor(model->clusters, cluster) != cluster))
        look |= SHOAL_LOOK_CLUSTER;
    if (model->uplift &&
        may_move(&standings[SHOAL_ENGAGEMENT], view->now_ms, rules->engagement_dwell_ms))
        look |= SHOAL_LOOK_ENGAGEMENT;
    return look;
}

static float threshold_of(const struct shoal_model *model, uint8_t level)
{
    return level == SHOAL_HOT ? model->hot : model->warm;
}

static uint8_t intent_of(const struct shoal_segment_rules *rules, const struct shoal_view *view,
                         const struct shoal_record *record)
{
    const struct shoal_standing *standing = &record->standings[SHOAL_INTENT];
    const struct shoal_model *model = view->model;
    float score = record->score;
    uint8_t reached = SHOAL_COLD;
    if (view->timer && view->gap_ms >= rules->intent_lapse_ms)
        return SHOAL_COLD;
    if (score >= model->hot)
        reached = SHOAL_HOT;
    else if (score >= model->warm)
        reached = SHOAL_WARM;
    /* What time has taken, only an event gives back. */
    if (view->timer && reached > standing->level)
        return standing->level;
    if (reached >= standing->level)
        return reached;
    if (!dwelt(standing, view->now_ms, rules->intent_dwell_ms))
        return standing->level;
    /* Level by level, so that the result does not depend on how many events the fall took. */
    uint8_t level = standing->level;
    while (level > reached && score < threshold_of(model, level) - rules->hysteresis)
        level--;
    return level;
}

static uint8_t lifecycle_of(const struct shoal_segment_rules *rules, const struct shoal_view *view,
                            const struct shoal_record *record)
{
    const struct shoal_standing *standing = &record->standings[SHOAL_LIFECYCLE];
    if (view->timer && view->gap_ms >= rules->inactive_ms)
        return SHOAL_LIFECYCLE_INACTIVE;
    if (view->timer && view->gap_ms >= rules->lapsing_ms)
        return SHOAL_LAPSING;
    if (view->now_ms - record->first_ms < rules->new_ms)
        return SHOAL_NEW;
    if (!view->timer && view->gap_ms >= rules->inactive_ms)
        return SHOAL_RETURNING;
    bool still = standing->level == SHOAL_RETURNING &&
                 view->now_ms - standing->since_ms < rules->returning_ms;
    return still ? SHOAL_RETURNING : SHOAL_ACTIVE;
}

static uint8_t value_of(const struct shoal_segment_rules *rules, const struct shoal_view *view,
                        const struct shoal_record *record)
{
    const struct shoal_value *value = view->model->value;
    const struct shoal_standing *standing = &record->standings[SHOAL_VALUE];
    float expected =
        shoal_value_expected(value, &record->purchases, view->now_ms, view->vector);
    uint8_t reached = (uint8_t)shoal_value_tier(value, expected), level = standing->level;
    if (reached >= level)
        return reached;
    if (!dwelt(standing, view->now_ms, rules->value_dwell_ms))
        return level;
    while (level > reached &&
           expected < shoal_value_threshold(value, (enum shoal_value_tier)level) *
                          (1 - rules->value_hysteresis))
        level--;
    return level;
}

/* A cluster that goes on under another id after a retrain is no change of the user's: the id is
 * replaced without a word, since subscribers were told of it with the model. */
static uint8_t cluster_of(const struct shoal_segment_rules *rules, const struct shoal_view *view,
                          struct shoal_record *record)
{
    const struct shoal_clusters *clusters = view->model->clusters;
    struct shoal_standing *standing = &record->standings[SHOAL_CLUSTER];
    struct shoal_cluster_choice choice;
    shoal_clusters_assign(clusters, view->vector, &choice);
    uint8_t now = standing->level ? shoal_clusters_successor(clusters, standing->level) : 0;
    if (now == 0)
        return choice.id;
    standing->level = now;
    bool moves = choice.id != now && choice.margin >= rules->cluster_margin &&
                 dwelt(standing, view->now_ms, rules->cluster_dwell_ms);
    return moves ? choice.id : now;
}

static uint8_t engagement_of(const struct shoal_segment_rules *rules, const struct shoal_view *view,
                             const struct shoal_record *record)
{
    const struct shoal_uplift_choice *choice = view->uplift;
    const struct shoal_standing *standing = &record->standings[SHOAL_ENGAGEMENT];
    uint8_t best = (uint8_t)choice->engagement, level = standing->level;
    if (level == 0 || best == level)
        return best;
    bool moves = choice->probability[best - 1] - choice->probability[level - 1] >=
                     rules->engagement_margin &&
                 dwelt(standing, view->now_ms, rules->engagement_dwell_ms);
    return moves ? best : level;
}

static uint8_t trait_of(const struct shoal_segment_rules *rules, const struct shoal_view *view,
                        const struct shoal_record *record, enum shoal_dimension trait)
{
    const struct shoal_standing *standing = &record->standings[trait];
    bool inside = standing->level == SHOAL_YES, expired;
    bool holds = shoal_trait_holds(rules, record, trait, inside, view->now_ms, &expired);
    if (inside && !holds && !expired && !dwelt(standing, view->now_ms, rules->traits_dwell_ms))
        return SHOAL_YES;
    return holds ? SHOAL_YES : 0;
}

/* Standings know whole seconds; rounded up, so that a dwell time is never cut short. Not beyond the last one,
 * which could be written into a record, and not read from it again. */
static int64_t second_of(int64_t time_ms)
{
    int64_t last_ms = SHOAL_TIME_MAX_MS / 1000 * 1000;
    return time_ms < last_ms ? (time_ms + 999) / 1000 * 1000 : last_ms;
}

static size_t move(struct shoal_record *record, enum shoal_dimension dimension, uint8_t level,
                   int64_t now_ms, struct shoal_change *change)
{
    struct shoal_standing *standing = &record->standings[dimension];
    if (standing->level == level)
        return 0;
    *change = (struct shoal_change){
        .dimension = dimension, .from = standing->level, .to = level, .score = record->score};
    /* Who is in no level has been there since no time: that takes no room in the record. */
    *standing = (struct shoal_standing){
        .level = level, .since_ms = level ? second_of(now_ms) : 0};
    return 1;
}

static size_t look(const struct shoal_segment_rules *rules, const struct shoal_view *view,
                   struct shoal_record *record, struct shoal_change *changes)
{
    int64_t now_ms = view->now_ms;
    size_t count = 0;
    if (view->look & SHOAL_LOOK_VALUE)
        count += move(record, SHOAL_VALUE, value_of(rules, view, record), now_ms, changes);
    if (view->look & SHOAL_LOOK_CLUSTER)
        count += move(record, SHOAL_CLUSTER, cluster_of(rules, view, record), now_ms,
                      changes + count);
    if (view->look & SHOAL_LOOK_ENGAGEMENT)
        count += move(record, SHOAL_ENGAGEMENT, engagement_of(rules, view, record), now_ms,
                      changes + count);
    if (!(view->look & SHOAL_LOOK_TRAITS))
        return count;
    for (unsigned d = SHOAL_NIGHT_ACTIVE; d < SHOAL_DIMENSION_COUNT; d++) {
        enum shoal_dimension trait = (enum shoal_dimension)d;
        count += move(record, trait, trait_of(rules, view, record, trait), now_ms, changes + count);
    }
    return count;
}

size_t shoal_segments_update(const struct shoal_segment_rules *rules,
                             const struct shoal_view *view, struct shoal_record *record,
                             struct shoal_change *changes)
{
    uint8_t intent = intent_of(rules, view, record);
    size_t count = move(record, SHOAL_INTENT, intent, view->now_ms, changes);
    if (rules->intent_only)
        return count;
    uint8_t lifecycle = lifecycle_of(rules, view, record);
    count += move(record, SHOAL_LIFECYCLE, lifecycle, view->now_ms, changes + count);
    /* A second long silence makes a returning user return again. */
    if (lifecycle == SHOAL_RETURNING && !view->timer && view->gap_ms >= rules->inactive_ms)
        record->standings[SHOAL_LIFECYCLE].since_ms = second_of(view->now_ms);
    if (view->look)
        count += look(rules, view, record, changes + count);
    return count;
}

bool shoal_segments_may_enter(enum shoal_dimension dimension, uint8_t level, bool timer,
                              enum shoal_behavior behavior)
{
    if (dimension == SHOAL_LIFECYCLE) {
        bool by_silence = level == SHOAL_LAPSING || level == SHOAL_LIFECYCLE_INACTIVE;
        return by_silence ? timer : level == SHOAL_ACTIVE || !timer;
    }
    /* What they measure changes with a purchase alone. */
    if ((dimension == SHOAL_FREQUENT_BUYER || dimension == SHOAL_FIRST_TIME_BUYER) &&
        level == SHOAL_YES)
        return !timer && behavior == SHOAL_BUY;
    return true;
}

/* ---- what falls due ------------------------------------------------------------------------ */

static void earlier(int64_t *next_ms, int64_t time_ms, int64_t after_ms)
{
    if (time_ms > after_ms && (*next_ms == 0 || time_ms < *next_ms))
        *next_ms = time_ms;
}

int64_t shoal_segments_next(const struct shoal_segment_rules *rules,
                            const struct shoal_record *record, int64_t after_ms)
{
    int64_t next_ms = 0;
    if (rules->intent_only)
        return 0;
    const struct shoal_standing *lifecycle = &record->standings[SHOAL_LIFECYCLE];
    if (record->standings[SHOAL_INTENT].level > SHOAL_COLD)
        earlier(&next_ms, record->last_ms + rules->intent_lapse_ms, after_ms);
    if (lifecycle->level == SHOAL_NEW)
        earlier(&next_ms, record->first_ms + rules->new_ms, after_ms);
    if (lifecycle->level == SHOAL_RETURNING)
        earlier(&next_ms, lifecycle->since_ms + rules->returning_ms, after_ms);
    if (lifecycle->level && lifecycle->level < SHOAL_LAPSING)
        earlier(&next_ms, record->last_ms + rules->lapsing_ms, after_ms);
    if (lifecycle->level && lifecycle->level < SHOAL_LIFECYCLE_INACTIVE)
        earlier(&next_ms, record->last_ms + rules->inactive_ms, after_ms);
    if (record->cart_ms)
        earlier(&next_ms, record->cart_ms + rules->cart_wait_ms, after_ms);
    for (unsigned d = SHOAL_FREQUENT_BUYER; d <= SHOAL_FIRST_TIME_BUYER; d++) {
        enum shoal_dimension trait = (enum shoal_dimension)d;
        if (record->standings[d].level)
            earlier(&next_ms, shoal_trait_expires(rules, record, trait), after_ms);
    }
    return next_ms;
}

uint32_t shoal_segments_timers(const struct shoal_segment_rules *rules,
                               struct shoal_record *record, int64_t now_ms)
{
    uint32_t fired = 0;
    if (record->cart_ms && now_ms >= record->cart_ms + rules->cart_wait_ms) {
        fired |= 1u << SHOAL_TIMER_CART;
        record->cart_ms = 0;
    }
    return fired;
}

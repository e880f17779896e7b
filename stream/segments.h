/* SPDX-License-Identifier: Apache-2.0 */
/* Moves a user's standings (dimensions.h) after an event, or because time has passed. Pure: record, rules,
 * model and time decide.
 *
 *   event         intent, lifecycle                        at every event
 *   a look        value, cluster, engagement, the traits   shoal_segments_look says when, and at which
 *   time passes   all of them, at shoal_segments_next      (timers.h)
 */
#ifndef SHOAL_SEGMENTS_H
#define SHOAL_SEGMENTS_H

#include "model/model.h"
#include "stream/config.h"
#include "stream/dimensions.h"
#include "stream/event.h"
#include "stream/timers.h"
#include "state/record.h"

/* As configured (segments.* and timers.cart in config.h, where each is described). */
struct shoal_segment_rules {
    bool intent_only;             /* no other dimension, and no timers */
    float hysteresis;             /* a lower intent level is taken only below threshold − this */
    int64_t intent_dwell_ms;      /* least event time in an intent level before a lower one */
    int64_t intent_lapse_ms;      /* cold after so long without an event */
    int64_t new_ms;               /* `new` until this long after the first event */
    int64_t returning_ms;         /* how long `returning` lasts */
    int64_t lapsing_ms, inactive_ms; /* silence that makes `lapsing`, `inactive` */
    float value_hysteresis;       /* a lower tier only below threshold · (1 − this) */
    int64_t value_dwell_ms;
    float cluster_margin;         /* q of the nearest less q of the next */
    int64_t cluster_dwell_ms;
    float engagement_margin;      /* probability of the new level less that of the old */
    int64_t engagement_dwell_ms;
    int64_t utc_offset_ms;        /* local time less UTC, for night_active */
    float night_share, price_factor, cart_share;
    int64_t frequent_interval_ms, first_time_ms;
    float traits_hysteresis;      /* a trait is left only beyond its bound by this share of it */
    int64_t traits_dwell_ms;
    int64_t cart_wait_ms;         /* timer cart_idle */
};

struct shoal_segment_rules shoal_segment_rules_of(const struct shoal_config *config);
/* Those of the configuration's defaults. */
struct shoal_segment_rules shoal_segment_rules_default(void);

struct shoal_change {
    enum shoal_dimension dimension;
    uint8_t from, to; /* 0: none, before the first assignment; of a trait: not in it */
    float score;
};

/* What a user is looked at with. */
struct shoal_view {
    const struct shoal_model *model;
    int64_t now_ms; /* of the event; of a timer, when it fell due */
    int64_t gap_ms; /* from the user's event before; of a timer: from the user's last event */
    bool timer;
    unsigned look;         /* bits of enum shoal_look: at what, beside what moves with every event */
    /* u[V] (user_vector.h) for SHOAL_LOOK_VECTOR, and uplift's answer to it for SHOAL_LOOK_ENGAGEMENT */
    const float *vector;
    const struct shoal_uplift_choice *uplift;
};

enum shoal_look {
    SHOAL_LOOK_TRAITS = 1,
    SHOAL_LOOK_VALUE = 2,
    SHOAL_LOOK_CLUSTER = 4,
    SHOAL_LOOK_ENGAGEMENT = 8,
    SHOAL_LOOK_VECTOR = SHOAL_LOOK_VALUE | SHOAL_LOOK_CLUSTER | SHOAL_LOOK_ENGAGEMENT,
};

/* What an event, or a timer, calls for a look at; bits of enum shoal_look.
 *
 *   nobody       before the fourth event, but for a purchase: too little is known
 *   the traits   at any event but a page view, and at the first one in an hour (UTC)
 *   cluster,     at a purchase and the first event in an hour, where the dwell time is over
 *   engagement
 *   value        at a purchase and the first event of a day, where the tier could change
 *
 * A timer counts as the first event in an hour. What is slow is looked at seldom: a look costs as much as the
 * step of the model. The record has the event applied; previous_ms is the time of the user's event before this
 * one (of a timer: of the user's last event). */
unsigned shoal_segments_look(const struct shoal_segment_rules *rules,
                             const struct shoal_view *view, const struct shoal_record *record,
                             enum shoal_behavior behavior, int64_t previous_ms);
/* The record has the event applied (score, counters, last_ms, purchases, cart_ms). Standings in the record
 * are updated; changes[0 … result − 1] (room for SHOAL_DIMENSION_COUNT) say what moved. */
size_t shoal_segments_update(const struct shoal_segment_rules *rules,
                             const struct shoal_view *view, struct shoal_record *record,
                             struct shoal_change *changes);
/* Can an event of this behaviour (or, with `timer`, something that falls due) take a user to this level of a
 * dimension (0: out of a trait)? Never false where it can. */
bool shoal_segments_may_enter(enum shoal_dimension dimension, uint8_t level, bool timer,
                              enum shoal_behavior behavior);
/* The first time after `after_ms` at which something falls due though no event comes; 0: nothing does. */
int64_t shoal_segments_next(const struct shoal_segment_rules *rules,
                            const struct shoal_record *record, int64_t after_ms);
/* Bits of the timers that fall due at now_ms; they are cleared in the record. */
uint32_t shoal_segments_timers(const struct shoal_segment_rules *rules,
                               struct shoal_record *record, int64_t now_ms);

#endif

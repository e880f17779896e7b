/* SPDX-License-Identifier: Apache-2.0 */
/* What one event, or one timer, does to its user: before the step of the model and after it. */
#include <math.h>
#include <string.h>

#include "stream/consent.h"
#include "stream/pipeline_internal.h"

static bool is_repeat(const struct shoal_record *record, uint64_t event_id)
{
    if (event_id == 0)
        return false;
    for (uint8_t i = 0; i < record->ids_count; i++) {
        if (record->ids[i] == event_id)
            return true;
    }
    return false;
}

static void remember_id(struct shoal_record *record, uint64_t event_id, uint32_t ring_max)
{
    if (event_id == 0)
        return;
    if (record->ids_count >= ring_max) {
        uint8_t drop = (uint8_t)(record->ids_count - ring_max + 1);
        memmove(record->ids, record->ids + drop,
                (size_t)(record->ids_count - drop) * sizeof *record->ids);
        record->ids_count = (uint8_t)(record->ids_count - drop);
    }
    record->ids[record->ids_count++] = event_id;
}

/* What an event says of carts and purchases. */
static void note_purchase(struct shoal_record *record, const struct shoal_event *event,
                          int64_t time_ms)
{
    if (event->touch.behavior == SHOAL_CART)
        record->cart_ms = time_ms - time_ms % 1000;
    if (event->touch.behavior != SHOAL_BUY)
        return;
    record->cart_ms = 0;
    shoal_purchases_add(&record->purchases, time_ms,
                        shoal_purchase_amount(event->price, event->quantity));
}

bool pipeline_prepare(struct shoal_pipeline *p, struct item *item, struct shoal_step_row *row)
{
    struct shoal_record *record = &item->entry->record;
    struct shoal_touch *touch = &item->event.touch;
    const struct shoal_dims *dims = &p->options.model->params.dims;
    if (is_repeat(record, item->event.event_id)) {
        p->counts.repeated++;
        item->state->tally.repeated++;
        return false;
    }
    bool first = record->events_count == 0;
    item->time_ms = touch->time_ms;
    if (!first && touch->time_ms < record->last_ms) {
        item->time_ms = record->last_ms;
        p->counts.late++;
        p->counts.late_suppressed += item->suppressed;
        item->state->tally.late++;
    }
    item->gap_ms = first ? 0 : item->time_ms - record->last_ms;
    struct shoal_touch seen = *touch;
    seen.time_ms = item->time_ms;
    shoal_features_of(dims, record->ring, record->ring_count, &seen, item->gap_ms, &row->features);
    shoal_counters_advance(record->counters, item->gap_ms, (enum shoal_behavior)touch->behavior);
    shoal_record_remember(record, &seen, dims->ring);
    remember_id(record, item->event.event_id, dims->ring);
    if (first) {
        record->first_ms = item->time_ms;
        item->state->tally.users++;
    }
    record->last_ms = item->time_ms;
    record->events_count++;
    record->offset = item->event.offset;
    row->h = record->h;
    row->c = record->c;
    shoal_counters_rates(record->counters, record->last_ms - record->first_ms, item->rates);
    row->counters = item->rates;
    row->correction = p->options.online ? item->state->correction.delta : 0;
    note_purchase(record, &item->event, item->time_ms);
    shoal_consent_apply(record, &item->event);
    return true;
}

/* Hangs the bytes in `scratch` on the item as an output, *hung if it is wanted (may be NULL). */
static enum shoal_status queue_output(struct shoal_pipeline *p, struct item *item,
                                      enum shoal_topic topic, const char *id, size_t id_size,
                                      struct pending **hung)
{
    struct pending *pending = shoal_arena_alloc(&p->arena, sizeof *pending);
    char *value = shoal_arena_copy(&p->arena, p->scratch.bytes, p->scratch.size);
    char *id_copy = shoal_arena_copy(&p->arena, id, id_size);
    if (!pending || !value || !id_copy || p->scratch.failed)
        return SHOAL_NOMEM;
    *pending = (struct pending){
        .output =
            {
                .topic = topic,
                .key = item->event.user,
                .key_size = item->event.user_size,
                .value = value,
                .value_size = p->scratch.size,
                .id = id_copy,
                .id_size = id_size,
                .time_ms = item->event.touch.time_ms,
            },
    };
    *item->last = pending;
    item->last = &pending->next;
    if (hung)
        *hung = pending;
    return SHOAL_OK;
}

/* Writes what changed and what was decided, or only counts it in recovery. */
static enum shoal_status tell(struct shoal_pipeline *p, struct item *item, int64_t now_ms,
                              const struct shoal_change *changes, size_t changes_count,
                              size_t decisions_count)
{
    const struct shoal_pipeline_options *o = &p->options;
    const struct shoal_record *record = &item->entry->record;
    enum shoal_status status = SHOAL_OK;
    struct pending *pending;
    char id[512];
    if (item->suppressed)
        return SHOAL_OK;
    p->counts.changes += changes_count;
    p->counts.decisions += decisions_count;
    for (size_t i = 0; i < changes_count && status == SHOAL_OK; i++) {
        p->counts.changes_by[changes[i].dimension]++;
        size_t size = shoal_output_id(o->topic, &item->event,
                                      shoal_dimension_name(changes[i].dimension), id, sizeof id);
        shoal_buffer_clear(&p->scratch);
        shoal_output_change(o->format, &item->event, &changes[i], record, o->model, id,
                            &p->scratch);
        status = queue_output(p, item, SHOAL_TOPIC_SEGMENTS, id, size, NULL);
    }
    for (size_t i = 0; i < decisions_count && status == SHOAL_OK; i++) {
        const struct shoal_decision *decision = &p->decisions[i];
        size_t counted = p->counted[decision->promotion - o->policy->promotions];
        p->counts.promotions.list[counted].decisions[decision->eligible][decision->control]++;
        size_t size = shoal_output_id(o->topic, &item->event, p->decisions[i].promotion->id, id,
                                      sizeof id);
        shoal_buffer_clear(&p->scratch);
        shoal_output_decision(o->format, &item->event, &p->decisions[i], record, o->model, id,
                              &p->scratch);
        status = queue_output(p, item, SHOAL_TOPIC_DECISIONS, id, size, &pending);
        if (status == SHOAL_OK && shoal_output_carries(&p->decisions[i], o->model))
            status = pipeline_items_want(p, item, p->decisions[i].promotion, now_ms, pending);
    }
    return status;
}

/* Counts where the user went. A cluster's successor takes users over without a change to tell of: what counts is
 * where they were before, `cluster`. */
static void count_moves(const struct shoal_pipeline *p, struct item *item, uint8_t cluster,
                        const struct shoal_change *changes, size_t count)
{
    struct shoal_tally *tally = &item->state->tally;
    const struct shoal_clusters *clusters = p->options.model->clusters;
    for (size_t i = 0; i < count; i++) {
        if (changes[i].dimension != SHOAL_CLUSTER)
            shoal_tally_move(tally, clusters, changes[i].dimension, changes[i].from, changes[i].to);
    }
    shoal_tally_move(tally, clusters, SHOAL_CLUSTER, cluster,
                     item->entry->record.standings[SHOAL_CLUSTER].level);
}

/* Segments, decisions and outputs of an event (the user's one before it at previous_ms) or timer; `rates` as of
 * then. */
static enum shoal_status judge(struct shoal_pipeline *p, struct item *item,
                               struct shoal_view *view, const float *rates, int64_t previous_ms,
                               uint32_t timers)
{
    const struct shoal_pipeline_options *o = &p->options;
    struct shoal_record *record = &item->entry->record;
    struct shoal_change changes[SHOAL_DIMENSION_COUNT];
    struct shoal_uplift_choice uplift;
    float vector[SHOAL_VECTOR_MAX];
    struct shoal_occasion occasion = {
        .event = &item->event,
        .timer = view->timer,
        .timers = timers,
        .changes = changes,
        .prompted = NAN,
        .partitions = o->partitions,
    };
    bool asks = o->policy && o->policy->wants_prompted && o->model->uplift;
    view->look = shoal_segments_look(&o->rules, view, record,
                                     (enum shoal_behavior)item->event.touch.behavior, previous_ms);
    if (asks || (view->look & SHOAL_LOOK_VECTOR))
        shoal_user_vector(o->model, record->h, rates, vector);
    if (asks || (view->look & SHOAL_LOOK_ENGAGEMENT)) {
        shoal_uplift_apply(o->model->uplift, vector, &uplift);
        occasion.prompted = asks ? uplift.prompted : NAN;
    }
    view->vector = vector;
    view->uplift = &uplift;
    uint8_t cluster = record->standings[SHOAL_CLUSTER].level;
    occasion.changes_count = shoal_segments_update(&o->rules, view, record, changes);
    count_moves(p, item, cluster, changes, occasion.changes_count);
    if (!view->timer && item->event.touch.behavior == SHOAL_BUY)
        shoal_tally_bought(&item->state->tally, o->policy, item->event.user, item->event.user_size,
                           record, view->now_ms);
    size_t decisions_count =
        o->policy ? shoal_decide(o->policy, &occasion, record, &item->state->budgets, p->decisions)
                  : 0;
    shoal_tally_decided(&item->state->tally, p->decisions, decisions_count);
    return tell(p, item, view->now_ms, changes, occasion.changes_count, decisions_count);
}

/* ---- timers -------------------------------------------------------------------------------- */

/* Entries are at whole seconds, not before what falls due. */
static int64_t second_of(int64_t time_ms)
{
    return (time_ms + 999) / 1000 * 1000;
}

/* The user's entry in the index becomes `due_ms`, up to the whole second; 0: none. Later than can be written:
 * none either. */
static enum shoal_status arm(struct item *item, int64_t due_ms)
{
    struct shoal_record *record = &item->entry->record;
    int64_t before_ms = item->event.timer ? 0 : record->timer_ms; /* a timer's own was taken out */
    due_ms = second_of(due_ms);
    record->timer_ms = due_ms <= SHOAL_TIME_MAX_MS ? due_ms : 0;
    return shoal_timer_queue_move(&item->state->timers, item->event.user, item->event.user_size,
                                  before_ms, record->timer_ms);
}

/* After an event: an entry is needed if there is none, or if something falls due before it. Not within the
 * least delay from now, so that nothing armed in a span can be due in it. */
static enum shoal_status arm_after_event(struct shoal_pipeline *p, struct item *item)
{
    const struct shoal_record *record = &item->entry->record;
    int64_t next_ms = shoal_segments_next(&p->options.rules, record, 0);
    int64_t least_ms = item->time_ms + p->least_delay_ms;
    if (next_ms == 0)
        return SHOAL_OK;
    if (next_ms < least_ms)
        next_ms = least_ms;
    if (record->timer_ms != 0 && record->timer_ms <= second_of(next_ms))
        return SHOAL_OK;
    return arm(item, next_ms);
}

bool pipeline_is_stale(const struct item *item)
{
    return item->event.timer && item->entry->record.timer_ms != item->due_ms;
}

/* At the time at which something falls due, not before the user's last event, as if it were looked at just then: what the model knows has faded
 * by the silence. */
static enum shoal_status fall_due(struct shoal_pipeline *p, struct item *item, int64_t due_ms)
{
    struct shoal_record *record = &item->entry->record;
    float counters[SHOAL_COUNTERS];
    struct shoal_view view = {
        .model = p->options.model,
        .now_ms = due_ms,
        .gap_ms = due_ms - record->last_ms,
        .timer = true,
    };
    item->event.touch.time_ms = due_ms;
    item->event.offset = record->offset;
    memcpy(counters, record->counters, sizeof counters);
    shoal_counters_decay(counters, view.gap_ms);
    shoal_counters_rates(counters, due_ms - record->first_ms, item->rates);
    uint32_t timers = shoal_segments_timers(&p->options.rules, record, due_ms);
    p->counts.timers++;
    return judge(p, item, &view, item->rates, record->last_ms, timers);
}

enum shoal_status pipeline_fire(struct shoal_pipeline *p, struct item *item)
{
    enum { AT_ONCE_MAX = 2 * SHOAL_DIMENSION_COUNT }; /* more cannot fall due between two events */
    struct shoal_record *record = &item->entry->record;
    enum shoal_status status = SHOAL_OK;
    if (pipeline_is_stale(item))
        return SHOAL_OK;
    shoal_cache_mark_dirty(p->cache, item->entry);
    int64_t next_ms = shoal_segments_next(&p->options.rules, record, 0);
    for (int i = 0; i < AT_ONCE_MAX && next_ms && next_ms <= item->tick_ms; i++) {
        /* What fell due before the user's last event, which did not look, is found as of that event: the
         * times of a user's changes do not go back. */
        int64_t due_ms = next_ms > record->last_ms ? next_ms : record->last_ms;
        status = fall_due(p, item, due_ms);
        if (status != SHOAL_OK)
            return status;
        next_ms = shoal_segments_next(&p->options.rules, record, due_ms);
    }
    int64_t least_ms = item->tick_ms + p->least_delay_ms;
    return arm(item, next_ms == 0 ? 0 : next_ms > least_ms ? next_ms : least_ms);
}

/* ---- events -------------------------------------------------------------------------------- */

enum shoal_status pipeline_conclude(struct shoal_pipeline *p, struct item *item,
                                    const struct shoal_step_row *row)
{
    const struct shoal_pipeline_options *o = &p->options;
    struct shoal_record *record = &item->entry->record;
    enum shoal_behavior behavior = (enum shoal_behavior)item->event.touch.behavior;
    int64_t previous_ms = item->time_ms - item->gap_ms;
    record->score = row->score;
    if (o->online)
        shoal_correction_count(&item->state->correction, &record->pending, previous_ms,
                               item->time_ms, behavior, row->uncorrected);
    struct shoal_view view = {.model = o->model, .now_ms = item->time_ms, .gap_ms = item->gap_ms};
    enum shoal_status status = judge(p, item, &view, item->rates, previous_ms, 0);
    if (status == SHOAL_OK)
        status = arm_after_event(p, item);
    shoal_cache_mark_dirty(p->cache, item->entry);
    p->counts.events++;
    item->state->tally.events++;
    p->counts.suppressed += item->suppressed;
    return status;
}

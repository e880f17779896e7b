/* SPDX-License-Identifier: Apache-2.0 */
/* Which items of a micro-batch are applied together: a span.
 *
 *   items   e1 e2 e3 │ e4 e5 …
 *   line    e1 t1 t2 e2 e3        t1 and t2 fell due when e2 moved its partition's watermark
 *
 * Within a span users are independent of each other, so it is applied in rounds. What is shared by the users
 * of a partition changes between spans only. So a span ends before an event
 *   - that begins an hour of the online correction, or a day of the budgets;
 *   - before which timers fall due that events of the span may yet arm, or take away;
 *   - with which more items may spend a budget than it has left.
 */
#include <string.h>

#include "model/base/hash.h"
#include "stream/pipeline_internal.h"

/* Everything that the watermark and the budgets must know of an item before it can be in a span. */
static enum shoal_status meet(struct shoal_pipeline *p, struct item *item,
                              struct shoal_message *message)
{
    const struct shoal_event *event = &item->event;
    enum shoal_status status = shoal_partition_states_get(&p->states, p->store, event->partition,
                                                          &item->state, message);
    if (status != SHOAL_OK || item->seen)
        return status;
    struct shoal_watermark *watermark = &item->state->watermark;
    if (p->options.online)
        shoal_partition_state_use(item->state, p->options.model);
    if (item->forget)
        item->event.touch.time_ms = watermark->time_ms > 0 ? watermark->time_ms : 0;
    else if (item->tick)
        shoal_watermark_tell(watermark, event->touch.time_ms);
    else
        shoal_watermark_see(watermark, p->options.timers_jump_ms,
                            shoal_hash(event->user, event->user_size), event->touch.time_ms);
    item->seen = true;
    return SHOAL_OK;
}

/* What has to be turned before an item, with nothing of the span before it. True if there was something. */
static bool turn(struct shoal_pipeline *p, const struct item *item, bool may)
{
    struct shoal_partition_state *state = item->state;
    const struct shoal_policy *policy = p->options.policy;
    bool hour = p->options.online && !item->tick && !item->forget &&
                shoal_correction_due(&state->correction, item->event.touch.time_ms);
    bool day = policy && shoal_budgets_due(&state->budgets, policy, state->watermark.time_ms);
    if (may && hour)
        shoal_correction_turn(&state->correction, item->event.touch.time_ms);
    if (may && day)
        shoal_budgets_turn(&state->budgets, policy, state->watermark.time_ms);
    return hour || day;
}

/* Nothing that is armed from here on in the span is due before due_ms. */
static void bound_due(const struct shoal_pipeline *p, struct shoal_partition_state *state,
                      int64_t due_ms)
{
    if (state->span != p->batch || due_ms < state->span_due_ms)
        state->span_due_ms = due_ms;
    state->span = p->batch;
}

static bool is_event(const struct item *item)
{
    return item->event.user && !item->forget;
}

/* May this item take its user's timer out of the queue? Then no timer of the span may be drawn after it: it
 * could be that one. */
static bool takes_timer(const struct item *item)
{
    return item->forget || (item->event.consent_withdrawn & SHOAL_CONSENT_PROCESSING);
}

static void add_timer(struct shoal_pipeline *p, const struct item *before, int64_t tick_ms)
{
    struct item *item = &p->timers[p->timers_count++];
    struct shoal_timer_entry entry;
    shoal_timer_queue_pop(&before->state->timers, &entry);
    *item = (struct item){
        .event = {.partition = before->event.partition, .user_size = entry.user_size, .timer = true},
        .state = before->state,
        .suppressed = before->suppressed,
        .due_ms = entry.due_ms,
        .tick_ms = tick_ms,
    };
    item->last = &item->first;
    item->event.user = shoal_arena_copy(&p->arena, entry.user, entry.user_size);
    p->line[p->line_count++] = item;
}

/* Could this item make an offer that one before it in the span might have left nothing for? Its kind is its
 * behaviour, or SHOAL_BEHAVIOR_COUNT for a timer. As long as no more items may spend a budget than it has
 * left, or it is used up, their order does not matter. Counted over all partitions, which is on the safe side. */
static bool is_crowded(const struct shoal_pipeline *p, const struct item *item, unsigned kind)
{
    const struct shoal_policy *policy = p->options.policy;
    if (!policy || p->line_count == 0)
        return false;
    for (uint32_t left = policy->spent_at[kind]; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctz(left);
        uint32_t offers = shoal_budgets_left(&item->state->budgets, &policy->promotions[i],
                                             item->event.partition, p->options.partitions);
        if (offers > 0 && p->spenders[i] >= offers)
            return true;
    }
    return false;
}

static void count_spender(struct shoal_pipeline *p, unsigned kind)
{
    for (uint32_t left = p->options.policy ? p->options.policy->spent_at[kind] : 0; left;
         left &= left - 1)
        p->spenders[__builtin_ctz(left)]++;
}

/* Draws the timers that are due before an item, as many as one message may. *cut: the span has to end before
 * the next of them. */
static enum shoal_status drain(struct shoal_pipeline *p, struct item *item, bool *cut,
                               struct shoal_message *message)
{
    struct shoal_partition_state *state = item->state;
    int64_t tick_ms = shoal_watermark_tick(&state->watermark);
    *cut = state->span == p->batch && state->span_due_ms <= tick_ms;
    if (*cut)
        return SHOAL_OK;
    enum shoal_status status =
        shoal_timer_queue_fetch(&state->timers, p->store, p->cache, item->event.partition, tick_ms,
                                message);
    while (status == SHOAL_OK && shoal_timer_queue_next(&state->timers) <= tick_ms) {
        if (item->drained >= DRAIN_MAX)
            return SHOAL_OK;
        *cut = p->timers_count == TIMERS_MAX || is_crowded(p, item, SHOAL_BEHAVIOR_COUNT);
        if (*cut)
            return SHOAL_OK;
        add_timer(p, item, tick_ms);
        count_spender(p, SHOAL_BEHAVIOR_COUNT);
        bound_due(p, state, tick_ms + p->least_delay_ms); /* it may be armed anew */
        item->drained++;
        if (!p->timers[p->timers_count - 1].event.user)
            return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    }
    if (status == SHOAL_OK)
        state->watermark.draining = false;
    return status;
}

static enum shoal_status count_deadletter(struct shoal_pipeline *p, const struct item *item,
                                          struct shoal_message *message)
{
    struct shoal_partition_state *state;
    enum shoal_status status =
        shoal_partition_states_get(&p->states, p->store, item->event.partition, &state, message);
    if (status == SHOAL_OK)
        state->tally.deadletters++;
    return status;
}

enum shoal_status pipeline_next_span(struct shoal_pipeline *p, size_t *next,
                                     struct shoal_message *message)
{
    p->line_count = p->timers_count = 0;
    memset(p->spenders, 0, sizeof p->spenders);
    for (; *next < p->items_count; ++*next) {
        struct item *item = &p->items[*next];
        if (item->event.user || item->tick) {
            bool cut = false;
            enum shoal_status status = meet(p, item, message);
            if (status != SHOAL_OK)
                return status;
            if (turn(p, item, p->line_count == 0) && p->line_count > 0)
                return SHOAL_OK;
            if (item->state->watermark.draining && item->event.part == 0)
                status = drain(p, item, &cut, message);
            if (status == SHOAL_OK && !cut && is_event(item))
                cut = is_crowded(p, item, item->event.touch.behavior);
            if (status != SHOAL_OK || cut)
                return status;
            if (takes_timer(item))
                bound_due(p, item->state, INT64_MIN);
            if (is_event(item)) {
                bound_due(p, item->state, item->event.touch.time_ms + p->least_delay_ms);
                count_spender(p, item->event.touch.behavior);
            }
        } else {
            enum shoal_status status = count_deadletter(p, item, message);
            if (status != SHOAL_OK)
                return status;
        }
        p->line[p->line_count++] = item;
    }
    return SHOAL_OK;
}

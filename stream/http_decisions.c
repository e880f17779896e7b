/* SPDX-License-Identifier: Apache-2.0 */
/* What would be decided for a user now: each promotion as its topic would have it, next items included. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/clock.h"
#include "model/user_vector.h"
#include "stream/http_internal.h"
#include "stream/output.h"
#include "stream/partition_state.h"

enum { DAY_MS = 86400000 };

/* Next items of the decisions that carry some: of the n-th of them counts[n], from picks + n·items_most on. */
struct carried {
    struct shoal_item_pick picks[SHOAL_GRANTS_MAX * SHOAL_OFFER_ITEMS_MAX];
    size_t counts[SHOAL_GRANTS_MAX];
};

/* ---- as of when ---------------------------------------------------------------------------- */

/* A user's partition as of its last save; an empty state if it cannot be read. */
static void find_partition(struct http_request *r, const struct shoal_person *person,
                           struct shoal_partition_state *state)
{
    const struct shoal_slice nobody = {"", 0};
    struct shoal_slice value = {0};
    struct shoal_message message;
    *state = (struct shoal_partition_state){0};
    shoal_watermark_init(&state->watermark);
    shoal_budgets_init(&state->budgets);
    if (r->store->ops->load(r->store, person->partition, &nobody, 1, &value, &message) == SHOAL_OK &&
        value.bytes)
        state->known = shoal_partition_state_decode(value.bytes, value.size, state) == SHOAL_OK;
}

/* The clock, unless the partition's events are of another time (a replay of an old log), then theirs. Never before
 * the user's last event. */
static int64_t present(const struct shoal_partition_state *state, const struct shoal_record *record)
{
    int64_t now_ms = shoal_clock_wall_ms(), log_ms = state->watermark.time_ms;
    if (state->known && log_ms >= 0 && llabs(now_ms - log_ms) > DAY_MS)
        now_ms = log_ms;
    return now_ms > record->last_ms ? now_ms : record->last_ms;
}

int64_t http_present(struct http_request *r, const struct shoal_person *person)
{
    struct shoal_partition_state state;
    find_partition(r, person, &state);
    return present(&state, &person->record);
}

/* ---- what is decided ----------------------------------------------------------------------- */

static float prompted_of(const struct shoal_model *model, const struct shoal_policy *policy,
                         const struct shoal_person *person, const float *rates)
{
    if (!policy->wants_prompted || !model->uplift)
        return NAN;
    float vector[SHOAL_VECTOR_MAX];
    struct shoal_uplift_choice choice;
    shoal_user_vector(model, person->record.h, rates, vector);
    shoal_uplift_apply(model->uplift, vector, &choice);
    return choice.prompted;
}

/* As pipeline_items.c asks, with one look through the catalogue for all promotions. */
static enum shoal_status pick_items(const struct shoal_model *model, const struct shoal_policy *policy,
                                    const struct shoal_outlook *outlooks, const struct shoal_person *person,
                                    int64_t now_ms, const float *rates, struct carried *carried)
{
    const struct shoal_record *record = &person->record;
    struct shoal_item_query queries[SHOAL_GRANTS_MAX];
    size_t count = 0, most = policy->items_most;
    for (size_t i = 0; i < policy->count; i++) {
        const struct shoal_promotion *promotion = &policy->promotions[i];
        if (!shoal_output_carries(&outlooks[i].decision, model))
            continue;
        queries[count++] = (struct shoal_item_query){
            .h = record->h,
            .rates = rates,
            .ring = record->ring,
            .ring_count = record->ring_count,
            .now_ms = now_ms,
            .goal = promotion->items_goal,
            .without_bought = promotion->without_bought,
        };
    }
    if (count == 0)
        return SHOAL_OK;
    struct shoal_items_room *room;
    enum shoal_status status = shoal_items_room_create(model->items, count, &room);
    if (status != SHOAL_OK)
        return status;
    shoal_items_top(model->items, room, queries, count, most, carried->picks, carried->counts);
    shoal_items_room_destroy(room);
    return SHOAL_OK;
}

/* ---- the answer ---------------------------------------------------------------------------- */

/* The decision as its topic has it, without an id. `picks`: its next items, if it carries some. */
static void put_decision(struct http_request *r, const struct shoal_outlook *outlook,
                         const struct shoal_event *event, const struct shoal_person *person,
                         const struct shoal_model *model, const struct shoal_item_pick *picks, size_t count)
{
    struct shoal_buffer text = {0};
    const struct shoal_decision *decision = &outlook->decision;
    shoal_output_decision(SHOAL_OUTPUT_JSON, event, decision, &person->record, model, "", &text);
    if (shoal_output_carries(decision, model)) {
        size_t wanted = decision->promotion->items;
        shoal_output_items(SHOAL_OUTPUT_JSON, model->items, picks, count < wanted ? count : wanted, &text);
    }
    const char no_id[] = "{\"id\":\"\",";
    if (text.failed || text.size <= sizeof no_id || memcmp(text.bytes, no_id, sizeof no_id - 1) != 0) {
        shoal_buffer_finish(&text);
        return;
    }
    text.bytes[text.size - 1] = '\0';
    if (r->put.comma)
        fputc(',', r->out);
    fprintf(r->out, "{%s,\"standing\":%s,\"would_offer\":%s}", (char *)text.bytes + sizeof no_id - 1,
            outlook->standing ? "true" : "false",
            !outlook->standing && outlook->decision.eligible ? "true" : "false");
    r->put.comma = true;
    shoal_buffer_finish(&text);
}

static void put_decisions(struct http_request *r, const struct shoal_outlook *outlooks,
                          const struct shoal_event *event, const struct shoal_person *person,
                          const struct shoal_model *model, const struct shoal_policy *policy,
                          const struct carried *carried)
{
    struct shoal_put *put = http_json(r);
    size_t asked = 0; /* of those that carry items */
    shoal_put_open(put, NULL, '{');
    shoal_put_text(put, "user_id", r->user);
    shoal_put_time(put, "evaluated_at", event->touch.time_ms);
    shoal_put_text(put, "model", model->version);
    shoal_put_text(put, "policy", policy ? policy->version : NULL);
    shoal_put_open(put, "decisions", '[');
    for (size_t i = 0; policy && i < policy->count; i++) {
        put_decision(r, &outlooks[i], event, person, model, carried->picks + asked * policy->items_most,
                     carried->counts[asked]);
        asked += shoal_output_carries(&outlooks[i].decision, model);
    }
    shoal_put_close(put, ']');
    shoal_put_close(put, '}');
}

static enum shoal_status decide(struct http_request *r, const struct shoal_person *person,
                                const struct shoal_model *model, const struct shoal_policy *policy,
                                struct shoal_outlook *outlooks, struct carried *carried)
{
    struct shoal_partition_state state;
    float rates[SHOAL_COUNTERS];
    find_partition(r, person, &state);
    int64_t now_ms = present(&state, &person->record);
    struct shoal_event event = {
        .user = r->user,
        .user_size = (uint8_t)strlen(r->user),
        .partition = person->partition,
        .timer = true,
        .touch.time_ms = now_ms,
    };
    shoal_person_rates(person, now_ms, rates);
    int32_t partitions = atomic_load(&r->http->partitions);
    struct shoal_occasion occasion = {
        .event = &event,
        .timer = true,
        .prompted = policy ? prompted_of(model, policy, person, rates) : NAN,
        .partitions = partitions > 0 ? partitions : 1,
    };
    enum shoal_status status = SHOAL_OK;
    if (policy) {
        shoal_decide_outlook(policy, &occasion, &person->record,
                             state.known && partitions > 0 ? &state.budgets : NULL, outlooks);
        status = pick_items(model, policy, outlooks, person, now_ms, rates, carried);
    }
    if (status == SHOAL_OK)
        put_decisions(r, outlooks, &event, person, model, policy, carried);
    return status;
}

static void tell(struct http_request *r, const struct shoal_person *person, const struct shoal_model *model,
                 const struct shoal_policy *policy)
{
    struct shoal_outlook *outlooks = calloc(SHOAL_GRANTS_MAX, sizeof *outlooks);
    struct carried *carried = calloc(1, sizeof *carried);
    enum shoal_status status =
        outlooks && carried ? decide(r, person, model, policy, outlooks, carried) : SHOAL_NOMEM;
    if (status != SHOAL_OK)
        http_failed(r, status, NULL);
    free(carried);
    free(outlooks);
}

void http_user_decisions(struct http_request *r)
{
    http_tell_user(r, false, tell);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of the targets, each with a room of its own; see item_ranks.h. */
#include "model/learn/item_ranks.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/score.h"
#include "model/learn/team.h"
#include "model/user_vector.h"

enum { PIECE = 512, SLICE = 64 };

struct ranking {
    const struct shoal_items *items;
    const struct shoal_item_asked *asked;
    enum shoal_item_goal goal;
    uint32_t *ranks;
    atomic_bool failed;
};

struct shoal_item_query shoal_item_query_after(const struct shoal_dataset *dataset, size_t last,
                                               size_t ring, const float *state,
                                               enum shoal_item_goal goal)
{
    size_t there = last + 1 - dataset->first[dataset->owners[last]];
    size_t count = there < ring ? there : ring;
    return (struct shoal_item_query){
        .h = state,
        .ring = dataset->touches + last + 1 - count,
        .ring_count = count,
        .now_ms = dataset->touches[last].time_ms,
        .goal = goal,
    };
}

struct shoal_item_query shoal_item_query_of(const struct shoal_item_asked *asked, size_t i,
                                            enum shoal_item_goal goal)
{
    struct shoal_item_query query =
        shoal_item_query_after(asked->dataset, asked->last[i], asked->ring,
                               asked->states + i * asked->hidden, goal);
    query.rates = asked->rates ? asked->rates + i * SHOAL_COUNTERS : NULL;
    query.without_prompts = asked->without_prompts;
    return query;
}

static void rank_piece(void *opaque, size_t index)
{
    struct ranking *ranking = opaque;
    const struct shoal_item_asked *asked = ranking->asked;
    struct shoal_items_room *room;
    struct shoal_item_query queries[SLICE];
    size_t end = (index + 1) * PIECE < asked->count ? (index + 1) * PIECE : asked->count;
    if (shoal_items_room_create(ranking->items, SLICE, &room) != SHOAL_OK) {
        atomic_store(&ranking->failed, true);
        return;
    }
    for (size_t at = index * PIECE; at < end; at += SLICE) {
        size_t count = end - at < SLICE ? end - at : SLICE;
        for (size_t i = 0; i < count; i++)
            queries[i] = shoal_item_query_of(asked, at + i, ranking->goal);
        shoal_items_ranks(ranking->items, room, queries, asked->targets + at, count,
                          ranking->ranks + at);
    }
    shoal_items_room_destroy(room);
}

enum shoal_status shoal_item_ranks(const struct shoal_items *items,
                                   const struct shoal_item_asked *asked, enum shoal_item_goal goal,
                                   uint32_t *ranks)
{
    struct ranking ranking = {.items = items, .asked = asked, .goal = goal, .ranks = ranks};
    struct shoal_team *team;
    enum shoal_status status = shoal_team_create(0, &team);
    if (status != SHOAL_OK)
        return status;
    shoal_team_run(team, (asked->count + PIECE - 1) / PIECE, rank_piece, &ranking);
    shoal_team_destroy(team);
    return atomic_load(&ranking.failed) ? SHOAL_NOMEM : SHOAL_OK;
}

enum shoal_status shoal_item_states(const struct shoal_model *model,
                                    const struct shoal_dataset *dataset, const size_t *events,
                                    size_t count, float *states)
{
    size_t vector = shoal_user_vector_size(model), hidden = model->params.dims.hidden;
    struct shoal_examples examples = {0};
    float *vectors = malloc((count + 1) * vector * sizeof *vectors);
    enum shoal_status status =
        vectors ? shoal_examples_make(dataset, &model->params.dims, &examples) : SHOAL_NOMEM;
    if (status == SHOAL_OK)
        status = shoal_score_vectors(model, dataset, &examples, SHOAL_FP16, events, count, vectors);
    for (size_t i = 0; status == SHOAL_OK && i < count; i++)
        memcpy(states + i * hidden, vectors + i * vector, hidden * sizeof *states);
    shoal_examples_finish(&examples);
    free(vectors);
    return status;
}

enum shoal_status shoal_item_rates(const struct shoal_model *model,
                                   const struct shoal_dataset *dataset, const size_t *events,
                                   size_t count, float *rates)
{
    struct shoal_examples examples;
    enum shoal_status status = shoal_examples_make(dataset, &model->params.dims, &examples);
    if (status != SHOAL_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        size_t event = events[i], first = dataset->first[dataset->owners[event]];
        int64_t age_ms = dataset->touches[event].time_ms - dataset->touches[first].time_ms;
        shoal_counters_rates(examples.counters + event * SHOAL_COUNTERS, age_ms > 0 ? age_ms : 0,
                             rates + i * SHOAL_COUNTERS);
    }
    shoal_examples_finish(&examples);
    return SHOAL_OK;
}

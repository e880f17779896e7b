/* SPDX-License-Identifier: Apache-2.0 */
/* Cases from events files; see explain_events.h. */
#include "tools/explain_events.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/examples.h"
#include "model/retrace.h"

/* What the pipeline serves after the last of all events, and the score after each of those that are explained. */
static enum shoal_status serve(const struct shoal_model *model, const struct shoal_examples *examples,
                               struct shoal_explain_case *explained)
{
    size_t all = examples->count, count = explained->count;
    float *scores = malloc(all * sizeof *scores);
    if (!scores)
        return SHOAL_NOMEM;
    enum shoal_status status = shoal_retrace_scores(model, SHOAL_FP16, examples->features,
                                                    examples->counters, all, 0, scores);
    if (status == SHOAL_OK)
        status = shoal_retrace_scores(model, SHOAL_FP16, explained->features,
                                      examples->counters + (all - count) * SHOAL_COUNTERS, count, 0,
                                      explained->scores);
    explained->served = status == SHOAL_OK ? scores[all - 1] : NAN;
    free(scores);
    return status;
}

/* The last events of all, with their features. */
static enum shoal_status take_events(const struct shoal_dataset *of_user,
                                     const struct shoal_examples *examples,
                                     const struct shoal_model *model, bool ring,
                                     struct shoal_explain_case *explained,
                                     struct shoal_message *message)
{
    size_t all = of_user->events_count;
    size_t most = ring ? model->params.dims.ring : SHOAL_EXPLAIN_EVENTS_MAX;
    size_t count = all < most ? all : most;
    enum shoal_status status = shoal_explain_case_room(explained, count, message);
    if (status != SHOAL_OK)
        return status;
    explained->known = all;
    explained->whole = count == all;
    memcpy(explained->touches, of_user->touches + all - count, count * sizeof *of_user->touches);
    memcpy(explained->features, examples->features + all - count,
           count * sizeof *examples->features);
    for (size_t t = 0; ring && t < count; t++)
        explained->touches[t].time_ms = explained->touches[t].time_ms / 1000 * 1000;
    if (ring)
        shoal_explain_ring(&model->params.dims, explained->touches, count, explained->features);
    memcpy(explained->rates, examples->counters + (all - 1) * SHOAL_COUNTERS,
           sizeof explained->rates);
    return SHOAL_OK;
}

enum shoal_status shoal_explain_case_make(const struct shoal_dataset *dataset,
                                          const struct shoal_model *model, const char *user,
                                          bool ring, struct shoal_explain_case *explained,
                                          struct shoal_message *message)
{
    uint32_t number;
    *explained = (struct shoal_explain_case){.user = user, .from_events = true, .state = NAN};
    if (!shoal_dataset_find_user(dataset, user, strlen(user), &number))
        return shoal_fail(message, SHOAL_NOT_FOUND, "user '%s' has no events", user);
    size_t first = dataset->first[number], count = dataset->first[number + 1] - first;
    size_t bounds[2] = {0, count};
    /* What examples.h reads of a data set, for this user alone. */
    const struct shoal_dataset of_user = {
        .touches = dataset->touches + first,
        .events_count = count,
        .first = bounds,
        .users_count = 1,
    };
    struct shoal_examples examples;
    enum shoal_status status = shoal_examples_make(&of_user, &model->params.dims, &examples);
    if (status != SHOAL_OK)
        return shoal_fail(message, status, "out of memory with %zu events", count);
    status = take_events(&of_user, &examples, model, ring, explained, message);
    if (status == SHOAL_OK) {
        explained->served_by = model->id;
        status = serve(model, &examples, explained);
        if (status != SHOAL_OK)
            shoal_fail(message, status, "out of memory");
    }
    shoal_examples_finish(&examples);
    return status;
}

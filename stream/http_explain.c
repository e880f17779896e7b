/* SPDX-License-Identifier: Apache-2.0 */
/* Why a user's score is what it is (model/explain.h). */
#include <stdlib.h>

#include "stream/explain_json.h"
#include "stream/http_internal.h"

static void explain(struct http_request *r, const struct shoal_model *model,
                    const struct shoal_explain_case *explained, struct shoal_explain_options *options)
{
    struct shoal_explain *room = NULL;
    struct shoal_explanation explanation;
    options->events_max = explained->count;
    struct shoal_explained_event *events = calloc(explained->count, sizeof *events);
    enum shoal_status status = events ? shoal_explain_create(model, options, &room) : SHOAL_NOMEM;
    if (status == SHOAL_OK) {
        shoal_explain_run(room, explained->features, explained->count, explained->rates, events,
                          &explanation);
        const struct shoal_explain_found found = {model, explained, options, events, &explanation};
        shoal_explain_print_json(&found, http_json(r)->out);
    } else {
        http_failed(r, status, NULL);
    }
    shoal_explain_destroy(room);
    free(events);
}

void http_user_explain(struct http_request *r)
{
    const struct shoal_http_options *o = &r->http->options;
    struct shoal_message message = {.text = ""};
    struct shoal_explain_case explained = {0};
    long long steps = SHOAL_EXPLAIN_STEPS;
    if (!http_names_user(r) || !http_query_int(r, "steps", 1, SHOAL_EXPLAIN_STEPS_MAX, &steps))
        return;
    struct shoal_explain_options options = {.steps = (size_t)steps, .rule = SHOAL_GAUSS_LEGENDRE};
    const struct shoal_model *model = shoal_models_latest(o->models);
    enum shoal_status status =
        shoal_explain_case_load(r->store, model, r->user, &explained, &message);
    if (status == SHOAL_OK)
        explain(r, model, &explained, &options);
    else if (status == SHOAL_NOT_FOUND)
        http_problem(r, 404, "unknown-user", "This user is not known", "%s", message.text);
    else if (status == SHOAL_TOO_FEW)
        http_problem(r, 409, "no-events", "There is nothing to explain yet", "%s", message.text);
    else
        http_failed(r, status, &message);
    shoal_explain_case_finish(&explained);
    shoal_models_release(o->models, model);
}

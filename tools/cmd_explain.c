/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal explain`: why a user's score is what it is. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/pseudonym.h"
#include "stream/store_options.h"
#include "tools/commands.h"
#include "tools/explain_events.h"
#include "tools/explain_print.h"
#include "tools/load_events.h"
#include "tools/setup.h"

/* An error beside which contributions cannot be judged: this share of what they should sum to, and more than shows
 * in four decimals. */
#define SHARE_TO_WARN_OF 0.01
#define LEAST_TO_WARN_OF 1e-4

static int explain(const struct shoal_cli_args *args, const struct shoal_model *model,
                   const struct shoal_explain_case *explained, struct shoal_explain_options options)
{
    options.events_max = explained->count;
    struct shoal_explain *room = NULL;
    struct shoal_explanation explanation;
    struct shoal_explained_event *events = malloc(explained->count * sizeof *events);
    if (!events || shoal_explain_create(model, &options, &room) != SHOAL_OK) {
        free(events);
        return shoal_cli_fail(args, SHOAL_EXIT_FAILED, "out of memory with %zu events",
                              explained->count);
    }
    shoal_explain_run(room, explained->features, explained->count, explained->rates, events,
                      &explanation);
    shoal_explain_destroy(room);
    const struct shoal_explain_found found = {model, explained, &options, events, &explanation};
    if (shoal_cli_get(args, "json"))
        shoal_explain_print_json(&found, stdout);
    else
        shoal_explain_print_text(&found, stdout);
    if (explanation.relative_error > SHARE_TO_WARN_OF &&
        fabs(explanation.error) > LEAST_TO_WARN_OF)
        fprintf(stderr,
                "warning: the contributions miss the difference to the base by %.1f %%: take more "
                "--steps\n",
                100 * explanation.relative_error);
    free(events);
    return SHOAL_EXIT_OK;
}

static int explain_record(const struct shoal_cli_args *args, const struct shoal_setup *setup,
                          const char *user, struct shoal_explain_options options)
{
    struct shoal_message message = {.text = ""};
    struct shoal_explain_case explained = {0};
    struct shoal_redis_options redis = shoal_store_options(setup->config);
    struct shoal_store *store = NULL;
    enum shoal_status status = shoal_redis_store_create(&redis, &store, &message);
    char room[SHOAL_PSEUDONYM_SIZE + 1];
    if (status == SHOAL_OK)
        status = shoal_explain_case_load(
            store, setup->model, shoal_pseudonym_stored(setup->config->pseudonyms, user, room),
            &explained, &message);
    explained.user = user;
    int code = status == SHOAL_OK ? explain(args, setup->model, &explained, options)
                                  : shoal_cli_fail(args, shoal_setup_exit(status), "%s",
                                                   message.text);
    shoal_explain_case_finish(&explained);
    if (store)
        store->ops->destroy(store);
    return code;
}

static int explain_events(const struct shoal_cli_args *args, const struct shoal_setup *setup,
                          const char *user, struct shoal_explain_options options, int64_t until_ms)
{
    struct shoal_message message = {.text = ""};
    const struct shoal_model *model = setup->model;
    const char *key = setup->config->privacy_pseudonym_key;
    struct shoal_load load = {.until_ms = until_ms, .pseudonym_key = key[0] ? key : NULL};
    char room[SHOAL_PSEUDONYM_SIZE + 1];
    struct shoal_dataset dataset;
    struct shoal_explain_case explained = {0};
    shoal_dataset_init(&dataset, model->params.dims.ring);
    int code = shoal_load_for(args, &load, &dataset);
    if (code == SHOAL_EXIT_OK) {
        enum shoal_status status =
            shoal_explain_case_make(&dataset, model,
                                    shoal_pseudonym_stored(setup->config->pseudonyms, user, room),
                                    shoal_cli_get(args, "ring") != NULL, &explained, &message);
        explained.user = user;
        if (status == SHOAL_NOT_FOUND && load.reached)
            shoal_fail(&message, status, "user '%s' has no events before --at", user);
        code = status == SHOAL_OK
                   ? explain(args, model, &explained, options)
                   : shoal_cli_fail(args, shoal_setup_exit(status), "%s", message.text);
    }
    shoal_explain_case_finish(&explained);
    shoal_dataset_finish(&dataset);
    return code;
}

static int read_options(const struct shoal_cli_args *args, struct shoal_explain_options *options)
{
    long long steps;
    const char *rule = shoal_cli_get(args, "rule");
    if (!shoal_cli_int(args, "steps", 1, SHOAL_EXPLAIN_STEPS_MAX, &steps))
        return SHOAL_EXIT_USAGE;
    *options = (struct shoal_explain_options){.steps = (size_t)steps, .rule = SHOAL_GAUSS_LEGENDRE};
    if (strcmp(rule, shoal_quadrature_name(SHOAL_MIDPOINT)) == 0)
        options->rule = SHOAL_MIDPOINT;
    else if (strcmp(rule, shoal_quadrature_name(SHOAL_GAUSS_LEGENDRE)) != 0)
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE,
                              "--rule: '%s' is not one of gauss_legendre, midpoint", rule);
    return SHOAL_EXIT_OK;
}

static int run(const struct shoal_cli_args *args)
{
    struct shoal_explain_options integral;
    int code = read_options(args, &integral);
    if (code != SHOAL_EXIT_OK)
        return code;
    bool at_given, from_events = shoal_cli_get(args, "events") != NULL;
    long long at_ms = 0;
    const char *positional = shoal_cli_positional(args, 0), *named = shoal_cli_get(args, "user");
    const char *user = positional ? positional : named;
    if (!shoal_cli_time(args, "at", &at_given, &at_ms))
        return SHOAL_EXIT_USAGE;
    if (!user || (positional && named))
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "give one USER");
    if (!from_events && (at_given || shoal_cli_get(args, "ring")))
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE,
                              "--at and --ring go with --events: a record has its last events only");
    struct shoal_setup setup;
    code = shoal_setup_load(args, shoal_cli_get(args, "model"), "", &setup);
    if (code == SHOAL_EXIT_OK)
        code = from_events ? explain_events(args, &setup, user, integral,
                                            at_given ? at_ms : INT64_MAX)
                           : explain_record(args, &setup, user, integral);
    shoal_setup_finish(&setup);
    return code;
}

static const struct shoal_cli_option options[] = {
    SHOAL_SETUP_OPTIONS,
    {"model", "FILE", NULL, "the model (default: model.path of the configuration)", false, false},
    {"user", "USER", NULL, "the same as USER", false, false},
    {"events", "FILE[,FILE…]", NULL,
     "instead of the user's record in Redis: events in order of arrival, JSON lines or CSV, plain, gzip "
     "or zstd; - for standard input",
     false, false},
    {"at", "TIME", NULL, "with --events: by the events before this (default: all)", false, false},
    {"ring", NULL, NULL,
     "with --events: explain only the recent events that a record would hold, from an empty state "
     "(default: all of the user's, 16384 at most)",
     false, false},
    {"steps", "M", "64", "points of the integral, 1 to 1024", false, false},
    {"rule", "NAME", "gauss_legendre",
     "of these points: gauss_legendre, or midpoint, which needs several times as many", false, false},
    {"json", NULL, NULL, "print one JSON object (deploy/formats.md)", false, false},
    {0},
};

const struct shoal_cli_command shoal_cmd_explain = {
    .name = "explain",
    .summary = "why a user's score is what it is",
    .positional = "[USER]",
    .description =
        "What every recent event, every kind of input and every decayed counter adds to the logit of a "
        "purchase within 24 hours, by integrated gradients from a base: as many events that say nothing, "
        "counters at their mean. Contributions sum to the difference of score and base; how far they miss "
        "it is printed. Of a record in Redis the recent events are explained; what older ones did to the "
        "state shows as the difference of the served and the explained score. There is no attention in this "
        "model, and no weight of attention would be given as a reason.",
    .example = "shoal explain --config deploy/shoal.yaml 1002166\n"
               "  shoal explain --events events.csv.gz --user 1002166 --model m.shoal --at 2017-12-02",
    .options = options,
    .run = run,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Read, train, compare, decide; see retrain.h. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "model/base/clock.h"
#include "model/learn/labels.h"
#include "model/learn/slice.h"
#include "model/user_vector.h"
#include "stream/event.h"
#include "tools/retrain.h"
#include "tools/train_show.h"

struct round {
    const struct shoal_retrain_options *options;
    struct shoal_retrain_run *run;
    struct shoal_dataset dataset, window;
    struct shoal_item_names names; /* of the items of `dataset` */
    struct shoal_model *incumbent, *challenger;
    struct shoal_train_show show;
};

/* ---- progress ------------------------------------------------------------------------------- */

static void on_scored(void *context, size_t done, size_t total)
{
    shoal_progress_update(context, (double)done / (double)total, done);
}

/* ---- steps ---------------------------------------------------------------------------------- */

/* The model in service. One that cannot be read does not stop the round: a new model is what heals
 * it. */
static void find_incumbent(struct round *round)
{
    struct shoal_retrain_run *run = round->run;
    const char *dir = round->options->dir;
    enum shoal_status status = shoal_models_current(dir, run->incumbent, &run->incumbent_error);
    if (status == SHOAL_NOT_FOUND) {
        run->incumbent_error.text[0] = '\0';
        return;
    }
    if (status == SHOAL_OK)
        status = shoal_models_load(dir, run->incumbent, &round->incumbent, &run->incumbent_error);
    else
        run->incumbent[0] = '\0';
    memcpy(run->in_service, run->incumbent, sizeof run->in_service);
    if (status != SHOAL_OK)
        fprintf(stderr,
                "warning: the model in service cannot be read, so that the challenger is "
                "compared with the base rate only: %s\n",
                run->incumbent_error.text);
    else
        run->incumbent_error.text[0] = '\0';
}

static void warn_of_data(const struct shoal_retrain_run *run)
{
    shoal_walked_tell(&run->load.walked);
    if (run->late_count)
        fprintf(stderr,
                "%" PRIu64 " of %zu events are older than the one before of the same user; "
                "each counts as of that one's time, as it would in service\n",
                run->late_count, run->events_count);
}

static enum shoal_status read_events(struct round *round, struct shoal_message *message)
{
    const struct shoal_retrain_options *options = round->options;
    struct shoal_retrain_run *run = round->run;
    run->load = (struct shoal_load){
        .until_ms = options->until_given ? options->until_ms : INT64_MAX,
        .names = options->on_top.items ? &round->names : NULL,
        .pseudonym_key = options->pseudonym_key,
    };
    enum shoal_status status =
        shoal_load_events(options->events, &run->load, &round->dataset, message);
    if (status != SHOAL_OK)
        return status;
    const struct shoal_dataset *dataset = &round->dataset;
    run->loaded = true;
    run->fingerprint = dataset->fingerprint;
    run->events_count = dataset->events_count;
    run->users_count = dataset->users_count;
    run->late_count = dataset->late_count;
    run->repeated_count = dataset->repeated_count;
    run->first_ms = dataset->first_ms;
    run->end_ms = run->load.reached ? options->until_ms : dataset->last_ms;
    run->sealed_until_ms = run->end_ms - SHOAL_HORIZON_MS;
    run->sealed_from_ms = run->sealed_until_ms - options->sealed_ms;
    run->from_ms = run->first_ms;
    if (options->window_ms && run->sealed_from_ms - options->window_ms > run->first_ms)
        run->from_ms = run->sealed_from_ms - options->window_ms;
    warn_of_data(run);
    return SHOAL_OK;
}

/* The recent events against the model in service, for the record also where nothing hangs on it. */
static enum shoal_status look_for_drift(struct round *round, struct shoal_message *message)
{
    struct shoal_retrain_run *run = round->run;
    if (!round->incumbent || round->incumbent->reference.count == 0 || run->events_count == 0)
        return SHOAL_OK;
    if (shoal_drift_look(round->incumbent, &round->dataset, run->end_ms - round->options->recent_ms,
                         run->end_ms + !run->load.reached, /* the last event too */
                         &run->drift) != SHOAL_OK)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory with %zu events", run->events_count);
    run->looked = true;
    return SHOAL_OK;
}

static void name_drifted(const struct shoal_drift_report *report, struct shoal_message *text)
{
    size_t size = (size_t)snprintf(text->text, sizeof text->text, "drift of");
    for (uint32_t i = 0; i < report->count && size < sizeof text->text; i++)
        if (report->drifts[i].drifted)
            size += (size_t)snprintf(text->text + size, sizeof text->text - size, " %s",
                                     report->drifts[i].name);
}

/* Whether if_drifted lets this round go on; else the decision is there. */
static bool has_reason(struct round *round)
{
    struct shoal_retrain_run *run = round->run;
    const struct shoal_retrain_options *options = round->options;
    if (!options->if_drifted)
        return true;
    if (!round->incumbent) {
        (void)shoal_fail(&run->trigger, SHOAL_OK, "no model in service");
        return true;
    }
    int64_t age_ms = run->end_ms - round->incumbent->origin.train_until_ms;
    if (run->drift.drifted)
        name_drifted(&run->drift, &run->trigger);
    else if (options->max_age_ms && age_ms > options->max_age_ms)
        (void)shoal_fail(&run->trigger, SHOAL_OK,
                         "the model in service ends %.1f days before the events do",
                         (double)age_ms / 86400e3);
    else if (!run->looked)
        (void)shoal_fail(&run->trigger, SHOAL_OK,
                         "the model in service has no distributions to measure drift against");
    if (run->trigger.text[0])
        return true;
    run->decision = SHOAL_DECISION_SKIPPED;
    if (run->drift.judged)
        (void)shoal_fail(&run->reason, SHOAL_OK, "no drift in the last %" PRIu64 " events",
                         run->drift.samples);
    else
        (void)shoal_fail(&run->reason, SHOAL_OK,
                         "%" PRIu64 " recent events are too few to tell drift; needed are %d",
                         run->drift.samples, SHOAL_DRIFT_SAMPLES_MIN);
    return false;
}

/* The windows before any training: too little data is said at once, with all that is needed. */
static enum shoal_status cut(struct round *round, struct shoal_message *message)
{
    struct shoal_retrain_run *run = round->run;
    double hours = (double)(run->end_ms - run->first_ms) / 3600e3;
    double sealed_hours = (double)round->options->sealed_ms / 3600e3;
    if (run->events_count == 0)
        return shoal_fail(message, SHOAL_TOO_FEW, "no events before the end in %s",
                          round->options->events);
    /* 24 h of labels, the sealed window, and what a training needs at least (labels.c) */
    if (hours <= 24 + sealed_hours + 54)
        return shoal_fail(message, SHOAL_TOO_FEW,
                          "%zu events over %.1f h: nothing is left to train on; needed are events "
                          "over more than %.0f h: 54 for the training, %.0f sealed, 24 for the "
                          "labels of the sealed ones",
                          run->events_count, hours, 24 + sealed_hours + 54, sealed_hours);
    enum shoal_status status =
        shoal_compare_check(&round->dataset, run->sealed_from_ms, run->sealed_until_ms, message);
    if (status != SHOAL_OK)
        return status;
    status =
        shoal_dataset_slice(&round->dataset, run->from_ms, run->sealed_from_ms, &round->window);
    if (status != SHOAL_OK)
        return shoal_fail(message, status, "out of memory with %zu events", run->events_count);
    if (round->window.users_count < SHOAL_SEALED_USERS_MIN)
        return shoal_fail(message, SHOAL_TOO_FEW,
                          "the training window has %zu events of %zu users; needed are %d users",
                          round->window.events_count, round->window.users_count,
                          SHOAL_SEALED_USERS_MIN);
    return SHOAL_OK;
}

/* Gives the challenger the incumbent's clusters if that makes it the incumbent, byte for byte: the same training once
 * more is no new model, though its clusters would say that they continue those of before. */
static enum shoal_status keep_clusters(struct round *round)
{
    struct shoal_model *challenger = round->challenger;
    const struct shoal_model *incumbent = round->incumbent;
    struct shoal_clusters *own = challenger->clusters, *kept = NULL;
    struct shoal_buffer bytes = {0}, section = {0};
    struct shoal_unpack in;
    if (!own || !incumbent || !incumbent->clusters ||
        shoal_clusters_count(own) != shoal_clusters_count(incumbent->clusters))
        return SHOAL_OK;
    shoal_clusters_pack(incumbent->clusters, &section);
    shoal_unpack_init(&in, section.bytes, section.size);
    enum shoal_status status =
        shoal_clusters_unpack(&in, shoal_user_vector_size(challenger), &kept, NULL);
    challenger->clusters = kept;
    bool same = status == SHOAL_OK && shoal_model_serialize(challenger, &bytes) == SHOAL_OK &&
                challenger->id == incumbent->id;
    if (!same)
        challenger->clusters = own;
    shoal_clusters_destroy(same ? own : kept);
    shoal_buffer_finish(&section);
    shoal_buffer_finish(&bytes);
    return status == SHOAL_NOMEM ? status : SHOAL_OK; /* of another size of vector: another model */
}

/* What the finished network is the base of, from the same window. */
static enum shoal_status learn_on_top(struct round *round, struct shoal_message *message)
{
    const struct shoal_retrain_options *options = round->options;
    struct shoal_on_top on_top = options->on_top;
    on_top.item_names = &round->names;
    enum shoal_status status = shoal_on_top_learn(
        &on_top, round->challenger, &round->window, round->run->sealed_from_ms,
        options->train.seed, round->incumbent, &round->run->learnt, message);
    if (status != SHOAL_OK)
        return status;
    shoal_on_top_show(&options->on_top, &round->run->learnt, stderr);
    status = keep_clusters(round);
    return status == SHOAL_OK ? status : shoal_fail(message, status, "out of memory");
}

static enum shoal_status train(struct round *round, struct shoal_message *message)
{
    struct shoal_retrain_run *run = round->run;
    struct shoal_train_report report = {
        .context = &round->show,
        .on_epoch = shoal_train_show_epoch,
        .on_progress = shoal_train_show_progress,
    };
    shoal_progress_start(&round->show.line, "train", "events");
    enum shoal_status status =
        shoal_train(&round->window, run->sealed_from_ms, &round->options->train, &report,
                    &round->challenger, &run->summary, message);
    shoal_progress_end(&round->show.line);
    if (status == SHOAL_NOMEM)
        return shoal_fail(message, status, "out of memory with %zu events", run->events_count);
    if (status != SHOAL_OK)
        return status;
    status = learn_on_top(round, message);
    if (status != SHOAL_OK)
        return status;
    struct shoal_buffer bytes = {0};
    status = shoal_model_serialize(round->challenger, &bytes); /* sets the version */
    shoal_buffer_finish(&bytes);
    if (status != SHOAL_OK)
        return shoal_fail(message, status,
                          "the challenger cannot be written: it has values that "
                          "are not finite");
    run->trained = true;
    run->origin = round->challenger->origin;
    memcpy(run->challenger, round->challenger->version, sizeof run->challenger);
    return SHOAL_OK;
}

static enum shoal_status compare(struct round *round, struct shoal_message *message)
{
    struct shoal_retrain_run *run = round->run;
    struct shoal_progress line;
    struct shoal_compare_options how = {
        .from_ms = run->sealed_from_ms,
        .until_ms = run->sealed_until_ms,
        .margin = round->options->margin,
        .seed = round->options->train.seed,
        .progress = on_scored,
        .context = &line,
    };
    shoal_progress_start(&line, "compare", "events");
    enum shoal_status status = shoal_compare(round->challenger, round->incumbent, &round->dataset,
                                             &how, &run->comparison, message);
    shoal_progress_end(&line);
    run->compared = status == SHOAL_OK;
    if (run->compared && run->comparison.incumbent_saw_window)
        fprintf(stderr,
                "warning: the model in service was trained on days of the sealed window; it "
                "looks better there than it is\n");
    return status;
}

/* Puts the challenger into service unless somebody has changed the model in service meanwhile. */
static enum shoal_status publish(struct round *round, struct shoal_message *message)
{
    struct shoal_retrain_run *run = round->run;
    const char *dir = round->options->dir;
    struct shoal_model *there;
    bool was_there = shoal_models_load(dir, run->challenger, &there, NULL) == SHOAL_OK;
    shoal_model_destroy(there);
    enum shoal_status status = shoal_models_add(dir, round->challenger, message);
    if (status == SHOAL_OK)
        status = shoal_models_replace(dir, run->incumbent, run->challenger, message);
    if (status == SHOAL_FENCED) {
        if (!was_there && !round->options->keep_challenger &&
            shoal_models_remove(dir, run->challenger, NULL) != SHOAL_OK)
            fprintf(stderr, "warning: %s stays in the folder\n", run->challenger);
        run->decision = SHOAL_DECISION_KEPT;
        (void)shoal_fail(&run->reason, SHOAL_OK, "%s while this round ran; not overruled",
                         message->text);
        if (shoal_models_current(dir, run->in_service, NULL) != SHOAL_OK)
            run->in_service[0] = '\0';
        return SHOAL_OK;
    }
    if (status != SHOAL_OK)
        return status;
    run->decision = SHOAL_DECISION_PUBLISHED;
    memcpy(run->in_service, run->challenger, sizeof run->in_service);
    return SHOAL_OK;
}

/* From here on a round is not stopped in the middle: what is published is also recorded. */
static void hold_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
}

static enum shoal_status decide(struct round *round, struct shoal_message *message)
{
    struct shoal_retrain_run *run = round->run;
    hold_signals();
    run->reason = run->comparison.reason;
    if (round->incumbent && strcmp(run->challenger, run->incumbent) == 0) {
        run->decision = SHOAL_DECISION_KEPT;
        (void)shoal_fail(&run->reason, SHOAL_OK,
                         "the training gave the model in service again, byte for byte");
        return SHOAL_OK;
    }
    if (run->comparison.verdict == SHOAL_VERDICT_PUBLISH)
        return publish(round, message);
    run->decision = run->comparison.verdict == SHOAL_VERDICT_KEEP ? SHOAL_DECISION_KEPT
                                                                  : SHOAL_DECISION_REFUSED;
    return round->options->keep_challenger
               ? shoal_models_add(round->options->dir, round->challenger, message)
               : SHOAL_OK;
}

static enum shoal_status train_and_decide(struct round *round, struct shoal_message *message)
{
    enum shoal_status status = cut(round, message);
    if (status == SHOAL_OK)
        status = train(round, message);
    if (status == SHOAL_OK)
        status = compare(round, message);
    if (status == SHOAL_OK)
        status = decide(round, message);
    return status;
}

void shoal_retrain_round(const struct shoal_retrain_options *options, struct shoal_retrain_run *run)
{
    struct round round = {.options = options, .run = run};
    struct shoal_message message = {.text = ""};
    int64_t since_ms = shoal_clock_ms();
    *run = (struct shoal_retrain_run){.started_wall_ms = shoal_clock_wall_ms()};
    shoal_dataset_init(&round.dataset, options->train.dims.ring);
    shoal_dataset_init(&round.window, options->train.dims.ring);
    shoal_item_names_init(&round.names);
    find_incumbent(&round);
    enum shoal_status status = read_events(&round, &message);
    if (status == SHOAL_OK)
        status = look_for_drift(&round, &message);
    if (status == SHOAL_OK && has_reason(&round))
        status = train_and_decide(&round, &message);
    if (status != SHOAL_OK) {
        run->decision = SHOAL_DECISION_FAILED;
        run->status = status;
        run->reason = message;
    }
    run->took_ms = shoal_clock_ms() - since_ms;
    shoal_model_destroy(round.incumbent);
    shoal_model_destroy(round.challenger);
    shoal_dataset_finish(&round.dataset);
    shoal_dataset_finish(&round.window);
    shoal_item_names_finish(&round.names);
}

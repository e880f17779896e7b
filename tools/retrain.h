/* SPDX-License-Identifier: Apache-2.0 */
/* One round of retraining, and the line that is left of it.
 *
 *   |<- warm-up ->|<------- training ------->|<- 24 h ->|<- sealed ->|<- 24 h ->|
 *   first         from                                  sealed_from  sealed_until  end
 *
 * No training label looks beyond sealed_from, so the last 24 h before it teach inputs only; the
 * labels of the sealed window look 24 h beyond it. What is published is the very model that was
 * judged: fitting it once more on the sealed days would put a model into service that nobody has
 * seen at work. */
#ifndef SHOAL_RETRAIN_H
#define SHOAL_RETRAIN_H

#include <stdbool.h>

#include "model/learn/compare.h"
#include "model/learn/reference.h"
#include "model/learn/train.h"
#include "model/models_dir.h"
#include "tools/learn_on_top.h"
#include "tools/load_events.h"

struct shoal_retrain_options {
    const char *events, *dir;
    const char *pseudonym_key; /* file; NULL: none */
    int64_t window_ms; /* length of the training window; 0: everything */
    bool until_given;
    int64_t until_ms; /* events from here on are left out */
    int64_t sealed_ms;
    double margin;
    bool keep_challenger;
    bool if_drifted;    /* train only if the recent events have drifted, or … */
    int64_t max_age_ms; /* … the model in service ends so long before they do; 0: however long */
    int64_t recent_ms;  /* how much is looked at for drift */
    struct shoal_train_options train;
    struct shoal_on_top on_top; /* what is learnt on top of the network */
};

/*  X(NAME, "text in runs.jsonl") */
#define SHOAL_DECISION_LIST(X)                                                                     \
    X(FAILED, "failed") /* no challenger could be had or judged */                                 \
    X(PUBLISHED, "published")                                                                      \
    X(KEPT, "kept")       /* the model in service stays; nothing is proved against the other */    \
    X(REFUSED, "refused") /* surely worse */                                                       \
    X(SKIPPED, "skipped") /* no reason to train */                                                 \
    X(ROLLED_BACK, "rolled_back") /* by hand: shoal models --use */

enum shoal_decision {
#define X(name, text) SHOAL_DECISION_##name,
    SHOAL_DECISION_LIST(X)
#undef X
        SHOAL_DECISION_COUNT
};

struct shoal_retrain_run {
    int64_t started_wall_ms, took_ms;
    enum shoal_decision decision;
    enum shoal_status status; /* of a failure */
    struct shoal_message reason;
    char challenger[17], incumbent[17], in_service[17]; /* "": none */
    struct shoal_message incumbent_error; /* why the one in service cannot be read; "" */
    /* What was read: there from `loaded` on. */
    bool loaded;
    struct shoal_load load;
    uint64_t fingerprint;
    size_t events_count, users_count;
    uint64_t late_count, repeated_count;
    int64_t first_ms, end_ms, from_ms, sealed_from_ms, sealed_until_ms;
    bool looked, trained, compared; /* the next ones are there */
    struct shoal_drift_report drift;
    struct shoal_message trigger; /* why there was a training with if_drifted; "" */
    struct shoal_train_summary summary;
    struct shoal_on_top_report learnt;
    struct shoal_model_origin origin; /* of the challenger */
    struct shoal_comparison comparison;
};

/* "published" … Static. */
const char *shoal_decision_text(enum shoal_decision decision);
/* Runs one round without recording it; *run says how it went, also when it failed. The caller holds
 * the folder's lock, and records the run. Progress goes to standard error. Comes back with SIGTERM
 * and SIGINT blocked if a decision was reached, so that a run that has published is not ended
 * before it is recorded. */
void shoal_retrain_round(const struct shoal_retrain_options *options,
                         struct shoal_retrain_run *run);
/* The run as one JSON object and a newline. */
void shoal_retrain_put(const struct shoal_retrain_options *options,
                       const struct shoal_retrain_run *run, FILE *out);
/* The same for people, several lines. */
void shoal_retrain_print(const struct shoal_retrain_run *run, FILE *out);
/* Appends one line (with its newline) to DIR/runs.jsonl, whole and synced; a line that a killed
 * writer left unfinished is ended first. IO with the reason. */
enum shoal_status shoal_runs_append(const char *dir, const char *line, size_t size,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
/* shoal_retrain_put and shoal_runs_append. */
enum shoal_status shoal_retrain_record(const struct shoal_retrain_options *options,
                                       const struct shoal_retrain_run *run,
                                       struct shoal_message *message) SHOAL_MUST_CHECK;

#endif

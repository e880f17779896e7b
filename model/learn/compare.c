/* SPDX-License-Identifier: Apache-2.0 */
/* Scores both, pairs them, applies the rule; see compare.h. */
#include "model/learn/compare.h"

#include <math.h>
#include <stdlib.h>

#include "model/learn/evaluate.h"
#include "model/learn/labels.h"

struct seal {
    size_t count, positives, users_count;
    double base_rate; /* of what was known before the window; NaN: nothing was */
};

/* Events are grouped by user, so a user is new where the last one seen was another. */
static enum shoal_status look(const struct shoal_dataset *dataset, int64_t from_ms,
                              int64_t until_ms, struct seal *seal)
{
    int8_t *labels = malloc(dataset->events_count + 1);
    if (!labels)
        return SHOAL_NOMEM;
    size_t known = 0, known_positives = 0;
    uint32_t last_user = UINT32_MAX;
    *seal = (struct seal){0};
    shoal_labels_make(dataset, dataset->last_ms, labels);
    for (size_t i = 0; i < dataset->events_count; i++) {
        int64_t time_ms = dataset->touches[i].time_ms;
        if (labels[i] == SHOAL_UNLABELLED)
            continue;
        if (time_ms <= from_ms - SHOAL_HORIZON_MS) {
            known++;
            known_positives += labels[i] == 1;
        }
        if (time_ms < from_ms || time_ms >= until_ms)
            continue;
        seal->count++;
        seal->positives += labels[i] == 1;
        seal->users_count += dataset->owners[i] != last_user;
        last_user = dataset->owners[i];
    }
    free(labels);
    seal->base_rate = known ? (double)known_positives / (double)known : (double)NAN;
    return SHOAL_OK;
}

static enum shoal_status check(const struct seal *seal, struct shoal_message *message)
{
    if (seal->count >= SHOAL_SEALED_EVENTS_MIN && seal->users_count >= SHOAL_SEALED_USERS_MIN &&
        seal->positives >= SHOAL_SEALED_CLASS_MIN &&
        seal->count - seal->positives >= SHOAL_SEALED_CLASS_MIN)
        return SHOAL_OK;
    return shoal_fail(
        message, SHOAL_TOO_FEW,
        "the sealed window has %zu labelled events of %zu users, %zu of them before a "
        "purchase within 24 h; needed are %d events of %d users with at least %d of "
        "either kind",
        seal->count, seal->users_count, seal->positives, SHOAL_SEALED_EVENTS_MIN,
        SHOAL_SEALED_USERS_MIN, SHOAL_SEALED_CLASS_MIN);
}

static enum shoal_status fail_memory(const struct shoal_dataset *dataset,
                                     struct shoal_message *message)
{
    return shoal_fail(message, SHOAL_NOMEM, "out of memory with %zu events", dataset->events_count);
}

enum shoal_status shoal_compare_check(const struct shoal_dataset *dataset, int64_t from_ms,
                                      int64_t until_ms, struct shoal_message *message)
{
    struct seal seal;
    if (look(dataset, from_ms, until_ms, &seal) != SHOAL_OK)
        return fail_memory(dataset, message);
    return check(&seal, message);
}

/* ---- figures -------------------------------------------------------------------------------- */

static enum shoal_status score(const struct shoal_model *model, const struct shoal_dataset *dataset,
                               const struct shoal_compare_options *options,
                               struct shoal_evaluation *evaluation, struct shoal_message *message)
{
    struct shoal_evaluate_options how = {
        .from_ms = options->from_ms,
        .until_ms = options->until_ms,
        .precision = SHOAL_FP16,
        .seed = options->seed,
        .progress = options->progress,
        .context = options->context,
    };
    return shoal_evaluate(model, dataset, &how, evaluation, message);
}

/* Sets the differences of the challenger from a rival, whose scores are of the same events. */
static enum shoal_status pair(const struct shoal_sample *challenger, const float *scores,
                              uint64_t seed, struct shoal_rival *rival)
{
    struct shoal_sample other = *challenger;
    other.scores = scores;
    rival->there = true;
    return shoal_metrics_compare(challenger, &other, seed, rival->difference, rival->intervals);
}

static enum shoal_status against_prior(const struct shoal_sample *challenger, double base_rate,
                                       uint64_t seed, struct shoal_rival *prior)
{
    if (isnan(base_rate))
        return SHOAL_OK;
    float *scores = malloc((challenger->count + 1) * sizeof *scores);
    if (!scores)
        return SHOAL_NOMEM;
    for (size_t i = 0; i < challenger->count; i++)
        scores[i] = (float)base_rate;
    struct shoal_sample sample = *challenger;
    sample.scores = scores;
    enum shoal_status status = shoal_metrics_compute(&sample, seed, &prior->event_level);
    if (status == SHOAL_OK)
        status = pair(challenger, scores, seed, prior);
    free(scores);
    return status;
}

static enum shoal_status against_incumbent(const struct shoal_sample *challenger,
                                           const struct shoal_model *incumbent,
                                           const struct shoal_dataset *dataset,
                                           const struct shoal_compare_options *options,
                                           struct shoal_rival *rival, struct shoal_message *message)
{
    struct shoal_evaluation evaluation;
    enum shoal_status status = score(incumbent, dataset, options, &evaluation, message);
    if (status == SHOAL_OK) {
        rival->event_level = evaluation.event_level[SHOAL_PREDICTOR_MODEL];
        rival->user_level = evaluation.user_level[SHOAL_PREDICTOR_MODEL];
        status = pair(challenger, evaluation.scores, options->seed, rival);
    }
    shoal_evaluation_finish(&evaluation);
    return status;
}

static enum shoal_status measure(const struct shoal_model *challenger,
                                 const struct shoal_model *incumbent,
                                 const struct shoal_dataset *dataset, double base_rate,
                                 const struct shoal_compare_options *options,
                                 struct shoal_comparison *comparison, struct shoal_message *message)
{
    struct shoal_evaluation evaluation;
    enum shoal_status status = score(challenger, dataset, options, &evaluation, message);
    uint32_t *users = status == SHOAL_OK ? malloc((evaluation.count + 1) * sizeof *users) : NULL;
    if (status == SHOAL_OK && !users)
        status = SHOAL_NOMEM;
    if (status == SHOAL_OK) {
        comparison->event_level = evaluation.event_level[SHOAL_PREDICTOR_MODEL];
        comparison->user_level = evaluation.user_level[SHOAL_PREDICTOR_MODEL];
        for (size_t i = 0; i < evaluation.count; i++)
            users[i] = dataset->owners[evaluation.events[i]];
        struct shoal_sample sample = {evaluation.scores, evaluation.labels, users, evaluation.count,
                                      dataset->users_count};
        status = against_prior(&sample, base_rate, options->seed, &comparison->prior);
        if (status == SHOAL_OK && incumbent)
            status = against_incumbent(&sample, incumbent, dataset, options, &comparison->incumbent,
                                       message);
    }
    free(users);
    shoal_evaluation_finish(&evaluation);
    return status;
}

enum shoal_status shoal_compare(const struct shoal_model *challenger,
                                const struct shoal_model *incumbent,
                                const struct shoal_dataset *dataset,
                                const struct shoal_compare_options *options,
                                struct shoal_comparison *comparison, struct shoal_message *message)
{
    struct seal seal;
    *comparison = (struct shoal_comparison){.verdict = SHOAL_VERDICT_REFUSE};
    enum shoal_status status = look(dataset, options->from_ms, options->until_ms, &seal);
    if (status == SHOAL_OK)
        status = check(&seal, message);
    if (status == SHOAL_OK)
        status =
            measure(challenger, incumbent, dataset, seal.base_rate, options, comparison, message);
    if (status == SHOAL_NOMEM)
        return fail_memory(dataset, message);
    if (status != SHOAL_OK)
        return status;
    comparison->incumbent_saw_window =
        incumbent && incumbent->origin.train_until_ms > options->from_ms;
    shoal_compare_judge(comparison, options->margin);
    return SHOAL_OK;
}

/* ---- the rule ------------------------------------------------------------------------------- */

/* An interval that is no number proves nothing; it is not above zero. */
static bool surely_worse(const struct shoal_rival *rival)
{
    return rival->there && rival->intervals[SHOAL_MEASURE_log_loss].low > 0;
}

static bool surely_better(const struct shoal_rival *rival)
{
    return rival->there && rival->intervals[SHOAL_MEASURE_log_loss].high < 0;
}

static void conclude(struct shoal_comparison *comparison, enum shoal_verdict verdict,
                     const char *text, const struct shoal_rival *rival, const char *name)
{
    const struct shoal_interval *interval = &rival->intervals[SHOAL_MEASURE_log_loss];
    comparison->verdict = verdict;
    (void)shoal_fail(&comparison->reason, SHOAL_OK,
                     "%s: log loss of challenger - %s is %+.5f [%+.5f, %+.5f]", text, name,
                     rival->difference[SHOAL_MEASURE_log_loss], interval->low, interval->high);
}

void shoal_compare_judge(struct shoal_comparison *comparison, double margin)
{
    const struct shoal_rival *incumbent = &comparison->incumbent, *prior = &comparison->prior;
    double difference = incumbent->difference[SHOAL_MEASURE_log_loss];
    double tolerated = margin * incumbent->event_level.values[SHOAL_MEASURE_log_loss];
    if (surely_worse(incumbent))
        conclude(comparison, SHOAL_VERDICT_REFUSE, "surely worse than the model in service",
                 incumbent, "incumbent");
    else if (surely_worse(prior) && !surely_better(incumbent))
        conclude(comparison, SHOAL_VERDICT_REFUSE,
                 "surely worse than the base rate of the days before", prior, "prior");
    else if (incumbent->there && !(difference <= tolerated))
        conclude(comparison, SHOAL_VERDICT_KEEP,
                 "perhaps by chance, but by more than the margin worse than the model in service",
                 incumbent, "incumbent");
    else if (surely_better(incumbent))
        conclude(comparison, SHOAL_VERDICT_PUBLISH, "surely better than the model in service",
                 incumbent, "incumbent");
    else if (incumbent->there)
        conclude(comparison, SHOAL_VERDICT_PUBLISH, "no harm seen beside the model in service",
                 incumbent, "incumbent");
    else if (prior->there)
        conclude(comparison, SHOAL_VERDICT_PUBLISH,
                 "no model in service to compare with, and no harm seen beside the base rate",
                 prior, "prior");
    else {
        comparison->verdict = SHOAL_VERDICT_KEEP;
        (void)shoal_fail(&comparison->reason, SHOAL_OK, "nothing to compare with");
    }
}

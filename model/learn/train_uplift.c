/* SPDX-License-Identifier: Apache-2.0 */
/* Both stages on the user vector; see train_uplift.h. */
#include "model/learn/train_uplift.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/contacts.h"
#include "model/learn/logistic.h"
#include "model/learn/random.h"
#include "model/learn/score.h"
#include "model/learn/uplift_learners.h"
#include "model/learn/uplift_metrics.h"
#include "model/user_vector.h"

enum { MOMENTS_MOST = 20000, LEVEL_LEAST = 50, LEVELS = 3, HELD_OUT_PERCENT = 20 };
static const double STAGE_RIDGE = 1e-3;

/* ---- rows ------------------------------------------------------------------------------------ */

/* The vectors of moments as rows. */
static enum shoal_status make_rows(const struct shoal_model *model, const struct shoal_dataset *dataset,
                                   const struct shoal_examples *examples, const struct shoal_moments *moments,
                                   struct shoal_uplift_rows *rows)
{
    size_t width = shoal_user_vector_size(model);
    float *vectors = malloc((moments->count * width + 1) * sizeof *vectors);
    enum shoal_status status = vectors ? SHOAL_OK : SHOAL_NOMEM;
    *rows = (struct shoal_uplift_rows){0};
    if (status == SHOAL_OK)
        status = shoal_score_vectors(model, dataset, examples, SHOAL_FP16, moments->events, moments->count,
                                     vectors);
    if (status == SHOAL_OK)
        status = shoal_uplift_rows_make(moments->count, width, rows);
    for (size_t i = 0; status == SHOAL_OK && i < moments->count; i++) {
        for (size_t k = 0; k < width; k++)
            rows->x[i * width + k] = (double)vectors[i * width + k];
        rows->treated[i] = moments->treated[i];
        rows->outcome[i] = moments->outcome[i];
        rows->stage[i] = moments->stages[i];
    }
    free(vectors);
    return status;
}

/* 1 for the rows of users who are held out. */
static uint8_t *hold_out(const struct shoal_dataset *dataset, const struct shoal_moments *moments, uint64_t seed,
                         uint32_t percent)
{
    uint64_t key = shoal_random_key(seed, SHOAL_RANDOM_SHUFFLE);
    uint8_t *held = malloc(moments->count + 1);
    for (size_t i = 0; held && i < moments->count; i++)
        held[i] = shoal_random_below(key, dataset->owners[moments->events[i]], 100) < percent;
    return held;
}

/* ---- stage 1 --------------------------------------------------------------------------------- */

/* weights[2 × (width + 1)], every level weighing the same. */
static enum shoal_status fit_stage(const struct shoal_uplift_rows *rows, double *weights)
{
    double *importance = malloc((rows->count + 1) * sizeof *importance),
           *ridges = calloc(rows->width + 1, sizeof *ridges);
    size_t counts[LEVELS] = {0};
    enum shoal_status status = SHOAL_NOMEM;
    for (size_t i = 0; i < rows->count; i++)
        counts[rows->stage[i]]++;
    for (size_t i = 0; importance && i < rows->count; i++)
        importance[i] = (double)rows->count / (LEVELS * (double)counts[rows->stage[i]]);
    for (size_t k = 0; ridges && k < rows->width; k++)
        ridges[k] = STAGE_RIDGE;
    memset(weights, 0, 2 * (rows->width + 1) * sizeof *weights);
    if (importance && ridges) {
        struct shoal_logistic_data data = {rows->x,     rows->stage, importance, ridges,
                                           rows->count, rows->width, LEVELS};
        status = shoal_logistic_fit(&data, weights);
    }
    free(importance);
    free(ridges);
    return status;
}

static double balanced_accuracy(const struct shoal_uplift_rows *rows, const double *weights)
{
    size_t counts[LEVELS] = {0}, right[LEVELS] = {0};
    double sum = 0;
    for (size_t i = 0; i < rows->count; i++) {
        double p[LEVELS];
        size_t best = 0;
        shoal_logistic_probabilities(weights, rows->x + i * rows->width, rows->width, LEVELS, p);
        for (size_t c = 1; c < LEVELS; c++)
            best = p[c] > p[best] ? c : best;
        counts[rows->stage[i]]++;
        right[rows->stage[i]] += best == rows->stage[i];
    }
    for (size_t c = 0; c < LEVELS; c++)
        sum += counts[c] ? (double)right[c] / (double)counts[c] : 0;
    return sum / LEVELS;
}

/* Judged on users held out, then learnt from all. */
static enum shoal_status learn_stage(const struct shoal_uplift_rows *rows, const uint8_t *held, double *weights,
                                     struct shoal_train_uplift_report *report)
{
    struct shoal_uplift_rows train = {0}, test = {0};
    enum shoal_status status = shoal_uplift_rows_copy(rows, held, 0, &train);
    if (status == SHOAL_OK)
        status = shoal_uplift_rows_copy(rows, held, 1, &test);
    if (status == SHOAL_OK)
        status = fit_stage(&train, weights);
    if (status == SHOAL_OK) {
        report->balanced_accuracy = balanced_accuracy(&test, weights);
        status = fit_stage(rows, weights);
    }
    shoal_uplift_rows_finish(&train);
    shoal_uplift_rows_finish(&test);
    return status;
}

static bool enough_levels(const struct shoal_moments *moments, struct shoal_train_uplift_report *report)
{
    for (size_t i = 0; i < moments->count; i++)
        report->moments[moments->stages[i]]++;
    for (size_t c = 0; c < LEVELS; c++)
        if (report->moments[c] < LEVEL_LEAST) {
            snprintf(report->text[0], sizeof report->text[0],
                     "engagement is not learnt: %zu engaged, %zu unengaged, %zu inactive visits with 72 h after "
                     "them, %d of each are needed",
                     report->moments[SHOAL_STAGE_ENGAGED], report->moments[SHOAL_STAGE_UNENGAGED],
                     report->moments[SHOAL_STAGE_INACTIVE], LEVEL_LEAST);
            return false;
        }
    return true;
}

static enum shoal_status first_stage(const struct shoal_model *model, const struct shoal_dataset *dataset,
                                     const struct shoal_examples *examples, int64_t end_ms, uint64_t seed,
                                     double *weights, struct shoal_train_uplift_report *report)
{
    struct shoal_moments moments;
    struct shoal_uplift_rows rows = {0};
    uint8_t *held = NULL;
    enum shoal_status status = shoal_moments_of_visits(dataset, end_ms, MOMENTS_MOST, &moments);
    bool enough = status == SHOAL_OK && enough_levels(&moments, report);
    if (enough) {
        held = hold_out(dataset, &moments, seed, HELD_OUT_PERCENT);
        status = held ? make_rows(model, dataset, examples, &moments, &rows) : SHOAL_NOMEM;
        if (status == SHOAL_OK)
            status = learn_stage(&rows, held, weights, report);
    }
    if (enough && status == SHOAL_OK) {
        report->made = true;
        snprintf(report->text[0], sizeof report->text[0],
                 "engagement of %zu visits (%zu engaged, %zu unengaged, %zu inactive): balanced accuracy %.3f on "
                 "users held out, chance 0.333",
                 rows.count, report->moments[SHOAL_STAGE_ENGAGED], report->moments[SHOAL_STAGE_UNENGAGED],
                 report->moments[SHOAL_STAGE_INACTIVE], report->balanced_accuracy);
    }
    free(held);
    shoal_uplift_rows_finish(&rows);
    shoal_moments_finish(&moments);
    return status;
}

/* ---- stage 2 --------------------------------------------------------------------------------- */

static const double ridges[] = {0.01, 0.1, 1};
static const double taus[] = {0, 0.3, 0.4, 0.5, 0.55, 0.6};

static enum shoal_status qini_of(const struct shoal_uplift_rows *rows, const struct shoal_uplift_heads *heads,
                                 double *qini)
{
    double *scores = malloc((rows->count + 1) * sizeof *scores);
    if (!scores)
        return SHOAL_NOMEM;
    for (size_t i = 0; i < rows->count; i++)
        scores[i] = shoal_uplift_prompted(heads, rows->x + i * rows->width);
    struct shoal_uplift_sample sample = {scores, rows->treated, rows->outcome, rows->count};
    enum shoal_status status = shoal_uplift_qini(&sample, qini);
    free(scores);
    return status;
}

/* The setting with the highest Qini on `test`. */
static enum shoal_status choose(const struct shoal_uplift_rows *train, const struct shoal_uplift_rows *test,
                                struct shoal_uplift_setting *best, double *most)
{
    static const enum shoal_uplift_learner learners[] = {SHOAL_LEARNER_two_stage, SHOAL_LEARNER_analytic};
    enum shoal_status status = SHOAL_OK;
    *most = -INFINITY;
    for (size_t l = 0; l < 2 && status == SHOAL_OK; l++) {
        struct shoal_uplift_heads heads = {0};
        struct shoal_uplift_setting setting = {learners[l], ridges[0], taus[0]};
        size_t each = learners[l] == SHOAL_LEARNER_two_stage ? sizeof taus / sizeof *taus : 1;
        status = shoal_uplift_learn(train, &setting, &heads);
        for (size_t s = 0; s < each * sizeof ridges / sizeof *ridges && status == SHOAL_OK; s++) {
            double qini = NAN;
            status = shoal_uplift_relearn(train, ridges[s / each], taus[s % each], &heads);
            if (status == SHOAL_OK)
                status = qini_of(test, &heads, &qini);
            if (status == SHOAL_OK && qini > *most) {
                *most = qini;
                *best = heads.setting;
            }
        }
        shoal_uplift_heads_finish(&heads);
    }
    return status;
}

/* What is served of the heads: z = w·u + b (uplift_parts.h). */
static void serve(const struct shoal_uplift_heads *heads, double *weights,
                  struct shoal_train_uplift_report *report)
{
    bool analytic = heads->setting.learner == SHOAL_LEARNER_analytic;
    size_t each = heads->width + 1;
    memcpy(weights, heads->weights + (analytic ? 1 : 2) * each, each * sizeof *weights);
    if (analytic)
        weights[heads->width] -= log(heads->treated_share / (1 - heads->treated_share));
    report->form = analytic ? SHOAL_PROMPTED_analytic : SHOAL_PROMPTED_two_stage;
    report->tau = heads->setting.tau;
    report->ridge = heads->setting.ridge;
}

static enum shoal_status learn_prompted(const struct shoal_uplift_rows *rows, const uint8_t *held,
                                        double *weights, struct shoal_train_uplift_report *report)
{
    struct shoal_uplift_rows train = {0}, test = {0};
    struct shoal_uplift_setting best = {.learner = SHOAL_LEARNER_two_stage};
    struct shoal_uplift_heads heads = {0};
    struct shoal_message why = {.text = ""};
    enum shoal_status status = shoal_uplift_rows_copy(rows, held, 0, &train);
    if (status == SHOAL_OK)
        status = shoal_uplift_rows_copy(rows, held, 1, &test);
    if (status == SHOAL_OK)
        status = shoal_uplift_enough(&train, &why);
    if (status == SHOAL_OK)
        status = shoal_uplift_enough(&test, &why);
    if (status == SHOAL_OK)
        status = choose(&train, &test, &best, &report->qini);
    if (status == SHOAL_OK && report->qini > 0)
        status = shoal_uplift_learn(rows, &best, &heads);
    if (status == SHOAL_OK && report->qini > 0)
        serve(&heads, weights, report);
    if (status == SHOAL_TOO_FEW) {
        snprintf(report->text[1], sizeof report->text[1], "prompted or organic is not learnt: in half of the users %.140s",
                 why.text);
        status = SHOAL_OK;
    }
    shoal_uplift_heads_finish(&heads);
    shoal_uplift_rows_finish(&train);
    shoal_uplift_rows_finish(&test);
    return status;
}

/* What was learnt, if nothing has been said yet. */
static void tell_prompted(struct shoal_train_uplift_report *report)
{
    char *text = report->text[1];
    size_t size = sizeof report->text[1];
    const char *from = report->randomised ? "randomised decisions" : "contacts that the log observed";
    if (*text)
        return;
    if (report->form == SHOAL_PROMPTED_none)
        snprintf(text, size, "prompted or organic is not learnt: of %zu contacts no setting had a Qini above 0 on users held out",
                 report->contacts[1]);
    else
        snprintf(text, size, "prompted or organic by %s from %s (%zu contacts, %zu without): Qini %+.3f on users held out",
                 report->form == SHOAL_PROMPTED_analytic ? "the analytic form" : "two stages", from,
                 report->contacts[1], report->contacts[0], report->qini);
}

static enum shoal_status second_stage(const struct shoal_model *model, const struct shoal_dataset *dataset,
                                      const struct shoal_examples *examples, int64_t end_ms,
                                      const struct shoal_train_uplift_options *options, double *weights,
                                      struct shoal_train_uplift_report *report)
{
    struct shoal_moments moments;
    struct shoal_uplift_rows rows = {0};
    enum shoal_status status = shoal_moments_of_contacts(dataset, end_ms, options, &moments);
    report->randomised = options->arms;
    for (size_t i = 0; status == SHOAL_OK && i < moments.count; i++) {
        report->contacts[moments.treated[i]]++;
        report->outcomes[moments.treated[i]] += (size_t)moments.outcome[i];
    }
    if (status == SHOAL_OK && report->contacts[1] == 0) {
        snprintf(report->text[1], sizeof report->text[1], "prompted or organic is not learnt: the log has no contacts");
    } else if (status == SHOAL_OK) {
        uint8_t *held = hold_out(dataset, &moments, options->seed + 1, 50);
        status = held ? make_rows(model, dataset, examples, &moments, &rows) : SHOAL_NOMEM;
        if (status == SHOAL_OK)
            status = learn_prompted(&rows, held, weights, report);
        tell_prompted(report);
        free(held);
    }
    shoal_uplift_rows_finish(&rows);
    shoal_moments_finish(&moments);
    return status;
}

/* ---- both ------------------------------------------------------------------------------------ */

static enum shoal_status learn(struct shoal_model *model, const struct shoal_dataset *dataset, int64_t end_ms,
                               const struct shoal_train_uplift_options *options, double *weights,
                               struct shoal_train_uplift_report *report)
{
    struct shoal_examples examples = {0};
    size_t each = shoal_user_vector_size(model) + 1;
    enum shoal_status status = shoal_examples_make(dataset, &model->params.dims, &examples);
    if (status == SHOAL_OK)
        status = first_stage(model, dataset, &examples, end_ms, options->seed, weights, report);
    if (status == SHOAL_OK && report->made)
        status = second_stage(model, dataset, &examples, end_ms, options, weights + 2 * each, report);
    shoal_examples_finish(&examples);
    return status;
}

enum shoal_status shoal_train_uplift(struct shoal_model *model, const struct shoal_dataset *dataset,
                                     int64_t end_ms, const struct shoal_train_uplift_options *options,
                                     struct shoal_train_uplift_report *report)
{
    size_t width = shoal_user_vector_size(model), count = 3 * (width + 1);
    *report = (struct shoal_train_uplift_report){.balanced_accuracy = NAN, .qini = NAN, .tau = NAN, .ridge = NAN};
    shoal_uplift_destroy(model->uplift);
    model->uplift = NULL;
    if (width > SHOAL_UPLIFT_WIDTH) {
        snprintf(report->text[0], sizeof report->text[0],
                 "engagement is not learnt: a user vector of %zu, up to %d can be", width, SHOAL_UPLIFT_WIDTH);
        return SHOAL_OK;
    }
    double *weights = calloc(count, sizeof *weights);
    struct shoal_uplift *uplift = shoal_uplift_create(width);
    enum shoal_status status = weights && uplift ? SHOAL_OK : SHOAL_NOMEM;
    if (status == SHOAL_OK)
        status = learn(model, dataset, end_ms, options, weights, report);
    if (status == SHOAL_OK && report->made) {
        for (size_t k = 0; k < count; k++)
            uplift->weights[k] = (float)weights[k];
        uplift->form = report->form;
        model->uplift = uplift;
        uplift = NULL;
    }
    shoal_uplift_destroy(uplift);
    free(weights);
    return status;
}

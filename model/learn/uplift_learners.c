/* SPDX-License-Identifier: Apache-2.0 */
/* The learners of uplift; see uplift_learners.h. */
#include "model/learn/uplift_learners.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/logistic.h"
#include "model/learn/self_paced.h"

enum { ENOUGH = 25 }; /* outcomes an arm */
static const double MAIN_RIDGE = 1e-4; /* of weights that are not the setting's business */

const char *shoal_uplift_learner_name(enum shoal_uplift_learner learner)
{
    static const char *const names[SHOAL_LEARNERS] = {
#define X(name) #name,
        SHOAL_UPLIFT_LEARNER_LIST(X)
#undef X
    };
    return names[learner];
}

/* ---- heads by Newton's method --------------------------------------------------------------- */

/* Rows to be chosen from, and who is a positive. */
enum part { TREATED, CONTROL, RESPONDERS };

static bool belongs(const struct shoal_uplift_rows *rows, size_t row, enum part part)
{
    return part == RESPONDERS ? rows->stage[row] > 0 : rows->treated[row] == (part == TREATED);
}

/* Of responders the label is the arm, else the outcome. */
static uint8_t label_of(const struct shoal_uplift_rows *rows, size_t row, enum part part)
{
    return (uint8_t)(part == RESPONDERS ? rows->treated[row] : rows->outcome[row]);
}

/* The rows of a part one after another; returns how many. */
static size_t gather(const struct shoal_uplift_rows *rows, enum part part, double *x, uint8_t *labels)
{
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++)
        if (belongs(rows, i, part)) {
            memcpy(x + count * rows->width, rows->x + i * rows->width, rows->width * sizeof *x);
            labels[count++] = label_of(rows, i, part);
        }
    return count;
}

/* A logistic regression of a part's labels, or the self-paced one. */
static enum shoal_status fit_part(const struct shoal_uplift_rows *rows, enum part part, double ridge,
                                  const struct shoal_self_paced *paced, double *weights)
{
    double *x = malloc((rows->count * rows->width + 1) * sizeof *x), ridges[SHOAL_UPLIFT_WIDTH + 1] = {0};
    double *importance = malloc((rows->count + 1) * sizeof *importance);
    uint8_t *labels = malloc(rows->count + 1);
    enum shoal_status status = SHOAL_NOMEM;
    if (x && labels && importance) {
        size_t count = gather(rows, part, x, labels), treated = 0;
        for (size_t i = 0; i < rows->count; i++)
            treated += (size_t)rows->treated[i];
        double share = (double)treated / (double)rows->count;
        for (size_t i = 0; i < count; i++)
            importance[i] = labels[i] ? 0.5 / share : 0.5 / (1 - share);
        for (size_t k = 0; k < rows->width; k++)
            ridges[k] = ridge;
        struct shoal_logistic_data data = {x, labels, NULL, ridges, count, rows->width, 2};
        struct shoal_self_paced_data paced_data = {x, labels, importance, count, rows->width};
        status = paced ? shoal_self_paced_fit(&paced_data, paced, weights)
                       : shoal_logistic_fit(&data, weights);
    }
    free(x);
    free(importance);
    free(labels);
    return status;
}

/* ---- one regression with interactions -------------------------------------------------------- */

/* [x, t − r, (t − r)·x] */
static void interact(const struct shoal_uplift_rows *rows, double share, double *x)
{
    size_t width = rows->width, wide = 2 * width + 1;
    for (size_t i = 0; i < rows->count; i++) {
        double *to = x + i * wide, t = rows->treated[i] - share;
        const double *from = rows->x + i * width;
        for (size_t k = 0; k < width; k++) {
            to[k] = from[k];
            to[width + 1 + k] = t * from[k];
        }
        to[width] = t;
    }
}

/* What the regression says in either arm: w_t = main + (t − r)·interactions. */
static void part_arms(const double *fitted, double share, size_t width, double *treated, double *control)
{
    for (size_t k = 0; k <= width; k++) {
        double main = k < width ? fitted[k] : fitted[2 * width + 1],
               by = k < width ? fitted[width + 1 + k] : fitted[width];
        treated[k] = main + (1 - share) * by;
        control[k] = main - share * by;
    }
}

static enum shoal_status fit_shrunk(const struct shoal_uplift_rows *rows, struct shoal_uplift_heads *heads)
{
    size_t width = rows->width, wide = 2 * width + 1;
    double share = heads->treated_share, spread = share * (1 - share);
    double *x = malloc((rows->count * wide + 1) * sizeof *x), *fitted = calloc(wide + 1, sizeof *fitted),
           *ridges = calloc(wide + 1, sizeof *ridges);
    enum shoal_status status = SHOAL_NOMEM;
    if (x && fitted && ridges) {
        interact(rows, share, x);
        for (size_t k = 0; k < width; k++) {
            ridges[k] = MAIN_RIDGE;
            /* Per unit of the interactions' own variance; p(1 − p) is left to the data. */
            ridges[width + 1 + k] = heads->setting.ridge * spread;
        }
        struct shoal_logistic_data data = {x,  (const uint8_t *)rows->outcome, NULL, ridges, rows->count,
                                           wide, 2};
        status = shoal_logistic_fit(&data, fitted);
        part_arms(fitted, share, width, heads->weights, heads->weights + width + 1);
    }
    free(x);
    free(fitted);
    free(ridges);
    return status;
}

/* ---- two stages ------------------------------------------------------------------------------ */

/* n/(K·n_class) of each class that occurs, 0 of the others. */
static void balance(const struct shoal_uplift_rows *rows, double weights[3])
{
    size_t counts[3] = {0}, classes = 0;
    for (size_t i = 0; i < rows->count; i++)
        counts[rows->stage[i]]++;
    for (int c = 0; c < 3; c++)
        classes += counts[c] > 0;
    for (int c = 0; c < 3; c++)
        weights[c] = counts[c] ? (double)rows->count / ((double)classes * (double)counts[c]) : 0;
}

/* Classes as the regression numbers them: without the unengaged, whom most tables do not tell apart, two. */
static unsigned number_classes(const struct shoal_uplift_rows *rows, const double balanced[3], uint8_t *classes)
{
    bool all = balanced[SHOAL_STAGE_UNENGAGED] > 0;
    for (size_t i = 0; i < rows->count; i++)
        classes[i] = all || !rows->stage[i] ? rows->stage[i] : 1;
    return all ? 3 : 2;
}

/* Says how often the classes really are (the fit saw them weighted), at t = 1. A class that does not
 * occur gets a probability of next to nothing. */
static void state_stage(const double *fitted, const double balanced[3], size_t width, double *weights)
{
    for (int c = 1; c < 3; c++, weights += width + 1) {
        memset(weights, 0, (width + 1) * sizeof *weights);
        weights[width] = -100;
        if (!(balanced[c] > 0))
            continue;
        memcpy(weights, fitted, width * sizeof *weights);
        weights[width] = fitted[width] + fitted[width + 1] - log(balanced[c] / balanced[0]);
        fitted += width + 2;
    }
}

/* Stage 1 with t as the last input. */
static enum shoal_status fit_stage(const struct shoal_uplift_rows *rows, double *weights)
{
    size_t width = rows->width, wide = width + 1;
    double *x = malloc((rows->count * wide + 1) * sizeof *x), balanced[3], ridges[SHOAL_UPLIFT_WIDTH + 2];
    double *importance = malloc((rows->count + 1) * sizeof *importance),
           *fitted = calloc(2 * (wide + 1), sizeof *fitted);
    uint8_t *classes = malloc(rows->count + 1);
    enum shoal_status status = SHOAL_NOMEM;
    if (x && importance && fitted && classes) {
        balance(rows, balanced);
        unsigned classes_count = number_classes(rows, balanced, classes);
        for (size_t i = 0; i < rows->count; i++) {
            memcpy(x + i * wide, rows->x + i * width, width * sizeof *x);
            x[i * wide + width] = rows->treated[i];
            importance[i] = balanced[rows->stage[i]];
        }
        for (size_t k = 0; k <= wide; k++)
            ridges[k] = MAIN_RIDGE;
        struct shoal_logistic_data data = {x,           classes, importance, ridges,
                                           rows->count, wide,    classes_count};
        status = shoal_logistic_fit(&data, fitted);
        state_stage(fitted, balanced, width, weights);
    }
    free(x);
    free(importance);
    free(fitted);
    free(classes);
    return status;
}

static enum shoal_status fit_two_stage(const struct shoal_uplift_rows *rows, struct shoal_uplift_heads *heads,
                                       bool again)
{
    struct shoal_self_paced paced = shoal_self_paced_default();
    paced.tau = heads->setting.tau;
    paced.ridge = heads->setting.ridge;
    enum shoal_status status = again ? SHOAL_OK : fit_stage(rows, heads->weights);
    if (status == SHOAL_OK)
        status = fit_part(rows, RESPONDERS, 0, &paced, heads->weights + 2 * (rows->width + 1));
    return status;
}

/* ---- any ------------------------------------------------------------------------------------- */

enum shoal_status shoal_uplift_enough(const struct shoal_uplift_rows *rows, struct shoal_message *message)
{
    size_t counts[2] = {0}, outcomes[2] = {0};
    for (size_t i = 0; i < rows->count; i++) {
        counts[rows->treated[i]]++;
        outcomes[rows->treated[i]] += (size_t)rows->outcome[i];
    }
    for (int arm = 0; arm < 2; arm++)
        if (outcomes[arm] < ENOUGH || counts[arm] - outcomes[arm] < ENOUGH)
            return shoal_fail(message, SHOAL_TOO_FEW,
                              "the %s rows are %zu, %zu of them with the outcome: needed are %d with it and %d "
                              "without it in either arm",
                              arm ? "treated" : "control", counts[arm], outcomes[arm], ENOUGH, ENOUGH);
    return SHOAL_OK;
}

/* again: of the same rows, only what the setting changes. */
static enum shoal_status fit(const struct shoal_uplift_rows *rows, struct shoal_uplift_heads *heads, bool again)
{
    double *second = heads->weights + rows->width + 1, ridge = heads->setting.ridge;
    enum shoal_status status = SHOAL_OK;
    switch (heads->setting.learner) {
    case SHOAL_LEARNER_two_stage:
        return fit_two_stage(rows, heads, again);
    case SHOAL_LEARNER_shrunk:
        return fit_shrunk(rows, heads);
    case SHOAL_LEARNER_analytic:
        if (!again)
            status = fit_part(rows, TREATED, MAIN_RIDGE, NULL, heads->weights);
        return status == SHOAL_OK ? fit_part(rows, RESPONDERS, ridge, NULL, second) : status;
    case SHOAL_LEARNER_two_model:
        status = fit_part(rows, TREATED, ridge, NULL, heads->weights);
        return status == SHOAL_OK ? fit_part(rows, CONTROL, ridge, NULL, second) : status;
    case SHOAL_LEARNER_response:
    case SHOAL_LEARNERS:
        break;
    }
    return fit_part(rows, TREATED, ridge, NULL, heads->weights);
}

enum shoal_status shoal_uplift_learn(const struct shoal_uplift_rows *rows,
                                     const struct shoal_uplift_setting *setting,
                                     struct shoal_uplift_heads *heads)
{
    *heads = (struct shoal_uplift_heads){.setting = *setting, .width = rows->width};
    if (rows->width > SHOAL_UPLIFT_WIDTH || rows->count == 0)
        return SHOAL_INVALID;
    size_t treated = 0;
    for (size_t i = 0; i < rows->count; i++)
        treated += (size_t)rows->treated[i];
    heads->treated_share = (double)treated / (double)rows->count;
    heads->weights = calloc(SHOAL_UPLIFT_HEADS * (rows->width + 1), sizeof *heads->weights);
    enum shoal_status status = heads->weights ? fit(rows, heads, false) : SHOAL_NOMEM;
    if (status != SHOAL_OK)
        shoal_uplift_heads_finish(heads);
    return status;
}

enum shoal_status shoal_uplift_relearn(const struct shoal_uplift_rows *rows, double ridge, double tau,
                                       struct shoal_uplift_heads *heads)
{
    heads->setting.ridge = ridge;
    heads->setting.tau = tau;
    return fit(rows, heads, true);
}

void shoal_uplift_heads_finish(struct shoal_uplift_heads *heads)
{
    free(heads->weights);
    heads->weights = NULL;
}

static double head(const struct shoal_uplift_heads *heads, int index, const double *x)
{
    const double *weights = heads->weights + (size_t)index * (heads->width + 1);
    return shoal_logistic_sigmoid(shoal_logistic_logit(weights, x, heads->width));
}

/* 1 − r/(1 − r)·(1 − p)/p, which is negative where a contact puts people off. */
static double analytic(const struct shoal_uplift_heads *heads, const double *x)
{
    double p = fmax(head(heads, 1, x), 1e-6), r = heads->treated_share;
    return 1 - r / (1 - r) * (1 - p) / p;
}

static double active(const struct shoal_uplift_heads *heads, const double *x)
{
    double p[3];
    shoal_logistic_probabilities(heads->weights, x, heads->width, 3, p);
    return p[1] + p[2];
}

double shoal_uplift_score(const struct shoal_uplift_heads *heads, const double *x)
{
    switch (heads->setting.learner) {
    case SHOAL_LEARNER_two_stage:
        return active(heads, x) * head(heads, 2, x);
    case SHOAL_LEARNER_analytic:
        return head(heads, 0, x) * analytic(heads, x);
    case SHOAL_LEARNER_two_model:
    case SHOAL_LEARNER_shrunk:
        return head(heads, 0, x) - head(heads, 1, x);
    case SHOAL_LEARNER_response:
    case SHOAL_LEARNERS:
        break;
    }
    return head(heads, 0, x);
}

double shoal_uplift_prompted(const struct shoal_uplift_heads *heads, const double *x)
{
    switch (heads->setting.learner) {
    case SHOAL_LEARNER_two_stage:
        return head(heads, 2, x);
    case SHOAL_LEARNER_analytic:
        return fmin(fmax(analytic(heads, x), 0), 1);
    case SHOAL_LEARNER_two_model:
    case SHOAL_LEARNER_shrunk:
        return fmin(fmax(1 - head(heads, 1, x) / fmax(head(heads, 0, x), 1e-9), 0), 1);
    case SHOAL_LEARNER_response:
    case SHOAL_LEARNERS:
        break;
    }
    return NAN;
}

/* −log p of the row's label; NaN for a row that is not asked. */
static double row_loss(const struct shoal_uplift_heads *heads, const struct shoal_uplift_rows *rows, size_t row)
{
    const double *x = rows->x + row * rows->width;
    enum shoal_uplift_learner learner = heads->setting.learner;
    bool of_arm = learner == SHOAL_LEARNER_two_stage || learner == SHOAL_LEARNER_analytic;
    bool treated = rows->treated[row];
    if (of_arm ? !rows->stage[row] : learner == SHOAL_LEARNER_response && !treated)
        return NAN;
    int index = learner == SHOAL_LEARNER_two_stage ? 2 : of_arm ? 1 : !treated;
    double p = head(heads, index, x);
    return -log(fmax((of_arm ? treated : rows->outcome[row]) ? p : 1 - p, 1e-12));
}

double shoal_uplift_loss(const struct shoal_uplift_heads *heads, const struct shoal_uplift_rows *rows)
{
    double sum = 0, total = 0, share = heads->treated_share;
    bool balanced = heads->setting.learner == SHOAL_LEARNER_two_stage;
    for (size_t i = 0; i < rows->count; i++) {
        double loss = row_loss(heads, rows, i),
               weight = !balanced ? 1 : rows->treated[i] ? 0.5 / share : 0.5 / (1 - share);
        if (isnan(loss))
            continue;
        sum += weight * loss;
        total += weight;
    }
    return total > 0 ? sum / total : 0;
}

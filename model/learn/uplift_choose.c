/* SPDX-License-Identifier: Apache-2.0 */
/* Cross-validation of the uplift learners; see uplift_choose.h. */
#include "model/learn/uplift_choose.h"

#include <math.h>
#include <stdlib.h>

#include "model/learn/random.h"
#include "model/learn/uplift_metrics.h"

/* Of each learner, in order of their list: ridges, and for two_stage every ridge with every τ. */
static const struct {
    double ridges[6];
    size_t count;
} grids[SHOAL_LEARNERS] = {
    [SHOAL_LEARNER_two_stage] = {{0.003, 0.03, 0.3}, 3},
    [SHOAL_LEARNER_analytic] = {{0.001, 0.01, 0.1, 1}, 4},
    [SHOAL_LEARNER_two_model] = {{1e-4, 1e-2}, 2},
    [SHOAL_LEARNER_shrunk] = {{0.01, 0.1, 0.3, 1, 3}, 5},
    [SHOAL_LEARNER_response] = {{1e-4}, 1},
};
static const double taus[] = {0, 0.3, 0.4, 0.45, 0.5, 0.55};

static void list_settings(struct shoal_uplift_choice_of *choice)
{
    choice->count = 0;
    for (int learner = 0; learner < SHOAL_LEARNERS; learner++) {
        size_t many = learner == SHOAL_LEARNER_two_stage ? sizeof taus / sizeof *taus : 1;
        for (size_t r = 0; r < grids[learner].count; r++)
            for (size_t t = 0; t < many; t++)
                choice->tried[choice->count++].setting = (struct shoal_uplift_setting){
                    (enum shoal_uplift_learner)learner, grids[learner].ridges[r], taus[t]};
    }
}

/* Folds of equal size within each arm and outcome, so that none goes without outcomes. */
static void deal(const struct shoal_uplift_rows *rows, uint64_t seed, uint8_t *folds)
{
    uint64_t key = shoal_random_key(seed, SHOAL_RANDOM_SHUFFLE);
    size_t dealt[4] = {0};
    uint32_t turn[4][SHOAL_UPLIFT_FOLDS];
    for (size_t i = 0; i < rows->count; i++) {
        size_t kind = (size_t)(2 * rows->treated[i] + rows->outcome[i]);
        size_t place = dealt[kind]++ % SHOAL_UPLIFT_FOLDS;
        for (uint32_t k = 0; place == 0 && k < SHOAL_UPLIFT_FOLDS; k++) { /* Fisher and Yates */
            uint32_t other = shoal_random_below(key, i * SHOAL_UPLIFT_FOLDS + k, k + 1);
            turn[kind][k] = turn[kind][other];
            turn[kind][other] = k;
        }
        folds[i] = (uint8_t)turn[kind][place];
    }
}

static enum shoal_status qini_of(const struct shoal_uplift_heads *heads, const struct shoal_uplift_rows *rows,
                                 double *qini)
{
    double *scores = malloc((rows->count + 1) * sizeof *scores);
    if (!scores)
        return SHOAL_NOMEM;
    for (size_t i = 0; i < rows->count; i++)
        scores[i] = shoal_uplift_score(heads, rows->x + i * rows->width);
    struct shoal_uplift_sample sample = {scores, rows->treated, rows->outcome, rows->count};
    enum shoal_status status = shoal_uplift_qini(&sample, qini);
    free(scores);
    return status;
}

/* Every setting of a fold: qinis[setting]. */
static enum shoal_status try_all(const struct shoal_uplift_rows *train, const struct shoal_uplift_rows *test,
                                 const struct shoal_uplift_choice_of *choice, double *qinis)
{
    struct shoal_uplift_heads heads = {.setting = {.learner = SHOAL_LEARNERS}};
    enum shoal_status status = SHOAL_OK;
    for (size_t s = 0; status == SHOAL_OK && s < choice->count; s++) {
        const struct shoal_uplift_setting *setting = &choice->tried[s].setting;
        if (heads.setting.learner == setting->learner) {
            status = shoal_uplift_relearn(train, setting->ridge, setting->tau, &heads);
        } else {
            shoal_uplift_heads_finish(&heads);
            status = shoal_uplift_learn(train, setting, &heads);
        }
        if (status == SHOAL_OK)
            status = qini_of(&heads, test, &qinis[s]);
    }
    shoal_uplift_heads_finish(&heads);
    return status;
}

static enum shoal_status try_fold(const struct shoal_uplift_rows *rows, const uint8_t *folds, uint8_t fold,
                                  const struct shoal_uplift_choice_of *choice, double *qinis)
{
    struct shoal_uplift_rows train = {0}, test = {0};
    uint8_t *outside = malloc(rows->count + 1);
    enum shoal_status status = SHOAL_NOMEM;
    if (outside) {
        for (size_t i = 0; i < rows->count; i++)
            outside[i] = folds[i] != fold;
        status = shoal_uplift_rows_copy(rows, outside, 1, &train);
    }
    if (status == SHOAL_OK)
        status = shoal_uplift_rows_copy(rows, outside, 0, &test);
    if (status == SHOAL_OK)
        status = try_all(&train, &test, choice, qinis);
    shoal_uplift_rows_finish(&train);
    shoal_uplift_rows_finish(&test);
    free(outside);
    return status;
}

static void conclude(struct shoal_uplift_choice_of *choice, const double *qinis)
{
    double most[SHOAL_LEARNERS], best = -INFINITY;
    for (int learner = 0; learner < SHOAL_LEARNERS; learner++)
        most[learner] = -INFINITY;
    for (size_t s = 0; s < choice->count; s++) {
        struct shoal_uplift_tried *tried = &choice->tried[s];
        double sum = 0, squares = 0;
        for (size_t f = 0; f < SHOAL_UPLIFT_FOLDS; f++)
            sum += qinis[f * choice->count + s];
        tried->qini = sum / SHOAL_UPLIFT_FOLDS;
        for (size_t f = 0; f < SHOAL_UPLIFT_FOLDS; f++)
            squares += pow(qinis[f * choice->count + s] - tried->qini, 2);
        tried->spread = sqrt(squares / (SHOAL_UPLIFT_FOLDS - 1));
        if (tried->qini > most[tried->setting.learner]) {
            most[tried->setting.learner] = tried->qini;
            choice->best[tried->setting.learner] = s;
        }
        if (tried->setting.learner != SHOAL_LEARNER_response && tried->qini > best) {
            best = tried->qini;
            choice->picked = s;
        }
    }
}

enum shoal_status shoal_uplift_choose(const struct shoal_uplift_rows *rows, uint64_t seed,
                                      struct shoal_uplift_choice_of *choice, struct shoal_message *message)
{
    *choice = (struct shoal_uplift_choice_of){0};
    list_settings(choice);
    enum shoal_status status = shoal_uplift_enough(rows, message);
    if (status != SHOAL_OK)
        return status;
    uint8_t *folds = malloc(rows->count);
    double *qinis = malloc(SHOAL_UPLIFT_FOLDS * choice->count * sizeof *qinis);
    status = folds && qinis ? SHOAL_OK : SHOAL_NOMEM;
    if (status == SHOAL_OK)
        deal(rows, seed, folds);
    for (size_t f = 0; status == SHOAL_OK && f < SHOAL_UPLIFT_FOLDS; f++)
        status = try_fold(rows, folds, (uint8_t)f, choice, qinis + f * choice->count);
    if (status == SHOAL_OK)
        conclude(choice, qinis);
    free(folds);
    free(qinis);
    return status == SHOAL_NOMEM ? shoal_fail(message, status, "out of memory with %zu rows", rows->count)
                                 : status;
}

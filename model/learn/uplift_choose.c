/* SPDX-License-Identifier: Apache-2.0 */
/* Cross-validation of the uplift learners; see uplift_choose.h. */
#include "model/learn/uplift_choose.h"

#include <math.h>
#include <stdlib.h>

#include "model/learn/random.h"
#include "model/learn/uplift_metrics.h"

/* Of each learner, in order of their list: ridges, and for two_stage every ridge with every τ. */
static const struct {
    double ridges[8];
    size_t count;
} grids[SHOAL_LEARNERS] = {
    [SHOAL_LEARNER_two_stage] = {{0.003, 0.03, 0.3, 3}, 4},
    [SHOAL_LEARNER_analytic] = {{0.001, 0.01, 0.1, 1, 10}, 5},
    [SHOAL_LEARNER_two_model] = {{1e-4, 1e-2}, 2},
    [SHOAL_LEARNER_shrunk] = {{0.01, 0.03, 0.1, 0.3, 1, 3, 10}, 7},
    [SHOAL_LEARNER_response] = {{1e-4}, 1},
};
static const double taus[] = {0, 0.3, 0.4, 0.5, 0.55, 0.6};

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

/* Settings to be tried on a fold, and what came of them: [setting]. */
struct trial {
    const struct shoal_uplift_setting *settings;
    double *losses, *qinis;
    size_t count;
};

static enum shoal_status try_all(const struct shoal_uplift_rows *train, const struct shoal_uplift_rows *test,
                                 const struct trial *trial)
{
    struct shoal_uplift_heads heads = {.setting = {.learner = SHOAL_LEARNERS}};
    enum shoal_status status = SHOAL_OK;
    for (size_t s = 0; status == SHOAL_OK && s < trial->count; s++) {
        const struct shoal_uplift_setting *setting = &trial->settings[s];
        if (heads.setting.learner == setting->learner) {
            status = shoal_uplift_relearn(train, setting->ridge, setting->tau, &heads);
        } else {
            shoal_uplift_heads_finish(&heads);
            status = shoal_uplift_learn(train, setting, &heads);
        }
        if (status == SHOAL_OK)
            status = qini_of(&heads, test, &trial->qinis[s]);
        if (status == SHOAL_OK)
            trial->losses[s] = shoal_uplift_loss(&heads, test);
    }
    shoal_uplift_heads_finish(&heads);
    return status;
}

static enum shoal_status try_fold(const struct shoal_uplift_rows *rows, const uint8_t *folds, uint8_t fold,
                                  const struct trial *trial)
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
        status = try_all(&train, &test, trial);
    shoal_uplift_rows_finish(&train);
    shoal_uplift_rows_finish(&test);
    free(outside);
    return status;
}

/* All folds of one division: trial->qinis and ->losses are [fold × setting]. */
static enum shoal_status try_folds(const struct shoal_uplift_rows *rows, uint64_t seed, const struct trial *trial)
{
    uint8_t *folds = malloc(rows->count);
    enum shoal_status status = folds ? SHOAL_OK : SHOAL_NOMEM;
    if (folds)
        deal(rows, seed, folds);
    for (size_t f = 0; status == SHOAL_OK && f < SHOAL_UPLIFT_FOLDS; f++) {
        struct trial part = *trial;
        part.losses += f * trial->count;
        part.qinis += f * trial->count;
        status = try_fold(rows, folds, (uint8_t)f, &part);
    }
    free(folds);
    return status;
}

static double mean_of(const double *values, size_t stride, size_t count)
{
    double sum = 0;
    for (size_t f = 0; f < count; f++)
        sum += values[f * stride];
    return sum / (double)count;
}

static double spread_of(const double *values, size_t stride, size_t count)
{
    double mean = mean_of(values, stride, count), squares = 0;
    for (size_t f = 0; f < count; f++)
        squares += pow(values[f * stride] - mean, 2);
    return sqrt(squares / (double)(count - 1));
}

/* Steps 1 and 2. */
static void settle(struct shoal_uplift_choice_of *choice)
{
    double least[SHOAL_LEARNERS], most = -INFINITY;
    for (int learner = 0; learner < SHOAL_LEARNERS; learner++)
        least[learner] = INFINITY;
    for (size_t s = 0; s < choice->count; s++) {
        const struct shoal_uplift_tried *tried = &choice->tried[s];
        if (!(tried->setting.tau > 0) && tried->loss < least[tried->setting.learner]) {
            least[tried->setting.learner] = tried->loss;
            choice->best[tried->setting.learner] = s;
        }
    }
    size_t *best = &choice->best[SHOAL_LEARNER_two_stage];
    double ridge = choice->tried[*best].setting.ridge;
    for (size_t s = 0; s < choice->count; s++) {
        const struct shoal_uplift_tried *tried = &choice->tried[s];
        if (tried->setting.learner == SHOAL_LEARNER_two_stage && !(tried->setting.ridge < ridge) &&
            !(tried->setting.ridge > ridge) && tried->qini > most) {
            most = tried->qini;
            *best = s;
        }
    }
}

static enum shoal_status choose_settings(const struct shoal_uplift_rows *rows, uint64_t seed, double *memory,
                                         struct shoal_uplift_choice_of *choice)
{
    struct shoal_uplift_setting settings[SHOAL_UPLIFT_SETTINGS];
    size_t count = choice->count;
    for (size_t s = 0; s < count; s++)
        settings[s] = choice->tried[s].setting;
    struct trial trial = {settings, memory, memory + SHOAL_UPLIFT_FOLDS * count, count};
    enum shoal_status status = try_folds(rows, seed, &trial);
    for (size_t s = 0; status == SHOAL_OK && s < count; s++) {
        choice->tried[s].loss = mean_of(trial.losses + s, count, SHOAL_UPLIFT_FOLDS);
        choice->tried[s].qini = mean_of(trial.qinis + s, count, SHOAL_UPLIFT_FOLDS);
    }
    if (status == SHOAL_OK)
        settle(choice);
    return status;
}

/* Step 3. */
static enum shoal_status choose_learner(const struct shoal_uplift_rows *rows, uint64_t seed, double *memory,
                                        struct shoal_uplift_choice_of *choice)
{
    enum { FOLDS = SHOAL_UPLIFT_FOLDS * SHOAL_UPLIFT_DEALS };
    struct shoal_uplift_setting settings[SHOAL_LEARNERS];
    double *qinis = memory + FOLDS * SHOAL_LEARNERS;
    enum shoal_status status = SHOAL_OK;
    for (int learner = 0; learner < SHOAL_LEARNERS; learner++)
        settings[learner] = choice->tried[choice->best[learner]].setting;
    for (size_t d = 0; status == SHOAL_OK && d < SHOAL_UPLIFT_DEALS; d++) {
        size_t offset = d * SHOAL_UPLIFT_FOLDS * SHOAL_LEARNERS;
        struct trial trial = {settings, memory + offset, qinis + offset, SHOAL_LEARNERS};
        status = try_folds(rows, seed + d + 1, &trial);
    }
    for (int learner = 0; status == SHOAL_OK && learner < SHOAL_LEARNERS; learner++) {
        choice->qini[learner] = mean_of(qinis + learner, SHOAL_LEARNERS, FOLDS);
        choice->spread[learner] = spread_of(qinis + learner, SHOAL_LEARNERS, FOLDS);
        if (learner != SHOAL_LEARNER_response && choice->qini[learner] > choice->qini[choice->picked])
            choice->picked = (enum shoal_uplift_learner)learner;
    }
    return status;
}

enum shoal_status shoal_uplift_choose(const struct shoal_uplift_rows *rows, uint64_t seed,
                                      struct shoal_uplift_choice_of *choice, struct shoal_message *message)
{
    *choice = (struct shoal_uplift_choice_of){0};
    list_settings(choice);
    enum shoal_status status = shoal_uplift_enough(rows, message);
    if (status != SHOAL_OK)
        return status;
    double *memory =
        calloc(2 * SHOAL_UPLIFT_FOLDS * SHOAL_UPLIFT_SETTINGS * SHOAL_UPLIFT_DEALS, sizeof *memory);
    status = memory ? choose_settings(rows, seed, memory, choice) : SHOAL_NOMEM;
    if (status == SHOAL_OK)
        status = choose_learner(rows, seed, memory, choice);
    free(memory);
    return status == SHOAL_NOMEM ? shoal_fail(message, status, "out of memory with %zu rows", rows->count)
                                 : status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Random halves; see uplift_halves.h. */
#include "tools/uplift_halves.h"

#include <math.h>
#include <stdlib.h>

#include "model/learn/random.h"

const char *shoal_halves_name(int figure)
{
    static const char *const names[SHOAL_HALVES_FIGURES] = {
#define X(name) #name,
        SHOAL_HALVES_LIST(X)
#undef X
    };
    return names[figure];
}

/* As many rows in either half, one more in the first at most: the first half of a random order. */
static void split(uint64_t key, size_t count, uint32_t *order, uint8_t *halves)
{
    for (size_t i = 0; i < count; i++) {
        size_t other = shoal_random_below(key, i, (uint32_t)i + 1);
        order[i] = order[other];
        order[other] = (uint32_t)i;
    }
    for (size_t i = 0; i < count; i++)
        halves[order[i]] = i >= (count + 1) / 2;
}

static void values_of(const struct shoal_uplift_judgement *judgement, int way,
                      double values[SHOAL_HALVES_FIGURES])
{
    const struct shoal_uplift_figures *figures = &judgement->figures[way];
    const struct shoal_uplift_classes *classes = &judgement->classes[way];
    values[SHOAL_HALVES_qini] = figures->qini;
    values[SHOAL_HALVES_auuc] = figures->auuc;
    for (int k = 0; k < SHOAL_UPLIFT_CUTS; k++) {
        values[SHOAL_HALVES_uplift_10 + k] = figures->uplift_at[k];
        values[SHOAL_HALVES_gain_10 + k] = figures->gain_at[k];
    }
    values[SHOAL_HALVES_precision] = classes->precision;
    values[SHOAL_HALVES_recall] = classes->recall;
    values[SHOAL_HALVES_balanced_accuracy] = classes->balanced_accuracy;
    values[SHOAL_HALVES_weighted_f1] = classes->weighted_f1;
}

/* Running mean and sum of squared differences (Welford). */
static void count_in(const struct shoal_uplift_judgement *judgement, struct shoal_halves *halves)
{
    halves->count++;
    for (int way = 0; way < SHOAL_WAYS; way++) {
        double values[SHOAL_HALVES_FIGURES];
        values_of(judgement, way, values);
        for (int f = 0; f < SHOAL_HALVES_FIGURES; f++) {
            struct shoal_halves_figure *figure = &halves->figures[way][f];
            double difference = values[f] - figure->mean;
            figure->mean += difference / (double)halves->count;
            figure->spread += difference * (values[f] - figure->mean);
        }
    }
}

static enum shoal_status run_one(const struct shoal_uplift_data *data, const uint8_t *membership, uint64_t seed,
                                 struct shoal_halves *halves, struct shoal_message *message)
{
    struct shoal_uplift_data train = {0}, test = {0};
    struct shoal_uplift_model *model = calloc(1, sizeof *model);
    struct shoal_uplift_judgement judgement;
    enum shoal_status status = model ? SHOAL_OK : SHOAL_NOMEM;
    if (status == SHOAL_OK)
        status = shoal_uplift_data_part(data, membership, 0, &train);
    if (status == SHOAL_OK)
        status = shoal_uplift_data_part(data, membership, 1, &test);
    if (status != SHOAL_OK)
        (void)shoal_fail(message, status, "out of memory with %zu rows", data->count);
    else
        status = shoal_uplift_data_learn(&train, seed, NULL, NULL, model, message);
    if (status == SHOAL_OK)
        status = shoal_uplift_data_judge(&test, model, seed, &judgement, message);
    if (status == SHOAL_OK) {
        count_in(&judgement, halves);
        halves->rfm = judgement.rfm;
        halves->picked[shoal_uplift_model_picked(model)]++;
    }
    if (model)
        shoal_uplift_model_finish(model);
    free(model);
    shoal_uplift_data_finish(&train);
    shoal_uplift_data_finish(&test);
    return status;
}

enum shoal_status shoal_halves_run(const struct shoal_uplift_data *data, size_t count, uint64_t seed,
                                   shoal_halves_progress *progress, void *context, struct shoal_halves *halves,
                                   struct shoal_message *message)
{
    uint64_t key = shoal_random_key(seed, SHOAL_RANDOM_BOOTSTRAP);
    uint32_t *order = malloc((data->count + 1) * sizeof *order);
    uint8_t *membership = malloc(data->count + 1);
    enum shoal_status status = order && membership ? SHOAL_OK : SHOAL_NOMEM;
    *halves = (struct shoal_halves){.rows = data->count};
    if (status != SHOAL_OK)
        (void)shoal_fail(message, status, "out of memory with %zu rows", data->count);
    for (size_t h = 0; status == SHOAL_OK && h < count; h++) {
        uint64_t own = shoal_random_at(key, h);
        split(own, data->count, order, membership);
        status = run_one(data, membership, own, halves, message);
        if (status == SHOAL_OK && progress)
            progress(context, h + 1, count);
    }
    for (int way = 0; way < SHOAL_WAYS; way++)
        for (int f = 0; f < SHOAL_HALVES_FIGURES; f++)
            halves->figures[way][f].spread = sqrt(halves->figures[way][f].spread / (double)(count - 1));
    free(order);
    free(membership);
    return status;
}

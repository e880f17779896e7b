/* SPDX-License-Identifier: Apache-2.0 */
/* Zero weights and a base rate; see bare_model.h. */
#include "model/learn/bare_model.h"

#include <math.h>
#include <stdlib.h>

static const int64_t DAY_MS = INT64_C(86400000);

/* Half an event of either kind is added, so that it is neither 0 nor 1. */
static double base_rate(const struct shoal_dataset *dataset)
{
    size_t positives = 0;
    for (size_t user = 0; user < dataset->users_count; user++) {
        int64_t bought_ms = INT64_MAX;
        for (size_t i = dataset->first[user + 1]; i > dataset->first[user]; i--) {
            const struct shoal_touch *touch = &dataset->touches[i - 1];
            positives += bought_ms != INT64_MAX && bought_ms - touch->time_ms <= DAY_MS;
            if (touch->behavior == SHOAL_BUY)
                bought_ms = touch->time_ms;
        }
    }
    return ((double)positives + 0.5) / ((double)dataset->events_count + 1);
}

enum shoal_status shoal_bare_model(const struct shoal_dims *dims,
                                   const struct shoal_dataset *dataset, int64_t end_ms,
                                   uint64_t seed, struct shoal_model **model)
{
    struct shoal_model *made = calloc(1, sizeof *made);
    double rate = base_rate(dataset);
    *model = NULL;
    enum shoal_status status = made ? shoal_dims_check(dims, NULL) : SHOAL_NOMEM;
    if (status == SHOAL_OK)
        status = shoal_params_init(&made->params, dims);
    if (status != SHOAL_OK) {
        free(made);
        return status;
    }
    made->params.head_bias[SHOAL_buy_24h] = (float)log(rate / (1 - rate));
    for (int k = 0; k < SHOAL_COUNTERS; k++)
        made->counter_deviation[k] = 1;
    for (int task = 0; task < SHOAL_TASKS; task++)
        made->calibration[task] = (struct shoal_calibration_map){.slope = 1};
    made->warm = (float)(rate + (1 - rate) / 3);
    made->hot = (float)(rate + 2 * (1 - rate) / 3);
    made->origin = (struct shoal_model_origin){
        .train_from_ms = dataset->first_ms,
        .train_until_ms = end_ms,
        .events_count = dataset->events_count,
        .users_count = dataset->users_count,
        .seed = seed,
        .data_fingerprint = dataset->fingerprint,
        .roc_auc = NAN,
        .log_loss = NAN,
        .base_rate = rate,
    };
    *model = made;
    return SHOAL_OK;
}

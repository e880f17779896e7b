/* SPDX-License-Identifier: Apache-2.0 */
/* Tables and JSON of an evaluation; see evaluate_print.h. */
#include "tools/evaluate_print.h"

#include <math.h>

#include "stream/put_json.h"
#include "tools/tasks_print.h"

static const char *const predictor_names[SHOAL_PREDICTOR_COUNT] = {
    [SHOAL_PREDICTOR_MODEL] = "model",
    [SHOAL_PREDICTOR_REGRESSION] = "regression",
    [SHOAL_PREDICTOR_PRIOR] = "prior",
    [SHOAL_PREDICTOR_CORRECTED] = "corrected online",
};

static const char *const measure_titles[SHOAL_MEASURE_COUNT] = {
    [SHOAL_MEASURE_roc_auc] = "ROC-AUC",
    [SHOAL_MEASURE_pr_auc] = "PR-AUC",
    [SHOAL_MEASURE_log_loss] = "log loss",
    [SHOAL_MEASURE_ece] = "ECE",
};

/* ---- JSON ----------------------------------------------------------------------------------- */

static void put_predictor(struct shoal_put *put, const struct shoal_evaluation *evaluation,
                          enum shoal_predictor predictor)
{
    shoal_put_metrics(put, &evaluation->event_level[predictor]);
    shoal_put_open(put, "user_level", '{');
    shoal_put_metrics(put, &evaluation->user_level[predictor]);
    shoal_put_close(put, '}');
}

static void put_baseline(struct shoal_put *put, const struct shoal_evaluation *evaluation)
{
    shoal_put_open(put, "baseline", '{');
    for (unsigned p = SHOAL_PREDICTOR_REGRESSION; p <= SHOAL_PREDICTOR_PRIOR; p++) {
        if (!evaluation->there[p]) {
            shoal_put_null(put, predictor_names[p]);
            continue;
        }
        shoal_put_open(put, predictor_names[p], '{');
        put_predictor(put, evaluation, (enum shoal_predictor)p);
        shoal_put_close(put, '}');
    }
    if (evaluation->there[SHOAL_PREDICTOR_REGRESSION]) {
        shoal_put_open(put, "difference", '{');
        shoal_put_measures(put, evaluation->difference, evaluation->difference_intervals);
        shoal_put_close(put, '}');
    } else {
        shoal_put_null(put, "difference");
    }
    shoal_put_close(put, '}');
}

static void put_corrected(struct shoal_put *put, const struct shoal_evaluation *evaluation)
{
    shoal_put_open(put, "corrected", '{');
    put_predictor(put, evaluation, SHOAL_PREDICTOR_CORRECTED);
    shoal_put_open(put, "difference", '{');
    shoal_put_measures(put, evaluation->online_difference, evaluation->online_difference_intervals);
    shoal_put_close(put, '}');
    shoal_put_close(put, '}');
}

void shoal_evaluate_print_json(const struct shoal_evaluation *evaluation, bool baseline,
                               const struct shoal_evaluate_details *details,
                               const struct shoal_task_evaluation *tasks, FILE *out)
{
    struct shoal_put put = {.out = out};
    shoal_put_open(&put, NULL, '{');
    put_predictor(&put, evaluation, SHOAL_PREDICTOR_MODEL);
    if (baseline)
        put_baseline(&put, evaluation);
    if (evaluation->there[SHOAL_PREDICTOR_CORRECTED])
        put_corrected(&put, evaluation);
    if (details)
        shoal_evaluate_details_put(details, &put);
    if (tasks)
        shoal_tasks_print_json(tasks, out);
    shoal_put_close(&put, '}');
    fputc('\n', out);
}

/* ---- table ---------------------------------------------------------------------------------- */

static void put_cell(double value, struct shoal_interval interval, FILE *out)
{
    char text[64];
    if (!isfinite(value))
        snprintf(text, sizeof text, "-");
    else if (!isfinite(interval.low))
        snprintf(text, sizeof text, "%.4f", value);
    else
        snprintf(text, sizeof text, "%.4f [%.4f, %.4f]", value, interval.low, interval.high);
    fprintf(out, "  %-24s", text);
}

static void put_level(const struct shoal_evaluation *evaluation, const char *title,
                      const struct shoal_metrics metrics[SHOAL_PREDICTOR_COUNT], FILE *out)
{
    const struct shoal_metrics *model = &metrics[SHOAL_PREDICTOR_MODEL];
    fprintf(out, "%s: %zu of %zu users, base rate %.4f\n", title, model->events_count,
            model->users_count, model->base_rate);
    fprintf(out, "  %-8s", "");
    for (unsigned p = 0; p < SHOAL_PREDICTOR_COUNT; p++)
        if (evaluation->there[p])
            fprintf(out, "  %-24s", predictor_names[p]);
    fputc('\n', out);
    for (unsigned m = 0; m < SHOAL_MEASURE_COUNT; m++) {
        fprintf(out, "  %-8s", measure_titles[m]);
        for (unsigned p = 0; p < SHOAL_PREDICTOR_COUNT; p++)
            if (evaluation->there[p])
                put_cell(metrics[p].values[m], metrics[p].intervals[m], out);
        fputc('\n', out);
    }
}

static void put_difference(const char *title, const double values[SHOAL_MEASURE_COUNT],
                           const struct shoal_interval intervals[SHOAL_MEASURE_COUNT], FILE *out)
{
    fprintf(out, "%s, on the same resampled users\n", title);
    for (unsigned m = 0; m < SHOAL_MEASURE_COUNT; m++)
        fprintf(out, "  %-8s  %+.4f [%+.4f, %+.4f]\n", measure_titles[m], values[m],
                intervals[m].low, intervals[m].high);
}

void shoal_evaluate_print_table(const struct shoal_evaluation *evaluation, FILE *out)
{
    put_level(evaluation, "events", evaluation->event_level, out);
    put_level(evaluation, "users, each by the last scored event", evaluation->user_level, out);
    if (evaluation->there[SHOAL_PREDICTOR_REGRESSION])
        put_difference("model - regression", evaluation->difference,
                       evaluation->difference_intervals, out);
    if (evaluation->there[SHOAL_PREDICTOR_CORRECTED])
        put_difference("corrected online - model", evaluation->online_difference,
                       evaluation->online_difference_intervals, out);
}

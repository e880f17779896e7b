/* SPDX-License-Identifier: Apache-2.0 */
/* Tables and JSON of an evaluation; see evaluate_print.h. */
#include "tools/evaluate_print.h"

#include <math.h>

#include "tools/json_print.h"
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

static void put_metrics(const struct shoal_metrics *metrics, FILE *out)
{
    fprintf(out, "\"n\":%zu,\"users\":%zu,\"base_rate\":", metrics->events_count,
            metrics->users_count);
    shoal_json_number(metrics->base_rate, out);
    fputc(',', out);
    shoal_json_measures(metrics->values, metrics->intervals, out);
}

static void put_predictor(const struct shoal_evaluation *evaluation, enum shoal_predictor predictor,
                          FILE *out)
{
    put_metrics(&evaluation->event_level[predictor], out);
    fputs(",\"user_level\":{", out);
    put_metrics(&evaluation->user_level[predictor], out);
    fputc('}', out);
}

static void put_baseline(const struct shoal_evaluation *evaluation, FILE *out)
{
    fputs(",\"baseline\":{", out);
    for (unsigned p = SHOAL_PREDICTOR_REGRESSION; p <= SHOAL_PREDICTOR_PRIOR; p++) {
        fprintf(out, "\"%s\":", predictor_names[p]);
        if (evaluation->there[p]) {
            fputc('{', out);
            put_predictor(evaluation, (enum shoal_predictor)p, out);
            fputs("},", out);
        } else {
            fputs("null,", out);
        }
    }
    fputs("\"difference\":", out);
    if (evaluation->there[SHOAL_PREDICTOR_REGRESSION]) {
        fputc('{', out);
        shoal_json_measures(evaluation->difference, evaluation->difference_intervals, out);
        fputc('}', out);
    } else {
        fputs("null", out);
    }
    fputc('}', out);
}

static void put_corrected(const struct shoal_evaluation *evaluation, FILE *out)
{
    fputs(",\"corrected\":{", out);
    put_predictor(evaluation, SHOAL_PREDICTOR_CORRECTED, out);
    fputs(",\"difference\":{", out);
    shoal_json_measures(evaluation->online_difference, evaluation->online_difference_intervals, out);
    fputs("}}", out);
}

void shoal_evaluate_print_json(const struct shoal_evaluation *evaluation, bool baseline,
                               const struct shoal_evaluate_details *details,
                               const struct shoal_task_evaluation *tasks, FILE *out)
{
    fputc('{', out);
    put_predictor(evaluation, SHOAL_PREDICTOR_MODEL, out);
    if (baseline)
        put_baseline(evaluation, out);
    if (evaluation->there[SHOAL_PREDICTOR_CORRECTED])
        put_corrected(evaluation, out);
    if (details)
        shoal_evaluate_details_print_json(details, out);
    if (tasks)
        shoal_tasks_print_json(tasks, out);
    fputs("}\n", out);
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

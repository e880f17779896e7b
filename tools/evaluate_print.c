/* SPDX-License-Identifier: Apache-2.0 */
/* Tables and JSON of an evaluation; see evaluate_print.h. */
#include "tools/evaluate_print.h"

#include <math.h>

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

static void put_number(double value, FILE *out)
{
    if (isfinite(value))
        fprintf(out, "%.6f", value);
    else
        fputs("null", out);
}

static void put_interval(struct shoal_interval interval, FILE *out)
{
    if (!isfinite(interval.low) || !isfinite(interval.high)) {
        fputs("null", out);
        return;
    }
    fprintf(out, "[%.6f,%.6f]", interval.low, interval.high);
}

static void put_measures(const double values[SHOAL_MEASURE_COUNT],
                         const struct shoal_interval intervals[SHOAL_MEASURE_COUNT], FILE *out)
{
    for (unsigned m = 0; m < SHOAL_MEASURE_COUNT; m++) {
        const char *name = shoal_measure_name((enum shoal_measure)m);
        fprintf(out, "%s\"%s\":", m ? "," : "", name);
        put_number(values[m], out);
        fprintf(out, ",\"%s_ci\":", name);
        put_interval(intervals[m], out);
    }
}

static void put_metrics(const struct shoal_metrics *metrics, FILE *out)
{
    fprintf(out, "\"n\":%zu,\"users\":%zu,\"base_rate\":", metrics->events_count,
            metrics->users_count);
    put_number(metrics->base_rate, out);
    fputc(',', out);
    put_measures(metrics->values, metrics->intervals, out);
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
        put_measures(evaluation->difference, evaluation->difference_intervals, out);
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
    put_measures(evaluation->online_difference, evaluation->online_difference_intervals, out);
    fputs("}}", out);
}

static void put_pair(const char *name, double value, FILE *out)
{
    fprintf(out, ",\"%s\":", name);
    put_number(value, out);
}

static void put_count(const struct shoal_task_evaluation *task, FILE *out)
{
    const struct shoal_metrics *metrics = &task->metrics;
    fprintf(out, "\"n\":%zu,\"users\":%zu", metrics->events_count, metrics->users_count);
    put_pair("mean", metrics->base_rate, out);
    put_pair("share_zero",
             1 - (double)metrics->positives / (double)metrics->events_count, out);
    put_pair("mae", task->mae, out);
    put_pair("rmse", task->rmse, out);
    put_pair("r2", task->r2, out);
    put_pair("mape", task->mape, out);
    put_pair("mae_of_mean", task->mae_mean, out);
    put_pair("rmse_of_mean", task->rmse_mean, out);
}

static void put_tasks(const struct shoal_task_evaluation tasks[SHOAL_TASKS], FILE *out)
{
    fputs(",\"tasks\":{", out);
    for (size_t n = 0; n < SHOAL_TASKS; n++) {
        const struct shoal_task_info *info = shoal_task_info((enum shoal_task)n);
        fprintf(out, "%s\"%s\":", n ? "," : "", info->name);
        if (tasks[n].metrics.events_count == 0) {
            fputs("null", out);
            continue;
        }
        fputc('{', out);
        if (info->kind == SHOAL_TASK_COUNT)
            put_count(&tasks[n], out);
        else
            put_metrics(&tasks[n].metrics, out);
        fputc('}', out);
    }
    fputc('}', out);
}

void shoal_evaluate_print_json(const struct shoal_evaluation *evaluation,
                               const struct shoal_task_evaluation tasks[SHOAL_TASKS], bool baseline,
                               FILE *out)
{
    fputc('{', out);
    put_predictor(evaluation, SHOAL_PREDICTOR_MODEL, out);
    if (baseline)
        put_baseline(evaluation, out);
    if (evaluation->there[SHOAL_PREDICTOR_CORRECTED])
        put_corrected(evaluation, out);
    put_tasks(tasks, out);
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

static void put_task(enum shoal_task task, const struct shoal_task_evaluation *evaluation, FILE *out)
{
    const struct shoal_task_info *info = shoal_task_info(task);
    const struct shoal_metrics *metrics = &evaluation->metrics;
    fprintf(out, "  %-10s  ", info->name);
    if (metrics->events_count == 0)
        fputs("no event whose horizon lies within the data\n", out);
    else if (info->kind == SHOAL_TASK_COUNT)
        fprintf(out,
                "%zu events, mean %.2f  MAE %.2f (of the mean %.2f)  RMSE %.2f (%.2f)  R2 %.4f  MAPE "
                "%.3f over the %zu above zero\n",
                metrics->events_count, metrics->base_rate, evaluation->mae, evaluation->mae_mean,
                evaluation->rmse, evaluation->rmse_mean, evaluation->r2, evaluation->mape,
                metrics->positives);
    else
        fprintf(out,
                "%zu events, base rate %.4f  ROC-AUC %.4f [%.4f, %.4f]  PR-AUC %.4f  log loss %.4f  ECE "
                "%.4f\n",
                metrics->events_count, metrics->base_rate,
                metrics->values[SHOAL_MEASURE_roc_auc],
                metrics->intervals[SHOAL_MEASURE_roc_auc].low,
                metrics->intervals[SHOAL_MEASURE_roc_auc].high,
                metrics->values[SHOAL_MEASURE_pr_auc], metrics->values[SHOAL_MEASURE_log_loss],
                metrics->values[SHOAL_MEASURE_ece]);
}

void shoal_evaluate_print_table(const struct shoal_evaluation *evaluation,
                                const struct shoal_task_evaluation tasks[SHOAL_TASKS], FILE *out)
{
    put_level(evaluation, "events", evaluation->event_level, out);
    put_level(evaluation, "users, each by the last scored event", evaluation->user_level, out);
    if (evaluation->there[SHOAL_PREDICTOR_REGRESSION])
        put_difference("model - regression", evaluation->difference,
                       evaluation->difference_intervals, out);
    if (evaluation->there[SHOAL_PREDICTOR_CORRECTED])
        put_difference("corrected online - model", evaluation->online_difference,
                       evaluation->online_difference_intervals, out);
    fputs("tasks, each on the events whose horizon lies within the data\n", out);
    for (size_t n = 0; n < SHOAL_TASKS; n++)
        put_task((enum shoal_task)n, &tasks[n], out);
}

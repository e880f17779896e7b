/* SPDX-License-Identifier: Apache-2.0 */
/* JSON and lines of the tasks; see tasks_print.h. */
#include "tools/tasks_print.h"

#include "stream/json_print.h"

static void put_pair(const char *name, double value, FILE *out)
{
    fprintf(out, ",\"%s\":", name);
    shoal_json_number(value, out);
}

static void put_metrics(const struct shoal_metrics *metrics, FILE *out)
{
    fprintf(out, "\"n\":%zu,\"users\":%zu", metrics->events_count, metrics->users_count);
    put_pair("base_rate", metrics->base_rate, out);
    fputc(',', out);
    shoal_json_measures(metrics->values, metrics->intervals, out);
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

void shoal_tasks_print_json(const struct shoal_task_evaluation tasks[SHOAL_TASKS], FILE *out)
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

void shoal_tasks_print_table(const struct shoal_task_evaluation tasks[SHOAL_TASKS], FILE *out)
{
    fputs("tasks, each on the events whose horizon lies within the data\n", out);
    for (size_t n = 0; n < SHOAL_TASKS; n++)
        put_task((enum shoal_task)n, &tasks[n], out);
}

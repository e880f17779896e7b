/* SPDX-License-Identifier: Apache-2.0 */
/* Made and shown; see evaluate_details.h. */
#include "tools/evaluate_details.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/describe_data.h"
#include "tools/describe_model.h"

bool shoal_evaluate_details_inputs(struct shoal_evaluate_details *details, const char *list,
                                   struct shoal_message *message)
{
    if (strcmp(list, "all") == 0) {
        for (int i = 0; i < SHOAL_INPUT_GROUPS; i++)
            details->importances[i].input = (enum shoal_input_group)i;
        details->importances_count = SHOAL_INPUT_GROUPS;
        return true;
    }
    while (*list) {
        size_t size = strcspn(list, ",");
        enum shoal_input_group input;
        if (!shoal_input_find(list, size, &input)) {
            char names[512] = "";
            for (int i = 0; i < SHOAL_INPUT_GROUPS; i++)
                snprintf(names + strlen(names), sizeof names - strlen(names), " %s",
                         shoal_input_name((enum shoal_input_group)i));
            (void)shoal_fail(message, SHOAL_INVALID, "no input is called '%.*s'; there are: all%s",
                             (int)size, list, names);
            return false;
        }
        for (size_t i = 0; i < details->importances_count; i++)
            if (details->importances[i].input == input) {
                (void)shoal_fail(message, SHOAL_INVALID, "input '%.*s' is named twice", (int)size,
                                 list);
                return false;
            }
        details->importances[details->importances_count++].input = input;
        list += size + (list[size] == ',');
    }
    return true;
}

static enum shoal_status make_reliability(struct shoal_evaluate_details *details, uint64_t seed,
                                          const struct shoal_evaluation *evaluation)
{
    uint32_t *users = malloc((evaluation->count + 1) * sizeof *users);
    if (!users)
        return SHOAL_NOMEM;
    for (size_t i = 0; i < evaluation->count; i++)
        users[i] = details->dataset->owners[evaluation->events[i]];
    struct shoal_sample sample = {evaluation->scores, evaluation->labels, users,
                                  evaluation->count, details->dataset->users_count};
    enum shoal_status status = shoal_reliability_make(&sample, seed, &details->reliability);
    free(users);
    return status;
}

enum shoal_status shoal_evaluate_details_make(struct shoal_evaluate_details *details,
                                              const struct shoal_evaluate_options *options,
                                              const struct shoal_evaluation *evaluation,
                                              shoal_importance_progress *progress, void *context)
{
    for (size_t i = 0; i < evaluation->count; i++) {
        int64_t time_ms = details->dataset->touches[evaluation->events[i]].time_ms;
        if (i == 0 || time_ms < details->first_ms)
            details->first_ms = time_ms;
        if (i == 0 || time_ms > details->last_ms)
            details->last_ms = time_ms;
    }
    enum shoal_status status =
        details->binned ? make_reliability(details, options->seed, evaluation) : SHOAL_OK;
    if (status == SHOAL_OK && details->segmented)
        status = shoal_segment_cuts_make(details->model, details->dataset, evaluation,
                                         options->seed, &details->segments);
    if (status == SHOAL_OK && details->importances_count > 0)
        status = shoal_importance_measure(details->model, details->dataset, options, evaluation,
                                          details->importances, details->importances_count,
                                          details->draws ? details->draws : 1, progress, context);
    return status;
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void put_reliability(struct shoal_put *put, const struct shoal_reliability *reliability)
{
    shoal_put_open(put, "reliability", '{');
    shoal_put_real(put, "mean_score", reliability->mean_score);
    shoal_put_open(put, "bins", '[');
    for (size_t b = 0; b < reliability->count; b++) {
        const struct shoal_reliability_bin *bin = &reliability->bins[b];
        shoal_put_open(put, NULL, '{');
        shoal_put_count(put, "n", bin->events_count);
        shoal_put_count(put, "users", bin->users_count);
        shoal_put_real(put, "low", bin->low);
        shoal_put_real(put, "high", bin->high);
        shoal_put_real(put, "mean_score", bin->mean_score);
        shoal_put_real(put, "observed", bin->observed);
        shoal_put_open(put, "observed_ci", '[');
        shoal_put_real(put, NULL, bin->interval.low);
        shoal_put_real(put, NULL, bin->interval.high);
        shoal_put_close(put, ']');
        shoal_put_close(put, '}');
    }
    shoal_put_close(put, ']');
    shoal_put_close(put, '}');
}

static void put_segments(struct shoal_put *put, const struct shoal_segment_cuts *segments)
{
    shoal_put_open(put, "segments", '[');
    for (size_t i = 0; i < segments->count; i++) {
        const struct shoal_segment_cut *cut = &segments->cuts[i];
        shoal_put_open(put, NULL, '{');
        shoal_put_text(put, "dimension", shoal_dimension_name(cut->dimension));
        shoal_put_text(put, "level", shoal_level_name(cut->dimension, cut->level));
        shoal_put_metrics(put, &cut->metrics);
        put_reliability(put, &cut->reliability);
        shoal_put_close(put, '}');
    }
    shoal_put_close(put, ']');
}

static void put_importances(struct shoal_put *put, const struct shoal_evaluate_details *details)
{
    shoal_put_open(put, "importance", '[');
    for (size_t i = 0; i < details->importances_count; i++) {
        const struct shoal_importance *importance = &details->importances[i];
        shoal_put_open(put, NULL, '{');
        shoal_put_text(put, "input", shoal_input_name(importance->input));
        shoal_put_text(put, "text", shoal_input_text(importance->input));
        shoal_put_count(put, "draws", details->draws ? details->draws : 1);
        shoal_put_open(put, "difference", '{');
        shoal_put_measures(put, importance->difference, importance->intervals);
        shoal_put_close(put, '}');
        shoal_put_close(put, '}');
    }
    shoal_put_close(put, ']');
}

void shoal_evaluate_details_put(const struct shoal_evaluate_details *details,
                                struct shoal_put *put)
{
    if (details->binned)
        put_reliability(put, &details->reliability);
    if (details->segmented)
        put_segments(put, &details->segments);
    if (details->importances_count > 0)
        put_importances(put, details);
    shoal_put_time(put, "scored_from", details->first_ms);
    shoal_put_time(put, "scored_until", details->last_ms);
    shoal_describe_model(put, "model", details->model);
    shoal_describe_data(put, "data", details->dataset, details->load);
}

/* ---- table ---------------------------------------------------------------------------------- */

static void put_cell(double value, struct shoal_interval interval, FILE *out)
{
    char text[64] = "-";
    if (isfinite(value) && isfinite(interval.low))
        snprintf(text, sizeof text, "%.4f [%.4f, %.4f]", value, interval.low, interval.high);
    else if (isfinite(value))
        snprintf(text, sizeof text, "%.4f", value);
    fprintf(out, "  %-24s", text);
}

static void put_segment_rows(const struct shoal_segment_cuts *segments, FILE *out)
{
    fprintf(out, "by segment at the event\n  %-20s %9s %7s  %-7s %-7s  %-24s  %-24s\n", "", "events",
            "users", "base", "mean p", "ECE", "log loss");
    for (size_t i = 0; i < segments->count; i++) {
        const struct shoal_segment_cut *cut = &segments->cuts[i];
        const struct shoal_metrics *metrics = &cut->metrics;
        char name[64];
        snprintf(name, sizeof name, "%s %s", shoal_dimension_name(cut->dimension),
                 shoal_level_name(cut->dimension, cut->level));
        fprintf(out, "  %-20s %9zu %7zu", name, metrics->events_count, metrics->users_count);
        if (metrics->events_count > 0) {
            fprintf(out, "  %.4f  %.4f ", metrics->base_rate, cut->reliability.mean_score);
            put_cell(metrics->values[SHOAL_MEASURE_ece], metrics->intervals[SHOAL_MEASURE_ece],
                     out);
            put_cell(metrics->values[SHOAL_MEASURE_log_loss],
                     metrics->intervals[SHOAL_MEASURE_log_loss], out);
        }
        fputc('\n', out);
    }
}

static void put_signed(double value, struct shoal_interval interval, FILE *out)
{
    if (isfinite(value))
        fprintf(out, "  %+.4f [%+.4f, %+.4f]", value, interval.low, interval.high);
    else
        fprintf(out, "  %-26s", "-");
}

static void put_importance_rows(const struct shoal_evaluate_details *details, FILE *out)
{
    fprintf(out, "without an input (its values dealt out anew");
    if (details->draws > 1)
        fprintf(out, ", mean of %zu deals), on the same resampled users and deals\n", details->draws);
    else
        fprintf(out, "), on the same resampled users\n");
    fprintf(out, "  %-10s  %-26s  %-26s\n", "", "ROC-AUC", "log loss");
    for (size_t i = 0; i < details->importances_count; i++) {
        const struct shoal_importance *importance = &details->importances[i];
        fprintf(out, "  %-10s", shoal_input_name(importance->input));
        put_signed(importance->difference[SHOAL_MEASURE_roc_auc],
                   importance->intervals[SHOAL_MEASURE_roc_auc], out);
        put_signed(importance->difference[SHOAL_MEASURE_log_loss],
                   importance->intervals[SHOAL_MEASURE_log_loss], out);
        fprintf(out, "  %s\n", shoal_input_text(importance->input));
    }
}

void shoal_evaluate_details_print_table(const struct shoal_evaluate_details *details, FILE *out)
{
    if (details->segmented)
        put_segment_rows(&details->segments, out);
    if (details->importances_count > 0)
        put_importance_rows(details, out);
}

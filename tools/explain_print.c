/* SPDX-License-Identifier: Apache-2.0 */
/* Explanations as text; see explain_print.h. */
#include "tools/explain_print.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "model/learn/permute.h"
#include "stream/event.h"

/* ---- text ----------------------------------------------------------------------------------- */

enum { BAR_CELLS = 10, BAR_BYTES = 2 * 3 * BAR_CELLS + 8 };

/* To the left of the middle what takes, to the right what adds; full length at `most`, the largest of a table. */
static const char *bar(double value, double most, char text[BAR_BYTES])
{
    int cells = most > 0 ? (int)lround(fabs(value) / most * BAR_CELLS) : 0;
    char *to = text;
    for (int i = -BAR_CELLS; i < BAR_CELLS; i++) {
        bool full = i < 0 ? value < 0 && -i <= cells : value > 0 && i < cells;
        if (i == 0)
            to = stpcpy(to, "|");
        to = stpcpy(to, full ? "█" : " ");
    }
    while (to > text && to[-1] == ' ')
        to--;
    *to = '\0';
    return text;
}

static void put_amount(const struct shoal_explain_found *found, double logit, double most, FILE *out)
{
    char text[BAR_BYTES];
    fprintf(out, "  %+9.4f  %+9.4f  %s", logit, logit * found->explanation->slope,
            bar(logit, most, text));
}

static void put_head(const struct shoal_explain_found *found, FILE *out)
{
    const struct shoal_explain_case *c = found->explained;
    const struct shoal_explanation *e = found->explanation;
    char last[25];
    shoal_time_print(c->touches[c->count - 1].time_ms, last);
    fprintf(out, "user       %s, by model %s, as of the last event, %s\n", c->user,
            found->model->version, last);
    fprintf(out, "score      %.4f: probability of a purchase within 24 hours, by the events explained\n",
            (double)e->probability);
    fprintf(out, "base       %.4f: by as many events that say nothing, with counters at their mean\n",
            (double)e->base_probability);
    fprintf(out, "logit      %+.4f = %+.4f (base) %+.4f (events) %+.4f (counters)\n",
            (double)e->logit, (double)e->base_logit, e->events, e->counters);
}

/* What is explained, and how it stands to what was served. */
static void put_scope(const struct shoal_explain_found *found, FILE *out)
{
    const struct shoal_explain_case *c = found->explained;
    double explained = (double)found->explanation->probability;
    if (c->whole)
        fprintf(out, "explained  all %zu events\n", c->count);
    else
        fprintf(out,
                "explained  the last %zu of %" PRIu64
                " events, from an empty state: what the older ones left in the state is not in it\n",
                c->count, c->known);
    fprintf(out, "served     %.4f", (double)c->served);
    if (c->served_by != found->model->id)
        fprintf(out, " by another model, %016" PRIx64, c->served_by);
    else if (c->from_events)
        fprintf(out, " from all events, in half precision");
    fprintf(out, "; explained - served: %+.4f\n", explained - (double)c->served);
    if (isfinite(c->state) && c->state != c->served)
        fprintf(out, "           %.4f by the stored state without the online correction (%+.4f of it)\n",
                (double)c->state, (double)c->served - (double)c->state);
}

/* The least |sum| that is printed: the SHOAL_EXPLAIN_LINES-th largest. */
static double least_shown(const struct shoal_explain_found *found)
{
    double largest[SHOAL_EXPLAIN_LINES] = {0};
    for (size_t t = 0; t < found->explained->count; t++) {
        double value = fabs(found->events[t].sum);
        for (size_t i = 0; i < SHOAL_EXPLAIN_LINES; i++)
            if (value > largest[i]) {
                double other = largest[i];
                largest[i] = value;
                value = other;
            }
    }
    return found->explained->count > SHOAL_EXPLAIN_LINES ? largest[SHOAL_EXPLAIN_LINES - 1] : 0;
}

/* The input that an event adds or takes most by; "" where none does. */
static const char *strongest(const struct shoal_explained_event *event)
{
    int most = 0;
    for (int i = 1; i < SHOAL_REASONS; i++)
        if (fabs(event->inputs[i]) > fabs(event->inputs[most]))
            most = i;
    return event->inputs[most] != 0 ? shoal_reason_name((enum shoal_reason)most) : "";
}

static void put_event(const struct shoal_explain_found *found, size_t t, double most, FILE *out)
{
    const struct shoal_touch *touch = &found->explained->touches[t];
    char time[25], category[8] = "-", item[SHOAL_ITEM_ID_MAX + 1];
    shoal_time_print(touch->time_ms, time);
    if (touch->category)
        snprintf(category, sizeof category, "#%04x", (unsigned)touch->category);
    if (!shoal_explain_item(found, touch, item))
        snprintf(item, sizeof item, "#%08" PRIx32, touch->item);
    fprintf(out, "%.19sZ  %-4s  %-9s  %-8s  %-8s", time,
            shoal_behavior_name((enum shoal_behavior)touch->behavior), item, category,
            strongest(&found->events[t]));
    put_amount(found, found->events[t].sum, most, out);
    fputc('\n', out);
}

static void put_events(const struct shoal_explain_found *found, FILE *out)
{
    double least = least_shown(found), rest = 0, most = 0;
    size_t shown = 0, count = found->explained->count;
    fprintf(out, "\n%-20s  %-4s  %-9s  %-8s  %-8s  %9s  %9s  takes     | adds\n", "event", "", "item",
            "category", "most by", "logit", "p");
    for (size_t t = 0; t < count; t++)
        most = fmax(most, fabs(found->events[t].sum));
    for (size_t t = 0; t < count; t++) {
        if (fabs(found->events[t].sum) >= least && shown < SHOAL_EXPLAIN_LINES) {
            put_event(found, t, most, out);
            shown++;
        } else {
            rest += found->events[t].sum;
        }
    }
    if (shown < count) {
        char text[64];
        snprintf(text, sizeof text, "%zu others, each less", count - shown);
        fprintf(out, "%-57s", text);
        put_amount(found, rest, 0, out);
        fputc('\n', out);
    }
}

static void put_line(const struct shoal_explain_found *found, const char *name, const char *text,
                     double value, double most, FILE *out)
{
    fprintf(out, "%-9s  %-46s", name, text);
    put_amount(found, value, most, out);
    fputc('\n', out);
}

static double largest(const double *values, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs(values[i]));
    return most;
}

void shoal_explain_print_text(const struct shoal_explain_found *found, FILE *out)
{
    const struct shoal_explanation *e = found->explanation;
    double most = largest(e->inputs, SHOAL_REASONS);
    put_head(found, out);
    put_scope(found, out);
    put_events(found, out);
    fprintf(out, "\n%-57s  %9s  %9s\n", "input, over all events", "logit", "p");
    for (int i = 0; i < SHOAL_REASONS; i++)
        put_line(found, shoal_reason_name((enum shoal_reason)i),
                 shoal_reason_text((enum shoal_reason)i), e->inputs[i], most, out);
    fprintf(out, "\n%-57s  %9s  %9s\n", "counter (exact: it enters linearly)", "logit", "p");
    most = fmax(largest(e->each_counter, SHOAL_COUNTERS), fabs(e->counters));
    put_line(found, "all", "all decayed counters together", e->counters, most, out);
    for (int k = 0; k < SHOAL_COUNTERS; k++) {
        enum shoal_input_group input = (enum shoal_input_group)(SHOAL_INPUT_pv_1h + k);
        char text[64];
        snprintf(text, sizeof text, "%s: %.2f", shoal_input_text(input),
                 (double)found->explained->rates[k]);
        put_line(found, shoal_input_name(input), text, e->each_counter[k], most, out);
    }
    fprintf(out,
            "\ncompleteness: contributions sum to %+.6f, score - base is %+.6f; error %.1e (%.1e of it), "
            "%zu points\n",
            e->events + e->counters, (double)e->logit - (double)e->base_logit, e->error,
            e->relative_error, found->options->steps);
}

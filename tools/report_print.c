/* SPDX-License-Identifier: Apache-2.0 */
/* The report as a table for the terminal; see report_put.h. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "tools/report_put.h"

enum { NAME_WIDTH = 22, FIGURE_BYTES = 32, INTERVAL_BYTES = 80 };

/* A name comes from the data: what would move the terminal's cursor becomes '?'. Padded to `width` characters;
 * continuation bytes of UTF-8 take no room. */
static void print_name(const char *name, int width, FILE *out)
{
    for (; *name; name++) {
        unsigned char byte = (unsigned char)*name, next = (unsigned char)name[1];
        bool c1 = byte == 0xc2 && next >= 0x80 && next < 0xa0;
        fputc(byte < 0x20 || byte == 0x7f || c1 ? '?' : byte, out);
        name += c1;
        width -= (byte & 0xc0) != 0x80;
    }
    fprintf(out, "%*s", width > 0 ? width : 0, "");
}

/* "12.3", or "-" where it cannot be told. */
static const char *figure(char text[FIGURE_BYTES], const char *format, double value)
{
    if (isfinite(value))
        snprintf(text, FIGURE_BYTES, format, value);
    else
        snprintf(text, FIGURE_BYTES, "-");
    return text;
}

/* A p-value is never 0. */
static const char *chance(char text[FIGURE_BYTES], double p_value)
{
    return p_value < 0.001 ? "<0.001" : figure(text, "%.3f", p_value);
}

static const char *interval(char text[INTERVAL_BYTES], const char *format,
                            struct shoal_interval ends, double unit)
{
    char low[FIGURE_BYTES], high[FIGURE_BYTES];
    if (isfinite(ends.low) && isfinite(ends.high))
        snprintf(text, INTERVAL_BYTES, "[%s, %s]", figure(low, format, unit * ends.low),
                 figure(high, format, unit * ends.high));
    else
        snprintf(text, INTERVAL_BYTES, "-");
    return text;
}

static void print_effect(const struct shoal_effect *effect, FILE *out)
{
    const struct shoal_lift *lift = &effect->purchases;
    const struct shoal_difference *used = shoal_lift_used(lift);
    char a[FIGURE_BYTES], b[FIGURE_BYTES], c[FIGURE_BYTES], d[INTERVAL_BYTES], e[FIGURE_BYTES],
        f[FIGURE_BYTES];
    fprintf(out, " %8.0f %8.0f %8s %8s %8s %-16s %7s %7s\n", effect->bought[0].count,
            effect->bought[1].count, figure(a, "%.2f", 100 * lift->exposed),
            figure(b, "%.2f", 100 * lift->control), figure(c, "%+.2f", 100 * used->value),
            interval(d, "%+.2f", used->interval, 100), chance(e, used->p_value),
            figure(f, "%.0f",
                   lift->adjusted_used ? round(100 * lift->variance_reduced) + 0.0 : (double)NAN));
}

static void print_sales(const struct shoal_effect *effect, FILE *out)
{
    const struct shoal_difference *used = shoal_lift_used(&effect->sales);
    char a[FIGURE_BYTES], b[INTERVAL_BYTES], c[FIGURE_BYTES];
    if (isfinite(used->value))
        fprintf(out, "  sales a user: %s %s, p %s\n", figure(a, "%+.2f", used->value),
                interval(b, "%+.2f", used->interval, 1), chance(c, used->p_value));
}

static void print_promotion(const struct shoal_report *report,
                            const struct shoal_promotion_effect *effect, FILE *out)
{
    char words[SHOAL_VERDICT_BYTES];
    print_name(report->names.promotions.texts[effect->promotion], NAME_WIDTH, out);
    print_effect(&effect->effects[0], out);
    shoal_report_verdict(effect, words);
    fprintf(out, "  %s\n", words);
    if (report->effects.has_amounts)
        print_sales(&effect->effects[0], out);
    for (size_t row = 1; row < report->rows.count; row++) {
        const struct shoal_report_row *is = &report->rows.rows[row];
        if (effect->effects[row].bought[0].count + effect->effects[row].bought[1].count < 1)
            continue;
        char name[2 * SHOAL_NAME_BYTES + 8];
        snprintf(name, sizeof name, "  %s %s", report->names.dimensions.texts[is->dimension],
                 report->names.levels.texts[is->level]);
        print_name(name, NAME_WIDTH, out);
        print_effect(&effect->effects[row], out);
    }
}

static void print_period(const struct shoal_report *report, size_t period, FILE *out)
{
    const struct shoal_periods *periods = &report->periods;
    const struct shoal_period_cell *cell = shoal_period_cell(periods, period, 0);
    bool next = period + 1 < periods->count && shoal_period_is_whole(periods, period + 1);
    double active = (double)cell->active, buyers = (double)cell->buyers;
    char date[11], a[FIGURE_BYTES], b[FIGURE_BYTES], c[FIGURE_BYTES], d[FIGURE_BYTES],
        e[FIGURE_BYTES];
    shoal_period_date(periods, period, date);
    fprintf(out, "%s%c %8" PRIu64 " %9s %11s %6s %11s %9" PRIu64 " %12s\n", date,
            shoal_period_is_whole(periods, period) ? ' ' : '*', cell->active,
            figure(a, "%.1f", next ? 100 * (double)cell->retained / active : (double)NAN),
            figure(b, "%.1f", 100 * buyers / active),
            figure(c, "%.1f", 100 * (double)cell->repeaters / buyers),
            figure(d, "%.1f", 100 * (double)cell->abandoned / (double)cell->carts), cell->purchases,
            figure(e, "%.2f", report->effects.has_amounts ? cell->sales : (double)NAN));
}

static void print_note(void *context, const char *note)
{
    fputs("note: ", context);
    print_name(note, 0, context);
    fputc('\n', context);
}

void shoal_report_print(const struct shoal_report *report, FILE *out)
{
    if (report->effects.count) {
        fprintf(out,
                "Purchases within %s of the first offer; %% of users, difference in percentage "
                "points with 95 %% interval\n\n%-*s %8s %8s %8s %8s %8s %-16s %7s %7s\n",
                report->window, NAME_WIDTH, "promotion", "exposed", "control", "exposed%",
                "control%", "lift", "interval", "p", "cuped%");
        for (size_t i = 0; i < report->effects.count; i++)
            print_promotion(report, &report->effects.promotions[i], out);
        fputs("\nIntervals and p-values hold for one look fixed beforehand, not for looking until "
              "something "
              "shows (anytime_ci in --json does); in segments, 1 in 20 differs by chance. cuped%: "
              "variance "
              "explained by the time before the offer.\n\n",
              out);
    }
    fprintf(out, "%-11s %8s %9s %11s %6s %11s %9s %12s\n", report->period, "active", "retained%",
            "penetrat.%", "again%", "abandoned%", "purchases", "sales");
    for (size_t period = 0; period < report->periods.count; period++)
        print_period(report, period, out);
    fputs("*: the events do not cover all of it\n", out);
    shoal_report_notes(report, print_note, out);
}

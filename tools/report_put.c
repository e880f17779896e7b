/* SPDX-License-Identifier: Apache-2.0 */
/* The report as JSON; see report_put.h and deploy/formats.md. */
#include "tools/report_put.h"

#include <math.h>

#include "stream/put_json.h"

static void put_interval(struct shoal_put *put, const char *key, struct shoal_interval interval)
{
    if (!isfinite(interval.low) || !isfinite(interval.high)) {
        shoal_put_null(put, key);
        return;
    }
    shoal_put_open(put, key, '[');
    shoal_put_real(put, NULL, interval.low);
    shoal_put_real(put, NULL, interval.high);
    shoal_put_close(put, ']');
}

/* A total of many purchases has more digits than an estimate. */
static void put_amount(struct shoal_put *put, const char *key, double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.15g", value);
    shoal_put_raw(put, key, isfinite(value) ? text : "null");
}

static void put_ratio(struct shoal_put *put, const char *key, double part, double whole)
{
    shoal_put_real(put, key, whole > 0 ? part / whole : NAN);
}

static void put_row(const struct shoal_report *report, size_t row, struct shoal_put *put)
{
    const struct shoal_report_row *is = &report->rows.rows[row];
    if (is->dimension == SHOAL_NAME_NONE) {
        shoal_put_null(put, "dimension");
        shoal_put_null(put, "level");
        return;
    }
    shoal_put_text(put, "dimension", report->names.dimensions.texts[is->dimension]);
    shoal_put_text(put, "level", report->names.levels.texts[is->level]);
}

/* ---- promotions ----------------------------------------------------------------------------- */

static void put_difference(struct shoal_put *put, const char *key,
                           const struct shoal_difference *difference)
{
    shoal_put_open(put, key, '{');
    shoal_put_real(put, "difference", difference->value);
    put_interval(put, "ci", difference->interval);
    shoal_put_real(put, "p", difference->p_value);
    shoal_put_close(put, '}');
}

static const char *verdict_name(enum shoal_lift_verdict verdict)
{
    static const char *const names[] = {
        [SHOAL_LIFT_UNKNOWN] = "unknown",
        [SHOAL_LIFT_TOO_FEW] = "too_few",
        [SHOAL_LIFT_MORE] = "more",
        [SHOAL_LIFT_LESS] = "less",
    };
    return names[verdict];
}

static void put_lift(struct shoal_put *put, const char *key, const struct shoal_lift *lift)
{
    shoal_put_open(put, key, '{');
    shoal_put_real(put, "exposed", lift->exposed);
    shoal_put_real(put, "control", lift->control);
    put_difference(put, "plain", &lift->plain);
    put_difference(put, "cuped", &lift->adjusted);
    shoal_put_real(put, "variance_reduced", lift->variance_reduced);
    shoal_put_text(put, "judged_by", lift->adjusted_used ? "cuped" : "plain");
    shoal_put_real(put, "relative", lift->relative);
    put_interval(put, "relative_ci", lift->relative_interval);
    put_interval(put, "anytime_ci", lift->anytime);
    shoal_put_real(put, "detectable", lift->detectable);
    shoal_put_real(put, "users_needed", lift->units_needed);
    shoal_put_text(put, "verdict", verdict_name(lift->verdict));
    shoal_put_close(put, '}');
}

static void put_groups(struct shoal_put *put, const struct shoal_effect *effect, bool has_amounts)
{
    static const char *const keys[] = {"exposed", "control"};
    for (int group = 0; group < 2; group++) {
        shoal_put_open(put, keys[group], '{');
        shoal_put_count(put, "users", (uint64_t)effect->bought[group].count);
        shoal_put_count(put, "buyers", (uint64_t)effect->bought[group].hits);
        shoal_put_close(put, '}');
    }
    put_lift(put, "conversion", &effect->purchases);
    if (has_amounts)
        put_lift(put, "sales", &effect->sales);
    else
        shoal_put_null(put, "sales");
}

static void put_contacts(struct shoal_put *put, const struct shoal_promotion_effect *effect)
{
    static const char *const keys[] = {"exposed", "control"};
    shoal_put_open(put, "contacts", '{');
    for (int group = 0; group < 2; group++) {
        shoal_put_open(put, keys[group], '{');
        shoal_put_count(put, "shown", effect->shown[group]);
        shoal_put_count(put, "clicked", effect->clicked[group]);
        shoal_put_count(put, "redeemed", effect->redeemed[group]);
        shoal_put_close(put, '}');
    }
    shoal_put_close(put, '}');
}

static void put_gain(const struct shoal_report *report, const struct shoal_gain *gain,
                     struct shoal_put *put)
{
    shoal_put_open(put, NULL, '{');
    shoal_put_text(put, "score", report->names.scores.texts[gain->score]);
    shoal_put_count(put, "users", gain->users);
    shoal_put_open(put, "points", '[');
    for (size_t i = 0; i < SHOAL_GAIN_POINTS; i++) {
        double share = (double)i / (SHOAL_GAIN_POINTS - 1);
        shoal_put_open(put, NULL, '{');
        shoal_put_real(put, "share", share);
        shoal_put_real(put, "extra_buyers", gain->extra[i]);
        put_interval(put, "ci", gain->intervals[i]);
        shoal_put_real(put, "at_random", share * gain->extra[SHOAL_GAIN_POINTS - 1]);
        shoal_put_close(put, '}');
    }
    shoal_put_close(put, ']');
    shoal_put_close(put, '}');
}

static void put_promotion(const struct shoal_report *report,
                          const struct shoal_promotion_effect *effect, struct shoal_put *put)
{
    bool has_amounts = report->effects.has_amounts;
    char words[SHOAL_VERDICT_BYTES];
    shoal_report_verdict(effect, words);
    shoal_put_open(put, NULL, '{');
    shoal_put_text(put, "promotion", report->names.promotions.texts[effect->promotion]);
    shoal_put_text(put, "says", words);
    shoal_put_real(put, "p_holm", effect->holm_p);
    shoal_put_open(put, "split", '{');
    shoal_put_real(put, "control_share", effect->share);
    shoal_put_real(put, "p", effect->split_p);
    if (isnan(effect->split_p))
        shoal_put_null(put, "broken");
    else
        shoal_put_flag(put, "broken", shoal_report_split_is_broken(effect));
    shoal_put_close(put, '}');
    shoal_put_open(put, "left_out", '{');
    shoal_put_count(put, "window_open", effect->open);
    shoal_put_count(put, "outside_events", effect->outside);
    shoal_put_close(put, '}');
    put_contacts(put, effect);
    put_groups(put, &effect->effects[0], has_amounts);
    shoal_put_open(put, "segments", '[');
    for (size_t row = 1; row < report->rows.count; row++) {
        const struct shoal_effect *one = &effect->effects[row];
        if (one->bought[0].count + one->bought[1].count < 1)
            continue;
        shoal_put_open(put, NULL, '{');
        put_row(report, row, put);
        put_groups(put, one, has_amounts);
        shoal_put_close(put, '}');
    }
    shoal_put_close(put, ']');
    shoal_put_open(put, "gains", '[');
    for (size_t i = 0; i < effect->gains_count; i++)
        put_gain(report, &effect->gains[i], put);
    shoal_put_close(put, ']');
    shoal_put_close(put, '}');
}

/* ---- periods -------------------------------------------------------------------------------- */

/* Against the period before: NaN where one of them is not whole, or there was nothing to grow from. */
static double growth(const struct shoal_report *report, size_t period, double now, double before)
{
    return period > 0 && shoal_period_is_whole(&report->periods, period) &&
                   shoal_period_is_whole(&report->periods, period - 1) && before > 0
               ? now / before - 1
               : NAN;
}

static void put_period_row(const struct shoal_report *report, size_t period, size_t row,
                           struct shoal_put *put)
{
    const struct shoal_periods *periods = &report->periods;
    const struct shoal_period_cell *cell = shoal_period_cell(periods, period, row);
    const struct shoal_period_cell *before =
        period ? shoal_period_cell(periods, period - 1, row) : cell;
    bool next_is_known = period + 1 < periods->count && shoal_period_is_whole(periods, period + 1);
    bool has_amounts = report->effects.has_amounts;
    double active = (double)cell->active, buyers = (double)cell->buyers;
    shoal_put_open(put, NULL, '{');
    put_row(report, row, put);
    shoal_put_count(put, "active", cell->active);
    put_ratio(put, "retention", (double)cell->retained, next_is_known ? active : 0);
    shoal_put_count(put, "buyers", cell->buyers);
    put_ratio(put, "penetration", buyers, active);
    put_ratio(put, "repeat_purchase", (double)cell->repeaters, buyers);
    shoal_put_count(put, "carts", cell->carts);
    put_ratio(put, "cart_abandonment", (double)cell->abandoned, (double)cell->carts);
    shoal_put_count(put, "purchases", cell->purchases);
    shoal_put_real(put, "purchases_growth",
                   growth(report, period, (double)cell->purchases, (double)before->purchases));
    put_amount(put, "sales", has_amounts ? cell->sales : NAN);
    shoal_put_real(put, "sales_growth",
                   has_amounts ? growth(report, period, cell->sales, before->sales) : NAN);
    if (report->has_segments)
        shoal_put_int(put, "size", cell->size);
    else
        shoal_put_null(put, "size");
    shoal_put_close(put, '}');
}

static void put_periods(const struct shoal_report *report, struct shoal_put *put)
{
    const struct shoal_periods *periods = &report->periods;
    shoal_put_open(put, "periods", '[');
    for (size_t period = 0; period < periods->count; period++) {
        char date[11];
        shoal_period_date(periods, period, date);
        shoal_put_open(put, NULL, '{');
        shoal_put_text(put, "date", date);
        shoal_put_time(put, "from", shoal_period_start(periods, period));
        shoal_put_time(put, "until", shoal_period_start(periods, period + 1));
        shoal_put_flag(put, "whole", shoal_period_is_whole(periods, period));
        shoal_put_open(put, "rows", '[');
        for (size_t row = 0; row < periods->rows_count; row++)
            put_period_row(report, period, row, put);
        shoal_put_close(put, ']');
        shoal_put_close(put, '}');
    }
    shoal_put_close(put, ']');
}

/* Moves between the levels of one dimension; level null: none. */
static void put_transitions(const struct shoal_report *report, struct shoal_put *put)
{
    size_t rows = report->rows.count;
    shoal_put_open(put, "transitions", '[');
    for (size_t i = 0; report->has_segments && i < rows * rows; i++) {
        size_t from = i / rows, to = i % rows;
        const struct shoal_report_row *named = &report->rows.rows[to ? to : from];
        if (report->periods.transitions[i] == 0)
            continue;
        shoal_put_open(put, NULL, '{');
        shoal_put_text(put, "dimension", report->names.dimensions.texts[named->dimension]);
        shoal_put_text(put, "from",
                       from ? report->names.levels.texts[report->rows.rows[from].level] : NULL);
        shoal_put_text(put, "to",
                       to ? report->names.levels.texts[report->rows.rows[to].level] : NULL);
        shoal_put_count(put, "count", report->periods.transitions[i]);
        shoal_put_close(put, '}');
    }
    shoal_put_close(put, ']');
}

/* ---- all ------------------------------------------------------------------------------------ */

static void put_data(const struct shoal_report *report, struct shoal_put *put)
{
    shoal_put_open(put, "events", '{');
    shoal_put_time(put, "from", report->dataset->first_ms);
    shoal_put_time(put, "until", report->dataset->last_ms);
    shoal_put_count(put, "events", report->dataset->events_count);
    shoal_put_count(put, "users", report->dataset->users_count);
    shoal_put_count(put, "refused", report->load->walked.refused);
    shoal_put_close(put, '}');
    shoal_put_open(put, "decisions", '{');
    shoal_put_count(put, "lines", report->offers.lines.lines);
    shoal_put_count(put, "eligible", report->offers.answers);
    shoal_put_count(put, "offers", report->offers.count);
    shoal_put_count(put, "unknown_users", report->offers.strangers);
    shoal_put_count(put, "crossed", report->offers.crossed);
    shoal_put_close(put, '}');
    shoal_put_open(put, "segments", '{');
    shoal_put_flag(put, "given", report->has_segments);
    shoal_put_count(put, "changes", report->changes.count);
    shoal_put_count(put, "repeated", report->changes.repeated);
    shoal_put_count(put, "unknown_users", report->changes.strangers);
    shoal_put_count(put, "broken", report->changes.broken);
    shoal_put_close(put, '}');
}

static void put_note(void *context, const char *note)
{
    shoal_put_text(context, NULL, note);
}

void shoal_report_put(const struct shoal_report *report, FILE *out)
{
    struct shoal_put put = {.out = out};
    shoal_put_open(&put, NULL, '{');
    shoal_put_text(&put, "command", "report");
    shoal_put_text(&put, "window", report->window);
    shoal_put_text(&put, "period", report->period);
    shoal_put_text(&put, "utc_offset", report->utc_offset);
    put_data(report, &put);
    shoal_put_open(&put, "notes", '[');
    shoal_report_notes(report, put_note, &put);
    shoal_put_close(&put, ']');
    shoal_put_open(&put, "promotions", '[');
    for (size_t i = 0; i < report->effects.count; i++)
        put_promotion(report, &report->effects.promotions[i], &put);
    shoal_put_close(&put, ']');
    put_periods(report, &put);
    put_transitions(report, &put);
    shoal_put_close(&put, '}');
    fputc('\n', out);
}

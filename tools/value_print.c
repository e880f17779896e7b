/* SPDX-License-Identifier: Apache-2.0 */
/* What `shoal value` prints; see value_print.h. */
#include "tools/value_print.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "stream/event.h"
#include "stream/put_json.h"

enum { GROUPS = 8 }; /* 0, 1 … 6, 7 or more repeat purchases */

static const int64_t DAY_MS = INT64_C(86400000);

static const struct {
    const char *name, *text;
} contenders[SHOAL_CONTENDERS] = {
    [SHOAL_CONTENDER_BG_NBD] = {"bg_nbd", "BG/NBD + Gamma-Gamma"},
    [SHOAL_CONTENDER_ZILN] = {"ziln", "ZILN, same period"},
    [SHOAL_CONTENDER_ZILN_EARLIER] = {"ziln_earlier", "ZILN, period before"},
    [SHOAL_CONTENDER_RATE] = {"rate", "as in the last period"},
    [SHOAL_CONTENDER_MEAN] = {"mean", "mean of all"},
};

/* ---- JSON -------------------------------------------------------------------------------------- */

static void put_cohort(struct shoal_put *put, const struct shoal_purchases_table *table,
                       const struct shoal_cohort *cohort)
{
    size_t repeaters = 0;
    for (size_t n = 0; n < cohort->count; n++)
        repeaters += cohort->customers[n].repeats > 0;
    shoal_put_count(put, "customers", cohort->count);
    shoal_put_count(put, "repeaters", repeaters);
    shoal_put_count(put, "later_customers", cohort->later);
    shoal_put_count(put, "returned_days", table->returned);
    shoal_put_count(put, "anonymous_rows", table->anonymous);
    shoal_put_time(put, "first_day", table->first_day * DAY_MS);
    shoal_put_time(put, "calibrate_until", cohort->until_day * DAY_MS);
    shoal_put_time(put, "last_day", cohort->last_day * DAY_MS);
    shoal_put_real(put, "holdout_weeks", (cohort->last_day - cohort->until_day) / 7.0);
}

static void put_study(struct shoal_put *put, const struct shoal_value_study *study)
{
    const struct shoal_bgnbd *m = &study->buying.model, *e = &study->buying.error;
    const struct shoal_gamma_gamma *g = &study->spend.model, *d = &study->spend.error;
    const struct {
        const char *name;
        double value, error;
    } parameters[] = {{"r", m->r, e->r}, {"alpha", m->alpha, e->alpha},
                      {"a", m->a, e->a}, {"b", m->b, e->b},
                      {"p", g->p, d->p}, {"q", g->q, d->q},
                      {"v", g->v, d->v}};
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++)
        shoal_put_real(put, parameters[i].name, parameters[i].value);
    shoal_put_open(put, "standard_errors", '{');
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++)
        shoal_put_real(put, parameters[i].name, parameters[i].error);
    shoal_put_close(put, '}');
    shoal_put_real(put, "log_likelihood", study->buying.log_likelihood);
    shoal_put_real(put, "mae", study->bought.values[SHOAL_VALUE_MEASURE_mae]);
    shoal_put_real(put, "rmse", study->bought.values[SHOAL_VALUE_MEASURE_rmse]);
    shoal_put_real(put, "total_predicted", study->bought.predicted);
    shoal_put_real(put, "total_actual", study->bought.actual);
    shoal_put_open(put, "spend", '{');
    shoal_put_real(put, "mae", study->spent.values[SHOAL_VALUE_MEASURE_mae]);
    shoal_put_real(put, "rmse", study->spent.values[SHOAL_VALUE_MEASURE_rmse]);
    shoal_put_real(put, "gini", study->spent.values[SHOAL_VALUE_MEASURE_gini]);
    shoal_put_real(put, "total_predicted", study->spent.predicted);
    shoal_put_real(put, "total_actual", study->spent.actual);
    shoal_put_close(put, '}');
}

static void put_contest(struct shoal_put *put, const struct shoal_value_contest *contest)
{
    shoal_put_open(put, "methods", '[');
    for (int c = 0; c < SHOAL_CONTENDERS; c++) {
        const struct shoal_value_judgement *judged = &contest->contenders[c].judged;
        shoal_put_open(put, NULL, '{');
        shoal_put_text(put, "method", contenders[c].name);
        if (!contest->contenders[c].fitted)
            shoal_put_text(put, "not_fitted", contest->contenders[c].why.text);
        for (int m = 0; contest->contenders[c].fitted && m < SHOAL_VALUE_MEASURES; m++) {
            char name[32];
            const char *measure = shoal_value_measure_name((enum shoal_value_measure)m);
            shoal_put_real(put, measure, judged->values[m]);
            snprintf(name, sizeof name, "%s_ci", measure);
            shoal_put_open(put, name, '[');
            shoal_put_real(put, NULL, judged->intervals[m].low);
            shoal_put_real(put, NULL, judged->intervals[m].high);
            shoal_put_close(put, ']');
        }
        if (contest->contenders[c].fitted) {
            shoal_put_real(put, "total_predicted", judged->predicted);
            shoal_put_real(put, "total_actual", judged->actual);
        }
        shoal_put_close(put, '}');
    }
    shoal_put_close(put, ']');
}

/* ---- text -------------------------------------------------------------------------------------- */

static void print_cohort(const struct shoal_purchases_table *table,
                         const struct shoal_cohort *cohort)
{
    char from[25], until[25], last[25];
    size_t repeaters = 0;
    for (size_t n = 0; n < cohort->count; n++)
        repeaters += cohort->customers[n].repeats > 0;
    shoal_time_print(table->first_day * DAY_MS, from);
    shoal_time_print(cohort->until_day * DAY_MS, until);
    shoal_time_print(cohort->last_day * DAY_MS, last);
    printf("calibration  %.10s to %.10s, %zu customers, of whom %zu came back\n", from, until,
           cohort->count, repeaters);
    printf("holdout      to %.10s, %.1f weeks; %zu new customers are left out\n", last,
           (cohort->last_day - cohort->until_day) / 7.0, cohort->later);
    if (table->returned || table->anonymous)
        printf("left out     %zu days on which more was returned than bought, %zu rows without a "
               "customer\n",
               table->returned, table->anonymous);
}

static void print_parameter(const char *name, double value, double error)
{
    if (isnan(error))
        printf("  %s %.4f", name, value);
    else
        printf("  %s %.4f ± %.4f", name, value, error);
}

static void print_groups(const struct shoal_cohort *cohort, const struct shoal_value_study *study)
{
    double expected[GROUPS] = {0}, bought[GROUPS] = {0}, off[GROUPS] = {0};
    size_t counts[GROUPS] = {0};
    for (size_t n = 0; n < cohort->count; n++) {
        size_t group = cohort->customers[n].repeats < GROUPS - 1
                           ? (size_t)cohort->customers[n].repeats
                           : GROUPS - 1;
        counts[group]++;
        expected[group] += (double)study->expected_bought[n];
        bought[group] += (double)cohort->bought[n];
        off[group] += fabs((double)study->expected_bought[n] - (double)cohort->bought[n]);
    }
    puts("by repeat purchases until then   customers   expected     bought        MAE   (each)");
    for (size_t g = 0; g < GROUPS; g++)
        if (counts[g])
            printf("  %zu%-30s %9zu %10.3f %10.3f %10.3f\n", g, g == GROUPS - 1 ? " or more" : "",
                   counts[g], expected[g] / (double)counts[g], bought[g] / (double)counts[g],
                   off[g] / (double)counts[g]);
}

static void print_study(const struct shoal_cohort *cohort, const struct shoal_value_study *study)
{
    const struct shoal_bgnbd *m = &study->buying.model, *e = &study->buying.error;
    const struct shoal_gamma_gamma *g = &study->spend.model, *d = &study->spend.error;
    printf("BG/NBD     ");
    print_parameter("r", m->r, e->r);
    print_parameter("alpha", m->alpha, e->alpha);
    print_parameter("a", m->a, e->a);
    print_parameter("b", m->b, e->b);
    printf("\nGamma-Gamma");
    print_parameter("p", g->p, d->p);
    print_parameter("q", g->q, d->q);
    print_parameter("v", g->v, d->v);
    printf("\npurchases    MAE %.4f  RMSE %.4f  expected %.1f, bought %.0f\n",
           study->bought.values[SHOAL_VALUE_MEASURE_mae],
           study->bought.values[SHOAL_VALUE_MEASURE_rmse], study->bought.predicted,
           study->bought.actual);
    printf("spend        MAE %.2f  RMSE %.2f  expected %.0f, spent %.0f\n",
           study->spent.values[SHOAL_VALUE_MEASURE_mae],
           study->spent.values[SHOAL_VALUE_MEASURE_rmse], study->spent.predicted,
           study->spent.actual);
    print_groups(cohort, study);
}

static void print_measure(const struct shoal_value_judgement *judged,
                          enum shoal_value_measure measure, const char *format)
{
    char text[80], part[3][24];
    const double numbers[] = {judged->values[measure], judged->intervals[measure].low,
                              judged->intervals[measure].high};
    for (size_t i = 0; i < 3; i++)
        snprintf(part[i], sizeof part[i], strcmp(format, "3") == 0 ? "%.3f" : "%.1f", numbers[i]);
    snprintf(text, sizeof text, "%s [%s, %s]", part[0], part[1], part[2]);
    printf("  %-24s", text);
}

static void print_contest(const struct shoal_value_contest *contest)
{
    printf("%-22s  %-24s  %-24s  %-24s  %-24s  %10s\n", "spend, by method", "deviance", "MAE",
           "RMSE", "Gini", "expected");
    for (int c = 0; c < SHOAL_CONTENDERS; c++) {
        const struct shoal_value_judgement *judged = &contest->contenders[c].judged;
        printf("%-22s", contenders[c].text);
        if (!contest->contenders[c].fitted) {
            printf("  cannot be fitted: %s\n", contest->contenders[c].why.text);
            continue;
        }
        print_measure(judged, SHOAL_VALUE_MEASURE_deviance, "1");
        print_measure(judged, SHOAL_VALUE_MEASURE_mae, "1");
        print_measure(judged, SHOAL_VALUE_MEASURE_rmse, "1");
        print_measure(judged, SHOAL_VALUE_MEASURE_gini, "3");
        printf("  %10.0f\n", judged->predicted);
    }
    printf("spent in all %.0f; 95 %% intervals by %d resamples of the customers\n",
           contest->contenders[SHOAL_CONTENDER_MEAN].judged.actual, SHOAL_RESAMPLES);
}

/* ---- both --------------------------------------------------------------------------------------- */

void shoal_value_print_json(const struct shoal_value_findings *found)
{
    struct shoal_put put = {.out = stdout};
    shoal_put_open(&put, NULL, '{');
    put_study(&put, found->study);
    put_cohort(&put, found->table, found->cohort);
    if (found->contest)
        put_contest(&put, found->contest);
    shoal_put_close(&put, '}');
    putchar('\n');
}

void shoal_value_print_text(const struct shoal_value_findings *found)
{
    print_cohort(found->table, found->cohort);
    print_study(found->cohort, found->study);
    if (found->contest)
        print_contest(found->contest);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a training says of customer value; see value_show.h. */
#include "tools/value_show.h"

#include <string.h>

#include "stream/units.h"

bool shoal_value_wanted(const struct shoal_cli_args *args, bool *wanted, int64_t *horizon_ms)
{
    static const int64_t DAY_MS = INT64_C(86400000);
    const char *text = shoal_cli_get(args, "value");
    *wanted = strcmp(text, "off") != 0;
    *horizon_ms = 0;
    if (!*wanted || strcmp(text, "auto") == 0)
        return true;
    if (shoal_duration_parse(text, horizon_ms) && *horizon_ms >= DAY_MS &&
        *horizon_ms <= 3650 * DAY_MS)
        return true;
    (void)shoal_cli_fail(
        args, SHOAL_EXIT_USAGE,
        "--value: '%s' is neither auto nor off nor a duration of 1d to 3650d, for example 30d",
        text);
    return false;
}

static void show_trial(const struct shoal_train_value_report *report,
                       enum shoal_value_method method, FILE *out)
{
    const struct shoal_value_trial *trial = &report->trials[method];
    const double *values = trial->held_out.values;
    if (trial->fitted)
        fprintf(out, "%s deviance %.4g, Gini %.3f, MAE %.4g", shoal_value_method_name(method),
                values[SHOAL_VALUE_MEASURE_deviance], values[SHOAL_VALUE_MEASURE_gini],
                values[SHOAL_VALUE_MEASURE_mae]);
    else
        fprintf(out, "%s could not be fitted", shoal_value_method_name(method));
}

void shoal_value_show(const struct shoal_train_value_report *report, FILE *out)
{
    if (!report->made) {
        fprintf(out, "value       none: %s\n", report->why.text);
        return;
    }
    char horizon[SHOAL_DURATION_TEXT];
    shoal_duration_print(report->horizon_ms, horizon);
    fputs("value       ", out);
    show_trial(report, report->method, out);
    fputs(" on users held out; ", out);
    show_trial(report, report->method == SHOAL_VALUE_ZILN ? SHOAL_VALUE_BG_NBD : SHOAL_VALUE_ZILN,
               out);
    fprintf(out,
            "\n            next %s in %s, of %zu users %zu had bought and %zu then did; middle "
            "from %.4g, "
            "high from %.4g\n",
            horizon, report->priced ? "the log's currency" : "purchases", report->users,
            report->buyers, report->spenders, (double)report->middle, (double)report->high);
}

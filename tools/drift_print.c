/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/drift_print.h"

#include <inttypes.h>

#include "stream/event.h"

void shoal_drift_put(struct shoal_put *put, const char *key,
                     const struct shoal_drift_report *report)
{
    shoal_put_open(put, key, '{');
    shoal_put_time(put, "from", report->from_ms);
    shoal_put_time(put, "until", report->until_ms);
    shoal_put_count(put, "n", report->samples);
    shoal_put_count(put, "users", report->users);
    shoal_put_flag(put, "judged", report->judged);
    shoal_put_flag(put, "drifted", report->drifted);
    shoal_put_open(put, "distributions", '[');
    for (uint32_t i = 0; i < report->count; i++) {
        const struct shoal_drift *drift = &report->drifts[i];
        shoal_put_open(put, NULL, '{');
        shoal_put_text(put, "name", drift->name);
        shoal_put_count(put, "n", drift->samples);
        shoal_put_real(put, "effective_n", drift->effective);
        shoal_put_count(put, "bins", drift->bins);
        shoal_put_real(put, "psi", drift->psi);
        shoal_put_real(put, "noise", drift->noise);
        shoal_put_real(put, "threshold", drift->threshold);
        shoal_put_flag(put, "drifted", drift->drifted);
        shoal_put_close(put, '}');
    }
    shoal_put_close(put, ']');
    shoal_put_close(put, '}');
}

void shoal_drift_print(const struct shoal_drift_report *report, FILE *out)
{
    char from[25], until[25];
    shoal_time_print(report->from_ms, from);
    shoal_time_print(report->until_ms, until);
    if (report->count == 0) {
        fputs("the model has no distributions to measure drift against\n", out);
        return;
    }
    fprintf(out, "%" PRIu64 " events of %" PRIu64 " users, %s to %s\n", report->samples,
            report->users, from, until);
    fprintf(out, "  %-16s  %9s  %8s  %8s  %9s\n", "distribution", "effective", "PSI", "noise",
            "threshold");
    for (uint32_t i = 0; i < report->count; i++) {
        const struct shoal_drift *drift = &report->drifts[i];
        fprintf(out, "  %-16s  %9.0f  %8.4f  %8.4f  %9.4f%s\n", drift->name, drift->effective,
                drift->psi, drift->noise, drift->threshold, drift->drifted ? "  drifted" : "");
    }
    if (report->judged)
        fputs(report->drifted ? "drifted\n" : "no drift\n", out);
    else
        fprintf(out, "too few events to tell: needed are %d\n", SHOAL_DRIFT_SAMPLES_MIN);
}

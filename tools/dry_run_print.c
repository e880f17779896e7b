/* SPDX-License-Identifier: Apache-2.0 */
/* What a dry run has counted, for people and as JSON; see dry_run.h. */
#include <inttypes.h>
#include <string.h>

#include "stream/event.h"
#include "tools/dry_run.h"

static const int64_t DAY_MS = INT64_C(86400000);

/* "2017-11-26" */
static void print_day(int64_t day, char text[25])
{
    shoal_time_print(day * DAY_MS, text);
    text[10] = '\0';
}

/* Index of the most frequent reason that is below `less` (and, among equals, behind `after`); −1: none. */
static int next_reason(const struct shoal_dry_run *run, const struct shoal_dry_tally *tally,
                       uint64_t less, int after)
{
    int best = -1;
    for (int i = 0; shoal_dry_run_reason(run, (size_t)i); i++) {
        uint64_t count = tally->withheld[i];
        bool left = count < less || (count == less && i > after);
        if (count > 0 && left && (best < 0 || count > tally->withheld[best]))
            best = i;
    }
    return best;
}

static void print_reasons(const struct shoal_dry_run *run, const struct shoal_dry_tally *tally,
                          FILE *out)
{
    enum { SHOWN = 6 };
    int at = -1;
    uint64_t less = UINT64_MAX;
    for (int shown = 0; shown < SHOWN && (at = next_reason(run, tally, less, at)) >= 0; shown++) {
        less = tally->withheld[at];
        fprintf(out, "%s%s %" PRIu64, shown ? ", " : "    withheld: ",
                shoal_dry_run_reason(run, (size_t)at), less);
    }
    if (less != UINT64_MAX)
        putc('\n', out);
}

static void print_days(const struct shoal_dry_tally *tally, uint32_t budget, FILE *out)
{
    for (size_t i = 0; i < tally->days_count; i++) {
        char day[25];
        print_day(tally->days[i].day, day);
        fprintf(out, "%s%s %" PRIu64, i == 0 ? "    a day: " : ", ", day, tally->days[i].offers);
    }
    if (tally->days_count)
        fprintf(out, " (budget %" PRIu32 ")\n", budget);
}

void shoal_dry_run_print(const struct shoal_dry_run *run, const struct shoal_policy *policy,
                         FILE *out)
{
    for (size_t i = 0; i < policy->count; i++) {
        const struct shoal_dry_tally *tally = shoal_dry_run_tally(run, i);
        fprintf(out,
                "  %s: asked %" PRIu64 " times, eligible %" PRIu64 "; %" PRIu64
                " offers to %" PRIu64 " users, %" PRIu64 " more watched as control; %" PRIu64
                " withdrawn\n",
                policy->promotions[i].id, tally->asked, tally->eligible, tally->offers,
                tally->users, tally->control_users, tally->withdrawn);
        print_reasons(run, tally, out);
        if (policy->promotions[i].budget)
            print_days(tally, policy->promotions[i].budget, out);
    }
}

void shoal_dry_run_put(const struct shoal_dry_run *run, const struct shoal_policy *policy,
                       struct shoal_put *put)
{
    shoal_put_open(put, "dry_run", '[');
    for (size_t i = 0; i < policy->count; i++) {
        const struct shoal_dry_tally *tally = shoal_dry_run_tally(run, i);
        shoal_put_open(put, NULL, '{');
        shoal_put_text(put, "promotion", policy->promotions[i].id);
        shoal_put_count(put, "asked", tally->asked);
        shoal_put_count(put, "eligible", tally->eligible);
        shoal_put_count(put, "offers", tally->offers);
        shoal_put_count(put, "users", tally->users);
        shoal_put_count(put, "control_users", tally->control_users);
        shoal_put_count(put, "withdrawn", tally->withdrawn);
        shoal_put_open(put, "withheld", '{');
        for (size_t r = 0; shoal_dry_run_reason(run, r); r++) {
            if (tally->withheld[r])
                shoal_put_count(put, shoal_dry_run_reason(run, r), tally->withheld[r]);
        }
        shoal_put_close(put, '}');
        shoal_put_open(put, "offers_by_day", '{');
        for (size_t d = 0; d < tally->days_count; d++) {
            char day[25];
            print_day(tally->days[d].day, day);
            shoal_put_count(put, day, tally->days[d].offers);
        }
        shoal_put_close(put, '}');
        shoal_put_close(put, '}');
    }
    shoal_put_close(put, ']');
}

/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal report`: what promotions brought and how segments do, from events and the outputs of `run` or
 * `replay`. A report never guesses: what the files cannot tell is said to be so. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "stream/event.h"
#include "stream/units.h"
#include "tools/commands.h"
#include "tools/report_put.h"
#include "tools/setup.h"

#define DAY_MS INT64_C(86400000)

struct reporting {
    const struct shoal_cli_args *args;
    int64_t window_ms, period_ms, offset_ms;
    char segments[4096]; /* files of segment changes; empty: none */
    struct shoal_dataset dataset;
    struct shoal_load load;
    struct shoal_policy *policy;
    struct shoal_report report;
    struct shoal_message message;
};

/* ---- command line --------------------------------------------------------------------------- */

/* "+08:00": read as the time at which it was midnight there, of a day late enough for all. */
static bool parse_offset(const char *text, int64_t *offset_ms)
{
    char time[64];
    int64_t midnight_ms;
    if ((text[0] != '+' && text[0] != '-') || strlen(text) > 6)
        return false;
    snprintf(time, sizeof time, "1970-01-03T00:00%s", text);
    if (!shoal_time_parse(time, strlen(time), &midnight_ms))
        return false;
    *offset_ms = 2 * DAY_MS - midnight_ms;
    return true;
}

static int read_options(struct reporting *reporting)
{
    const struct shoal_cli_args *args = reporting->args;
    const char *window = shoal_cli_get(args, "window"), *period = shoal_cli_get(args, "period");
    const char *offset = shoal_cli_get(args, "utc-offset");
    if (!shoal_duration_parse(window, &reporting->window_ms) || reporting->window_ms <= 0)
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE,
                              "--window: '%s' is no duration such as 24h or 7d", window);
    if (strcmp(period, "day") != 0 && strcmp(period, "week") != 0)
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "--period: '%s' is not one of day, week",
                              period);
    if (!parse_offset(offset, &reporting->offset_ms))
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE,
                              "--utc-offset: '%s' is no offset such as +08:00", offset);
    reporting->period_ms = strcmp(period, "day") == 0 ? DAY_MS : 7 * DAY_MS;
    reporting->report.window = window;
    reporting->report.period = period;
    reporting->report.utc_offset = offset;
    return SHOAL_EXIT_OK;
}

/* --segments, or segments.jsonl beside the first decisions file if it is there. */
static int find_segments(struct reporting *reporting)
{
    const char *given = shoal_cli_get(reporting->args, "segments");
    const char *decisions = shoal_cli_get(reporting->args, "decisions");
    size_t first = strcspn(decisions, ","), folder = first;
    while (folder > 0 && decisions[folder - 1] != '/')
        folder--;
    int size = given ? snprintf(reporting->segments, sizeof reporting->segments, "%s", given)
                     : snprintf(reporting->segments, sizeof reporting->segments,
                                "%.*ssegments.jsonl", (int)folder, decisions);
    if (size < 0 || (size_t)size >= sizeof reporting->segments)
        return shoal_cli_fail(reporting->args, SHOAL_EXIT_USAGE,
                              "the path of the segments is too long");
    if (!given && access(reporting->segments, R_OK) != 0)
        reporting->segments[0] = '\0';
    return SHOAL_EXIT_OK;
}

/* A level of a dimension that nobody has would be an empty report: better said at once. */
static int find_by(const struct reporting *reporting, uint16_t *by)
{
    const char *name = shoal_cli_get(reporting->args, "by");
    const struct shoal_names *dimensions = &reporting->report.names.dimensions;
    char known[512] = "";
    *by = SHOAL_NAME_NONE;
    if (!name)
        return SHOAL_EXIT_OK;
    *by = shoal_names_find(dimensions, name, strlen(name));
    if (*by != SHOAL_NAME_NONE)
        return SHOAL_EXIT_OK;
    for (size_t i = 0; i < dimensions->count; i++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", dimensions->texts[i]);
    }
    return shoal_cli_fail(reporting->args, SHOAL_EXIT_USAGE,
                          "--by: '%s' is no dimension of these files (%s)", name,
                          known[0] ? known : "they name none");
}

/* ---- reading -------------------------------------------------------------------------------- */

/* A file of results that cannot be read is data that is damaged, not an event to be skipped. */
static int fail(const struct reporting *reporting, enum shoal_status status)
{
    int code =
        shoal_status_class(status) == SHOAL_CLASS_SKIP ? SHOAL_EXIT_DATA : shoal_setup_exit(status);
    return shoal_cli_fail(reporting->args, code, "%s", reporting->message.text);
}

static int read_files(struct reporting *reporting)
{
    struct shoal_report *report = &reporting->report;
    const char *promotions = shoal_cli_get(reporting->args, "promotions");
    enum shoal_status status = SHOAL_OK;
    if (promotions)
        status = shoal_policy_load(promotions, &reporting->policy, &reporting->message);
    report->has_policy = reporting->policy != NULL;
    if (status != SHOAL_OK)
        return fail(reporting, status);
    reporting->load.until_ms = INT64_MAX;
    int code = shoal_load_for(reporting->args, &reporting->load, &reporting->dataset);
    if (code != SHOAL_EXIT_OK)
        return code;
    if (reporting->dataset.events_count == 0)
        return shoal_cli_fail(reporting->args, SHOAL_EXIT_DATA, "%s has no events that can be read",
                              shoal_cli_get(reporting->args, "events"));
    status = shoal_offers_read(shoal_cli_get(reporting->args, "decisions"), &reporting->dataset,
                               &report->names, &report->offers, &reporting->message);
    if (status == SHOAL_OK && reporting->segments[0]) {
        report->has_segments = true;
        status = shoal_changes_read(reporting->segments, &reporting->dataset, &report->names,
                                    &report->changes, &reporting->message);
    }
    return status == SHOAL_OK ? SHOAL_EXIT_OK : fail(reporting, status);
}

static int compute(struct reporting *reporting)
{
    struct shoal_report *report = &reporting->report;
    const struct shoal_effects_options options = {reporting->window_ms, reporting->policy};
    uint16_t by;
    int code = find_by(reporting, &by);
    if (code != SHOAL_EXIT_OK)
        return code;
    enum shoal_status status = shoal_report_rows_make(&report->names, &report->offers,
                                                      &report->changes, by, &report->rows);
    if (status == SHOAL_OK)
        status = shoal_effects_make(&reporting->dataset, &report->names, &report->offers,
                                    &report->rows, &options, &report->effects);
    if (status == SHOAL_NOMEM)
        shoal_fail(&reporting->message, status, "out of memory");
    if (status == SHOAL_OK)
        status = shoal_periods_make(&reporting->dataset, &report->changes, &report->rows,
                                    reporting->period_ms, reporting->offset_ms, &report->periods,
                                    &reporting->message);
    if (status == SHOAL_INVALID)
        return shoal_cli_fail(reporting->args, SHOAL_EXIT_DATA, "%s", reporting->message.text);
    return status == SHOAL_OK ? SHOAL_EXIT_OK : fail(reporting, status);
}

/* ---- writing -------------------------------------------------------------------------------- */

static int write_file(const struct reporting *reporting, const char *path, bool page)
{
    struct shoal_message message = {""};
    enum shoal_status status = SHOAL_OK;
    bool to_stdout = strcmp(path, "-") == 0;
    FILE *out = to_stdout ? stdout : fopen(path, "we");
    if (!out)
        return shoal_cli_fail(reporting->args, SHOAL_EXIT_FAILED, "%s: %s", path, strerror(errno));
    if (page)
        status = shoal_report_put_page(&reporting->report, out, &message);
    else
        shoal_report_put(&reporting->report, out);
    errno = 0;
    bool failed = fflush(out) != 0 || ferror(out);
    int error = errno;
    if (!to_stdout && fclose(out) != 0)
        failed = true;
    if (status != SHOAL_OK)
        return shoal_cli_fail(reporting->args, SHOAL_EXIT_FAILED, "%s: %s", path, message.text);
    if (failed)
        return shoal_cli_fail(reporting->args, SHOAL_EXIT_FAILED, "%s: %s", path,
                              error ? strerror(error) : "cannot be written");
    return SHOAL_EXIT_OK;
}

static int write_all(const struct reporting *reporting)
{
    const char *page = shoal_cli_get(reporting->args, "out");
    const char *json = shoal_cli_get(reporting->args, "json");
    bool to_stdout = (page && strcmp(page, "-") == 0) || (json && strcmp(json, "-") == 0);
    int code = SHOAL_EXIT_OK;
    if (page)
        code = write_file(reporting, page, true);
    if (code == SHOAL_EXIT_OK && json)
        code = write_file(reporting, json, false);
    if (code == SHOAL_EXIT_OK && !to_stdout)
        shoal_report_print(&reporting->report, stdout);
    return code;
}

static void finish(struct reporting *reporting)
{
    struct shoal_report *report = &reporting->report;
    shoal_periods_finish(&report->periods);
    shoal_effects_finish(&report->effects);
    shoal_report_rows_finish(&report->rows);
    shoal_changes_finish(&report->changes);
    shoal_offers_finish(&report->offers);
    shoal_report_names_finish(&report->names);
    shoal_policy_destroy(reporting->policy);
    shoal_dataset_finish(&reporting->dataset);
}

static int run(const struct shoal_cli_args *args)
{
    struct reporting reporting = {.args = args};
    reporting.report.dataset = &reporting.dataset;
    reporting.report.load = &reporting.load;
    shoal_dataset_init(&reporting.dataset, SHOAL_RING_MAX);
    int code = read_options(&reporting);
    if (code == SHOAL_EXIT_OK)
        code = find_segments(&reporting);
    if (code == SHOAL_EXIT_OK)
        code = read_files(&reporting);
    if (code == SHOAL_EXIT_OK)
        code = compute(&reporting);
    if (code == SHOAL_EXIT_OK)
        code = write_all(&reporting);
    finish(&reporting);
    return code;
}

static const struct shoal_cli_option options[] = {
    {"events", "FILE[,FILE…]", NULL, "what users did: JSON lines or CSV, plain, gzip or zstd", true,
     false},
    {"decisions", "FILE[,FILE…]", NULL,
     "decisions.jsonl of shoal replay, or the values of the decisions topic, one a line", true,
     false},
    {"segments", "FILE[,FILE…]", NULL,
     "segment changes, likewise (default: segments.jsonl beside the decisions, if it is there)",
     false, false},
    {"promotions", "FILE", NULL,
     "promotions (YAML): the split into groups is checked against their control shares", false,
     false},
    {"window", "DURATION", "24h", "time after a user's first offer in which purchases count", false,
     false},
    {"by", "DIMENSION", NULL, "only the segments of this dimension (default: of all)", false,
     false},
    {"period", "day|week", "day", "what retention, sales and segment sizes are told by", false,
     false},
    {"utc-offset", "+HH:MM", "+00:00", "how far the clock that days begin by runs ahead of UTC",
     false, false},
    {"out", "FILE.html", NULL,
     "write a page with plots, one file that loads nothing; - for standard output", false, false},
    {"json", "FILE", NULL, "write everything as JSON; - for standard output", false, false},
    SHOAL_WALK_OPTIONS,
    {0},
};

const struct shoal_cli_command shoal_cmd_report = {
    .name = "report",
    .summary = "what promotions brought, and how segments do",
    .description = "Compares the users who were offered a promotion with its control group: "
                   "purchases and sales within "
                   "the window after the first offer, with 95 % intervals, p-values and the "
                   "variance that the time "
                   "before the offer explains (CUPED), in all and by segment. Retention, repeat "
                   "purchase, cart "
                   "abandonment, penetration and sales by segment and period; segment sizes and "
                   "transitions. A summary "
                   "goes to standard output, all figures to --json, a page with plots to --out. "
                   "(The page about the "
                   "training of a model is another program, tools/report.)",
    .example =
        "shoal report --events events.jsonl --decisions out/decisions.jsonl --out report.html "
        "--json report.json",
    .options = options,
    .run = run,
};

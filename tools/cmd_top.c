/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal top`: the figures of running processors in the terminal; and --list, the page of all metrics. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "model/base/clock.h"
#include "stream/event.h"
#include "stream/exposition.h"
#include "stream/units.h"
#include "stream/yaml_tree.h"
#include "tools/commands.h"
#include "tools/instances.h"
#include "tools/terminal.h"
#include "tools/top_print.h"

enum { TIMEOUT_MS = 3000 };

/* ---- the page of metrics -------------------------------------------------------------------- */

static void print_bounds(const char *what, enum shoal_scale scale)
{
    size_t count;
    const int64_t *bounds_us = shoal_scale_bounds_us(scale, &count);
    printf("%s:", what);
    for (size_t i = 0; i < count; i++)
        printf(" %g", (double)bounds_us[i] / 1e6);
    puts(".");
}

static void print_list(void)
{
    puts("# Metrics\n\n"
         "What `GET /metrics` of `shoal run` answers, in Prometheus' text format 0.0.4. Written by\n"
         "`shoal top --list`; the list is `stream/metrics_list.h`.\n\n"
         "Counters begin at 0 with the process and count what was committed. The figures of a worker are\n"
         "those of its last commit.\n\n"
         "| name | type | labels | meaning |\n|---|---|---|---|");
    for (int i = 0; i < SHOAL_METRIC_COUNT; i++) {
        const struct shoal_metric_about *about = shoal_metric_about((enum shoal_metric)i);
        printf("| `%s` | %s | ", about->name, shoal_metric_type_name(about->type));
        for (const char *label = about->labels; *label;) {
            size_t size = strcspn(label, " ");
            printf("`%.*s`%s", (int)size, label, label[size] ? " " : "");
            label += size + (label[size] == ' ');
        }
        printf(" | %s |\n", about->help);
    }
    puts("\nUpper bounds of the buckets, in seconds:\n");
    print_bounds("- of calls of Redis", SHOAL_SCALE_CALL);
    print_bounds("- of all other histograms", SHOAL_SCALE_DELAY);
}

/* ---- looking -------------------------------------------------------------------------------- */

/* The token of --token-file, else of SHOAL_TOKEN, else none: *token NULL; else the caller frees it. */
static int read_token(const struct shoal_cli_args *args, char **token)
{
    const char *path = shoal_cli_get(args, "token-file"), *given = getenv("SHOAL_TOKEN");
    struct shoal_buffer bytes = {0};
    struct shoal_message message = {.text = ""};
    *token = NULL;
    if (!path && (!given || !*given))
        return SHOAL_EXIT_OK;
    if (path && shoal_yaml_slurp(path, &bytes, &message) != SHOAL_OK) {
        shoal_buffer_finish(&bytes);
        return shoal_cli_fail(args, SHOAL_EXIT_CONFIG, "--token-file: %s", message.text);
    }
    *token = path ? strndup((const char *)bytes.bytes, bytes.size) : strdup(given);
    shoal_buffer_finish(&bytes);
    if (!*token)
        return shoal_cli_fail(args, SHOAL_EXIT_FAILED, "out of memory");
    (*token)[strcspn(*token, " \t\r\n")] = '\0'; /* the first word */
    if (!**token)
        return shoal_cli_fail(args, SHOAL_EXIT_CONFIG, "--token-file: %s is empty", path ? path : "");
    return SHOAL_EXIT_OK;
}

static int add_instances(const struct shoal_cli_args *args, const char *token,
                         struct shoal_instances *all)
{
    struct shoal_message message = {.text = ""};
    const char *url;
    for (size_t i = 0; (url = shoal_cli_get_nth(args, "url", i)) || i == 0; i++) {
        enum shoal_status status = shoal_instances_add(all, url ? url : "http://127.0.0.1:8642",
                                                       token, TIMEOUT_MS, &message);
        if (status != SHOAL_OK)
            return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "--url: %s", message.text);
    }
    return SHOAL_EXIT_OK;
}

static double now_s(void)
{
    return (double)shoal_clock_wall_ms() / 1000;
}

static int look_once(const struct shoal_cli_args *args, struct shoal_instances *all)
{
    struct shoal_buffer text = {0};
    struct shoal_top_view view = {.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR")};
    int rows;
    shoal_terminal_size(&view.columns, &rows);
    size_t up = shoal_instances_look(all, now_s());
    int code = SHOAL_EXIT_OK;
    for (size_t i = 0; i < all->count; i++) {
        if (!all->list[i].up)
            code = shoal_cli_fail(args, SHOAL_EXIT_FAILED, "%s", all->list[i].problem.text);
    }
    if (up > 0) {
        shoal_top_print(all, &view, &text);
        fwrite(text.bytes, 1, text.size, stdout);
    }
    shoal_buffer_finish(&text);
    return code;
}

static void draw(const struct shoal_instances *all)
{
    struct shoal_buffer text = {0};
    char clock[16];
    struct tm local;
    time_t now = time(NULL);
    strftime(clock, sizeof clock, "%H:%M:%S", localtime_r(&now, &local));
    struct shoal_top_view view = {.colour = !getenv("NO_COLOR"), .clock = clock};
    shoal_terminal_size(&view.columns, &view.rows);
    view.rows -= view.rows > 1; /* the last line would scroll */
    shoal_top_print(all, &view, &text);
    if (!text.failed)
        shoal_terminal_draw((const char *)text.bytes, text.size);
    shoal_buffer_finish(&text);
}

/* Until 'q' or a signal. A process that is away is asked again at the next look. */
static void watch(struct shoal_instances *all, int interval_ms)
{
    int64_t due_ms = 0;
    for (;;) {
        int64_t ms = shoal_clock_ms();
        if (ms >= due_ms) {
            shoal_instances_look(all, now_s());
            due_ms = ms + interval_ms;
        }
        draw(all);
        int64_t left_ms = due_ms - shoal_clock_ms();
        int key = shoal_terminal_wait(left_ms > 0 ? (int)left_ms : 0);
        if (key < 0 || key == 'q' || key == 'Q')
            return;
    }
}

static int run(const struct shoal_cli_args *args)
{
    struct shoal_instances all = {0};
    char *token = NULL;
    int64_t interval_ms;
    if (shoal_cli_get(args, "list")) {
        print_list();
        return SHOAL_EXIT_OK;
    }
    const char *interval = shoal_cli_get(args, "interval");
    if (!shoal_duration_parse(interval, &interval_ms) || interval_ms < 100 || interval_ms > 3600000)
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "--interval: '%s' is no time from 100ms to 1h",
                              interval);
    int code = read_token(args, &token);
    if (code == SHOAL_EXIT_OK)
        code = add_instances(args, token, &all);
    if (code == SHOAL_EXIT_OK) {
        if (shoal_cli_get(args, "once") || !shoal_terminal_open()) {
            code = look_once(args, &all);
        } else {
            watch(&all, (int)interval_ms);
            shoal_terminal_close();
        }
    }
    shoal_instances_finish(&all);
    free(token);
    return code;
}

static const struct shoal_cli_option options[] = {
    {"url", "URL", NULL,
     "a processor's address; may be given several times (default http://127.0.0.1:8642)", false, true},
    {"token-file", "FILE", NULL, "file with the token to send (else the variable SHOAL_TOKEN)", false,
     false},
    {"interval", "TIME", "2s", "between two looks, 100ms to 1h", false, false},
    {"once", NULL, NULL, "print once, with rates since the start, and exit", false, false},
    {"list", NULL, NULL, "print all metrics as a page of Markdown and exit", false, false},
    {0},
};

const struct shoal_cli_command shoal_cmd_top = {
    .name = "top",
    .summary = "watch running processors in the terminal",
    .description =
        "Reads /metrics of each processor and shows them together: events and their delay, lag, time by stage, "
        "cache, Redis, Kafka, segments, decisions by promotion, the model. Rates are over the time since the "
        "last look. A processor that is away is named and asked again. q ends it. Where the output is no "
        "terminal it prints once. NO_COLOR in the environment: no colours. Exit code 1: with --once, a "
        "processor did not answer.",
    .example = "shoal top --url http://10.0.0.1:8642 --url http://10.0.0.2:8642",
    .options = options,
    .run = run,
};

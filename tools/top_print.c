/* SPDX-License-Identifier: Apache-2.0 */
/* The view of `shoal top`; see top_print.h.
 *
 * A section is a title and pieces of text, which are set one behind the other and continue on the next line
 * where the terminal is too narrow. */
#include "tools/top_print.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TITLE_COLUMNS = 14, WIDE = 100, PARTITIONS_SHOWN = 12, PROMOTIONS_SHOWN = 16 };

struct page {
    const struct shoal_instances *all;
    const struct shoal_top_view *view;
    struct shoal_buffer *out;
    int columns, column, lines;
};

void shoal_top_number(double value, char text[16])
{
    static const struct {
        double from;
        const char *unit;
    } units[] = {{1e9, " G"}, {1e6, " M"}, {1e3, " k"}, {0, ""}};
    size_t i = 0;
    if (isnan(value)) {
        snprintf(text, 16, "-");
        return;
    }
    while (units[i].from > 0 && value < units[i].from * 0.9995)
        i++;
    double scaled = units[i].from > 0 ? value / units[i].from : value;
    bool whole = units[i].from <= 0 && fabs(scaled - round(scaled)) < 1e-9;
    int digits = whole || scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2;
    snprintf(text, 16, "%.*f%s", digits, scaled, units[i].unit);
}

void shoal_top_duration(double seconds, char text[16])
{
    if (isnan(seconds))
        snprintf(text, 16, "-");
    else if (seconds < 0.0009995)
        snprintf(text, 16, "%.0f us", seconds * 1e6);
    else if (seconds < 0.9995)
        snprintf(text, 16, "%.*f ms", seconds < 0.00995 ? 1 : 0, seconds * 1e3);
    else if (seconds < 120)
        snprintf(text, 16, "%.*f s", seconds < 9.95 ? 1 : 0, seconds);
    else if (seconds < 7200)
        snprintf(text, 16, "%.0f min", seconds / 60);
    else if (seconds < 172800)
        snprintf(text, 16, "%.0f h", seconds / 3600);
    else
        snprintf(text, 16, "%.0f days", seconds / 86400);
}

/* ---- layout --------------------------------------------------------------------------------- */

static void put(struct page *page, const char *text)
{
    shoal_buffer_append(page->out, text, strlen(text));
}

static bool is_full(const struct page *page)
{
    return page->view->rows > 0 && page->lines >= page->view->rows;
}

/* Columns of UTF-8 text, taking a character for a column; none is told to be wider. */
static int columns_of(const char *text)
{
    int count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

static void end_line(struct page *page)
{
    if (page->column > 0) {
        put(page, "\n");
        page->lines++;
    }
    page->column = 0;
}

/* What comes from outside must not steer the terminal, and fits the line. */
static void put_safe(struct page *page, const char *text)
{
    for (; *text && page->column < page->columns; text++) {
        unsigned char byte = (unsigned char)*text;
        char safe = byte < 0x20 || byte == 0x7F ? '?' : *text;
        shoal_buffer_append(page->out, &safe, 1);
        page->column += (byte & 0xC0) != 0x80;
    }
    while (((unsigned char)*text & 0xC0) == 0x80) /* the rest of the last character */
        shoal_buffer_append(page->out, text++, 1);
}

static void title(struct page *page, const char *text)
{
    char padded[32];
    end_line(page);
    if (is_full(page))
        return;
    snprintf(padded, sizeof padded, "%-*s", TITLE_COLUMNS, text);
    put(page, page->view->colour ? "\033[1m" : "");
    put_safe(page, padded);
    put(page, page->view->colour ? "\033[0m" : "");
}

enum tone { PLAIN, BAD };

static void piece(struct page *page, enum tone tone, const char *format, ...) SHOAL_PRINTF(3, 4);
static void piece(struct page *page, enum tone tone, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    int gap = page->column > TITLE_COLUMNS ? 2 : 0;
    if (gap && page->column + gap + columns_of(text) > page->columns) {
        title(page, ""); /* goes on below */
        gap = 0;
    }
    if (is_full(page))
        return;
    bool red = page->view->colour && tone == BAD;
    put_safe(page, gap ? "  " : "");
    put(page, red ? "\033[31m" : "");
    put_safe(page, text);
    put(page, red ? "\033[0m" : "");
}

/* ---- figures -------------------------------------------------------------------------------- */

static double rate(const struct page *page, const char *name, const char *label, const char *value)
{
    return shoal_instances_rate(page->all, name, label, value);
}

static double sum(const struct page *page, const char *name)
{
    return shoal_instances_sum(page->all, name, NULL, NULL);
}

/* A number and what it is of. */
static void number(struct page *page, enum tone tone, double value, const char *what)
{
    char text[16];
    shoal_top_number(value, text);
    piece(page, tone, "%s%s%s", text, *what == '/' ? "" : " ", what);
}

static void quantiles(struct page *page, const char *name, const char *what)
{
    char middle[16], high[16];
    shoal_top_duration(shoal_instances_quantile(page->all, name, 0.5), middle);
    shoal_top_duration(shoal_instances_quantile(page->all, name, 0.99), high);
    piece(page, PLAIN, "%s%sp50 %s", what, *what ? " " : "", middle);
    piece(page, PLAIN, "p99 %s", high);
}

static void print_head(struct page *page)
{
    size_t up = 0;
    char since[16];
    for (size_t i = 0; i < page->all->count; i++)
        up += page->all->list[i].up;
    shoal_top_duration(page->all->since_s, since);
    title(page, "shoal top");
    piece(page, up < page->all->count ? BAD : PLAIN, "%zu of %zu processes", up, page->all->count);
    if (up > 0)
        piece(page, PLAIN, page->all->from_start ? "since the start, %s ago" : "last %s", since);
    if (page->view->clock)
        piece(page, PLAIN, "%s", page->view->clock);
    for (size_t i = 0; i < page->all->count; i++) {
        if (!page->all->list[i].up) {
            title(page, "  away");
            piece(page, BAD, "%s", page->all->list[i].problem.text);
        }
    }
}

static void print_events(struct page *page)
{
    static const char *const results[] = {"late", "repeated", "declined", "recovered", "deadletter"};
    title(page, "events");
    double all = rate(page, "shoal_events_total", NULL, NULL);
    number(page, PLAIN, all, "/s");
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        double one = rate(page, "shoal_events_total", "result", results[i]);
        piece(page, i == 4 && one > 0.01 * all ? BAD : PLAIN, "%s %.2f %%", results[i],
              all > 0 ? 100 * one / all : 0);
    }
    title(page, "delay");
    quantiles(page, "shoal_delay_seconds", "");
    title(page, "commits");
    number(page, PLAIN, rate(page, "shoal_commit_duration_seconds_count", NULL, NULL), "/s");
    quantiles(page, "shoal_commit_duration_seconds", "");
}

static void print_lag(struct page *page)
{
    char seconds[16], messages[16];
    double recovering = sum(page, "shoal_recovering_messages");
    title(page, "lag");
    number(page, PLAIN, sum(page, "shoal_lag_messages"), "messages");
    shoal_top_duration(shoal_instances_most(page->all, "shoal_lag_seconds", NULL, NULL), seconds);
    piece(page, PLAIN, "oldest %s", seconds);
    if (recovering > 0)
        number(page, BAD, recovering, "to recover");
    const char *partition;
    int shown = 0, more = 0;
    for (size_t k = 0;
         (partition = shoal_instances_value(page->all, "shoal_lag_messages", "partition", k)); k++) {
        double lag = shoal_instances_most(page->all, "shoal_lag_messages", "partition", partition);
        if (!(lag > 0))
            continue;
        if (shown == PARTITIONS_SHOWN) {
            more++;
            continue;
        }
        shown++;
        shoal_top_number(lag, messages);
        shoal_top_duration(
            shoal_instances_most(page->all, "shoal_lag_seconds", "partition", partition), seconds);
        piece(page, PLAIN, "[%s] %s, %s", partition, messages, seconds);
    }
    if (more > 0)
        piece(page, PLAIN, "and %d partitions", more);
}

static void print_stages(struct page *page)
{
    double events = shoal_instances_growth(page->all, "shoal_events_total", NULL, NULL), all = 0;
    const char *stage;
    title(page, "us per event");
    for (size_t k = 0;
         (stage = shoal_instances_value(page->all, "shoal_stage_seconds_total", "stage", k)); k++) {
        double seconds =
            shoal_instances_growth(page->all, "shoal_stage_seconds_total", "stage", stage);
        all += seconds;
        piece(page, PLAIN, "%s %.2f", stage, events > 0 ? 1e6 * seconds / events : 0);
    }
    piece(page, PLAIN, "all %.2f", events > 0 ? 1e6 * all / events : 0);
}

static void print_peers(struct page *page)
{
    char text[16];
    double hits = shoal_instances_growth(page->all, "shoal_cache_hits_total", NULL, NULL);
    double misses = shoal_instances_growth(page->all, "shoal_cache_misses_total", NULL, NULL);
    double failures = rate(page, "shoal_redis_failures_total", NULL, NULL);
    title(page, "cache");
    if (hits + misses > 0)
        piece(page, PLAIN, "hits %.1f %%", 100 * hits / (hits + misses));
    number(page, PLAIN, sum(page, "shoal_cached_users"), "users");
    number(page, PLAIN, sum(page, "shoal_unsaved_users"), "unsaved");
    title(page, "redis");
    quantiles(page, "shoal_redis_load_duration_seconds", "load");
    quantiles(page, "shoal_redis_save_duration_seconds", "save");
    if (failures > 0)
        number(page, BAD, failures, "failures/s");
    title(page, "kafka");
    shoal_top_duration(shoal_instances_most(page->all, "shoal_kafka_rtt_seconds", NULL, NULL), text);
    piece(page, PLAIN, "round trip %s", text);
    shoal_top_duration(shoal_instances_most(page->all, "shoal_kafka_rtt_p99_seconds", NULL, NULL),
                       text);
    piece(page, PLAIN, "p99 %s", text);
    number(page, PLAIN, sum(page, "shoal_kafka_queued_messages"), "queued");
    number(page, PLAIN, rate(page, "shoal_kafka_request_retries_total", NULL, NULL), "retries/s");
}

/* One piece for each value of a label whose rate is not 0. */
static void print_by(struct page *page, const char *heading, const char *name, const char *label,
                     enum tone tone)
{
    const char *value;
    char text[16];
    bool any = false;
    title(page, heading);
    for (size_t k = 0; (value = shoal_instances_value(page->all, name, label, k)); k++) {
        double one = rate(page, name, label, value);
        if (!(one > 0))
            continue;
        shoal_top_number(one, text);
        piece(page, tone, "%s %s/s", value, text);
        any = true;
    }
    if (!any)
        piece(page, PLAIN, "none");
}

/* Decisions a second of a promotion with this answer and variant. */
static double decided(const struct page *page, const char *promotion, const char *eligible,
                      const char *variant)
{
    static const char name[] = "shoal_decisions_total";
    double all = 0;
    for (size_t i = 0; i < page->all->count; i++) {
        const struct shoal_instance_seen *one = &page->all->list[i];
        for (size_t j = 0; one->up && j < one->now.count; j++) {
            const struct shoal_sample *sample = &one->now.list[j];
            if (shoal_sample_is(sample, name, "promotion", promotion) &&
                shoal_sample_is(sample, name, "eligible", eligible) &&
                (!variant || shoal_sample_is(sample, name, "variant", variant)))
                all += shoal_sample_growth(one, sample) / one->seconds;
        }
    }
    return all;
}

static void print_decisions(struct page *page)
{
    const char *promotion;
    char treatment[16], control[16], not_eligible[16];
    size_t k = 0;
    title(page, "decisions");
    for (; k < PROMOTIONS_SHOWN && (promotion = shoal_instances_value(
                                        page->all, "shoal_decisions_total", "promotion", k));
         k++) {
        shoal_top_number(decided(page, promotion, "true", "treatment"), treatment);
        shoal_top_number(decided(page, promotion, "true", "control"), control);
        shoal_top_number(decided(page, promotion, "false", NULL), not_eligible);
        if (k > 0)
            title(page, "");
        piece(page, PLAIN, "%-20s %s/s", promotion, treatment);
        piece(page, PLAIN, "control %s/s", control);
        piece(page, PLAIN, "not eligible %s/s", not_eligible);
    }
    if (k == 0)
        piece(page, PLAIN, "no promotions");
}

static void print_service(struct page *page)
{
    const char *version;
    char age[16];
    double samples = sum(page, "shoal_calibration_samples");
    title(page, "model");
    for (size_t k = 0;
         (version = shoal_instances_value(page->all, "shoal_model_info", "version", k)); k++) {
        shoal_top_duration(
            shoal_instances_most(page->all, "shoal_model_age_seconds", "version", version), age);
        piece(page, k ? BAD : PLAIN, "%s, %s old", version, age);
    }
    for (size_t k = 0;
         (version = shoal_instances_value(page->all, "shoal_policy_info", "version", k)); k++)
        piece(page, k ? BAD : PLAIN, "promotions %s", version);
    if (samples > 0)
        piece(page, PLAIN, "predicted %.2f %%, observed %.2f %%",
              100 * shoal_instances_most(page->all, "shoal_calibration_predicted_ratio", NULL, NULL),
              100 * shoal_instances_most(page->all, "shoal_calibration_observed_ratio", NULL, NULL));
}

void shoal_top_print(const struct shoal_instances *all, const struct shoal_top_view *view,
                     struct shoal_buffer *out)
{
    struct page page = {.all = all, .view = view, .out = out};
    page.columns = view->columns > 0 ? view->columns : WIDE;
    print_head(&page);
    bool any = false;
    for (size_t i = 0; i < all->count; i++)
        any = any || all->list[i].up;
    if (any) {
        print_events(&page);
        print_lag(&page);
        print_stages(&page);
        print_peers(&page);
        print_by(&page, "segments", "shoal_segment_changes_total", "dimension", PLAIN);
        print_decisions(&page);
        print_service(&page);
        print_by(&page, "dead letters", "shoal_dead_letters_total", "reason", BAD);
    }
    end_line(&page);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Text format of metrics; see exposition.h. */
#include "stream/exposition.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const struct shoal_metric_about *shoal_metric_about(enum shoal_metric metric)
{
    static const struct shoal_metric_about list[] = {
#define X(id, type, name, unit, labels, help) {name, unit, labels, help, SHOAL_METRIC_##type},
        SHOAL_METRICS_LIST(X)
#undef X
    };
    return &list[metric];
}

const char *shoal_metric_type_name(enum shoal_metric_type type)
{
    static const char *const names[] = {"counter", "gauge", "histogram"};
    return names[type];
}

static void put(struct shoal_exposition *e, const char *text)
{
    shoal_buffer_append(e->out, text, strlen(text));
}

/* A label's value: backslash, quote and new line are escaped; everything else stands as it is. */
static void put_value(struct shoal_exposition *e, const char *text)
{
    put(e, "\"");
    for (; *text; text++) {
        if (*text == '\\' || *text == '"') {
            char escaped[2] = {'\\', *text};
            shoal_buffer_append(e->out, escaped, 2);
        } else if (*text == '\n') {
            put(e, "\\n");
        } else {
            shoal_buffer_append(e->out, text, 1);
        }
    }
    put(e, "\"");
}

/* The shortest of the usual precisions that reads back as the same number. */
static void put_real(struct shoal_exposition *e, double value)
{
    char text[40];
    if (isnan(value)) {
        put(e, "NaN\n");
        return;
    }
    if (isinf(value)) {
        put(e, value > 0 ? "+Inf\n" : "-Inf\n");
        return;
    }
    for (int digits = 6; digits <= 17; digits++) {
        double back;
        snprintf(text, sizeof text, "%.*g\n", digits, value);
        if (sscanf(text, "%lf", &back) == 1 && !(back < value) && !(back > value))
            break;
    }
    put(e, text);
}

/* name_suffix{label="value",…,le="bound"} and a blank. */
static void put_head(struct shoal_exposition *e, const char *suffix, const char *const *values,
                     const char *bound)
{
    const struct shoal_metric_about *about = shoal_metric_about((enum shoal_metric)e->family);
    const char *comma = "";
    put(e, about->name);
    put(e, suffix);
    if (about->labels[0] || bound)
        put(e, "{");
    for (const char *label = about->labels; *label; values++) {
        size_t size = strcspn(label, " ");
        put(e, comma);
        shoal_buffer_append(e->out, label, size);
        put(e, "=");
        put_value(e, *values);
        label += size;
        label += strspn(label, " ");
        comma = ",";
    }
    if (bound) {
        put(e, comma);
        put(e, "le=");
        put_value(e, bound);
    }
    put(e, about->labels[0] || bound ? "} " : " ");
}

void shoal_exposition_begin(struct shoal_exposition *e, struct shoal_buffer *out)
{
    *e = (struct shoal_exposition){.out = out, .family = -1};
}

void shoal_exposition_family(struct shoal_exposition *e, enum shoal_metric metric)
{
    const struct shoal_metric_about *about = shoal_metric_about(metric);
    assert((int)metric == e->family + 1);
    e->family = (int)metric;
    put(e, "# HELP ");
    put(e, about->name);
    put(e, " ");
    put(e, about->help); /* ours: has neither backslash nor new line */
    put(e, ".\n# TYPE ");
    put(e, about->name);
    put(e, " ");
    put(e, shoal_metric_type_name(about->type));
    put(e, "\n");
}

void shoal_exposition_count(struct shoal_exposition *e, const char *const *values, uint64_t value)
{
    char text[24];
    put_head(e, "", values, NULL);
    snprintf(text, sizeof text, "%" PRIu64 "\n", value);
    put(e, text);
}

void shoal_exposition_real(struct shoal_exposition *e, const char *const *values, double value)
{
    put_head(e, "", values, NULL);
    put_real(e, value);
}

void shoal_exposition_histogram(struct shoal_exposition *e, enum shoal_scale scale,
                                const struct shoal_histogram *histogram)
{
    size_t count;
    const int64_t *bounds_us = shoal_scale_bounds_us(scale, &count);
    uint64_t below = 0;
    char text[32];
    for (size_t i = 0; i <= count; i++) {
        below += histogram->counts[i];
        if (i < count)
            snprintf(text, sizeof text, "%g", (double)bounds_us[i] / 1e6);
        put_head(e, "_bucket", NULL, i < count ? text : "+Inf");
        snprintf(text, sizeof text, "%" PRIu64 "\n", below);
        put(e, text);
    }
    put_head(e, "_sum", NULL, NULL);
    put_real(e, histogram->sum_seconds);
    put_head(e, "_count", NULL, NULL);
    snprintf(text, sizeof text, "%" PRIu64 "\n", below);
    put(e, text);
}

void shoal_exposition_end(const struct shoal_exposition *e)
{
    assert(e->family == SHOAL_METRIC_COUNT - 1);
    (void)e;
}

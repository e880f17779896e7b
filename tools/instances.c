/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of several processes; see instances.h. */
#include "tools/instances.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/clock.h"

enum { BUCKETS_MAX = 64, VALUES_MAX = 256 };

/* ---- looks ---------------------------------------------------------------------------------- */

enum shoal_status shoal_instances_add(struct shoal_instances *all, const char *url,
                                      const char *token, int timeout_ms,
                                      struct shoal_message *message)
{
    char full[1024];
    if (all->count == SHOAL_INSTANCES_MAX)
        return shoal_fail(message, SHOAL_INVALID, "more than %d URLs", SHOAL_INSTANCES_MAX);
    const char *host = strstr(url, "://"), *path = host ? strchr(host + 3, '/') : NULL;
    bool bare = !path || strcmp(path, "/") == 0;
    int size = snprintf(full, sizeof full, "%.*s%s", path && bare ? (int)(path - url) : 900, url,
                        bare ? "/metrics" : "");
    if (size < 0 || strlen(url) > 900)
        return shoal_fail(message, SHOAL_CONFIG, "the URL is too long");
    struct shoal_instance_seen *one = &all->list[all->count];
    one->url = url;
    enum shoal_status status = shoal_fetch_create(full, token, timeout_ms, &one->fetch, message);
    all->count += status == SHOAL_OK;
    return status;
}

void shoal_instances_finish(struct shoal_instances *all)
{
    for (size_t i = 0; i < all->count; i++) {
        shoal_fetch_destroy(all->list[i].fetch);
        shoal_samples_finish(&all->list[i].now);
        shoal_samples_finish(&all->list[i].before);
    }
    *all = (struct shoal_instances){0};
}

static double only(const struct shoal_samples *samples, const char *name)
{
    for (size_t i = 0; i < samples->count; i++) {
        if (strcmp(samples->list[i].name, name) == 0)
            return samples->list[i].value;
    }
    return NAN;
}

enum shoal_status shoal_instances_take(struct shoal_instance_seen *one, const void *text,
                                       size_t size, double seconds, double now_s,
                                       struct shoal_message *message)
{
    static const char start_name[] = "process_start_time_seconds";
    struct shoal_samples read = {0};
    enum shoal_status status = shoal_samples_read(&read, text, size, message);
    if (status != SHOAL_OK)
        return status;
    shoal_samples_finish(&one->before);
    one->before = one->now;
    one->now = read;
    double start = only(&one->now, start_name), before = only(&one->before, start_name);
    one->seconds = seconds;
    if (seconds <= 0 || !(fabs(start - before) < 1)) { /* the first look at this process */
        shoal_samples_finish(&one->before);
        one->seconds = start > 0 && now_s > start ? now_s - start : 1;
    }
    return SHOAL_OK;
}

static bool look(struct shoal_instance_seen *one, double now_s)
{
    struct shoal_buffer text = {0};
    int64_t now_ns = shoal_clock_ns();
    double seconds = one->looked_ns ? (double)(now_ns - one->looked_ns) / 1e9 : 0;
    enum shoal_status status = shoal_fetch_get(one->fetch, &text, &one->problem);
    if (status == SHOAL_OK)
        status = shoal_instances_take(one, text.bytes, text.size, seconds, now_s, &one->problem);
    shoal_buffer_finish(&text);
    one->up = status == SHOAL_OK;
    if (one->up)
        one->looked_ns = now_ns;
    return one->up;
}

size_t shoal_instances_look(struct shoal_instances *all, double now_s)
{
    size_t up = 0;
    all->since_s = 0;
    for (size_t i = 0; i < all->count; i++) {
        struct shoal_instance_seen *one = &all->list[i];
        up += look(one, now_s);
        if (one->up && one->seconds > all->since_s) {
            all->since_s = one->seconds;
            all->from_start = one->before.count == 0;
        }
    }
    return up;
}

/* ---- questions ------------------------------------------------------------------------------ */

/* Calls for every sample that is asked for. */
#define EACH(all, name, label, value, one, sample)                                                 \
    for (const struct shoal_instance_seen *one = (all)->list; one < (all)->list + (all)->count;    \
         one++)                                                                                    \
        for (const struct shoal_sample *sample = one->now.list;                                    \
             one->up && sample < one->now.list + one->now.count; sample++)                         \
            if (shoal_sample_is(sample, name, label, value))

double shoal_instances_sum(const struct shoal_instances *all, const char *name, const char *label,
                           const char *value)
{
    double sum = 0;
    EACH(all, name, label, value, one, sample)
    sum += isnan(sample->value) ? 0 : sample->value;
    return sum;
}

double shoal_instances_most(const struct shoal_instances *all, const char *name, const char *label,
                            const char *value)
{
    double most = NAN;
    EACH(all, name, label, value, one, sample)
    most = !(sample->value <= most) ? sample->value : most;
    return most;
}

double shoal_sample_growth(const struct shoal_instance_seen *one, const struct shoal_sample *now)
{
    const struct shoal_sample *before = shoal_samples_find(&one->before, now);
    return before && before->value <= now->value ? now->value - before->value : now->value;
}

double shoal_instances_growth(const struct shoal_instances *all, const char *name,
                              const char *label, const char *value)
{
    double sum = 0;
    EACH(all, name, label, value, one, sample)
    sum += shoal_sample_growth(one, sample);
    return sum;
}

double shoal_instances_rate(const struct shoal_instances *all, const char *name, const char *label,
                            const char *value)
{
    double sum = 0;
    EACH(all, name, label, value, one, sample)
    sum += shoal_sample_growth(one, sample) / one->seconds;
    return sum;
}

/* Cumulative buckets of all processes, by bound. Returns how many. */
static size_t collect_buckets(const struct shoal_instances *all, const char *name,
                              double bounds[BUCKETS_MAX], double counts[BUCKETS_MAX])
{
    char bucket[128];
    size_t buckets = 0;
    snprintf(bucket, sizeof bucket, "%s_bucket", name);
    EACH(all, bucket, NULL, NULL, one, sample)
    {
        const char *le = shoal_sample_label(sample, "le");
        double bound = le ? strtod(le, NULL) : NAN;
        size_t at = 0;
        while (at < buckets && bounds[at] < bound)
            at++;
        if (isnan(bound) || (buckets == BUCKETS_MAX && !(at < buckets && bounds[at] <= bound)))
            continue;
        if (at == buckets || bounds[at] > bound) {
            memmove(bounds + at + 1, bounds + at, (buckets - at) * sizeof *bounds);
            memmove(counts + at + 1, counts + at, (buckets - at) * sizeof *counts);
            bounds[at] = bound;
            counts[at] = 0;
            buckets++;
        }
        counts[at] += shoal_sample_growth(one, sample);
    }
    return buckets;
}

double shoal_instances_quantile(const struct shoal_instances *all, const char *name, double q)
{
    double bounds[BUCKETS_MAX], counts[BUCKETS_MAX];
    size_t buckets = collect_buckets(all, name, bounds, counts), i = 0;
    double total = buckets ? counts[buckets - 1] : 0;
    if (!(total > 0))
        return NAN;
    while (i + 1 < buckets && counts[i] < q * total)
        i++;
    if (isinf(bounds[i]))
        return i ? bounds[i - 1] : NAN;
    double below = i ? counts[i - 1] : 0, from = i ? bounds[i - 1] : 0;
    return counts[i] > below ? from + (bounds[i] - from) * (q * total - below) / (counts[i] - below)
                             : bounds[i];
}

const char *shoal_instances_value(const struct shoal_instances *all, const char *name,
                                  const char *label, size_t k)
{
    const char *values[VALUES_MAX];
    size_t count = 0;
    EACH(all, name, NULL, NULL, one, sample)
    {
        const char *value = shoal_sample_label(sample, label);
        size_t i = 0;
        while (value && i < count && strcmp(values[i], value) != 0)
            i++;
        if (!value || i < count || count == VALUES_MAX)
            continue;
        if (count == k)
            return value;
        values[count++] = value;
    }
    return NULL;
}

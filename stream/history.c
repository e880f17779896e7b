/* SPDX-License-Identifier: Apache-2.0 */
/* The last day in samples; see history.h. */
#include "stream/history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEVELS = 5 }; /* of a dimension that is not the clusters' */

struct sample {
    int64_t time_ms;
    uint64_t events;
    uint32_t users[SHOAL_DIMENSION_COUNT][LEVELS];
    uint8_t ids[SHOAL_CLUSTERS_MAX];
    uint32_t clusters[SHOAL_CLUSTERS_MAX];
    uint32_t promotions[SHOAL_GRANTS_MAX]; /* 0: none */
    uint32_t offers[SHOAL_GRANTS_MAX][SHOAL_VARIANT_COUNT];
};

struct shoal_history {
    struct sample *ring;
    size_t count, first; /* oldest */
};

struct shoal_history *shoal_history_create(void)
{
    struct shoal_history *history = calloc(1, sizeof *history);
    if (history)
        history->ring = calloc(SHOAL_HISTORY_SAMPLES, sizeof *history->ring);
    if (history && !history->ring) {
        free(history);
        history = NULL;
    }
    return history;
}

void shoal_history_destroy(struct shoal_history *history)
{
    if (!history)
        return;
    free(history->ring);
    free(history);
}

/* The i-th, oldest first. */
static const struct sample *at(const struct shoal_history *history, size_t i)
{
    return &history->ring[(history->first + i) % SHOAL_HISTORY_SAMPLES];
}

static uint32_t clipped(uint64_t count)
{
    return count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
}

void shoal_history_add(struct shoal_history *history, const struct shoal_overview *overview)
{
    const struct shoal_tally *tally = &overview->tally;
    if (history->count == SHOAL_HISTORY_SAMPLES)
        history->first = (history->first + 1) % SHOAL_HISTORY_SAMPLES;
    else
        history->count++;
    struct sample *sample =
        &history->ring[(history->first + history->count - 1) % SHOAL_HISTORY_SAMPLES];
    *sample = (struct sample){.time_ms = overview->as_of_ms, .events = tally->events};
    for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT; d++) {
        for (unsigned i = 0; i < LEVELS && d != SHOAL_CLUSTER; i++)
            sample->users[d][i] =
                clipped(shoal_tally_at(tally, (enum shoal_dimension)d, (uint8_t)(i + 1)));
    }
    for (unsigned i = 0; i < tally->clusters.count; i++) {
        sample->ids[i] = tally->clusters.ids[i];
        sample->clusters[i] = clipped(tally->clusters.users[sample->ids[i]]);
    }
    for (uint32_t i = 0; i < tally->promotions_count; i++) {
        sample->promotions[i] = tally->promotions[i].promotion;
        for (unsigned v = 0; v < SHOAL_VARIANT_COUNT; v++)
            sample->offers[i][v] = clipped(tally->promotions[i].variants[v].offers);
    }
}

static double pace(int64_t from_ms, uint64_t from, int64_t until_ms, uint64_t until)
{
    bool known = until_ms > from_ms && until >= from; /* states that were reset begin anew */
    return known ? (double)(until - from) * 1000 / (double)(until_ms - from_ms) : NAN;
}

double shoal_history_pace(const struct shoal_history *history, const struct shoal_overview *overview)
{
    for (size_t i = history->count; i-- > 0;) {
        const struct sample *sample = at(history, i);
        if (overview->as_of_ms - sample->time_ms >= SHOAL_HISTORY_INTERVAL_MS * 9 / 10 ||
            (i == 0 && overview->as_of_ms - sample->time_ms >= 1000))
            return pace(sample->time_ms, sample->events, overview->as_of_ms, overview->tally.events);
    }
    return NAN;
}

/* ---- as JSON ------------------------------------------------------------------------------- */

/* Every step-th sample from `first` on; before[0] is the one before. */
struct span {
    const struct shoal_history *history;
    size_t first, step;
};

static struct span span_of(const struct shoal_history *history, unsigned minutes)
{
    struct span span = {.history = history, .first = history->count, .step = 1};
    if (history->count == 0)
        return span;
    int64_t from_ms = at(history, history->count - 1)->time_ms - (int64_t)minutes * 60000;
    size_t most = (size_t)minutes * 60000 / SHOAL_HISTORY_INTERVAL_MS;
    span.step = (most + SHOAL_HISTORY_POINTS - 1) / SHOAL_HISTORY_POINTS;
    /* the newest is always among them */
    span.first = (history->count - 1) % span.step;
    while (at(history, span.first)->time_ms <= from_ms)
        span.first += span.step;
    return span;
}

static void put_users(struct shoal_put *put, const struct span *span, enum shoal_dimension dimension)
{
    shoal_put_open(put, shoal_dimension_name(dimension), '{');
    for (uint8_t level = 1; level <= shoal_level_count(dimension); level++) {
        shoal_put_open(put, shoal_level_name(dimension, level), '[');
        for (size_t i = span->first; i < span->history->count; i += span->step)
            shoal_put_count(put, NULL, at(span->history, i)->users[dimension][level - 1]);
        shoal_put_close(put, ']');
    }
    shoal_put_close(put, '}');
}

static uint32_t cluster_of(const struct sample *sample, uint8_t id)
{
    for (unsigned i = 0; i < SHOAL_CLUSTERS_MAX && sample->ids[i]; i++) {
        if (sample->ids[i] == id)
            return sample->clusters[i];
    }
    return 0;
}

/* Those of the newest sample. */
static void put_clusters(struct shoal_put *put, const struct span *span)
{
    const struct shoal_history *history = span->history;
    shoal_put_open(put, shoal_dimension_name(SHOAL_CLUSTER), '{');
    for (unsigned c = 0; history->count && c < SHOAL_CLUSTERS_MAX; c++) {
        uint8_t id = at(history, history->count - 1)->ids[c];
        if (!id)
            break;
        shoal_put_open(put, shoal_level_name(SHOAL_CLUSTER, id), '[');
        for (size_t i = span->first; i < history->count; i += span->step)
            shoal_put_count(put, NULL, cluster_of(at(history, i), id));
        shoal_put_close(put, ']');
    }
    shoal_put_close(put, '}');
}

static uint32_t offers_of(const struct sample *sample, uint32_t promotion, unsigned variant)
{
    for (unsigned i = 0; i < SHOAL_GRANTS_MAX; i++) {
        if (sample->promotions[i] == promotion)
            return sample->offers[i][variant];
    }
    return 0;
}

static void put_offers(struct shoal_put *put, const char *key, const struct span *span,
                       uint32_t promotion, unsigned variant)
{
    shoal_put_open(put, key, '[');
    for (size_t i = span->first; i < span->history->count; i += span->step) {
        const struct sample *now = at(span->history, i);
        const struct sample *before = at(span->history, i >= span->step ? i - span->step : 0);
        shoal_put_real(put, NULL,
                       60 * pace(before->time_ms, offers_of(before, promotion, variant), now->time_ms,
                                 offers_of(now, promotion, variant)));
    }
    shoal_put_close(put, ']');
}

void shoal_history_put(const struct shoal_history *history, struct shoal_put *put, unsigned minutes,
                       const struct shoal_policy *policy)
{
    struct span span = span_of(history, minutes);
    shoal_put_open(put, NULL, '{');
    shoal_put_count(put, "interval_seconds", span.step * SHOAL_HISTORY_INTERVAL_MS / 1000);
    shoal_put_open(put, "times", '[');
    for (size_t i = span.first; i < history->count; i += span.step)
        shoal_put_time(put, NULL, at(history, i)->time_ms);
    shoal_put_close(put, ']');
    shoal_put_open(put, "dimensions", '{');
    for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT; d++) {
        if (d == SHOAL_CLUSTER)
            put_clusters(put, &span);
        else
            put_users(put, &span, (enum shoal_dimension)d);
    }
    shoal_put_close(put, '}');
    shoal_put_open(put, "events_per_second", '[');
    for (size_t i = span.first; i < history->count; i += span.step) {
        const struct sample *now = at(history, i), *before = at(history, i >= span.step ? i - span.step : 0);
        shoal_put_real(put, NULL, pace(before->time_ms, before->events, now->time_ms, now->events));
    }
    shoal_put_close(put, ']');
    shoal_put_open(put, "promotions", '{');
    for (size_t i = 0; policy && i < policy->count; i++) {
        shoal_put_open(put, policy->promotions[i].id, '{');
        put_offers(put, "treatment", &span, policy->promotions[i].hash, SHOAL_TREATMENT);
        put_offers(put, "control", &span, policy->promotions[i].hash, SHOAL_CONTROL);
        shoal_put_close(put, '}');
    }
    shoal_put_close(put, '}');
    shoal_put_close(put, '}');
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics of a sample and their bootstrap. The sample is sorted once; a resample is a weight a user
 * (how often it was drawn), and one sweep over the sorted sample gives every measure of it. */
#include "model/learn/metrics.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/random.h"

/* One scored event, in the order of falling scores. */
struct ranked {
    float score, loss;
    uint32_t user;    /* dense: 0 … users_count − 1 in the order of the given numbers */
    uint8_t positive;
    uint8_t last;     /* of its group of equal scores */
    uint8_t bin;
};

struct ranking {
    struct ranked *events; /* owned */
    size_t count, users_count;
};

const char *shoal_measure_name(enum shoal_measure measure)
{
    static const char *const names[] = {
#define X(field) [SHOAL_MEASURE_##field] = #field,
        SHOAL_MEASURES_LIST(X)
#undef X
    };
    return names[measure];
}

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *left = a, *right = b;
    if (left->score != right->score)
        return left->score > right->score ? -1 : 1;
    if (left->user != right->user)
        return left->user < right->user ? -1 : 1;
    return (int)right->positive - (int)left->positive;
}

/* Dense numbers for the users that occur; their count. */
static enum shoal_status number_users(const struct shoal_sample *sample, uint32_t **numbers,
                                      size_t *users_count)
{
    *numbers = calloc(sample->users_max + 1, sizeof **numbers);
    if (!*numbers)
        return SHOAL_NOMEM;
    for (size_t i = 0; i < sample->count; i++)
        (*numbers)[sample->users[i]] = 1;
    uint32_t next = 0;
    for (size_t user = 0; user < sample->users_max; user++)
        if ((*numbers)[user])
            (*numbers)[user] = next++;
    *users_count = next;
    return SHOAL_OK;
}

/* Marks where groups of equal scores end and which bin each event is in. */
static void mark_groups(struct ranking *ranking)
{
    struct ranked *events = ranking->events;
    size_t start = 0;
    for (size_t i = 0; i < ranking->count; i++) {
        events[i].last = i + 1 == ranking->count || events[i + 1].score != events[i].score;
        if (!events[i].last)
            continue;
        size_t middle = start + (i - start) / 2;
        uint8_t bin = (uint8_t)(middle * SHOAL_ECE_BINS / ranking->count);
        for (; start <= i; start++)
            events[start].bin = bin;
    }
}

static enum shoal_status rank(const struct shoal_sample *sample, struct ranking *ranking)
{
    *ranking = (struct ranking){.count = sample->count};
    uint32_t *numbers;
    if (number_users(sample, &numbers, &ranking->users_count) != SHOAL_OK)
        return SHOAL_NOMEM;
    ranking->events = calloc(sample->count + 1, sizeof *ranking->events);
    if (!ranking->events) {
        free(numbers);
        return SHOAL_NOMEM;
    }
    for (size_t i = 0; i < sample->count; i++) {
        double p = (double)sample->scores[i];
        p = p < 1e-7 ? 1e-7 : p > 1 - 1e-7 ? 1 - 1e-7 : p;
        ranking->events[i] = (struct ranked){
            .score = sample->scores[i],
            .loss = (float)-log(sample->labels[i] == 1 ? p : 1 - p),
            .user = numbers[sample->users[i]],
            .positive = sample->labels[i] == 1,
        };
    }
    free(numbers);
    qsort(ranking->events, ranking->count, sizeof *ranking->events, compare_ranked);
    mark_groups(ranking);
    return SHOAL_OK;
}

/* Running sums of a sweep: of weights (positives, all), and within the current group of ties. */
struct sweep {
    double positives, negatives, group_positives, group_negatives;
    double pairs;     /* Σ over negatives of positives above + half of those beside */
    double precision; /* Σ over groups of positives in it · precision down to it */
};

static void end_group(struct sweep *sweep)
{
    sweep->pairs += sweep->group_negatives * (sweep->positives + sweep->group_positives / 2);
    sweep->positives += sweep->group_positives;
    sweep->negatives += sweep->group_negatives;
    if (sweep->group_positives > 0)
        sweep->precision +=
            sweep->group_positives * sweep->positives / (sweep->positives + sweep->negatives);
    sweep->group_positives = 0;
    sweep->group_negatives = 0;
}

/* Every measure of the ranking with `weights[user]` copies of each user. */
static void measure(const struct ranking *ranking, const uint32_t *weights,
                    double values[SHOAL_MEASURE_COUNT])
{
    struct sweep sweep = {0};
    double loss = 0, excess[SHOAL_ECE_BINS] = {0};
    for (size_t i = 0; i < ranking->count; i++) {
        const struct ranked *event = &ranking->events[i];
        double weight = (double)weights[event->user];
        double positive = weight * (double)event->positive;
        sweep.group_positives += positive;
        sweep.group_negatives += weight - positive;
        loss += weight * (double)event->loss;
        excess[event->bin] += weight * (double)event->score - positive;
        if (event->last)
            end_group(&sweep);
    }
    double total = sweep.positives + sweep.negatives, error = 0;
    for (size_t bin = 0; bin < SHOAL_ECE_BINS; bin++)
        error += fabs(excess[bin]);
    bool both = sweep.positives > 0 && sweep.negatives > 0;
    values[SHOAL_MEASURE_roc_auc] = both ? sweep.pairs / (sweep.positives * sweep.negatives) : NAN;
    values[SHOAL_MEASURE_pr_auc] = both ? sweep.precision / sweep.positives : NAN;
    values[SHOAL_MEASURE_log_loss] = total > 0 ? loss / total : NAN;
    values[SHOAL_MEASURE_ece] = total > 0 ? error / total : NAN;
}

static void draw_users(uint64_t key, size_t resample, size_t users_count, uint32_t *weights)
{
    memset(weights, 0, users_count * sizeof *weights);
    for (size_t i = 0; i < users_count; i++)
        weights[shoal_random_below(key, resample * users_count + i, (uint32_t)users_count)]++;
}

static int compare_doubles(const void *a, const void *b)
{
    double left, right;
    memcpy(&left, a, sizeof left);
    memcpy(&right, b, sizeof right);
    return (left > right) - (left < right);
}

struct shoal_interval shoal_interval_of(double *values, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i]))
            values[kept++] = values[i];
    if (kept < count / 2 || kept == 0)
        return (struct shoal_interval){NAN, NAN};
    qsort(values, kept, sizeof *values, compare_doubles);
    double last = (double)(kept - 1);
    return (struct shoal_interval){values[(size_t)floor(0.025 * last)],
                                   values[(size_t)ceil(0.975 * last)]};
}

/* The mean of the measures of several rankings − others: of the one, or of draws − 1 that resample `r` picks.
 * Differences are summed, not measures, so that equal rankings differ by zero. */
static void measure_draws(const struct ranking *rankings, size_t draws, uint64_t key, size_t r,
                          const uint32_t *weights, const double others[SHOAL_MEASURE_COUNT],
                          double differences[SHOAL_MEASURE_COUNT])
{
    size_t picks = draws > 1 ? draws - 1 : 1;
    memset(differences, 0, SHOAL_MEASURE_COUNT * sizeof *differences);
    for (size_t i = 0; i < picks; i++) {
        double one[SHOAL_MEASURE_COUNT];
        size_t pick = shoal_random_below(key, r * picks + i, (uint32_t)draws);
        measure(&rankings[pick], weights, one);
        for (size_t m = 0; m < SHOAL_MEASURE_COUNT; m++)
            differences[m] += (one[m] - others[m]) / (double)picks;
    }
}

/* Replicates of the mean of firsts (− second, where given), measure by measure: `replicates` holds
 * SHOAL_MEASURE_COUNT rows of SHOAL_RESAMPLES. */
static enum shoal_status resample(const struct ranking *firsts, size_t draws,
                                  const struct ranking *second, uint64_t seed,
                                  struct shoal_interval *intervals)
{
    uint64_t key = shoal_random_key(seed, SHOAL_RANDOM_BOOTSTRAP);
    uint64_t draws_key = shoal_random_key(seed, SHOAL_RANDOM_DRAWS);
    uint32_t *weights = malloc((firsts->users_count + 1) * sizeof *weights);
    double *replicates = malloc(sizeof(double) * SHOAL_MEASURE_COUNT * SHOAL_RESAMPLES);
    enum shoal_status status = weights && replicates ? SHOAL_OK : SHOAL_NOMEM;
    for (size_t r = 0; r < SHOAL_RESAMPLES && status == SHOAL_OK; r++) {
        double differences[SHOAL_MEASURE_COUNT], others[SHOAL_MEASURE_COUNT] = {0};
        draw_users(key, r, firsts->users_count, weights);
        if (second)
            measure(second, weights, others);
        measure_draws(firsts, draws, draws_key, r, weights, others, differences);
        for (size_t m = 0; m < SHOAL_MEASURE_COUNT; m++)
            replicates[m * SHOAL_RESAMPLES + r] = differences[m];
    }
    for (size_t m = 0; m < SHOAL_MEASURE_COUNT && status == SHOAL_OK; m++)
        intervals[m] = shoal_interval_of(replicates + m * SHOAL_RESAMPLES, SHOAL_RESAMPLES);
    free(weights);
    free(replicates);
    return status;
}

static enum shoal_status estimate(const struct ranking *ranking,
                                  double values[SHOAL_MEASURE_COUNT])
{
    uint32_t *weights = malloc((ranking->users_count + 1) * sizeof *weights);
    if (!weights)
        return SHOAL_NOMEM;
    for (size_t user = 0; user < ranking->users_count; user++)
        weights[user] = 1;
    measure(ranking, weights, values);
    free(weights);
    return SHOAL_OK;
}

static void count_sample(const struct shoal_sample *sample, const struct ranking *ranking,
                         struct shoal_metrics *metrics)
{
    *metrics = (struct shoal_metrics){
        .events_count = ranking->count,
        .users_count = ranking->users_count,
    };
    for (size_t i = 0; i < sample->count; i++)
        metrics->positives += sample->labels[i] == 1;
    metrics->base_rate =
        sample->count ? (double)metrics->positives / (double)sample->count : NAN;
    for (size_t m = 0; m < SHOAL_MEASURE_COUNT; m++)
        metrics->intervals[m] = (struct shoal_interval){NAN, NAN};
}

enum shoal_status shoal_metrics_estimate(const struct shoal_sample *sample,
                                         struct shoal_metrics *metrics)
{
    struct ranking ranking = {0};
    enum shoal_status status = rank(sample, &ranking);
    if (status == SHOAL_OK) {
        count_sample(sample, &ranking, metrics);
        status = estimate(&ranking, metrics->values);
    }
    free(ranking.events);
    return status;
}

enum shoal_status shoal_metrics_compute(const struct shoal_sample *sample, uint64_t seed,
                                        struct shoal_metrics *metrics)
{
    struct ranking ranking = {0};
    enum shoal_status status = rank(sample, &ranking);
    if (status == SHOAL_OK) {
        count_sample(sample, &ranking, metrics);
        status = estimate(&ranking, metrics->values);
    }
    if (status == SHOAL_OK && sample->count > 0)
        status = resample(&ranking, 1, NULL, seed, metrics->intervals);
    if (status == SHOAL_OK) {
        struct shoal_interval *ece = &metrics->intervals[SHOAL_MEASURE_ece];
        ece->low = fmin(ece->low, metrics->values[SHOAL_MEASURE_ece]);
        ece->high = fmax(ece->high, metrics->values[SHOAL_MEASURE_ece]);
    }
    free(ranking.events);
    return status;
}

enum shoal_status shoal_metrics_compare(const struct shoal_sample *first,
                                        const struct shoal_sample *second, uint64_t seed,
                                        double differences[SHOAL_MEASURE_COUNT],
                                        struct shoal_interval intervals[SHOAL_MEASURE_COUNT])
{
    return shoal_metrics_compare_draws(first, 1, second, seed, differences, intervals);
}

/* differences[m]: mean over the rankings − that of `two`. */
static enum shoal_status estimate_difference(const struct ranking *ones, size_t draws,
                                             const struct ranking *two,
                                             double differences[SHOAL_MEASURE_COUNT])
{
    double values[SHOAL_MEASURE_COUNT], others[SHOAL_MEASURE_COUNT];
    memset(differences, 0, SHOAL_MEASURE_COUNT * sizeof *differences);
    if (estimate(two, others) != SHOAL_OK)
        return SHOAL_NOMEM;
    for (size_t d = 0; d < draws; d++) {
        if (estimate(&ones[d], values) != SHOAL_OK)
            return SHOAL_NOMEM;
        for (size_t m = 0; m < SHOAL_MEASURE_COUNT; m++)
            differences[m] += (values[m] - others[m]) / (double)draws;
    }
    return SHOAL_OK;
}

enum shoal_status shoal_metrics_compare_draws(const struct shoal_sample *firsts, size_t draws,
                                              const struct shoal_sample *second, uint64_t seed,
                                              double differences[SHOAL_MEASURE_COUNT],
                                              struct shoal_interval intervals[SHOAL_MEASURE_COUNT])
{
    struct ranking *ones = calloc(draws, sizeof *ones), two = {0};
    enum shoal_status status = ones ? rank(second, &two) : SHOAL_NOMEM;
    for (size_t d = 0; d < draws && status == SHOAL_OK; d++)
        status = rank(&firsts[d], &ones[d]);
    if (status == SHOAL_OK)
        status = estimate_difference(ones, draws, &two, differences);
    if (status == SHOAL_OK)
        status = resample(ones, draws, &two, seed, intervals);
    for (size_t d = 0; ones && d < draws; d++)
        free(ones[d].events);
    free(ones);
    free(two.events);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Bins of a sample, and how sure their observed shares are; see reliability.h. A user's events in a bin
 * are added up once, so that a resample costs what there are users in bins and not events. */
#include "model/learn/reliability.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/random.h"

struct binned {
    float score;
    uint32_t user;
    uint8_t positive, bin;
};

/* One user's events in one bin. */
struct part {
    uint32_t user; /* dense */
    uint8_t bin;
    double events, positives;
};

struct work {
    struct binned *events; /* owned */
    struct part *parts;    /* owned */
    size_t parts_count, users_count;
    uint32_t *weights;     /* owned; one a user */
    double *replicates;    /* owned; SHOAL_ECE_BINS rows of SHOAL_RESAMPLES */
};

static int by_score(const void *a, const void *b)
{
    const struct binned *left = a, *right = b;
    if (left->score != right->score)
        return left->score < right->score ? -1 : 1;
    return (left->user > right->user) - (left->user < right->user);
}

static int by_user(const void *a, const void *b)
{
    const struct binned *left = a, *right = b;
    if (left->user != right->user)
        return left->user < right->user ? -1 : 1;
    return (int)left->bin - (int)right->bin;
}

/* Groups of equal scores go where their middle lies; the ranking of metrics.c runs the other way, so
 * places are counted from the top. */
static void assign_bins(struct binned *events, size_t count)
{
    for (size_t start = 0, i = 0; i < count; i++) {
        if (i + 1 < count && events[i + 1].score == events[i].score)
            continue;
        size_t top = count - 1 - i, bottom = count - 1 - start;
        size_t middle = top + (bottom - top) / 2;
        uint8_t bin = (uint8_t)(SHOAL_ECE_BINS - 1 - middle * SHOAL_ECE_BINS / count);
        for (; start <= i; start++)
            events[start].bin = bin;
    }
}

static void describe(const struct binned *events, size_t count,
                     struct shoal_reliability *reliability)
{
    double all = 0;
    for (size_t i = 0; i < count; i++) {
        struct shoal_reliability_bin *bin = &reliability->bins[events[i].bin];
        if (bin->events_count++ == 0)
            bin->low = (double)events[i].score;
        bin->high = (double)events[i].score;
        bin->mean_score += (double)events[i].score;
        bin->observed += events[i].positive;
        all += (double)events[i].score;
    }
    reliability->mean_score = count ? all / (double)count : NAN;
    for (size_t b = 0; b < SHOAL_ECE_BINS; b++) {
        struct shoal_reliability_bin *bin = &reliability->bins[b];
        if (bin->events_count == 0)
            continue;
        bin->mean_score /= (double)bin->events_count;
        bin->observed /= (double)bin->events_count;
    }
}

/* Parts from events in the order of users; dense numbers rise with the given ones, as in metrics.c. */
static void add_up(struct work *work, size_t count, struct shoal_reliability *reliability)
{
    for (size_t i = 0; i < count; i++) {
        const struct binned *event = &work->events[i], *before = event - (i > 0);
        bool new_user = i == 0 || event->user != before->user;
        work->users_count += new_user;
        if (new_user || event->bin != before->bin) {
            work->parts[work->parts_count++] =
                (struct part){.user = (uint32_t)(work->users_count - 1), .bin = event->bin};
            reliability->bins[event->bin].users_count++;
        }
        work->parts[work->parts_count - 1].events++;
        work->parts[work->parts_count - 1].positives += event->positive;
    }
}

static void resample(struct work *work, uint64_t seed)
{
    uint64_t key = shoal_random_key(seed, SHOAL_RANDOM_BOOTSTRAP);
    size_t users_count = work->users_count;
    for (size_t r = 0; r < SHOAL_RESAMPLES; r++) {
        double events[SHOAL_ECE_BINS] = {0}, positives[SHOAL_ECE_BINS] = {0};
        memset(work->weights, 0, users_count * sizeof *work->weights);
        for (size_t i = 0; i < users_count; i++)
            work->weights[shoal_random_below(key, r * users_count + i, (uint32_t)users_count)]++;
        for (size_t i = 0; i < work->parts_count; i++) {
            const struct part *part = &work->parts[i];
            double weight = (double)work->weights[part->user];
            events[part->bin] += weight * part->events;
            positives[part->bin] += weight * part->positives;
        }
        for (size_t b = 0; b < SHOAL_ECE_BINS; b++)
            work->replicates[b * SHOAL_RESAMPLES + r] =
                events[b] > 0 ? positives[b] / events[b] : NAN;
    }
}

/* Leaves out the bins that are empty. */
static void close_up(struct shoal_reliability *reliability)
{
    for (size_t b = 0; b < SHOAL_ECE_BINS; b++)
        if (reliability->bins[b].events_count > 0)
            reliability->bins[reliability->count++] = reliability->bins[b];
}

static enum shoal_status reserve(struct work *work, size_t count)
{
    *work = (struct work){
        .events = calloc(count + 1, sizeof *work->events),
        .parts = calloc(count + 1, sizeof *work->parts),
        .weights = calloc(count + 1, sizeof *work->weights),
        .replicates = malloc(sizeof(double) * SHOAL_ECE_BINS * SHOAL_RESAMPLES),
    };
    bool failed = !work->events || !work->parts || !work->weights || !work->replicates;
    return failed ? SHOAL_NOMEM : SHOAL_OK;
}

enum shoal_status shoal_reliability_make(const struct shoal_sample *sample, uint64_t seed,
                                         struct shoal_reliability *reliability)
{
    struct work work;
    *reliability = (struct shoal_reliability){0};
    enum shoal_status status = reserve(&work, sample->count);
    if (status == SHOAL_OK) {
        for (size_t i = 0; i < sample->count; i++)
            work.events[i] = (struct binned){.score = sample->scores[i],
                                             .user = sample->users[i],
                                             .positive = sample->labels[i] == 1};
        qsort(work.events, sample->count, sizeof *work.events, by_score);
        assign_bins(work.events, sample->count);
        describe(work.events, sample->count, reliability);
        qsort(work.events, sample->count, sizeof *work.events, by_user);
        add_up(&work, sample->count, reliability);
        resample(&work, seed);
        for (size_t b = 0; b < SHOAL_ECE_BINS; b++)
            reliability->bins[b].interval =
                shoal_interval_of(work.replicates + b * SHOAL_RESAMPLES, SHOAL_RESAMPLES);
        close_up(reliability);
    }
    free(work.events);
    free(work.parts);
    free(work.weights);
    free(work.replicates);
    return status;
}

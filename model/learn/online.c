/* SPDX-License-Identifier: Apache-2.0 */
/* The stream imitated; see online.h. */
#include "model/learn/online.h"

#include <math.h>
#include <stdlib.h>

#include "model/base/hash.h"
#include "model/correction.h"

struct placed {
    int64_t time_ms;
    size_t event;
};

static int by_time(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return (x->event > y->event) - (x->event < y->event);
}

static void go_by(const struct shoal_dataset *dataset, const struct placed *order, size_t count,
                  unsigned partitions, struct shoal_correction *corrections,
                  struct shoal_pending *pending, const float *scores, float *corrected)
{
    for (size_t i = 0; i < count; i++) {
        size_t event = order[i].event;
        uint32_t user = dataset->owners[event];
        struct shoal_correction *correction =
            &corrections[shoal_hash(&user, sizeof user) % partitions];
        const struct shoal_touch *touch = &dataset->touches[event];
        int64_t previous_ms =
            event > dataset->first[user] ? touch[-1].time_ms : touch->time_ms;
        if (shoal_correction_due(correction, touch->time_ms))
            shoal_correction_turn(correction, touch->time_ms);
        corrected[event] = scores[event];
        if (!isfinite(scores[event]))
            continue;
        double p = fmin(fmax((double)scores[event], 1e-7), 1 - 1e-7);
        corrected[event] = (float)(1 / (1 + exp(-log(p / (1 - p)) - (double)correction->delta)));
        shoal_correction_count(correction, &pending[user], previous_ms, touch->time_ms,
                               (enum shoal_behavior)touch->behavior, scores[event]);
    }
}

enum shoal_status shoal_online_correct(const struct shoal_dataset *dataset, unsigned partitions,
                                       int64_t known_until_ms, const float *scores,
                                       float *corrected, double *last_delta)
{
    size_t count = dataset->events_count;
    struct placed *order = malloc((count + 1) * sizeof *order);
    struct shoal_pending *pending = calloc(dataset->users_count + 1, sizeof *pending);
    struct shoal_correction *corrections = calloc(partitions + 1, sizeof *corrections);
    enum shoal_status status = order && pending && corrections ? SHOAL_OK : SHOAL_NOMEM;
    if (status == SHOAL_OK) {
        for (size_t i = 0; i < count; i++)
            order[i] = (struct placed){dataset->touches[i].time_ms, i};
        qsort(order, count, sizeof *order, by_time);
        for (unsigned i = 0; i < partitions; i++)
            shoal_correction_init(&corrections[i], 0, known_until_ms);
        go_by(dataset, order, count, partitions, corrections, pending, scores, corrected);
        double sum = 0;
        for (unsigned i = 0; i < partitions; i++)
            sum += (double)corrections[i].delta;
        if (last_delta)
            *last_delta = sum / partitions;
    }
    free(order);
    free(pending);
    free(corrections);
    return status;
}

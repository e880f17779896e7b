/* SPDX-License-Identifier: Apache-2.0 */
/* Features and counters of every event; see examples.h. */
#include "model/learn/examples.h"

#include <stdlib.h>
#include <string.h>

#include "model/counters.h"

static void describe_user(const struct shoal_touch *touches, size_t count,
                          const struct shoal_dims *dims, struct shoal_features *features,
                          float *counters)
{
    float now[SHOAL_COUNTERS] = {0};
    for (size_t i = 0; i < count; i++) {
        int64_t gap_ms = i ? touches[i].time_ms - touches[i - 1].time_ms : 0;
        size_t recent = i < dims->ring ? i : dims->ring;
        shoal_features_of(dims, touches + i - recent, recent, &touches[i], gap_ms, &features[i]);
        shoal_counters_advance(now, gap_ms, (enum shoal_behavior)touches[i].behavior);
        shoal_counters_rates(now, touches[i].time_ms - touches[0].time_ms,
                             counters + i * SHOAL_COUNTERS);
    }
}

enum shoal_status shoal_examples_make(const struct shoal_dataset *dataset,
                                      const struct shoal_dims *dims,
                                      struct shoal_examples *examples)
{
    *examples = (struct shoal_examples){.count = dataset->events_count};
    examples->features = calloc(dataset->events_count + 1, sizeof *examples->features);
    examples->counters = calloc((dataset->events_count + 1) * SHOAL_COUNTERS,
                                sizeof *examples->counters);
    if (!examples->features || !examples->counters) {
        shoal_examples_finish(examples);
        return SHOAL_NOMEM;
    }
    for (size_t user = 0; user < dataset->users_count; user++) {
        size_t first = dataset->first[user];
        describe_user(dataset->touches + first, dataset->first[user + 1] - first, dims,
                      examples->features + first, examples->counters + first * SHOAL_COUNTERS);
    }
    return SHOAL_OK;
}

void shoal_examples_finish(struct shoal_examples *examples)
{
    free(examples->features);
    free(examples->counters);
    *examples = (struct shoal_examples){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of different users through shoal_step_run; a stream that ends takes the next user. */
#include "model/learn/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/streams.h"

enum { BATCH = 256, PROGRESS_EVERY = 1 << 16 };

struct scorer {
    struct shoal_streams streams;
    struct shoal_step *step;
    struct shoal_step_row rows[BATCH];
    size_t events[BATCH];
    float *states; /* BATCH × 2H: h, c of each stream */
};

void shoal_score_lengths(const struct shoal_dataset *dataset, int64_t until_ms, size_t *lengths)
{
    for (size_t user = 0; user < dataset->users_count; user++) {
        size_t first = dataset->first[user], end = dataset->first[user + 1];
        while (end > first && dataset->touches[end - 1].time_ms >= until_ms)
            end--;
        lengths[user] = end - first;
    }
}

/* One step of all streams that have an event; the number of events. */
static size_t step_streams(struct scorer *scorer, const struct shoal_examples *examples,
                           size_t hidden, float *scores)
{
    size_t count = 0;
    for (size_t b = 0; b < BATCH; b++) {
        bool starts;
        if (!shoal_streams_next(&scorer->streams, b, &scorer->events[count], &starts))
            continue;
        float *h = scorer->states + b * 2 * hidden;
        if (starts)
            memset(h, 0, 2 * hidden * sizeof *h);
        scorer->rows[count] = (struct shoal_step_row){
            .features = examples->features[scorer->events[count]],
            .h = h,
            .c = h + hidden,
            .counters = examples->counters + scorer->events[count] * SHOAL_COUNTERS,
        };
        count++;
    }
    shoal_step_run(scorer->step, scorer->rows, count);
    for (size_t i = 0; i < count; i++)
        scores[scorer->events[i]] = scorer->rows[i].score;
    return count;
}

static void score_all(struct scorer *scorer, const struct shoal_examples *examples, size_t hidden,
                      size_t total, float *scores, shoal_score_progress *progress, void *context)
{
    size_t done = 0, count, told = 0;
    while ((count = step_streams(scorer, examples, hidden, scores)) > 0) {
        done += count;
        if (progress && done - told >= PROGRESS_EVERY) {
            progress(context, done, total);
            told = done;
        }
    }
}

enum shoal_status shoal_score(const struct shoal_model *model, const struct shoal_dataset *dataset,
                              const struct shoal_examples *examples,
                              enum shoal_precision precision, int64_t until_ms, float *scores,
                              shoal_score_progress *progress, void *context)
{
    size_t users_count = dataset->users_count, hidden = model->params.dims.hidden, total = 0;
    struct scorer *scorer = calloc(1, sizeof *scorer);
    size_t *lengths = malloc((users_count + 1) * sizeof *lengths);
    uint32_t *order = malloc((users_count + 1) * sizeof *order);
    enum shoal_status status = scorer && lengths && order ? SHOAL_OK : SHOAL_NOMEM;
    if (status == SHOAL_OK) {
        shoal_score_lengths(dataset, until_ms, lengths);
        for (size_t user = 0; user < users_count; user++) {
            order[user] = (uint32_t)user;
            total += lengths[user];
        }
        scorer->states = calloc(BATCH * 2 * hidden, sizeof *scorer->states);
        status = scorer->states ? SHOAL_OK : SHOAL_NOMEM;
    }
    if (status == SHOAL_OK)
        status = shoal_streams_init(&scorer->streams, BATCH, dataset->first, lengths, order,
                                    users_count);
    if (status == SHOAL_OK)
        status = shoal_step_create(model, BATCH, precision, &scorer->step);
    if (status == SHOAL_OK) {
        for (size_t i = 0; i < dataset->events_count; i++)
            scores[i] = NAN;
        score_all(scorer, examples, hidden, total, scores, progress, context);
    }
    if (scorer) {
        shoal_step_destroy(scorer->step);
        shoal_streams_finish(&scorer->streams);
        free(scorer->states);
    }
    free(scorer);
    free(lengths);
    free(order);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Distance of rebuilt states; see rebuild.h. Batches of sampled events, one step of their rings at a
 * time, through the very step that serves. */
#include "model/learn/rebuild.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/examples.h"
#include "model/learn/random.h"
#include "model/learn/score.h"

enum { BATCH = 256 };

struct rebuild {
    const struct shoal_model *model;
    const struct shoal_dataset *dataset;
    struct shoal_examples examples;
    float *full;      /* score of every event, from the full history */
    size_t *samples;  /* events, ascending */
    size_t samples_count;
    double *distances; /* one a sample */
    struct shoal_step *step;
    float *states;    /* BATCH × 2H */
    struct shoal_step_row rows[BATCH];
    struct shoal_touch rings[BATCH][SHOAL_RING_MAX];
    size_t lengths[BATCH];
};

static void finish(struct rebuild *r)
{
    shoal_examples_finish(&r->examples);
    shoal_step_destroy(r->step);
    free(r->full);
    free(r->samples);
    free(r->distances);
    free(r->states);
    free(r);
}

/* Selection sampling (Knuth, volume 2, algorithm S): each set of samples_max events is as likely. */
static void draw(struct rebuild *r, const struct shoal_rebuild_options *options)
{
    uint64_t key = shoal_random_key(options->seed, SHOAL_RANDOM_BOOTSTRAP);
    const struct shoal_touch *touches = r->dataset->touches;
    size_t eligible = 0;
    for (size_t i = 0; i < r->dataset->events_count; i++)
        eligible += touches[i].time_ms >= options->from_ms && touches[i].time_ms < options->until_ms;
    size_t wanted = eligible < options->samples_max ? eligible : options->samples_max;
    for (size_t i = 0; i < r->dataset->events_count && r->samples_count < wanted; i++) {
        if (touches[i].time_ms < options->from_ms || touches[i].time_ms >= options->until_ms)
            continue;
        double u = (double)(shoal_random_at(key, i) >> 11) * 0x1p-53;
        if (u * (double)eligible < (double)(wanted - r->samples_count))
            r->samples[r->samples_count++] = i;
        eligible--;
    }
}

static enum shoal_status prepare(struct rebuild *r, const struct shoal_rebuild_options *options)
{
    size_t events = r->dataset->events_count;
    size_t hidden = r->model->params.dims.hidden;
    size_t room = (events < options->samples_max ? events : options->samples_max) + 1;
    r->full = malloc((events + 1) * sizeof *r->full);
    r->samples = malloc(room * sizeof *r->samples);
    r->distances = malloc(room * sizeof *r->distances);
    r->states = malloc(BATCH * 2 * hidden * sizeof *r->states);
    if (!r->full || !r->samples || !r->distances || !r->states)
        return SHOAL_NOMEM;
    draw(r, options);
    enum shoal_status status =
        shoal_examples_make(r->dataset, &r->model->params.dims, &r->examples);
    if (status == SHOAL_OK)
        status = shoal_score(r->model, r->dataset, &r->examples, options->precision,
                             options->until_ms, r->full, NULL, NULL);
    return status == SHOAL_OK
               ? shoal_step_create(r->model, BATCH, options->precision, &r->step)
               : status;
}

/* The ring that the user's record holds before event `event`; returns how many touches. */
static size_t fill_ring(const struct rebuild *r, size_t event, uint32_t ring_max,
                        struct shoal_touch ring[SHOAL_RING_MAX])
{
    size_t before = event - r->dataset->first[r->dataset->owners[event]];
    size_t length = before < ring_max ? before : ring_max;
    for (size_t i = 0; i < length; i++) {
        ring[i] = r->dataset->touches[event - length + i];
        ring[i].time_ms = ring[i].time_ms / 1000 * 1000;
    }
    return length;
}

/* Steps the `t`-th touch of every ring that has one, as the pipeline's rebuild does. */
static void step_rings(struct rebuild *r, size_t count, size_t t)
{
    size_t hidden = r->model->params.dims.hidden, rows = 0;
    for (size_t b = 0; b < count; b++) {
        if (t >= r->lengths[b])
            continue;
        const struct shoal_touch *ring = r->rings[b];
        struct shoal_step_row *row = &r->rows[rows++];
        *row = (struct shoal_step_row){.h = r->states + b * 2 * hidden};
        row->c = row->h + hidden;
        int64_t gap_ms = t == 0 ? 0 : ring[t].time_ms - ring[t - 1].time_ms;
        shoal_features_of(&r->model->params.dims, ring, t, &ring[t], gap_ms, &row->features);
    }
    shoal_step_run(r->step, r->rows, rows);
}

static void measure_batch(struct rebuild *r, size_t start, size_t count, uint32_t ring_max,
                          size_t *longer)
{
    size_t hidden = r->model->params.dims.hidden;
    memset(r->states, 0, count * 2 * hidden * sizeof *r->states);
    for (size_t b = 0; b < count; b++) {
        size_t event = r->samples[start + b];
        r->lengths[b] = fill_ring(r, event, ring_max, r->rings[b]);
        *longer += event - r->dataset->first[r->dataset->owners[event]] > ring_max;
    }
    for (size_t t = 0; t < ring_max; t++)
        step_rings(r, count, t);
    for (size_t b = 0; b < count; b++) {
        size_t event = r->samples[start + b];
        float *h = r->states + b * 2 * hidden;
        r->rows[b] = (struct shoal_step_row){
            .features = r->examples.features[event],
            .h = h,
            .c = h + hidden,
            .counters = r->examples.counters + event * SHOAL_COUNTERS,
        };
    }
    shoal_step_run(r->step, r->rows, count);
    for (size_t b = 0; b < count; b++)
        r->distances[start + b] =
            fabs((double)r->rows[b].score - (double)r->full[r->samples[start + b]]);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(struct rebuild *r, struct shoal_rebuild_distance *distance)
{
    size_t n = r->samples_count;
    double sum = 0;
    distance->samples = n;
    distance->longer = 0;
    for (size_t start = 0; start < n; start += BATCH)
        measure_batch(r, start, n - start < BATCH ? n - start : BATCH, distance->ring,
                      &distance->longer);
    for (size_t i = 0; i < n; i++)
        sum += r->distances[i];
    qsort(r->distances, n, sizeof *r->distances, by_value);
    distance->mean = sum / (double)n;
    distance->p99 = r->distances[(size_t)(0.99 * (double)(n - 1) + 0.5)];
    distance->longest = r->distances[n - 1];
}

enum shoal_status shoal_rebuild_measure(const struct shoal_model *model,
                                        const struct shoal_dataset *dataset,
                                        const struct shoal_rebuild_options *options,
                                        struct shoal_rebuild_distance *distances, size_t count,
                                        struct shoal_message *message)
{
    for (size_t i = 0; i < count; i++) {
        if (distances[i].ring < 1 || distances[i].ring > SHOAL_RING_MAX)
            return shoal_fail(message, SHOAL_INVALID, "a ring has 1 to %d events", SHOAL_RING_MAX);
    }
    struct rebuild *r = calloc(1, sizeof *r);
    if (!r)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    r->model = model;
    r->dataset = dataset;
    enum shoal_status status = prepare(r, options);
    if (status != SHOAL_OK)
        shoal_fail(message, status, "%s", shoal_status_text(status));
    else if (r->samples_count == 0)
        status = shoal_fail(message, SHOAL_TOO_FEW, "no event lies between --from and --until");
    for (size_t i = 0; i < count && status == SHOAL_OK; i++)
        measure(r, &distances[i]);
    finish(r);
    return status;
}

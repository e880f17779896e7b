/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of different users through shoal_step_run; a stream that ends takes the next user. */
#include "model/learn/score.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/streams.h"
#include "model/learn/team.h"
#include "model/user_vector.h"
#include "model/vmath.h"

#define NO_ROW UINT32_MAX

enum { BATCH = 256, PROGRESS_EVERY = 1 << 16, PIECE_EVENTS_MIN = 1 << 15 };

/* Users are cut into pieces, each gone through by a scorer of its own, on as many threads as there are
 * processors. A user's scores depend on no other user (batch invariance), so it does not matter how. */
struct scoring {
    const struct shoal_model *model;
    const struct shoal_dataset *dataset;
    const struct shoal_examples *examples;
    enum shoal_precision precision;
    const size_t *lengths;
    const uint32_t *order;
    size_t pieces, total;
    float *scores, *predictions;
    const uint32_t *row_of; /* of each event: its row in `vectors`, or NO_ROW; NULL: no vectors are wanted */
    float *vectors;
    pthread_mutex_t lock; /* guards all that follows */
    enum shoal_status status;
    size_t done, told;
    shoal_score_progress *progress;
    void *context;
};

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

/* What every task says of one row after its step. */
static void predict(const struct shoal_model *model, const struct shoal_step_row *row,
                    float predictions[SHOAL_TASKS])
{
    const struct shoal_params *params = &model->params;
    size_t hidden = params->dims.hidden;
    float z[SHOAL_COUNTERS];
    shoal_vlog1p(row->counters, z, SHOAL_COUNTERS);
    for (size_t k = 0; k < SHOAL_COUNTERS; k++)
        z[k] = (z[k] - model->counter_mean[k]) / model->counter_deviation[k];
    for (size_t n = 0; n < SHOAL_TASKS; n++) {
        float logit = shoal_dot(params->head_hidden + n * hidden, row->h, hidden) +
                      shoal_dot(params->head_counters + n * SHOAL_COUNTERS, z, SHOAL_COUNTERS) +
                      params->head_bias[n];
        logit = shoal_calibration_apply(&model->calibration[n], logit);
        if (shoal_task_info((enum shoal_task)n)->kind == SHOAL_TASK_COUNT)
            shoal_vexp(&logit, &predictions[n], 1);
        else
            shoal_vsigmoid(&logit, &predictions[n], 1);
    }
}

/* One step of all streams that have an event; the number of events. */
static size_t step_streams(struct scorer *scorer, const struct scoring *scoring)
{
    const struct shoal_examples *examples = scoring->examples;
    size_t count = 0, hidden = scoring->model->params.dims.hidden;
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
    for (size_t i = 0; i < count; i++) {
        size_t event = scorer->events[i];
        const struct shoal_step_row *row = &scorer->rows[i];
        if (scoring->row_of && scoring->row_of[event] != NO_ROW)
            shoal_user_vector(scoring->model, row->h, row->counters,
                              scoring->vectors + scoring->row_of[event] *
                                                     shoal_user_vector_size(scoring->model));
        if (!scoring->scores)
            continue;
        scoring->scores[event] = row->score;
        if (scoring->predictions)
            predict(scoring->model, row, scoring->predictions + event * SHOAL_TASKS);
    }
    return count;
}

static void tell(struct scoring *scoring, size_t count, enum shoal_status status)
{
    pthread_mutex_lock(&scoring->lock);
    if (status != SHOAL_OK)
        scoring->status = status;
    scoring->done += count;
    if (scoring->progress && scoring->done - scoring->told >= PROGRESS_EVERY) {
        scoring->progress(scoring->context, scoring->done, scoring->total);
        scoring->told = scoring->done;
    }
    pthread_mutex_unlock(&scoring->lock);
}

static enum shoal_status start(struct scorer *scorer, const struct scoring *scoring, size_t index)
{
    size_t users = scoring->dataset->users_count;
    size_t from = users * index / scoring->pieces, until = users * (index + 1) / scoring->pieces;
    size_t hidden = scoring->model->params.dims.hidden;
    scorer->states = calloc(BATCH * 2 * hidden, sizeof *scorer->states);
    enum shoal_status status = scorer->states ? SHOAL_OK : SHOAL_NOMEM;
    if (status == SHOAL_OK)
        status = shoal_streams_init(&scorer->streams, BATCH, scoring->dataset->first,
                                    scoring->lengths, scoring->order + from, until - from);
    if (status == SHOAL_OK)
        status = shoal_step_create(scoring->model, BATCH, scoring->precision, &scorer->step);
    return status;
}

static void score_piece(void *opaque, size_t index)
{
    struct scoring *scoring = opaque;
    size_t count, untold = 0;
    struct scorer *scorer = calloc(1, sizeof *scorer);
    enum shoal_status status = scorer ? start(scorer, scoring, index) : SHOAL_NOMEM;
    while (status == SHOAL_OK && (count = step_streams(scorer, scoring)) > 0) {
        untold += count;
        if (untold >= PROGRESS_EVERY / 8) {
            tell(scoring, untold, SHOAL_OK);
            untold = 0;
        }
    }
    tell(scoring, untold, status);
    if (scorer) {
        shoal_step_destroy(scorer->step);
        shoal_streams_finish(&scorer->streams);
        free(scorer->states);
    }
    free(scorer);
}

enum shoal_status shoal_score(const struct shoal_model *model, const struct shoal_dataset *dataset,
                              const struct shoal_examples *examples,
                              enum shoal_precision precision, int64_t until_ms, float *scores,
                              shoal_score_progress *progress, void *context)
{
    return shoal_score_tasks(model, dataset, examples, precision, until_ms, scores, NULL, progress,
                             context);
}

/* Runs a scoring whose request is filled in. */
static enum shoal_status run(struct scoring *scoring, int64_t until_ms)
{
    const struct shoal_dataset *dataset = scoring->dataset;
    size_t users_count = dataset->users_count;
    size_t *lengths = malloc((users_count + 1) * sizeof *lengths);
    uint32_t *order = malloc((users_count + 1) * sizeof *order);
    struct shoal_team *team = NULL;
    scoring->lengths = lengths;
    scoring->order = order;
    pthread_mutex_init(&scoring->lock, NULL);
    scoring->status = lengths && order ? shoal_team_create(0, &team) : SHOAL_NOMEM;
    if (scoring->status == SHOAL_OK) {
        shoal_score_lengths(dataset, until_ms, lengths);
        for (size_t user = 0; user < users_count; user++) {
            order[user] = (uint32_t)user;
            scoring->total += lengths[user];
        }
        scoring->pieces = scoring->total < PIECE_EVENTS_MIN ? 1 : 2 * shoal_team_threads(team);
        shoal_team_run(team, scoring->pieces, score_piece, scoring);
    }
    shoal_team_destroy(team);
    pthread_mutex_destroy(&scoring->lock);
    free(lengths);
    free(order);
    return scoring->status;
}

enum shoal_status shoal_score_tasks(const struct shoal_model *model,
                                    const struct shoal_dataset *dataset,
                                    const struct shoal_examples *examples,
                                    enum shoal_precision precision, int64_t until_ms, float *scores,
                                    float *predictions, shoal_score_progress *progress,
                                    void *context)
{
    struct scoring scoring = {
        .model = model,
        .dataset = dataset,
        .examples = examples,
        .precision = precision,
        .scores = scores,
        .predictions = predictions,
        .progress = progress,
        .context = context,
    };
    for (size_t i = 0; i < dataset->events_count; i++)
        scores[i] = NAN;
    for (size_t i = 0; predictions && i < dataset->events_count * SHOAL_TASKS; i++)
        predictions[i] = NAN;
    return run(&scoring, until_ms);
}

enum shoal_status shoal_score_vectors(const struct shoal_model *model,
                                      const struct shoal_dataset *dataset,
                                      const struct shoal_examples *examples,
                                      enum shoal_precision precision, const size_t *events,
                                      size_t events_count, float *vectors)
{
    uint32_t *row_of = malloc((dataset->events_count + 1) * sizeof *row_of);
    if (!row_of)
        return SHOAL_NOMEM;
    int64_t last_ms = INT64_MIN;
    for (size_t i = 0; i < dataset->events_count; i++)
        row_of[i] = NO_ROW;
    for (size_t i = 0; i < events_count; i++) {
        row_of[events[i]] = (uint32_t)i;
        if (dataset->touches[events[i]].time_ms > last_ms)
            last_ms = dataset->touches[events[i]].time_ms;
    }
    struct scoring scoring = {
        .model = model,
        .dataset = dataset,
        .examples = examples,
        .precision = precision,
        .row_of = row_of,
        .vectors = vectors,
    };
    enum shoal_status status = run(&scoring, last_ms == INT64_MIN ? last_ms : last_ms + 1);
    free(row_of);
    return status;
}

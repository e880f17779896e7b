/* SPDX-License-Identifier: Apache-2.0 */
/* Levels of every event, and the metrics of each level; see evaluate_segments.h. */
#include "tools/evaluate_segments.h"

#include <stdlib.h>

#include "stream/segments.h"

struct work {
    uint8_t *levels[SHOAL_DIMENSION_COUNT]; /* one an event of the data set */
    struct shoal_record *record;
    float *hc;
    /* of the events of one level */
    float *scores;
    int8_t *labels;
    uint32_t *users;
};

static void finish(struct work *work)
{
    for (size_t d = 0; d < SHOAL_DIMENSION_COUNT; d++)
        free(work->levels[d]);
    free(work->record);
    free(work->hc);
    free(work->scores);
    free(work->labels);
    free(work->users);
}

static enum shoal_status reserve(struct work *work, const struct shoal_model *model,
                                 size_t events_count)
{
    bool failed = false;
    for (size_t d = 0; d < SHOAL_DIMENSION_COUNT; d++) {
        work->levels[d] = calloc(events_count + 1, 1);
        failed |= !work->levels[d];
    }
    work->record = calloc(1, sizeof *work->record);
    work->hc = calloc(2 * (size_t)model->params.dims.hidden, sizeof *work->hc);
    work->scores = malloc((events_count + 1) * sizeof *work->scores);
    work->labels = malloc(events_count + 1);
    work->users = malloc((events_count + 1) * sizeof *work->users);
    failed |= !work->record || !work->hc || !work->scores || !work->labels || !work->users;
    return failed ? SHOAL_NOMEM : SHOAL_OK;
}

/* A user's history through the segments of the pipeline, with no score. */
static void live_through(struct work *work, const struct shoal_model *model,
                         const struct shoal_touch *touches, size_t count, uint8_t *lifecycle)
{
    struct shoal_segment_rules rules = shoal_segment_rules_default();
    struct shoal_change changes[SHOAL_DIMENSION_COUNT];
    shoal_record_init(work->record, model->params.dims.hidden, work->hc);
    for (size_t i = 0; i < count; i++) {
        int64_t time_ms = touches[i].time_ms;
        int64_t gap_ms = i ? time_ms - touches[i - 1].time_ms : 0;
        if (i == 0)
            work->record->first_ms = time_ms;
        work->record->last_ms = time_ms;
        struct shoal_view view = {.model = model, .now_ms = time_ms, .gap_ms = gap_ms};
        (void)shoal_segments_update(&rules, &view, work->record, changes);
        lifecycle[i] = work->record->standings[SHOAL_LIFECYCLE].level;
    }
}

static void find_levels(struct work *work, const struct shoal_model *model,
                        const struct shoal_dataset *dataset,
                        const struct shoal_evaluation *evaluation)
{
    for (size_t user = 0; user < dataset->users_count; user++) {
        size_t first = dataset->first[user];
        live_through(work, model, dataset->touches + first, dataset->first[user + 1] - first,
                     work->levels[SHOAL_LIFECYCLE] + first);
    }
    for (size_t i = 0; i < evaluation->count; i++) {
        float score = evaluation->scores[i];
        work->levels[SHOAL_INTENT][evaluation->events[i]] =
            score >= model->hot ? SHOAL_HOT : score >= model->warm ? SHOAL_WARM : SHOAL_COLD;
    }
}

static enum shoal_status cut(struct work *work, const struct shoal_dataset *dataset,
                             const struct shoal_evaluation *evaluation, uint64_t seed,
                             struct shoal_segment_cut *cut)
{
    const uint8_t *levels = work->levels[cut->dimension];
    struct shoal_sample sample = {work->scores, work->labels, work->users, 0,
                                  dataset->users_count};
    for (size_t i = 0; i < evaluation->count; i++) {
        size_t event = evaluation->events[i];
        if (levels[event] != cut->level)
            continue;
        work->scores[sample.count] = evaluation->scores[i];
        work->labels[sample.count] = evaluation->labels[i];
        work->users[sample.count++] = dataset->owners[event];
    }
    enum shoal_status status = shoal_metrics_compute(&sample, seed, &cut->metrics);
    if (status == SHOAL_OK)
        status = shoal_reliability_make(&sample, seed, &cut->reliability);
    return status;
}

enum shoal_status shoal_segment_cuts_make(const struct shoal_model *model,
                                          const struct shoal_dataset *dataset,
                                          const struct shoal_evaluation *evaluation, uint64_t seed,
                                          struct shoal_segment_cuts *cuts)
{
    struct work work = {.record = NULL};
    *cuts = (struct shoal_segment_cuts){0};
    enum shoal_status status = reserve(&work, model, dataset->events_count);
    if (status == SHOAL_OK)
        find_levels(&work, model, dataset, evaluation);
    for (unsigned d = 0; d <= SHOAL_LIFECYCLE; d++) {
        unsigned levels = shoal_level_count((enum shoal_dimension)d);
        for (uint8_t level = 1; level <= levels && status == SHOAL_OK; level++) {
            struct shoal_segment_cut *made = &cuts->cuts[cuts->count++];
            made->dimension = (enum shoal_dimension)d;
            made->level = level;
            status = cut(&work, dataset, evaluation, seed, made);
        }
    }
    finish(&work);
    return status;
}

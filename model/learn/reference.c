/* SPDX-License-Identifier: Apache-2.0 */
/* One list of what is looked at; the values of an event; bins from sorted values; counts. */
#include "model/learn/reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/score.h"

enum { EVENTS_WANTED = 500000, TENTHS = 10, HOURS = 24 };

static const int64_t day_ms = INT64_C(86400000), hour_ms = INT64_C(3600000);

/* What a distribution is of. The counters come after the plain ones, the score last. */
enum quantity {
    BEHAVIOR,
    HOUR,
    GAP,
    PRICE,
    NEW_ITEM,
    NEW_CATEGORY,
    RATES,
    SCORE = RATES + SHOAL_COUNTERS,
    QUANTITIES,
};

_Static_assert((int)QUANTITIES <= (int)SHOAL_REFERENCES_MAX, "more than a model keeps");

static void name_of(int quantity, char name[SHOAL_REFERENCE_NAME])
{
    static const char *const plain[] = {"behavior", "hour",     "gap",
                                        "price",    "new_item", "new_category"};
    static const char *const half_lives[SHOAL_HALF_LIVES] = {"1h", "1d", "7d"};
    int counter = quantity - RATES;
    memset(name, 0, SHOAL_REFERENCE_NAME);
    if (quantity < RATES)
        snprintf(name, SHOAL_REFERENCE_NAME, "%s", plain[quantity]);
    else if (quantity == SCORE)
        snprintf(name, SHOAL_REFERENCE_NAME, "score");
    else
        snprintf(name, SHOAL_REFERENCE_NAME, "rate_%s_%s",
                 shoal_behavior_name((enum shoal_behavior)(counter / SHOAL_HALF_LIVES)),
                 half_lives[counter % SHOAL_HALF_LIVES]);
}

static float hour_of(int64_t time_ms)
{
    int64_t in_day = time_ms % day_ms;
    return (float)((in_day < 0 ? in_day + day_ms : in_day) / hour_ms);
}

static float value_of(int quantity, const struct shoal_dataset *dataset,
                      const struct shoal_examples *examples, const float *scores, size_t event)
{
    const struct shoal_touch *touch = &dataset->touches[event];
    const struct shoal_features *features = &examples->features[event];
    switch (quantity) {
    case BEHAVIOR:
        return (float)touch->behavior;
    case HOUR:
        return hour_of(touch->time_ms);
    case GAP:
        return features->numeric[0];
    case PRICE:
        return (float)touch->price_level;
    case NEW_ITEM:
        return 1 - features->numeric[6];
    case NEW_CATEGORY:
        return 1 - features->numeric[7];
    case SCORE:
        return scores[event];
    default:
        return examples->counters[event * SHOAL_COUNTERS + (size_t)(quantity - RATES)];
    }
}

/* ---- bins ----------------------------------------------------------------------------------- */

static void set_bounds(struct shoal_distribution *distribution, uint32_t bins, float first,
                       float step)
{
    distribution->bins = bins;
    for (uint32_t b = 0; b + 1 < bins; b++)
        distribution->bounds[b] = first + step * (float)b;
}

static int compare_floats(const void *a, const void *b)
{
    float left, right;
    memcpy(&left, a, sizeof left);
    memcpy(&right, b, sizeof right);
    return (left > right) - (left < right);
}

static void close_bin(struct shoal_distribution *distribution, float next)
{
    uint32_t bounds = distribution->bins - 1;
    if (bounds + 1 < SHOAL_REFERENCE_BINS) {
        distribution->bounds[bounds] = next;
        distribution->bins++;
    }
}

/* Bins of about a tenth of the sorted values each. A value that holds a tenth by itself has its
 * own; a rest of less than half a tenth goes to the bin before. At least two bins: what was
 * constant may begin to change. */
static void cut_bins(const float *values, size_t count, struct shoal_distribution *distribution)
{
    double tenth = (double)count / TENTHS;
    size_t start = 0; /* of the open bin */
    distribution->bins = 1;
    for (size_t group = 0, end; group < count; group = end) {
        for (end = group + 1; end < count && values[end] == values[group];)
            end++;
        if ((double)(end - group) >= tenth && group > start) {
            if ((double)(group - start) >= tenth / 2 || distribution->bins == 1)
                close_bin(distribution, values[group]);
            else
                distribution->bounds[distribution->bins - 2] = values[group];
            start = group;
        }
        if (end < count && (double)(end - start) >= tenth) {
            close_bin(distribution, values[end]);
            start = end;
        }
    }
    if (distribution->bins > 2 && (double)(count - start) < tenth / 2)
        distribution->bins--;
    if (distribution->bins == 1)
        close_bin(distribution, nextafterf(values[count - 1], INFINITY));
}

/* ---- the reference -------------------------------------------------------------------------- */

struct draw {
    const struct shoal_dataset *dataset;
    const struct shoal_examples *examples;
    const float *scores;
    int64_t from_ms, until_ms;
    size_t stride; /* every so many users */
};

static bool takes(const struct draw *draw, int quantity, size_t event)
{
    int64_t time_ms = draw->dataset->touches[event].time_ms;
    return time_ms >= draw->from_ms && time_ms < draw->until_ms &&
           (quantity != SCORE || (draw->scores && !isnan(draw->scores[event])));
}

static size_t gather(const struct draw *draw, int quantity, float *values)
{
    const struct shoal_dataset *dataset = draw->dataset;
    size_t count = 0;
    for (size_t user = 0; user < dataset->users_count; user += draw->stride)
        for (size_t i = dataset->first[user]; i < dataset->first[user + 1]; i++)
            if (takes(draw, quantity, i))
                values[count++] = value_of(quantity, dataset, draw->examples, draw->scores, i);
    return count;
}

static void count_bins(const struct draw *draw, int quantity,
                       const struct shoal_distribution *distribution,
                       struct shoal_drift_count *counted)
{
    const struct shoal_dataset *dataset = draw->dataset;
    *counted = (struct shoal_drift_count){0};
    for (size_t user = 0; user < dataset->users_count; user += draw->stride) {
        uint32_t in_bins[SHOAL_REFERENCE_BINS] = {0};
        for (size_t i = dataset->first[user]; i < dataset->first[user + 1]; i++)
            if (takes(draw, quantity, i))
                in_bins[shoal_drift_bin(
                    distribution, value_of(quantity, dataset, draw->examples, draw->scores, i))]++;
        shoal_drift_add_user(counted, in_bins);
    }
}

static void describe(const struct draw *draw, int quantity, float *values,
                     struct shoal_distribution *distribution, struct shoal_drift_count *counted)
{
    *distribution = (struct shoal_distribution){0};
    name_of(quantity, distribution->name);
    if (quantity == BEHAVIOR) {
        set_bounds(distribution, SHOAL_BEHAVIOR_COUNT, 0.5f, 1);
    } else if (quantity == HOUR) {
        set_bounds(distribution, 6, 4, 4);
    } else if (quantity == NEW_ITEM || quantity == NEW_CATEGORY) {
        set_bounds(distribution, 2, 0.5f, 1);
    } else {
        size_t count = gather(draw, quantity, values);
        if (count == 0)
            return;
        qsort(values, count, sizeof *values, compare_floats);
        cut_bins(values, count, distribution);
    }
    count_bins(draw, quantity, distribution, counted);
    for (uint32_t b = 0; b < distribution->bins && counted->samples; b++)
        distribution->shares[b] = (float)((double)counted->counts[b] / (double)counted->samples);
}

enum shoal_status shoal_reference_make(const struct shoal_dataset *dataset,
                                       const struct shoal_examples *examples, const float *scores,
                                       struct shoal_reference *reference)
{
    struct draw draw = {dataset,           examples,  scores,
                        dataset->first_ms, INT64_MAX, 1 + dataset->events_count / EVENTS_WANTED};
    int64_t thirds = (dataset->last_ms - dataset->first_ms) / (3 * day_ms);
    if (thirds > 0)
        draw.from_ms = dataset->last_ms - thirds * day_ms;
    *reference = (struct shoal_reference){0};
    float *values = malloc((dataset->events_count + 1) * sizeof *values);
    if (!values)
        return SHOAL_NOMEM;
    for (int quantity = 0; quantity < QUANTITIES; quantity++) {
        struct shoal_distribution *next = &reference->distributions[reference->count];
        struct shoal_drift_count counted = {0};
        if (quantity == SCORE && !scores)
            continue;
        describe(&draw, quantity, values, next, &counted);
        if (counted.samples == 0)
            continue;
        reference->count++;
        if (quantity == BEHAVIOR) {
            reference->samples = counted.samples;
            reference->users = shoal_drift_equal_users(&counted);
        }
    }
    free(values);
    return SHOAL_OK;
}

/* The quantity that bears this name; QUANTITIES for one of another version. */
static int quantity_of(const char *name)
{
    int quantity = 0;
    for (char known[SHOAL_REFERENCE_NAME]; quantity < QUANTITIES; quantity++) {
        name_of(quantity, known);
        if (strcmp(known, name) == 0)
            break;
    }
    return quantity;
}

void shoal_reference_compare(const struct shoal_reference *reference,
                             const struct shoal_dataset *dataset,
                             const struct shoal_examples *examples, const float *scores,
                             int64_t from_ms, int64_t until_ms, struct shoal_drift_report *report)
{
    struct draw draw = {dataset, examples, scores, from_ms, until_ms, 1};
    *report = (struct shoal_drift_report){.from_ms = from_ms, .until_ms = until_ms};
    for (uint32_t i = 0; i < reference->count; i++) {
        struct shoal_drift_count counted;
        int quantity = quantity_of(reference->distributions[i].name);
        if (quantity == QUANTITIES || (quantity == SCORE && !scores))
            continue;
        count_bins(&draw, quantity, &reference->distributions[i], &counted);
        struct shoal_drift *drift = &report->drifts[report->count++];
        shoal_drift_measure(reference, i, &counted, reference->count, drift);
        report->drifted |= drift->drifted;
        if (counted.samples > report->samples) {
            report->samples = counted.samples;
            report->users = counted.users;
        }
    }
    report->judged =
        report->samples >= SHOAL_DRIFT_SAMPLES_MIN && reference->samples >= SHOAL_DRIFT_SAMPLES_MIN;
}

/* ---- of a model ----------------------------------------------------------------------------- */

static enum shoal_status score_all(const struct shoal_model *model,
                                   const struct shoal_dataset *dataset, int64_t until_ms,
                                   struct shoal_examples *examples, float **scores)
{
    *scores = malloc((dataset->events_count + 1) * sizeof **scores);
    enum shoal_status status = shoal_examples_make(dataset, &model->params.dims, examples);
    if (status == SHOAL_OK && !*scores)
        status = SHOAL_NOMEM;
    if (status == SHOAL_OK)
        status = shoal_score(model, dataset, examples, SHOAL_FP16, until_ms, *scores, NULL, NULL);
    return status;
}

enum shoal_status shoal_drift_look(const struct shoal_model *model,
                                   const struct shoal_dataset *dataset, int64_t from_ms,
                                   int64_t until_ms, struct shoal_drift_report *report)
{
    struct shoal_examples examples = {0};
    float *scores;
    enum shoal_status status = score_all(model, dataset, until_ms, &examples, &scores);
    if (status == SHOAL_OK)
        shoal_reference_compare(&model->reference, dataset, &examples, scores, from_ms, until_ms,
                                report);
    shoal_examples_finish(&examples);
    free(scores);
    return status;
}

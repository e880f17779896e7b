/* SPDX-License-Identifier: Apache-2.0 */
/* Areas under uplift curves; see uplift_metrics.h. */
#include "model/learn/uplift_metrics.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

const int shoal_uplift_cuts[SHOAL_UPLIFT_CUTS] = {10, 30, 40};

struct entry {
    double score;
    size_t row;
};

/* What has been passed on the way down. */
struct counts {
    double treated, control, treated_outcomes, control_outcomes;
};

enum curve { QINI, UPLIFT };

static int fall(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;
    if (left->score < right->score || left->score > right->score)
        return left->score < right->score ? 1 : -1;
    return (left->row < right->row) - (left->row > right->row);
}

/* The rows by falling score, of equal ones the later first; NULL without memory. */
static struct entry *sorted(const struct shoal_uplift_sample *sample, const double *scores)
{
    struct entry *entries = malloc((sample->count + 1) * sizeof *entries);
    for (size_t i = 0; entries && i < sample->count; i++)
        entries[i] = (struct entry){scores[i], i};
    if (entries)
        qsort(entries, sample->count, sizeof *entries, fall);
    return entries;
}

static void pass(const struct shoal_uplift_sample *sample, size_t row, struct counts *counts)
{
    if (sample->treated[row]) {
        counts->treated++;
        counts->treated_outcomes += sample->outcome[row];
    } else {
        counts->control++;
        counts->control_outcomes += sample->outcome[row];
    }
}

static double height(enum curve curve, const struct counts *at)
{
    if (curve == QINI)
        return at->treated_outcomes -
               at->control_outcomes * (at->control > 0 ? at->treated / at->control : 0);
    return ((at->treated > 0 ? at->treated_outcomes / at->treated : 0) -
            (at->control > 0 ? at->control_outcomes / at->control : 0)) *
           (at->treated + at->control);
}

/* Between the curve and the line from 0 to its end, by trapezoids. */
static double area(enum curve curve, const struct shoal_uplift_sample *sample, const struct entry *entries)
{
    struct counts at = {0};
    double sum = 0, x = 0, y = 0;
    for (size_t i = 0; i < sample->count; i++) {
        pass(sample, entries[i].row, &at);
        if (i + 1 < sample->count && !(entries[i].score > entries[i + 1].score))
            continue;
        double next_x = (double)(i + 1), next_y = height(curve, &at);
        sum += (next_x - x) * (y + next_y) / 2;
        x = next_x;
        y = next_y;
    }
    return sum - x * y / 2;
}

/* By whom the best ranking begins: scikit-uplift's perfect_qini_curve and perfect_uplift_curve. */
static void perfect_scores(enum curve curve, const struct shoal_uplift_sample *sample, double *scores)
{
    size_t control_responders = 0, treated_silent = 0;
    for (size_t i = 0; i < sample->count; i++) {
        control_responders += sample->outcome[i] && !sample->treated[i];
        treated_silent += !sample->outcome[i] && sample->treated[i];
    }
    bool by_outcome = control_responders > treated_silent;
    for (size_t i = 0; i < sample->count; i++) {
        int y = sample->outcome[i], t = sample->treated[i];
        scores[i] = curve == QINI ? y * t - y * (1 - t) : 2 * (y == t) + (by_outcome ? y : t);
    }
}

static enum shoal_status ratio(enum curve curve, const struct shoal_uplift_sample *sample,
                               const struct entry *entries, double *result)
{
    double *scores = malloc((sample->count + 1) * sizeof *scores);
    struct entry *best = NULL;
    if (scores) {
        perfect_scores(curve, sample, scores);
        best = sorted(sample, scores);
    }
    if (best) {
        double most = area(curve, sample, best);
        *result = fabs(most) > 0 ? area(curve, sample, entries) / most : NAN;
    }
    free(scores);
    free(best);
    return best ? SHOAL_OK : SHOAL_NOMEM;
}

/* Difference of the rates among the first `count`; NaN where an arm has nobody. */
static double effect_of(const struct shoal_uplift_sample *sample, const struct entry *entries, size_t count)
{
    struct counts at = {0};
    for (size_t i = 0; i < count; i++)
        pass(sample, entries[i].row, &at);
    return at.treated > 0 && at.control > 0
               ? at.treated_outcomes / at.treated - at.control_outcomes / at.control
               : NAN;
}

static double gain_of(const struct shoal_uplift_sample *sample, const struct entry *entries, size_t count,
                      double effect)
{
    if (count == 0)
        return 0;
    return effect_of(sample, entries, count) * (double)count / (effect * (double)sample->count);
}

static void cut(const struct shoal_uplift_sample *sample, const struct entry *entries,
                struct shoal_uplift_figures *figures)
{
    figures->effect = effect_of(sample, entries, sample->count);
    for (int k = 0; k < SHOAL_UPLIFT_CUTS; k++) {
        size_t count = sample->count * (size_t)shoal_uplift_cuts[k] / 100;
        figures->uplift_at[k] = effect_of(sample, entries, count);
        figures->gain_at[k] = gain_of(sample, entries, count, figures->effect);
    }
    for (size_t k = 0; k < SHOAL_UPLIFT_CURVE; k++)
        figures->gain[k] = gain_of(sample, entries, sample->count * k / (SHOAL_UPLIFT_CURVE - 1),
                                   figures->effect);
}

enum shoal_status shoal_uplift_measure(const struct shoal_uplift_sample *sample,
                                       struct shoal_uplift_figures *figures)
{
    *figures = (struct shoal_uplift_figures){.count = sample->count};
    struct entry *entries = sorted(sample, sample->scores);
    if (!entries)
        return SHOAL_NOMEM;
    cut(sample, entries, figures);
    enum shoal_status status = ratio(QINI, sample, entries, &figures->qini);
    if (status == SHOAL_OK)
        status = ratio(UPLIFT, sample, entries, &figures->auuc);
    free(entries);
    return status;
}

enum shoal_status shoal_uplift_qini(const struct shoal_uplift_sample *sample, double *qini)
{
    struct entry *entries = sorted(sample, sample->scores);
    enum shoal_status status = entries ? ratio(QINI, sample, entries, qini) : SHOAL_NOMEM;
    free(entries);
    return status;
}

static double f1(double right, double wrong_in, double wrong_out)
{
    return right > 0 ? 2 * right / (2 * right + wrong_in + wrong_out) : 0;
}

enum shoal_status shoal_uplift_classify(const struct shoal_uplift_sample *sample, size_t contacted,
                                        struct shoal_uplift_classes *classes)
{
    struct entry *entries = sorted(sample, sample->scores);
    if (!entries)
        return SHOAL_NOMEM;
    struct counts in = {0}, out = {0};
    for (size_t i = 0; i < sample->count; i++)
        pass(sample, entries[i].row, i < contacted ? &in : &out);
    free(entries);
    double hit = in.treated_outcomes, missed = out.treated_outcomes, false_hit = in.control_outcomes,
           left = out.control_outcomes, prompted = hit + missed, organic = false_hit + left;
    *classes = (struct shoal_uplift_classes){NAN, NAN, NAN, NAN, contacted};
    if (!(prompted > 0 && organic > 0))
        return SHOAL_OK;
    classes->precision = hit + false_hit > 0 ? hit / (hit + false_hit) : 0;
    classes->recall = hit / prompted;
    classes->balanced_accuracy = (hit / prompted + left / organic) / 2;
    classes->weighted_f1 = (prompted * f1(hit, false_hit, missed) + organic * f1(left, missed, false_hit)) /
                           (prompted + organic);
    return SHOAL_OK;
}

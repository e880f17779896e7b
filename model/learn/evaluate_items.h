/* SPDX-License-Identifier: Apache-2.0 */
/* How well a model says which item comes next, by the full ranking of its catalogue.
 *
 * Judged are events with from ≤ time < until that have an earlier event of their user, are of another item than the
 * one directly before, and whose item occurs in the events before `from`. One that the model's catalogue does
 * not have is a miss. The history is all that the user did before, whenever. All items are ranked, also those of the
 * history; rank = how many come before the target (ties: the lower index first).
 *
 *   HR@k = mean 1[rank < k]   NDCG@k = mean 1[rank < k]/log2(rank + 2)   MRR@20 = mean 1[rank < 20]/(rank + 1)
 *
 * Intervals from resamples of whole users, the same ones for popularity, so that the difference is paired.
 * Popularity ranks by how often an item occurs before `from`. */
#ifndef SHOAL_LEARN_EVALUATE_ITEMS_H
#define SHOAL_LEARN_EVALUATE_ITEMS_H

#include "model/learn/dataset.h"
#include "model/learn/metrics.h"
#include "model/model.h"

/*  X(field, "name", text in tables) */
#define SHOAL_ITEM_MEASURE_LIST(X)                                                                 \
    X(hr10, "hr@10")                                                                               \
    X(hr20, "hr@20")                                                                               \
    X(ndcg10, "ndcg@10")                                                                           \
    X(ndcg20, "ndcg@20")                                                                           \
    X(mrr20, "mrr@20")

enum shoal_item_measure {
#define X(field, name) SHOAL_ITEM_MEASURE_##field,
    SHOAL_ITEM_MEASURE_LIST(X)
#undef X
        SHOAL_ITEM_MEASURE_COUNT
};

/* Which targets: all; purchases, asked with their goal; with a history of fewer than ten events; of an item that the
 * user has not had before. */
enum shoal_item_group {
    SHOAL_ITEM_GROUP_ALL,
    SHOAL_ITEM_GROUP_BUY,
    SHOAL_ITEM_GROUP_SHORT,
    SHOAL_ITEM_GROUP_NEW,
    SHOAL_ITEM_GROUPS,
};

enum { SHOAL_SHORT_HISTORY = 10, SHOAL_MISS = UINT32_MAX };

struct shoal_item_target {
    size_t event;        /* of the data set */
    uint32_t history;    /* earlier events of the user */
    uint32_t rank, rank_buy, rank_popular; /* SHOAL_MISS; rank_buy only of purchases */
    bool bought, is_new;
};

struct shoal_item_judgement {
    size_t count;
    double values[SHOAL_ITEM_MEASURE_COUNT];
    struct shoal_interval intervals[SHOAL_ITEM_MEASURE_COUNT];
};

struct shoal_items_evaluation {
    struct shoal_item_target *targets; /* owned; in the order of arrival */
    size_t count;
    size_t unseen;  /* left out: like targets, but of an item that does not occur before `from` */
    size_t missing; /* of the targets: not in the model's catalogue */
    struct shoal_item_judgement model[SHOAL_ITEM_GROUPS], popular[SHOAL_ITEM_GROUPS];
    struct shoal_item_judgement difference[SHOAL_ITEM_GROUPS]; /* model − popularity */
};

struct shoal_items_evaluate_options {
    int64_t from_ms, until_ms;
    uint64_t seed;
    bool without_prompts; /* as if the model had none */
};

/* "hr@10" … Static. */
const char *shoal_item_measure_name(enum shoal_item_measure measure);
/* The model must have items. NOMEM; TOO_FEW without a target, with the reason. *evaluation is to be finished also
 * after a failure. */
enum shoal_status shoal_items_evaluate(const struct shoal_model *model,
                                       const struct shoal_dataset *dataset,
                                       const struct shoal_items_evaluate_options *options,
                                       struct shoal_items_evaluation *evaluation,
                                       struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_items_evaluation_finish(struct shoal_items_evaluation *evaluation);

#endif

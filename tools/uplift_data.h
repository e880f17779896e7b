/* SPDX-License-Identifier: Apache-2.0 */
/* A table of a randomised test as `shoal uplift` reads it: the rows of two arms, with the outcome. */
#ifndef SHOAL_UPLIFT_DATA_H
#define SHOAL_UPLIFT_DATA_H

#include "model/learn/uplift_metrics.h"
#include "model/learn/uplift_model.h"
#include "tools/table.h"

/* What is asked of the table. */
struct shoal_uplift_ask {
    const char *treatment, *treated, *control; /* column and the two of its values */
    const char *outcome;                       /* column of 0 and 1 */
    const char *engaged;                       /* the same, or NULL: the outcome is all that is known */
    const char *exclude;                       /* "a,b": no inputs; NULL: none */
};

struct shoal_uplift_data {
    const struct shoal_table *table; /* the caller's */
    const struct shoal_uplift_ask *ask;
    size_t *rows;                    /* owned; of the table, those of either arm */
    int8_t *treated, *outcome;       /* owned */
    uint8_t *stage;                  /* owned */
    size_t count, others;            /* others: rows of neither arm */
    size_t treatment_column, outcome_column;
};

/* CONFIG (no such column), DAMAGED (an outcome that is not 0 or 1), TOO_FEW (an arm without rows: the message
 * says which values there are), NOMEM. */
enum shoal_status shoal_uplift_data_read(const struct shoal_table *table, const struct shoal_uplift_ask *ask,
                                         struct shoal_uplift_data *data,
                                         struct shoal_message *message) SHOAL_MUST_CHECK;
/* Those rows whose half (0 or 1) is `wanted`. NOMEM. */
enum shoal_status shoal_uplift_data_part(const struct shoal_uplift_data *data, const uint8_t *halves,
                                         uint8_t wanted, struct shoal_uplift_data *part) SHOAL_MUST_CHECK;
void shoal_uplift_data_finish(struct shoal_uplift_data *data);

/* Describes the columns and learns from the rows. The model is to be finished by the caller in any case. */
enum shoal_status shoal_uplift_data_learn(const struct shoal_uplift_data *data, uint64_t seed,
                                          shoal_column_left *left, void *context,
                                          struct shoal_uplift_model *model,
                                          struct shoal_message *message) SHOAL_MUST_CHECK;

/* How rows may be ranked: as picked, by each learner, by RFM, by chance. */
enum {
    SHOAL_WAY_PICKED,
    SHOAL_WAY_LEARNERS, /* the first of them */
    SHOAL_WAY_RFM = SHOAL_WAY_LEARNERS + SHOAL_LEARNERS,
    SHOAL_WAY_RANDOM,
    SHOAL_WAYS
};
const char *shoal_uplift_way_name(int way);

struct shoal_uplift_judgement {
    struct shoal_uplift_figures figures[SHOAL_WAYS];
    struct shoal_uplift_classes classes[SHOAL_WAYS]; /* of as many contacts as the top RFM segments have rows */
    bool rfm;                                        /* the table has a column for it */
};

/* Ranks the rows in every way. CONFIG (a column of the model is missing), NOMEM. */
enum shoal_status shoal_uplift_data_judge(const struct shoal_uplift_data *data,
                                          const struct shoal_uplift_model *model, uint64_t seed,
                                          struct shoal_uplift_judgement *judgement,
                                          struct shoal_message *message) SHOAL_MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A model of uplift on a table's columns, and its file: which columns, how they become inputs, what every
 * learner learnt, which one was picked and by which figures.
 *
 * File: one MessagePack map with its keys in a fixed order (uplift_model_file.c), ending in the XXH3 of all
 * bytes before it. */
#ifndef SHOAL_LEARN_UPLIFT_MODEL_H
#define SHOAL_LEARN_UPLIFT_MODEL_H

#include "model/base/pack.h"
#include "model/learn/uplift_choose.h"
#include "model/learn/uplift_columns.h"
#include "model/learn/uplift_rfm.h"

struct shoal_uplift_model {
    char treatment[SHOAL_COLUMN_NAME], treated[SHOAL_COLUMN_NAME], control[SHOAL_COLUMN_NAME],
        outcome[SHOAL_COLUMN_NAME];
    struct shoal_input_column inputs[SHOAL_UPLIFT_WIDTH];
    size_t width;
    struct shoal_uplift_heads heads[SHOAL_LEARNERS]; /* the best setting of each, learnt from all rows */
    struct shoal_uplift_choice_of choice;
    struct shoal_uplift_rfm rfm;
    uint64_t rows[2], outcomes[2], seed; /* of the control arm, of the treated */
};

/* Chooses and learns; the columns of `model` are filled in already. The model is to be finished by the caller
 * in any case. TOO_FEW, NOMEM, INVALID. */
enum shoal_status shoal_uplift_model_learn(const struct shoal_uplift_rows *rows, uint64_t seed,
                                           struct shoal_uplift_model *model,
                                           struct shoal_message *message) SHOAL_MUST_CHECK;
/* The learner that was picked. */
enum shoal_uplift_learner shoal_uplift_model_picked(const struct shoal_uplift_model *model);
void shoal_uplift_model_finish(struct shoal_uplift_model *model);

/* `out`: failed if memory ran out. */
void shoal_uplift_model_pack(const struct shoal_uplift_model *model, struct shoal_buffer *out);
/* Into a zeroed model, to be finished in any case. DAMAGED, VERSION, NOMEM. */
enum shoal_status shoal_uplift_model_unpack(const void *bytes, size_t size, struct shoal_uplift_model *model,
                                            struct shoal_message *message) SHOAL_MUST_CHECK;

#endif

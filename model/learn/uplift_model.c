/* SPDX-License-Identifier: Apache-2.0 */
/* Learning a table model of uplift; see uplift_model.h. */
#include "model/learn/uplift_model.h"

enum shoal_uplift_learner shoal_uplift_model_picked(const struct shoal_uplift_model *model)
{
    return model->choice.picked;
}

enum shoal_status shoal_uplift_model_learn(const struct shoal_uplift_rows *rows, uint64_t seed,
                                           struct shoal_uplift_model *model, struct shoal_message *message)
{
    model->seed = seed;
    for (size_t i = 0; i < rows->count; i++) {
        model->rows[rows->treated[i]]++;
        model->outcomes[rows->treated[i]] += (uint64_t)rows->outcome[i];
    }
    enum shoal_status status = shoal_uplift_choose(rows, seed, &model->choice, message);
    for (int learner = 0; status == SHOAL_OK && learner < SHOAL_LEARNERS; learner++) {
        const struct shoal_uplift_tried *best = &model->choice.tried[model->choice.best[learner]];
        status = shoal_uplift_learn(rows, &best->setting, &model->heads[learner]);
        if (status != SHOAL_OK)
            return shoal_fail(message, status, "out of memory with %zu rows", rows->count);
    }
    return status;
}

void shoal_uplift_model_finish(struct shoal_uplift_model *model)
{
    for (int learner = 0; learner < SHOAL_LEARNERS; learner++)
        shoal_uplift_heads_finish(&model->heads[learner]);
}

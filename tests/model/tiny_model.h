/* SPDX-License-Identifier: Apache-2.0 */
/* A model with weights from a seed, for tests: nothing trained, but every part of it at work. */
#ifndef TEST_TINY_MODEL_H
#define TEST_TINY_MODEL_H

#include <stdint.h>
#include <stdlib.h>

#include "model/model.h"

/* xorshift64*: a float in [−1, 1). */
static inline float tiny_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (float)(int32_t)((*state * 2685821657736338717u) >> 32) / 2147483648.0f;
}

/* NULL when out of memory or if dims are wrong; shoal_model_destroy frees it. */
static inline struct shoal_model *tiny_model(const struct shoal_dims *dims, uint64_t seed)
{
    struct shoal_model *model = calloc(1, sizeof *model);
    if (!model || shoal_dims_check(dims, NULL) != SHOAL_OK ||
        shoal_params_init(&model->params, dims) != SHOAL_OK) {
        free(model);
        return NULL;
    }
    uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
    for (unsigned t = 0; t < SHOAL_TENSOR_COUNT; t++) {
        struct shoal_tensor_info info = shoal_params_tensor(dims, (enum shoal_tensor)t);
        for (size_t i = 0; i < info.rows * info.columns; i++)
            model->params.block[info.offset + i] = 0.3f * tiny_random(&state);
    }
    for (int k = 0; k < SHOAL_COUNTERS; k++) {
        model->counter_mean[k] = 0.5f + 0.3f * tiny_random(&state);
        model->counter_deviation[k] = 1.0f + 0.3f * tiny_random(&state);
    }
    for (int task = 0; task < SHOAL_TASKS; task++)
        model->calibration[task] =
            (struct shoal_calibration_map){.slope = 0.9f, .intercept = -0.4f};
    model->reference = (struct shoal_reference){
        .count = 1,
        .samples = 1000,
        .users = 10,
        .distributions = {{.name = "score", .bins = 2, .bounds = {0.5f}, .shares = {0.75f, 0.25f}}}};
    model->warm = 0.3f;
    model->hot = 0.6f;
    model->origin = (struct shoal_model_origin){.train_from_ms = 1511539200000,
                                                .train_until_ms = 1512144000000,
                                                .events_count = 1000,
                                                .users_count = 10,
                                                .seed = seed,
                                                .data_fingerprint = 0xfeedfacecafebeefu,
                                                .roc_auc = 0.75,
                                                .log_loss = 0.25,
                                                .base_rate = 0.1};
    return model;
}

static inline struct shoal_dims tiny_dims(void)
{
    return (struct shoal_dims){.hidden = 16,
                               .item_buckets = 8,
                               .item_width = 4,
                               .category_buckets = 4,
                               .category_width = 3,
                               .behavior_width = 2,
                               .ring = 4};
}

#endif

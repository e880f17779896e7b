/* SPDX-License-Identifier: Apache-2.0 */
/* Shoppers whose purchases can be told from the order of what they do and from nothing else, for tests of
 * trainings. */
#ifndef TEST_SHOPPING_ORDER_H
#define TEST_SHOPPING_ORDER_H

#include <criterion/criterion.h>
#include <stdio.h>

#include "model/learn/train.h"

#define SHOPPING_MINUTE INT64_C(60000)

/* Each day a user views three times and fills the cart once: those who fill it after the first view buy,
 * those who fill it after the second do not. From the third event on the counters are (nearly) the
 * same; only the order tells. */
static inline void shopping_order(struct shoal_dataset *dataset, size_t users, uint64_t seed)
{
    uint64_t state = seed;
    shoal_dataset_init(dataset, 16);
    for (int day = 0; day < 8; day++) {
        for (size_t u = 0; u < users; u++) {
            char user[16];
            int size = snprintf(user, sizeof user, "u%zu", u);
            state = state * 6364136223846793005u + 1442695040888963407u;
            bool buys = state >> 63;
            uint8_t behaviors[] = {SHOAL_PV, SHOAL_PV, SHOAL_CART, SHOAL_PV};
            if (buys) {
                behaviors[1] = SHOAL_CART;
                behaviors[2] = SHOAL_PV;
            }
            int64_t start_ms = (int64_t)(day * 1440 + 600 + (int)(u % 60)) * SHOPPING_MINUTE;
            for (int i = 0; i < 4 + buys; i++) {
                struct shoal_touch touch = {
                    .time_ms = start_ms + i * SHOPPING_MINUTE * (i == 4 ? 20 : 1),
                    .item = (uint32_t)(state >> 20) + (uint32_t)i,
                    .category = (uint16_t)(1 + (state >> 8) % 5),
                    .behavior = i == 4 ? (uint8_t)SHOAL_BUY : behaviors[i],
                };
                cr_assert_eq(shoal_dataset_append(dataset, user, (size_t)size, &touch, 0),
                             SHOAL_OK);
            }
        }
    }
    cr_assert_eq(shoal_dataset_group(dataset), SHOAL_OK);
}

/* For a network of 16 units that learns it in seconds. */
static inline struct shoal_train_options shopping_options(void)
{
    struct shoal_train_options options = shoal_train_options_default();
    options.dims.hidden = 16;
    options.dims.item_buckets = 64;
    options.dims.category_buckets = 16;
    options.epochs = 12;
    options.patience = 12;
    options.batch = 32;
    options.steps = 8;
    options.learning_rate = 0.01f;
    options.weight_decay = 0.01f;
    options.averaging = 0;
    return options;
}

#endif

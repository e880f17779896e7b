/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration's part about Redis, as the store wants it. */
#ifndef SHOAL_STORE_OPTIONS_H
#define SHOAL_STORE_OPTIONS_H

#include "state/store.h"
#include "stream/config.h"

/* Texts point into the configuration, passwords into the environment (SHOAL_REDIS_PASSWORD, from where it goes over
 * that of redis.url, and SHOAL_REDIS_SENTINEL_PASSWORD); those of the files go before them. */
struct shoal_redis_options shoal_store_options(const struct shoal_config *config);

#endif

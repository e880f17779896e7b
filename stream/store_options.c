/* SPDX-License-Identifier: Apache-2.0 */
/* Options of the Redis store; see store_options.h. */
#include "stream/store_options.h"

#include <stdlib.h>

struct shoal_redis_options shoal_store_options(const struct shoal_config *config)
{
    return (struct shoal_redis_options){
        .url = config->redis_url,
        .topic = config->topic_events,
        .login = {.user = config->redis_user,
                  .password = getenv("SHOAL_REDIS_PASSWORD"),
                  .password_file = config->redis_password_file},
        .sentinels = {.user = config->redis_sentinel_user,
                      .password = getenv("SHOAL_REDIS_SENTINEL_PASSWORD"),
                      .password_file = config->redis_sentinel_password_file},
        .tls = {.ca = config->redis_tls_ca,
                .certificate = config->redis_tls_certificate,
                .key = config->redis_tls_key},
        .timeout_ms = (int)config->redis_timeout,
    };
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Segment rules from the configuration; see segments.h. */
#include "stream/segments.h"

#include <string.h>

struct shoal_segment_rules shoal_segment_rules_of(const struct shoal_config *config)
{
    return (struct shoal_segment_rules){
        .intent_only = strcmp(config->dimensions, "intent") == 0,
        .hysteresis = (float)config->intent_hysteresis,
        .intent_dwell_ms = config->intent_dwell,
        .intent_lapse_ms = config->intent_lapse,
        .new_ms = config->lifecycle_new,
        .returning_ms = config->lifecycle_returning,
        .lapsing_ms = config->lifecycle_lapsing,
        .inactive_ms = config->lifecycle_inactive,
        .value_hysteresis = (float)config->value_hysteresis,
        .value_dwell_ms = config->value_dwell,
        .cluster_margin = (float)config->cluster_margin,
        .cluster_dwell_ms = config->cluster_dwell,
        .engagement_margin = (float)config->engagement_margin,
        .engagement_dwell_ms = config->engagement_dwell,
        .utc_offset_ms = config->utc_offset * 60000,
        .night_share = (float)config->night_share,
        .price_factor = (float)config->price_factor,
        .cart_share = (float)config->cart_share,
        .frequent_interval_ms = config->frequent_interval,
        .first_time_ms = config->first_time_for,
        .traits_hysteresis = (float)config->traits_hysteresis,
        .traits_dwell_ms = config->traits_dwell,
        .cart_wait_ms = config->timers_cart,
    };
}

struct shoal_segment_rules shoal_segment_rules_default(void)
{
    struct shoal_segment_rules rules = {0};
    struct shoal_config *config;
    if (shoal_config_create(&config) == SHOAL_OK)
        rules = shoal_segment_rules_of(config);
    shoal_config_destroy(config);
    return rules;
}

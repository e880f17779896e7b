/* SPDX-License-Identifier: Apache-2.0 */
/* Figures made up; see made_telemetry.h. */
#include "tests/stream/made_telemetry.h"

#include <stdio.h>
#include <stdlib.h>

struct shoal_meter made_meter(uint64_t events)
{
    struct shoal_meter meter = {
        .counts =
            {
                .messages = events + events / 50,
                .events = events,
                .deadletters = events / 100,
                .late = events / 20,
                .late_suppressed = events / 100,
                .repeated = events / 50,
                .suppressed = events / 10,
                .changes = events / 5,
                .timers = events / 25,
                .decisions = events / 10,
                .lookups = events,
                .loaded = events / 4,
                .rebuilt = events / 200,
                .saved = events / 2,
                .batches = events / 100,
            },
        .consumer = {.requests = 100, .retries = 1, .timeouts = 2, .received_messages = events,
                     .sent_bytes = 4000, .received_bytes = 200 * events, .rebalances = 1,
                     .queued_messages = 20, .rtt_s = 0.0015, .rtt_p99_s = 0.009},
        .producer = {.requests = 80, .sent_messages = events / 4, .sent_bytes = 100 * events,
                     .received_bytes = 8000, .waiting_requests = 1, .queued_messages = 5,
                     .rtt_s = 0.002, .rtt_p99_s = 0.012},
        .cached_users = 500,
        .unsaved_users = 20,
    };
    meter.store.failures = 1;
    meter.moves[SHOAL_MOVE_assigned] = 2;
    meter.counts.deadletters_by[SHOAL_BAD_JSON] = events / 100;
    meter.counts.changes_by[SHOAL_INTENT] = events / 5;
    for (int i = 0; i < SHOAL_STAGE_COUNT; i++)
        meter.counts.stage_ns[i] = (int64_t)events * 250 * (i + 1);
    size_t at = shoal_promotion_counts_index(&meter.counts.promotions, "hot-10");
    meter.counts.promotions.list[at].decisions[1][0] = events / 12;
    meter.counts.promotions.list[at].decisions[0][1] = events / 60;
    shoal_histogram_observe(&meter.delay, SHOAL_SCALE_DELAY, 80000, events * 9 / 10);
    shoal_histogram_observe(&meter.delay, SHOAL_SCALE_DELAY, 400000, events / 10);
    shoal_histogram_observe(&meter.commit, SHOAL_SCALE_DELAY, 15000, 50);
    shoal_histogram_observe(&meter.store.load, SHOAL_SCALE_CALL, 700, 40);
    shoal_histogram_observe(&meter.store.save, SHOAL_SCALE_CALL, 3000, 50);
    return meter;
}

struct shoal_partition_standing made_standing(int32_t index, int64_t lag)
{
    return (struct shoal_partition_standing){
        .partition = index,
        .position = 1000,
        .end = 1000 + lag,
        .suppress_until = 900,
        .timestamp_ms = MADE_NOW_MS - 2500,
        .kafka_lag = lag,
        .correction = -0.125f,
        .outcomes = {.samples = 1000, .predicted = 40, .positives = 50},
    };
}

struct shoal_telemetry *made_telemetry(void)
{
    const struct shoal_telemetry_options options = {.version = "0.1.0", .workers = 2};
    const struct shoal_telemetry_service service = {
        .model = "00112233445566aa",
        .policy = "ffeeddccbbaa9988",
        .model_written_ms = MADE_NOW_MS - 86400000,
        .model_trained_until_ms = MADE_NOW_MS - 2 * 86400000,
        .refused_files = 1,
    };
    const struct shoal_partition_standing first[] = {made_standing(0, 0), made_standing(1, 250)};
    const struct shoal_partition_standing second[] = {made_standing(2, 0)};
    struct shoal_telemetry *metrics;
    if (shoal_telemetry_create(&options, &metrics) != SHOAL_OK)
        abort();
    struct shoal_meter meter = made_meter(2000);
    shoal_telemetry_publish(metrics, 0, &meter, first, 2, MADE_NOW_MS - 40);
    meter = made_meter(1000);
    shoal_telemetry_publish(metrics, 1, &meter, second, 1, MADE_NOW_MS - 90);
    shoal_telemetry_serve(metrics, &service);
    shoal_telemetry_running(metrics, 2);
    shoal_telemetry_request(metrics, 200, 1500);
    return metrics;
}

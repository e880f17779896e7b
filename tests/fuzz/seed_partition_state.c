/* SPDX-License-Identifier: Apache-2.0 */
/* Writes states of partitions into the folder given: how corpus/partition_state was made, and is made again
 * when the format changes. */
#include <stdio.h>

#include <string.h>

#include "stream/partition_state.h"

static int write_file(const char *folder, const char *name, const struct shoal_partition_state *state)
{
    char path[4096];
    struct shoal_buffer bytes = {0};
    shoal_partition_state_encode(state, &bytes);
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    size_t written = file ? fwrite(bytes.bytes, 1, bytes.size, file) : 0;
    int failed = !file || written != bytes.size || fclose(file) != 0;
    if (failed)
        perror(path);
    shoal_buffer_finish(&bytes);
    return failed;
}

/* Users in every dimension, among clusters of a model and of one before it, and what two promotions did. */
static void count_some(struct shoal_tally *tally)
{
    tally->users = 70000;
    tally->events = UINT64_C(5000000000);
    tally->late = 12;
    tally->repeated = 3;
    tally->deadletters = 300;
    for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT; d++) {
        for (unsigned i = 0; d != SHOAL_CLUSTER && i < 60; i++)
            shoal_tally_move(tally, NULL, (enum shoal_dimension)d, 0, (uint8_t)(1 + i % 2));
    }
    memcpy(tally->clusters.ids, "\1\2\11", 3);
    tally->clusters.count = 3;
    for (unsigned i = 0; i < 600; i++)
        shoal_tally_move(tally, NULL, SHOAL_CLUSTER, (uint8_t)(i % 3), (uint8_t)(i % 11));
    tally->promotions_count = 2;
    tally->promotions[0] = (struct shoal_tally_promotion){7, {{100, 20, 3}, {10, 2, 0}}};
    tally->promotions[1] = (struct shoal_tally_promotion){UINT32_MAX, {{1, 0, 0}, {0, 0, 0}}};
}

int main(int argc, char **argv)
{
    const int64_t start_ms = 1512000000000;
    struct shoal_partition_state state = {0};
    struct shoal_pending pending = {{0}};
    int failed = 0;
    if (argc != 2) {
        fputs("usage: seed_partition_state FOLDER\n", stderr);
        return 2;
    }
    shoal_watermark_init(&state.watermark);
    shoal_budgets_init(&state.budgets);
    shoal_correction_init(&state.correction, 0, 0);
    failed |= write_file(argv[1], "empty", &state);
    shoal_watermark_see(&state.watermark, 3600000, 1, start_ms);
    failed |= write_file(argv[1], "begun", &state);
    state.pseudonyms = 0x0123456789abcdef;
    failed |= write_file(argv[1], "pseudonyms", &state);
    state.pseudonyms = 0;
    state.spread = 6;
    failed |= write_file(argv[1], "spread", &state);
    state.spread = 0;
    for (uint64_t i = 0; i < SHOAL_AHEAD_MAX - 1; i++)
        shoal_watermark_see(&state.watermark, 3600000, 1 + i % 2, start_ms + 10000000);
    state.watermark.draining = false;
    failed |= write_file(argv[1], "witnesses", &state);
    shoal_correction_init(&state.correction, 77, 0);
    failed |= write_file(argv[1], "correction_empty", &state);
    for (int64_t i = 0; i < 400; i++) {
        int64_t time_ms = start_ms + i * 600000;
        if (shoal_correction_due(&state.correction, time_ms))
            shoal_correction_turn(&state.correction, time_ms);
        shoal_correction_count(&state.correction, &pending, i ? time_ms - 600000 : time_ms, time_ms,
                               i % 9 ? SHOAL_PV : SHOAL_BUY, 0.25f);
    }
    failed |= write_file(argv[1], "correction_days", &state);
    count_some(&state.tally);
    failed |= write_file(argv[1], "tally", &state);
    return failed;
}

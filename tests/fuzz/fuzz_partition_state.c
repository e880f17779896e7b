/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target for the bytes of a partition's state. What is accepted must be sound: encoded again it is
 * accepted again, to the same bytes, and a partition can go on with it. What is not leaves an empty
 * state. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stream/partition_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_again(const struct shoal_partition_state *state)
{
    struct shoal_partition_state back = {0};
    struct shoal_buffer first = {0}, second = {0};
    shoal_partition_state_encode(state, &first);
    require(shoal_partition_state_decode(first.bytes, first.size, &back) == SHOAL_OK);
    shoal_partition_state_encode(&back, &second);
    require(first.size == second.size && memcmp(first.bytes, second.bytes, first.size) == 0);
    shoal_buffer_finish(&first);
    shoal_buffer_finish(&second);
}

/* Events of different users, each ahead of the others, and an hour of the correction. */
static void go_on(struct shoal_partition_state *state)
{
    struct shoal_watermark *watermark = &state->watermark;
    require(watermark->time_ms >= -1 && watermark->ahead < SHOAL_AHEAD_MAX &&
            watermark->witnesses_count < SHOAL_WITNESSES);
    for (uint64_t user = 1; user <= SHOAL_AHEAD_MAX; user++) {
        int64_t before_ms = watermark->time_ms;
        shoal_watermark_see(watermark, 3600000, user, SHOAL_TIME_MAX_MS - (int64_t)user);
        require(watermark->time_ms >= before_ms);
        require(shoal_watermark_tick(watermark) <= watermark->time_ms);
    }
    for (unsigned i = 0; i < 600; i++)
        shoal_tally_move(&state->tally, NULL, (enum shoal_dimension)(i % SHOAL_DIMENSION_COUNT),
                         (uint8_t)(i % 7), (uint8_t)i);
    shoal_tally_add(&state->tally, &state->tally);
    require(state->tally.promotions_count <= SHOAL_GRANTS_MAX);
    require(fabsf(state->correction.delta) <= SHOAL_CORRECTION_MAX);
    if (shoal_correction_due(&state->correction, SHOAL_TIME_MAX_MS))
        shoal_correction_turn(&state->correction, SHOAL_TIME_MAX_MS);
    require(fabsf(state->correction.delta) <= SHOAL_CORRECTION_MAX);
    check_again(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct shoal_partition_state state = {0};
    enum shoal_status status = shoal_partition_state_decode(bytes, size, &state);
    require(status == SHOAL_OK || status == SHOAL_DAMAGED || status == SHOAL_VERSION);
    if (status == SHOAL_OK) {
        check_again(&state);
        go_on(&state);
    } else {
        require(state.watermark.time_ms == -1 && state.watermark.ahead == 0 &&
                state.correction.model == 0 && state.tally.users == 0);
    }
    return 0;
}

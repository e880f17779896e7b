/* SPDX-License-Identifier: Apache-2.0 */
/* The time in a partition; see watermark.h. */
#include "stream/watermark.h"

enum { FIELDS = 4 }; /* without witnesses */

void shoal_watermark_init(struct shoal_watermark *watermark)
{
    *watermark = (struct shoal_watermark){.time_ms = -1};
}

int64_t shoal_watermark_tick(const struct shoal_watermark *watermark)
{
    int64_t time_ms = watermark->time_ms;
    return time_ms < 0 ? -1 : time_ms - time_ms % SHOAL_TICK_MS;
}

/* Forgets who was ahead, and goes to time_ms if that is later. */
static void move(struct shoal_watermark *watermark, int64_t time_ms)
{
    int64_t before = shoal_watermark_tick(watermark);
    watermark->ahead = watermark->witnesses_count = 0;
    watermark->ahead_ms = 0;
    if (time_ms > watermark->time_ms)
        watermark->time_ms = time_ms;
    if (shoal_watermark_tick(watermark) != before)
        watermark->draining = true;
}

static void witness(struct shoal_watermark *watermark, uint64_t user, int64_t time_ms)
{
    bool known = false;
    for (uint32_t i = 0; i < watermark->witnesses_count; i++)
        known = known || watermark->witnesses[i] == user;
    if (!known)
        watermark->witnesses[watermark->witnesses_count++] = user;
    if (watermark->ahead++ == 0 || time_ms < watermark->ahead_ms)
        watermark->ahead_ms = time_ms;
}

void shoal_watermark_see(struct shoal_watermark *watermark, int64_t jump_ms, uint64_t user,
                         int64_t time_ms)
{
    if (watermark->time_ms < 0 || time_ms <= watermark->time_ms ||
        time_ms - watermark->time_ms <= jump_ms) {
        move(watermark, time_ms);
        return;
    }
    witness(watermark, user, time_ms);
    if (watermark->witnesses_count >= SHOAL_WITNESSES || watermark->ahead >= SHOAL_AHEAD_MAX)
        move(watermark, watermark->ahead_ms);
}

void shoal_watermark_tell(struct shoal_watermark *watermark, int64_t time_ms)
{
    move(watermark, time_ms);
}

void shoal_watermark_pack(const struct shoal_watermark *watermark, struct shoal_buffer *out)
{
    shoal_pack_array(out, FIELDS + watermark->witnesses_count);
    shoal_pack_int(out, watermark->time_ms);
    shoal_pack_bool(out, watermark->draining);
    shoal_pack_int(out, watermark->ahead_ms);
    shoal_pack_uint(out, watermark->ahead);
    for (uint32_t i = 0; i < watermark->witnesses_count; i++)
        shoal_pack_uint(out, watermark->witnesses[i]);
}

void shoal_watermark_unpack(struct shoal_unpack *in, struct shoal_watermark *watermark)
{
    shoal_watermark_init(watermark);
    uint32_t fields = shoal_unpack_array(in, FIELDS + SHOAL_WITNESSES - 1);
    if (fields < FIELDS) {
        shoal_unpack_fail(in);
        return;
    }
    watermark->time_ms = shoal_unpack_int(in, -1, INT64_MAX / 2);
    watermark->draining = shoal_unpack_bool(in);
    watermark->ahead_ms = shoal_unpack_int(in, 0, INT64_MAX / 2);
    watermark->ahead = (uint32_t)shoal_unpack_uint(in, SHOAL_AHEAD_MAX - 1);
    watermark->witnesses_count = fields - FIELDS;
    for (uint32_t i = 0; i < watermark->witnesses_count; i++)
        watermark->witnesses[i] = shoal_unpack_uint(in, UINT64_MAX);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Counting outcomes and what follows from them; see correction.h. */
#include "model/correction.h"

#include <math.h>
#include <string.h>

#include "model/vmath.h"

enum { VERSION = 1, FIELDS = 6, HOUR_FIELDS = 3, NIBBLES = SHOAL_CORRECTION_HORIZON + 1 };

#define FULL 15u

static const double unit = 1 << 24; /* of `predicted` */

static int64_t hour_of(int64_t time_ms)
{
    return time_ms > 0 ? time_ms / 3600000 : 0;
}

void shoal_correction_init(struct shoal_correction *correction, uint64_t model,
                           int64_t known_until_ms)
{
    int64_t from = hour_of(known_until_ms) - SHOAL_CORRECTION_HORIZON;
    *correction = (struct shoal_correction){
        .model = model, .from = from > 0 ? from : 0, .hour = -1};
}

bool shoal_correction_due(const struct shoal_correction *correction, int64_t time_ms)
{
    return hour_of(time_ms) > correction->hour;
}

static struct shoal_correction_hour *hour_at(struct shoal_correction *correction, int64_t hour)
{
    return &correction->hours[hour % SHOAL_CORRECTION_HOURS];
}

/* log p/(1 − p), by our own log1p: the same bits on every machine. */
static float logit(double p)
{
    float parts[2] = {(float)((1 - p) / p), (float)(p / (1 - p))}, logs[2];
    if (p < 0.5) { /* −log(1/p − 1), with 1/p − 1 = 1 + (1/p − 2) */
        parts[0] -= 1;
        parts[1] = 0;
    } else {
        parts[1] -= 1;
        parts[0] = 0;
    }
    shoal_vlog1p(parts, logs, 2);
    return logs[1] - logs[0];
}

struct shoal_correction_sums shoal_correction_sums(const struct shoal_correction *correction)
{
    uint64_t samples = 0, positives_twice = 0, predicted = 0;
    for (int64_t back = SHOAL_CORRECTION_HORIZON + 1;
         back <= SHOAL_CORRECTION_HORIZON + SHOAL_CORRECTION_WINDOW; back++) {
        if (correction->hour < back)
            break;
        int64_t hour_number = correction->hour - back;
        const struct shoal_correction_hour *hour =
            &correction->hours[hour_number % SHOAL_CORRECTION_HOURS];
        uint64_t most = 2 * (uint64_t)hour->samples;
        samples += hour->samples;
        positives_twice += hour->positives_twice < most ? hour->positives_twice : most;
        predicted += hour->predicted;
    }
    return (struct shoal_correction_sums){samples, (double)predicted / unit,
                                          (double)positives_twice / 2};
}

static float delta_of(const struct shoal_correction *correction)
{
    struct shoal_correction_sums sums = shoal_correction_sums(correction);
    if (sums.samples == 0)
        return 0;
    double n = (double)sums.samples, doubt = SHOAL_CORRECTION_DOUBT;
    double mean = sums.predicted / n;
    mean = fmin(fmax(mean, 1e-4), 1 - 1e-4);
    double observed = (sums.positives + doubt * mean) / (n + doubt);
    observed = fmin(fmax(observed, 1e-4), 1 - 1e-4);
    float delta = logit(observed) - logit(mean);
    return fminf(fmaxf(delta, -SHOAL_CORRECTION_MAX), SHOAL_CORRECTION_MAX);
}

void shoal_correction_turn(struct shoal_correction *correction, int64_t time_ms)
{
    int64_t now = hour_of(time_ms), from = correction->hour + 1;
    if (now - from >= SHOAL_CORRECTION_HOURS)
        from = now - SHOAL_CORRECTION_HOURS + 1;
    for (int64_t hour = from; hour <= now; hour++)
        *hour_at(correction, hour) = (struct shoal_correction_hour){0};
    correction->hour = now;
    correction->delta = delta_of(correction);
}

static unsigned nibble(const struct shoal_pending *pending, size_t i)
{
    return (unsigned)pending->nibbles[i / 2] >> (i % 2 * 4) & FULL;
}

static void set_nibble(struct shoal_pending *pending, size_t i, unsigned value)
{
    uint8_t *byte = &pending->nibbles[i / 2];
    unsigned shift = i % 2 * 4;
    *byte = (uint8_t)((*byte & ~((unsigned)FULL << shift)) | value << shift);
}

/* `hours` pass. */
static void age(struct shoal_pending *pending, int64_t hours)
{
    if (hours <= 0)
        return;
    for (size_t i = NIBBLES; i-- > 0;)
        set_nibble(pending, i, (int64_t)i >= hours ? nibble(pending, i - (size_t)hours) : 0);
}

/* The user's waiting samples turn out positive. */
static void settle(struct shoal_correction *correction, struct shoal_pending *pending, int64_t hour)
{
    for (size_t i = 0; i < NIBBLES; i++) {
        unsigned count = nibble(pending, i);
        int64_t then = hour - (int64_t)i;
        if (count == 0 || then < 0 || then <= correction->hour - SHOAL_CORRECTION_HOURS)
            continue;
        hour_at(correction, then)->positives_twice += i < SHOAL_CORRECTION_HORIZON ? 2 * count : count;
    }
    *pending = (struct shoal_pending){{0}};
}

void shoal_correction_count(struct shoal_correction *correction, struct shoal_pending *pending,
                            int64_t previous_ms, int64_t time_ms, enum shoal_behavior behavior,
                            float uncorrected)
{
    int64_t hour = hour_of(time_ms);
    age(pending, hour - hour_of(previous_ms));
    if (behavior == SHOAL_BUY)
        settle(correction, pending, hour);
    unsigned here = nibble(pending, 0);
    if (here == FULL || hour < correction->from ||
        hour <= correction->hour - SHOAL_CORRECTION_HOURS)
        return;
    set_nibble(pending, 0, here + 1);
    struct shoal_correction_hour *bucket = hour_at(correction, hour);
    bucket->samples++;
    bucket->predicted += (uint64_t)((double)uncorrected * unit + 0.5);
}

void shoal_correction_encode(const struct shoal_correction *correction, struct shoal_buffer *out)
{
    shoal_pack_array(out, FIELDS);
    shoal_pack_uint(out, VERSION);
    shoal_pack_uint(out, correction->model);
    shoal_pack_int(out, correction->from);
    shoal_pack_int(out, correction->hour);
    shoal_pack_float(out, correction->delta);
    shoal_pack_array(out, HOUR_FIELDS * SHOAL_CORRECTION_HOURS);
    for (size_t i = 0; i < SHOAL_CORRECTION_HOURS; i++) {
        shoal_pack_uint(out, correction->hours[i].samples);
        shoal_pack_uint(out, correction->hours[i].positives_twice);
        shoal_pack_uint(out, correction->hours[i].predicted);
    }
}

enum shoal_status shoal_correction_decode(const void *bytes, size_t size,
                                          struct shoal_correction *correction)
{
    struct shoal_unpack in;
    shoal_correction_init(correction, 0, 0);
    shoal_unpack_init(&in, bytes, size);
    uint32_t fields = shoal_unpack_array(&in, UINT32_MAX);
    uint64_t version = shoal_unpack_uint(&in, UINT32_MAX);
    if (in.status == SHOAL_OK && version != VERSION)
        return SHOAL_VERSION;
    correction->model = shoal_unpack_uint(&in, UINT64_MAX);
    correction->from = shoal_unpack_int(&in, 0, INT64_MAX / 3600000);
    correction->hour = shoal_unpack_int(&in, -1, INT64_MAX / 3600000);
    correction->delta = (float)shoal_unpack_double(&in);
    uint32_t numbers = shoal_unpack_array(&in, HOUR_FIELDS * SHOAL_CORRECTION_HOURS);
    for (size_t i = 0; i < SHOAL_CORRECTION_HOURS && in.status == SHOAL_OK; i++) {
        correction->hours[i].samples = (uint32_t)shoal_unpack_uint(&in, UINT32_MAX);
        correction->hours[i].positives_twice = (uint32_t)shoal_unpack_uint(&in, UINT32_MAX);
        correction->hours[i].predicted = shoal_unpack_uint(&in, UINT64_MAX);
    }
    if (in.status == SHOAL_OK && in.position == size && fields == FIELDS &&
        numbers == HOUR_FIELDS * SHOAL_CORRECTION_HOURS &&
        fabsf(correction->delta) <= SHOAL_CORRECTION_MAX)
        return SHOAL_OK;
    shoal_correction_init(correction, 0, 0);
    return SHOAL_DAMAGED;
}

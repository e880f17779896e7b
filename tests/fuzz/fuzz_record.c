/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target for the user record's bytes. What is accepted must be sound: encoded again it is
 * accepted again, to the same bytes, and it can be printed. What is not leaves an empty record. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "state/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { H = 64 };

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_sound(const struct shoal_record *record)
{
    require(record->ring_count <= SHOAL_RING_MAX && record->ids_count <= SHOAL_RING_MAX &&
            record->grants_count <= SHOAL_GRANTS_MAX);
    require(record->first_ms >= 0 && record->first_ms <= record->last_ms &&
            record->last_ms <= SHOAL_TIME_MAX_MS);
    for (size_t i = 0; i < H; i++)
        require(isfinite(record->h[i]) && isfinite(record->c[i]));
    for (size_t i = 0; i < record->ring_count; i++) {
        const struct shoal_touch *touch = &record->ring[i];
        require(touch->behavior < SHOAL_BEHAVIOR_COUNT && touch->price_level < SHOAL_PRICE_LEVELS);
        require(touch->time_ms % 1000 == 0 && touch->time_ms >= 0);
        require(i == 0 || touch->time_ms >= touch[-1].time_ms);
    }
}

static void check_again(const struct shoal_record *record, enum shoal_precision precision)
{
    float hc[2 * H];
    struct shoal_record back;
    struct shoal_buffer first = {0}, second = {0};
    shoal_record_init(&back, H, hc);
    shoal_record_encode(record, precision, &first);
    require(shoal_record_decode(&back, first.bytes, first.size) == SHOAL_OK);
    shoal_record_encode(&back, precision, &second);
    require(first.size == second.size && memcmp(first.bytes, second.bytes, first.size) == 0);
    shoal_buffer_clear(&first);
    shoal_record_print(record, "user", 4, 0, precision, &first);
    require(first.size > 2 && first.bytes[0] == '{' && first.bytes[first.size - 1] == '}');
    shoal_buffer_finish(&first);
    shoal_buffer_finish(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    float hc[2 * H];
    struct shoal_record record;
    uint32_t hidden = 0;
    enum shoal_precision precision = SHOAL_FP16;
    shoal_record_init(&record, H, hc);
    enum shoal_status shape = shoal_record_shape(bytes, size, &hidden, &precision);
    enum shoal_status status = shoal_record_decode(&record, bytes, size);
    require(status == SHOAL_OK || status == SHOAL_DAMAGED || status == SHOAL_VERSION);
    require((status == SHOAL_VERSION) == (shape == SHOAL_VERSION));
    if (status == SHOAL_OK) {
        require(shape == SHOAL_OK && (hidden == H || record.model == 0));
        check_sound(&record);
        check_again(&record, precision);
    } else {
        require(record.events_count == 0 && record.ring_count == 0 && record.model == 0);
    }
    return 0;
}

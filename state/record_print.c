/* SPDX-License-Identifier: Apache-2.0 */
/* A record as one line of canonical JSON, for states.jsonl and `shoal inspect`.
 *
 *   {"user_id":"u1","partition":3,"model":"00c0ffee00c0ffee","offset":17,"events":5,
 *    "first_time":1512000000000,"last_time":1512086400000,"score":0.125,"consent":0,
 *    "counters":{"pv":[0.5,1.75,2],"cart":[0,0,0],"fav":[0,0,0],"buy":[0,0,0]},
 *    "h":"003c…","c":"…",
 *    "ring":[{"time":1512086400000,"behavior":"pv","item":"89abcdef","category":"0123",
 *             "price_level":0}],
 *    "ids":["0123456789abcdef"],"standings":[[2,1512000000000]],
 *    "promotions":[{"promotion":"89abcdef","eligible":true,"open":false,"count":1,
 *                   "last":1512000000000,"expires":0}]}
 *
 * Invariant: everything the record's bytes hold stands in the line and nothing else, so two records
 * give the same line if and only if they encode to the same bytes. Times are ms since 1970.
 * Standings are [level, since] by dimension; names of dimensions and promotions are the policy's,
 * which this layer does not know. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/half.h"
#include "model/params.h"
#include "state/record.h"

static void text(struct shoal_buffer *out, const char *literal)
{
    shoal_buffer_append(out, literal, strlen(literal));
}

/* For numbers and the like: nothing longer than the room below. */
static void print(struct shoal_buffer *out, const char *format, ...) SHOAL_PRINTF(2, 3);

static void print(struct shoal_buffer *out, const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (size > 0)
        shoal_buffer_append(out, line, (size_t)size < sizeof line ? (size_t)size : sizeof line - 1);
}

/* Escapes what JSON requires and nothing more; UTF-8 passes as it is. */
static void print_string(struct shoal_buffer *out, const char *bytes, size_t size)
{
    text(out, "\"");
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte == '"' || byte == '\\')
            print(out, "\\%c", byte);
        else if (byte < 0x20)
            print(out, "\\u%04x", byte);
        else
            shoal_buffer_append(out, &byte, 1);
    }
    text(out, "\"");
}

/* A number with the fewest of digits that no two floats share. */
static void print_float(struct shoal_buffer *out, float value)
{
    print(out, "%.9g", (double)value);
}

static void print_hex(struct shoal_buffer *out, uint32_t bits, size_t width)
{
    static const char digits[] = "0123456789abcdef";
    char hex[8];
    for (size_t i = 0; i < width; i++) {
        hex[2 * i] = digits[bits >> (8 * i + 4) & 15];
        hex[2 * i + 1] = digits[bits >> (8 * i) & 15];
    }
    shoal_buffer_append(out, hex, 2 * width);
}

static void print_values(struct shoal_buffer *out, const float *values, size_t count,
                         enum shoal_precision precision)
{
    for (size_t i = 0; i < count; i++) {
        if (precision == SHOAL_FP16) {
            uint16_t half;
            shoal_half_from_float(&values[i], &half, 1);
            print_hex(out, half, sizeof half);
        } else {
            uint32_t bits;
            memcpy(&bits, &values[i], sizeof bits);
            print_hex(out, bits, sizeof bits);
        }
    }
}

static void print_counters(struct shoal_buffer *out, const struct shoal_record *record)
{
    for (unsigned b = 0; b < SHOAL_BEHAVIOR_COUNT; b++) {
        print(out, "%s\"%s\":[", b ? "," : "", shoal_behavior_name((enum shoal_behavior)b));
        for (unsigned k = 0; k < SHOAL_HALF_LIVES; k++) {
            text(out, k ? "," : "");
            print_float(out, record->counters[b * SHOAL_HALF_LIVES + k]);
        }
        text(out, "]");
    }
}

static void print_ring(struct shoal_buffer *out, const struct shoal_record *record)
{
    for (size_t i = 0; i < record->ring_count; i++) {
        const struct shoal_touch *touch = &record->ring[i];
        print(out,
              "%s{\"time\":%" PRId64 ",\"behavior\":\"%s\",\"item\":\"%08" PRIx32
              "\",\"category\":\"%04x\",\"price_level\":%u}",
              i ? "," : "", touch->time_ms,
              shoal_behavior_name((enum shoal_behavior)(touch->behavior & 3)), touch->item,
              touch->category, touch->price_level);
    }
}

static void print_ids(struct shoal_buffer *out, const struct shoal_record *record)
{
    for (size_t i = 0; i < record->ids_count; i++)
        print(out, "%s\"%016" PRIx64 "\"", i ? "," : "", record->ids[i]);
}

static void print_standings(struct shoal_buffer *out, const struct shoal_record *record)
{
    size_t count = SHOAL_DIMENSIONS_MAX;
    while (count && !record->standings[count - 1].level)
        count--;
    for (size_t i = 0; i < count; i++)
        print(out, "%s[%u,%" PRId64 "]", i ? "," : "", record->standings[i].level,
              record->standings[i].since_ms);
}

static void print_grants(struct shoal_buffer *out, const struct shoal_record *record)
{
    for (size_t i = 0; i < record->grants_count; i++) {
        const struct shoal_grant *grant = &record->grants[i];
        print(out,
              "%s{\"promotion\":\"%08" PRIx32 "\",\"eligible\":%s,\"open\":%s,\"count\":%u,\"last\":%" PRId64
              ",\"expires\":%" PRId64 "}",
              i ? "," : "", grant->promotion, grant->eligible ? "true" : "false",
              grant->open ? "true" : "false", grant->count, grant->last_ms, grant->expires_ms);
    }
}

void shoal_record_print(const struct shoal_record *record, const char *user, size_t user_size,
                        int32_t partition, enum shoal_precision precision, struct shoal_buffer *out)
{
    int32_t source;
    int64_t offset;
    shoal_record_source(record->offset, partition, &source, &offset);
    text(out, "{\"user_id\":");
    print_string(out, user, user_size);
    print(out, ",\"partition\":%" PRId32 ",\"model\":\"%016" PRIx64 "\",\"offset\":%" PRId64,
          partition, record->model, offset);
    if (source != partition)
        print(out, ",\"offset_partition\":%" PRId32, source);
    print(out,
          ",\"events\":%" PRIu64 ",\"first_time\":%" PRId64 ",\"last_time\":%" PRId64 ",\"score\":",
          record->events_count, record->first_ms, record->last_ms);
    print_float(out, record->score);
    print(out, ",\"consent\":%u,\"counters\":{", record->consent);
    print_counters(out, record);
    text(out, "},\"h\":\"");
    print_values(out, record->h, record->hidden, precision);
    text(out, "\",\"c\":\"");
    print_values(out, record->c, record->hidden, precision);
    text(out, "\",\"ring\":[");
    print_ring(out, record);
    text(out, "],\"ids\":[");
    print_ids(out, record);
    text(out, "],\"standings\":[");
    print_standings(out, record);
    text(out, "],\"promotions\":[");
    print_grants(out, record);
    const struct shoal_purchases *p = &record->purchases;
    print(out,
          "],\"timer\":%" PRId64 ",\"cart\":%" PRId64
          ",\"purchases\":{\"days\":%" PRIu32 ",\"first\":%" PRId64 ",\"last\":%" PRId64
          ",\"spent\":",
          record->timer_ms, record->cart_ms, p->occasions, p->first_ms, p->last_ms);
    print_float(out, p->spent);
    text(out, "},\"pending\":\"");
    for (size_t i = 0; i < SHOAL_PENDING_BYTES; i++)
        print_hex(out, record->pending.nibbles[i], 1);
    text(out, "\"}");
}

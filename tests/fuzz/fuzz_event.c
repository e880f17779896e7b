/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes through the event decoder: they give events that keep what event.h promises, or a
 * refusal of class skip with printable words. Twice, since nothing may be left from the message
 * before. */
#include <iconv.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/decode.h"
#include "stream/forget.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* The C library's own converter, as a judge that is not ours. */
static bool is_utf8(iconv_t converter, char *text, size_t size)
{
    char wide[4 * 64 + 4];
    char *in = text, *out = wide;
    size_t out_left = sizeof wide;
    return iconv(converter, &in, &size, &out, &out_left) != (size_t)-1;
}

static void check_user(iconv_t converter, const struct shoal_event *event)
{
    char copy[64];
    CHECK(event->user_size >= 1 && event->user_size <= 64);
    CHECK(strlen(event->user) == event->user_size);
    memcpy(copy, event->user, event->user_size);
    for (size_t i = 0; i < event->user_size; i++)
        CHECK((unsigned char)copy[i] >= 0x20 && copy[i] != 0x7f);
    CHECK(is_utf8(converter, copy, event->user_size));
}

static void check_event(const struct shoal_event *event, const struct shoal_event *first, size_t i)
{
    CHECK(event->partition == 2 && event->offset == 77 && event->part == i);
    CHECK(strcmp(event->user, first->user) == 0);
    CHECK(event->touch.time_ms >= 0 && event->touch.time_ms <= 253402300799999);
    CHECK(event->touch.time_ms == first->touch.time_ms);
    CHECK(event->touch.behavior < SHOAL_BEHAVIOR_COUNT);
    CHECK(event->touch.price_level < SHOAL_PRICE_LEVELS);
    CHECK(event->exposure <= SHOAL_EXPOSURE_REDEEMED);
    CHECK(isnan(event->price) || (event->price >= 0 && isfinite(event->price)));
    CHECK(isnan(event->quantity) || (event->quantity >= 0 && isfinite(event->quantity)));
}

static void check_refusal(enum shoal_status status, const struct shoal_message *why)
{
    CHECK(shoal_status_class(status) == SHOAL_CLASS_SKIP);
    CHECK(why->text[0] && strlen(why->text) < 300);
    for (const char *at = why->text; *at; at++)
        CHECK(*at >= 0x20 && *at < 0x7f);
}

/* A message that has a user forgotten is no event, and what is printed of it means the same. */
static void check_forget(iconv_t converter, const uint8_t *bytes, size_t size, enum shoal_status decoded)
{
    struct shoal_event event = {0};
    char user[SHOAL_USER_MAX + 1], back[SHOAL_USER_MAX + 1], again[SHOAL_FORGET_BYTES];
    size_t user_size;
    if (!shoal_forget_parse(bytes, size, user, &user_size))
        return;
    CHECK(decoded == SHOAL_MISSING_FIELD);
    event.user = user;
    event.user_size = (uint8_t)user_size;
    check_user(converter, &event);
    size_t printed = shoal_forget_print(user, user_size, again), back_size;
    CHECK(printed > 0 && printed < sizeof again);
    CHECK(shoal_forget_parse(again, printed, back, &back_size));
    CHECK(back_size == user_size && memcmp(back, user, user_size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct shoal_decoder *decoder;
    static struct shoal_arena arena;
    static iconv_t converter;
    static struct shoal_event events[2][SHOAL_EVENTS_PER_MESSAGE_MAX];
    if (!decoder) {
        CHECK(shoal_decoder_create(NULL, &decoder) == SHOAL_OK);
        shoal_arena_init(&arena, 1 << 16);
        converter = iconv_open("UTF-32LE", "UTF-8");
        CHECK(converter != (iconv_t)-1);
    }
    struct shoal_input input = {
        .partition = 2, .offset = 77, .timestamp_ms = -1, .value = bytes, .value_size = size};
    enum shoal_status status[2];
    size_t count[2];
    struct shoal_message why = {""};
    shoal_arena_reset(&arena);
    for (int i = 0; i < 2; i++)
        status[i] = shoal_decode(decoder, &input, &arena, events[i], &count[i], &why);
    CHECK(status[0] == status[1] && count[0] == count[1]);
    check_forget(converter, bytes, size, status[0]);
    if (status[0] != SHOAL_OK) {
        CHECK(count[0] == 0);
        check_refusal(status[0], &why);
        return 0;
    }
    CHECK(count[0] >= 1 && count[0] <= SHOAL_EVENTS_PER_MESSAGE_MAX);
    check_user(converter, &events[0][0]);
    for (size_t i = 0; i < count[0]; i++) {
        check_event(&events[0][i], &events[0][0], i);
        events[1][i].user = events[0][i].user;
        CHECK(memcmp(&events[0][i], &events[1][i], sizeof events[0][i]) == 0);
    }
    /* The reader's key is this user. */
    const char *user;
    size_t user_size;
    CHECK(shoal_decoder_find_user(decoder, bytes, size, &user, &user_size));
    CHECK(user_size == events[0][0].user_size && memcmp(user, events[0][0].user, user_size) == 0);
    return 0;
}

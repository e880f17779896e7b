/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the decoder share: one message in, its events or its refusal out. */
#ifndef SHOAL_TESTS_DECODING_H
#define SHOAL_TESTS_DECODING_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/pack.h"
#include "stream/event.h"

struct decoding {
    struct shoal_decoder *decoder;
    struct shoal_arena arena;
    struct shoal_input input; /* key and record time may be set before decoding */
    struct shoal_event events[SHOAL_EVENTS_PER_MESSAGE_MAX];
    size_t count;
    struct shoal_message why;
};

static inline void decoding_init(struct decoding *d)
{
    memset(d, 0, sizeof *d);
    d->input.timestamp_ms = -1;
    cr_assert_eq(shoal_decoder_create(NULL, &d->decoder), SHOAL_OK);
    shoal_arena_init(&d->arena, 4096);
}

static inline void decoding_finish(struct decoding *d)
{
    shoal_decoder_destroy(d->decoder);
    shoal_arena_finish(&d->arena);
}

static inline enum shoal_status decode_bytes(struct decoding *d, const void *bytes, size_t size)
{
    /* A copy without room behind it: reading past the end is seen by the sanitizers. */
    char *copy = malloc(size ? size : 1);
    cr_assert_not_null(copy);
    memcpy(copy, bytes, size);
    d->input.value = copy;
    d->input.value_size = size;
    d->why.text[0] = '\0';
    enum shoal_status status =
        shoal_decode(d->decoder, &d->input, &d->arena, d->events, &d->count, &d->why);
    memset(copy, '#', size); /* nothing may point into it afterwards */
    free(copy);
    if (status == SHOAL_OK)
        cr_assert(d->count >= 1);
    else
        cr_assert_eq(d->count, 0);
    return status;
}

static inline enum shoal_status decode_text(struct decoding *d, const char *text)
{
    return decode_bytes(d, text, strlen(text));
}

static inline enum shoal_status decode_packed(struct decoding *d, struct shoal_buffer *buffer)
{
    cr_assert(!buffer->failed);
    enum shoal_status status = decode_bytes(d, buffer->bytes, buffer->size);
    shoal_buffer_finish(buffer);
    return status;
}

#define assert_status(got, wanted)                                                                 \
    do {                                                                                           \
        enum shoal_status got_ = (got);                                                            \
        cr_assert_eq(got_, wanted, "%s, not %s: %s", shoal_status_code(got_),                      \
                     shoal_status_code(wanted), d.why.text);                                       \
    } while (0)

#endif

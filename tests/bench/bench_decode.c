/* SPDX-License-Identifier: Apache-2.0 */
/* Time of decoding one event, and of reading a line of a file. Not a test: run it by hand.
 *
 *   bench_decode [FILE]      FILE: events, for the reader */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/base/clock.h"
#include "model/base/pack.h"
#include "stream/pseudonym.h"
#include "stream/reader.h"

enum { MESSAGES = 4096, ROUNDS = 50, MESSAGE_BYTES = 192 };

struct message {
    size_t size;
    char bytes[MESSAGE_BYTES];
};

static void make_json(struct message *message, int i)
{
    message->size = (size_t)snprintf(
        message->bytes, sizeof message->bytes,
        "{\"user_id\":\"%d\",\"item_id\":\"%d\",\"category_id\":\"%d\",\"behavior\":\"%s\","
        "\"timestamp\":%d}",
        100000 + i * 37 % 900000, 1000000 + i * 7919, 2520377 + i % 500, i % 9 ? "pv" : "cart",
        1511539200 + i);
}

static void make_msgpack(struct message *message, int i)
{
    struct shoal_buffer buffer = {0};
    char text[32];
    shoal_pack_map(&buffer, 5);
    shoal_pack_text(&buffer, "user_id");
    snprintf(text, sizeof text, "%d", 100000 + i * 37 % 900000);
    shoal_pack_text(&buffer, text);
    shoal_pack_text(&buffer, "item_id");
    shoal_pack_int(&buffer, 1000000 + i * 7919);
    shoal_pack_text(&buffer, "category_id");
    shoal_pack_int(&buffer, 2520377 + i % 500);
    shoal_pack_text(&buffer, "behavior");
    shoal_pack_text(&buffer, i % 9 ? "pv" : "cart");
    shoal_pack_text(&buffer, "timestamp");
    shoal_pack_int(&buffer, 1511539200 + i);
    message->size = buffer.size;
    memcpy(message->bytes, buffer.bytes, buffer.size);
    shoal_buffer_finish(&buffer);
}

static int bench_decode(const char *name, void (*make)(struct message *, int),
                        const struct shoal_pseudonyms *pseudonyms)
{
    static struct message messages[MESSAGES];
    static struct shoal_event events[SHOAL_EVENTS_PER_MESSAGE_MAX];
    struct shoal_decoder *decoder;
    struct shoal_arena arena;
    size_t bytes = 0;
    uint32_t sum = 0;
    struct shoal_decode_options options = shoal_decode_options_default();
    options.pseudonyms = pseudonyms;
    if (shoal_decoder_create(&options, &decoder) != SHOAL_OK)
        return 1;
    shoal_arena_init(&arena, 1 << 16);
    for (int i = 0; i < MESSAGES; i++) {
        make(&messages[i], i);
        bytes += messages[i].size;
    }
    int64_t best_ns = INT64_MAX;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t start_ns = shoal_clock_ns();
        shoal_arena_reset(&arena);
        for (int i = 0; i < MESSAGES; i++) {
            struct shoal_input input = {
                .timestamp_ms = -1, .value = messages[i].bytes, .value_size = messages[i].size};
            struct shoal_message why;
            size_t count;
            enum shoal_status status = shoal_decode(decoder, &input, &arena, events, &count, &why);
            if (status != SHOAL_OK) {
                fprintf(stderr, "%s\n", why.text);
                return 1;
            }
            sum += events[0].touch.item;
        }
        int64_t took_ns = shoal_clock_ns() - start_ns;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    printf("%-16s %6.3f us/event  %5.1f bytes/event  (check %08x)\n", name,
           (double)best_ns / MESSAGES / 1000, (double)bytes / MESSAGES, sum);
    shoal_arena_finish(&arena);
    shoal_decoder_destroy(decoder);
    return 0;
}

/* The same with a key, where this build has pseudonyms. */
static int bench_pseudonyms(void)
{
    struct shoal_pseudonyms *pseudonyms;
    struct shoal_message why;
    char path[] = "/tmp/bench-decode-XXXXXX";
    int file = mkstemp(path);
    if (file < 0)
        return 1;
    close(file);
    unlink(path);
    if (shoal_pseudonyms_new_key(path, &why) != SHOAL_OK ||
        shoal_pseudonyms_load(path, &pseudonyms, &why) != SHOAL_OK) {
        printf("pseudonyms: %s\n", why.text);
        return 0;
    }
    unlink(path);
    int failed = bench_decode("JSON, pseudonyms", make_json, pseudonyms);
    shoal_pseudonyms_destroy(pseudonyms);
    return failed;
}

static int bench_reader(const char *path)
{
    struct shoal_reader *reader;
    struct shoal_message why;
    struct shoal_input input;
    uint64_t lines = 0, keyed = 0;
    enum shoal_status status = shoal_reader_open(path, 4, &reader, &why);
    int64_t start_ns = shoal_clock_ns();
    while (status == SHOAL_OK && (status = shoal_reader_next(reader, &input, &why)) == SHOAL_OK) {
        lines++;
        keyed += input.key != NULL;
    }
    if (status != SHOAL_END) {
        fprintf(stderr, "%s\n", why.text);
        return 1;
    }
    double seconds = (double)(shoal_clock_ns() - start_ns) / 1e9;
    shoal_reader_close(reader);
    printf("reader     %6.3f us/line   %llu lines, %llu with a key, %.2f M lines/s\n",
           seconds * 1e6 / (double)lines, (unsigned long long)lines, (unsigned long long)keyed,
           (double)lines / seconds / 1e6);
    return 0;
}

int main(int count, char **arguments)
{
    int failed = bench_decode("JSON", make_json, NULL) | bench_decode("MessagePack", make_msgpack, NULL) |
                 bench_pseudonyms();
    for (int i = 1; i < count; i++)
        failed |= bench_reader(arguments[i]);
    return failed;
}

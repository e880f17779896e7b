/* SPDX-License-Identifier: Apache-2.0 */
/* The feed without a network: who gets what, how much, and when. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "stream/feed.h"
#include "stream/pack_json.h"
#include "stream/encode.h"
#include "tests/state/leaks.h"

struct reader {
    unsigned slept, woken;
};

static void sleeps(void *reader)
{
    ((struct reader *)reader)->slept++;
}

static void wakes(void *reader)
{
    ((struct reader *)reader)->woken++;
}

static const struct shoal_feed_hooks hooks = {sleeps, wakes};
static const unsigned all = (1u << SHOAL_FEED_COUNT) - 1;

static char text[1 << 20];

/* Everything that there is for the client, zero-terminated in `text`, in pieces of at most `piece` bytes. */
static size_t drain(struct shoal_feed_client *client, size_t piece, int64_t now_ms)
{
    size_t size = 0;
    ptrdiff_t got;
    while ((got = shoal_feed_read(client, text + size, piece, now_ms)) > 0)
        size += (size_t)got;
    text[size] = '\0';
    return size;
}

static unsigned count(const char *what)
{
    unsigned n = 0;
    for (const char *at = text; (at = strstr(at, what)); at++)
        n++;
    return n;
}

static void publish(struct shoal_feed *feed, enum shoal_feed_type type, const char *user, const char *subject,
                    const char *data)
{
    shoal_feed_publish(feed, type, "the-id", 6, user, strlen(user), subject, strlen(subject), data,
                       strlen(data));
}

static struct shoal_feed_client *join(struct shoal_feed *feed, unsigned types, unsigned rate,
                                      struct reader *reader)
{
    struct shoal_feed_filter filter = {.types = types, .rate = rate};
    struct shoal_feed_client *client = shoal_feed_join(feed, &filter, reader, 0);
    cr_assert_not_null(client);
    return client;
}

Test(feed, a_client_reads_events_as_they_are_sent_in_pieces_of_any_size)
{
    static const char expected[] = "retry: 2000\n\n"
                                   "event: change\nid: the-id\ndata: {\"a\":1}\n\n"
                                   "event: forgotten\nid: the-id\ndata: {}\n\n";
    for (size_t piece = 1; piece < 100; piece += 7) {
        struct shoal_feed *feed = shoal_feed_create(&hooks);
        struct reader reader = {0};
        struct shoal_feed_client *client = join(feed, all, 50, &reader);
        publish(feed, SHOAL_FEED_CHANGE, "u", "intent", "{\"a\":1}");
        publish(feed, SHOAL_FEED_FORGOTTEN, "u", "", "{}");
        drain(client, piece, 0);
        cr_assert_str_eq(text, expected);
        cr_assert_eq(reader.slept, 1);
        shoal_feed_leave(client);
        shoal_feed_destroy(feed);
    }
    test_no_leaks();
}

Test(feed, filters_leave_out_what_nobody_asked_for)
{
    struct shoal_feed *feed = shoal_feed_create(&hooks);
    struct reader reader = {0};
    struct shoal_feed_filter filter = {.types = all, .rate = 50, .user = "ann", .dimension = "intent"};
    struct shoal_feed_client *client = shoal_feed_join(feed, &filter, &reader, 0);
    publish(feed, SHOAL_FEED_CHANGE, "ann", "intent", "1");
    publish(feed, SHOAL_FEED_CHANGE, "ann", "value", "2");
    publish(feed, SHOAL_FEED_CHANGE, "anna", "intent", "3");
    publish(feed, SHOAL_FEED_DECISION, "ann", "deal", "4");
    publish(feed, SHOAL_FEED_OVERVIEW, "", "", "5");
    publish(feed, SHOAL_FEED_FORGOTTEN, "bob", "", "6");
    drain(client, sizeof text, 0);
    cr_assert_eq(count("data: "), 3, "%s", text);
    cr_assert(count("data: 1\n") && count("data: 4\n") && count("data: 5\n"));
    struct shoal_feed_wish wish = shoal_feed_wish(feed);
    cr_assert(wish.filtered && wish.clients == 1 && wish.types == all && wish.rate == 50);
    shoal_feed_leave(client);
    cr_assert_eq(shoal_feed_wish(feed).clients, 0);
    shoal_feed_destroy(feed);
    test_no_leaks();
}

Test(feed, more_than_the_rate_is_left_out_and_told)
{
    struct shoal_feed *feed = shoal_feed_create(&hooks);
    struct reader reader = {0};
    struct shoal_feed_client *client = join(feed, all, 5, &reader);
    for (int i = 0; i < 20; i++)
        publish(feed, SHOAL_FEED_CHANGE, "u", "intent", "x");
    drain(client, sizeof text, 0);
    cr_assert_eq(count("data: x\n"), 5);
    cr_assert_eq(count("event: skipped\ndata: {\"messages\":15}\n"), 1, "%s", text);
    shoal_feed_tick(feed, 400); /* two more are allowed */
    for (int i = 0; i < 5; i++)
        publish(feed, SHOAL_FEED_DECISION, "u", "deal", "y");
    shoal_feed_skip(feed, 100);
    drain(client, sizeof text, 400);
    cr_assert_eq(count("data: y\n"), 2);
    cr_assert_eq(count("skipped"), 0, "at most once a second");
    cr_assert_eq(reader.woken, 0);
    shoal_feed_tick(feed, 1000);
    cr_assert_eq(reader.woken, 1, "to be told of what was skipped");
    drain(client, sizeof text, 1000);
    cr_assert_str_eq(text, "event: skipped\ndata: {\"messages\":103}\n\n");
    shoal_feed_leave(client);
    shoal_feed_destroy(feed);
    test_no_leaks();
}

Test(feed, a_client_that_does_not_read_costs_a_bounded_queue_and_others_nothing)
{
    struct shoal_feed *feed = shoal_feed_create(&hooks);
    struct reader one = {0}, other = {0};
    struct shoal_feed_client *slow = join(feed, all, SHOAL_FEED_RATE_MAX, &one);
    struct shoal_feed_client *quick = join(feed, all, SHOAL_FEED_RATE_MAX, &other);
    unsigned read = 0;
    drain(quick, sizeof text, 0);
    for (int i = 0; i < 600; i++) {
        publish(feed, SHOAL_FEED_CHANGE, "u", "intent", "z");
        drain(quick, sizeof text, 0);
        read += count("data: z\n");
    }
    cr_assert_eq(read, 600);
    drain(slow, sizeof text, 0);
    cr_assert_eq(count("data: z\n"), SHOAL_FEED_QUEUE);
    cr_assert_eq(count("{\"messages\":344}"), 1);
    publish(feed, SHOAL_FEED_CHANGE, "u", "intent", "z"); /* stays in a queue, for the leak check */
    shoal_feed_leave(slow);
    shoal_feed_leave(quick);
    shoal_feed_destroy(feed);
    test_no_leaks();
}

Test(feed, who_has_nothing_to_read_sleeps_until_there_is_something_or_a_heartbeat)
{
    struct shoal_feed *feed = shoal_feed_create(&hooks);
    struct reader reader = {0};
    struct shoal_feed_client *client = join(feed, 1u << SHOAL_FEED_DECISION, 50, &reader);
    drain(client, sizeof text, 0);
    cr_assert_eq(reader.slept, 1);
    publish(feed, SHOAL_FEED_CHANGE, "u", "intent", "{}");
    shoal_feed_tick(feed, 200);
    cr_assert_eq(reader.woken, 0);
    publish(feed, SHOAL_FEED_DECISION, "u", "deal", "{}");
    cr_assert_eq(reader.woken, 0, "with the tick, so that many wake once");
    shoal_feed_tick(feed, 400);
    shoal_feed_tick(feed, 600);
    cr_assert_eq(reader.woken, 1);
    cr_assert_gt(drain(client, sizeof text, 600), 0);
    shoal_feed_tick(feed, 600 + SHOAL_FEED_HEARTBEAT_MS - 1);
    cr_assert_eq(reader.woken, 1);
    shoal_feed_tick(feed, 600 + SHOAL_FEED_HEARTBEAT_MS);
    cr_assert_eq(reader.woken, 2);
    drain(client, sizeof text, 600 + SHOAL_FEED_HEARTBEAT_MS);
    cr_assert_str_eq(text, ":\n\n");
    shoal_feed_end(feed);
    cr_assert_eq(reader.woken, 3);
    cr_assert_eq(shoal_feed_read(client, text, 10, 0), -1);
    shoal_feed_leave(client);
    shoal_feed_destroy(feed);
    test_no_leaks();
}

/* ---- outputs in MessagePack ------------------------------------------------------------------ */

/* The same value in either format. */
static void write_some(enum shoal_encode_format format, struct shoal_buffer *out)
{
    struct shoal_encoder e;
    shoal_encode_init(&e, format, out);
    shoal_encode_map(&e, 4);
    SHOAL_ENCODE_KEY(&e, "user_id");
    shoal_encode_str(&e, "a\"b\n\xc3\xa9", 6);
    SHOAL_ENCODE_KEY(&e, "scores");
    shoal_encode_array(&e, 3);
    shoal_encode_score(&e, 0.231);
    shoal_encode_null(&e);
    shoal_encode_bool(&e, true);
    shoal_encode_array_end(&e);
    SHOAL_ENCODE_KEY(&e, "event_time");
    shoal_encode_time(&e, INT64_C(1512000000000));
    SHOAL_ENCODE_KEY(&e, "segments");
    shoal_encode_map(&e, 1);
    SHOAL_ENCODE_KEY(&e, "n");
    shoal_encode_int(&e, -5);
    shoal_encode_map_end(&e);
    shoal_encode_map_end(&e);
}

Test(feed, messagepack_becomes_the_json_that_it_would_have_been)
{
    struct shoal_buffer json = {0}, packed = {0}, back = {0};
    write_some(SHOAL_ENCODE_JSON, &json);
    write_some(SHOAL_ENCODE_MSGPACK, &packed);
    cr_assert_eq(shoal_pack_json(packed.bytes, packed.size, &back), SHOAL_OK);
    cr_assert_eq(back.size, json.size);
    cr_assert_eq(memcmp(back.bytes, json.bytes, json.size), 0, "%.*s", (int)back.size, (char *)back.bytes);
    for (size_t size = 0; size < packed.size; size++) {
        shoal_buffer_clear(&back);
        cr_assert_eq(shoal_pack_json(packed.bytes, size, &back), SHOAL_BAD_MSGPACK);
    }
    char deep[40];
    memset(deep, '\x91', sizeof deep);
    cr_assert_eq(shoal_pack_json(deep, sizeof deep, &back), SHOAL_BAD_MSGPACK);
    shoal_buffer_finish(&json);
    shoal_buffer_finish(&packed);
    shoal_buffer_finish(&back);
    test_no_leaks();
}

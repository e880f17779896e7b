/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "stream/output.h"
#include "tests/model/tiny_clusters.h"

static struct shoal_buffer out;
static struct shoal_record record;
static const struct shoal_model model = {.version = "0123456789abcdef"};
static struct shoal_promotion promotion = {
    .id = "checkout-reminder",
    .levels = {[SHOAL_INTENT] = {{1u << SHOAL_WARM | 1u << SHOAL_HOT}}},
    .valid_from_ms = INT64_MIN,
    .valid_until_ms = INT64_C(1514764800000),
};
static struct shoal_event event = {.partition = 3, .offset = 42, .user = "u\"1", .user_size = 3};

static void setup(void)
{
    event.touch.time_ms = INT64_C(1512172800123);
    record.score = 0.231f;
    record.standings[SHOAL_INTENT].level = SHOAL_WARM;
    record.standings[SHOAL_LIFECYCLE].level = SHOAL_NEW;
}

TestSuite(output, .init = setup);

static void is(const char *text)
{
    cr_assert_eq(out.size, strlen(text), "got: %.*s", (int)out.size, (const char *)out.bytes);
    cr_assert_eq(memcmp(out.bytes, text, out.size), 0, "got: %.*s", (int)out.size,
                 (const char *)out.bytes);
}

Test(output, ids_are_made_of_the_events_coordinates)
{
    char id[320];
    cr_assert_eq(shoal_output_id("shoal.events", &event, "intent", id, sizeof id), 24);
    cr_assert_str_eq(id, "shoal.events/3/42/intent");
    event.part = 7;
    shoal_output_id("shoal.events", &event, "welcome", id, sizeof id);
    cr_assert_str_eq(id, "shoal.events/3/42.7/welcome");
    event.offset = INT64_MAX;
    event.partition = INT32_MAX;
    event.part = 255;
    char topic[201], subject[65];
    memset(topic, 't', 200);
    memset(subject, 's', 64);
    topic[200] = subject[64] = '\0';
    size_t size = shoal_output_id(topic, &event, subject, id, sizeof id);
    cr_assert_lt(size, sizeof id - 1, "the longest id fits");
    cr_assert_eq(size, strlen(id));
    cr_assert_eq(shoal_output_id(topic, &event, subject, id, 20), 19, "and never runs over");
}

Test(output, a_segment_change_is_one_canonical_line)
{
    struct shoal_change change = {SHOAL_INTENT, SHOAL_COLD, SHOAL_WARM, 0.231f};
    shoal_output_change(SHOAL_OUTPUT_JSON, &event, &change, &model, "t/3/42/intent", &out);
    is("{\"id\":\"t/3/42/"
       "intent\",\"user_id\":\"u\\\"1\",\"dimension\":\"intent\",\"from\":\"cold\","
       "\"to\":\"warm\",\"score\":0.231000,\"event_time\":\"2017-12-02T00:00:00.123Z\","
       "\"model\":\"0123456789abcdef\"}");
}

Test(output, the_first_assignment_comes_from_null)
{
    struct shoal_change change = {SHOAL_LIFECYCLE, 0, SHOAL_NEW, 0.5f};
    shoal_output_change(SHOAL_OUTPUT_JSON, &event, &change, &model, "i", &out);
    cr_assert_not_null(memmem(out.bytes, out.size, "\"from\":null,\"to\":\"new\"", 22));
}

static struct shoal_decision full_decision(void)
{
    return (struct shoal_decision){
        .promotion = &promotion,
        .eligible = false,
        .control = true,
        .reasons_count = 7,
        .reasons =
            {
                {SHOAL_CONDITION_VALIDITY, 0, true, (double)event.touch.time_ms, 0},
                {SHOAL_CONDITION_SEGMENT, SHOAL_INTENT, true, SHOAL_WARM, 6},
                {SHOAL_CONDITION_MIN_SCORE, 0, true, (double)0.231f, (double)0.2f},
                {SHOAL_CONDITION_MAX_SCORE, 0, false, (double)0.231f, (double)0.1f},
                {SHOAL_CONDITION_COOLDOWN, 0, false, 7980000, 86400000},
                {SHOAL_CONDITION_LIMIT, 0, true, 2, 3},
                {SHOAL_CONDITION_OFFER, 0, true, 60000, 1800000},
            },
    };
}

Test(output, a_decision_names_each_condition_with_its_value_and_its_limit)
{
    struct shoal_decision decision = full_decision();
    shoal_output_decision(SHOAL_OUTPUT_JSON, &event, &decision, &record, &model, "i", &out);
    is("{\"id\":\"i\",\"user_id\":\"u\\\"1\",\"promotion\":\"checkout-reminder\",\"eligible\":"
       "false,"
       "\"variant\":\"control\",\"reasons\":["
       "{\"condition\":\"validity\",\"value\":\"2017-12-02T00:00:00.123Z\","
       "\"limit\":[null,\"2018-01-01T00:00:00.000Z\"],\"met\":true},"
       "{\"condition\":\"segment.intent\",\"value\":\"warm\",\"limit\":[\"warm\",\"hot\"],"
       "\"met\":true},"
       "{\"condition\":\"score.min\",\"value\":0.231000,\"limit\":0.200000,\"met\":true},"
       "{\"condition\":\"score.max\",\"value\":0.231000,\"limit\":0.100000,\"met\":false},"
       "{\"condition\":\"cooldown\",\"value\":\"2h13m\",\"limit\":\"1d\",\"met\":false},"
       "{\"condition\":\"limit\",\"value\":2,\"limit\":3,\"met\":true},"
       "{\"condition\":\"offer\",\"value\":\"1m\",\"limit\":\"30m\",\"met\":true}],"
       "\"scores\":{\"purchase_24h\":0.231000},"
       "\"segments\":{\"intent\":\"warm\",\"lifecycle\":\"new\"},"
       "\"model\":\"0123456789abcdef\",\"event_time\":\"2017-12-02T00:00:00.123Z\","
       "\"expires_at\":null}");
}

Test(output, an_offer_has_its_end_and_a_first_cooldown_no_value)
{
    struct shoal_decision decision = {
        .promotion = &promotion,
        .eligible = true,
        .expires_ms = INT64_C(1512174600123),
        .reasons_count = 1,
        .reasons = {{SHOAL_CONDITION_COOLDOWN, 0, true, (double)NAN, 86400000}}};
    shoal_output_decision(SHOAL_OUTPUT_JSON, &event, &decision, &record, &model, "i", &out);
    const char *pieces[] = {
        "\"eligible\":true,\"variant\":\"treatment\"",
        "\"condition\":\"cooldown\",\"value\":null,\"limit\":\"1d\",\"met\":true",
        "\"expires_at\":\"2017-12-02T00:30:00.123Z\"}"};
    for (size_t i = 0; i < 3; i++)
        cr_assert_not_null(memmem(out.bytes, out.size, pieces[i], strlen(pieces[i])), "%s",
                           pieces[i]);
}

/* Reads one MessagePack value and writes it as JSON would have it, scores apart. */
static void skip_like_json(struct shoal_unpack *reader, unsigned *values)
{
    struct shoal_pack_value value;
    cr_assert(shoal_unpack_next(reader, &value));
    ++*values;
    uint32_t inner = 0;
    if (value.type == SHOAL_PACK_MAP)
        inner = 2 * value.count;
    else if (value.type == SHOAL_PACK_ARRAY)
        inner = value.count;
    for (uint32_t i = 0; i < inner; i++)
        skip_like_json(reader, values);
}

Test(output, a_swap_is_one_canonical_line)
{
    shoal_output_swap(SHOAL_OUTPUT_JSON, 3, 81250, "b", NULL, NULL, "i", &out);
    is("{\"id\":\"i\",\"partition\":3,\"offset\":81250,\"model\":\"b\",\"previous\":null}");
}

Test(output, a_swap_tells_which_clusters_go_on_as_which)
{
    struct shoal_clusters *clusters = tiny_clusters(28, 3, 1);
    struct shoal_unpack reader;
    shoal_output_swap(SHOAL_OUTPUT_JSON, 3, 7, "b", "a", clusters, "i", &out);
    is("{\"id\":\"i\",\"partition\":3,\"offset\":7,\"model\":\"b\",\"previous\":\"a\",\"clusters\":["
       "{\"id\":2,\"from\":null},{\"id\":4,\"from\":4,\"jaccard\":0.625000},{\"id\":6,\"from\":null},"
       "{\"id\":1,\"to\":2},{\"id\":3,\"to\":null}]}");
    shoal_buffer_clear(&out);
    shoal_output_swap(SHOAL_OUTPUT_MSGPACK, 3, 7, "b", "a", clusters, "i", &out);
    shoal_unpack_init(&reader, out.bytes, out.size);
    shoal_unpack_skip(&reader);
    cr_assert_eq(reader.status, SHOAL_OK);
    cr_assert_eq(reader.position, out.size, "counts of maps and arrays are true");
    shoal_clusters_destroy(clusters);
}

Test(output, messagepack_is_one_whole_value_with_the_same_keys)
{
    struct shoal_decision decision = full_decision();
    shoal_output_decision(SHOAL_OUTPUT_MSGPACK, &event, &decision, &record, &model, "i", &out);
    struct shoal_unpack reader;
    unsigned values = 0;
    shoal_unpack_init(&reader, out.bytes, out.size);
    skip_like_json(&reader, &values);
    cr_assert_eq(reader.position, out.size, "counts of maps and arrays are true");
    cr_assert_eq(reader.status, SHOAL_OK);
    shoal_unpack_init(&reader, out.bytes, out.size);
    cr_assert_eq(shoal_unpack_map(&reader, 20), 11);
    const char *keys[] = {"id",     "user_id",  "promotion", "eligible",   "variant",   "reasons",
                          "scores", "segments", "model",     "event_time", "expires_at"};
    for (size_t i = 0; i < 11; i++) {
        size_t size;
        const char *key = shoal_unpack_str(&reader, &size);
        cr_assert(key && size == strlen(keys[i]) && memcmp(key, keys[i], size) == 0, "%s", keys[i]);
        shoal_unpack_skip(&reader);
    }
    shoal_buffer_clear(&out);
    struct shoal_change change = {SHOAL_INTENT, 0, SHOAL_WARM, 0.5f};
    shoal_output_change(SHOAL_OUTPUT_MSGPACK, &event, &change, &model, "i", &out);
    shoal_unpack_init(&reader, out.bytes, out.size);
    shoal_unpack_skip(&reader);
    cr_assert_eq(reader.position, out.size);
    cr_assert_eq(reader.status, SHOAL_OK);
}

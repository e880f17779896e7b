/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "stream/output.h"
#include "tests/model/planted_items.h"
#include "tests/model/tiny_clusters.h"

static struct shoal_buffer out;
static struct shoal_record record;
static const struct shoal_model model = {.version = "0123456789abcdef"};
static struct shoal_promotion promotion = {
    .id = "checkout-reminder",
    .kind = SHOAL_KIND_CHECKOUT_REMINDER,
    .levels = {[SHOAL_INTENT] = {{1u << SHOAL_WARM | 1u << SHOAL_HOT}}},
    .valid_from_ms = INT64_MIN,
    .valid_until_ms = INT64_C(1514764800000),
};
static const struct shoal_policy policy = {.version = "fedcba9876543210"};
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
    event.part = 0; /* of a user who has moved from partition 1 since its last event */
    event.offset = shoal_record_leave(42, 1);
    shoal_output_id("shoal.events", &event, "intent", id, sizeof id);
    cr_assert_str_eq(id, "shoal.events/1/42/intent");
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
    shoal_output_change(SHOAL_OUTPUT_JSON, &event, &change, &record, &model, "t/3/42/intent", &out);
    is("{\"id\":\"t/3/42/"
       "intent\",\"user_id\":\"u\\\"1\",\"dimension\":\"intent\",\"from\":\"cold\","
       "\"to\":\"warm\",\"score\":0.231000,\"segments\":{\"intent\":\"warm\",\"lifecycle\":\"new\"},"
       "\"event_time\":\"2017-12-02T00:00:00.123Z\","
       "\"model\":\"0123456789abcdef\"}");
}

Test(output, the_first_assignment_comes_from_null)
{
    struct shoal_change change = {SHOAL_LIFECYCLE, 0, SHOAL_NEW, 0.5f};
    shoal_output_change(SHOAL_OUTPUT_JSON, &event, &change, &record, &model, "i", &out);
    cr_assert_not_null(memmem(out.bytes, out.size, "\"from\":null,\"to\":\"new\"", 22));
}

static struct shoal_decision full_decision(void)
{
    return (struct shoal_decision){
        .promotion = &promotion,
        .policy = &policy,
        .prompted = NAN,
        .trigger = "cart",
        .eligible = false,
        .control = true,
        .reasons_count = 7,
        .reasons =
            {
                {.condition = SHOAL_CONDITION_VALIDITY, .dimension = 0, .met = true, .value = (double)event.touch.time_ms, .limit = 0},
                {.condition = SHOAL_CONDITION_SEGMENT, .dimension = SHOAL_INTENT, .met = true, .value = SHOAL_WARM, .limit = 6},
                {.condition = SHOAL_CONDITION_MIN_SCORE, .dimension = 0, .met = true, .value = (double)0.231f, .limit = (double)0.2f},
                {.condition = SHOAL_CONDITION_MAX_SCORE, .dimension = 0, .met = false, .value = (double)0.231f, .limit = (double)0.1f},
                {.condition = SHOAL_CONDITION_COOLDOWN, .dimension = 0, .met = false, .value = 7980000, .limit = 86400000},
                {.condition = SHOAL_CONDITION_LIMIT, .dimension = 0, .met = true, .value = 2, .limit = 3},
                {.condition = SHOAL_CONDITION_OFFER, .dimension = 0, .met = true, .value = 60000, .limit = 1800000},
            },
    };
}

Test(output, a_decision_names_each_condition_with_its_value_and_its_limit)
{
    struct shoal_decision decision = full_decision();
    shoal_output_decision(SHOAL_OUTPUT_JSON, &event, &decision, &record, &model, "i", &out);
    is("{\"id\":\"i\",\"user_id\":\"u\\\"1\",\"promotion\":\"checkout-reminder\","
       "\"kind\":\"checkout_reminder\",\"eligible\":false,"
       "\"variant\":\"control\",\"trigger\":\"cart\",\"reasons\":["
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
       "\"model\":\"0123456789abcdef\",\"policy\":\"fedcba9876543210\","
       "\"event_time\":\"2017-12-02T00:00:00.123Z\",\"expires_at\":null}");
}

Test(output, an_offer_has_its_end_and_a_first_cooldown_no_value)
{
    struct shoal_decision decision = {
        .promotion = &promotion,
        .policy = &policy,
        .prompted = NAN,
        .eligible = true,
        .expires_ms = INT64_C(1512174600123),
        .reasons_count = 1,
        .reasons = {{.condition = SHOAL_CONDITION_COOLDOWN, .dimension = 0, .met = true, .value = (double)NAN, .limit = 86400000}}};
    shoal_output_decision(SHOAL_OUTPUT_JSON, &event, &decision, &record, &model, "i", &out);
    const char *pieces[] = {
        "\"eligible\":true,\"variant\":\"treatment\",\"trigger\":null",
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
    struct shoal_output_pair now = {"b", "p"}, before = {"a", NULL};
    shoal_output_swap(SHOAL_OUTPUT_JSON, 3, 81250, &now, NULL, NULL, "i", &out);
    is("{\"id\":\"i\",\"partition\":3,\"offset\":81250,\"model\":\"b\",\"policy\":\"p\","
       "\"previous\":null,\"previous_policy\":null}");
    shoal_buffer_clear(&out);
    shoal_output_swap(SHOAL_OUTPUT_JSON, 3, 81250, &now, &before, NULL, "i", &out);
    is("{\"id\":\"i\",\"partition\":3,\"offset\":81250,\"model\":\"b\",\"policy\":\"p\","
       "\"previous\":\"a\",\"previous_policy\":null}");
}

Test(output, a_swap_tells_which_clusters_go_on_as_which)
{
    struct shoal_clusters *clusters = tiny_clusters(28, 3, 1);
    struct shoal_output_pair now = {"b", NULL}, before = {"a", "p"};
    struct shoal_unpack reader;
    shoal_output_swap(SHOAL_OUTPUT_JSON, 3, 7, &now, &before, clusters, "i", &out);
    is("{\"id\":\"i\",\"partition\":3,\"offset\":7,\"model\":\"b\",\"policy\":null,"
       "\"previous\":\"a\",\"previous_policy\":\"p\",\"clusters\":["
       "{\"id\":2,\"from\":null},{\"id\":4,\"from\":4,\"jaccard\":0.625000},{\"id\":6,\"from\":null},"
       "{\"id\":1,\"to\":2},{\"id\":3,\"to\":null}]}");
    shoal_buffer_clear(&out);
    shoal_output_swap(SHOAL_OUTPUT_MSGPACK, 3, 7, &now, &before, clusters, "i", &out);
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
    cr_assert_eq(shoal_unpack_map(&reader, 20), 14);
    const char *keys[] = {"id",      "user_id", "promotion", "kind",     "eligible",
                          "variant", "trigger", "reasons",   "scores",   "segments",
                          "model",   "policy",  "event_time", "expires_at"};
    for (size_t i = 0; i < 14; i++) {
        size_t size;
        const char *key = shoal_unpack_str(&reader, &size);
        cr_assert(key && size == strlen(keys[i]) && memcmp(key, keys[i], size) == 0, "%s", keys[i]);
        shoal_unpack_skip(&reader);
    }
    shoal_buffer_clear(&out);
    struct shoal_change change = {SHOAL_INTENT, 0, SHOAL_WARM, 0.5f};
    shoal_output_change(SHOAL_OUTPUT_MSGPACK, &event, &change, &record, &model, "i", &out);
    shoal_unpack_init(&reader, out.bytes, out.size);
    shoal_unpack_skip(&reader);
    cr_assert_eq(reader.position, out.size);
    cr_assert_eq(reader.status, SHOAL_OK);
}

Test(output, values_and_limits_of_the_conditions_of_an_offer)
{
    static struct shoal_promotion other = {.id = "bigger"}, own;
    own = promotion;
    strcpy(own.group, "discounts");
    own.quiet = (struct shoal_hours){22 * 60, 8 * 60 + 5};
    own.usual = (struct shoal_hours){9 * 60, 24 * 60};
    shoal_levels_add(&own.levels[SHOAL_NIGHT_ACTIVE], 0);
    struct shoal_decision decision = {
        .promotion = &own,
        .policy = &policy,
        .prompted = 0.25f,
        .reasons_count = 11,
        .reasons = {
            {.condition = SHOAL_CONDITION_SEGMENT, .dimension = SHOAL_NIGHT_ACTIVE, .value = 1},
            {.condition = SHOAL_CONDITION_PROMPTED, .value = (double)NAN, .limit = 0.3},
            {.condition = SHOAL_CONDITION_CONSENT, .consent = 1, .value = (double)NAN},
            {.condition = SHOAL_CONDITION_CONSENT, .consent = 2, .value = 1, .met = true},
            {.condition = SHOAL_CONDITION_QUIET, .value = 23 * 60 + 7},
            {.condition = SHOAL_CONDITION_ACTIVE_HOURS, .value = 5400000, .limit = 3600000},
            {.condition = SHOAL_CONDITION_ACTIVE_HOURS, .value = 65, .limit = (double)NAN},
            {.condition = SHOAL_CONDITION_BUDGET, .value = 0, .limit = 25},
            {.condition = SHOAL_CONDITION_EXCLUSION, .met = true},
            {.condition = SHOAL_CONDITION_EXCLUSION, .other = &other},
            {.condition = SHOAL_CONDITION_PRIORITY, .other = &other},
        }};
    shoal_output_decision(SHOAL_OUTPUT_JSON, &event, &decision, &record, &model, "i", &out);
    const char *pieces[] = {
        "{\"condition\":\"segment.night_active\",\"value\":\"yes\",\"limit\":[\"no\"],\"met\":false}",
        "{\"condition\":\"prompted.min\",\"value\":null,\"limit\":0.300000,\"met\":false}",
        "{\"condition\":\"consent.marketing\",\"value\":null,\"limit\":true,\"met\":false}",
        "{\"condition\":\"consent.personalization\",\"value\":true,\"limit\":true,\"met\":true}",
        "{\"condition\":\"quiet\",\"value\":\"23:07\",\"limit\":[\"22:00\",\"08:05\"],\"met\":false}",
        "{\"condition\":\"active_hours\",\"value\":\"1h30m\",\"limit\":\"1h\",\"met\":false}",
        "{\"condition\":\"active_hours\",\"value\":\"01:05\",\"limit\":[\"09:00\",\"24:00\"],\"met\":false}",
        "{\"condition\":\"budget\",\"value\":\"used up\",\"limit\":25,\"met\":false}",
        "{\"condition\":\"exclusion\",\"value\":null,\"limit\":\"discounts\",\"met\":true}",
        "{\"condition\":\"exclusion\",\"value\":\"bigger\",\"limit\":\"discounts\",\"met\":false}",
        "{\"condition\":\"priority\",\"value\":\"bigger\",\"limit\":\"discounts\",\"met\":false}",
        "\"scores\":{\"purchase_24h\":0.231000,\"prompted\":0.250000}",
    };
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        cr_assert_not_null(memmem(out.bytes, out.size, pieces[i], strlen(pieces[i])), "%s in %.*s",
                           pieces[i], (int)out.size, (const char *)out.bytes);
}

/* ---- items ---------------------------------------------------------------------------------- */

static struct shoal_decision offer_of(const struct shoal_promotion *about)
{
    return (struct shoal_decision){.promotion = about,
                                   .policy = &policy,
                                   .prompted = NAN,
                                   .eligible = true,
                                   .expires_ms = INT64_C(1512172860000)};
}

static void ends_with(const char *text)
{
    size_t size = strlen(text);
    cr_assert(out.size >= size && memcmp(out.bytes + out.size - size, text, size) == 0, "got: %.*s",
              (int)out.size, (const char *)out.bytes);
}

Test(output, items_stand_behind_the_end_of_the_offer)
{
    struct shoal_model catalogued = {.version = "0123456789abcdef",
                                     .items = planted_items(5, 8, 16, 1)};
    struct shoal_promotion own = promotion;
    struct shoal_item_pick picks[] = {{3, 1.5f}, {0, -0.25f}};
    own.items = 2;
    struct shoal_decision decision = offer_of(&own);
    cr_assert(shoal_output_carries(&decision, &catalogued));
    cr_assert_not(shoal_output_carries(&decision, &model));
    for (int format = 0; format < 2; format++) {
        shoal_buffer_clear(&out);
        enum shoal_output_format form = format ? SHOAL_OUTPUT_MSGPACK : SHOAL_OUTPUT_JSON;
        shoal_output_decision(form, &event, &decision, &record, &catalogued, "i", &out);
        shoal_output_items(form, catalogued.items, picks, 2, &out);
        if (form == SHOAL_OUTPUT_JSON)
            ends_with(",\"expires_at\":\"2017-12-02T00:01:00.000Z\",\"items\":["
                      "{\"item\":\"3\",\"score\":1.500000},{\"item\":\"0\",\"score\":-0.250000}]}");
    }
    struct shoal_unpack reader;
    unsigned values = 0;
    shoal_unpack_init(&reader, out.bytes, out.size);
    cr_assert_eq(shoal_unpack_map(&reader, 20), 15);
    shoal_unpack_init(&reader, out.bytes, out.size);
    skip_like_json(&reader, &values);
    cr_assert(reader.position == out.size && reader.status == SHOAL_OK);
    decision.eligible = false;
    cr_assert_not(shoal_output_carries(&decision, &catalogued));
    shoal_items_destroy(catalogued.items);
}

Test(output, a_bundle_is_named_with_what_is_left_of_it)
{
    struct shoal_promotion own = promotion;
    own.bundle_count = 2;
    strcpy(own.bundle[0].id, "te\"nt");
    strcpy(own.bundle[1].id, "mat");
    own.bundle[0].hash = 7;
    own.bundle[1].hash = 8;
    record.ring[0] = (struct shoal_touch){.item = 7};
    record.ring_count = 1;
    struct shoal_decision decision = offer_of(&own);
    decision.reasons_count = 3;
    decision.reasons[0] = (struct shoal_reason){
        .condition = SHOAL_CONDITION_BUNDLE, .met = true, .value = 0, .limit = 2};
    decision.reasons[1] =
        (struct shoal_reason){.condition = SHOAL_CONDITION_BUNDLE_ITEM, .met = true, .value = 0};
    decision.reasons[2] = (struct shoal_reason){.condition = SHOAL_CONDITION_BUNDLE_ITEM,
                                                .value = (double)NAN};
    shoal_output_decision(SHOAL_OUTPUT_MSGPACK, &event, &decision, &record, &model, "i", &out);
    struct shoal_unpack reader;
    unsigned values = 0;
    shoal_unpack_init(&reader, out.bytes, out.size);
    skip_like_json(&reader, &values);
    cr_assert(reader.position == out.size && reader.status == SHOAL_OK);
    shoal_buffer_clear(&out);
    shoal_output_decision(SHOAL_OUTPUT_JSON, &event, &decision, &record, &model, "i", &out);
    ends_with(",\"bundle\":[\"te\\\"nt\",\"mat\"],\"items\":[{\"item\":\"mat\"}]}");
    const char *reasons =
        "{\"condition\":\"bundle\",\"value\":0,\"limit\":2,\"met\":true},"
        "{\"condition\":\"bundle.item\",\"value\":\"te\\\"nt\",\"limit\":[\"te\\\"nt\",\"mat\"],\"met\":true},"
        "{\"condition\":\"bundle.item\",\"value\":null,\"limit\":[\"te\\\"nt\",\"mat\"],\"met\":false}";
    cr_assert_not_null(memmem(out.bytes, out.size, reasons, strlen(reasons)));
    decision.eligible = false;
    shoal_buffer_clear(&out);
    shoal_output_decision(SHOAL_OUTPUT_JSON, &event, &decision, &record, &model, "i", &out);
    cr_assert_null(memmem(out.bytes, out.size, "\"items\"", 7));
}

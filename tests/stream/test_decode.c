/* SPDX-License-Identifier: Apache-2.0 */
#include "state/record.h"
#include "tests/stream/decoding.h"

#include <math.h>

static struct decoding d;

static void setup(void)
{
    decoding_init(&d);
}

static void teardown(void)
{
    decoding_finish(&d);
}

TestSuite(decode, .init = setup, .fini = teardown);

/* A good event in which one field can be replaced, as JSON. */
static enum shoal_status decode_with(const char *replaced, const char *json)
{
    static const char *const fields[][2] = {
        {"user_id", "\"u1\""},     {"behavior", "\"pv\""},      {"item_id", "\"i1\""},
        {"category_id", "\"c1\""}, {"timestamp", "1511539200"}, {"price", "9.99"},
        {"quantity", "2"},         {"event_id", "\"e1\""},      {"promotion_id", "\"p1\""},
        {"exposure", "\"shown\""}, {"consent_marketing", NULL}, {"consent_personalization", NULL},
        {"consent_processing", NULL},
    };
    char text[1000] = "{";
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const char *value = strcmp(fields[i][0], replaced) == 0 ? json : fields[i][1];
        size_t used = strlen(text);
        if (value)
            snprintf(text + used, sizeof text - used, "%s\"%s\":%s", used > 1 ? "," : "",
                     fields[i][0], value);
    }
    strcat(text, "}");
    return decode_text(&d, text);
}

Test(decode, all_fields_of_a_json_event_arrive)
{
    d.input.partition = 3;
    d.input.offset = 77;
    assert_status(decode_with("", NULL), SHOAL_OK);
    const struct shoal_event *event = &d.events[0];
    cr_assert_eq(d.count, 1);
    cr_assert_eq(event->partition, 3);
    cr_assert_eq(event->offset, 77);
    cr_assert_eq(event->part, 0);
    cr_assert_eq(event->user_size, 2);
    cr_assert_str_eq(event->user, "u1");
    cr_assert_eq(event->touch.time_ms, 1511539200000);
    cr_assert_eq(event->touch.item, shoal_item_hash("i1", 2));
    cr_assert_eq(event->touch.category, shoal_category_hash("c1", 2));
    cr_assert_eq(event->touch.behavior, SHOAL_PV);
    cr_assert_eq(event->touch.price_level, shoal_price_level(9.99));
    cr_assert_eq(event->price, 9.99);
    cr_assert_eq(event->quantity, 2);
    cr_assert_eq(event->promotion, shoal_promotion_hash("p1", 2));
    cr_assert_eq(event->exposure, SHOAL_EXPOSURE_SHOWN);
    cr_assert_neq(event->event_id, 0);
}

Test(decode, optional_fields_may_be_absent_null_or_empty)
{
    static const char *const optional[] = {"category_id", "price",        "quantity",
                                           "event_id",    "promotion_id", "exposure"};
    for (size_t i = 0; i < 6; i++) {
        assert_status(decode_with(optional[i], NULL), SHOAL_OK);
        assert_status(decode_with(optional[i], "null"), SHOAL_OK);
    }
    assert_status(decode_text(&d, "{\"user_id\":\"u\",\"item_id\":\"i\",\"behavior\":\"buy\","
                                  "\"timestamp\":1,\"category_id\":\"\",\"event_id\":\"\","
                                  "\"promotion_id\":\"\",\"exposure\":\"\"}"),
                  SHOAL_OK);
    cr_assert_eq(d.events[0].touch.category, 0);
    cr_assert_eq(d.events[0].touch.price_level, 0);
    cr_assert_eq(d.events[0].event_id, 0);
    cr_assert_eq(d.events[0].promotion, 0);
    cr_assert_eq(d.events[0].exposure, SHOAL_EXPOSURE_NONE);
    cr_assert(isnan(d.events[0].price));
    cr_assert(isnan(d.events[0].quantity));
}

Test(decode, required_fields_are_missed_by_name)
{
    static const char *const required[] = {"user_id", "behavior", "item_id", "timestamp"};
    for (size_t i = 0; i < 4; i++) {
        assert_status(decode_with(required[i], NULL), SHOAL_MISSING_FIELD);
        cr_assert_not_null(strstr(d.why.text, required[i]), "%s", d.why.text);
        assert_status(decode_with(required[i], "null"), SHOAL_MISSING_FIELD);
    }
}

Test(decode, integers_as_ids_are_their_text)
{
    assert_status(decode_with("user_id", "1002166"), SHOAL_OK);
    cr_assert_str_eq(d.events[0].user, "1002166");
    assert_status(decode_with("user_id", "-12345678901234567890"), SHOAL_BAD_FIELD);
    assert_status(decode_with("user_id", "18446744073709551615"), SHOAL_OK);
    cr_assert_str_eq(d.events[0].user, "18446744073709551615");
    assert_status(decode_with("user_id", "123456789012345678901"), SHOAL_BAD_FIELD);
    assert_status(decode_with("item_id", "42"), SHOAL_OK);
    uint32_t hash = d.events[0].touch.item;
    assert_status(decode_with("item_id", "\"42\""), SHOAL_OK);
    cr_assert_eq(d.events[0].touch.item, hash);
    assert_status(decode_with("category_id", "42"), SHOAL_OK);
    cr_assert_eq(d.events[0].touch.category, shoal_category_hash("42", 2));
}

Test(decode, ids_of_other_types_are_refused)
{
    static const char *const ids[] = {"user_id", "item_id", "category_id", "event_id",
                                      "promotion_id"};
    static const char *const wrong[] = {"1.0", "1e3", "true", "[]", "{}", "[\"u\"]"};
    for (size_t i = 0; i < 5; i++) {
        for (size_t j = 0; j < 6; j++) {
            assert_status(decode_with(ids[i], wrong[j]), SHOAL_BAD_FIELD);
            cr_assert_not_null(strstr(d.why.text, ids[i]), "%s", d.why.text);
        }
    }
    assert_status(decode_with("item_id", "\"\""), SHOAL_BAD_FIELD);
}

Test(decode, user_ids_are_1_to_64_bytes_of_clean_utf8)
{
    char text[80];
    memset(text, 'x', sizeof text);
    text[0] = text[65] = '"';
    text[66] = '\0';
    assert_status(decode_with("user_id", text), SHOAL_OK);
    cr_assert_eq(d.events[0].user_size, 64);
    cr_assert_eq(strlen(d.events[0].user), 64);
    text[65] = 'x';
    text[66] = '"';
    text[67] = '\0';
    assert_status(decode_with("user_id", text), SHOAL_BAD_USER);
    assert_status(decode_with("user_id", "\"\""), SHOAL_BAD_USER);
    assert_status(decode_with("user_id", "\"a\\u0000b\""), SHOAL_BAD_USER);
    assert_status(decode_with("user_id", "\"a\\nb\""), SHOAL_BAD_USER);
    assert_status(decode_with("user_id", "\"\\ud800\""), SHOAL_BAD_USER);
    assert_status(decode_with("user_id", "\"\xc3(\""), SHOAL_BAD_USER);
    assert_status(decode_with("user_id", "\"\xed\xa0\x80\""), SHOAL_BAD_USER);
    assert_status(decode_with("user_id", "\"\xf0\x82\x82\xac\""), SHOAL_BAD_USER);
    assert_status(decode_with("user_id", "\"caf\xc3\xa9 \xf0\x9f\x90\x9f\""), SHOAL_OK);
    cr_assert_str_eq(d.events[0].user, "caf\xc3\xa9 \xf0\x9f\x90\x9f");
}

Test(decode, behaviors_have_many_names)
{
    static const struct {
        const char *json;
        enum shoal_behavior behavior;
    } names[] = {
        {"\"pv\"", SHOAL_PV},
        {"\"view\"", SHOAL_PV},
        {"\"1\"", SHOAL_PV},
        {"1", SHOAL_PV},
        {"\"cart\"", SHOAL_CART},
        {"\"addtocart\"", SHOAL_CART},
        {"\"add_to_cart\"", SHOAL_CART},
        {"3", SHOAL_CART},
        {"\"fav\"", SHOAL_FAV},
        {"2", SHOAL_FAV},
        {"\"favorite\"", SHOAL_FAV},
        {"\"wishlist\"", SHOAL_FAV},
        {"\"buy\"", SHOAL_BUY},
        {"\"purchase\"", SHOAL_BUY},
        {"4", SHOAL_BUY},
        {"\"transaction\"", SHOAL_BUY},
        {"\"4\"", SHOAL_BUY},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_status(decode_with("behavior", names[i].json), SHOAL_OK);
        cr_assert_eq(d.events[0].touch.behavior, names[i].behavior, "%s", names[i].json);
    }
    static const char *const unknown[] = {"\"remove_from_cart\"",
                                          "\"PV\"",
                                          "\"\"",
                                          "0",
                                          "5",
                                          "1.0",
                                          "true",
                                          "\"pvx\"",
                                          "\"p\"",
                                          "{}"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        assert_status(decode_with("behavior", unknown[i]), SHOAL_BAD_BEHAVIOR);
}

Test(decode, timestamps_are_seconds_milliseconds_or_text)
{
    static const struct {
        const char *json;
        int64_t time_ms;
    } times[] = {
        {"1511539200", 1511539200000},
        {"1511539200123", 1511539200123},
        {"1511539200.25", 1511539200250},
        {"1.5115392e9", 1511539200000},
        {"\"1511539200\"", 1511539200000},
        {"\"1511539200123\"", 1511539200123},
        {"\"2017-11-24T16:00:00Z\"", 1511539200000},
        {"\"2017-11-25T00:00:00.5+08:00\"", 1511539200500},
        {"\"2017-11-24 16:00:00 UTC\"", 1511539200000},
        {"0", 0},
        {"253402300799999", 253402300799999},
    };
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        assert_status(decode_with("timestamp", times[i].json), SHOAL_OK);
        cr_assert_eq(d.events[0].touch.time_ms, times[i].time_ms, "%s", times[i].json);
    }
    static const char *const wrong[] = {"\"yesterday\"",
                                        "-1",
                                        "\"\"",
                                        "true",
                                        "{}",
                                        "[1]",
                                        "253402300800000",
                                        "1e400",
                                        "\"NaN\"",
                                        "\"2017-13-01\"",
                                        "1511539200123456"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_status(decode_with("timestamp", wrong[i]), SHOAL_BAD_TIMESTAMP);
    assert_status(decode_with("timestamp", "\"yesterday\""), SHOAL_BAD_TIMESTAMP);
    cr_assert_str_eq(d.why.text, "field 'timestamp': 'yesterday' is not a time");
}

Test(decode, prices_and_quantities_are_numbers_that_are_not_negative)
{
    static const char *const amounts[] = {"price", "quantity"};
    static const char *const wrong[] = {"-1",    "-0.01",     "\"cheap\"", "true",
                                        "[]",    "\"12,50\"", "\"nan\"",   "\"inf\"",
                                        "1e999", "\"0x10\"",  "\"\""};
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < sizeof wrong / sizeof wrong[0]; j++) {
            assert_status(decode_with(amounts[i], wrong[j]), SHOAL_BAD_FIELD);
            cr_assert_not_null(strstr(d.why.text, amounts[i]), "%s", d.why.text);
        }
    }
    assert_status(decode_with("price", "\"12.50\""), SHOAL_OK);
    cr_assert_eq(d.events[0].price, 12.5);
    assert_status(decode_with("price", "0"), SHOAL_OK);
    cr_assert_eq(d.events[0].price, 0);
    cr_assert_eq(d.events[0].touch.price_level, 0);
}

Test(decode, long_event_and_promotion_ids_are_refused)
{
    char text[80];
    memset(text, 'x', sizeof text);
    text[0] = text[65] = '"';
    text[66] = '\0';
    assert_status(decode_with("event_id", text), SHOAL_OK);
    assert_status(decode_with("promotion_id", text), SHOAL_OK);
    text[65] = 'x';
    text[66] = '"';
    text[67] = '\0';
    assert_status(decode_with("event_id", text), SHOAL_BAD_FIELD);
    assert_status(decode_with("promotion_id", text), SHOAL_BAD_FIELD);
}

Test(decode, exposures_are_three_words)
{
    assert_status(decode_with("exposure", "\"clicked\""), SHOAL_OK);
    cr_assert_eq(d.events[0].exposure, SHOAL_EXPOSURE_CLICKED);
    assert_status(decode_with("exposure", "\"redeemed\""), SHOAL_OK);
    cr_assert_eq(d.events[0].exposure, SHOAL_EXPOSURE_REDEEMED);
    assert_status(decode_with("exposure", "\"seen\""), SHOAL_BAD_FIELD);
    assert_status(decode_with("exposure", "1"), SHOAL_BAD_FIELD);
    assert_status(decode_with("exposure", "true"), SHOAL_BAD_FIELD);
}

Test(decode, equal_event_ids_have_equal_hashes_and_others_do_not)
{
    assert_status(decode_with("event_id", "\"e1\""), SHOAL_OK);
    uint64_t hash = d.events[0].event_id;
    assert_status(decode_with("event_id", "\"\\u00651\""), SHOAL_OK);
    cr_assert_eq(d.events[0].event_id, hash);
    assert_status(decode_with("event_id", "\"e2\""), SHOAL_OK);
    cr_assert_neq(d.events[0].event_id, hash);
}

Test(decode, the_message_key_must_be_the_user_id)
{
    d.input.key = "u1";
    d.input.key_size = 2;
    assert_status(decode_with("", NULL), SHOAL_OK);
    d.input.key_size = 1;
    assert_status(decode_with("", NULL), SHOAL_KEY_MISMATCH);
    d.input.key = "u2";
    d.input.key_size = 2;
    assert_status(decode_with("", NULL), SHOAL_KEY_MISMATCH);
    cr_assert_str_eq(d.why.text, "message key 'u2', user id 'u1'");
    d.input.key = "7";
    d.input.key_size = 1;
    assert_status(decode_with("user_id", "7"), SHOAL_OK);
    d.input.key = "";
    d.input.key_size = 0;
    assert_status(decode_with("", NULL), SHOAL_OK);
}

Test(decode, events_too_far_after_their_record_are_refused)
{
    d.input.timestamp_ms = 1511539200000 - 86400000;
    assert_status(decode_with("", NULL), SHOAL_OK);
    d.input.timestamp_ms--;
    assert_status(decode_with("", NULL), SHOAL_FUTURE_EVENT);
    cr_assert_not_null(strstr(d.why.text, "2017-11-24T16:00:00.000Z"), "%s", d.why.text);
    d.input.timestamp_ms = -1;
    assert_status(decode_with("", NULL), SHOAL_OK);
}

Test(decode, what_is_neither_json_nor_msgpack_is_refused)
{
    static const char *const texts[] = {
        "", " ", "1", "[]", "\"text\"", "u,i,c,pv,1", "null", "\xef\xbb\xbf{}", "\x90", "\xdc"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_status(decode_text(&d, texts[i]), SHOAL_BAD_FORMAT);
}

Test(decode, a_message_over_the_limit_is_too_large)
{
    size_t size = (1 << 20) + 1;
    char *big = malloc(size);
    memset(big, ' ', size);
    const char *event = "{\"user_id\":\"u\",\"item_id\":\"i\",\"behavior\":\"pv\",\"timestamp\":1}";
    memcpy(big, event, strlen(event));
    assert_status(decode_bytes(&d, big, size - 1), SHOAL_OK);
    assert_status(decode_bytes(&d, big, size), SHOAL_TOO_LARGE);
    free(big);
}

Test(decode, words_are_optional)
{
    size_t count;
    struct shoal_input input = {.timestamp_ms = -1, .value = "{", .value_size = 1};
    cr_assert_eq(shoal_decode(d.decoder, &input, &d.arena, d.events, &count, NULL), SHOAL_BAD_JSON);
}

Test(decode, senseless_options_are_refused)
{
    struct shoal_decoder *decoder;
    struct shoal_decode_options options = shoal_decode_options_default();
    options.max_future_ms = -1;
    cr_assert_eq(shoal_decoder_create(&options, &decoder), SHOAL_INVALID);
    cr_assert_null(decoder);
    options = shoal_decode_options_default();
    options.max_value_bytes = (size_t)1 << 40;
    cr_assert_eq(shoal_decoder_create(&options, &decoder), SHOAL_INVALID);
}

Test(decode, consent_is_given_withdrawn_or_not_spoken_of)
{
    assert_status(decode_with("", NULL), SHOAL_OK);
    cr_assert_eq(d.events[0].consent_given, 0);
    cr_assert_eq(d.events[0].consent_withdrawn, 0);
    static const char *const yes[] = {"true", "1", "\"true\"", "\"1\""};
    static const char *const no[] = {"false", "0", "\"false\"", "\"0\""};
    static const char *const nothing[] = {"null", "\"\""};
    static const char *const wrong[] = {"2", "-1", "1.0", "\"yes\"", "[true]", "{}"};
    for (size_t i = 0; i < 4; i++) {
        assert_status(decode_with("consent_marketing", yes[i]), SHOAL_OK);
        cr_assert_eq(d.events[0].consent_given, SHOAL_CONSENT_MARKETING);
        cr_assert_eq(d.events[0].consent_withdrawn, 0);
        assert_status(decode_with("consent_personalization", no[i]), SHOAL_OK);
        cr_assert_eq(d.events[0].consent_given, 0);
        cr_assert_eq(d.events[0].consent_withdrawn, SHOAL_CONSENT_PERSONALIZATION);
        assert_status(decode_with("consent_processing", no[i]), SHOAL_OK);
        cr_assert_eq(d.events[0].consent_given, 0);
        cr_assert_eq(d.events[0].consent_withdrawn, SHOAL_CONSENT_PROCESSING);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_status(decode_with("consent_marketing", nothing[i]), SHOAL_OK);
        cr_assert_eq(d.events[0].consent_given | d.events[0].consent_withdrawn, 0);
    }
    for (size_t i = 0; i < 6; i++) {
        assert_status(decode_with("consent_marketing", wrong[i]), SHOAL_BAD_FIELD);
        cr_assert_not_null(strstr(d.why.text, "consent_marketing"), "%s", d.why.text);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar: what is JSON is read, what is not is refused as such. */
#include "tests/stream/decoding.h"

static struct decoding d;

static void setup(void)
{
    decoding_init(&d);
}

static void teardown(void)
{
    decoding_finish(&d);
}

TestSuite(decode_json, .init = setup, .fini = teardown);

#define REQUIRED "\"user_id\":\"u\",\"item_id\":\"i\",\"behavior\":\"pv\",\"timestamp\":1511539200"

/* A good event with something more in it. */
static enum shoal_status decode_more(const char *more)
{
    char text[2000];
    snprintf(text, sizeof text, "{" REQUIRED "%s}", more);
    return decode_text(&d, text);
}

Test(decode_json, space_may_stand_wherever_the_grammar_has_it)
{
    assert_status(decode_text(&d, " \t\r\n{ \"user_id\" :\n\"u\" ,\"item_id\":\t\"i\",\r"
                                  "\"behavior\": \"pv\", \"timestamp\" : 5 } \n"),
                  SHOAL_OK);
    cr_assert_eq(d.events[0].touch.time_ms, 5000);
}

Test(decode_json, unknown_fields_of_every_kind_are_ignored)
{
    static const char *const more[] = {
        ",\"x\":null",
        ",\"x\":true,\"y\":false",
        ",\"x\":-0.5e-10",
        ",\"x\":[]",
        ",\"x\":{}",
        ",\"x\":[1,[2,[3,{\"user_id\":\"other\"}]],\"\"]",
        ",\"x\":{\"user_id\":\"other\",\"timestamp\":\"never\"}",
        ",\"\":1",
        ",\"x\":\"\\u0000\\ud800\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        ",\"properties\":{\"products\":7,\"price\":[]}",
        ",\"properties\":3",
    };
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        assert_status(decode_more(more[i]), SHOAL_OK);
        cr_assert_str_eq(d.events[0].user, "u");
    }
}

Test(decode_json, escapes_are_read_in_keys_and_values)
{
    assert_status(decode_text(&d, "{\"user\\u005Fid\":\"a\\\"\\\\\\/\\u00e9\\u20AC\\ud83d\\uDC1F\","
                                  "\"item_id\":\"\\u0069\",\"behavior\":\"\\u0070v\","
                                  "\"timestamp\":\"\\u0031\"}"),
                  SHOAL_OK);
    cr_assert_str_eq(d.events[0].user, "a\"\\/\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x9f");
    cr_assert_eq(d.events[0].touch.item, shoal_item_hash("i", 1));
    cr_assert_eq(d.events[0].touch.time_ms, 1000);
}

Test(decode_json, the_last_of_two_equal_keys_wins)
{
    assert_status(decode_more(",\"user_id\":\"second\""), SHOAL_OK);
    cr_assert_str_eq(d.events[0].user, "second");
    assert_status(decode_more(",\"user_id\":null"), SHOAL_MISSING_FIELD);
    assert_status(decode_more(",\"behavior\":\"buy\",\"behavior\":7"), SHOAL_BAD_BEHAVIOR);
}

Test(decode_json, what_is_not_json_is_refused)
{
    static const char *const texts[] = {
        "{",
        "{}}",
        "{} {}",
        "{}x",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{\"a\"::1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1,,\"b\":2}",
        "{\"a\":1;\"b\":2}",
        "{a:1}",
        "{'a':1}",
        "{1:1}",
        "{\"a\":tru}",
        "{\"a\":True}",
        "{\"a\":nul}",
        "{\"a\":nulll}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":01}",
        "{\"a\":-}",
        "{\"a\":+1}",
        "{\"a\":.5}",
        "{\"a\":5.}",
        "{\"a\":1e}",
        "{\"a\":1e+}",
        "{\"a\":1-2}",
        "{\"a\":0x10}",
        "{\"a\":[}",
        "{\"a\":[1,]}",
        "{\"a\":[,1]}",
        "{\"a\":[1 2]}",
        "{\"a\":[1}",
        "{\"a\":{]}",
        "{\"a\":\"}",
        "{\"a\":\"\\\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\\u\"}",
        "{\"a\":\"\t\"}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\x01\"}",
        "{\"a\":\"\xff\"}",
        "{\"a\":\"\xc0\x80\"}",
        "{\"a\":\"\xf5\x80\x80\x80\"}",
        "{\"\xe9\":1}",
        "{\"a\":1}\xc2\xa0",
        "{\"a\":1\f}",
        "{\"a\":1 // no\n}",
        "{/**/}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        enum shoal_status status = decode_text(&d, texts[i]);
        cr_assert_eq(status, SHOAL_BAD_JSON, "%s: %s", texts[i], shoal_status_code(status));
    }
    static const char with_zero[] = "{" REQUIRED "}\0";
    assert_status(decode_bytes(&d, with_zero, sizeof with_zero - 2), SHOAL_OK);
    assert_status(decode_bytes(&d, with_zero, sizeof with_zero - 1), SHOAL_BAD_JSON);
    static const char in_string[] = "{\"a\":\"\\\0\"," REQUIRED "}";
    assert_status(decode_bytes(&d, in_string, sizeof in_string - 1), SHOAL_BAD_JSON);
}

Test(decode_json, every_beginning_of_an_event_is_refused)
{
    static const char text[] = "{" REQUIRED ",\"x\":[{\"y\":-1.5e3},true,\"\\u00e9\xc3\xa9\"]}";
    for (size_t size = 1; size < sizeof text - 1; size++)
        assert_status(decode_bytes(&d, text, size), SHOAL_BAD_JSON);
    assert_status(decode_bytes(&d, text, sizeof text - 1), SHOAL_OK);
}

Test(decode_json, nesting_is_bounded)
{
    char more[200] = ",\"x\":";
    size_t head = strlen(more);
    memset(more + head, '[', 31);
    memset(more + head + 31, ']', 31);
    assert_status(decode_more(more), SHOAL_OK);
    memset(more + head, '[', 32);
    memset(more + head + 32, ']', 32);
    assert_status(decode_more(more), SHOAL_BAD_JSON);
    cr_assert_not_null(strstr(d.why.text, "nested"), "%s", d.why.text);
}

Test(decode_json, hostile_messages_take_linear_time)
{
    size_t size = 1 << 20;
    char *big = malloc(size);
    memset(big, '[', size);
    memcpy(big, "{\"x\":", 5);
    assert_status(decode_bytes(&d, big, size), SHOAL_BAD_JSON);
    for (size_t i = 0; i + 3 <= size; i += 3)
        memcpy(big + i, "[],", 3);
    memcpy(big, "{\"x\":[", 6);
    assert_status(decode_bytes(&d, big, size), SHOAL_BAD_JSON);
    memset(big, '\\', size);
    memcpy(big, "{\"x\":\"", 6);
    memcpy(big + size - 2, "\"}", 2);
    assert_status(decode_bytes(&d, big, size), SHOAL_MISSING_FIELD);
    free(big);
}

Test(decode_json, refusals_show_printable_and_bounded_values)
{
    char more[600] = ",\"timestamp\":\"";
    size_t head = strlen(more);
    memset(more + head, 'y', 500);
    more[head] = '\x7f';
    strcpy(more + head + 500, "\"");
    assert_status(decode_more(more), SHOAL_BAD_TIMESTAMP);
    cr_assert_lt(strlen(d.why.text), 120);
    cr_assert_not_null(strstr(d.why.text, "'?yyy"), "%s", d.why.text);
    cr_assert_not_null(strstr(d.why.text, "...'"), "%s", d.why.text);
}

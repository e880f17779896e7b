/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "stream/forget.h"

static bool parse(const char *text, char user[SHOAL_USER_MAX + 1], size_t *size)
{
    return shoal_forget_parse(text, strlen(text), user, size);
}

Test(forget, what_is_printed_is_parsed)
{
    char longest[SHOAL_USER_MAX + 1];
    memset(longest, '"', SHOAL_USER_MAX);
    longest[SHOAL_USER_MAX] = '\0';
    const char *const users[] = {"1", "4711", "a b", "\"", "\\", "\\\"\\", "Jürgen", "用户", "{}", longest};
    for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
        char text[SHOAL_FORGET_BYTES], user[SHOAL_USER_MAX + 1];
        size_t back, size = shoal_forget_print(users[i], strlen(users[i]), text);
        cr_assert_gt(size, 0);
        cr_assert_lt(size, SHOAL_FORGET_BYTES);
        cr_assert_eq(text[size], '\0');
        cr_assert(shoal_forget_parse(text, size, user, &back), "%s", text);
        cr_assert_eq(back, strlen(users[i]));
        cr_assert_str_eq(user, users[i]);
    }
}

Test(forget, the_message_is_as_the_header_shows_it)
{
    char text[SHOAL_FORGET_BYTES];
    (void)shoal_forget_print("4711", 4, text);
    cr_assert_str_eq(text, "{\"shoal_forget\":\"4711\"}");
    (void)shoal_forget_print("a\"b\\c", 5, text);
    cr_assert_str_eq(text, "{\"shoal_forget\":\"a\\\"b\\\\c\"}");
}

Test(forget, what_can_be_no_user_id_is_not_printed)
{
    char text[SHOAL_FORGET_BYTES], longer[SHOAL_USER_MAX + 1];
    memset(longer, 'a', sizeof longer);
    cr_assert_eq(shoal_forget_print("", 0, text), 0);
    cr_assert_eq(shoal_forget_print("a\nb", 3, text), 0);
    cr_assert_eq(shoal_forget_print("a\0b", 3, text), 0);
    cr_assert_eq(shoal_forget_print("\xff", 1, text), 0);
    cr_assert_eq(shoal_forget_print(longer, sizeof longer, text), 0);
}

Test(forget, anything_else_is_no_such_message)
{
    static const char *const others[] = {
        "",
        "{}",
        "{\"shoal_forget\":\"",
        "{\"shoal_forget\":\"\"}",
        "{\"shoal_forget\":\"\\\"}",
        "{\"shoal_forget\":\"a\\\"}",
        "{\"shoal_forget\":\"a\"b\"}",
        "{\"shoal_forget\":\"\\a\"}",
        "{\"shoal_forget\":\"a\nb\"}",
        "{\"shoal_forget\":\"\xff\"}",
        "{\"shoal_forget\":1}",
        "{\"shoal_forget\":\"\\u006\"}",
        "{\"shoal_forget\":\"\\ud800\"}",
        "{\"shoal_forget\":\"\\u0000\"}",
        "{\"shoal_forget\":\"a\\n\"}",
        "{\"shoal_forget\":\"\\",
        "{\"shoal_forget\":\"1\"}}",
        "[{\"shoal_forget\":\"1\"}]",
        "{\"shoal_forget\" \"1\"  }",
        "{\"shoal_forget\":\"1\"",
        "{\"shoal_forgot\":\"1\"}",
        "{\"shoal_forget\":\"1\",\"user_id\":\"1\"}",
        "{\"shoal_forget\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
    };
    char user[SHOAL_USER_MAX + 1];
    size_t size;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cr_assert_not(parse(others[i], user, &size), "%s", others[i]);
    cr_assert_not(shoal_forget_parse(NULL, 0, user, &size), "a message without a value");
}

/* As other programs write JSON. */
Test(forget, it_may_be_written_in_any_way)
{
    static const struct {
        const char *text, *user;
    } ways[] = {
        {"{\"shoal_forget\": \"4711\"}", "4711"},
        {" \r\n\t{ \"shoal_forget\" : \"4711\" } \n", "4711"},
        {"{\"shoal_forget\":\"caf\\u00e9\"}", "caf\xc3\xa9"},
        {"{\"shoal_forget\":\"\\ud83d\\ude00\"}", "\xf0\x9f\x98\x80"},
        {"{\"shoal_forget\":\"a\\/b\"}", "a/b"},
    };
    char user[SHOAL_USER_MAX + 1], longest[7 * SHOAL_USER_MAX + 32];
    size_t size;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        cr_assert(parse(ways[i].text, user, &size), "%s", ways[i].text);
        cr_assert_str_eq(user, ways[i].user);
        cr_assert_eq(size, strlen(user));
    }
    strcpy(longest, "{\"shoal_forget\":\"");
    for (int i = 0; i < SHOAL_USER_MAX; i++)
        strcat(longest, "\\u0061");
    char *end = longest + strlen(longest);
    strcpy(end, "\"}");
    cr_assert(parse(longest, user, &size));
    cr_assert_eq(size, SHOAL_USER_MAX);
    strcpy(end, "a\"}");
    cr_assert_not(parse(longest, user, &size));
}

/* In memory of its own size, for the address sanitizer. */
Test(forget, every_cut_and_every_flipped_bit_is_refused_or_another_user)
{
    char text[SHOAL_FORGET_BYTES], again[SHOAL_FORGET_BYTES], user[SHOAL_USER_MAX + 1];
    size_t size = shoal_forget_print("4711\"\\x", 7, text), back, others = 0;
    for (size_t cut = 1; cut < size; cut++) {
        char *bytes = malloc(cut);
        memcpy(bytes, text, cut);
        cr_assert_not(shoal_forget_parse(bytes, cut, user, &back));
        free(bytes);
    }
    for (size_t bit = 0; bit < 8 * size; bit++) {
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
        if (shoal_forget_parse(text, size, user, &back)) {
            size_t most = shoal_forget_print(user, back, again);
            others++;
            cr_assert(most == size || most == size - 1, "an escape may have come about: %s", text);
        }
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
    }
    cr_assert_gt(others, 10);
}

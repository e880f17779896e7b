/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/event_fields.h"

Test(event_values, numbers_are_correctly_rounded)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "1",
        "9.99",
        "292.83",
        "0.1",
        "1e22",
        "1e-22",
        "123456789012345678",
        "9007199254740993",
        "0.30000000000000004",
        "1.7976931348623157e308",
        "5e-324",
        "2.2250738585072014e-308",
        "1e23",
        "8.5e-7",
        "000123.4500",
        "1E+5",
        "12345678901234567890123",
        "0.000000000000000000000000000000000000001234",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        double number = -1;
        cr_assert(shoal_number_parse(texts[i], strlen(texts[i]), &number), "%s", texts[i]);
        cr_assert_eq(number, strtod(texts[i], NULL), "%s: %.17g", texts[i], number);
    }
}

Test(event_values, numbers_agree_with_the_library_on_random_decimals)
{
    unsigned seed = 1;
    for (int i = 0; i < 100000; i++) {
        char text[64];
        int whole = rand_r(&seed), fraction = rand_r(&seed);
        snprintf(text, sizeof text, "%d.%0*d%s", whole % 100000, 1 + i % 9, fraction % 10,
                 i % 3   ? ""
                 : i % 2 ? "e5"
                         : "e-12");
        double number;
        cr_assert(shoal_number_parse(text, strlen(text), &number));
        cr_assert_eq(number, strtod(text, NULL), "%s: %.17g", text, number);
    }
}

Test(event_values, what_is_no_finite_number_is_refused)
{
    static const char *const texts[] = {"",       "-",     ".",   "1.",  ".5",    "1e",  "1e+",
                                        "+1",     " 1",    "1 ",  "0x1", "nan",   "inf", "1e999",
                                        "-1e999", "1_000", "1,5", "--1", "1e5.5", "1ee5"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        double number;
        cr_assert(!shoal_number_parse(texts[i], strlen(texts[i]), &number), "%s", texts[i]);
    }
    char digits[600];
    memset(digits, '1', sizeof digits);
    double number;
    cr_assert(!shoal_number_parse(digits, sizeof digits, &number));
}

Test(event_values, utf8_is_checked_to_the_letter)
{
    static const struct {
        const char *text;
        bool is_valid;
    } cases[] = {
        {"", true},
        {"plain", true},
        {"\xc2\x80", true},
        {"\xdf\xbf", true},
        {"\xe0\xa0\x80", true},
        {"\xed\x9f\xbf", true},
        {"\xee\x80\x80", true},
        {"\xf0\x90\x80\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\x80", false},
        {"\xc0\xaf", false},
        {"\xc1\xbf", false},
        {"\xc2", false},
        {"\xe0\x9f\xbf", false},
        {"\xe2\x82", false},
        {"\xed\xa0\x80", false},
        {"\xf0\x8f\xbf\xbf", false},
        {"\xf4\x90\x80\x80", false},
        {"\xf5\x80\x80\x80", false},
        {"\xff", false},
        {"ok\xe2\x28\xa1", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_assert_eq(shoal_text_is_utf8(cases[i].text, strlen(cases[i].text)), cases[i].is_valid,
                     "case %zu", i);
}

Test(event_values, hashes_of_categories_and_promotions_are_never_zero)
{
    bool seen_zero_bits = false;
    for (int i = 0; i < 300000; i++) {
        char text[16];
        size_t size = (size_t)snprintf(text, sizeof text, "%d", i);
        cr_assert_neq(shoal_category_hash(text, size), 0);
        seen_zero_bits |= (shoal_item_hash(text, size) & 0xffff) == 0;
    }
    cr_assert(seen_zero_bits, "the case must have been met");
    cr_assert_neq(shoal_promotion_hash("spring", 6), 0);
}

Test(event_values, hashes_stay_what_they_are)
{
    /* They stand in model files and records: a change here breaks all of them. */
    cr_assert_eq(shoal_item_hash("1464116", 7), 0x632a08e6u);
    cr_assert_eq(shoal_category_hash("1464116", 7), (uint16_t)0x632a08e6u);
}

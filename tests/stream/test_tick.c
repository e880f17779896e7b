/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "state/record.h"
#include "stream/tick.h"

static bool parse(const char *text, int64_t *time_ms)
{
    return shoal_tick_parse(text, strlen(text), time_ms);
}

Test(tick, what_is_printed_is_parsed)
{
    const int64_t times[] = {0, 1, 9, 10, 999, INT64_C(1512000000000), SHOAL_TIME_MAX_MS - 1,
                             SHOAL_TIME_MAX_MS};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char text[SHOAL_TICK_BYTES];
        int64_t back = -1;
        size_t size = shoal_tick_print(times[i], text);
        cr_assert_lt(size, SHOAL_TICK_BYTES);
        cr_assert_eq(text[size], '\0');
        cr_assert(shoal_tick_parse(text, size, &back));
        cr_assert_eq(back, times[i]);
    }
}

Test(tick, the_message_is_as_the_header_shows_it)
{
    char text[SHOAL_TICK_BYTES];
    (void)shoal_tick_print(1512000000000, text);
    cr_assert_str_eq(text, "{\"shoal_tick\":1512000000000}");
}

Test(tick, anything_that_print_would_not_have_written_is_no_tick)
{
    static const char *const others[] = {
        "",
        "{}",
        "{\"shoal_tick\":",
        "{\"shoal_tick\":}",
        "{\"shoal_tick\":1",
        "{\"shoal_tick\":1}}",
        "{\"shoal_tick\":1} ",
        "{\"shoal_tick\": 1}",
        " {\"shoal_tick\":1}",
        "{\"shoal_tick\":01}",
        "{\"shoal_tick\":00}",
        "{\"shoal_tick\":+1}",
        "{\"shoal_tick\":-1}",
        "{\"shoal_tick\":1.0}",
        "{\"shoal_tick\":1e3}",
        "{\"shoal_tick\":\"1\"}",
        "{\"shoal_tick\":1]",
        "{\"shoal_tock\":1}",
        "{\"shoal_tick\":253402300800000}", /* the year 10000 */
        "{\"shoal_tick\":9223372036854775807}",
        "{\"shoal_tick\":9223372036854775808}",
        "{\"shoal_tick\":18446744073709551617}", /* 1, if it wrapped */
        "{\"shoal_tick\":99999999999999999999999999999999}",
        "{\"shoal_tick\":1512000000000,\"user_id\":\"u\"}",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        int64_t time_ms;
        cr_assert_not(parse(others[i], &time_ms), "%s", others[i]);
    }
    int64_t time_ms;
    cr_assert_not(shoal_tick_parse(NULL, 0, &time_ms), "a message without a value");
}

/* In memory of its own size, for the address sanitizer. */
Test(tick, every_cut_and_every_flipped_bit_is_refused_or_another_tick)
{
    char text[SHOAL_TICK_BYTES], again[SHOAL_TICK_BYTES];
    size_t size = shoal_tick_print(1512000000000, text), other_times = 0;
    int64_t time_ms;
    for (size_t cut = 1; cut < size; cut++) {
        char *bytes = malloc(cut);
        memcpy(bytes, text, cut);
        cr_assert_not(shoal_tick_parse(bytes, cut, &time_ms));
        free(bytes);
    }
    for (size_t bit = 0; bit < 8 * size; bit++) {
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
        if (shoal_tick_parse(text, size, &time_ms)) {
            other_times++;
            cr_assert_eq(shoal_tick_print(time_ms, again), size);
            cr_assert_eq(memcmp(text, again, size), 0);
        }
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
    }
    cr_assert_gt(other_times, 10, "digits that became other digits");
}

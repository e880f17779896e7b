/* SPDX-License-Identifier: Apache-2.0 */
/* Histories of swaps: what they answer, their text, and files of them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream/swaps.h"

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void append(struct shoal_swaps *swaps, int64_t offset, uint64_t model)
{
    cr_assert_eq(shoal_swaps_append(swaps, offset, model, 0), SHOAL_OK);
}

static uint64_t model_at(const struct shoal_swaps *swaps, int64_t offset)
{
    return swaps->list[shoal_swaps_find(swaps, offset)].model;
}

static struct shoal_swaps random_swaps(uint64_t *seed, size_t count)
{
    struct shoal_swaps swaps = {0};
    int64_t offset = 0;
    for (size_t i = 0; i < count; i++) {
        offset += (int64_t)(next_random(seed) >> (20 + next_random(seed) % 44)) % 1000000000000;
        cr_assert_eq(shoal_swaps_append(&swaps, offset, next_random(seed) % 5 + 1,
                                        next_random(seed) % 3),
                     SHOAL_OK);
    }
    return swaps;
}

Test(swaps, the_model_of_an_offset_is_that_of_the_last_swap_not_above_it)
{
    struct shoal_swaps swaps = {0};
    append(&swaps, 10, 1);
    append(&swaps, 20, 2);
    append(&swaps, 30, 1);
    cr_assert_eq(model_at(&swaps, 0), 1, "before the first one, the first one's");
    cr_assert_eq(model_at(&swaps, 19), 1);
    cr_assert_eq(model_at(&swaps, 20), 2);
    cr_assert_eq(model_at(&swaps, 29), 2);
    cr_assert_eq(model_at(&swaps, 30), 1);
    cr_assert_eq(model_at(&swaps, INT64_MAX), 1);
    cr_assert_eq(shoal_swaps_until(&swaps, 0), 20);
    cr_assert_eq(shoal_swaps_until(&swaps, 2), INT64_MAX);
    cr_assert_eq(shoal_swaps_last(&swaps).model, 1);
    shoal_swaps_finish(&swaps);
    cr_assert_eq(shoal_swaps_last(&swaps).model, 0);
}

Test(swaps, a_swap_to_the_same_model_is_none_and_one_that_goes_back_is_refused)
{
    struct shoal_swaps swaps = {0};
    append(&swaps, 10, 1);
    append(&swaps, 15, 1);
    cr_assert_eq(swaps.count, 1);
    cr_assert_eq(shoal_swaps_append(&swaps, 9, 2, 0), SHOAL_INVALID);
    cr_assert_eq(shoal_swaps_append(&swaps, -1, 2, 0), SHOAL_INVALID);
    cr_assert_eq(shoal_swaps_append(&swaps, 20, 0, 0), SHOAL_INVALID);
    append(&swaps, 10, 2);
    cr_assert_eq(model_at(&swaps, 10), 2, "the last swap at an offset holds");
    shoal_swaps_finish(&swaps);
}

Test(swaps, trimming_and_cutting_change_no_answer_that_is_still_asked_for)
{
    uint64_t seed = 3;
    for (int round = 0; round < 300; round++) {
        struct shoal_swaps swaps = random_swaps(&seed, next_random(&seed) % 20 + 1);
        struct shoal_swaps trimmed = {0};
        int64_t end = swaps.list[swaps.count - 1].offset + 2;
        int64_t low = (int64_t)(next_random(&seed) % (uint64_t)end);
        for (size_t i = 0; i < swaps.count; i++)
            cr_assert_eq(shoal_swaps_append(&trimmed, swaps.list[i].offset, swaps.list[i].model,
                                            swaps.list[i].policy),
                         SHOAL_OK);
        shoal_swaps_trim(&trimmed, low);
        cr_assert(trimmed.count == 1 || trimmed.list[1].offset > low);
        for (int i = 0; i < 50; i++) {
            int64_t offset = low + (int64_t)(next_random(&seed) % (uint64_t)end);
            cr_assert_eq(model_at(&trimmed, offset), model_at(&swaps, offset));
        }
        shoal_swaps_cut(&trimmed, low);
        for (size_t i = 0; i < trimmed.count; i++)
            cr_assert_leq(trimmed.list[i].offset, low);
        cr_assert(trimmed.count == 0 || model_at(&trimmed, low) == model_at(&swaps, low));
        shoal_swaps_finish(&trimmed);
        shoal_swaps_finish(&swaps);
    }
}

Test(swaps, text_is_read_back_as_it_was_written)
{
    uint64_t seed = 9;
    char text[SHOAL_SWAPS_BYTES + 1], again[SHOAL_SWAPS_BYTES + 1];
    for (int round = 0; round < 300; round++) {
        struct shoal_swaps swaps = random_swaps(&seed, next_random(&seed) % 60), read = {0};
        cr_assert_eq(shoal_swaps_print(&swaps, text), 0);
        cr_assert_eq(shoal_swaps_parse(text, strlen(text), &read), SHOAL_OK, "%s", text);
        cr_assert_eq(read.count, swaps.count);
        for (size_t i = 0; i < read.count; i++) {
            cr_assert_eq(read.list[i].offset, swaps.list[i].offset);
            cr_assert_eq(read.list[i].model, swaps.list[i].model);
            cr_assert_eq(read.list[i].policy, swaps.list[i].policy);
        }
        shoal_swaps_print(&read, again);
        cr_assert_str_eq(again, text);
        shoal_swaps_finish(&read);
        shoal_swaps_finish(&swaps);
    }
    struct shoal_swaps known = {0};
    append(&known, 0, 0x35d1367cb6474c);
    cr_assert_eq(shoal_swaps_append(&known, 81250, UINT64_MAX, 0xab), SHOAL_OK);
    shoal_swaps_print(&known, text);
    cr_assert_str_eq(text, "m2 0035d1367cb6474c+0000000000000000@0 "
                           "ffffffffffffffff+00000000000000ab@81250");
    shoal_swaps_finish(&known);
}

Test(swaps, a_history_that_is_too_long_loses_its_oldest_swaps)
{
    struct shoal_swaps swaps = {0}, read = {0};
    char text[SHOAL_SWAPS_BYTES + 1];
    for (int i = 0; i < 500; i++)
        append(&swaps, INT64_MAX - 1000 + i, (uint64_t)(i % 2 + 1));
    size_t forgotten = shoal_swaps_print(&swaps, text);
    cr_assert_gt(forgotten, 300);
    cr_assert_eq(swaps.count + forgotten, 500);
    cr_assert_gt(strlen(text), SHOAL_SWAPS_BYTES - 60);
    cr_assert_leq(strlen(text), SHOAL_SWAPS_BYTES);
    cr_assert_eq(swaps.list[swaps.count - 1].offset, INT64_MAX - 1000 + 499);
    cr_assert_eq(shoal_swaps_parse(text, strlen(text), &read), SHOAL_OK);
    cr_assert_eq(read.count, swaps.count);
    shoal_swaps_finish(&read);
    shoal_swaps_finish(&swaps);
}

Test(swaps, text_of_others_is_refused)
{
    static const char *const wrong[] = {
        "",
        "m",
        "m1",
        "m2 ",
        "hello",
        "m2 0035d1367cb6474c",
        "m2 0035d1367cb6474c+0000000000000001@",
        "m2 0035d1367cb6474c+0000000000000001@-1",
        "m2 0035d1367cb6474c+0000000000000001@01",
        "m2 0035d1367cb6474c+0000000000000001@1 ",
        "m2  0035d1367cb6474c+0000000000000001@1",
        "m2 0035D1367cb6474c+0000000000000001@1",
        "m2 0000000000000000+0000000000000001@1",
        "m2 0035d1367cb6474c+0000000000000001@9223372036854775808",
        "m2 0035d1367cb6474c+0000000000000001@18446744073709551616",
        "m2 0035d1367cb6474c+0000000000000001@99999999999999999999",
        "m2 0035d1367cb6474c+0000000000000001@5 0035d1367cb6474d+0000000000000001@4",
        "m2 0035d1367cb6474c+0000000000000001@5 0035d1367cb6474c+0000000000000001@6",
        "m2 0035d1367cb6474c+0000000000000001@5,0035d1367cb6474d+0000000000000001@6",
        "m2 0035d1367cb6474c@5",
        "m2 0035d1367cb6474c-0000000000000001@5",
        "m2 0035d1367cb6474c+000000000000000@5",
        "m2 0035d1367cb6474c+000000000000000G@5",
        "m1 0035d1367cb6474c@5",
    };
    struct shoal_swaps swaps = {0};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        append(&swaps, 1000, 7);
        cr_assert_eq(shoal_swaps_parse(wrong[i], strlen(wrong[i]), &swaps), SHOAL_DAMAGED, "%s",
                     wrong[i]);
        cr_assert_eq(swaps.count, 0);
    }
    shoal_swaps_finish(&swaps);
}

/* Whatever is accepted is printed as it was. */
Test(swaps, mutated_text_is_refused_or_read_exactly)
{
    static const char good[] = "m2 0035d1367cb6474c+870ba20886b3e65a@0 "
                               "0035d1367cb6474c+0000000000000000@81250 "
                               "5e0f3a2b11c0d9e8+0000000000000000@9000000";
    static const char alphabet[] = "0123456789abcdef@ +m-A\0";
    uint64_t seed = 11;
    unsigned accepted = 0;
    for (int round = 0; round < 20000; round++) {
        char text[200], printed[SHOAL_SWAPS_BYTES + 1];
        size_t size = sizeof good - 1;
        struct shoal_swaps swaps = {0};
        memcpy(text, good, size);
        for (uint64_t n = next_random(&seed) % 3 + 1; n > 0 && size > 1; n--) {
            size_t at = next_random(&seed) % size;
            switch (next_random(&seed) % 3) {
            case 0:
                text[at] = alphabet[next_random(&seed) % sizeof alphabet];
                break;
            case 1:
                memmove(text + at, text + at + 1, size - at - 1);
                size--;
                break;
            default:
                size = at ? at : size;
            }
        }
        enum shoal_status status = shoal_swaps_parse(text, size, &swaps);
        cr_assert(status == SHOAL_OK || status == SHOAL_DAMAGED);
        if (status == SHOAL_OK) {
            accepted++;
            shoal_swaps_print(&swaps, printed);
            cr_assert_eq(strlen(printed), size);
            cr_assert_eq(memcmp(printed, text, size), 0);
        }
        shoal_swaps_finish(&swaps);
    }
    cr_assert_gt(accepted, 100);
}

/* ---- files ----------------------------------------------------------------------------------- */

static enum shoal_status read_text(const char *text, uint64_t first, struct shoal_swaps swaps[2],
                                   struct shoal_message *message)
{
    char path[] = "/tmp/shoal-swaps-XXXXXX";
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    memset(swaps, 0, 2 * sizeof *swaps);
    enum shoal_status status = shoal_swaps_read(path, &(struct shoal_swap){0, first, 0xf}, 2, swaps,
                                                message);
    unlink(path);
    return status;
}

static void assert_text(struct shoal_swaps *swaps, const char *wanted)
{
    char text[SHOAL_SWAPS_BYTES + 1];
    shoal_swaps_print(swaps, text);
    cr_assert_str_eq(text, wanted);
    shoal_swaps_finish(swaps);
}

Test(swaps, lines_of_the_topic_are_read_in_any_order)
{
    struct shoal_swaps swaps[2];
    struct shoal_message message = {.text = ""};
    cr_assert_eq(read_text("{\"id\":\"e/1/7/x\",\"partition\":1,\"offset\":7,\"model\":"
                           "\"000000000000000b\",\"previous\":\"000000000000000a\"}\n"
                           "{\"partition\":0,\"offset\":9,\"model\":\"000000000000000b\","
                           "\"previous\":\"000000000000000a\",\"clusters\":[{\"id\":1,\"from\":1,"
                           "\"jaccard\":0.830000},{\"id\":7,\"from\":null},{\"id\":2,\"to\":1}]}\n"
                           "{\"partition\":0,\"offset\":0,\"model\":\"000000000000000a\","
                           "\"previous\":null}\n",
                           5, swaps, &message),
                 SHOAL_OK, "%s", message.text);
    assert_text(&swaps[0], "m2 000000000000000a+000000000000000f@0 000000000000000b+000000000000000f@9");
    assert_text(&swaps[1], "m2 000000000000000a+000000000000000f@0 000000000000000b+000000000000000f@7");
}

Test(swaps, a_line_by_hand_begins_with_the_model_given)
{
    struct shoal_swaps swaps[2];
    struct shoal_message message = {.text = ""};
    cr_assert_eq(read_text("\n{\"model\": \"000000000000000b\", \"partition\": 0, \"offset\": 12}",
                           5, swaps, &message),
                 SHOAL_OK, "%s", message.text);
    assert_text(&swaps[0], "m2 0000000000000005+000000000000000f@0 000000000000000b+000000000000000f@12");
    cr_assert_eq(swaps[1].count, 0);
}

Test(swaps, lines_say_which_policy_holds_and_held)
{
    struct shoal_swaps swaps[2];
    struct shoal_message message = {.text = ""};
    cr_assert_eq(read_text("{\"partition\":0,\"offset\":7,\"model\":\"000000000000000b\","
                           "\"policy\":\"0000000000000002\",\"previous\":\"000000000000000b\","
                           "\"previous_policy\":\"0000000000000001\"}\n"
                           "{\"partition\":0,\"offset\":9,\"model\":\"000000000000000c\"}\n"
                           "{\"partition\":0,\"offset\":11,\"model\":\"000000000000000c\","
                           "\"policy\":null}\n"
                           "{\"partition\":1,\"offset\":0,\"model\":\"000000000000000b\","
                           "\"policy\":\"0000000000000002\",\"previous\":null,"
                           "\"previous_policy\":null}\n",
                           5, swaps, &message),
                 SHOAL_OK, "%s", message.text);
    assert_text(&swaps[0], "m2 000000000000000b+0000000000000001@0 "
                           "000000000000000b+0000000000000002@7 "
                           "000000000000000c+0000000000000002@9 "
                           "000000000000000c+0000000000000000@11");
    assert_text(&swaps[1], "m2 000000000000000b+0000000000000002@0");
}

Test(swaps, a_wrong_line_is_named)
{
    static const char *const wrong[] = {
        "{\"model\":\"b\",\"partition\":0,\"offset\":1}",
        "{\"model\":\"000000000000000b\",\"partition\":2,\"offset\":1}",
        "{\"model\":\"000000000000000b\",\"partition\":-1,\"offset\":1}",
        "{\"model\":\"000000000000000b\",\"partition\":0,\"offset\":-1}",
        "{\"model\":\"000000000000000b\",\"partition\":0}",
        "{\"model\":\"000000000000000b\",\"partition\":0,\"offset\":1,\"previous\":\"x\"}",
        "{\"model\":\"000000000000000b\",\"partition\":0,\"offset\":1,\"policy\":\"x\"}",
        "[1]",
        "{\"model\":",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct shoal_swaps swaps[2];
        struct shoal_message message = {.text = ""};
        char text[300];
        snprintf(text, sizeof text,
                 "{\"model\":\"000000000000000a\",\"partition\":0,\"offset\":0}\n%s\n", wrong[i]);
        cr_assert_eq(read_text(text, 5, swaps, &message), SHOAL_CONFIG, "%s", wrong[i]);
        cr_assert_not_null(strstr(message.text, ":2"), "%s", message.text);
        shoal_swaps_finish(&swaps[0]);
        shoal_swaps_finish(&swaps[1]);
    }
}

Test(swaps, growths_stand_before_the_swaps_and_come_back)
{
    static const char text[] = "m3 g4>6@500 g6>12@900 000000000000000a+0000000000000000@0 "
                               "000000000000000b+0000000000000000@700";
    struct shoal_swaps swaps = {0};
    cr_assert_eq(shoal_swaps_parse(text, strlen(text), &swaps), SHOAL_OK);
    assert_text(&swaps, text);
    cr_assert_eq(shoal_swaps_parse(text, strlen(text), &swaps), SHOAL_OK);
    cr_assert_eq(shoal_swaps_grown_to(&swaps, 4), -1);
    cr_assert_eq(shoal_swaps_grown_to(&swaps, 6), 500);
    cr_assert_eq(shoal_swaps_grown_to(&swaps, 12), 900);
    cr_assert_eq(shoal_swaps_growth_from(&swaps, 4)->to, 6);
    cr_assert_null(shoal_swaps_growth_from(&swaps, 5));
    for (int i = 0; i < 2 * SHOAL_GROWTHS_MAX; i++) { /* the oldest are forgotten */
        struct shoal_growth growth = {12 + i, 13 + i, 1000 + i};
        cr_assert_eq(shoal_swaps_grow(&swaps, &growth), SHOAL_OK);
    }
    cr_assert_eq(swaps.growths_count, SHOAL_GROWTHS_MAX);
    cr_assert_null(shoal_swaps_growth_from(&swaps, 4));
    shoal_swaps_finish(&swaps);
}

Test(swaps, growths_that_print_would_not_have_written_are_damaged)
{
    static const char *const wrong[] = {
        "m3", "m2 g4>6@500", "m3 g6>4@500", "m3 g4>4@500", "m3 g4>6", "m3 g4>6@", "m3 g04>6@5",
        "m3 g4>6@500 g4>8@600", "m3 g4>6@500 g6>8@400", "m3 g4>6@500 x", "m3 g99999999999>6@5",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct shoal_swaps swaps = {0};
        cr_assert_eq(shoal_swaps_parse(wrong[i], strlen(wrong[i]), &swaps), SHOAL_DAMAGED, "%s",
                     wrong[i]);
        cr_assert_eq(swaps.growths_count, 0);
        shoal_swaps_finish(&swaps);
    }
}

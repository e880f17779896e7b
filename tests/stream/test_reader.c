/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/stream/files.h"

#define GOOD "\"item_id\":1,\"behavior\":\"pv\",\"timestamp\":1}"

Test(reader, json_lines_pass_as_they_are_with_the_user_as_key)
{
    char *path = make_text_file("{\"user_id\":\"u1\"," GOOD "\n"
                                "{\"user_id\":7," GOOD "\r\n"
                                "\n\r\n"
                                "  { \"user_id\" : \"\\u00e9\" }\n"
                                "{\"type\":\"track\",\"anonymousId\":\"a\",\"userId\":\"s\"}\n"
                                "{\"type\":\"track\",\"anonymousId\":\"a\"}\n"
                                "{\"user_id\":\"u2\"}");
    struct shoal_reader *reader = open_reader(path, 4);
    assert_next(reader, "{\"user_id\":\"u1\"," GOOD, "u1");
    assert_next(reader, "{\"user_id\":7," GOOD, "7");
    assert_next(reader, "  { \"user_id\" : \"\\u00e9\" }", "\xc3\xa9");
    assert_next(reader, "{\"type\":\"track\",\"anonymousId\":\"a\",\"userId\":\"s\"}", "s");
    assert_next(reader, "{\"type\":\"track\",\"anonymousId\":\"a\"}", "a");
    assert_next(reader, "{\"user_id\":\"u2\"}", "u2");
    assert_end(reader);
    shoal_reader_close(reader);
    drop_file(path);
}

Test(reader, lines_without_a_usable_user_have_no_key)
{
    char *path = make_text_file("garbage\n{\"user_id\":\"u\"\n{\"user_id\":\"\"}\n{}\n"
                                "{\"user_id\":1.5}\n{\"user_id\":\"u\"}}\n"
                                "{\"user_id\":\"u\",\"behavior\":[]}\n\x81\xa1x\x01\n");
    struct shoal_reader *reader = open_reader(path, 4);
    assert_next(reader, "garbage", NULL);
    assert_next(reader, "{\"user_id\":\"u\"", NULL);
    assert_next(reader, "{\"user_id\":\"\"}", NULL);
    assert_next(reader, "{}", NULL);
    assert_next(reader, "{\"user_id\":1.5}", NULL);
    assert_next(reader, "{\"user_id\":\"u\"}}", NULL);
    assert_next(reader, "{\"user_id\":\"u\",\"behavior\":[]}", "u");
    assert_next(reader, "\x81\xa1x\x01", NULL);
    assert_end(reader);
    shoal_reader_close(reader);
    drop_file(path);
}

Test(reader, who_is_forgotten_is_told_to_all_partitions_where_ids_do_not_tell_which)
{
    char *path = make_text_file("{\"shoal_forget\":\"a\\\"b\"}\n{\"user_id\":\"u1\"," GOOD "\n"
                                "{\"shoal_forget\":\"u1\"}");
    struct shoal_reader *reader = open_reader(path, 3);
    struct shoal_input input;
    struct shoal_message why;
    int64_t next[3] = {0};
    shoal_reader_tell_all(reader);
    for (int i = 0; i < 7; i++) {
        cr_assert_eq(shoal_reader_next(reader, &input, &why), SHOAL_OK);
        cr_assert_eq(input.offset, next[input.partition]++);
        if (i == 3) {
            cr_assert_eq(input.partition, shoal_partition_of("u1", 2, 3));
            continue;
        }
        cr_assert_eq(input.partition, i < 3 ? i : i - 4);
        cr_assert_eq(memcmp(input.key, i < 3 ? "a\"b" : "u1", input.key_size), 0);
    }
    assert_end(reader);
    shoal_reader_close(reader);
    reader = open_reader(path, 3);
    assert_next(reader, "{\"shoal_forget\":\"a\\\"b\"}", "a\"b");
    assert_next(reader, "{\"user_id\":\"u1\"," GOOD, "u1");
    assert_next(reader, "{\"shoal_forget\":\"u1\"}", "u1");
    assert_end(reader);
    shoal_reader_close(reader);
    drop_file(path);
}

Test(reader, offsets_count_up_in_each_partition_of_the_key)
{
    char text[8000] = "";
    for (int i = 0; i < 100; i++)
        sprintf(text + strlen(text), "{\"user_id\":%d," GOOD "\n", i % 10);
    char *path = make_text_file(text);
    struct shoal_reader *reader = open_reader(path, 3);
    int64_t next[3] = {0};
    for (int i = 0; i < 100; i++) {
        struct shoal_input input;
        struct shoal_message why;
        cr_assert_eq(shoal_reader_next(reader, &input, &why), SHOAL_OK);
        cr_assert_eq(input.partition, shoal_partition_of(input.key, input.key_size, 3));
        cr_assert_eq(input.offset, next[input.partition]++);
    }
    assert_end(reader);
    shoal_reader_close(reader);
    drop_file(path);
}

Test(reader, an_empty_file_ends_at_once)
{
    static const char *const texts[] = {"", "\n", "\r\n\n\n"};
    for (size_t i = 0; i < 3; i++) {
        char *path = make_text_file(texts[i]);
        struct shoal_reader *reader = open_reader(path, 4);
        assert_end(reader);
        shoal_reader_close(reader);
        drop_file(path);
    }
}

Test(reader, lines_over_the_limit_are_cut_and_the_next_one_is_whole)
{
    enum { LIMIT = 1 << 20 };
    static const size_t lengths[] = {LIMIT - 1, LIMIT, LIMIT + 1, LIMIT + 2, 3 * LIMIT + 12345};
    const char *tail = "\n{\"user_id\":\"next\"}\n";
    for (size_t i = 0; i < 5; i++) {
        size_t size = lengths[i] + strlen(tail);
        char *bytes = malloc(size);
        memset(bytes, 'x', lengths[i]);
        memcpy(bytes + lengths[i], tail, strlen(tail));
        char *path = make_file(bytes, size);
        struct shoal_reader *reader = open_reader(path, 4);
        struct shoal_input input;
        struct shoal_message why;
        cr_assert_eq(shoal_reader_next(reader, &input, &why), SHOAL_OK);
        cr_assert_eq(input.value_size, lengths[i] > LIMIT ? LIMIT + 1 : lengths[i]);
        cr_assert_eq(memcmp(input.value, bytes, input.value_size), 0);
        assert_next(reader, "{\"user_id\":\"next\"}", "next");
        assert_end(reader);
        uint64_t read_bytes, size_bytes, lines;
        shoal_reader_position(reader, &read_bytes, &size_bytes, &lines);
        cr_assert_eq(lines, 2);
        cr_assert_eq(read_bytes, size);
        cr_assert_eq(size_bytes, size);
        shoal_reader_close(reader);
        drop_file(path);
        free(bytes);
    }
}

Test(reader, many_lines_cross_the_buffer_unharmed)
{
    size_t lines = 200000, used = 0;
    char *bytes = malloc(lines * 40);
    for (size_t i = 0; i < lines; i++)
        used += (size_t)sprintf(bytes + used, "{\"user_id\":%zu,\"x\":\"%.*s\"}\n", i,
                                (int)(i % 17), "abcdefghijklmnopq");
    char *path = make_file(bytes, used);
    struct shoal_reader *reader = open_reader(path, 1);
    const char *at = bytes;
    for (size_t i = 0; i < lines; i++) {
        struct shoal_input input;
        struct shoal_message why;
        cr_assert_eq(shoal_reader_next(reader, &input, &why), SHOAL_OK);
        cr_assert_eq(memcmp(input.value, at, input.value_size), 0);
        cr_assert_eq(at[input.value_size], '\n');
        cr_assert_eq(input.offset, (int64_t)i);
        at += input.value_size + 1;
    }
    assert_end(reader);
    shoal_reader_close(reader);
    drop_file(path);
    free(bytes);
}

Test(reader, a_file_that_is_not_there_and_a_folder_are_refused)
{
    struct shoal_reader *reader;
    struct shoal_message why;
    cr_assert_eq(shoal_reader_open("/no/such/file", 4, &reader, &why), SHOAL_NOT_FOUND);
    cr_assert_null(reader);
    cr_assert_not_null(strstr(why.text, "/no/such/file"));
    cr_assert_eq(shoal_reader_open("/tmp", 4, &reader, &why), SHOAL_IO);
    cr_assert_not_null(strstr(why.text, "/tmp"));
    cr_assert_eq(shoal_reader_open("/tmp", 0, &reader, &why), SHOAL_INVALID);
}

Test(reader, standard_input_is_read_as_a_dash)
{
    char *path = make_text_file("1,2,3,pv,4\n");
    cr_assert_not_null(freopen(path, "r", stdin));
    struct shoal_reader *reader = open_reader("-", 4);
    assert_next(reader,
                "{\"user_id\":\"1\",\"item_id\":\"2\",\"category_id\":\"3\","
                "\"behavior\":\"pv\",\"timestamp\":4}",
                "1");
    assert_end(reader);
    shoal_reader_close(reader);
    drop_file(path);
}

/* ---- real data ---------------------------------------------------------------------------- */

static void assert_all_rows(const char *name, uint64_t rows, uint64_t users_min)
{
    char path[4096];
    const char *data = getenv("SHOAL_DATA"), *source = getenv("SHOAL_SOURCE");
    if (data)
        snprintf(path, sizeof path, "%s/%s", data, name);
    else
        snprintf(path, sizeof path, "%s/../shared/data/%s", source ? source : ".", name);
    if (access(path, R_OK) != 0) {
        cr_assert_null(getenv("CI"), "%s is not there", path);
        cr_skip_test("%s is not there", path);
    }
    struct shoal_decoder *decoder;
    struct shoal_arena arena;
    static struct shoal_event events[SHOAL_EVENTS_PER_MESSAGE_MAX];
    cr_assert_eq(shoal_decoder_create(NULL, &decoder), SHOAL_OK);
    shoal_arena_init(&arena, 1 << 16);
    struct shoal_reader *reader = open_reader(path, 4);
    struct shoal_input input;
    struct shoal_message why = {""};
    uint64_t seen = 0;
    int64_t earliest_ms = INT64_MAX, latest_ms = 0;
    uint64_t behaviors[SHOAL_BEHAVIOR_COUNT] = {0};
    enum shoal_status status;
    while ((status = shoal_reader_next(reader, &input, &why)) == SHOAL_OK) {
        size_t count;
        status = shoal_decode(decoder, &input, &arena, events, &count, &why);
        cr_assert_eq(status, SHOAL_OK, "%s, row %llu: %s", name, (unsigned long long)seen,
                     why.text);
        cr_assert_eq(count, 1);
        cr_assert_not_null(input.key);
        behaviors[events[0].touch.behavior]++;
        if (events[0].touch.time_ms < earliest_ms)
            earliest_ms = events[0].touch.time_ms;
        if (events[0].touch.time_ms > latest_ms)
            latest_ms = events[0].touch.time_ms;
        seen++;
        shoal_arena_reset(&arena);
    }
    cr_assert_eq(status, SHOAL_END, "%s", why.text);
    cr_assert_eq(seen, rows, "%s: %llu rows", name, (unsigned long long)seen);
    cr_assert(earliest_ms > 1400000000000 && latest_ms < 1620000000000, "%s: times", name);
    cr_assert(behaviors[SHOAL_PV] > users_min && behaviors[SHOAL_BUY] > 0);
    shoal_reader_close(reader);
    shoal_decoder_destroy(decoder);
    shoal_arena_finish(&arena);
}

Test(reader, taobao_histories_are_read_completely)
{
    assert_all_rows("taobao_dev.csv.gz", 83572, 70000);
}

Test(reader, taobao_arrivals_are_read_completely)
{
    assert_all_rows("taobao_arrival_110k.csv.gz", 110300, 90000);
}

Test(reader, taobao_many_users_are_read_completely)
{
    assert_all_rows("taobao_many_users_dev.csv.gz", 328727, 70000);
}

Test(reader, tianchi_mobile_is_read_completely)
{
    assert_all_rows("tianchi_mobile_2k.csv.gz", 1999, 1800);
}

Test(reader, retailrocket_is_read_completely)
{
    assert_all_rows("retailrocket_dev.csv.gz", 60801, 40000);
}

Test(reader, rees46_hours_are_read_completely)
{
    assert_all_rows("rees46_3h.csv.gz", 17434, 17000);
}

Test(reader, rees46_electronics_is_read_completely)
{
    assert_all_rows("rees46_electronics_dev.csv.gz", 72626, 60000);
}

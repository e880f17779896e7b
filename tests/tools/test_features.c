/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal features`: the files are NumPy arrays, and they say what training would see. SHOAL_PROGRAM is
 * `shoal`. */
#include <stdint.h>

#include "tests/tools/shell.h"

/* Two users. With the last event at 200000 s, only what is before 113600 s has a label. */
static const char *const events = "u1,10,7,pv,1000\n"
                                  "u2,11,7,pv,2000\n"
                                  "u1,10,7,buy,50000\n"
                                  "u1,12,8,pv,113600\n"
                                  "u2,11,7,cart,200000\n";

static void setup(void)
{
    shell_setup();
    FILE *out = fopen("e.csv", "w");
    cr_assert_not_null(out);
    fputs(events, out);
    cr_assert_eq(fclose(out), 0);
}

TestSuite(features, .init = setup, .fini = shell_teardown);

/* Runs `shoal features` with these arguments. */
static int run(const char *arguments)
{
    char line[1024];
    snprintf(line, sizeof line, "\"$SHOAL_PROGRAM\" features %s", arguments);
    return shell(line);
}

/* Reads f/name.npy, checks its header and that it holds `size` bytes of data, and copies them. */
static void read_array(const char *name, const char *header, void *data, size_t size)
{
    char path[64];
    unsigned char bytes[4096];
    snprintf(path, sizeof path, "f/%s.npy", name);
    FILE *in = fopen(path, "rb");
    cr_assert_not_null(in, "%s", path);
    size_t count = fread(bytes, 1, sizeof bytes, in);
    fclose(in);
    cr_assert_eq(memcmp(bytes, "\x93NUMPY\1\0", 8), 0, "%s", path);
    size_t begins = 10 + bytes[8] + 256u * bytes[9];
    cr_assert_eq(begins % 64, 0, "the data of %s begin at %zu", path, begins);
    cr_assert_eq(memcmp(bytes + 10, header, strlen(header)), 0, "%s: %.80s", path, bytes + 10);
    cr_assert_eq(bytes[begins - 1], '\n');
    cr_assert_eq(count, begins + size, "%s holds %zu bytes of data", path, count - begins);
    memcpy(data, bytes + begins, size);
}

Test(features, events_are_grouped_by_user_with_their_labels)
{
    char users[4];
    uint32_t user[5];
    int64_t time_ms[5];
    int8_t label[5];
    uint8_t behavior[5];
    cr_assert_eq(run("--events e.csv --out f"), 0, "%s", printed);
    says("5 events of 2 users");
    read_array("users", "{'descr': '|S2', 'fortran_order': False, 'shape': (2,), }", users, 4);
    cr_assert_eq(memcmp(users, "u1u2", 4), 0);
    read_array("user", "{'descr': '<u4', 'fortran_order': False, 'shape': (5,), }", user, 20);
    read_array("time_ms", "{'descr': '<i8'", time_ms, 40);
    read_array("label", "{'descr': '|i1'", label, 5);
    read_array("behavior", "{'descr': '|u1'", behavior, 5);
    cr_assert_eq(memcmp(user, (uint32_t[]){0, 0, 0, 1, 1}, 20), 0);
    cr_assert_eq(memcmp(time_ms, (int64_t[]){1000000, 50000000, 113600000, 2000000, 200000000}, 40),
                 0);
    cr_assert_eq(memcmp(label, (int8_t[]){1, 0, 0, 0, -1}, 5), 0);
    cr_assert_eq(memcmp(behavior, (uint8_t[]){0, 3, 0, 0, 1}, 5), 0);
}

Test(features, who_is_forgotten_or_declines_is_left_out)
{
    FILE *out = fopen("e.jsonl", "w");
    cr_assert_not_null(out);
    for (int user = 1; user <= 4; user++)
        for (int i = 0; i < 5; i++)
            fprintf(out, "{\"user_id\":\"u%d\",\"item_id\":1,\"behavior\":\"pv\",\"timestamp\":%d%s}\n%s",
                    user, 1000000 + 50000 * i,
                    user == 2 && i == 2   ? ",\"consent_processing\":false"
                    : user == 3 && i == 3 ? ",\"consent_processing\":true"
                    : user == 3 && i == 1 ? ",\"consent_processing\":false"
                                          : "",
                    user == 4 && i == 3 ? "{\"shoal_forget\":\"u4\"}\n" : "");
    cr_assert_eq(fclose(out), 0);
    cr_assert_eq(run("--events e.jsonl --out f"), 0, "%s", printed);
    says("8 events of 3 users"); /* five of u1, none of u2, two of u3, one of u4 */
}

Test(features, an_event_comes_with_what_the_model_sees_of_it)
{
    float numeric[5][8], rates[5][12];
    uint32_t item_row[5], item[5], category_row[5];
    uint16_t category[5];
    cr_assert_eq(run("--events e.csv --out f --item-buckets 100 --category-buckets 50"), 0, "%s",
                 printed);
    read_array("numeric", "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 8), }", numeric,
               sizeof numeric);
    read_array("rates", "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 12), }", rates,
               sizeof rates);
    read_array("item", "{'descr': '<u4'", item, sizeof item);
    read_array("item_row", "{'descr': '<u4'", item_row, sizeof item_row);
    read_array("category", "{'descr': '<u2'", category, sizeof category);
    read_array("category_row", "{'descr': '<u4'", category_row, sizeof category_row);
    cr_expect_eq(numeric[0][0], 0.0f, "a first event has no gap");
    cr_expect_gt(numeric[1][0], 0.7f, "log2(49001)/20");
    cr_expect_lt(numeric[1][0], 0.8f);
    cr_expect_eq(numeric[1][6], 1.0f, "the same item again");
    cr_expect_eq(numeric[2][6], 0.0f);
    cr_expect_eq(rates[0][9], 0.0f, "no purchase yet");
    cr_expect_gt(rates[1][9], 0.99f, "one purchase within the last hour");
    for (size_t i = 0; i < 5; i++) {
        cr_expect_eq(item_row[i], item[i] % 100);
        cr_expect_eq(category_row[i], 1 + category[i] % 49u);
    }
}

Test(features, no_label_sees_beyond_until)
{
    int8_t label[4];
    cr_assert_eq(run("--events e.csv --until 1970-01-02T21:20:00Z --out f"), 0, "%s", printed);
    says("4 events of 2 users");
    read_array("label", "{'descr': '|i1', 'fortran_order': False, 'shape': (4,), }", label, 4);
    cr_assert_eq(memcmp(label, (int8_t[]){1, 0, -1, 0}, 4), 0, "%d %d %d %d", label[0], label[1],
                 label[2], label[3]);
}

Test(features, an_empty_file_gives_empty_arrays)
{
    char nothing[1];
    cr_assert_eq(run("--events /dev/null --out f"), 0, "%s", printed);
    read_array("rates", "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 12), }", nothing, 0);
}

Test(features, what_cannot_be_read_or_written_is_named)
{
    cr_assert_eq(run("--events missing.csv --out f"), 5);
    says("missing.csv");
    cr_assert_eq(run("--events e.csv --out missing/f"), 1);
    says("missing/f: No such file");
    cr_assert_eq(run("--events e.csv --out e.csv"), 1);
    says("e.csv/users.npy: Not a directory");
    cr_assert_eq(run("--events e.csv --out f --until yesterday"), 2);
    cr_assert_eq(system("mkdir d && ln -s /dev/full d/rates.npy"), 0);
    cr_assert_eq(run("--events e.csv --out d"), 1);
    says("d/rates.npy: No space left");
}

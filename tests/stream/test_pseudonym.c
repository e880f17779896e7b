/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/base/arena.h"
#include "stream/decode.h"
#include "stream/pipeline.h"
#include "stream/pseudonym.h"
#include "tests/stream/pipeline_fixture.h"
#include "tests/state/leaks.h"

static char folder[] = "/tmp/shoal-pseudonym-XXXXXX";

static void begin(void)
{
    cr_assert_not_null(mkdtemp(folder));
}

static void end(void)
{
    char command[100];
    (void)snprintf(command, sizeof command, "rm -r '%s'", folder);
    (void)!system(command);
}

TestSuite(pseudonym, .init = begin, .fini = end);

static const char *path_of(const char *name)
{
    static char path[100];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static const char *write_key(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
    return path_of(name);
}

/* The key 00 01 02 … 1f. */
static const char counting[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

static struct shoal_pseudonyms *load(const char *text)
{
    struct shoal_pseudonyms *pseudonyms;
    struct shoal_message message = {.text = ""};
    cr_assert_eq(shoal_pseudonyms_load(write_key("key", text), &pseudonyms, &message), SHOAL_OK, "%s",
                 message.text);
    return pseudonyms;
}

/* By Python: base64.b32encode(hashlib.blake2b(b"…", digest_size=16, key=bytes(range(32))).digest()). */
Test(pseudonym, it_is_blake2b_of_the_id_in_base32)
{
    static const struct {
        const char *user, *pseudonym;
    } cases[] = {
        {"4711", "tg54poctqscwnf7knuxfhcgcpy"},
        {"a", "raadsukxekodul66h76kitcgim"},
        {"0123456789012345678901234567890123456789012345678901234567890123", "v5fltf7jzomoesuaeonrmcaeae"},
    };
    struct shoal_pseudonyms *pseudonyms = load(counting);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[SHOAL_PSEUDONYM_SIZE + 1];
        shoal_pseudonym_of(pseudonyms, cases[i].user, strlen(cases[i].user), text);
        cr_assert_str_eq(text, cases[i].pseudonym);
        cr_assert_str_eq(shoal_pseudonym_stored(pseudonyms, cases[i].user, text), cases[i].pseudonym);
        cr_assert_str_eq(shoal_pseudonym_stored(NULL, cases[i].user, text), cases[i].user);
    }
    shoal_pseudonyms_destroy(pseudonyms);
}

Test(pseudonym, new_keys_differ_can_be_loaded_and_read_by_their_owner_alone)
{
    struct shoal_pseudonyms *one, *two;
    struct shoal_message message = {.text = ""};
    struct stat about;
    char a[SHOAL_PSEUDONYM_SIZE + 1], b[SHOAL_PSEUDONYM_SIZE + 1];
    cr_assert_eq(shoal_pseudonyms_new_key(path_of("one"), &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(stat(path_of("one"), &about), 0);
    cr_assert_eq(about.st_mode & 0777, 0600);
    cr_assert_eq(shoal_pseudonyms_load(path_of("one"), &one, &message), SHOAL_OK);
    cr_assert_eq(shoal_pseudonyms_new_key(path_of("one"), &message), SHOAL_IO, "a key is never written over");
    cr_assert_eq(shoal_pseudonyms_new_key(path_of("two"), &message), SHOAL_OK);
    cr_assert_eq(shoal_pseudonyms_load(path_of("two"), &two, &message), SHOAL_OK);
    shoal_pseudonym_of(one, "4711", 4, a);
    shoal_pseudonym_of(two, "4711", 4, b);
    cr_assert_str_neq(a, b);
    cr_assert_neq(shoal_pseudonyms_fingerprint(one), shoal_pseudonyms_fingerprint(two));
    shoal_pseudonyms_destroy(one);
    shoal_pseudonyms_destroy(two);
    test_no_leaks();
}

Test(pseudonym, a_file_that_is_no_key_is_refused_without_showing_it)
{
    static const char *const texts[] = {
        "", "00", "not a key", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1g",
        "00:0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    };
    struct shoal_pseudonyms *pseudonyms;
    struct shoal_message message = {.text = ""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        cr_assert_eq(shoal_pseudonyms_load(write_key("bad", texts[i]), &pseudonyms, &message), SHOAL_CONFIG);
        cr_assert_null(pseudonyms);
        cr_assert_not_null(strstr(message.text, "privacy.pseudonym_key"), "%s", message.text);
        cr_assert_null(strstr(message.text, "0102"), "%s", message.text);
    }
    cr_assert_eq(shoal_pseudonyms_load(path_of("none"), &pseudonyms, &message), SHOAL_CONFIG);
    test_no_leaks();
}

/* ---- at the door --------------------------------------------------------------------------- */

static enum shoal_status decode(const struct shoal_pseudonyms *pseudonyms, const char *key,
                                const char *value, char *user, struct shoal_message *why)
{
    static struct shoal_event events[SHOAL_EVENTS_PER_MESSAGE_MAX];
    struct shoal_decode_options options = shoal_decode_options_default();
    struct shoal_decoder *decoder;
    struct shoal_arena arena;
    size_t count;
    struct shoal_input input = {.timestamp_ms = -1,
                                .key = key,
                                .key_size = key ? strlen(key) : 0,
                                .value = value,
                                .value_size = strlen(value)};
    options.pseudonyms = pseudonyms;
    cr_assert_eq(shoal_decoder_create(&options, &decoder), SHOAL_OK);
    shoal_arena_init(&arena, 4096);
    enum shoal_status status = shoal_decode(decoder, &input, &arena, events, &count, why);
    if (status == SHOAL_OK) {
        cr_assert_eq(events[0].user_size, strlen(events[0].user));
        (void)snprintf(user, 100, "%s", events[0].user);
    }
    shoal_arena_finish(&arena);
    shoal_decoder_destroy(decoder);
    return status;
}

Test(pseudonym, events_bear_it_and_keys_are_compared_with_the_original)
{
    struct shoal_pseudonyms *pseudonyms = load(counting);
    struct shoal_message why;
    char user[100];
    static const char event[] =
        "{\"user_id\":4711,\"item_id\":1,\"behavior\":\"pv\",\"timestamp\":1512000000}";
    cr_assert_eq(decode(pseudonyms, "4711", event, user, &why), SHOAL_OK);
    cr_assert_str_eq(user, "tg54poctqscwnf7knuxfhcgcpy");
    cr_assert_eq(decode(pseudonyms, "tg54poctqscwnf7knuxfhcgcpy", event, user, &why), SHOAL_KEY_MISMATCH);
    cr_assert_null(strstr(why.text, "4711"), "%s", why.text);
    cr_assert_eq(decode(pseudonyms, "0815", event, user, &why), SHOAL_KEY_MISMATCH);
    cr_assert_null(strstr(why.text, "0815"), "%s", why.text);
    cr_assert_eq(decode(pseudonyms, NULL, "{\"user_id\":\"secret\",\"item_id\":1,\"behavior\":\"secret\"}", user,
                        &why),
                 SHOAL_BAD_BEHAVIOR);
    cr_assert_null(strstr(why.text, "secret"), "%s", why.text);
    shoal_pseudonyms_destroy(pseudonyms);
}

/* ---- in the pipeline ----------------------------------------------------------------------- */

static struct log *make_log(void)
{
    struct log *log = log_create(4);
    static const char *const ends[] = {"}", "}", "", "}"};
    for (int i = 0; i < 4; i++) {
        struct log_message *message = log_next(log);
        int size = snprintf(message->value, sizeof message->value,
                            "{\"user_id\":\"original\",\"item_id\":1,\"behavior\":\"cart\",\"timestamp\":%d%s",
                            1512000000 + i, ends[i]);
        log_append(log, size, snprintf(message->key, sizeof message->key, "original"), 0);
    }
    return log;
}

static enum shoal_status apply(struct fixture *f, const struct log *log, struct shoal_message *message)
{
    for (int i = 0; i < log->count; i++)
        cr_assert_eq(shoal_pipeline_add(f->pipelines[0], &log->inputs[i], false), SHOAL_OK);
    return shoal_pipeline_run(f->pipelines[0], message);
}

static void restart(struct fixture *f, const struct shoal_pseudonyms *pseudonyms)
{
    shoal_pipeline_destroy(f->pipelines[0]);
    f->options.decode.pseudonyms = pseudonyms;
    cr_assert_eq(shoal_pipeline_create(&f->options, f->store, &f->sink.base, &f->pipelines[0]), SHOAL_OK);
}

Test(pseudonym, no_output_and_no_record_holds_the_original)
{
    struct shoal_pseudonyms *pseudonyms = load(counting);
    struct shoal_message message = {.text = ""};
    struct log *log = make_log();
    struct fixture f;
    struct shoal_slice value;
    int32_t partition;
    fixture_start(&f, log, 8, 1, 5);
    restart(&f, pseudonyms);
    check(apply(&f, log, &message), &message);
    for (int32_t p = 0; p < PARTITIONS; p++)
        check(shoal_pipeline_save(f.pipelines[0], p, 4, &message), &message);
    cr_assert_eq(shoal_pipeline_counts(f.pipelines[0])->deadletters, 1);
    cr_assert_gt(f.sink.count, 2);
    for (size_t i = 0; i < f.sink.count; i++)
        cr_assert_null(strstr(f.sink.lines[i], "original"), "%s", f.sink.lines[i]);
    cr_assert_eq(f.store->ops->find(f.store, (struct shoal_slice){"original", 8}, &partition, &value, NULL),
                 SHOAL_NOT_FOUND);
    char text[SHOAL_PSEUDONYM_SIZE + 1];
    shoal_pseudonym_of(pseudonyms, "original", 8, text);
    cr_assert_eq(f.store->ops->find(f.store, (struct shoal_slice){text, strlen(text)}, &partition, &value,
                                    NULL),
                 SHOAL_OK);
    struct result result = fixture_end(&f);
    result_finish(&result);
    log_destroy(log);
    shoal_pseudonyms_destroy(pseudonyms);
    test_no_leaks();
}

Test(pseudonym, states_of_another_key_or_of_none_are_refused)
{
    struct shoal_pseudonyms *one = load(counting), *two;
    struct shoal_message message = {.text = ""};
    two = load("ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    const struct shoal_pseudonyms *keys[] = {NULL, one, two};
    for (int first = 0; first < 3; first++) {
        struct log *log = make_log();
        struct fixture f;
        fixture_start(&f, log, 8, 1, 5);
        restart(&f, keys[first]);
        check(apply(&f, log, &message), &message);
        for (int32_t p = 0; p < PARTITIONS; p++)
            check(shoal_pipeline_save(f.pipelines[0], p, 4, &message), &message);
        for (int then = 0; then < 3; then++) {
            restart(&f, keys[then]);
            enum shoal_status status = apply(&f, log, &message);
            cr_assert_eq(status, first == then ? SHOAL_OK : SHOAL_CONFIG, "%d %d: %s", first, then,
                         message.text);
            if (first != then)
                cr_assert_not_null(strstr(message.text, "pseudonym"), "%s", message.text);
        }
        struct result result = fixture_end(&f);
        result_finish(&result);
        log_destroy(log);
    }
    shoal_pseudonyms_destroy(one);
    shoal_pseudonyms_destroy(two);
}

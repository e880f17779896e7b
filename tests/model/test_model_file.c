/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/base/hash.h"
#include "model/model.h"
#include "tests/model/tiny_model.h"

enum { CHECKSUM_BYTES = 8 };

static struct shoal_model *source;
static struct shoal_buffer document;

static void make_document(void)
{
    struct shoal_dims dims = tiny_dims();
    source = tiny_model(&dims, 3);
    cr_assert_not_null(source);
    cr_assert_eq(shoal_model_serialize(source, &document), SHOAL_OK);
}

static void drop_document(void)
{
    shoal_buffer_finish(&document);
    shoal_model_destroy(source);
}

TestSuite(model_file, .init = make_document, .fini = drop_document);

/* Makes the checksum right again after the test has changed a byte, as an attacker or a wrong
 * program would, so that what lies behind it is reached. */
static void seal(void)
{
    size_t size = document.size - CHECKSUM_BYTES;
    uint64_t checksum = shoal_hash(document.bytes, size);
    memcpy(document.bytes + size, &checksum, CHECKSUM_BYTES);
}

/* Where the value behind the last `key` of the document begins. */
static uint8_t *value_of(const char *key)
{
    size_t length = strlen(key);
    for (size_t i = document.size - length; i > 0; i--)
        if (document.bytes[i - 1] == (0xa0 | length) && !memcmp(document.bytes + i, key, length))
            return document.bytes + i + length;
    cr_assert_fail("no key %s", key);
    return NULL;
}

static void expect_refusal(enum shoal_status expected, const char *words)
{
    struct shoal_model *model = (struct shoal_model *)&document;
    struct shoal_message message = {{0}};
    enum shoal_status status = shoal_model_parse(document.bytes, document.size, &model, &message);
    cr_expect_eq(status, expected, "%s (%s)", shoal_status_code(status), message.text);
    cr_expect(strstr(message.text, words), "\"%s\" says nothing of \"%s\"", message.text, words);
    cr_expect_null(model);
}

Test(model_file, a_model_comes_back_as_it_was_written)
{
    struct shoal_model *model;
    struct shoal_message message = {{0}};
    cr_assert_eq(shoal_model_parse(document.bytes, document.size, &model, &message), SHOAL_OK, "%s",
                 message.text);
    cr_expect_eq(model->id, source->id);
    cr_expect_eq(model->id, shoal_hash(document.bytes, document.size));
    cr_expect_str_eq(model->version, source->version);
    cr_expect_eq(strlen(model->version), 16);
    cr_expect(!memcmp(&model->params.dims, &source->params.dims, sizeof model->params.dims));
    cr_expect_eq(model->params.count, source->params.count);
    cr_expect(
        !memcmp(model->params.block, source->params.block, model->params.count * sizeof(float)));
    cr_expect(!memcmp(model->counter_mean, source->counter_mean, sizeof model->counter_mean));
    cr_expect(!memcmp(model->counter_deviation, source->counter_deviation,
                      sizeof model->counter_deviation));
    cr_expect(!memcmp(model->calibration, source->calibration, sizeof model->calibration));
    cr_expect(!memcmp(&model->reference, &source->reference, sizeof model->reference));
    cr_expect_eq(model->warm, source->warm);
    cr_expect_eq(model->hot, source->hot);
    cr_expect(!memcmp(&model->origin, &source->origin, sizeof model->origin));
    struct shoal_buffer again = {0};
    cr_assert_eq(shoal_model_serialize(model, &again), SHOAL_OK);
    cr_expect_eq(again.size, document.size);
    cr_expect(!memcmp(again.bytes, document.bytes, again.size));
    shoal_buffer_finish(&again);
    shoal_model_destroy(model);
}

Test(model_file, unknown_metrics_stay_unknown)
{
    struct shoal_model *model;
    source->origin.roc_auc = NAN;
    shoal_buffer_clear(&document);
    cr_assert_eq(shoal_model_serialize(source, &document), SHOAL_OK);
    cr_assert_eq(shoal_model_parse(document.bytes, document.size, &model, NULL), SHOAL_OK);
    cr_expect(isnan(model->origin.roc_auc));
    shoal_model_destroy(model);
}

Test(model_file, another_weight_makes_another_identity)
{
    uint64_t before = source->id;
    source->params.gates_weight[5] += 0.001f;
    shoal_buffer_clear(&document);
    cr_assert_eq(shoal_model_serialize(source, &document), SHOAL_OK);
    cr_expect_neq(source->id, before);
}

Test(model_file, every_truncation_is_refused)
{
    size_t size = document.size;
    for (size_t length = 0; length < size; length++) {
        struct shoal_model *model;
        enum shoal_status status = shoal_model_parse(document.bytes, length, &model, NULL);
        cr_assert(status == SHOAL_DAMAGED, "%zu bytes: %s", length, shoal_status_code(status));
    }
}

Test(model_file, a_truncated_big_model_is_refused)
{
    struct shoal_dims dims = shoal_dims_default();
    struct shoal_model *big = tiny_model(&dims, 9), *model;
    struct shoal_message message;
    cr_assert_not_null(big);
    shoal_buffer_clear(&document);
    cr_assert_eq(shoal_model_serialize(big, &document), SHOAL_OK);
    cr_assert_eq(shoal_model_parse(document.bytes, document.size, &model, &message), SHOAL_OK, "%s",
                 message.text);
    shoal_model_destroy(model);
    for (size_t length = 0; length < document.size; length += 1000)
        cr_assert_eq(shoal_model_parse(document.bytes, length, &model, NULL), SHOAL_DAMAGED);
    shoal_model_destroy(big);
}

Test(model_file, every_flipped_bit_is_noticed)
{
    for (size_t i = 0; i < document.size; i++) {
        struct shoal_model *model;
        document.bytes[i] ^= (uint8_t)(1u << i % 8);
        enum shoal_status status = shoal_model_parse(document.bytes, document.size, &model, NULL);
        cr_assert(status == SHOAL_DAMAGED || status == SHOAL_VERSION, "byte %zu: %s", i,
                  shoal_status_code(status));
        document.bytes[i] ^= (uint8_t)(1u << i % 8);
    }
    document.bytes[document.size / 2] ^= 1;
    expect_refusal(SHOAL_DAMAGED, "damaged (checksum)");
}

Test(model_file, something_else_is_called_no_model)
{
    static const char *const others[] = {"",
                                         "\x7f"
                                         "ELF",
                                         "{\"format\":\"onnx\"}",
                                         "\x81\xa1"
                                         "a\x01"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        shoal_buffer_clear(&document);
        shoal_buffer_append(&document, others[i], strlen(others[i]));
        expect_refusal(SHOAL_DAMAGED, "not a Shoal model");
    }
}

Test(model_file, another_version_is_refused_by_its_number)
{
    *value_of("version") = 7;
    expect_refusal(SHOAL_VERSION, "format version 7, this program reads 4");
}

Test(model_file, other_features_are_refused)
{
    uint8_t *features = value_of("features");
    cr_assert_eq(features[1], 0xa4); /* "item" */
    features[2] = 'I';
    seal();
    expect_refusal(SHOAL_VERSION, "features");
}

Test(model_file, other_counters_are_refused)
{
    uint8_t *names = value_of("names");
    names[2] = 'q'; /* "pv_1h" */
    seal();
    expect_refusal(SHOAL_VERSION, "counters");
}

Test(model_file, a_weight_that_is_not_finite_is_refused)
{
    const float bad[] = {NAN, INFINITY, -INFINITY};
    uint8_t *weights = value_of("head_hidden") + 3; /* bin 16 */
    for (int i = 0; i < 3; i++) {
        memcpy(weights + 4, &bad[i], sizeof bad[i]);
        seal();
        expect_refusal(SHOAL_DAMAGED, "head_hidden");
    }
}

Test(model_file, a_model_that_computes_something_else_fails_its_self_test)
{
    float weight;
    uint8_t *weights = value_of("head_hidden") + 3;
    memcpy(&weight, weights, sizeof weight);
    weight += 0.5f;
    memcpy(weights, &weight, sizeof weight);
    seal();
    expect_refusal(SHOAL_SELF_TEST, "fails its self-test: the score in fp32");
}

Test(model_file, an_expectation_that_is_not_a_number_fails_the_self_test)
{
    float bad = NAN;
    memcpy(value_of("c") + 2, &bad, sizeof bad); /* the last "c" is that of fp16 */
    seal();
    expect_refusal(SHOAL_SELF_TEST, "c[0] in fp16");
}

Test(model_file, thresholds_out_of_order_are_refused)
{
    uint8_t *warm = value_of("warm"), *hot = value_of("hot");
    cr_assert_eq(*warm, 0xca);
    memcpy(warm, hot, 5);
    seal();
    expect_refusal(SHOAL_DAMAGED, "thresholds");
}

Test(model_file, a_deviation_of_zero_is_refused)
{
    memset(value_of("deviation") + 2, 0, 4);
    seal();
    expect_refusal(SHOAL_DAMAGED, "counter");
}

Test(model_file, dimensions_out_of_range_are_refused)
{
    *value_of("hidden") = 17;
    seal();
    expect_refusal(SHOAL_DAMAGED, "multiple of 8");
    *value_of("hidden") = 8;
    seal();
    expect_refusal(SHOAL_DAMAGED, "hidden is 8");
}

Test(model_file, dimensions_larger_than_the_file_allocate_nothing)
{
    *value_of("item_width") = 127;
    *value_of("item_buckets") = 127;
    seal();
    expect_refusal(SHOAL_DAMAGED, "tensors");
}

Test(model_file, a_tensor_of_another_size_is_refused)
{
    *value_of("hidden") = 24;
    seal();
    expect_refusal(SHOAL_DAMAGED, "tensors");
    *value_of("hidden") = 16;
    *value_of("item_width") = 3;
    seal();
    expect_refusal(SHOAL_DAMAGED, "tensors");
}

Test(model_file, bytes_behind_the_document_are_refused)
{
    uint8_t zero[CHECKSUM_BYTES] = {0};
    shoal_buffer_append(&document, zero, sizeof zero);
    seal();
    expect_refusal(SHOAL_DAMAGED, "checksum");
}

Test(model_file, a_curve_of_calibration_comes_back_and_is_used)
{
    struct shoal_calibration_map *map = &source->calibration[SHOAL_buy_24h];
    *map = (struct shoal_calibration_map){.slope = 1, .knots = 3, .x = {-2, 0, 1}, .y = {-3, -1, 2}};
    shoal_buffer_clear(&document);
    cr_assert_eq(shoal_model_serialize(source, &document), SHOAL_OK);
    struct shoal_model *model;
    cr_assert_eq(shoal_model_parse(document.bytes, document.size, &model, NULL), SHOAL_OK);
    cr_expect(!memcmp(&model->calibration[SHOAL_buy_24h], map, sizeof *map));
    cr_expect_eq(shoal_calibration_apply(map, -9), -3);
    cr_expect_eq(shoal_calibration_apply(map, -1), -2);
    cr_expect_eq(shoal_calibration_apply(map, 0.5f), 0.5f);
    cr_expect_eq(shoal_calibration_apply(map, 7), 2);
    shoal_model_destroy(model);
}

Test(model_file, a_curve_of_calibration_that_falls_is_refused)
{
    struct shoal_message message = {{0}};
    source->calibration[SHOAL_buy_24h] =
        (struct shoal_calibration_map){.slope = 1, .knots = 2, .x = {0, 1}, .y = {1, 0.5f}};
    cr_expect_eq(shoal_model_save(source, "/nonexistent/m", &message), SHOAL_INVALID);
    cr_expect(strstr(message.text, "calibration of buy_24h"), "%s", message.text);
    source->calibration[SHOAL_buy_24h] =
        (struct shoal_calibration_map){.slope = 1, .knots = 2, .x = {1, 1}, .y = {0, 1}};
    cr_expect_eq(shoal_model_save(source, "/nonexistent/m", &message), SHOAL_INVALID);
}

Test(model_file, a_model_with_bad_values_is_not_written)
{
    struct shoal_message message = {{0}};
    source->params.head_bias[0] = NAN;
    cr_expect_eq(shoal_model_save(source, "/nonexistent/m", &message), SHOAL_INVALID);
    cr_expect(strstr(message.text, "not finite"));
}

Test(model_file, a_model_whose_states_are_no_numbers_is_not_written)
{
    source->params.head_hidden[0] = 3e38f;
    source->params.head_hidden[1] = 3e38f;
    source->calibration[0].slope = 3e38f;
    source->calibration[0].intercept = -INFINITY;
    shoal_buffer_clear(&document);
    cr_expect_eq(shoal_model_serialize(source, &document), SHOAL_INVALID);
    source->calibration[0].intercept = 0;
    for (int i = 0; i < 3; i++) /* infinity less infinity somewhere in the head */
        source->params.head_counters[i] = i % 2 ? -3e38f : 3e38f;
    for (int k = 0; k < SHOAL_COUNTERS; k++)
        source->counter_deviation[k] = 1e-30f;
    cr_expect_eq(shoal_model_serialize(source, &document), SHOAL_INVALID);
}

/* ---- on disk ------------------------------------------------------------------------------ */

static char folder[] = "/tmp/shoal-model-XXXXXX", path[64];

static void make_folder(void)
{
    make_document();
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/m.shoal", folder);
}

static void drop_folder(void)
{
    drop_document();
    unlink(path);
    cr_expect_eq(rmdir(folder), 0, "something was left behind in %s", folder);
}

TestSuite(model_disk, .init = make_folder, .fini = drop_folder);

Test(model_disk, a_saved_model_is_loaded_again)
{
    struct shoal_model *model;
    struct shoal_message message = {{0}};
    cr_assert_eq(shoal_model_save(source, path, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(shoal_model_save(source, path, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(shoal_model_load(path, &model, &message), SHOAL_OK, "%s", message.text);
    cr_expect_eq(model->id, source->id);
    shoal_model_destroy(model);
    /* Nothing but the model is left: drop_folder removes it and then the empty folder; asserted
     * here as well, since a failure in a fini is not counted. */
    unlink(path);
    cr_expect_eq(rmdir(folder), 0);
    cr_assert_eq(mkdir(folder, 0700), 0);
}

Test(model_disk, a_missing_file_is_named)
{
    struct shoal_model *model;
    struct shoal_message message = {{0}};
    cr_expect_eq(shoal_model_load(path, &model, &message), SHOAL_NOT_FOUND);
    cr_expect(strstr(message.text, "m.shoal: No such file"), "%s", message.text);
    cr_expect_null(model);
}

Test(model_disk, a_folder_is_no_model)
{
    struct shoal_model *model;
    struct shoal_message message = {{0}};
    cr_expect_eq(shoal_model_load(folder, &model, &message), SHOAL_IO);
    cr_expect(strstr(message.text, "not a regular file"), "%s", message.text);
}

Test(model_disk, a_damaged_file_is_named_with_the_reason)
{
    struct shoal_model *model;
    struct shoal_message message = {{0}};
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fwrite(document.bytes, 1, document.size - 1, file);
    fclose(file);
    cr_expect_eq(shoal_model_load(path, &model, &message), SHOAL_DAMAGED);
    cr_expect(strstr(message.text, "m.shoal: damaged (checksum)"), "%s", message.text);
    file = fopen(path, "w");
    cr_assert_not_null(file);
    cr_assert_eq(ftruncate(fileno(file), ((off_t)1 << 30) + 1), 0);
    fclose(file);
    cr_expect_eq(shoal_model_load(path, &model, &message), SHOAL_DAMAGED);
    cr_expect(strstr(message.text, "larger than 1 GiB"), "%s", message.text);
}

Test(model_disk, a_save_that_fails_leaves_the_old_file)
{
    struct shoal_message message = {{0}};
    char nowhere[80];
    snprintf(nowhere, sizeof nowhere, "%s/none/m.shoal", folder);
    cr_expect_eq(shoal_model_save(source, nowhere, &message), SHOAL_IO);
    cr_expect(strstr(message.text, "No such file"), "%s", message.text);
    cr_assert_eq(mkdir(path, 0700), 0); /* a folder cannot be replaced by a file */
    cr_expect_eq(shoal_model_save(source, path, &message), SHOAL_IO);
    cr_assert_eq(rmdir(path), 0);
    cr_expect_eq(rmdir(folder), 0, "a temporary file was left");
    cr_assert_eq(mkdir(folder, 0700), 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a model: one MessagePack map with these keys, in this order.
 *
 *   format      "shoal-model"
 *   version     1
 *   dims        {name: integer} for the seven fields of struct shoal_dims, in their order
 *   features    names of a step's inputs, in their order
 *   tensors     {name: binary}, names and shapes of SHOAL_PARAMS_LIST, row-major float32
 *   counters    {"names": [12 × text], "mean": binary, "deviation": binary}, 12 float32 each
 *   calibration {"slope": float, "intercept": float}        p = σ(slope·logit + intercept)
 *   thresholds  {"warm": float, "hot": float}                on p
 *   origin      {name: number} for the fields of struct shoal_model_origin, in their order
 *   self_test   {"events": [[time_ms, item, category, behavior, price_level] …],
 *                "fp32": {"h": binary, "c": binary, "score": float}, "fp16": the same}
 *   checksum    binary of 8: XXH3 (64 bits) of all bytes before these 8
 *
 * Binaries are little-endian. A reader of another version looks at the first two keys and at nothing
 * else. The order is fixed, so the same training gives the same bytes; their XXH3 is the model's
 * identity. Only files of this program are read: whatever stands in another place, has another type,
 * another size or a number that is not finite, is damage. Nothing is allocated before the bytes that
 * fill it are known to be there. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/hash.h"
#include "model/model.h"
#include "model/self_test.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "model files are little-endian");

enum {
    FORMAT_VERSION = 1,
    SECTIONS = 11,
    CHECKSUM_BYTES = 8,
    EVENT_FIELDS = 5,
    ORIGIN_FIELDS = 9,
};

#define FORMAT_NAME "shoal-model"
#define EVENT_TIME_MAX (INT64_C(1) << 53)

static const char *const feature_names[] = {
    "item",     "category",    "behavior",    "log2_gap_s", "hour_sin",
    "hour_cos", "weekday_sin", "weekday_cos", "price_level", "same_item",
    "same_category",
};

static const char *const counter_names[SHOAL_COUNTERS] = {
    "pv_1h",  "pv_1d",  "pv_7d",  "cart_1h", "cart_1d", "cart_7d",
    "fav_1h", "fav_1d", "fav_7d", "buy_1h",  "buy_1d",  "buy_7d",
};

enum { FEATURE_NAMES = sizeof feature_names / sizeof feature_names[0] };

/*  X(field of struct shoal_dims) */
#define DIMS_LIST(X)                                                                               \
    X(hidden)                                                                                      \
    X(item_buckets)                                                                                \
    X(item_width)                                                                                  \
    X(category_buckets)                                                                            \
    X(category_width)                                                                              \
    X(behavior_width)                                                                              \
    X(ring)

/*  X(field of struct shoal_model_origin, kind of number) */
#define ORIGIN_LIST(X)                                                                             \
    X(train_from_ms, int)                                                                          \
    X(train_until_ms, int)                                                                         \
    X(events_count, uint)                                                                          \
    X(users_count, uint)                                                                           \
    X(seed, uint)                                                                                  \
    X(data_fingerprint, uint)                                                                      \
    X(roc_auc, double)                                                                             \
    X(log_loss, double)                                                                            \
    X(base_rate, double)

static bool all_finite(const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return false;
    return true;
}

/* What must hold of a model whoever made it. */
static enum shoal_status check_values(const struct shoal_model *model,
                                      struct shoal_message *message)
{
    const struct shoal_dims *dims = &model->params.dims;
    for (unsigned t = 0; t < SHOAL_TENSOR_COUNT; t++) {
        struct shoal_tensor_info info = shoal_params_tensor(dims, (enum shoal_tensor)t);
        if (!all_finite(model->params.block + info.offset, info.rows * info.columns))
            return shoal_fail(message, SHOAL_DAMAGED, "damaged (%s has a weight that is not finite)",
                              info.name);
    }
    for (int k = 0; k < SHOAL_COUNTERS; k++)
        if (!isfinite(model->counter_mean[k]) || !isfinite(model->counter_deviation[k]) ||
            !(model->counter_deviation[k] > 0))
            return shoal_fail(message, SHOAL_DAMAGED, "damaged (scale of counter %s)",
                              counter_names[k]);
    if (!isfinite(model->platt_slope) || !isfinite(model->platt_intercept))
        return shoal_fail(message, SHOAL_DAMAGED, "damaged (calibration is not finite)");
    if (!(model->warm > 0 && model->warm < model->hot && model->hot < 1))
        return shoal_fail(message, SHOAL_DAMAGED,
                          "damaged (thresholds: need 0 < warm < hot < 1, have %g and %g)",
                          (double)model->warm, (double)model->hot);
    return SHOAL_OK;
}

static void set_identity(struct shoal_model *model, const void *bytes, size_t size)
{
    model->id = shoal_hash(bytes, size);
    if (!model->id)
        model->id = 1;
    snprintf(model->version, sizeof model->version, "%016" PRIx64, model->id);
}

/* ---- writing ------------------------------------------------------------------------------ */

static void pack_floats(struct shoal_buffer *out, const char *name, const float *values,
                        size_t count)
{
    shoal_pack_text(out, name);
    shoal_pack_bin(out, values, count * sizeof *values);
}

static void pack_names(struct shoal_buffer *out, const char *name, const char *const *names,
                       uint32_t count)
{
    shoal_pack_text(out, name);
    shoal_pack_array(out, count);
    for (uint32_t i = 0; i < count; i++)
        shoal_pack_text(out, names[i]);
}

static void pack_pair(struct shoal_buffer *out, const char *section, const char *first_name,
                      float first, const char *second_name, float second)
{
    shoal_pack_text(out, section);
    shoal_pack_map(out, 2);
    shoal_pack_text(out, first_name);
    shoal_pack_float(out, first);
    shoal_pack_text(out, second_name);
    shoal_pack_float(out, second);
}

static void pack_dims_and_tensors(struct shoal_buffer *out, const struct shoal_params *params)
{
    const struct shoal_dims *dims = &params->dims;
    shoal_pack_text(out, "dims");
    shoal_pack_map(out, 7);
#define X(field)                                                                                   \
    shoal_pack_text(out, #field);                                                                  \
    shoal_pack_uint(out, dims->field);
    DIMS_LIST(X)
#undef X
    pack_names(out, "features", feature_names, FEATURE_NAMES);
    shoal_pack_text(out, "tensors");
    shoal_pack_map(out, SHOAL_TENSOR_COUNT);
    for (unsigned t = 0; t < SHOAL_TENSOR_COUNT; t++) {
        struct shoal_tensor_info info = shoal_params_tensor(dims, (enum shoal_tensor)t);
        pack_floats(out, info.name, params->block + info.offset, info.rows * info.columns);
    }
}

static void pack_origin(struct shoal_buffer *out, const struct shoal_model_origin *origin)
{
    shoal_pack_text(out, "origin");
    shoal_pack_map(out, ORIGIN_FIELDS);
#define X(field, kind)                                                                             \
    shoal_pack_text(out, #field);                                                                  \
    shoal_pack_##kind(out, origin->field);
    ORIGIN_LIST(X)
#undef X
}

static enum shoal_status pack_result(struct shoal_buffer *out, const struct shoal_model *model,
                                     const struct shoal_self_test *test,
                                     enum shoal_precision precision)
{
    struct shoal_self_test_result result;
    enum shoal_status status = shoal_self_test_run(model, test, precision, &result);
    if (status != SHOAL_OK)
        return status;
    shoal_pack_text(out, precision == SHOAL_FP16 ? "fp16" : "fp32");
    shoal_pack_map(out, 3);
    pack_floats(out, "h", result.h, model->params.dims.hidden);
    pack_floats(out, "c", result.c, model->params.dims.hidden);
    shoal_pack_text(out, "score");
    shoal_pack_float(out, result.score);
    return SHOAL_OK;
}

static enum shoal_status pack_self_test(struct shoal_buffer *out, const struct shoal_model *model)
{
    struct shoal_self_test test;
    shoal_self_test_default(&test);
    shoal_pack_text(out, "self_test");
    shoal_pack_map(out, 3);
    shoal_pack_text(out, "events");
    shoal_pack_array(out, test.count);
    for (uint32_t i = 0; i < test.count; i++) {
        const struct shoal_touch *event = &test.events[i];
        shoal_pack_array(out, EVENT_FIELDS);
        shoal_pack_int(out, event->time_ms);
        shoal_pack_uint(out, event->item);
        shoal_pack_uint(out, event->category);
        shoal_pack_uint(out, event->behavior);
        shoal_pack_uint(out, event->price_level);
    }
    enum shoal_status status = pack_result(out, model, &test, SHOAL_FP32);
    return status == SHOAL_OK ? pack_result(out, model, &test, SHOAL_FP16) : status;
}

enum shoal_status shoal_model_serialize(struct shoal_model *model, struct shoal_buffer *out)
{
    enum shoal_status status = check_values(model, NULL);
    if (status != SHOAL_OK)
        return SHOAL_INVALID;
    size_t start = out->size;
    shoal_pack_map(out, SECTIONS);
    shoal_pack_text(out, "format");
    shoal_pack_text(out, FORMAT_NAME);
    shoal_pack_text(out, "version");
    shoal_pack_uint(out, FORMAT_VERSION);
    pack_dims_and_tensors(out, &model->params);
    shoal_pack_text(out, "counters");
    shoal_pack_map(out, 3);
    pack_names(out, "names", counter_names, SHOAL_COUNTERS);
    pack_floats(out, "mean", model->counter_mean, SHOAL_COUNTERS);
    pack_floats(out, "deviation", model->counter_deviation, SHOAL_COUNTERS);
    pack_pair(out, "calibration", "slope", model->platt_slope, "intercept",
              model->platt_intercept);
    pack_pair(out, "thresholds", "warm", model->warm, "hot", model->hot);
    pack_origin(out, &model->origin);
    status = pack_self_test(out, model);
    if (status != SHOAL_OK)
        return status;
    shoal_pack_text(out, "checksum");
    shoal_pack_bin(out, "\0\0\0\0\0\0\0", CHECKSUM_BYTES);
    if (out->failed)
        return SHOAL_NOMEM;
    uint8_t *document = out->bytes + start;
    size_t size = out->size - start;
    uint64_t checksum = shoal_hash(document, size - CHECKSUM_BYTES);
    memcpy(document + size - CHECKSUM_BYTES, &checksum, CHECKSUM_BYTES);
    set_identity(model, document, size);
    return SHOAL_OK;
}

/* ---- reading ------------------------------------------------------------------------------ */

/* The next value is this text; the reader fails otherwise. */
static bool expect_text(struct shoal_unpack *in, const char *text)
{
    size_t size;
    const char *found = shoal_unpack_str(in, &size);
    if (found && size == strlen(text) && !memcmp(found, text, size))
        return true;
    shoal_unpack_fail(in);
    return false;
}

static void expect_map(struct shoal_unpack *in, const char *name, uint32_t count)
{
    expect_text(in, name);
    if (shoal_unpack_map(in, count) != count)
        shoal_unpack_fail(in);
}

/* Fills `values` from the binary under `name`, which must have just that size. */
static void read_floats(struct shoal_unpack *in, const char *name, float *values, size_t count)
{
    size_t size = 0;
    expect_text(in, name);
    const void *bytes = shoal_unpack_bin(in, &size);
    if (bytes && size == count * sizeof *values)
        memcpy(values, bytes, size);
    else
        shoal_unpack_fail(in);
}

static float read_float(struct shoal_unpack *in, const char *name)
{
    expect_text(in, name);
    double value = shoal_unpack_double(in);
    if (!(fabs(value) <= FLT_MAX))
        shoal_unpack_fail(in);
    return in->status == SHOAL_OK ? (float)value : 0.0f;
}

/* True if the texts are these, false if they are others; fails the reader if there are none. */
static bool same_names(struct shoal_unpack *in, const char *name, const char *const *names,
                       uint32_t count)
{
    expect_text(in, name);
    uint32_t found_count = shoal_unpack_array(in, 1024);
    bool same = found_count == count;
    for (uint32_t i = 0; i < found_count; i++) {
        size_t size;
        const char *found = shoal_unpack_str(in, &size);
        if (!found)
            return false;
        same = same && size == strlen(names[i]) && !memcmp(found, names[i], size);
    }
    return same;
}

/* The first two keys, whatever version it is. */
static enum shoal_status read_head(struct shoal_unpack *in, struct shoal_message *message)
{
    (void)shoal_unpack_map(in, 1024);
    if (!expect_text(in, "format") || !expect_text(in, FORMAT_NAME))
        return shoal_fail(message, SHOAL_DAMAGED, "not a Shoal model");
    expect_text(in, "version");
    uint64_t version = shoal_unpack_uint(in, UINT64_MAX);
    if (in->status != SHOAL_OK)
        return shoal_fail(message, SHOAL_DAMAGED, "not a Shoal model (no format version)");
    if (version != FORMAT_VERSION)
        return shoal_fail(message, SHOAL_VERSION, "format version %" PRIu64
                          ", this program reads %d", version, FORMAT_VERSION);
    return SHOAL_OK;
}

static enum shoal_status check_sum(const uint8_t *bytes, size_t size,
                                   struct shoal_message *message)
{
    uint64_t checksum;
    if (size > CHECKSUM_BYTES) {
        memcpy(&checksum, bytes + size - CHECKSUM_BYTES, CHECKSUM_BYTES);
        if (checksum == shoal_hash(bytes, size - CHECKSUM_BYTES))
            return SHOAL_OK;
    }
    return shoal_fail(message, SHOAL_DAMAGED, "damaged (checksum)");
}

static enum shoal_status damaged_in(const char *section, struct shoal_message *message)
{
    return shoal_fail(message, SHOAL_DAMAGED, "damaged (in \"%s\")", section);
}

static enum shoal_status read_params(struct shoal_unpack *in, struct shoal_params *params,
                                     struct shoal_message *message)
{
    struct shoal_dims dims = {0};
    expect_map(in, "dims", 7);
#define X(field)                                                                                   \
    expect_text(in, #field);                                                                       \
    dims.field = (uint32_t)shoal_unpack_uint(in, UINT32_MAX);
    DIMS_LIST(X)
#undef X
    struct shoal_message reason;
    if (in->status != SHOAL_OK)
        return damaged_in("dims", message);
    if (shoal_dims_check(&dims, &reason) != SHOAL_OK)
        return shoal_fail(message, SHOAL_DAMAGED, "damaged (in \"dims\": %s)", reason.text);
    bool same = same_names(in, "features", feature_names, FEATURE_NAMES);
    expect_map(in, "tensors", SHOAL_TENSOR_COUNT);
    if (in->status == SHOAL_OK && !same)
        return shoal_fail(message, SHOAL_VERSION,
                          "made for other input features than this program computes");
    uint64_t bytes = 0;
    for (unsigned t = 0; t < SHOAL_TENSOR_COUNT; t++) {
        struct shoal_tensor_info info = shoal_params_tensor(&dims, (enum shoal_tensor)t);
        bytes += (uint64_t)info.rows * info.columns * sizeof(float);
    }
    if (in->status != SHOAL_OK || bytes > in->size - in->position)
        return damaged_in("tensors", message);
    enum shoal_status status = shoal_params_init(params, &dims);
    if (status != SHOAL_OK)
        return shoal_fail(message, status, "out of memory for the parameters");
    for (unsigned t = 0; t < SHOAL_TENSOR_COUNT; t++) {
        struct shoal_tensor_info info = shoal_params_tensor(&dims, (enum shoal_tensor)t);
        read_floats(in, info.name, params->block + info.offset, info.rows * info.columns);
    }
    return in->status == SHOAL_OK ? SHOAL_OK : damaged_in("tensors", message);
}

static enum shoal_status read_scales(struct shoal_unpack *in, struct shoal_model *model,
                                     struct shoal_message *message)
{
    expect_map(in, "counters", 3);
    bool same = same_names(in, "names", counter_names, SHOAL_COUNTERS);
    read_floats(in, "mean", model->counter_mean, SHOAL_COUNTERS);
    read_floats(in, "deviation", model->counter_deviation, SHOAL_COUNTERS);
    if (in->status != SHOAL_OK)
        return damaged_in("counters", message);
    if (!same)
        return shoal_fail(message, SHOAL_VERSION,
                          "made for other counters than this program keeps");
    expect_map(in, "calibration", 2);
    model->platt_slope = read_float(in, "slope");
    model->platt_intercept = read_float(in, "intercept");
    expect_map(in, "thresholds", 2);
    model->warm = read_float(in, "warm");
    model->hot = read_float(in, "hot");
    return in->status == SHOAL_OK ? SHOAL_OK : damaged_in("calibration", message);
}

static int64_t read_int(struct shoal_unpack *in)
{
    return shoal_unpack_int(in, INT64_MIN, INT64_MAX);
}

static uint64_t read_uint(struct shoal_unpack *in)
{
    return shoal_unpack_uint(in, UINT64_MAX);
}

static double read_double(struct shoal_unpack *in)
{
    return shoal_unpack_double(in);
}

static enum shoal_status read_origin(struct shoal_unpack *in, struct shoal_model_origin *origin,
                                     struct shoal_message *message)
{
    expect_map(in, "origin", ORIGIN_FIELDS);
#define X(field, kind)                                                                             \
    expect_text(in, #field);                                                                       \
    origin->field = read_##kind(in);
    ORIGIN_LIST(X)
#undef X
    return in->status == SHOAL_OK ? SHOAL_OK : damaged_in("origin", message);
}

static void read_events(struct shoal_unpack *in, struct shoal_self_test *test)
{
    int64_t previous_ms = 0;
    expect_text(in, "events");
    test->count = shoal_unpack_array(in, SHOAL_SELF_TEST_EVENTS_MAX);
    if (!test->count)
        shoal_unpack_fail(in);
    for (uint32_t i = 0; i < test->count && in->status == SHOAL_OK; i++) {
        struct shoal_touch *event = &test->events[i];
        if (shoal_unpack_array(in, EVENT_FIELDS) != EVENT_FIELDS)
            shoal_unpack_fail(in);
        event->time_ms = shoal_unpack_int(in, previous_ms, EVENT_TIME_MAX);
        event->item = (uint32_t)shoal_unpack_uint(in, UINT32_MAX);
        event->category = (uint16_t)shoal_unpack_uint(in, UINT16_MAX);
        event->behavior = (uint8_t)shoal_unpack_uint(in, SHOAL_BEHAVIOR_COUNT - 1);
        event->price_level = (uint8_t)shoal_unpack_uint(in, SHOAL_PRICE_LEVELS - 1);
        previous_ms = event->time_ms;
    }
}

/* Reads the expected result for one precision, computes it, compares. */
static enum shoal_status repeat_result(struct shoal_unpack *in, const struct shoal_model *model,
                                       const struct shoal_self_test *test,
                                       enum shoal_precision precision,
                                       struct shoal_message *message)
{
    struct shoal_self_test_result expected = {0}, got;
    expect_map(in, precision == SHOAL_FP16 ? "fp16" : "fp32", 3);
    read_floats(in, "h", expected.h, model->params.dims.hidden);
    read_floats(in, "c", expected.c, model->params.dims.hidden);
    expected.score = read_float(in, "score");
    if (in->status != SHOAL_OK)
        return damaged_in("self_test", message);
    enum shoal_status status = shoal_self_test_run(model, test, precision, &got);
    if (status != SHOAL_OK)
        return shoal_fail(message, status, "out of memory for the self-test");
    return shoal_self_test_compare(model, precision, &expected, &got, message);
}

static enum shoal_status read_self_test(struct shoal_unpack *in, const struct shoal_model *model,
                                        struct shoal_message *message)
{
    struct shoal_self_test test;
    expect_map(in, "self_test", 3);
    read_events(in, &test);
    if (in->status != SHOAL_OK)
        return damaged_in("self_test", message);
    enum shoal_status status = repeat_result(in, model, &test, SHOAL_FP32, message);
    if (status == SHOAL_OK)
        status = repeat_result(in, model, &test, SHOAL_FP16, message);
    return status;
}

static enum shoal_status read_document(const uint8_t *bytes, size_t size,
                                       struct shoal_model *model, struct shoal_message *message)
{
    struct shoal_unpack in;
    size_t checksum_size;
    shoal_unpack_init(&in, bytes, size);
    enum shoal_status status = read_head(&in, message);
    if (status == SHOAL_OK)
        status = check_sum(bytes, size, message);
    if (status == SHOAL_OK)
        status = read_params(&in, &model->params, message);
    if (status == SHOAL_OK)
        status = read_scales(&in, model, message);
    if (status == SHOAL_OK)
        status = read_origin(&in, &model->origin, message);
    if (status == SHOAL_OK)
        status = check_values(model, message);
    if (status == SHOAL_OK)
        status = read_self_test(&in, model, message);
    if (status != SHOAL_OK)
        return status;
    expect_text(&in, "checksum");
    (void)shoal_unpack_bin(&in, &checksum_size);
    if (in.status != SHOAL_OK || checksum_size != CHECKSUM_BYTES || in.position != size)
        return damaged_in("checksum", message);
    return SHOAL_OK;
}

enum shoal_status shoal_model_parse(const void *bytes, size_t size, struct shoal_model **model,
                                    struct shoal_message *message)
{
    *model = NULL;
    struct shoal_model *made = calloc(1, sizeof *made);
    if (!made)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    enum shoal_status status = read_document(bytes, size, made, message);
    if (status != SHOAL_OK) {
        shoal_model_destroy(made);
        return status;
    }
    set_identity(made, bytes, size);
    *model = made;
    return SHOAL_OK;
}

void shoal_model_destroy(struct shoal_model *model)
{
    if (!model)
        return;
    shoal_params_finish(&model->params);
    free(model);
}

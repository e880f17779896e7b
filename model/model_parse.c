/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a model from bytes that may come from anywhere; the format stands in model_file.c.
 *
 * Every read goes through the cursor with its sticky error, so a section is read straight on and
 * looked at once at its end. The checksum is looked at first: behind it, damage is not an accident
 * but another program's idea of the format, and the self-test has the last word. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/hash.h"
#include "model/fields.h"
#include "model/model_format.h"
#include "model/self_test.h"
#include "model/user_vector.h"

/* True if the texts are these, false if they are others; fails the reader if there are none. */
static bool same_names(struct shoal_unpack *in, const char *name, const char *const *names,
                       uint32_t count)
{
    shoal_fields_expect(in, name);
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
    if (!shoal_fields_expect(in, "format") || !shoal_fields_expect(in, SHOAL_MODEL_NAME))
        return shoal_fail(message, SHOAL_DAMAGED, "not a Shoal model");
    shoal_fields_expect(in, "version");
    uint64_t version = shoal_unpack_uint(in, UINT64_MAX);
    if (in->status != SHOAL_OK)
        return shoal_fail(message, SHOAL_DAMAGED, "not a Shoal model (no format version)");
    if (version != SHOAL_MODEL_FORMAT)
        return shoal_fail(message, SHOAL_VERSION,
                          "format version %" PRIu64 ", this program reads %d", version,
                          SHOAL_MODEL_FORMAT);
    return SHOAL_OK;
}

static enum shoal_status check_sum(const uint8_t *bytes, size_t size, struct shoal_message *message)
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
    shoal_fields_map(in, "dims", 7);
#define X(field)                                                                                   \
    shoal_fields_expect(in, #field);                                                                       \
    dims.field = (uint32_t)shoal_unpack_uint(in, UINT32_MAX);
    DIMS_LIST(X)
#undef X
    struct shoal_message reason;
    if (in->status != SHOAL_OK)
        return damaged_in("dims", message);
    if (shoal_dims_check(&dims, &reason) != SHOAL_OK)
        return shoal_fail(message, SHOAL_DAMAGED, "damaged (in \"dims\": %s)", reason.text);
    bool same = same_names(in, "features", shoal_model_features, FEATURE_NAMES);
    shoal_fields_map(in, "tensors", SHOAL_TENSOR_COUNT);
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
        shoal_fields_floats(in, info.name, params->block + info.offset, info.rows * info.columns);
    }
    return in->status == SHOAL_OK ? SHOAL_OK : damaged_in("tensors", message);
}

static void read_calibration(struct shoal_unpack *in, struct shoal_calibration_map *maps)
{
    shoal_fields_map(in, "calibration", SHOAL_TASKS);
    for (int task = 0; task < SHOAL_TASKS; task++) {
        struct shoal_calibration_map *map = &maps[task];
        shoal_fields_map(in, shoal_task_info((enum shoal_task)task)->name, 4);
        map->slope = shoal_fields_float(in, "slope");
        map->intercept = shoal_fields_float(in, "intercept");
        map->knots = shoal_fields_some_floats(in, "x", map->x, SHOAL_KNOTS_MAX);
        if (shoal_fields_some_floats(in, "y", map->y, SHOAL_KNOTS_MAX) != map->knots)
            shoal_unpack_fail(in);
    }
}

static enum shoal_status read_reference(struct shoal_unpack *in, struct shoal_reference *reference,
                                        struct shoal_message *message)
{
    shoal_fields_map(in, "reference", 5);
    shoal_fields_expect(in, "samples");
    reference->samples = shoal_unpack_uint(in, UINT64_MAX);
    shoal_fields_expect(in, "users");
    reference->users = shoal_unpack_uint(in, UINT64_MAX);
    shoal_fields_expect(in, "distributions");
    uint32_t count = shoal_unpack_array(in, SHOAL_REFERENCES_MAX);
    for (uint32_t i = 0; i < count && in->status == SHOAL_OK; i++) {
        size_t size = 0;
        const char *name = shoal_unpack_str(in, &size);
        if (name && size < SHOAL_REFERENCE_NAME)
            memcpy(reference->distributions[i].name, name, size);
        else
            shoal_unpack_fail(in);
    }
    shoal_fields_expect(in, "bounds");
    if (shoal_unpack_array(in, SHOAL_REFERENCES_MAX) != count)
        shoal_unpack_fail(in);
    for (uint32_t i = 0; i < count && in->status == SHOAL_OK; i++)
        reference->distributions[i].bins =
            1 + shoal_fields_some_floats(in, NULL, reference->distributions[i].bounds,
                                 SHOAL_REFERENCE_BINS - 1);
    shoal_fields_expect(in, "shares");
    if (shoal_unpack_array(in, SHOAL_REFERENCES_MAX) != count)
        shoal_unpack_fail(in);
    for (uint32_t i = 0; i < count && in->status == SHOAL_OK; i++)
        if (shoal_fields_some_floats(in, NULL, reference->distributions[i].shares, SHOAL_REFERENCE_BINS) !=
            reference->distributions[i].bins)
            shoal_unpack_fail(in);
    reference->count = count;
    return in->status == SHOAL_OK ? SHOAL_OK : damaged_in("reference", message);
}

static enum shoal_status read_scales(struct shoal_unpack *in, struct shoal_model *model,
                                     struct shoal_message *message)
{
    shoal_fields_map(in, "counters", 3);
    bool same = same_names(in, "names", shoal_model_counters, SHOAL_COUNTERS);
    shoal_fields_floats(in, "mean", model->counter_mean, SHOAL_COUNTERS);
    shoal_fields_floats(in, "deviation", model->counter_deviation, SHOAL_COUNTERS);
    if (in->status != SHOAL_OK)
        return damaged_in("counters", message);
    if (!same)
        return shoal_fail(message, SHOAL_VERSION,
                          "made for other counters than this program keeps");
    read_calibration(in, model->calibration);
    shoal_fields_map(in, "thresholds", 2);
    model->warm = shoal_fields_float(in, "warm");
    model->hot = shoal_fields_float(in, "hot");
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
    shoal_fields_map(in, "origin", ORIGIN_FIELDS);
#define X(field, kind)                                                                             \
    shoal_fields_expect(in, #field);                                                                       \
    origin->field = read_##kind(in);
    ORIGIN_LIST(X)
#undef X
    return in->status == SHOAL_OK ? SHOAL_OK : damaged_in("origin", message);
}

static void read_events(struct shoal_unpack *in, struct shoal_self_test *test)
{
    int64_t previous_ms = 0;
    shoal_fields_expect(in, "events");
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
    shoal_fields_map(in, precision == SHOAL_FP16 ? "fp16" : "fp32", 3);
    shoal_fields_floats(in, "h", expected.h, model->params.dims.hidden);
    shoal_fields_floats(in, "c", expected.c, model->params.dims.hidden);
    expected.score = shoal_fields_float(in, "score");
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
    shoal_fields_map(in, "self_test", 3);
    read_events(in, &test);
    if (in->status != SHOAL_OK)
        return damaged_in("self_test", message);
    enum shoal_status status = repeat_result(in, model, &test, SHOAL_FP32, message);
    if (status == SHOAL_OK)
        status = repeat_result(in, model, &test, SHOAL_FP16, message);
    return status;
}

/* What is learnt on top of the user vector; each may be missing. */
static enum shoal_status read_sections(struct shoal_unpack *in, struct shoal_model *model,
                                       struct shoal_message *message)
{
    size_t vector = shoal_user_vector_size(model), hidden = model->params.dims.hidden;
    enum shoal_status status = SHOAL_OK;
#define X(section, size)                                                                           \
    if (status == SHOAL_OK) {                                                                      \
        shoal_fields_expect(in, #section);                                                         \
        status = shoal_##section##_unpack(in, size, &model->section, message);                     \
    }                                                                                              \
    if (status == SHOAL_OK && in->status != SHOAL_OK)                                              \
        status = damaged_in(#section, message);
    SECTION_LIST(X)
#undef X
    return status;
}

static enum shoal_status read_document(const uint8_t *bytes, size_t size, struct shoal_model *model,
                                       struct shoal_message *message)
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
        status = read_reference(&in, &model->reference, message);
    if (status == SHOAL_OK)
        status = read_sections(&in, model, message);
    if (status == SHOAL_OK)
        status = shoal_model_check(model, message);
    if (status == SHOAL_OK)
        status = read_self_test(&in, model, message);
    if (status != SHOAL_OK)
        return status;
    shoal_fields_expect(&in, "checksum");
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
    shoal_items_bind(made->items, made);
    shoal_model_identify(made, bytes, size);
    *model = made;
    return SHOAL_OK;
}

void shoal_model_destroy(struct shoal_model *model)
{
    if (!model)
        return;
    shoal_params_finish(&model->params);
#define X(section, size) shoal_##section##_destroy(model->section);
    SECTION_LIST(X)
#undef X
    free(model);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a model, and how they are written (model_parse.c reads them): one MessagePack map
 * with these keys, in this order.
 *
 *   format      "shoal-model"
 *   version     4
 *   dims        {name: integer} for the seven fields of struct shoal_dims, in their order
 *   features    names of a step's inputs, in their order
 *   tensors     {name: binary}, names and shapes of SHOAL_PARAMS_LIST, row-major float32
 *   counters    {"names": [12 × text], "mean": binary, "deviation": binary}, 12 float32 each
 *   calibration {task: {"slope": float, "intercept": float, "x": binary, "y": binary}} for the tasks of
 *               tasks.h, in their order; x and y: knots of the curve, float32 each, empty for a line
 *   thresholds  {"warm": float, "hot": float}                on p
 *   origin      {name: number} for the fields of struct shoal_model_origin, in their order
 *   reference   {"samples": integer, "users": integer, "distributions": [text …], "bounds": [binary …],
 *                "shares": [binary …]}: the distributions of reference.h, float32 each
 *   clusters    nil or the map of clusters.c: deep clustering
 *   value       nil or the map of value.c: customer value
 *   uplift      nil or the map of uplift.c: engagement, prompted or organic
 *   items       nil or the map of items_file.c: the catalogue and what a user turns to next
 *   self_test   {"events": [[time_ms, item, category, behavior, price_level] …],
 *                "fp32": {"h": binary, "c": binary, "score": float}, "fp16": the same}
 *   checksum    binary of 8: XXH3 (64 bits) of all bytes before these 8
 *
 * Binaries are little-endian. A reader of another version looks at the first two keys and at
 * nothing else. The order is fixed, so the same training gives the same bytes; their XXH3 is the
 * model's identity. Only files of this program are read: whatever stands in another place, has
 * another type, another size or a number that is not finite, is damage. Nothing is allocated before
 * the bytes that fill it are known to be there. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/base/hash.h"
#include "model/fields.h"
#include "model/model_format.h"
#include "model/self_test.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "model files are little-endian");

const char *const shoal_model_features[FEATURE_NAMES] = {
    "item",        "category",    "behavior",    "log2_gap_s", "hour_sin",      "hour_cos",
    "weekday_sin", "weekday_cos", "price_level", "same_item",  "same_category",
};

const char *const shoal_model_counters[SHOAL_COUNTERS] = {
    "pv_1h",  "pv_1d",  "pv_7d",  "cart_1h", "cart_1d", "cart_7d",
    "fav_1h", "fav_1d", "fav_7d", "buy_1h",  "buy_1d",  "buy_7d",
};

static bool sound_map(const struct shoal_calibration_map *map)
{
    if (!isfinite(map->slope) || !isfinite(map->intercept) || map->knots == 1 ||
        map->knots > SHOAL_KNOTS_MAX || !shoal_fields_finite(map->x, map->knots) ||
        !shoal_fields_finite(map->y, map->knots))
        return false;
    for (uint32_t i = 1; i < map->knots; i++)
        if (!(map->x[i] > map->x[i - 1]) || !(map->y[i] >= map->y[i - 1]))
            return false;
    return true;
}

static bool sound_distribution(const struct shoal_distribution *d)
{
    if (d->bins < 2 || d->bins > SHOAL_REFERENCE_BINS || !shoal_fields_finite(d->bounds, d->bins - 1) ||
        !shoal_fields_finite(d->shares, d->bins) || !memchr(d->name, '\0', sizeof d->name))
        return false;
    for (uint32_t i = 1; i + 1 < d->bins; i++)
        if (!(d->bounds[i] > d->bounds[i - 1]))
            return false;
    for (uint32_t i = 0; i < d->bins; i++)
        if (!(d->shares[i] >= 0))
            return false;
    return true;
}

/* What must hold of a model whoever made it. */
enum shoal_status shoal_model_check(const struct shoal_model *model, struct shoal_message *message)
{
    const struct shoal_dims *dims = &model->params.dims;
    for (unsigned t = 0; t < SHOAL_TENSOR_COUNT; t++) {
        struct shoal_tensor_info info = shoal_params_tensor(dims, (enum shoal_tensor)t);
        if (!shoal_fields_finite(model->params.block + info.offset, info.rows * info.columns))
            return shoal_fail(message, SHOAL_DAMAGED,
                              "damaged (%s has a weight that is not finite)", info.name);
    }
    for (int k = 0; k < SHOAL_COUNTERS; k++)
        if (!isfinite(model->counter_mean[k]) || !isfinite(model->counter_deviation[k]) ||
            !(model->counter_deviation[k] > 0))
            return shoal_fail(message, SHOAL_DAMAGED, "damaged (scale of counter %s)",
                              shoal_model_counters[k]);
    for (int task = 0; task < SHOAL_TASKS; task++)
        if (!sound_map(&model->calibration[task]))
            return shoal_fail(message, SHOAL_DAMAGED, "damaged (calibration of %s)",
                              shoal_task_info((enum shoal_task)task)->name);
    for (uint32_t i = 0; i < model->reference.count; i++)
        if (!sound_distribution(&model->reference.distributions[i]))
            return shoal_fail(message, SHOAL_DAMAGED, "damaged (reference distribution %u)", i);
    if (!(model->warm > 0 && model->warm < model->hot && model->hot < 1))
        return shoal_fail(message, SHOAL_DAMAGED,
                          "damaged (thresholds: need 0 < warm < hot < 1, have %g and %g)",
                          (double)model->warm, (double)model->hot);
    return SHOAL_OK;
}

void shoal_model_identify(struct shoal_model *model, const void *bytes, size_t size)
{
    model->id = shoal_hash(bytes, size);
    if (!model->id)
        model->id = 1;
    snprintf(model->version, sizeof model->version, "%016" PRIx64, model->id);
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
    shoal_fields_pack_float(out, first_name, first);
    shoal_fields_pack_float(out, second_name, second);
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
    pack_names(out, "features", shoal_model_features, FEATURE_NAMES);
    shoal_pack_text(out, "tensors");
    shoal_pack_map(out, SHOAL_TENSOR_COUNT);
    for (unsigned t = 0; t < SHOAL_TENSOR_COUNT; t++) {
        struct shoal_tensor_info info = shoal_params_tensor(dims, (enum shoal_tensor)t);
        shoal_fields_pack_floats(out, info.name, params->block + info.offset, info.rows * info.columns);
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

static void pack_calibration(struct shoal_buffer *out, const struct shoal_calibration_map *maps)
{
    shoal_pack_text(out, "calibration");
    shoal_pack_map(out, SHOAL_TASKS);
    for (int task = 0; task < SHOAL_TASKS; task++) {
        shoal_pack_text(out, shoal_task_info((enum shoal_task)task)->name);
        shoal_pack_map(out, 4);
        shoal_fields_pack_float(out, "slope", maps[task].slope);
        shoal_fields_pack_float(out, "intercept", maps[task].intercept);
        shoal_fields_pack_floats(out, "x", maps[task].x, maps[task].knots);
        shoal_fields_pack_floats(out, "y", maps[task].y, maps[task].knots);
    }
}

static void pack_reference(struct shoal_buffer *out, const struct shoal_reference *reference)
{
    shoal_pack_text(out, "reference");
    shoal_pack_map(out, 5);
    shoal_fields_pack_uint(out, "samples", reference->samples);
    shoal_fields_pack_uint(out, "users", reference->users);
    shoal_pack_text(out, "distributions");
    shoal_pack_array(out, reference->count);
    for (uint32_t i = 0; i < reference->count; i++)
        shoal_pack_text(out, reference->distributions[i].name);
    shoal_pack_text(out, "bounds");
    shoal_pack_array(out, reference->count);
    for (uint32_t i = 0; i < reference->count; i++)
        shoal_pack_bin(out, reference->distributions[i].bounds,
                       (reference->distributions[i].bins - 1) * sizeof(float));
    shoal_pack_text(out, "shares");
    shoal_pack_array(out, reference->count);
    for (uint32_t i = 0; i < reference->count; i++)
        shoal_pack_bin(out, reference->distributions[i].shares,
                       reference->distributions[i].bins * sizeof(float));
}

static enum shoal_status pack_result(struct shoal_buffer *out, const struct shoal_model *model,
                                     const struct shoal_self_test *test,
                                     enum shoal_precision precision)
{
    struct shoal_self_test_result result;
    enum shoal_status status = shoal_self_test_run(model, test, precision, &result);
    if (status != SHOAL_OK)
        return status;
    size_t hidden = model->params.dims.hidden;
    if (!shoal_fields_finite(result.h, hidden) || !shoal_fields_finite(result.c, hidden) || !isfinite(result.score))
        return SHOAL_INVALID;
    shoal_pack_text(out, precision == SHOAL_FP16 ? "fp16" : "fp32");
    shoal_pack_map(out, 3);
    shoal_fields_pack_floats(out, "h", result.h, hidden);
    shoal_fields_pack_floats(out, "c", result.c, hidden);
    shoal_fields_pack_float(out, "score", result.score);
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
    enum shoal_status status = shoal_model_check(model, NULL);
    if (status != SHOAL_OK)
        return SHOAL_INVALID;
    size_t start = out->size;
    shoal_pack_map(out, SECTIONS);
    shoal_pack_text(out, "format");
    shoal_pack_text(out, SHOAL_MODEL_NAME);
    shoal_fields_pack_uint(out, "version", SHOAL_MODEL_FORMAT);
    pack_dims_and_tensors(out, &model->params);
    shoal_pack_text(out, "counters");
    shoal_pack_map(out, 3);
    pack_names(out, "names", shoal_model_counters, SHOAL_COUNTERS);
    shoal_fields_pack_floats(out, "mean", model->counter_mean, SHOAL_COUNTERS);
    shoal_fields_pack_floats(out, "deviation", model->counter_deviation, SHOAL_COUNTERS);
    pack_calibration(out, model->calibration);
    pack_pair(out, "thresholds", "warm", model->warm, "hot", model->hot);
    pack_origin(out, &model->origin);
    pack_reference(out, &model->reference);
#define X(section, size)                                                                           \
    shoal_pack_text(out, #section);                                                                \
    shoal_##section##_pack(model->section, out);
    SECTION_LIST(X)
#undef X
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
    shoal_model_identify(model, document, size);
    return SHOAL_OK;
}

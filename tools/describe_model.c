/* SPDX-License-Identifier: Apache-2.0 */
/* A model's figures as JSON; see describe_model.h. */
#include "tools/describe_model.h"

#include <inttypes.h>

#include "tools/json_print.h"

static void put_dims(const struct shoal_dims *dims, FILE *out)
{
    fprintf(out,
            "\"dims\":{\"hidden\":%u,\"item_buckets\":%u,\"item_width\":%u,"
            "\"category_buckets\":%u,\"category_width\":%u,\"behavior_width\":%u,\"ring\":%u,"
            "\"inputs\":%zu,\"counters\":%d}",
            dims->hidden, dims->item_buckets, dims->item_width, dims->category_buckets,
            dims->category_width, dims->behavior_width, dims->ring, shoal_dims_inputs(dims),
            SHOAL_COUNTERS);
}

static size_t count_parameters(const struct shoal_dims *dims)
{
    size_t count = 0;
    for (unsigned t = 0; t < SHOAL_TENSOR_COUNT; t++) {
        struct shoal_tensor_info info = shoal_params_tensor(dims, (enum shoal_tensor)t);
        count += info.rows * info.columns;
    }
    return count;
}

static void put_origin(const struct shoal_model_origin *origin, FILE *out)
{
    fputs("\"origin\":{\"train_from\":", out);
    shoal_json_time(origin->train_from_ms, out);
    fputs(",\"train_until\":", out);
    shoal_json_time(origin->train_until_ms, out);
    fprintf(out,
            ",\"events\":%" PRIu64 ",\"users\":%" PRIu64 ",\"seed\":%" PRIu64
            ",\"data_fingerprint\":\"%016" PRIx64 "\",\"roc_auc\":",
            origin->events_count, origin->users_count, origin->seed, origin->data_fingerprint);
    shoal_json_number(origin->roc_auc, out);
    fputs(",\"log_loss\":", out);
    shoal_json_number(origin->log_loss, out);
    fputs(",\"base_rate\":", out);
    shoal_json_number(origin->base_rate, out);
    fputc('}', out);
}

static void put_calibration(const struct shoal_calibration_map *map, FILE *out)
{
    fprintf(out, "\"calibration\":{\"kind\":\"%s\",\"slope\":", map->knots ? "isotonic" : "line");
    shoal_json_number((double)map->slope, out);
    fputs(",\"intercept\":", out);
    shoal_json_number((double)map->intercept, out);
    fputs(",\"knots\":[", out);
    for (uint32_t k = 0; k < map->knots; k++)
        fprintf(out, "%s[%.6f,%.6f]", k ? "," : "", (double)map->x[k], (double)map->y[k]);
    fputs("]}", out);
}

void shoal_describe_model_json(const struct shoal_model *model, FILE *out)
{
    fprintf(out, "{\"version\":\"%s\",", model->version);
    put_dims(&model->params.dims, out);
    fprintf(out, ",\"parameters\":%zu,\"warm\":", count_parameters(&model->params.dims));
    shoal_json_number((double)model->warm, out);
    fputs(",\"hot\":", out);
    shoal_json_number((double)model->hot, out);
    fputc(',', out);
    put_origin(&model->origin, out);
    fputc(',', out);
    put_calibration(&model->calibration[SHOAL_buy_24h], out);
    fputc('}', out);
}

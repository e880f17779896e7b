/* SPDX-License-Identifier: Apache-2.0 */
/* A model's figures as JSON; see describe_model.h. */
#include "tools/describe_model.h"

static void put_dims(struct shoal_put *put, const struct shoal_dims *dims)
{
    shoal_put_open(put, "dims", '{');
    shoal_put_count(put, "hidden", dims->hidden);
    shoal_put_count(put, "item_buckets", dims->item_buckets);
    shoal_put_count(put, "item_width", dims->item_width);
    shoal_put_count(put, "category_buckets", dims->category_buckets);
    shoal_put_count(put, "category_width", dims->category_width);
    shoal_put_count(put, "behavior_width", dims->behavior_width);
    shoal_put_count(put, "ring", dims->ring);
    shoal_put_count(put, "inputs", shoal_dims_inputs(dims));
    shoal_put_count(put, "counters", SHOAL_COUNTERS);
    shoal_put_close(put, '}');
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

static void put_origin(struct shoal_put *put, const struct shoal_model_origin *origin)
{
    shoal_put_open(put, "origin", '{');
    shoal_put_time(put, "train_from", origin->train_from_ms);
    shoal_put_time(put, "train_until", origin->train_until_ms);
    shoal_put_count(put, "events", origin->events_count);
    shoal_put_count(put, "users", origin->users_count);
    shoal_put_count(put, "seed", origin->seed);
    shoal_put_hash(put, "data_fingerprint", origin->data_fingerprint);
    shoal_put_real(put, "roc_auc", origin->roc_auc);
    shoal_put_real(put, "log_loss", origin->log_loss);
    shoal_put_real(put, "base_rate", origin->base_rate);
    shoal_put_close(put, '}');
}

static void put_calibration(struct shoal_put *put, const struct shoal_calibration_map *map)
{
    shoal_put_open(put, "calibration", '{');
    shoal_put_text(put, "kind", map->knots ? "isotonic" : "line");
    shoal_put_real(put, "slope", (double)map->slope);
    shoal_put_real(put, "intercept", (double)map->intercept);
    shoal_put_open(put, "knots", '[');
    for (uint32_t k = 0; k < map->knots; k++) {
        shoal_put_open(put, NULL, '[');
        shoal_put_real(put, NULL, (double)map->x[k]);
        shoal_put_real(put, NULL, (double)map->y[k]);
        shoal_put_close(put, ']');
    }
    shoal_put_close(put, ']');
    shoal_put_close(put, '}');
}

static void put_value(struct shoal_put *put, const struct shoal_value *value)
{
    if (!value) {
        shoal_put_null(put, "value");
        return;
    }
    shoal_put_open(put, "value", '{');
    shoal_put_text(put, "method", shoal_value_method_name(shoal_value_method(value)));
    shoal_put_int(put, "horizon_ms", shoal_value_horizon_ms(value));
    shoal_put_real(put, "middle", (double)shoal_value_threshold(value, SHOAL_VALUE_MIDDLE));
    shoal_put_real(put, "high", (double)shoal_value_threshold(value, SHOAL_VALUE_HIGH));
    shoal_put_close(put, '}');
}

void shoal_describe_model(struct shoal_put *put, const char *key, const struct shoal_model *model)
{
    shoal_put_open(put, key, '{');
    shoal_put_text(put, "version", model->version);
    put_dims(put, &model->params.dims);
    shoal_put_count(put, "parameters", count_parameters(&model->params.dims));
    shoal_put_real(put, "warm", (double)model->warm);
    shoal_put_real(put, "hot", (double)model->hot);
    put_origin(put, &model->origin);
    put_calibration(put, &model->calibration[SHOAL_buy_24h]);
    put_value(put, model->value);
    shoal_put_close(put, '}');
}

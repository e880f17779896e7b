/* SPDX-License-Identifier: Apache-2.0 */
/* The equations of params.h as ONNX operators; see onnx_export.h.
 *
 *   item, category, behavior ─ mod, Gather ─┐
 *   numeric ────────────────────────────────┴ Concat ─► x (batch × D) ─┐
 *   h, c ──────────────────────────────────────────────────────────────┴ LSTM ─► h_next, c_next
 *
 *   z          = (log(1 + rates) − mean)/deviation
 *   logits     = head_hidden·h_next + head_counters·z + bias
 *   calibrated = each task's line or curve of its logit;  predictions = σ or exp of that
 *
 * Our gates are one matrix [x|h]·(D + H × 4H) in the order i, f, g, o, as PyTorch has them. ONNX
 * wants a matrix for x and one for h, each 4H × inputs, in the order i, o, f, c, where c is our g.
 */
#include "tools/onnx_export.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/onnx_graph.h"
#include "tools/onnx_notes.h"

enum { GATES = 4 };

/* Which of our gates stands at each place of ONNX's. */
static const size_t gate_at[GATES] = {0, 3, 1, 2};

struct export
{
    const struct shoal_model *model;
    const struct shoal_dims *dims;
    enum shoal_precision precision;
    struct shoal_onnx_graph *graph;
};

static void number(const struct export *e, const char *name, float value)
{
    shoal_onnx_graph_floats(e->graph, name, 0, NULL, &value);
}

static void integer(const struct export *e, const char *name, int64_t value)
{
    shoal_onnx_graph_ints(e->graph, name, 0, NULL, &value);
}

/* A list of axes or indices with one element. */
static void one_index(const struct export *e, const char *name, int64_t value)
{
    shoal_onnx_graph_ints(e->graph, name, 1, (const size_t[]){1}, &value);
}

static void matrix(const struct export *e, const char *name, size_t rows, size_t columns,
                   const float *values)
{
    shoal_onnx_graph_floats(e->graph, name, 2, (const size_t[]){rows, columns}, values);
}

static void node(const struct export *e, const char *operator, const char * inputs,
                 const char *outputs)
{
    shoal_onnx_graph_node(e->graph, operator, inputs, outputs);
}

static void declare(const struct export *e)
{
    struct shoal_onnx_graph *graph = e->graph;
    size_t hidden = e->dims->hidden;
    shoal_onnx_graph_input(graph, "behavior", SHOAL_ONNX_INT64, 0, "0 pv, 1 cart, 2 fav, 3 buy");
    shoal_onnx_graph_input(graph, "item", SHOAL_ONNX_INT64, 0,
                           "hash of the item id, 0 to 2^32 - 1: metadata shoal.hash");
    shoal_onnx_graph_input(graph, "category", SHOAL_ONNX_INT64, 0,
                           "hash of the category id, 1 to 65535, 0 for none: metadata shoal.hash");
    shoal_onnx_graph_input(graph, "numeric", SHOAL_ONNX_FLOAT, SHOAL_NUMERIC,
                           "metadata shoal.numeric");
    shoal_onnx_graph_input(graph, "rates", SHOAL_ONNX_FLOAT, SHOAL_COUNTERS,
                           "the user's decayed counters, this event counted: metadata shoal.rates");
    shoal_onnx_graph_input(graph, "h", SHOAL_ONNX_FLOAT, hidden,
                           "h_next of the user's event before; 0 for the first");
    shoal_onnx_graph_input(graph, "c", SHOAL_ONNX_FLOAT, hidden,
                           "c_next of the user's event before; 0 for the first");
    shoal_onnx_graph_output(graph, "h_next", SHOAL_ONNX_FLOAT, hidden, "h after this event");
    shoal_onnx_graph_output(graph, "c_next", SHOAL_ONNX_FLOAT, hidden, "c after this event");
    shoal_onnx_graph_output(graph, "logits", SHOAL_ONNX_FLOAT, SHOAL_TASKS,
                            "of each task, as the network has them: metadata shoal.tasks");
    shoal_onnx_graph_output(graph, "calibrated", SHOAL_ONNX_FLOAT, SHOAL_TASKS,
                            "the same through each task's calibration");
    shoal_onnx_graph_output(graph, "predictions", SHOAL_ONNX_FLOAT, SHOAL_TASKS,
                            "what each task predicts: a probability, or an expected number");
}

/* x (batch × D): rows of the tables by hash, as shoal_features_of finds them, and the numbers. */
static void add_inputs(const struct export *e)
{
    const struct shoal_params *params = &e->model->params;
    const struct shoal_dims *d = e->dims;
    matrix(e, "item_embedding", d->item_buckets, d->item_width, params->item_embedding);
    matrix(e, "category_embedding", d->category_buckets, d->category_width,
           params->category_embedding);
    matrix(e, "behavior_embedding", SHOAL_BEHAVIOR_COUNT, d->behavior_width,
           params->behavior_embedding);
    integer(e, "item_buckets", d->item_buckets);
    integer(e, "category_buckets_less_1", (int64_t)d->category_buckets - 1);
    integer(e, "zero", 0);
    integer(e, "one", 1);
    node(e, "Mod", "item item_buckets", "item_row");
    node(e, "Mod", "category category_buckets_less_1", "category_rest");
    node(e, "Add", "category_rest one", "category_hashed");
    node(e, "Equal", "category zero", "category_none");
    node(e, "Where", "category_none zero category_hashed", "category_row");
    node(e, "Gather", "item_embedding item_row", "item_vector");
    node(e, "Gather", "category_embedding category_row", "category_vector");
    node(e, "Gather", "behavior_embedding behavior", "behavior_vector");
    node(e, "Concat", "item_vector category_vector behavior_vector numeric", "x");
    shoal_onnx_graph_attribute(e->graph, "axis", 1);
}

/* Rows from, from + 1, … of our gates' matrix, one gate after another in ONNX's order:
 * to[place·H + j][row] = weight[from + row][gate·H + j]. */
static void turn_gates(const struct export *e, size_t from, size_t rows, float *to)
{
    size_t hidden = e->dims->hidden;
    for (size_t place = 0; place < GATES; place++)
        for (size_t j = 0; j < hidden; j++)
            for (size_t row = 0; row < rows; row++)
                to[(place * hidden + j) * rows + row] =
                    e->model->params
                        .gates_weight[(from + row) * GATES * hidden + gate_at[place] * hidden + j];
}

/* W (1 × 4H × D), R (1 × 4H × H), B (1 × 8H): a bias for x and one for h, of which ours is the
 * first. */
static enum shoal_status add_gates(const struct export *e)
{
    size_t hidden = e->dims->hidden, inputs = shoal_dims_inputs(e->dims);
    size_t widest = inputs > hidden ? inputs : hidden;
    float *turned = calloc(GATES * hidden * widest, sizeof *turned);
    float *bias = calloc(2 * GATES * hidden, sizeof *bias);
    if (turned && bias) {
        turn_gates(e, 0, inputs, turned);
        shoal_onnx_graph_floats(e->graph, "W", 3, (const size_t[]){1, GATES * hidden, inputs},
                                turned);
        turn_gates(e, inputs, hidden, turned);
        shoal_onnx_graph_floats(e->graph, "R", 3, (const size_t[]){1, GATES * hidden, hidden},
                                turned);
        for (size_t place = 0; place < GATES; place++)
            for (size_t j = 0; j < hidden; j++)
                bias[place * hidden + j] = e->model->params.gates_bias[gate_at[place] * hidden + j];
        shoal_onnx_graph_floats(e->graph, "B", 2, (const size_t[]){1, 2 * GATES * hidden}, bias);
    }
    enum shoal_status status = turned && bias ? SHOAL_OK : SHOAL_NOMEM;
    free(turned);
    free(bias);
    return status;
}

/* From (1 × batch × H) to what the next event begins with, rounded to half precision where states
 * are. */
static void put_state(const struct export *e, const char *from, const char *name)
{
    char wide[32], held[32], half[32], words[96];
    snprintf(wide, sizeof wide, "%s_fp32", name);
    snprintf(half, sizeof half, "%s_fp16", name);
    snprintf(words, sizeof words, "%s axis_0", from);
    node(e, "Squeeze", words, e->precision == SHOAL_FP16 ? wide : name);
    if (e->precision != SHOAL_FP16)
        return;
    snprintf(words, sizeof words, "%s half_least half_most", wide);
    snprintf(held, sizeof held, "%s_held", name);
    node(e, "Clip", words, held);
    node(e, "Cast", held, half);
    shoal_onnx_graph_cast_to(e->graph, SHOAL_ONNX_FLOAT16);
    node(e, "Cast", half, name);
    shoal_onnx_graph_cast_to(e->graph, SHOAL_ONNX_FLOAT);
}

/* One step: a sequence of length 1. */
static enum shoal_status add_lstm(const struct export *e)
{
    enum shoal_status status = add_gates(e);
    one_index(e, "axis_0", 0);
    if (e->precision == SHOAL_FP16) { /* half.h */
        number(e, "half_least", -65504);
        number(e, "half_most", 65504);
    }
    node(e, "Unsqueeze", "x axis_0", "x_sequence");
    node(e, "Unsqueeze", "h axis_0", "h_before");
    node(e, "Unsqueeze", "c axis_0", "c_before");
    node(e, "LSTM", "x_sequence W R B - h_before c_before", "- h_after c_after");
    shoal_onnx_graph_attribute(e->graph, "hidden_size", e->dims->hidden);
    put_state(e, "h_after", "h_next");
    put_state(e, "c_after", "c_next");
    return status;
}

static void add_heads(const struct export *e)
{
    const struct shoal_params *params = &e->model->params;
    const size_t counters[] = {SHOAL_COUNTERS}, tasks[] = {SHOAL_TASKS};
    shoal_onnx_graph_floats(e->graph, "counter_mean", 1, counters, e->model->counter_mean);
    shoal_onnx_graph_floats(e->graph, "counter_deviation", 1, counters,
                            e->model->counter_deviation);
    matrix(e, "head_hidden", SHOAL_TASKS, e->dims->hidden, params->head_hidden);
    matrix(e, "head_counters", SHOAL_TASKS, SHOAL_COUNTERS, params->head_counters);
    shoal_onnx_graph_floats(e->graph, "head_bias", 1, tasks, params->head_bias);
    number(e, "one_real", 1);
    node(e, "Add", "rates one_real", "rates_1");
    node(e, "Log", "rates_1", "rates_log");
    node(e, "Sub", "rates_log counter_mean", "rates_centred");
    node(e, "Div", "rates_centred counter_deviation", "z");
    node(e, "Gemm", "z head_counters head_bias", "logits_counters");
    shoal_onnx_graph_attribute(e->graph, "transB", 1);
    node(e, "Gemm", "h_next head_hidden logits_counters", "logits");
    shoal_onnx_graph_attribute(e->graph, "transB", 1);
}

/* "format" with the task's name in every %s: names within the graph. */
static const char *named(char text[128], const char *format, const char *task)
{
    snprintf(text, 128, format, task, task, task, task);
    return text;
}

/* The map of calibration.h, piece by piece: with knots x[0 … K−1], y[0 … K−1] a logit z lies in the
 * piece k = number of x[1 … K−1] that are ≤ z,     z held at x[0] from below and becomes y[k] + (z
 * − x[k])/width[k]·rise[k]; the last piece has no rise. The very operations of the C function, in
 * their order. */
static void add_curve(const struct export *e, const char *task,
                      const struct shoal_calibration_map *map)
{
    float width[SHOAL_KNOTS_MAX], rise[SHOAL_KNOTS_MAX];
    char a[128], b[128];
    const size_t knots[] = {map->knots}, inner[] = {map->knots - 1};
    for (uint32_t k = 0; k + 1 < map->knots; k++) {
        width[k] = map->x[k + 1] - map->x[k];
        rise[k] = map->y[k + 1] - map->y[k];
    }
    width[map->knots - 1] = 1;
    rise[map->knots - 1] = 0;
    number(e, named(a, "%s_least", task), map->x[0]);
    shoal_onnx_graph_floats(e->graph, named(a, "%s_bounds", task), 1, inner, map->x + 1);
    shoal_onnx_graph_floats(e->graph, named(a, "%s_x", task), 1, knots, map->x);
    shoal_onnx_graph_floats(e->graph, named(a, "%s_y", task), 1, knots, map->y);
    shoal_onnx_graph_floats(e->graph, named(a, "%s_width", task), 1, knots, width);
    shoal_onnx_graph_floats(e->graph, named(a, "%s_rise", task), 1, knots, rise);
    node(e, "Max", named(a, "%s_logit %s_least", task), named(b, "%s_held", task));
    node(e, "GreaterOrEqual", named(a, "%s_held %s_bounds", task), named(b, "%s_above", task));
    node(e, "Cast", named(a, "%s_above", task), named(b, "%s_ones", task));
    shoal_onnx_graph_cast_to(e->graph, SHOAL_ONNX_INT64);
    one_index(e, named(a, "%s_axis", task), 1);
    node(e, "ReduceSum", named(a, "%s_ones %s_axis", task), named(b, "%s_piece", task));
    node(e, "Gather", named(a, "%s_x %s_piece", task), named(b, "%s_x_low", task));
    node(e, "Gather", named(a, "%s_y %s_piece", task), named(b, "%s_y_low", task));
    node(e, "Gather", named(a, "%s_width %s_piece", task), named(b, "%s_wide", task));
    node(e, "Gather", named(a, "%s_rise %s_piece", task), named(b, "%s_high", task));
    node(e, "Sub", named(a, "%s_held %s_x_low", task), named(b, "%s_along", task));
    node(e, "Div", named(a, "%s_along %s_wide", task), named(b, "%s_share", task));
    node(e, "Mul", named(a, "%s_share %s_high", task), named(b, "%s_up", task));
    node(e, "Add", named(a, "%s_y_low %s_up", task), named(b, "%s_calibrated", task));
}

static void add_line(const struct export *e, const char *task,
                     const struct shoal_calibration_map *map)
{
    char a[128], b[128];
    number(e, named(a, "%s_slope", task), map->slope);
    number(e, named(a, "%s_intercept", task), map->intercept);
    node(e, "Mul", named(a, "%s_logit %s_slope", task), named(b, "%s_sloped", task));
    node(e, "Add", named(a, "%s_sloped %s_intercept", task), named(b, "%s_calibrated", task));
}

/* logits (batch × tasks) column by column through each task's map, and what that predicts. */
static void add_tasks(const struct export *e)
{
    char calibrated[64 * SHOAL_TASKS] = "", predicted[64 * SHOAL_TASKS] = "", a[128], b[128];
    size_t calibrated_size = 0, predicted_size = 0;
    for (size_t n = 0; n < SHOAL_TASKS; n++) {
        const struct shoal_task_info *info = shoal_task_info((enum shoal_task)n);
        const struct shoal_calibration_map *map = &e->model->calibration[n];
        one_index(e, named(a, "%s_column", info->name), (int64_t)n);
        node(e, "Gather", named(a, "logits %s_column", info->name),
             named(b, "%s_logit", info->name));
        shoal_onnx_graph_attribute(e->graph, "axis", 1);
        if (map->knots < 2)
            add_line(e, info->name, map);
        else
            add_curve(e, info->name, map);
        node(e, info->kind == SHOAL_TASK_COUNT ? "Exp" : "Sigmoid",
             named(a, "%s_calibrated", info->name), named(b, "%s_predicted", info->name));
        calibrated_size += (size_t)snprintf(calibrated + calibrated_size, 64, "%s%s_calibrated",
                                            n ? " " : "", info->name);
        predicted_size += (size_t)snprintf(predicted + predicted_size, 64, "%s%s_predicted",
                                           n ? " " : "", info->name);
    }
    node(e, "Concat", calibrated, "calibrated");
    shoal_onnx_graph_attribute(e->graph, "axis", 1);
    node(e, "Concat", predicted, "predictions");
    shoal_onnx_graph_attribute(e->graph, "axis", 1);
}

enum shoal_status shoal_onnx_export(const struct shoal_model *model, enum shoal_precision precision,
                                    const char *program_version, struct shoal_buffer *out,
                                    struct shoal_message *message)
{
    struct export e = {model, &model->params.dims, precision, NULL};
    enum shoal_status status = shoal_onnx_graph_create(
        "shoal_step", program_version,
        "One event of each user of a batch: the user's LSTM state before it goes in, that after it "
        "comes out, "
        "with what every task predicts. The metadata say how the inputs come about.",
        &e.graph);
    if (status == SHOAL_OK) {
        declare(&e);
        add_inputs(&e);
        status = add_lstm(&e);
        add_heads(&e);
        add_tasks(&e);
    }
    if (status == SHOAL_OK)
        status = shoal_onnx_notes(model, precision, e.graph);
    if (status == SHOAL_OK)
        status = shoal_onnx_graph_serialize(e.graph, out);
    shoal_onnx_graph_destroy(e.graph);
    return status == SHOAL_OK ? status : shoal_fail(message, status, "out of memory for the graph");
}

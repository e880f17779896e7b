/* SPDX-License-Identifier: Apache-2.0 */
/* The exported graph, parsed back: what it holds and in which order. That it computes the same as
 * the step does is test_onnx.py's business. */
#include <criterion/criterion.h>
#include <string.h>

#include "onnx.pb-c.h"
#include "tests/model/tiny_model.h"
#include "tests/state/leaks.h"
#include "tools/onnx_export.h"
#include "tools/onnx_graph.h"

static Onnx__ModelProto *parse(const struct shoal_buffer *bytes)
{
    Onnx__ModelProto *made = onnx__model_proto__unpack(NULL, bytes->size, bytes->bytes);
    cr_assert_not_null(made);
    return made;
}

static Onnx__ModelProto *export_tiny(enum shoal_precision precision, uint32_t knots)
{
    struct shoal_dims dims = tiny_dims();
    struct shoal_model *model = tiny_model(&dims, 3);
    struct shoal_buffer bytes = {0};
    cr_assert_not_null(model);
    for (uint32_t k = 0; k < knots; k++) {
        model->calibration[1].x[k] = (float)k;
        model->calibration[1].y[k] = 2 * (float)k;
    }
    model->calibration[1].knots = knots;
    cr_assert_eq(shoal_onnx_export(model, precision, "1.2.3", &bytes, NULL), SHOAL_OK);
    Onnx__ModelProto *parsed = parse(&bytes);
    shoal_buffer_finish(&bytes);
    shoal_model_destroy(model);
    return parsed;
}

static const Onnx__TensorProto *tensor(const Onnx__ModelProto *model, const char *name)
{
    for (size_t i = 0; i < model->graph->n_initializer; i++)
        if (strcmp(model->graph->initializer[i]->name, name) == 0)
            return model->graph->initializer[i];
    cr_assert_fail("no constant %s", name);
    return NULL;
}

static float float_at(const Onnx__TensorProto *of, size_t index)
{
    float value;
    cr_assert_lt(index * sizeof value, of->raw_data.len);
    memcpy(&value, of->raw_data.data + index * sizeof value, sizeof value);
    return value;
}

static size_t count_of(const Onnx__ModelProto *model, const char *operator)
{
    size_t count = 0;
    for (size_t i = 0; i < model->graph->n_node; i++)
        count += strcmp(model->graph->node[i]->op_type, operator) == 0;
    return count;
}

/* Every input of a node is an input of the graph, a constant, or made by a node before it. */
static void check_order(const Onnx__GraphProto *graph)
{
    for (size_t n = 0; n < graph->n_node; n++)
        for (size_t i = 0; i < graph->node[n]->n_input; i++) {
            const char *name = graph->node[n]->input[i];
            bool there = !*name;
            for (size_t k = 0; k < graph->n_input; k++)
                there |= strcmp(graph->input[k]->name, name) == 0;
            for (size_t k = 0; k < graph->n_initializer; k++)
                there |= strcmp(graph->initializer[k]->name, name) == 0;
            for (size_t k = 0; k < n; k++)
                for (size_t o = 0; o < graph->node[k]->n_output; o++)
                    there |= strcmp(graph->node[k]->output[o], name) == 0;
            cr_expect(there, "%s of %s comes from nowhere", name, graph->node[n]->name);
        }
}

Test(onnx_export, the_graph_can_be_computed_from_its_inputs_in_its_order)
{
    for (uint32_t knots = 0; knots <= SHOAL_KNOTS_MAX; knots += 16) {
        Onnx__ModelProto *model = export_tiny(knots % 32 ? SHOAL_FP32 : SHOAL_FP16, knots);
        cr_expect_eq(model->ir_version, SHOAL_ONNX_IR);
        cr_assert_eq(model->n_opset_import, 1);
        cr_expect_eq(model->opset_import[0]->version, SHOAL_ONNX_OPSET);
        cr_expect_str_eq(model->producer_version, "1.2.3");
        cr_expect_eq(model->graph->n_input, 7);
        cr_expect_eq(model->graph->n_output, 5);
        cr_expect_eq(count_of(model, "LSTM"), 1);
        cr_expect_eq(count_of(model, "GreaterOrEqual"), knots > 0);
        check_order(model->graph);
        onnx__model_proto__free_unpacked(model, NULL);
    }
    test_no_leaks();
}

Test(onnx_export, states_are_rounded_in_fp16_only)
{
    Onnx__ModelProto *half = export_tiny(SHOAL_FP16, 0), *single = export_tiny(SHOAL_FP32, 0);
    cr_expect_eq(count_of(half, "Cast"), 4);
    cr_expect_eq(count_of(single, "Cast"), 0);
    onnx__model_proto__free_unpacked(half, NULL);
    onnx__model_proto__free_unpacked(single, NULL);
}

/* W[0][place·H + j][row] = weight[row][gate·H + j]; R the same of the rows behind D; ONNX: i, o, f,
 * c. */
Test(onnx_export, gates_go_from_i_f_g_o_to_i_o_f_c)
{
    static const size_t gate_at[] = {0, 3, 1, 2};
    struct shoal_dims dims = tiny_dims();
    struct shoal_model *ours = tiny_model(&dims, 3);
    Onnx__ModelProto *model = export_tiny(SHOAL_FP32, 0);
    const Onnx__TensorProto *w = tensor(model, "W"), *r = tensor(model, "R"),
                            *b = tensor(model, "B");
    size_t hidden = dims.hidden, inputs = shoal_dims_inputs(&dims);
    cr_assert_eq(w->n_dims, 3);
    cr_assert_eq(w->dims[1], (int64_t)(4 * hidden));
    cr_assert_eq(w->dims[2], (int64_t)inputs);
    cr_assert_eq(r->dims[2], (int64_t)hidden);
    cr_assert_eq(b->dims[1], (int64_t)(8 * hidden));
    for (size_t place = 0; place < 4; place++)
        for (size_t j = 0; j < hidden; j++) {
            size_t to = place * hidden + j, from = gate_at[place] * hidden + j;
            cr_assert_eq(float_at(b, to), ours->params.gates_bias[from]);
            cr_assert_eq(float_at(b, 4 * hidden + to), 0.0f);
            for (size_t row = 0; row < inputs; row++)
                cr_assert_eq(float_at(w, to * inputs + row),
                             ours->params.gates_weight[row * 4 * hidden + from]);
            for (size_t row = 0; row < hidden; row++)
                cr_assert_eq(float_at(r, to * hidden + row),
                             ours->params.gates_weight[(inputs + row) * 4 * hidden + from]);
        }
    shoal_model_destroy(ours);
    onnx__model_proto__free_unpacked(model, NULL);
    test_no_leaks();
}

Test(onnx_export, a_graph_has_what_was_put_into_it)
{
    struct shoal_onnx_graph *graph;
    struct shoal_buffer bytes = {0};
    const size_t shape[] = {2, 3};
    const int64_t numbers[] = {1, 2, 3, 4, 5, 6};
    cr_assert_eq(shoal_onnx_graph_create("g", "9", "what it is", &graph), SHOAL_OK);
    shoal_onnx_graph_input(graph, "in", SHOAL_ONNX_INT64, 0, "one");
    shoal_onnx_graph_output(graph, "out", SHOAL_ONNX_FLOAT, 7, "other");
    shoal_onnx_graph_ints(graph, "k", 2, shape, numbers);
    for (int i = 0; i < 100; i++) { /* lists grow several times */
        shoal_onnx_graph_node(graph, "Op", "a - b", "- y");
        shoal_onnx_graph_attribute(graph, "axis", i);
    }
    shoal_onnx_graph_note(graph, "key", "value");
    cr_assert_eq(shoal_onnx_graph_serialize(graph, &bytes), SHOAL_OK);
    shoal_onnx_graph_destroy(graph);
    Onnx__ModelProto *model = parse(&bytes);
    shoal_buffer_finish(&bytes);
    cr_expect_str_eq(model->doc_string, "what it is");
    cr_expect_str_eq(model->metadata_props[0]->key, "key");
    cr_expect_str_eq(model->metadata_props[0]->value, "value");
    const Onnx__TypeProto__Tensor *in = model->graph->input[0]->type->tensor_type;
    const Onnx__TypeProto__Tensor *out = model->graph->output[0]->type->tensor_type;
    cr_expect_eq(in->elem_type, ONNX__TENSOR_PROTO__DATA_TYPE__INT64);
    cr_assert_eq(in->shape->n_dim, 1);
    cr_expect_str_eq(in->shape->dim[0]->dim_param, "batch");
    cr_assert_eq(out->shape->n_dim, 2);
    cr_expect_eq(out->shape->dim[1]->dim_value, 7);
    cr_expect_eq(memcmp(tensor(model, "k")->raw_data.data, numbers, sizeof numbers), 0);
    cr_assert_eq(model->graph->n_node, 100);
    for (size_t i = 0; i < 100; i++) {
        const Onnx__NodeProto *node = model->graph->node[i];
        cr_assert_eq(node->n_input, 3);
        cr_expect_str_eq(node->input[1], "");
        cr_expect_str_eq(node->input[2], "b");
        cr_expect_str_eq(node->output[0], "");
        cr_expect_str_eq(node->name, "y");
        cr_expect_eq(node->attribute[0]->i, (int64_t)i);
    }
    onnx__model_proto__free_unpacked(model, NULL);
    test_no_leaks();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of ONNX's own schema (onnx.proto, as the system has it) by protobuf-c; see onnx_graph.h.
 *
 * The messages and all they point to live in one arena. Lists grow by doubling, and what they leave
 * behind stays in the arena until the graph goes; that is a few kilobytes. Weights are copied once,
 * as raw little-endian bytes, which the schema allows for every type. */
#include "tools/onnx_graph.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/arena.h"
#include "onnx.pb-c.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "raw_data is little-endian"
#endif

enum { BLOCK_BYTES = 1 << 16, LIST_FIRST = 8 };

struct shoal_onnx_graph {
    struct shoal_arena arena;
    Onnx__ModelProto model;
    Onnx__GraphProto graph;
    Onnx__OperatorSetIdProto opset;
    Onnx__OperatorSetIdProto *opsets[1];
    bool failed;
};

static void *take(struct shoal_onnx_graph *graph, size_t size)
{
    void *bytes = graph->failed ? NULL : shoal_arena_alloc(&graph->arena, size ? size : 1);
    graph->failed |= !bytes;
    return bytes;
}

/* Never NULL, so that it can be given to protobuf-c at once; after a failure nothing is packed any
 * more. */
static char *text(struct shoal_onnx_graph *graph, const char *from)
{
    static char none[] = "";
    char *copy = graph->failed ? NULL : shoal_arena_copy(&graph->arena, from, strlen(from));
    graph->failed |= !copy;
    return copy ? copy : none;
}

/* Appends to a list of pointers (`list` points to it; its type is one of protobuf-c's many) whose
 * capacity is the power of two from LIST_FIRST on that holds it. */
static void append(struct shoal_onnx_graph *graph, void *list, size_t *count, const void *one)
{
    char *items;
    memcpy(&items, list, sizeof items);
    if (!one)
        return;
    if (*count == 0 || (*count >= LIST_FIRST && (*count & (*count - 1)) == 0)) {
        char *more = take(graph, sizeof one * (*count < LIST_FIRST ? LIST_FIRST : 2 * *count));
        if (!more)
            return;
        if (*count)
            memcpy(more, items, *count * sizeof one);
        items = more;
        memcpy(list, &items, sizeof items);
    }
    memcpy(items + *count * sizeof one, &one, sizeof one);
    ++*count;
}

/* Whether a message could be had from the arena and is now as its own initialiser makes it. */
#define MADE(graph, message, init)                                                                 \
    (((message) = take((graph), sizeof *(message))) ? (init(message), true) : false)

enum shoal_status shoal_onnx_graph_create(const char *name, const char *program_version,
                                          const char *description, struct shoal_onnx_graph **graph)
{
    struct shoal_onnx_graph *made = calloc(1, sizeof *made);
    *graph = NULL;
    if (!made)
        return SHOAL_NOMEM;
    shoal_arena_init(&made->arena, BLOCK_BYTES);
    onnx__model_proto__init(&made->model);
    onnx__graph_proto__init(&made->graph);
    onnx__operator_set_id_proto__init(&made->opset);
    made->opsets[0] = &made->opset;
    made->opset.domain = text(made, "");
    made->opset.has_version = true;
    made->opset.version = SHOAL_ONNX_OPSET;
    made->model.has_ir_version = true;
    made->model.ir_version = SHOAL_ONNX_IR;
    made->model.n_opset_import = 1;
    made->model.opset_import = made->opsets;
    made->model.producer_name = text(made, "shoal");
    made->model.producer_version = text(made, program_version);
    made->model.doc_string = text(made, description);
    made->model.graph = &made->graph;
    made->graph.name = text(made, name);
    *graph = made;
    return SHOAL_OK;
}

void shoal_onnx_graph_destroy(struct shoal_onnx_graph *graph)
{
    if (!graph)
        return;
    shoal_arena_finish(&graph->arena);
    free(graph);
}

static int32_t type_of(enum shoal_onnx_type type)
{
    switch (type) {
    case SHOAL_ONNX_INT64:
        return ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
    case SHOAL_ONNX_FLOAT16:
        return ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16;
    case SHOAL_ONNX_FLOAT:
    default:
        return ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    }
}

/* columns 0: the batch, an axis with a name instead of a size. */
static void add_dimension(struct shoal_onnx_graph *graph, Onnx__TensorShapeProto *shape,
                          size_t columns)
{
    Onnx__TensorShapeProto__Dimension *dim;
    if (!MADE(graph, dim, onnx__tensor_shape_proto__dimension__init))
        return;
    if (columns) {
        dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        dim->dim_value = (int64_t)columns;
    } else {
        dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
        dim->dim_param = text(graph, "batch");
    }
    append(graph, &shape->dim, &shape->n_dim, dim);
}

static Onnx__ValueInfoProto *value_info(struct shoal_onnx_graph *graph, const char *name,
                                        enum shoal_onnx_type type, size_t columns,
                                        const char *description)
{
    Onnx__ValueInfoProto *value;
    Onnx__TypeProto *of;
    Onnx__TypeProto__Tensor *tensor;
    Onnx__TensorShapeProto *shape;
    if (!MADE(graph, value, onnx__value_info_proto__init) ||
        !MADE(graph, of, onnx__type_proto__init) ||
        !MADE(graph, tensor, onnx__type_proto__tensor__init) ||
        !MADE(graph, shape, onnx__tensor_shape_proto__init))
        return NULL;
    add_dimension(graph, shape, 0);
    if (columns)
        add_dimension(graph, shape, columns);
    tensor->has_elem_type = true;
    tensor->elem_type = type_of(type);
    tensor->shape = shape;
    of->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    of->tensor_type = tensor;
    value->name = text(graph, name);
    value->doc_string = text(graph, description);
    value->type = of;
    return value;
}

void shoal_onnx_graph_input(struct shoal_onnx_graph *graph, const char *name,
                            enum shoal_onnx_type type, size_t columns, const char *description)
{
    append(graph, &graph->graph.input, &graph->graph.n_input,
           value_info(graph, name, type, columns, description));
}

void shoal_onnx_graph_output(struct shoal_onnx_graph *graph, const char *name,
                             enum shoal_onnx_type type, size_t columns, const char *description)
{
    append(graph, &graph->graph.output, &graph->graph.n_output,
           value_info(graph, name, type, columns, description));
}

static void add_tensor(struct shoal_onnx_graph *graph, const char *name, enum shoal_onnx_type type,
                       size_t rank, const size_t *dims, const void *values, size_t size)
{
    Onnx__TensorProto *tensor;
    int64_t *shape = take(graph, rank * sizeof *shape);
    for (size_t i = 0; i < rank && shape; i++) {
        shape[i] = (int64_t)dims[i];
        size *= dims[i];
    }
    uint8_t *bytes = take(graph, size);
    if (!bytes || !MADE(graph, tensor, onnx__tensor_proto__init))
        return;
    memcpy(bytes, values, size);
    tensor->n_dims = rank;
    tensor->dims = shape;
    tensor->has_data_type = true;
    tensor->data_type = type_of(type);
    tensor->name = text(graph, name);
    tensor->has_raw_data = true;
    tensor->raw_data = (ProtobufCBinaryData){.len = size, .data = bytes};
    append(graph, &graph->graph.initializer, &graph->graph.n_initializer, tensor);
}

void shoal_onnx_graph_floats(struct shoal_onnx_graph *graph, const char *name, size_t rank,
                             const size_t *dims, const float *values)
{
    add_tensor(graph, name, SHOAL_ONNX_FLOAT, rank, dims, values, sizeof *values);
}

void shoal_onnx_graph_ints(struct shoal_onnx_graph *graph, const char *name, size_t rank,
                           const size_t *dims, const int64_t *values)
{
    add_tensor(graph, name, SHOAL_ONNX_INT64, rank, dims, values, sizeof *values);
}

/* The words of "a b -" as a list; "-" becomes "", which is how the schema leaves an input out. */
static void add_words(struct shoal_onnx_graph *graph, const char *words, char ***list,
                      size_t *count)
{
    char word[64];
    while (*words) {
        size_t size = strcspn(words, " ");
        if (size >= sizeof word)
            size = sizeof word - 1; /* our own names are shorter */
        memcpy(word, words, size);
        word[size] = '\0';
        append(graph, list, count, text(graph, strcmp(word, "-") == 0 ? "" : word));
        words += size;
        words += strspn(words, " ");
    }
}

void shoal_onnx_graph_node(struct shoal_onnx_graph *graph, const char *operator,
                           const char * inputs, const char *outputs)
{
    Onnx__NodeProto *node;
    if (!MADE(graph, node, onnx__node_proto__init))
        return;
    node->op_type = text(graph, operator);
    add_words(graph, inputs, &node->input, &node->n_input);
    add_words(graph, outputs, &node->output, &node->n_output);
    if (graph->failed)
        return;
    /* A node is called like its first output that there is. */
    for (size_t i = node->n_output; i-- > 0;)
        if (*node->output[i])
            node->name = node->output[i];
    append(graph, &graph->graph.node, &graph->graph.n_node, node);
}

void shoal_onnx_graph_attribute(struct shoal_onnx_graph *graph, const char *name, int64_t value)
{
    Onnx__AttributeProto *attribute;
    if (!MADE(graph, attribute, onnx__attribute_proto__init))
        return;
    Onnx__NodeProto *node = graph->graph.node[graph->graph.n_node - 1];
    attribute->name = text(graph, name);
    attribute->has_type = true;
    attribute->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
    attribute->has_i = true;
    attribute->i = value;
    append(graph, &node->attribute, &node->n_attribute, attribute);
}

void shoal_onnx_graph_cast_to(struct shoal_onnx_graph *graph, enum shoal_onnx_type type)
{
    shoal_onnx_graph_attribute(graph, "to", type_of(type));
}

void shoal_onnx_graph_note(struct shoal_onnx_graph *graph, const char *key, const char *value)
{
    Onnx__StringStringEntryProto *entry;
    if (!MADE(graph, entry, onnx__string_string_entry_proto__init))
        return;
    entry->key = text(graph, key);
    entry->value = text(graph, value);
    append(graph, &graph->model.metadata_props, &graph->model.n_metadata_props, entry);
}

enum shoal_status shoal_onnx_graph_serialize(struct shoal_onnx_graph *graph,
                                             struct shoal_buffer *out)
{
    if (graph->failed)
        return SHOAL_NOMEM;
    size_t size = onnx__model_proto__get_packed_size(&graph->model);
    uint8_t *to = shoal_buffer_reserve(out, size);
    if (!to)
        return SHOAL_NOMEM;
    out->size += onnx__model_proto__pack(&graph->model, to);
    return SHOAL_OK;
}

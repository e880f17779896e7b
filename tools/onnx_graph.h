/* SPDX-License-Identifier: Apache-2.0 */
/* A graph of ONNX operators, put together piece by piece: values by name, weights, nodes, what goes
 * in and comes out. It knows ONNX and nothing of what is computed; the one place that sees
 * protobuf-c.
 *
 * Every function but the last returns nothing: the first failure (only memory can run out) sticks
 * and is told when the bytes are asked for. Texts and numbers that are given are copied. */
#ifndef SHOAL_ONNX_GRAPH_H
#define SHOAL_ONNX_GRAPH_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/pack.h"
#include "model/base/status.h"

/* What files say of themselves: any runtime from onnxruntime 1.7 and PyTorch 1.8's days reads them.
 */
enum { SHOAL_ONNX_OPSET = 13, SHOAL_ONNX_IR = 7 };

enum shoal_onnx_type { SHOAL_ONNX_FLOAT, SHOAL_ONNX_INT64, SHOAL_ONNX_FLOAT16 };

struct shoal_onnx_graph;

/* What the graph is, for people. *graph is the caller's (destroy). NOMEM. */
enum shoal_status shoal_onnx_graph_create(const char *name, const char *program_version,
                                          const char *description,
                                          struct shoal_onnx_graph **graph) SHOAL_MUST_CHECK;
void shoal_onnx_graph_destroy(struct shoal_onnx_graph *graph);
/* A value from or to outside: (batch) or, with columns > 0, (batch × columns). */
void shoal_onnx_graph_input(struct shoal_onnx_graph *graph, const char *name,
                            enum shoal_onnx_type type, size_t columns, const char *description);
void shoal_onnx_graph_output(struct shoal_onnx_graph *graph, const char *name,
                             enum shoal_onnx_type type, size_t columns, const char *description);
/* A constant of the shape dims[0 … rank − 1], rank ≤ 3, row-major; rank 0: one number. */
void shoal_onnx_graph_floats(struct shoal_onnx_graph *graph, const char *name, size_t rank,
                             const size_t *dims, const float *values);
void shoal_onnx_graph_ints(struct shoal_onnx_graph *graph, const char *name, size_t rank,
                           const size_t *dims, const int64_t *values);
/* An operator: names of its inputs and outputs separated by blanks, "-" for one that is left out.
 */
void shoal_onnx_graph_node(struct shoal_onnx_graph *graph, const char *operator,
                           const char * inputs, const char *outputs);
/* An integer attribute of the node added last. */
void shoal_onnx_graph_attribute(struct shoal_onnx_graph *graph, const char *name, int64_t value);
/* Type of a Cast added last. */
void shoal_onnx_graph_cast_to(struct shoal_onnx_graph *graph, enum shoal_onnx_type type);
/* A line of metadata_props. */
void shoal_onnx_graph_note(struct shoal_onnx_graph *graph, const char *key, const char *value);
/* Appends the file's bytes. NOMEM, also for what failed before. */
enum shoal_status shoal_onnx_graph_serialize(struct shoal_onnx_graph *graph,
                                             struct shoal_buffer *out) SHOAL_MUST_CHECK;

#endif

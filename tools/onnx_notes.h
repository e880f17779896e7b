/* SPDX-License-Identifier: Apache-2.0 */
/* What an exported model says of itself (metadata_props): what model it is, how its inputs come
 * about and what its outputs mean, so that somebody who has only the file can use it. */
#ifndef SHOAL_ONNX_NOTES_H
#define SHOAL_ONNX_NOTES_H

#include "model/model.h"
#include "model/step.h"
#include "tools/onnx_graph.h"

/* NOMEM. What fails in the graph itself sticks there. */
enum shoal_status shoal_onnx_notes(const struct shoal_model *model, enum shoal_precision precision,
                                   struct shoal_onnx_graph *graph) SHOAL_MUST_CHECK;

#endif

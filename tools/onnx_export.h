/* SPDX-License-Identifier: Apache-2.0 */
/* A model's step and heads as an ONNX model, so that it runs where Shoal does not.
 *
 * Left out is what a processor does around a step: reading events, counting, the correction it
 * learns while it serves, and what is learnt on top of the user vector. The file's metadata say how
 * its inputs come about. */
#ifndef SHOAL_ONNX_EXPORT_H
#define SHOAL_ONNX_EXPORT_H

#include "model/model.h"
#include "model/step.h"

/* Appends the file to `out`. precision: SHOAL_FP16 rounds h and c as a served state is, after every
 * step. NOMEM; CONFIG where the program was built without ONNX. */
enum shoal_status shoal_onnx_export(const struct shoal_model *model, enum shoal_precision precision,
                                    const char *program_version, struct shoal_buffer *out,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;

#endif

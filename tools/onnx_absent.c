/* SPDX-License-Identifier: Apache-2.0 */
/* In place of onnx_export.c and onnx_graph.c where protobuf-c or ONNX's schema were missing at build time. */
#include "tools/onnx_export.h"

enum shoal_status shoal_onnx_export(const struct shoal_model *model, enum shoal_precision precision,
                                    const char *program_version, struct shoal_buffer *out,
                                    struct shoal_message *message)
{
    return shoal_fail(message, SHOAL_CONFIG,
                      "this program was built without ONNX: install libprotobuf-c-dev, "
                      "protobuf-c-compiler and libonnx-dev (tools/setup does), and build again");
}

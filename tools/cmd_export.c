/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal export`: a model for programs that are not Shoal. */
#include <stdio.h>
#include <string.h>

#include "model/base/whole_file.h"
#include "tools/commands.h"
#include "tools/onnx_export.h"
#include "tools/onnx_graph.h"
#include "stream/put_json.h"
#include "tools/setup.h"

static void print_json(const char *path, size_t size, const struct shoal_model *model,
                       const char *precision)
{
    struct shoal_put put = {.out = stdout};
    shoal_put_open(&put, NULL, '{');
    shoal_put_text(&put, "onnx", path);
    shoal_put_count(&put, "bytes", size);
    shoal_put_text(&put, "model", model->version);
    shoal_put_text(&put, "precision", precision);
    shoal_put_count(&put, "opset", SHOAL_ONNX_OPSET);
    shoal_put_count(&put, "ir", SHOAL_ONNX_IR);
    shoal_put_count(&put, "hidden", model->params.dims.hidden);
    shoal_put_open(&put, "tasks", '[');
    for (size_t n = 0; n < SHOAL_TASKS; n++)
        shoal_put_text(&put, NULL, shoal_task_info((enum shoal_task)n)->name);
    shoal_put_close(&put, ']');
    shoal_put_close(&put, '}');
    putchar('\n');
}

static int write_onnx(const struct shoal_cli_args *args, const struct shoal_model *model)
{
    struct shoal_message message = {.text = ""};
    struct shoal_buffer bytes = {0};
    const char *path = shoal_cli_get(args, "onnx"), *precision = shoal_cli_get(args, "precision");
    enum shoal_status status =
        shoal_onnx_export(model, strcmp(precision, "fp32") == 0 ? SHOAL_FP32 : SHOAL_FP16,
                          SHOAL_PROGRAM_VERSION, &bytes, &message);
    int refused = status == SHOAL_CONFIG ? SHOAL_EXIT_CONFIG : SHOAL_EXIT_FAILED;
    if (status == SHOAL_OK)
        status = shoal_file_replace(path, &bytes, &message);
    if (status == SHOAL_OK && shoal_cli_get(args, "json"))
        print_json(path, bytes.size, model, precision);
    else if (status == SHOAL_OK)
        printf("model %s as ONNX (opset %d, %s), %zu bytes  %s\n", model->version, SHOAL_ONNX_OPSET,
               precision, bytes.size, path);
    shoal_buffer_finish(&bytes);
    return status == SHOAL_OK ? SHOAL_EXIT_OK : shoal_cli_fail(args, refused, "%s", message.text);
}

static int run(const struct shoal_cli_args *args)
{
    struct shoal_model *model;
    struct shoal_message message = {.text = ""};
    const char *precision = shoal_cli_get(args, "precision");
    if (strcmp(precision, "fp16") != 0 && strcmp(precision, "fp32") != 0)
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE,
                              "--precision: \"%s\" is not one of fp16, fp32", precision);
    if (shoal_model_load(shoal_cli_get(args, "model"), &model, &message) != SHOAL_OK)
        return shoal_cli_fail(args, SHOAL_EXIT_CONFIG, "%s", message.text);
    int code = write_onnx(args, model);
    shoal_model_destroy(model);
    return code;
}

static const struct shoal_cli_option options[] = {
    {"model", "FILE", NULL, "model to export", true, false},
    {"onnx", "FILE", NULL, "ONNX file to write", true, false},
    {"precision", "fp16|fp32", "fp16",
     "fp16: the graph rounds states to half precision after every step, as they are served; fp32: "
     "it does "
     "not",
     false, false},
    {"json", NULL, NULL, "print what was written as one JSON object", false, false},
    {0},
};

const struct shoal_cli_command shoal_cmd_export = {
    .name = "export",
    .summary = "write a model as ONNX, for programs that are not Shoal",
    .description = "One step for a batch of users: behaviour, hashes of item and category, the "
                   "features and decayed counters "
                   "of an event with the user's state in; the state after it, the logits, the "
                   "calibrated logits and the "
                   "predictions of every task out. The file's metadata say how each input is "
                   "computed (deploy/formats.md). "
                   "What is learnt on top (clusters, value, engagement) is not exported.",
    .example = "shoal export --model m.shoal --onnx m.onnx",
    .options = options,
    .run = run,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal export` as a person runs it. SHOAL_PROGRAM is `shoal`; SHOAL_ONNX says whether it can
 * export. */
#include "tests/model/tiny_model.h"
#include "tests/tools/shell.h"

static bool can_export(void)
{
    const char *says_so = getenv("SHOAL_ONNX");
    cr_assert_not_null(says_so, "SHOAL_ONNX is not set");
    return strcmp(says_so, "1") == 0;
}

static void setup(void)
{
    struct shoal_dims dims = tiny_dims();
    struct shoal_model *model = tiny_model(&dims, 1);
    shell_setup();
    cr_assert_not_null(model);
    cr_assert_eq(shoal_model_save(model, "m.shoal", NULL), SHOAL_OK);
    shoal_model_destroy(model);
}

TestSuite(export, .init = setup, .fini = shell_teardown);

static int run(const char *arguments)
{
    char line[1024];
    snprintf(line, sizeof line, "\"$SHOAL_PROGRAM\" export %s", arguments);
    return shell(line);
}

Test(export, says_what_it_has_written)
{
    if (!can_export()) {
        cr_assert_eq(run("--model m.shoal --onnx m.onnx"), 3);
        says("built without ONNX: install libprotobuf-c-dev");
        cr_assert_eq(access("m.onnx", F_OK), -1);
        return;
    }
    cr_assert_eq(run("--model m.shoal --onnx m.onnx"), 0, "%s", printed);
    says("as ONNX (opset 13, fp16)");
    cr_assert_eq(run("--model m.shoal --onnx n.onnx --precision fp32 --json"), 0, "%s", printed);
    says("\"onnx\":\"n.onnx\"");
    says("\"precision\":\"fp32\",\"opset\":13,\"ir\":7,\"hidden\":16,\"tasks\":[\"buy_24h\",");
    cr_assert_eq(shell("cmp -s m.onnx n.onnx"), 1);
}

Test(export, a_model_that_is_missing_or_damaged_is_refused)
{
    cr_assert_eq(run("--model none.shoal --onnx m.onnx"), 3);
    says("none.shoal");
    cr_assert_eq(shell("head -c 1000 m.shoal >d.shoal"), 0);
    cr_assert_eq(run("--model d.shoal --onnx m.onnx"), 3);
    says("damaged");
    cr_assert_eq(shell("test -e m.onnx"), 1, "nothing is left behind");
}

Test(export, wrong_words_are_named)
{
    cr_assert_eq(run("--model m.shoal"), 2);
    says("--onnx FILE is missing");
    cr_assert_eq(run("--model m.shoal --onnx m.onnx --precision fp8"), 2);
    says("\"fp8\" is not one of fp16, fp32");
    if (!can_export())
        return;
    cr_assert_eq(run("--model m.shoal --onnx missing/m.onnx"), 1);
    says("missing/m.onnx");
}

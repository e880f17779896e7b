/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal uplift`: who is to be contacted, learnt from a table of a randomised test; judged on a table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/whole_file.h"
#include "tools/commands.h"
#include "tools/setup.h"
#include "tools/uplift_print.h"

enum { MODEL_BYTES_MAX = 16 << 20 };

/* A failure of the table is one of the data, whatever its status. */
static int table_failed(const struct shoal_cli_args *args, enum shoal_status status,
                        const struct shoal_message *message)
{
    return shoal_cli_fail(args, status == SHOAL_NOMEM ? SHOAL_EXIT_FAILED : SHOAL_EXIT_DATA, "%s",
                          message->text);
}

/* Options that a verb cannot do without; false after a usage error. */
static bool has(const struct shoal_cli_args *args, const char *const *names)
{
    for (; *names; names++)
        if (!shoal_cli_get(args, *names)) {
            (void)shoal_cli_fail(args, SHOAL_EXIT_USAGE, "%s needs --%s", shoal_cli_positional(args, 0), *names);
            return false;
        }
    return true;
}

static struct shoal_uplift_ask ask_of(const struct shoal_cli_args *args)
{
    return (struct shoal_uplift_ask){
        .treatment = shoal_cli_get(args, "treatment"),
        .treated = shoal_cli_get(args, "treated"),
        .control = shoal_cli_get(args, "control"),
        .outcome = shoal_cli_get(args, "outcome"),
        .engaged = shoal_cli_get(args, "engaged"),
        .exclude = shoal_cli_get(args, "exclude"),
    };
}

static void left_out(void *context, const char *name, const char *why)
{
    fprintf(context, "left out: %s (%s)\n", name, why);
}

/* ---- train ----------------------------------------------------------------------------------- */

static int save(const struct shoal_cli_args *args, const struct shoal_uplift_model *model)
{
    struct shoal_message message = {.text = ""};
    struct shoal_buffer bytes = {0};
    shoal_uplift_model_pack(model, &bytes);
    enum shoal_status status = bytes.failed
                                   ? shoal_fail(&message, SHOAL_NOMEM, "out of memory")
                                   : shoal_file_replace(shoal_cli_get(args, "out"), &bytes, &message);
    shoal_buffer_finish(&bytes);
    if (status != SHOAL_OK)
        return shoal_cli_fail(args, SHOAL_EXIT_FAILED, "%s", message.text);
    if (shoal_cli_get(args, "json"))
        shoal_uplift_put_model(model, stdout);
    else
        shoal_uplift_print_model(model, stdout);
    return SHOAL_EXIT_OK;
}

static int train(const struct shoal_cli_args *args, const struct shoal_uplift_data *data, uint64_t seed)
{
    struct shoal_message message = {.text = ""};
    struct shoal_uplift_model *model = calloc(1, sizeof *model);
    if (!model)
        return shoal_cli_fail(args, SHOAL_EXIT_FAILED, "out of memory");
    if (data->others)
        fprintf(stderr, "left out: %zu rows whose %s is neither value\n", data->others, data->ask->treatment);
    enum shoal_status status = shoal_uplift_data_learn(data, seed, left_out, stderr, model, &message);
    int code = status == SHOAL_OK ? save(args, model) : table_failed(args, status, &message);
    shoal_uplift_model_finish(model);
    free(model);
    return code;
}

/* ---- evaluate -------------------------------------------------------------------------------- */

static void show(void *context, size_t done, size_t total)
{
    shoal_progress_update(context, (double)done / (double)total, done);
}

static int evaluate_halves(const struct shoal_cli_args *args, const struct shoal_uplift_data *data,
                           uint64_t seed, size_t count)
{
    struct shoal_message message = {.text = ""};
    struct shoal_halves halves;
    struct shoal_progress line = {0};
    shoal_progress_start(&line, "halves", "halves");
    enum shoal_status status = shoal_halves_run(data, count, seed, show, &line, &halves, &message);
    shoal_progress_end(&line);
    if (status != SHOAL_OK)
        return table_failed(args, status, &message);
    if (shoal_cli_get(args, "json"))
        shoal_uplift_put_halves(&halves, seed, stdout);
    else
        shoal_uplift_print_halves(&halves, stdout);
    return SHOAL_EXIT_OK;
}

static int evaluate(const struct shoal_cli_args *args, const struct shoal_uplift_data *data,
                    const struct shoal_uplift_model *model, uint64_t seed)
{
    struct shoal_message message = {.text = ""};
    struct shoal_uplift_judgement judgement;
    enum shoal_status status = shoal_uplift_data_judge(data, model, seed, &judgement, &message);
    if (status != SHOAL_OK)
        return table_failed(args, status, &message);
    if (shoal_cli_get(args, "json"))
        shoal_uplift_put_judgement(model, &judgement, stdout);
    else
        shoal_uplift_print_judgement(model, &judgement, stdout);
    return SHOAL_EXIT_OK;
}

/* ---- either ---------------------------------------------------------------------------------- */

static int load(const struct shoal_cli_args *args, struct shoal_uplift_model *model)
{
    struct shoal_message message = {.text = ""};
    struct shoal_buffer bytes = {0};
    const char *path = shoal_cli_get(args, "model");
    enum shoal_status status = shoal_file_read(path, MODEL_BYTES_MAX, &bytes, &message);
    int code = SHOAL_EXIT_OK;
    if (status != SHOAL_OK)
        code = shoal_cli_fail(args, SHOAL_EXIT_CONFIG, "%s", message.text);
    else if ((status = shoal_uplift_model_unpack(bytes.bytes, bytes.size, model, &message)) != SHOAL_OK)
        code = shoal_cli_fail(args, SHOAL_EXIT_CONFIG, "%s: %s", path, message.text);
    shoal_buffer_finish(&bytes);
    return code;
}

/* What is not asked for is as the model was trained. */
static void complete(struct shoal_uplift_ask *ask, const struct shoal_uplift_model *model)
{
    ask->treatment = ask->treatment ? ask->treatment : model->treatment;
    ask->treated = ask->treated ? ask->treated : model->treated;
    ask->control = ask->control ? ask->control : model->control;
    ask->outcome = ask->outcome ? ask->outcome : model->outcome;
}

/* model NULL: to be trained. */
static int with_table(const struct shoal_cli_args *args, const struct shoal_uplift_ask *ask,
                      const struct shoal_uplift_model *model, bool training)
{
    long long seed, halves = 0;
    struct shoal_message message = {.text = ""};
    struct shoal_table *table;
    struct shoal_uplift_data data;
    if (!shoal_cli_int(args, "seed", 0, INT64_MAX, &seed) ||
        (shoal_cli_get(args, "halves") && !shoal_cli_int(args, "halves", 2, 10000, &halves)))
        return SHOAL_EXIT_USAGE;
    enum shoal_status status =
        shoal_table_open(shoal_cli_get(args, "table"), SHOAL_TABLE_CSV, &table, &message);
    if (status != SHOAL_OK)
        return table_failed(args, status, &message);
    status = shoal_uplift_data_read(table, ask, &data, &message);
    int code = status != SHOAL_OK ? table_failed(args, status, &message)
               : training         ? train(args, &data, (uint64_t)seed)
               : model            ? evaluate(args, &data, model, (uint64_t)seed)
                                  : evaluate_halves(args, &data, (uint64_t)seed, (size_t)halves);
    shoal_uplift_data_finish(&data);
    shoal_table_close(table);
    return code;
}

static int run_evaluate(const struct shoal_cli_args *args)
{
    static const char *const questions[] = {"treatment", "treated", "control", "outcome", NULL};
    struct shoal_uplift_ask ask = ask_of(args);
    const char *path = shoal_cli_get(args, "model");
    if (!path == !shoal_cli_get(args, "halves"))
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "evaluate needs --model or --halves, and not both");
    if (!path)
        return has(args, questions) ? with_table(args, &ask, NULL, false) : SHOAL_EXIT_USAGE;
    struct shoal_uplift_model *model = calloc(1, sizeof *model);
    if (!model)
        return shoal_cli_fail(args, SHOAL_EXIT_FAILED, "out of memory");
    int code = load(args, model);
    complete(&ask, model);
    if (code == SHOAL_EXIT_OK)
        code = with_table(args, &ask, model, false);
    shoal_uplift_model_finish(model);
    free(model);
    return code;
}

static int run(const struct shoal_cli_args *args)
{
    static const char *const wanted[] = {"treatment", "treated", "control", "outcome", "out", NULL};
    const char *verb = shoal_cli_positional(args, 0);
    struct shoal_uplift_ask ask = ask_of(args);
    if (strcmp(verb, "evaluate") == 0)
        return run_evaluate(args);
    if (strcmp(verb, "train") != 0)
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "'%s' is neither train nor evaluate", verb);
    return has(args, wanted) ? with_table(args, &ask, NULL, true) : SHOAL_EXIT_USAGE;
}

static const struct shoal_cli_option options[] = {
    {"table", "FILE", NULL, "CSV with a header, a row a customer; plain, gzip or zstd", true, false},
    {"treatment", "COL", NULL, "column that says how a customer was treated", false, false},
    {"treated", "VALUE", NULL, "its value of those who were contacted", false, false},
    {"control", "VALUE", NULL, "its value of those who were not; rows of other values are left out", false,
     false},
    {"outcome", "COL", NULL, "column of 0 and 1: what a contact is to bring about", false, false},
    {"engaged", "COL", NULL,
     "column of 0 and 1 that parts those with the outcome into engaged and unengaged (default: all engaged)",
     false, false},
    {"exclude", "COL[,COL…]", NULL, "columns that are no inputs, beside those found to be known only afterwards",
     false, false},
    {"out", "FILE", NULL, "train: model file to write", false, false},
    {"model", "FILE", NULL,
     "evaluate: model file; --treatment, --treated, --control, --outcome are its own if not given", false, false},
    {"halves", "N", NULL, "evaluate: no model, but N random halves, each learnt on one and judged on the other",
     false, false},
    {"seed", "S", "1", "the same table, options and seed give the same file and figures", false, false},
    {"json", NULL, NULL, "one JSON object", false, false},
    {0},
};

const struct shoal_cli_command shoal_cmd_uplift = {
    .name = "uplift",
    .summary = "learn whom to contact from a randomised test",
    .positional = "train|evaluate",
    .description =
        "train: learns from the two arms by five learners (the two-stage model with self-paced correction, its "
        "analytic form, two models, one model with shrunk interactions; and the response alone), picks "
        "the best by the Qini of a cross-validation of the table, and records all figures in the file. At least "
        "25 rows with and 25 without the outcome are needed in either arm.\n"
        "evaluate: Qini and AUUC (qini_auc_score and uplift_auc_score of scikit-uplift), uplift and captured gain "
        "when 10, 30 and 40 % are contacted, the cumulative gain curve; precision, recall, balanced accuracy and "
        "weighted F1 of contacting as many as the three highest RFM segments have, which stand beside it.",
    .example = "shoal uplift train --table hillstrom.csv.gz --treatment segment --treated \"Womens E-Mail\" "
               "--control \"No E-Mail\" --outcome visit --out uplift.model",
    .options = options,
    .run = run,
};

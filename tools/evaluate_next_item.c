/* SPDX-License-Identifier: Apache-2.0 */
/* Events in, figures and ranks out; see evaluate_next_item.h. */
#include "tools/evaluate_next_item.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "model/learn/evaluate_items.h"
#include "tools/load_events.h"
#include "stream/put_json.h"
#include "tools/setup.h"

static const char *const group_names[SHOAL_ITEM_GROUPS] = {
    [SHOAL_ITEM_GROUP_ALL] = "all",
    [SHOAL_ITEM_GROUP_BUY] = "buy",
    [SHOAL_ITEM_GROUP_SHORT] = "short",
    [SHOAL_ITEM_GROUP_NEW] = "new",
};

/* ---- JSON --------------------------------------------------------------------------------------- */

static void put_values(struct shoal_put *put, const struct shoal_item_judgement *judgement)
{
    shoal_put_count(put, "n", judgement->count);
    for (int m = 0; m < SHOAL_ITEM_MEASURE_COUNT; m++)
        shoal_put_real(put, shoal_item_measure_name((enum shoal_item_measure)m),
                       judgement->values[m]);
    shoal_put_open(put, "intervals", '{');
    for (int m = 0; m < SHOAL_ITEM_MEASURE_COUNT; m++) {
        shoal_put_open(put, shoal_item_measure_name((enum shoal_item_measure)m), '[');
        shoal_put_real(put, NULL, judgement->intervals[m].low);
        shoal_put_real(put, NULL, judgement->intervals[m].high);
        shoal_put_close(put, ']');
    }
    shoal_put_close(put, '}');
}

static void put_group(struct shoal_put *put, const struct shoal_items_evaluation *evaluation,
                      enum shoal_item_group group)
{
    put_values(put, &evaluation->model[group]);
    shoal_put_open(put, "popularity", '{');
    put_values(put, &evaluation->popular[group]);
    shoal_put_close(put, '}');
    shoal_put_open(put, "difference", '{');
    put_values(put, &evaluation->difference[group]);
    shoal_put_close(put, '}');
}

static void print_json(const struct shoal_model *model,
                       const struct shoal_items_evaluation *evaluation)
{
    struct shoal_put put = {.out = stdout};
    size_t asked = evaluation->count + evaluation->unseen;
    shoal_put_open(&put, NULL, '{');
    shoal_put_text(&put, "task", "next-item");
    shoal_put_text(&put, "model", model->version);
    shoal_put_count(&put, "catalogue", shoal_items_count(model->items));
    shoal_put_real(&put, "unseen", asked ? (double)evaluation->unseen / (double)asked : NAN);
    shoal_put_count(&put, "missing", evaluation->missing);
    put_group(&put, evaluation, SHOAL_ITEM_GROUP_ALL);
    for (int g = SHOAL_ITEM_GROUP_BUY; g < SHOAL_ITEM_GROUPS; g++) {
        shoal_put_open(&put, group_names[g], '{');
        put_group(&put, evaluation, (enum shoal_item_group)g);
        shoal_put_close(&put, '}');
    }
    shoal_put_close(&put, '}');
    putchar('\n');
}

/* ---- a table ------------------------------------------------------------------------------------ */

static void print_line(const char *name, const struct shoal_item_judgement *judgement)
{
    printf("  %-11s %8zu", name, judgement->count);
    for (int m = 0; m < SHOAL_ITEM_MEASURE_COUNT; m++)
        printf("  %.4f [%.4f, %.4f]", judgement->values[m], judgement->intervals[m].low,
               judgement->intervals[m].high);
    putchar('\n');
}

static void print_table(const struct shoal_model *model,
                        const struct shoal_items_evaluation *evaluation)
{
    size_t asked = evaluation->count + evaluation->unseen;
    printf("next item by model %s, among %zu items; %zu events judged, with 95 %% intervals by users\n",
           model->version, shoal_items_count(model->items), evaluation->count);
    printf("  left out: %.1f %% of an item that had not been seen; %zu counted as missed: not in the "
           "catalogue\n",
           asked ? 100 * (double)evaluation->unseen / (double)asked : 0.0, evaluation->missing);
    printf("  %-11s %8s", "", "events");
    for (int m = 0; m < SHOAL_ITEM_MEASURE_COUNT; m++)
        printf("  %-23s", shoal_item_measure_name((enum shoal_item_measure)m));
    putchar('\n');
    for (int g = 0; g < SHOAL_ITEM_GROUPS; g++) {
        if (evaluation->model[g].count == 0)
            continue;
        print_line(group_names[g], &evaluation->model[g]);
        print_line("  popularity", &evaluation->popular[g]);
    }
}

/* ---- ranks -------------------------------------------------------------------------------------- */

/* As a field of CSV: quoted where it has to be. */
static void write_field(const char *text, size_t size, FILE *out)
{
    bool quoted = memchr(text, ',', size) || memchr(text, '"', size) || memchr(text, '\n', size) ||
                  memchr(text, '\r', size);
    if (quoted)
        fputc('"', out);
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"')
            fputc('"', out);
        fputc(text[i], out);
    }
    if (quoted)
        fputc('"', out);
}

static void write_rank(uint32_t rank, FILE *out)
{
    fputc(',', out);
    if (rank != SHOAL_MISS)
        fprintf(out, "%" PRIu32, rank);
}

static void write_target(const struct shoal_dataset *dataset, const struct shoal_item_names *names,
                         const struct shoal_item_target *target, FILE *out)
{
    const struct shoal_touch *touch = &dataset->touches[target->event];
    const char *user = shoal_dataset_user_id(dataset, dataset->owners[target->event]);
    size_t size = 0;
    const char *item = shoal_item_names_find(names, touch->item, &size);
    write_field(user, strlen(user), out);
    fprintf(out, ",%" PRId64, touch->time_ms / 1000);
    if (touch->time_ms % 1000)
        fprintf(out, ".%03d", (int)(touch->time_ms % 1000));
    fputc(',', out);
    if (item)
        write_field(item, size, out);
    fprintf(out, ",%s,%" PRIu32, shoal_behavior_name((enum shoal_behavior)touch->behavior),
            target->history);
    write_rank(target->rank, out);
    write_rank(target->rank_buy, out);
    fputc('\n', out);
}

static int write_ranks(const struct shoal_cli_args *args, const char *path,
                       const struct shoal_dataset *dataset, const struct shoal_item_names *names,
                       const struct shoal_items_evaluation *evaluation)
{
    FILE *out = fopen(path, "w");
    if (!out)
        return shoal_cli_fail(args, SHOAL_EXIT_FAILED, "%s: %s", path, strerror(errno));
    fputs("user_id,timestamp,item_id,behavior,history,rank,rank_buy\n", out);
    for (size_t i = 0; i < evaluation->count; i++)
        write_target(dataset, names, &evaluation->targets[i], out);
    bool failed = ferror(out);
    if (fclose(out) != 0 || failed)
        return shoal_cli_fail(args, SHOAL_EXIT_FAILED, "%s: %s", path, strerror(errno));
    return SHOAL_EXIT_OK;
}

/* ---- the command -------------------------------------------------------------------------------- */

static int judge(const struct shoal_cli_args *args, const struct shoal_model *model,
                 const struct shoal_items_evaluate_options *options, struct shoal_dataset *dataset,
                 struct shoal_item_names *names)
{
    struct shoal_message message = {.text = ""};
    struct shoal_load load = {.until_ms = INT64_MAX, .names = names};
    struct shoal_items_evaluation evaluation;
    int code = shoal_load_for(args, &load, dataset);
    if (code != SHOAL_EXIT_OK)
        return code;
    enum shoal_status status = shoal_items_evaluate(model, dataset, options, &evaluation, &message);
    if (status != SHOAL_OK) {
        code = shoal_cli_fail(args, shoal_setup_exit(status), "%s", message.text);
    } else {
        const char *ranks = shoal_cli_get(args, "ranks");
        if (shoal_cli_get(args, "json"))
            print_json(model, &evaluation);
        else
            print_table(model, &evaluation);
        if (ranks)
            code = write_ranks(args, ranks, dataset, names, &evaluation);
    }
    shoal_items_evaluation_finish(&evaluation);
    return code;
}

int shoal_evaluate_next_item(const struct shoal_cli_args *args, const struct shoal_model *model)
{
    bool from_given, until_given;
    long long from_ms, until_ms, seed;
    struct shoal_dataset dataset;
    struct shoal_item_names names;
    if (!shoal_cli_time(args, "from", &from_given, &from_ms) ||
        !shoal_cli_time(args, "until", &until_given, &until_ms) ||
        !shoal_cli_int(args, "seed", 0, INT64_MAX, &seed))
        return SHOAL_EXIT_USAGE;
    if (!model->items)
        return shoal_cli_fail(args, SHOAL_EXIT_CONFIG,
                              "model %s has no items; train one with shoal train --items auto",
                              model->version);
    const struct shoal_items_evaluate_options options = {
        .from_ms = from_given ? from_ms : model->origin.train_until_ms,
        .until_ms = until_given ? until_ms : INT64_MAX,
        .seed = (uint64_t)seed,
        .without_prompts = shoal_cli_get(args, "without-prompts"),
    };
    shoal_dataset_init(&dataset, model->params.dims.ring);
    shoal_item_names_init(&names);
    int code = judge(args, model, &options, &dataset, &names);
    shoal_item_names_finish(&names);
    shoal_dataset_finish(&dataset);
    return code;
}

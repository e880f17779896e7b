/* SPDX-License-Identifier: Apache-2.0 */
/* shoal promotions check: is the file right, what does it say, and who would have got what. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/replay.h"
#include "tools/commands.h"
#include "tools/describe_promotion.h"
#include "tools/dry_run.h"
#include "tools/setup.h"

enum { FILES_MAX = 64 };

/* What is told of a file; `dry` NULL: no dry run was asked for. */
struct checked {
    const char *path;
    const struct shoal_policy *policy;
    const struct shoal_dry_run *dry;
    char *lines; /* decisions of --user */
};

/* ---- what is printed ----------------------------------------------------------------------- */

static void print_offset(int64_t utc_offset_ms, FILE *out)
{
    int minutes = (int)(utc_offset_ms / 60000), positive = minutes < 0 ? -minutes : minutes;
    fprintf(out, "%c%02d:%02d", minutes < 0 ? '-' : '+', positive / 60, positive % 60);
}

static void print_text(const struct checked *c)
{
    const struct shoal_policy *policy = c->policy;
    printf("%s: fine, %zu promotions, version %s, times of day at UTC", c->path, policy->count,
           policy->version);
    print_offset(policy->utc_offset_ms, stdout);
    putchar('\n');
    for (size_t i = 0; i < policy->count; i++) {
        fputs("  ", stdout);
        shoal_describe_promotion(&policy->promotions[i], stdout);
        fputs(".\n", stdout);
    }
    if (c->dry) {
        puts("\ndry run:");
        shoal_dry_run_print(c->dry, policy, stdout);
    }
    if (c->lines && c->lines[0])
        printf("\n%s", c->lines);
    fflush(stdout);
    for (size_t i = 0; i < policy->warnings_count; i++)
        fprintf(stderr, "%s:%d: warning: %s\n", c->path, policy->warnings[i].line,
                policy->warnings[i].text);
}

static void put_promotions(struct shoal_put *put, const struct shoal_policy *policy)
{
    shoal_put_open(put, "promotions", '[');
    for (size_t i = 0; i < policy->count; i++) {
        char *sentence = NULL;
        size_t size = 0;
        FILE *memory = open_memstream(&sentence, &size);
        if (memory) {
            shoal_describe_promotion(&policy->promotions[i], memory);
            fclose(memory);
        }
        shoal_put_open(put, NULL, '{');
        shoal_put_text(put, "id", policy->promotions[i].id);
        shoal_put_text(put, "kind", shoal_kind_info(policy->promotions[i].kind)->name);
        shoal_put_int(put, "line", policy->promotions[i].lines.promotion);
        shoal_put_text(put, "sentence", sentence);
        shoal_put_close(put, '}');
        free(sentence);
    }
    shoal_put_close(put, ']');
}

static void print_json(const struct checked *c)
{
    struct shoal_put put = {.out = stdout};
    const struct shoal_policy *policy = c->policy;
    shoal_put_open(&put, NULL, '{');
    shoal_put_text(&put, "file", c->path);
    shoal_put_flag(&put, "valid", true);
    shoal_put_text(&put, "policy", policy->version);
    shoal_put_int(&put, "utc_offset_seconds", policy->utc_offset_ms / 1000);
    put_promotions(&put, policy);
    shoal_put_open(&put, "warnings", '[');
    for (size_t i = 0; i < policy->warnings_count; i++) {
        shoal_put_open(&put, NULL, '{');
        shoal_put_int(&put, "line", policy->warnings[i].line);
        shoal_put_text(&put, "text", policy->warnings[i].text);
        shoal_put_close(&put, '}');
    }
    shoal_put_close(&put, ']');
    if (c->dry)
        shoal_dry_run_put(c->dry, policy, &put);
    if (c->lines) {
        shoal_put_open(&put, "decisions", '[');
        fputs(c->lines, stdout);
        shoal_put_close(&put, ']');
    }
    shoal_put_close(&put, '}');
    putchar('\n');
}

/* A file that is refused. */
static int refuse(const struct shoal_cli_args *args, int code, const char *path, const char *reason)
{
    if (shoal_cli_get(args, "json")) {
        struct shoal_put put = {.out = stdout};
        shoal_put_open(&put, NULL, '{');
        shoal_put_text(&put, "file", path);
        shoal_put_flag(&put, "valid", false);
        shoal_put_text(&put, "error", reason);
        shoal_put_close(&put, '}');
        putchar('\n');
    }
    return shoal_cli_fail(args, code, "%s", reason);
}

/* ---- the dry run --------------------------------------------------------------------------- */

static void on_progress(void *opaque, double fraction, uint64_t messages)
{
    shoal_progress_update(opaque, fraction, messages);
}

static enum shoal_status run_dry(const struct shoal_setup *setup, char *events, int32_t partitions,
                                 struct shoal_dry_run *dry, struct shoal_message *message)
{
    const char *files[FILES_MAX];
    struct shoal_progress progress;
    struct shoal_replay_options options = {
        .pipeline = shoal_pipeline_options_of(setup->config, setup->model, setup->policy),
        .events = files,
        .sink = shoal_dry_run_sink(dry),
        .partitions = partitions,
        .workers = 1,
        .record_time_ms = -1,
        .progress = on_progress,
        .opaque = &progress,
    };
    options.pipeline.format = SHOAL_OUTPUT_MSGPACK;
    for (char *rest = events, *file; (file = strsep(&rest, ",")) && options.events_count < FILES_MAX;)
        if (*file)
            files[options.events_count++] = file;
    struct shoal_pipeline_counts counts;
    shoal_progress_start(&progress, "dry run", "messages");
    enum shoal_status status = shoal_replay(&options, &counts, message);
    shoal_progress_end(&progress);
    return status;
}

static enum shoal_status dry_run(const struct shoal_cli_args *args, const struct shoal_setup *setup,
                                 int32_t partitions, struct checked *c,
                                 struct shoal_message *message)
{
    size_t size;
    struct shoal_dry_run *dry = NULL;
    const char *user = shoal_cli_get(args, "user");
    char *events = strdup(shoal_cli_get(args, "events"));
    FILE *lines = user ? open_memstream(&c->lines, &size) : NULL;
    enum shoal_status status = events && (lines || !user) ? SHOAL_OK : SHOAL_NOMEM;
    if (status == SHOAL_OK)
        status = shoal_dry_run_create(setup->policy, user, lines, shoal_cli_get(args, "json") != NULL,
                                      &dry);
    if (status == SHOAL_OK)
        status = run_dry(setup, events, partitions, dry, message);
    else
        shoal_fail(message, status, "out of memory");
    if (lines)
        fclose(lines);
    free(events);
    c->dry = dry;
    return status;
}

/* ---- the command --------------------------------------------------------------------------- */

/* The policy is loaded by itself, so that what is wrong with it is said before anything else. */
static int load(const struct shoal_cli_args *args, const char *path, int32_t partitions,
                struct shoal_setup *setup)
{
    struct shoal_message message = {.text = ""};
    struct shoal_policy *policy = NULL;
    const char *model = shoal_cli_get(args, "model");
    enum shoal_status status = shoal_policy_load(path, &policy, &message);
    if (status != SHOAL_OK)
        return refuse(args, SHOAL_EXIT_CONFIG, path, message.text);
    int code = model ? shoal_setup_load(args, model, "", setup) : shoal_setup_config(args, setup);
    setup->policy = policy;
    if (code != SHOAL_EXIT_OK)
        return code;
    status = shoal_policy_check(policy, path, partitions, setup->model, &message);
    return status == SHOAL_OK ? SHOAL_EXIT_OK
                              : refuse(args, SHOAL_EXIT_CONFIG, path, message.text);
}

static int check(const struct shoal_cli_args *args, const char *path)
{
    struct shoal_setup setup = {0};
    struct shoal_message message = {.text = ""};
    struct checked c = {.path = path};
    long long partitions;
    if (!shoal_cli_int(args, "partitions", 1, 100000, &partitions))
        return SHOAL_EXIT_USAGE;
    int code = load(args, path, (int32_t)partitions, &setup);
    if (code == SHOAL_EXIT_OK && shoal_cli_get(args, "events")) {
        enum shoal_status status = dry_run(args, &setup, (int32_t)partitions, &c, &message);
        if (status != SHOAL_OK)
            code = shoal_cli_fail(args, shoal_setup_exit(status), "%s", message.text);
    }
    c.policy = setup.policy;
    if (code == SHOAL_EXIT_OK && shoal_cli_get(args, "json"))
        print_json(&c);
    else if (code == SHOAL_EXIT_OK)
        print_text(&c);
    shoal_dry_run_destroy((struct shoal_dry_run *)c.dry);
    free(c.lines);
    shoal_setup_finish(&setup);
    return code;
}

static int run(const struct shoal_cli_args *args)
{
    const char *action = shoal_cli_positional(args, 0), *path = shoal_cli_positional(args, 1);
    if (strcmp(action, "check") != 0)
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "unknown action '%s': check is the only one",
                              action);
    if (!shoal_cli_get(args, "model") != !shoal_cli_get(args, "events") &&
        shoal_cli_get(args, "events"))
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "a dry run over --events needs a --model");
    if (shoal_cli_get(args, "user") && !shoal_cli_get(args, "events"))
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "--user needs --events and --model");
    return check(args, path);
}

static const struct shoal_cli_option options[] = {
    {"events", "FILE[,FILE…]", NULL,
     "dry run: count who would have been offered what over these events (JSON lines or CSV, plain, "
     "gzip or zstd; - for standard input); needs --model",
     false, false},
    {"model", "FILE", NULL, "check against this model too (a file, or a folder of models)", false,
     false},
    {"user", "ID", NULL, "print every decision about this user", false, false},
    {"partitions", "N", "4", "partitions of the events topic, to which budgets are shared out", false,
     false},
    {"json", NULL, NULL, "print JSON", false, false},
    SHOAL_SETUP_OPTIONS,
    {0},
};

const struct shoal_cli_command shoal_cmd_promotions = {
    .name = "promotions",
    .summary = "check a promotions file, and try it on past events",
    .positional = "check FILE",
    .description =
        "Prints what each promotion does in a sentence. What contradicts itself or can never happen "
        "is refused with its line (exit code 3); what has no effect is warned of on standard error.",
    .example = "shoal promotions check deploy/promotions.yaml --events events.csv.gz --model m.shoal "
               "--user 543789",
    .options = options,
    .run = run,
};

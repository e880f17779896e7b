/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal generate`: synthetic shoppers into a file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/commands.h"
#include "tools/shoppers.h"

struct showing {
    struct shoal_progress line;
    double days;
};

static void show(void *opaque, uint64_t done, uint64_t total)
{
    struct showing *showing = opaque;
    double fraction = total > 0 ? (double)done / (double)total : 1;
    /* The unit of the rate is simulated days; as a count of hours it moves evenly. */
    shoal_progress_update(&showing->line, fraction,
                          (unsigned long long)(fraction * showing->days * 24));
}

static bool read_options(const struct shoal_cli_args *args, struct shoal_shoppers_options *options)
{
    long long users, seed, items, start_ms;
    double days;
    bool start_given;
    if (!shoal_cli_int(args, "users", 0, 100000000, &users) ||
        !shoal_cli_real(args, "days", 0, 3650, &days) ||
        !shoal_cli_int(args, "seed", 0, INT64_MAX, &seed) ||
        !shoal_cli_int(args, "items", 1, 100000000, &items) ||
        !shoal_cli_time(args, "start", &start_given, &start_ms))
        return false;
    *options = shoal_shoppers_options_default();
    options->users = (uint64_t)users;
    options->days = days;
    options->seed = (uint64_t)seed;
    options->items = (uint64_t)items;
    options->campaigns = !shoal_cli_get(args, "no-campaigns");
    options->kinds = shoal_cli_get(args, "kinds");
    if (start_given)
        options->start_ms = start_ms;
    return true;
}

/* Who is of which kind, beside the events. */
static int write_kinds(const struct shoal_cli_args *args, const struct shoal_shoppers_options *options)
{
    const char *path = shoal_cli_get(args, "kinds");
    FILE *out = fopen(path, "wb");
    if (!out)
        return shoal_cli_fail(args, SHOAL_EXIT_FAILED, "%s: %s", path, strerror(errno));
    int error = shoal_shoppers_write_kinds(options, out);
    if (fclose(out) != 0 && error == 0)
        error = errno;
    return error ? shoal_cli_fail(args, error == EINVAL ? SHOAL_EXIT_USAGE : SHOAL_EXIT_FAILED, "%s: %s",
                                  path, strerror(error))
                 : SHOAL_EXIT_OK;
}

static int run(const struct shoal_cli_args *args)
{
    struct shoal_shoppers_options options;
    if (!read_options(args, &options))
        return SHOAL_EXIT_USAGE;
    const char *path = shoal_cli_get(args, "out");
    bool to_stdout = strcmp(path, "-") == 0;
    FILE *out = to_stdout ? stdout : fopen(path, "wb");
    if (!out)
        return shoal_cli_fail(args, SHOAL_EXIT_FAILED, "%s: %s", path, strerror(errno));
    struct showing showing = {.days = options.days};
    shoal_progress_start(&showing.line, "generate", "h");
    options.progress = show;
    options.opaque = &showing;
    uint64_t events_count = 0;
    int error = shoal_shoppers_write(&options, out, &events_count);
    if (!to_stdout && fclose(out) != 0 && error == 0)
        error = errno;
    shoal_progress_end(&showing.line);
    if (error == EINVAL)
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "an option is out of range");
    if (error != 0)
        return shoal_cli_fail(args, SHOAL_EXIT_FAILED, "%s: %s", path, strerror(error));
    fprintf(stderr, "%llu events of %llu users\n", (unsigned long long)events_count,
            (unsigned long long)options.users);
    return options.kinds ? write_kinds(args, &options) : SHOAL_EXIT_OK;
}

static const struct shoal_cli_option options[] = {
    {.name = "users", .argument = "N", .standard = "1000", .help = "number of shoppers"},
    {.name = "days",
     .argument = "D",
     .standard = "9",
     .help = "simulated days, may have a fraction"},
    {.name = "seed",
     .argument = "S",
     .standard = "1",
     .help = "the same seed gives the same bytes"},
    {.name = "out",
     .argument = "FILE",
     .required = true,
     .help = "where to write, one JSON event a line; - for standard output"},
    {.name = "start",
     .argument = "TIME",
     .help = "first moment (default 2025-03-03T00:00Z, a Monday)"},
    {.name = "items", .argument = "N", .standard = "200000", .help = "items in the catalogue"},
    {.name = "no-campaigns", .help = "no campaign contacts"},
    {.name = "kinds",
     .argument = "FILE",
     .help = "contacts work by the shopper's kind: persuadable, sure_thing, lost_cause, do_not_disturb; written "
             "there as CSV"},
    {0},
};

const struct shoal_cli_command shoal_cmd_generate = {
    .name = "generate",
    .summary = "write the events of synthetic shoppers",
    .description =
        "Shoppers have habits: sessions, active hours, trajectories from view to cart to "
        "purchase, price sensitivity, campaign contacts. The bytes are a function of the "
        "options alone.",
    .example = "shoal generate --users 1000 --days 9 --seed 1 --out events.jsonl",
    .options = options,
    .run = run,
};

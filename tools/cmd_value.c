/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal value`: what a table of purchases says of customer value, on a holdout. No model file, no events: the same
 * code as a training uses, on the data of the literature and on a shop's own. */
#include <stdint.h>

#include "stream/event.h"
#include "tools/commands.h"
#include "tools/setup.h"
#include "tools/value_print.h"

static const int64_t DAY_MS = INT64_C(86400000);

static int study_table(const struct shoal_cli_args *args, const struct shoal_purchases_table *table,
                       struct shoal_cohort *cohort, struct shoal_value_study *study, uint64_t seed)
{
    struct shoal_message message = {""};
    struct shoal_value_contest contest;
    bool by_method = shoal_cli_get(args, "by-method");
    enum shoal_status status = shoal_value_study_make(cohort, study, &message);
    if (status == SHOAL_OK && by_method)
        status = shoal_value_contest(table, cohort, seed, &contest);
    if (status != SHOAL_OK)
        return shoal_cli_fail(args, shoal_setup_exit(status), "%s: %s",
                              shoal_cli_get(args, "purchases"),
                              message.text[0] ? message.text : shoal_status_text(status));
    struct shoal_value_findings found = {table, cohort, study, by_method ? &contest : NULL};
    if (shoal_cli_get(args, "json"))
        shoal_value_print_json(&found);
    else
        shoal_value_print_text(&found);
    return SHOAL_EXIT_OK;
}

/* The day of --calibrate-until, with purchases before and after. */
static int cut(const struct shoal_cli_args *args, const struct shoal_purchases_table *table,
               int64_t until_ms, int32_t *day)
{
    char first[25], last[25];
    shoal_time_print(table->first_day * DAY_MS, first);
    shoal_time_print(table->last_day * DAY_MS, last);
    *day = (int32_t)(until_ms / DAY_MS);
    if (*day > table->first_day && *day < table->last_day)
        return SHOAL_EXIT_OK;
    return shoal_cli_fail(
        args, SHOAL_EXIT_DATA,
        "--calibrate-until: the purchases are of %.10s to %.10s; take a day between, for example "
        "two thirds of the way",
        first, last);
}

static int read_columns(const struct shoal_cli_args *args, struct shoal_purchases_columns *columns)
{
    *columns = (struct shoal_purchases_columns){
        .customer = shoal_cli_get(args, "customer"),
        .date = shoal_cli_get(args, "date"),
        .amount = shoal_cli_get(args, "amount"),
        .quantity = shoal_cli_get(args, "quantity"),
        .price = shoal_cli_get(args, "price"),
    };
    if (!columns->quantity != !columns->price)
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "--quantity and --price go together");
    if (columns->price && columns->amount)
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE,
                              "--amount or --quantity with --price, not both");
    if (!columns->price && !columns->amount)
        columns->amount = "amount";
    return SHOAL_EXIT_OK;
}

static int run(const struct shoal_cli_args *args)
{
    struct shoal_message message = {""};
    struct shoal_purchases_columns columns;
    struct shoal_purchases_table table;
    struct shoal_cohort cohort = {0};
    struct shoal_value_study study = {0};
    bool given;
    long long until_ms = 0, seed;
    int32_t day = 0;
    int code = read_columns(args, &columns);
    if (code != SHOAL_EXIT_OK)
        return code;
    if (!shoal_cli_time(args, "calibrate-until", &given, &until_ms) ||
        !shoal_cli_int(args, "seed", 0, INT64_MAX, &seed))
        return SHOAL_EXIT_USAGE;
    enum shoal_status status =
        shoal_purchases_table_read(shoal_cli_get(args, "purchases"), &columns, &table, &message);
    if (status != SHOAL_OK)
        code = shoal_cli_fail(args, shoal_setup_exit(status), "%s", message.text);
    else
        code = cut(args, &table, until_ms, &day);
    if (code == SHOAL_EXIT_OK &&
        shoal_cohort_make(&table, day, table.last_day, &cohort) != SHOAL_OK)
        code = shoal_cli_fail(args, SHOAL_EXIT_FAILED, "out of memory with %zu purchases",
                              table.count);
    if (code == SHOAL_EXIT_OK)
        code = study_table(args, &table, &cohort, &study, (uint64_t)seed);
    shoal_value_study_finish(&study);
    shoal_cohort_finish(&cohort);
    shoal_purchases_table_finish(&table);
    return code;
}

static const struct shoal_cli_option options[] = {
    {"purchases", "FILE", NULL,
     "CSV with a header, or CDNOW's text (customer, date, units, dollars); plain, gzip or zstd; - "
     "for standard "
     "input",
     true, false},
    {"calibrate-until", "DATE", NULL,
     "last day to calibrate on (UTC); the rest of the table is the holdout", true, false},
    {"customer", "COLUMN", "customer", "of CSV: who bought", false, false},
    {"date", "COLUMN", "date", "of CSV: when", false, false},
    {"amount", "COLUMN", NULL, "of CSV: what was paid; below 0 a return (default: amount)", false,
     false},
    {"quantity", "COLUMN", NULL, "of CSV, with --price instead of --amount: how many", false,
     false},
    {"price", "COLUMN", NULL, "of CSV, with --quantity instead of --amount: of one", false, false},
    {"by-method", NULL, NULL,
     "also compare BG/NBD with Gamma-Gamma, ZILN, the last period's rate and the mean, with "
     "intervals",
     false, false},
    {"seed", "S", "1", "of the folds and resamples of --by-method", false, false},
    {"json", NULL, NULL, "one JSON object (deploy/formats.md)", false, false},
    {0},
};

const struct shoal_cli_command shoal_cmd_value = {
    .name = "value",
    .summary = "judge customer value on a table of purchases",
    .description = "Fits BG/NBD (how often customers buy, when they leave) and Gamma-Gamma (what "
                   "they pay) to the "
                   "purchases up to a day, and compares what they expect of the days after it with "
                   "what was bought: "
                   "in all, and by the number of purchases. What a customer buys on one day is one "
                   "purchase; times are "
                   "in weeks. shoal train does the same for users of an events log (--value), "
                   "there also with ZILN on "
                   "the user vector.",
    .example = "shoal value --purchases CDNOW_sample.txt --calibrate-until 1997-09-30",
    .options = options,
    .run = run,
};

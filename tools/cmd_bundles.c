/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal bundles`: what is bought together, from events or from a table of purchases. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/whole_file.h"
#include "state/record.h"
#include "tools/bundles_print.h"
#include "tools/commands.h"
#include "tools/event_walk.h"
#include "tools/setup.h"

static void print(const struct shoal_cli_args *args, const struct shoal_bundles_told *told, FILE *out)
{
    if (shoal_cli_get(args, "json"))
        shoal_bundles_print_json(told, out);
    else if (shoal_cli_get(args, "yaml"))
        shoal_bundles_print_yaml(told, out);
    else
        shoal_bundles_print_text(told, out);
}

/* To --out as a whole, or to standard output. */
static int tell(const struct shoal_cli_args *args, const struct shoal_bundles_told *told)
{
    const char *path = shoal_cli_get(args, "out");
    char *text = NULL;
    size_t size = 0;
    struct shoal_message message = {.text = ""};
    if (!path) {
        print(args, told, stdout);
        return SHOAL_EXIT_OK;
    }
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        return shoal_cli_fail(args, SHOAL_EXIT_FAILED, "out of memory");
    print(args, told, memory);
    bool whole = fclose(memory) == 0 && text;
    struct shoal_buffer bytes = {.bytes = (uint8_t *)text, .size = size, .capacity = size};
    enum shoal_status status =
        whole ? shoal_file_replace(path, &bytes, &message) : SHOAL_NOMEM;
    free(text);
    return status == SHOAL_OK
               ? SHOAL_EXIT_OK
               : shoal_cli_fail(args, SHOAL_EXIT_FAILED, "%s",
                                message.text[0] ? message.text : shoal_status_text(status));
}

static int find(const struct shoal_cli_args *args, struct shoal_baskets *baskets, uint32_t min_support,
                size_t most)
{
    struct shoal_bundles found;
    enum shoal_status status =
        shoal_bundles_find(baskets->lines, baskets->rows_count, min_support, &found);
    struct shoal_bundles_told told = {
        .baskets = baskets,
        .found = &found,
        .basket = shoal_cli_get(args, "order") ? "one order" : "one customer's purchases of a day, UTC",
        .min_support = min_support,
        .most = most,
    };
    int code = SHOAL_EXIT_OK;
    if (status == SHOAL_TOO_FEW)
        code = shoal_cli_fail(args, SHOAL_EXIT_DATA, "there are no purchases");
    else if (status == SHOAL_TOO_LARGE)
        code = shoal_cli_fail(args, SHOAL_EXIT_DATA,
                              "more than %d pairs are together in %u baskets: raise --min-support",
                              SHOAL_BUNDLES_FOUND_MAX, min_support);
    else if (status != SHOAL_OK)
        code = shoal_cli_fail(args, SHOAL_EXIT_FAILED, "%s", shoal_status_text(status));
    else
        code = tell(args, &told);
    shoal_bundles_finish(&found);
    return code;
}

static int run(const struct shoal_cli_args *args)
{
    struct shoal_baskets baskets;
    long long min_support, most;
    bool yaml = shoal_cli_get(args, "yaml") != NULL, table = shoal_cli_get(args, "purchases") != NULL;
    if (!shoal_cli_int(args, "min-support", 1, UINT32_MAX, &min_support) ||
        !shoal_cli_int(args, "most", 1, INT64_MAX, &most))
        return SHOAL_EXIT_USAGE;
    if (table == (shoal_cli_get(args, "events") != NULL))
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "give --events or --purchases");
    if (!table && (shoal_cli_get(args, "order") || shoal_cli_get(args, "quantity")))
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "--order and --quantity are columns of --purchases");
    if (yaml && shoal_cli_get(args, "json"))
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "--json or --yaml, not both");
    if (yaml && most > SHOAL_GRANTS_MAX)
        most = SHOAL_GRANTS_MAX; /* a promotions file takes no more */
    shoal_baskets_init(&baskets);
    int code = shoal_baskets_load(args, &baskets);
    if (code == SHOAL_EXIT_OK)
        code = find(args, &baskets, (uint32_t)min_support, (size_t)most);
    shoal_baskets_finish(&baskets);
    return code;
}

static const struct shoal_cli_option options[] = {
    {"events", "FILE[,FILE…]", NULL,
     "events: the purchases among them; JSON lines or CSV, plain, gzip or zstd; - for standard input", false,
     false},
    {"purchases", "FILE", NULL, "instead: a table of purchases (CSV with a header; plain, gzip or zstd)",
     false, false},
    {"customer", "COLUMN", "customer", "of the table: who bought", false, false},
    {"date", "COLUMN", "date", "of the table: when", false, false},
    {"item", "COLUMN", "item", "of the table: what", false, false},
    {"order", "COLUMN", NULL, "of the table: which order (default: what a customer bought on one day, UTC)",
     false, false},
    {"quantity", "COLUMN", NULL, "of the table: how many; 0 and below (returns) are left out", false, false},
    {"min-support", "N", "10", "least number of baskets with both items", false, false},
    {"most", "N", "20", "most bundles to print", false, false},
    {"json", NULL, NULL, "one JSON object (deploy/formats.md)", false, false},
    {"yaml", NULL, NULL, "limited-time offers, to be pasted below promotions: in promotions.yaml", false,
     false},
    {"out", "FILE", NULL, "write there instead of to standard output", false, false},
    SHOAL_WALK_OPTIONS,
    {0},
};

const struct shoal_cli_command shoal_cmd_bundles = {
    .name = "bundles",
    .summary = "find items that are bought together",
    .description =
        "Pairs of items in baskets, with support (baskets with both), confidence, and lift (how many times as "
        "often together as by chance) with its 95 % interval by the delta method, customers being clusters. "
        "Kept are pairs whose interval lies above 1 and that are discoveries at a false discovery rate of 5 % "
        "(Benjamini and Hochberg). A basket is an order, or what one customer bought on one day (UTC).",
    .example = "shoal bundles --purchases online_retail.csv.gz --customer CustomerID --date InvoiceDate "
               "--item StockCode --order InvoiceNo --quantity Quantity --min-support 30",
    .options = options,
    .run = run,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal value` as a person runs it: the published figures of CDNOW on the real purchases, tables that cannot be
 * used, and --value of a training. SHOAL_PROGRAM is `shoal`. */
#include <math.h>

#include "tests/tools/shell.h"

TestSuite(value_command, .init = shell_setup, .fini = shell_teardown);

static int run(const char *arguments)
{
    char line[2048];
    snprintf(line, sizeof line, "\"$SHOAL_PROGRAM\" value %s", arguments);
    return shell(line);
}

/* The real file, or the test is skipped (a failure in CI). */
static const char *data(const char *name)
{
    static char path[4096];
    const char *folder = getenv("SHOAL_DATA"), *source = getenv("SHOAL_SOURCE");
    if (folder)
        snprintf(path, sizeof path, "%s/%s", folder, name);
    else
        snprintf(path, sizeof path, "%s/../shared/data/%s", source ? source : ".", name);
    if (access(path, R_OK) != 0) {
        cr_assert_null(getenv("CI"), "%s is not there", path);
        cr_skip_test("%s is not there", path);
    }
    return path;
}

static int run_on(const char *name, const char *arguments)
{
    char line[8192];
    snprintf(line, sizeof line, "\"$SHOAL_PROGRAM\" value --purchases '%s' %s", data(name),
             arguments);
    return shell(line);
}

/* A number of the printed JSON object, at its top level (the first of that name). */
static double number(const char *name)
{
    char key[64];
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *at = strstr(printed, key);
    cr_assert_not_null(at, "%s in %s", name, printed);
    return strtod(at + strlen(key), NULL);
}

static void assert_within(const char *name, double wanted, double share)
{
    cr_assert(fabs(number(name) / wanted - 1) <= share, "%s: %g, not %g", name, number(name),
              wanted);
}

Test(value_command, cdnow_gives_the_published_parameters_and_errors)
{
    cr_assert_eq(run_on("cdnow_sample.txt.gz", "--calibrate-until 1997-09-30 --json"), 0, "%s",
                 printed);
    /* Fader, Hardie, Lee (2005), table 2; Fader and Hardie (2013) for the spend */
    assert_within("r", .2426, .01);
    assert_within("alpha", 4.4135, .01);
    assert_within("a", .7929, .01);
    assert_within("b", 2.4258, .01);
    assert_within("p", 6.25, .01);
    assert_within("q", 3.74, .01);
    assert_within("v", 15.44, .01);
    assert_within("log_likelihood", -9582.4, 1e-5);
    cr_assert_leq(number("mae"), .7855);
    cr_assert_leq(number("rmse"), 1.608);
    cr_assert_eq(number("customers"), 2357);
    cr_assert_eq(number("repeaters"), 946);
    cr_assert_eq(number("holdout_weeks"), 39);
    cr_assert_eq(number("total_actual"), 1882);
    assert_within("total_predicted", 1882, .15);
}

Test(value_command, compression_and_form_of_the_table_change_nothing)
{
    char line[8192];
    snprintf(line, sizeof line,
             "gzip -dc '%s' >w.txt && (echo customer,date,amount; awk '{print $1\",\"$3\",\"$5}' "
             "w.txt | "
             "tr -d '\\r') >c.csv && (if command -v zstd >z.out; then zstd -q c.csv -o c.zst; else "
             "cp c.csv c.zst; "
             "fi)",
             data("cdnow_sample.txt.gz"));
    cr_assert_eq(shell(line), 0, "%s", printed);
    cr_assert_eq(run_on("cdnow_sample.txt.gz", "--calibrate-until 1997-09-30 --json"), 0);
    static char first[sizeof printed];
    memcpy(first, printed, sizeof first);
    cr_assert_eq(run("--purchases c.csv --calibrate-until 1997-09-30 --json"), 0, "%s", printed);
    cr_assert_str_eq(printed, first);
    cr_assert_eq(run("--purchases c.zst --calibrate-until 1997-09-30 --json"), 0, "%s", printed);
    cr_assert_str_eq(printed, first);
    /* four columns: without the second customer number */
    cr_assert_eq(shell("awk '{print $1,$3,$4,$5}' w.txt >four.txt"), 0);
    cr_assert_eq(run("--purchases four.txt --calibrate-until 1997-09-30 --json"), 0, "%s", printed);
    cr_assert_str_eq(printed, first);
    /* the order of the rows */
    cr_assert_eq(shell("(head -1 c.csv; tail -n +2 c.csv | tac) >turned.csv"), 0);
    cr_assert_eq(run("--purchases turned.csv --calibrate-until 1997-09-30 --json"), 0);
    cr_assert_str_eq(printed, first);
}

Test(value_command, online_retail_is_read_by_the_names_of_its_columns)
{
    const char *arguments = "--calibrate-until 2011-08-07 --customer CustomerID --date InvoiceDate "
                            "--quantity Quantity --price UnitPrice --by-method";
    char line[512];
    snprintf(line, sizeof line, "%s --json", arguments);
    cr_assert_eq(run_on("online_retail_dev.csv.gz", line), 0, "%s", printed);
    cr_assert_gt(number("customers"), 1900);
    cr_assert_gt(number("returned_days"), 100);
    const char *methods = strstr(printed, "\"methods\":[");
    cr_assert_not_null(methods);
    for (const char *const *name =
             (const char *const[]){"bg_nbd", "ziln", "ziln_earlier", "rate", "mean", NULL};
         *name; name++) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "{\"method\":\"%s\",\"mae\":", *name);
        cr_assert_not_null(strstr(methods, wanted), "%s in %s", *name, methods);
    }
    says("\"gini_ci\":[");
    static char first[sizeof printed];
    memcpy(first, printed, sizeof first);
    cr_assert_eq(run_on("online_retail_dev.csv.gz", line), 0);
    cr_assert_str_eq(printed, first, "the same seed gives the same figures");
    cr_assert_eq(run_on("online_retail_dev.csv.gz", arguments), 0);
    says("BG/NBD + Gamma-Gamma");
    says("7 or more");
}

/* Sixty customers, thirty of whom buy again on the third day, in a table that goes on for a week. */
#define ROWS                                                                                       \
    "(echo customer,date,amount; for i in $(seq 60); do echo c$i,2020-01-01,$i; [ $((i % 2)) = 1 " \
    "] || "                                                                                        \
    "echo c$i,2020-01-03,5; done; echo c1,2020-01-08,7) >t.csv; "

Test(value_command, a_table_of_a_few_customers_is_fitted_and_one_of_fewer_is_refused_with_how_many)
{
    cr_assert_eq(shell(ROWS), 0);
    cr_assert_eq(run("--purchases t.csv --calibrate-until 2020-01-04"), 0, "%s", printed);
    says("60 customers, of whom 30 came back");
    says("bought 1\n");
    cr_assert_eq(shell("head -40 t.csv >few.csv; echo c1,2020-01-08,7 >>few.csv"), 0);
    cr_assert_eq(run("--purchases few.csv --calibrate-until 2020-01-04"), 5);
    says("few.csv: BG/NBD needs at least 50 customers, 20 of them");
    says("there are 26, with 13");
}

Test(value_command, bad_tables_are_refused_with_file_line_and_the_way_out)
{
    cr_assert_eq(shell(ROWS), 0);
    cr_assert_eq(run("--purchases t.csv --calibrate-until 2020-01-04 --customer custoner"), 5);
    says("t.csv:1: no column 'custoner' (did you mean 'customer'?); the header has customer, date, "
         "amount");
    says("--customer COLUMN names another");
    cr_assert_eq(shell("echo customer,date >no.csv; echo a,2020-01-01 >>no.csv"), 0);
    cr_assert_eq(run("--purchases no.csv --calibrate-until 2020-01-04"), 5);
    says("no.csv:1: no column 'amount'");
    cr_assert_eq(shell("sed '5s/2020-01-0./soon/' t.csv >when.csv"), 0);
    cr_assert_eq(run("--purchases when.csv --calibrate-until 2020-01-04"), 5);
    says("when.csv:5: column 'date': 'soon' is not a time; 2011-09-30");
    cr_assert_eq(shell("sed '7s/,[0-9]*$/,much/' t.csv >much.csv"), 0);
    cr_assert_eq(run("--purchases much.csv --calibrate-until 2020-01-04"), 5);
    says("much.csv:7: column 'amount': 'much' is not a number");
    cr_assert_eq(shell("sed '7s/,[0-9]*$/,1e300/' t.csv >huge.csv"), 0);
    cr_assert_eq(run("--purchases huge.csv --calibrate-until 2020-01-04"), 5);
    says("huge.csv:7: column 'amount': '1e300' makes an amount beyond 1e15");
    cr_assert_eq(shell("echo '1 2 3' >three.txt"), 0);
    cr_assert_eq(run("--purchases three.txt --calibrate-until 2020-01-04"), 5);
    says("three.txt:1: 3 columns");
    cr_assert_eq(run("--purchases none.csv --calibrate-until 2020-01-04"), 5);
    says("none.csv");
    cr_assert_eq(shell("echo customer,date,amount >empty.csv"), 0);
    cr_assert_eq(run("--purchases empty.csv --calibrate-until 2020-01-04"), 5);
    says("no purchases");
}

Test(value_command, days_and_options_that_cannot_be_are_refused)
{
    cr_assert_eq(shell(ROWS), 0);
    cr_assert_eq(run("--purchases t.csv --calibrate-until 2021-01-04"), 5);
    says("the purchases are of 2020-01-01 to 2020-01-08");
    cr_assert_eq(run("--purchases t.csv --calibrate-until 2019-01-04"), 5);
    cr_assert_eq(run("--purchases t.csv --calibrate-until 2020-01-08"), 5);
    cr_assert_eq(run("--purchases t.csv --calibrate-until soon"), 2);
    cr_assert_eq(run("--purchases t.csv"), 2);
    cr_assert_eq(run("--purchases t.csv --calibrate-until 2020-01-04 --price amount"), 2);
    says("--quantity and --price go together");
    cr_assert_eq(run("--purchases t.csv --calibrate-until 2020-01-04 --price amount --quantity "
                     "amount --amount amount"),
                 2);
}

Test(value_command, returns_lower_their_day_and_rows_without_a_customer_are_left_out)
{
    cr_assert_eq(shell(ROWS), 0);
    cr_assert_eq(run("--purchases t.csv --calibrate-until 2020-01-04 --json"), 0);
    double bought = number("total_actual");
    cr_assert_eq(
        shell(
            "(cat t.csv; echo c2,2020-01-06,-5; echo ,2020-01-05,3; echo c1,2020-01-08,-2) >r.csv"),
        0);
    cr_assert_eq(run("--purchases r.csv --calibrate-until 2020-01-04 --json"), 0, "%s", printed);
    cr_assert_eq(number("total_actual"), bought);
    cr_assert_eq(number("returned_days"), 1);
    cr_assert_eq(number("anonymous_rows"), 1);
    says("\"total_actual\":5}");
}

Test(value_command, a_training_says_what_value_it_learned)
{
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" generate --users 400 --days 12 --seed 3 --out e.jsonl"),
                 0);
    const char *train = "\"$SHOAL_PROGRAM\" train --events e.jsonl --out m.shoal --hidden 16 --epochs 1 "
                        "--clusters off --engagement off ";
    char line[512];
    snprintf(line, sizeof line, "%s --value auto --log l.json", train);
    cr_assert_eq(shell(line), 0, "%s", printed);
    says("value       ");
    says(" on users held out; ");
    says("middle from ");
    cr_assert_eq(shell("cat l.json"), 0);
    says("\"value\":{\"method\":");
    snprintf(line, sizeof line, "%s --value 2d", train);
    cr_assert_eq(shell(line), 0, "%s", printed);
    says("next 2d in ");
    snprintf(line, sizeof line, "%s --value 20d", train);
    cr_assert_eq(shell(line), 0, "%s", printed);
    says("value       none: the log spans 12.0 days");
    snprintf(line, sizeof line, "%s --value off --log l.json", train);
    cr_assert_eq(shell(line), 0, "%s", printed);
    cr_assert_null(strstr(printed, "value       "));
    cr_assert_eq(shell("cat l.json"), 0);
    says("\"value\":null");
    snprintf(line, sizeof line, "%s --value on", train);
    cr_assert_eq(shell(line), 2);
    says("neither auto nor off");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal bundles` as a person runs it: figures worked out by hand from tables and from events, and what it prints
 * for the promotions file. SHOAL_PROGRAM is `shoal`. */
#include <math.h>

#include "tests/tools/shell.h"

TestSuite(bundles_command, .init = shell_setup, .fini = shell_teardown);

static int run(const char *arguments)
{
    char line[2048];
    snprintf(line, sizeof line, "\"$SHOAL_PROGRAM\" bundles %s", arguments);
    return shell(line);
}

/* Forty orders, each of a customer of its own: ten with tent and mat, two with tent, three with mat, 25 with lamp.
 * And what does not count: a return, a row of nobody, an item twice. */
static void save_table(void)
{
    FILE *out = fopen("t.csv", "w");
    cr_assert_not_null(out);
    fputs("Invoice,Stock,Quantity,Day,Who\n", out);
    for (int i = 0; i < 40; i++) {
        if (i < 12)
            fprintf(out, "%d,tent,1,2024-05-01,c%d\n", i, i);
        if (i < 10 || (i >= 12 && i < 15))
            fprintf(out, "%d,mat,2,2024-05-01,c%d\n", i, i);
        if (i >= 15)
            fprintf(out, "%d,lamp,1,2024-05-01,c%d\n", i, i);
    }
    fputs("0,mat,1,2024-05-02,c0\n39,tent,-1,2024-05-02,c39\n39,mat,1,2024-05-02,\n", out);
    cr_assert_eq(fclose(out), 0);
}

static const char table[] = "--purchases t.csv --customer Who --date Day --item Stock --order Invoice "
                            "--quantity Quantity --min-support 10";

static double number(const char *name)
{
    char key[64];
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *at = strstr(printed, key);
    cr_assert_not_null(at, "%s in %s", name, printed);
    return strtod(at + strlen(key) + (at[strlen(key)] == '['), NULL);
}

Test(bundles_command, a_tables_figures_are_those_worked_out_by_hand)
{
    char arguments[512];
    save_table();
    snprintf(arguments, sizeof arguments, "%s --json", table);
    cr_assert_eq(run(arguments), 0, "%s", printed);
    says("\"basket\":\"one order\",\"baskets\":40,\"customers\":40,\"items\":3");
    says("\"items\":[\"mat\",\"tent\"],\"support\":10,\"customers\":10");
    cr_assert_float_eq(number("confidence"), 10.0 / 13, 1e-5);
    cr_assert_float_eq(number("confidence_back"), 10.0 / 12, 1e-5);
    cr_assert_float_eq(number("lift"), 400.0 / 156, 1e-4);
    cr_assert_float_eq(number("lift_ci"), 1.699356503104235, 1e-4);
    says("1 rows without a customer or an item are left out");
    says("1 rows of no quantity, or less (returns), are left out");
}

Test(bundles_command, the_order_of_rows_changes_nothing)
{
    char arguments[512];
    save_table();
    snprintf(arguments, sizeof arguments, "%s --json --out a.json", table);
    cr_assert_eq(run(arguments), 0, "%s", printed);
    cr_assert_eq(shell("(head -n 1 t.csv; tail -n +2 t.csv | sort -r) > u.csv && mv u.csv t.csv"), 0);
    snprintf(arguments, sizeof arguments, "%s --json --out b.json", table);
    cr_assert_eq(run(arguments), 0);
    cr_assert_eq(shell("cmp a.json b.json"), 0);
}

Test(bundles_command, of_events_a_basket_is_a_customers_day)
{
    FILE *out = fopen("e.csv", "w");
    cr_assert_not_null(out);
    for (int i = 0; i < 40; i++) { /* together on a day, and the next day alone */
        int day = 1714521600 + i % 4 * 86400;
        fprintf(out, "u%d,a%s,1,buy,%d\n", i, i < 20 ? "1" : "3", day);
        fprintf(out, "u%d,a%s,1,buy,%d\n", i, i < 20 ? "2" : "4", day + 3600);
        fprintf(out, "u%d,a1,1,pv,%d\n", i, day + 7200); /* no purchase */
        fprintf(out, "u%d,a5,1,buy,%d\n", i, day + 86400);
    }
    cr_assert_eq(fclose(out), 0);
    cr_assert_eq(run("--events e.csv --json"), 0, "%s", printed);
    says("\"baskets\":80,\"customers\":40,\"items\":5");
    says("\"items\":[\"a1\",\"a2\"],\"support\":20");
    says("\"items\":[\"a3\",\"a4\"],\"support\":20");
    cr_assert_null(strstr(printed, "a5"));
    cr_assert_float_eq(number("lift"), 4, 1e-6); /* 80·20/(20·20) */
}

Test(bundles_command, what_it_prints_for_the_promotions_file_is_accepted_there)
{
    char arguments[512];
    save_table();
    snprintf(arguments, sizeof arguments, "%s --yaml > b.yaml", table);
    cr_assert_eq(run(arguments), 0);
    cr_assert_eq(shell("(echo promotions:; grep -v 'rows ' b.yaml) > p.yaml && cat p.yaml && "
                       "\"$SHOAL_PROGRAM\" promotions check p.yaml"),
                 0, "%s", printed);
    says("  - id: \"bundle-mat-tent\"\n    kind: limited_time_offer\n    bundle: [\"mat\", \"tent\"]");
    says("it carries what is left of the bundle mat + tent");
}

Test(bundles_command, what_cannot_be_done_is_said)
{
    save_table();
    cr_assert_eq(run(""), 2);
    says("give --events or --purchases");
    cr_assert_eq(run("--events e.csv --order Invoice"), 2);
    cr_assert_eq(run("--purchases t.csv --json --yaml"), 2);
    cr_assert_eq(run("--purchases t.csv"), 5);
    says("--customer COLUMN names another");
    cr_assert_eq(run("--purchases nowhere.csv"), 5);
    cr_assert_eq(shell("head -n 1 t.csv > none.csv"), 0);
    cr_assert_eq(run("--purchases none.csv --customer Who --date Day --item Stock"), 5);
    says("there are no purchases");
    cr_assert_eq(run("--purchases t.csv --customer Who --date Day --item Stock --min-support 20"), 0);
    says("0 are bundles");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal uplift` as a person runs it: a made-up test with a planted effect, the Hillstrom test, tables that must be
 * refused. */
#include <math.h>

#include "model/learn/random.h"
#include "tests/tools/shell.h"

#define ASK "--table t.csv --treatment arm --treated mail --control none --outcome bought "

static int uplift(const char *arguments)
{
    static char line[16384];
    snprintf(line, sizeof line, "\"$SHOAL_PROGRAM\" uplift %s", arguments);
    return shell(line);
}

/* A mail persuades in the north and puts off in the south; age says who buys anyway. Every 7th age is missing. */
static void make_table(const char *path, uint64_t seed, int rows)
{
    FILE *out = fopen(path, "w");
    cr_assert_not_null(out);
    fputs("arm,region,age,recency,spend,bought\n", out);
    for (int i = 0; i < rows; i++) {
        uint64_t at = 8 * (uint64_t)i;
        int mail = shoal_random_uniform(seed, at) < 0.5f, north = shoal_random_uniform(seed, at + 1) < 0.5f;
        double age = 20 + 50 * (double)shoal_random_uniform(seed, at + 2);
        double p = 0.1 + 0.2 * (age - 20) / 50 + mail * (north ? 0.2 : -0.05);
        int bought = (double)shoal_random_uniform(seed, at + 3) < p;
        fprintf(out, "%s,%s,", mail ? "mail" : i % 50 == 3 ? "letter" : "none", north ? "north" : "south");
        if (i % 7)
            fprintf(out, "%.0f", age);
        fprintf(out, ",%d,%d,%d\n", (int)(10 * shoal_random_uniform(seed, at + 4)), bought ? 10 + i % 9 : 0, bought);
    }
    cr_assert_eq(fclose(out), 0);
}

/* The first number under `name` in the printed JSON, from `after` on. */
static double number_after(const char *after, const char *name)
{
    char key[64];
    const char *from = strstr(printed, after);
    snprintf(key, sizeof key, "\"%s\":", name);
    cr_assert_not_null(from, "no %s in %s", after, printed);
    const char *at = strstr(from, key);
    cr_assert_not_null(at, "no %s in %s", name, printed);
    return strtod(at + strlen(key), NULL);
}

TestSuite(uplift, .init = shell_setup, .fini = shell_teardown);

Test(uplift, a_planted_effect_is_learnt_and_found_in_fresh_rows)
{
    make_table("t.csv", 1, 4000);
    make_table("fresh.csv", 2, 4000);
    cr_assert_eq(uplift("train " ASK "--out m"), 0, "%s", printed);
    says("left out: spend (0 wherever the outcome is 0");
    says("neither value");
    cr_assert_eq(uplift("evaluate --table fresh.csv --model m --json"), 0, "%s", printed);
    cr_expect_gt(number_after("{", "qini"), 0.15);
    cr_expect_gt(number_after("gain_at", "40"), 0.8); /* of 50 % in the north comes more than all */
    cr_expect_gt(number_after("uplift_at", "10"), 0.15);
    cr_expect_gt(number_after("{", "auuc"), 0);
    cr_expect_gt(number_after("{", "n"), 3900);
    cr_expect_gt(number_after("{", "balanced_accuracy"), 0.53);
    cr_expect_lt(fabs(number_after("\"rfm\"", "qini")), 0.06);
    cr_assert_eq(uplift("evaluate --table fresh.csv --model m"), 0, "%s", printed);
    says("share of the incremental outcome");
    says("weighted F1");
}

Test(uplift, the_same_table_gives_the_same_file)
{
    make_table("t.csv", 3, 1500);
    cr_assert_eq(uplift("train " ASK "--out a --json"), 0, "%s", printed);
    says("\"picked\":");
    says("\"tau\":");
    cr_assert_eq(uplift("train " ASK "--out b"), 0, "%s", printed);
    cr_assert_eq(shell("cmp a b"), 0);
}

Test(uplift, halves_tell_mean_and_spread_of_every_way)
{
    make_table("t.csv", 4, 3000);
    cr_assert_eq(uplift("evaluate " ASK "--halves 3 --json"), 0, "%s", printed);
    cr_expect_gt(number_after("\"picked\":{\"qini\"", "mean"), 0.1);
    cr_expect_gt(number_after("\"picked\":{\"qini\"", "spread"), 0);
    cr_expect_lt(fabs(number_after("\"random\":{\"qini\"", "mean")), 0.08);
    cr_assert_eq(uplift("evaluate " ASK "--halves 3"), 0, "%s", printed);
    says("±");
}

Test(uplift, bad_tables_are_refused_with_what_to_do)
{
    make_table("t.csv", 5, 400);
    cr_expect_eq(uplift("train " ASK "--treatment kind --out m"), 5);
    says("kind");
    cr_expect_eq(uplift("train " ASK "--outcome spend --out m"), 5);
    says("is not 0 or 1");
    cr_expect_eq(uplift("train " ASK "--treated sms --out m"), 5);
    says("no row has arm 'sms'; its values are ");
    says("'mail'");
    cr_expect_eq(uplift("train " ASK "--control mail --out m"), 5);
    says("the same value");
    cr_assert_eq(shell("head -60 t.csv > few.csv"), 0);
    cr_expect_eq(uplift("train " ASK "--table few.csv --out m"), 5);
    says("needed are 25");
    cr_expect_eq(uplift("train --table none.csv --treatment a --treated b --control c --outcome d --out m"), 5);
    cr_expect_eq(shell("ls m"), 2); /* nothing was written */
}

Test(uplift, a_model_needs_its_columns_and_its_bytes)
{
    make_table("t.csv", 6, 1500);
    cr_assert_eq(uplift("train " ASK "--out m"), 0, "%s", printed);
    cr_assert_eq(shell("cut -d, -f1,3-6 t.csv > less.csv"), 0);
    cr_expect_eq(uplift("evaluate --table less.csv --model m"), 5);
    says("region");
    cr_assert_eq(shell("head -c 500 m > cut; printf x | dd of=m bs=1 seek=300 conv=notrunc 2> /dev/null"), 0);
    cr_expect_eq(uplift("evaluate --table t.csv --model cut"), 3);
    says("damaged");
    cr_expect_eq(uplift("evaluate --table t.csv --model m"), 3);
    says("damaged");
    cr_expect_eq(uplift("evaluate --table t.csv --model t.csv"), 3);
    cr_expect_eq(uplift("evaluate --table t.csv --model none"), 3);
}

Test(uplift, wrong_command_lines_are_told)
{
    cr_expect_eq(uplift("guess --table t.csv"), 2);
    says("neither train nor evaluate");
    cr_expect_eq(uplift("train --table t.csv"), 2);
    says("train needs --treatment");
    cr_expect_eq(uplift("evaluate --table t.csv"), 2);
    says("--model or --halves");
    cr_expect_eq(uplift("evaluate " ASK "--halves 1"), 2);
}

/* ---- Hillstrom ------------------------------------------------------------------------------- */

static const char *hillstrom(void)
{
    static char path[4096];
    const char *folder = getenv("SHOAL_DATA"), *source = getenv("SHOAL_SOURCE");
    if (folder)
        snprintf(path, sizeof path, "%s/hillstrom_dev.csv.gz", folder);
    else
        snprintf(path, sizeof path, "%s/../shared/data/hillstrom_dev.csv.gz", source ? source : ".");
    if (access(path, R_OK) != 0) {
        cr_assert_null(getenv("CI"), "%s is not there", path);
        cr_skip_test("%s is not there", path);
    }
    return path;
}

static void run_halves(const char *treated, int halves)
{
    char arguments[8192];
    snprintf(arguments, sizeof arguments,
             "evaluate --table '%s' --treatment segment --treated '%s' --control 'No E-Mail' --outcome visit "
             "--halves %d --json",
             hillstrom(), treated, halves);
    cr_assert_eq(uplift(arguments), 0, "%s", printed);
}

/* The first of the twenty halves that tools/uplift_table runs; the bounds leave two standard errors. */
Test(uplift, womens_mail_is_learnt_from_half_of_the_hillstrom_test)
{
    run_halves("Womens E-Mail", 3);
    cr_expect_gt(number_after("\"picked\":{\"qini\"", "mean"), 0.055);
    cr_expect_gt(number_after("\"picked\":{\"qini\"", "mean"), number_after("\"response\":{\"qini\"", "mean"));
    cr_expect_lt(number_after("\"rfm\":{\"qini\"", "mean"), 0.02);
    cr_expect_gt(number_after("\"gain_40\"", "mean"), 0.6); /* the first: of what was picked */
}

Test(uplift, mens_mail_is_nearly_a_matter_of_who_responds)
{
    run_halves("Mens E-Mail", 2);
    cr_expect_gt(number_after("\"picked\":{\"qini\"", "mean"), 0.01);
}

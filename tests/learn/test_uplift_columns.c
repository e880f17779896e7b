/* SPDX-License-Identifier: Apache-2.0 */
/* Columns as inputs: numbers, skewed ones, texts, what is missing, what is known only afterwards; RFM. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/learn/uplift_columns.h"
#include "model/learn/uplift_rfm.h"

enum { ROWS = 300 };
static char column[ROWS][32];
static int8_t outcome[ROWS];
static char left_why[128];

static const char *text(const void *table, size_t row, size_t at)
{
    return column[row];
}

static const struct shoal_cells cells = {NULL, text, ROWS};

static void left(void *context, const char *name, const char *why)
{
    snprintf(left_why, sizeof left_why, "%s", why);
}

/* Fills the column by a format of the row's number; every third row has the outcome. */
static void fill(const char *format, int modulus)
{
    left_why[0] = '\0';
    for (int i = 0; i < ROWS; i++) {
        snprintf(column[i], sizeof column[i], format, i % modulus);
        outcome[i] = i % 3 == 0;
    }
}

static struct shoal_input_column inputs[SHOAL_COLUMN_LEVELS + 4];
static size_t count;

static void describe(void)
{
    count = 0;
    shoal_columns_describe(&cells, 0, "c", outcome, inputs, sizeof inputs / sizeof *inputs, &count, left, NULL);
}

Test(uplift_columns, a_number_has_mean_nought_and_deviation_one)
{
    double sum = 0, squares = 0;
    fill("%d", 10);
    describe();
    cr_assert_eq(count, 1);
    cr_expect_eq(inputs[0].kind, SHOAL_INPUT_NUMBER);
    for (int i = 0; i < ROWS; i++) {
        double value = shoal_columns_value(&inputs[0], column[i]);
        sum += value;
        squares += value * value;
    }
    cr_expect(fabs(sum) < 1e-9 && fabs(squares / ROWS - 1) < 1e-9);
}

Test(uplift_columns, a_skewed_number_is_taken_as_its_logarithm)
{
    fill("%d", 10);
    snprintf(column[5], sizeof column[5], "100000");
    describe();
    cr_assert_eq(count, 1);
    cr_expect_eq(inputs[0].kind, SHOAL_INPUT_LOG);
}

Test(uplift_columns, what_is_missing_gets_the_mean_and_is_told)
{
    fill("%d", 10);
    strcpy(column[0], "");
    strcpy(column[1], "NA");
    describe();
    cr_assert_eq(count, 2);
    cr_expect_eq(inputs[1].kind, SHOAL_INPUT_MISSING);
    cr_expect(fabs(shoal_columns_value(&inputs[0], "") - shoal_columns_value(&inputs[0], "oops")) <= 0);
    cr_expect(fabs(shoal_columns_value(&inputs[0], "")) < 1e-9);
    cr_expect_gt(shoal_columns_value(&inputs[1], "NA"), shoal_columns_value(&inputs[1], "3"));
}

Test(uplift_columns, texts_become_an_input_each_and_many_texts_none)
{
    fill("t%d", 4);
    describe();
    cr_assert_eq(count, 4);
    cr_expect_eq(inputs[0].kind, SHOAL_INPUT_LEVEL);
    cr_expect_str_eq(inputs[3].level, "t3");
    cr_expect_gt(shoal_columns_value(&inputs[3], "t3"), 0);
    cr_expect_lt(shoal_columns_value(&inputs[3], "never seen"), 0);
    fill("t%d", 100);
    describe();
    cr_expect_eq(count, 0);
    cr_expect(strstr(left_why, "more than 24"));
}

Test(uplift_columns, what_is_known_only_afterwards_is_left_out)
{
    fill("%d", ROWS); /* spend: only where the outcome is */
    for (int i = 0; i < ROWS; i++)
        if (!outcome[i] || i % 2)
            strcpy(column[i], "0");
    describe();
    cr_expect_eq(count, 0);
    cr_expect(strstr(left_why, "afterwards"), "%s", left_why);
    fill("%d", 1); /* a visit: wherever the outcome is, and sometimes else */
    for (int i = 0; i < ROWS; i++)
        strcpy(column[i], outcome[i] || i % 10 == 1 ? "1" : "0");
    describe();
    cr_expect_eq(count, 0);
    cr_expect(strstr(left_why, "afterwards"), "%s", left_why);
    fill("%d", 2); /* a flag that says nothing of it stays */
    describe();
    cr_expect_eq(count, 1);
}

Test(uplift_columns, a_column_that_is_the_same_everywhere_is_left_out)
{
    fill("7", 1);
    describe();
    cr_expect_eq(count, 0);
    fill("x", 1);
    describe();
    cr_expect_eq(count, 0);
}

Test(uplift_columns, rfm_gives_five_points_to_the_most_recent_and_the_most_valuable)
{
    struct shoal_uplift_rfm rfm = {0};
    cr_expect_eq(shoal_rfm_of("Recency"), 0);
    cr_expect_eq(shoal_rfm_of("history"), 2);
    cr_expect_eq(shoal_rfm_of("zip"), -1);
    fill("%d", 100);
    cr_assert_eq(shoal_rfm_cut(&cells, 0, "recency", 0, &rfm), SHOAL_OK);
    cr_assert_eq(shoal_rfm_cut(&cells, 0, "monetary", 2, &rfm), SHOAL_OK);
    cr_expect_eq(shoal_rfm_points(&rfm, 0, "3"), 5);
    cr_expect_eq(shoal_rfm_points(&rfm, 0, "99"), 1);
    cr_expect_eq(shoal_rfm_points(&rfm, 2, "99"), 5);
    cr_expect_eq(shoal_rfm_points(&rfm, 2, "20"), 2);
    cr_expect_eq(shoal_rfm_points(&rfm, 2, ""), 1);
}

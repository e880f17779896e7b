/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/stream/files.h"
#include "tools/table.h"

static struct shoal_table *open_text(const char *text, enum shoal_table_form form)
{
    struct shoal_table *table;
    struct shoal_message why = {""};
    char *path = make_text_file(text);
    cr_assert_eq(shoal_table_open(path, form, &table, &why), SHOAL_OK, "%s", why.text);
    drop_file(path);
    return table;
}

static void assert_refused(const char *text, enum shoal_status wanted, const char *line,
                           const char *word)
{
    struct shoal_table *table;
    struct shoal_message why = {""};
    char *path = make_text_file(text);
    cr_assert_eq(shoal_table_open(path, SHOAL_TABLE_CSV, &table, &why), wanted, "%s", text);
    cr_assert_null(table);
    cr_assert(strncmp(why.text, path, strlen(path)) == 0, "%s", why.text);
    cr_assert(strncmp(why.text + strlen(path), line, strlen(line)) == 0, "%s", why.text);
    cr_assert_not_null(strstr(why.text, word), "%s", why.text);
    drop_file(path);
}

Test(table, cells_are_found_by_row_and_name)
{
    struct shoal_table *table = open_text("\xef\xbb\xbf"
                                          "Customer, Date ,amount\r\nc1,2011-01-02,3.5\r\n\r\n"
                                          "c2,2011-01-03,\r\n",
                                          SHOAL_TABLE_ANY);
    cr_assert_eq(shoal_table_form(table), SHOAL_TABLE_CSV);
    cr_assert_eq(shoal_table_rows(table), 2);
    cr_assert_eq(shoal_table_columns(table), 3);
    size_t customer, date, amount;
    struct shoal_message why = {""};
    cr_assert_eq(shoal_table_column_of(table, "customer", &customer, &why), SHOAL_OK);
    cr_assert_eq(shoal_table_column_of(table, "DATE", &date, &why), SHOAL_OK);
    cr_assert_eq(shoal_table_column_of(table, "amount", &amount, &why), SHOAL_OK);
    cr_assert_str_eq(shoal_table_text(table, 1, customer), "c2");
    cr_assert_str_eq(shoal_table_text(table, 1, amount), "");
    double number;
    cr_assert_eq(shoal_table_number(table, 0, amount, &number, &why), SHOAL_OK);
    cr_assert_eq(number, 3.5);
    int64_t time_ms;
    cr_assert_eq(shoal_table_time(table, 0, date, &time_ms, &why), SHOAL_OK);
    cr_assert_eq(time_ms, INT64_C(1293926400000));
    cr_assert_eq(shoal_table_line(table, 1), 4);
    shoal_table_close(table);
}

Test(table, quoted_cells_may_hold_commas_quotes_and_line_breaks)
{
    struct shoal_table *table = open_text("a,b\n\"x, \"\"y\"\"\",\"two\nlines\" \n\"\",last",
                                          SHOAL_TABLE_CSV);
    cr_assert_str_eq(shoal_table_text(table, 0, 0), "x, \"y\"");
    cr_assert_str_eq(shoal_table_text(table, 0, 1), "two\nlines");
    cr_assert_str_eq(shoal_table_text(table, 1, 0), "");
    cr_assert_str_eq(shoal_table_text(table, 1, 1), "last");
    cr_assert_eq(shoal_table_line(table, 1), 4, "the line break in a cell counts");
    shoal_table_close(table);
}

Test(table, words_between_blanks_need_no_header)
{
    struct shoal_table *table = open_text(" 00004 0001 19970101  2   29.33\r\n7 8 19980607\t1 1 \n\n",
                                          SHOAL_TABLE_ANY);
    cr_assert_eq(shoal_table_form(table), SHOAL_TABLE_WORDS);
    cr_assert_eq(shoal_table_rows(table), 2);
    cr_assert_eq(shoal_table_columns(table), 5);
    cr_assert_str_eq(shoal_table_text(table, 0, 0), "00004");
    cr_assert_str_eq(shoal_table_text(table, 0, 4), "29.33");
    cr_assert_str_eq(shoal_table_text(table, 1, 4), "1");
    int64_t time_ms;
    cr_assert_eq(shoal_table_time(table, 0, 2, &time_ms, NULL), SHOAL_OK);
    cr_assert_eq(time_ms, INT64_C(852076800000), "eight digits are a date, no seconds");
    struct shoal_message why = {""};
    size_t column;
    cr_assert_eq(shoal_table_column_of(table, "date", &column, &why), SHOAL_NOT_FOUND);
    cr_assert_not_null(strstr(why.text, "header"), "%s", why.text);
    shoal_table_close(table);
}

Test(table, a_column_that_is_not_there_is_told_with_the_nearest)
{
    struct shoal_table *table = open_text("CustomerID,InvoiceDate,Quantity\n1,2,3\n", SHOAL_TABLE_ANY);
    struct shoal_message why = {""};
    size_t column;
    cr_assert_eq(shoal_table_column_of(table, "CustomrID", &column, &why), SHOAL_NOT_FOUND);
    cr_assert_not_null(strstr(why.text, "did you mean 'CustomerID'"), "%s", why.text);
    cr_assert_not_null(strstr(why.text, "InvoiceDate, Quantity"), "%s", why.text);
    shoal_table_close(table);
}

Test(table, cells_that_cannot_be_read_are_told_with_file_and_line)
{
    struct shoal_table *table = open_text("when,paid\n2011-02-30,12\nsoon,1e999\n19971399,x\n,\n",
                                          SHOAL_TABLE_ANY);
    struct shoal_message why = {""};
    int64_t time_ms;
    double number;
    for (size_t row = 0; row < 4; row++)
        cr_assert_eq(shoal_table_time(table, row, 0, &time_ms, &why), SHOAL_DAMAGED, "row %zu", row);
    for (size_t row = 1; row < 4; row++)
        cr_assert_eq(shoal_table_number(table, row, 1, &number, &why), SHOAL_DAMAGED);
    cr_assert_eq(shoal_table_time(table, 1, 0, &time_ms, &why), SHOAL_DAMAGED);
    cr_assert_not_null(strstr(why.text, ":3: column 'when': 'soon' is not a time"), "%s", why.text);
    shoal_table_close(table);
}

Test(table, numbers_may_have_an_exponent_and_many_digits)
{
    struct shoal_table *table = open_text("n\n0.30000000000000004\n 1.5E2 \n-2e-05\n", SHOAL_TABLE_ANY);
    const double wanted[] = {0.30000000000000004, 150, -2e-05};
    for (size_t row = 0; row < 3; row++) {
        double number;
        cr_assert_eq(shoal_table_number(table, row, 0, &number, NULL), SHOAL_OK, "row %zu", row);
        cr_assert_eq(number, wanted[row], "row %zu", row);
    }
    shoal_table_close(table);
}

Test(table, damaged_tables_are_refused_with_file_and_line)
{
    assert_refused("", SHOAL_DAMAGED, ":1: ", "empty");
    assert_refused("\n \n", SHOAL_DAMAGED, ":1: ", "empty");
    assert_refused("a,b\n1,2\n1,2,3\n", SHOAL_DAMAGED, ":3: ", "3 cells");
    assert_refused("a,b\n1\n", SHOAL_DAMAGED, ":2: ", "1 cells");
    assert_refused("a,b\n1,\"2\n3\n", SHOAL_DAMAGED, ":2: ", "does not end");
    assert_refused("a,b\n\"1\"x,2\n", SHOAL_DAMAGED, ":2: ", "quote");
    assert_refused("a,b,A \n1,2,3\n", SHOAL_DAMAGED, ":1: ", "twice");
}

Test(table, files_that_are_missing_or_no_text_are_refused)
{
    struct shoal_table *table;
    struct shoal_message why = {""};
    cr_assert_eq(shoal_table_open("/nonexistent/t.csv", SHOAL_TABLE_ANY, &table, &why), SHOAL_NOT_FOUND);
    cr_assert_not_null(strstr(why.text, "/nonexistent/t.csv"), "%s", why.text);
    char *path = make_file("a,b\n1,\0\n", 8);
    cr_assert_eq(shoal_table_open(path, SHOAL_TABLE_ANY, &table, &why), SHOAL_DAMAGED);
    cr_assert_not_null(strstr(why.text, "no text"), "%s", why.text);
    drop_file(path);
    shoal_table_close(NULL);
}

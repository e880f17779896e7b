/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/stream/files.h"

static void assert_rows(const char *text, const char *const (*wanted)[2], size_t count)
{
    char *path = make_text_file(text);
    struct shoal_reader *reader = open_reader(path, 4);
    for (size_t i = 0; i < count; i++)
        assert_next(reader, wanted[i][0], wanted[i][1]);
    assert_end(reader);
    shoal_reader_close(reader);
    drop_file(path);
}

#define ROWS(text, ...)                                                                            \
    do {                                                                                           \
        static const char *const wanted[][2] = {__VA_ARGS__};                                      \
        assert_rows(text, wanted, sizeof wanted / sizeof wanted[0]);                               \
    } while (0)

static void assert_refused(const char *text, const char *word)
{
    struct shoal_reader *reader;
    struct shoal_message why = {""};
    char *path = make_text_file(text);
    cr_assert_eq(shoal_reader_open(path, 4, &reader, &why), SHOAL_CONFIG, "%s", text);
    cr_assert_not_null(strstr(why.text, word), "%s", why.text);
    cr_assert_not_null(strstr(why.text, path), "%s", why.text);
    drop_file(path);
}

Test(reader_csv, five_columns_without_header_are_taobaos)
{
    ROWS("1,2,3,pv,1511658000\r\n4,5,,buy,1511658001",
         {"{\"user_id\":\"1\",\"item_id\":\"2\",\"category_id\":\"3\",\"behavior\":\"pv\","
          "\"timestamp\":1511658000}",
          "1"},
         {"{\"user_id\":\"4\",\"item_id\":\"5\",\"behavior\":\"buy\",\"timestamp\":1511658001}",
          "4"});
}

Test(reader_csv, four_columns_without_header_have_no_category)
{
    ROWS("1,2,pv,1511658000\n",
         {"{\"user_id\":\"1\",\"item_id\":\"2\",\"behavior\":\"pv\",\"timestamp\":1511658000}",
          "1"});
}

Test(reader_csv, a_header_names_the_columns_in_any_order)
{
    ROWS("\xef\xbb\xbf"
         "Price, event_time ,EVENT_TYPE,product_id,brand,userid,quantity\n"
         "9.90,2019-10-01 00:00:00 UTC,view,44,b,u,2\n",
         {"{\"user_id\":\"u\",\"item_id\":\"44\",\"behavior\":\"view\","
          "\"timestamp\":\"2019-10-01 00:00:00 UTC\",\"price\":9.90,\"quantity\":2}",
          "u"});
}

Test(reader_csv, a_user_column_is_preferred_to_a_session)
{
    ROWS("session,item,behavior,ts,user_id\ns,i,pv,1,u\n",
         {"{\"user_id\":\"u\",\"item_id\":\"i\",\"behavior\":\"pv\",\"timestamp\":1}", "u"});
    ROWS("session,item,behavior,ts\ns,i,pv,1\n",
         {"{\"user_id\":\"s\",\"item_id\":\"i\",\"behavior\":\"pv\",\"timestamp\":1}", "s"});
}

Test(reader_csv, campaign_columns_are_passed_on)
{
    ROWS("user_id,item_id,behavior,timestamp,event_id,promotion_id,exposure\nu,i,pv,1,e,p,shown\n",
         {"{\"user_id\":\"u\",\"item_id\":\"i\",\"behavior\":\"pv\",\"timestamp\":1,"
          "\"event_id\":\"e\",\"promotion_id\":\"p\",\"exposure\":\"shown\"}",
          "u"});
}

Test(reader_csv, quotes_and_special_characters_are_kept)
{
    ROWS(
        "user_id,item_id,behavior,timestamp\n"
        "\"a,\"\"b\"\"\",\"back\\slash\ttab\",pv,\"1\"\n"
        "\"\",x\"y,pv,1\n",
        {"{\"user_id\":\"a,\\\"b\\\"\",\"item_id\":\"back\\\\slash\\u0009tab\",\"behavior\":\"pv\","
         "\"timestamp\":1}",
         "a,\"b\""},
        {"{\"user_id\":\"\",\"item_id\":\"x\\\"y\",\"behavior\":\"pv\",\"timestamp\":1}", NULL});
}

Test(reader_csv, values_that_are_no_numbers_stay_text)
{
    ROWS(
        "user_id,item_id,behavior,timestamp,price\nu,i,pv,soon,cheap\nu,i,pv,,007\nu,i,pv,-1,1e3\n",
        {"{\"user_id\":\"u\",\"item_id\":\"i\",\"behavior\":\"pv\",\"timestamp\":\"soon\","
         "\"price\":\"cheap\"}",
         "u"},
        {"{\"user_id\":\"u\",\"item_id\":\"i\",\"behavior\":\"pv\",\"timestamp\":\"\","
         "\"price\":\"007\"}",
         "u"},
        {"{\"user_id\":\"u\",\"item_id\":\"i\",\"behavior\":\"pv\",\"timestamp\":-1,"
         "\"price\":1e3}",
         "u"});
}

Test(reader_csv, rows_of_another_shape_pass_raw)
{
    ROWS("1,2,3,pv,4\n1,2,3,pv\n1,2,3,pv,4,5\n\"1,2,3,pv,4\n\"1\"x,2,3,pv,4\n,,,,\n5,6,7,what,8\n"
         "{\"user_id\":\"json\"}\n",
         {"{\"user_id\":\"1\",\"item_id\":\"2\",\"category_id\":\"3\",\"behavior\":\"pv\","
          "\"timestamp\":4}",
          "1"},
         {"1,2,3,pv", NULL}, {"1,2,3,pv,4,5", NULL}, {"\"1,2,3,pv,4", NULL},
         {"\"1\"x,2,3,pv,4", NULL},
         {"{\"user_id\":\"\",\"item_id\":\"\",\"behavior\":\"\",\"timestamp\":\"\"}", NULL},
         {"{\"user_id\":\"5\",\"item_id\":\"6\",\"category_id\":\"7\",\"behavior\":\"what\","
          "\"timestamp\":8}",
          "5"},
         {"{\"user_id\":\"json\"}", "json"});
}

Test(reader_csv, a_bad_first_row_does_not_hide_the_shape)
{
    ROWS("?!\n1,2,3,pv,4\n", {"?!", NULL},
         {"{\"user_id\":\"1\",\"item_id\":\"2\",\"category_id\":\"3\",\"behavior\":\"pv\","
          "\"timestamp\":4}",
          "1"});
}

Test(reader_csv, user_ids_that_cannot_be_keys_leave_the_key_out)
{
    char text[200] = "user_id,item_id,behavior,timestamp\n";
    char value[200];
    char user[66];
    memset(user, 'x', 65);
    user[65] = '\0';
    sprintf(text + strlen(text), "%s,i,pv,1\n%s,i,pv,1\n", user, user + 1);
    char *path = make_text_file(text);
    struct shoal_reader *reader = open_reader(path, 4);
    const char *rest = "\"item_id\":\"i\",\"behavior\":\"pv\",\"timestamp\":1}";
    sprintf(value, "{\"user_id\":\"%s\",%s", user, rest);
    assert_next(reader, value, NULL);
    sprintf(value, "{\"user_id\":\"%s\",%s", user + 1, rest);
    assert_next(reader, value, user + 1);
    assert_end(reader);
    shoal_reader_close(reader);
    drop_file(path);
}

Test(reader_csv, headers_without_the_required_columns_are_refused_by_name)
{
    assert_refused("user_id,item_id,timestamp\n", "behavior");
    assert_refused("item_id,behavior,timestamp\n", "user_id");
    assert_refused("user_id,behavior,category_id\n", "item_id, timestamp");
    assert_refused("recency,history_segment,history,mens\n", "user_id, item_id");
    assert_refused("InvoiceNo,StockCode,Description,Quantity\n", "user_id");
}

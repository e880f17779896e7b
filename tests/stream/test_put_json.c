/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stream/put_json.h"

static char *line;
static size_t size;

static struct shoal_put start(void)
{
    struct shoal_put put = {.out = open_memstream(&line, &size)};
    cr_assert_not_null(put.out);
    shoal_put_open(&put, NULL, '{');
    return put;
}

static void end(struct shoal_put *put)
{
    shoal_put_close(put, '}');
    cr_assert_eq(fclose(put->out), 0);
}

Test(put_json, values_stand_with_commas_and_nothing_else_between)
{
    struct shoal_put put = start();
    shoal_put_text(&put, "a", "x");
    shoal_put_open(&put, "b", '[');
    shoal_put_int(&put, NULL, -3);
    shoal_put_real(&put, NULL, 0.25);
    shoal_put_open(&put, NULL, '{');
    shoal_put_close(&put, '}');
    shoal_put_close(&put, ']');
    shoal_put_flag(&put, "c", true);
    shoal_put_null(&put, "d");
    shoal_put_real(&put, "e", NAN);
    shoal_put_real(&put, "f", INFINITY);
    shoal_put_hash(&put, "g", 255);
    shoal_put_time(&put, "h", 0);
    shoal_put_raw(&put, "i", "{\"z\":1}");
    end(&put);
    cr_assert_str_eq(line,
                     "{\"a\":\"x\",\"b\":[-3,0.25,{}],\"c\":true,\"d\":null,\"e\":null,\"f\":null,"
                     "\"g\":\"00000000000000ff\",\"h\":\"1970-01-01T00:00:00.000Z\","
                     "\"i\":{\"z\":1}}");
    free(line);
}

Test(put_json, what_is_no_text_of_utf_8_is_replaced)
{
    struct shoal_put put = start();
    shoal_put_text(&put, "a", "\"\\\n\x01/");
    shoal_put_text(&put, "b", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x9f");
    shoal_put_text(&put, "c", "x\xff\xc3"); /* cut within a character */
    shoal_put_text(&put, "d", "\xed\xa0\x80\xc0\x80");
    end(&put);
    cr_assert_str_eq(line, "{\"a\":\"\\\"\\\\\\u000a\\u0001/\","
                           "\"b\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x9f\","
                           "\"c\":\"x\\ufffd\\ufffd\","
                           "\"d\":\"\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\"}");
    free(line);
}

Test(put_json, texts_of_the_top_level_are_found_again)
{
    char text[16];
    const char *object = "{\"n\":1,\"o\":{\"a\":\"inner\",\"}\":\"{\"},\"l\":[{\"a\":\"x\"},\"]\"],"
                         "\"a\":\"an \\\"outer\\\" one\",\"z\":null}\n";
    cr_assert(shoal_line_text(object, "a", text, sizeof text));
    cr_assert_str_eq(text, "an \"outer\" one");
    cr_assert_not(shoal_line_text(object, "n", text, sizeof text), "a number");
    cr_assert_not(shoal_line_text(object, "z", text, sizeof text), "null");
    cr_assert_not(shoal_line_text(object, "inner", text, sizeof text));
    cr_assert(shoal_line_text(object, "a", text, 4));
    cr_assert_str_eq(text, "an ");
}

/* A line may be cut off anywhere. */
Test(put_json, a_part_of_an_object_holds_nothing)
{
    char text[16];
    const char *object = "{\"a\":\"x\\\"\",\"b\":{\"c\":[1,2]},\"d\":\"y\"}";
    char part[64];
    for (size_t length = 0; length < strlen(object); length++) {
        memcpy(part, object, length);
        part[length] = '\0';
        cr_expect_not(shoal_line_text(part, "a", text, sizeof text), "%s", part);
    }
    cr_assert(shoal_line_text(object, "a", text, sizeof text));
}

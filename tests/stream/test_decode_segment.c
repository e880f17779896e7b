/* SPDX-License-Identifier: Apache-2.0 */
#include "state/record.h"
#include "tests/stream/decoding.h"

#include <math.h>

static struct decoding d;

static void setup(void)
{
    decoding_init(&d);
}

static void teardown(void)
{
    decoding_finish(&d);
}

TestSuite(decode_segment, .init = setup, .fini = teardown);

#define TRACK(event, more)                                                                         \
    "{\"type\":\"track\",\"event\":\"" event "\",\"userId\":\"u1\",\"messageId\":\"m1\","          \
    "\"timestamp\":\"2017-11-24T16:00:00.000Z\"" more "}"
#define PRODUCT "\"product_id\":\"p1\",\"category\":\"c1\",\"price\":9.99,\"quantity\":2"

Test(decode_segment, product_calls_become_events)
{
    static const struct {
        const char *text;
        enum shoal_behavior behavior;
    } calls[] = {
        {TRACK("Product Viewed", ",\"properties\":{" PRODUCT "}"), SHOAL_PV},
        {TRACK("Product Added", ",\"properties\":{" PRODUCT "}"), SHOAL_CART},
        {TRACK("Product Added to Wishlist", ",\"properties\":{" PRODUCT "}"), SHOAL_FAV},
    };
    for (size_t i = 0; i < 3; i++) {
        assert_status(decode_text(&d, calls[i].text), SHOAL_OK);
        const struct shoal_event *event = &d.events[0];
        cr_assert_eq(d.count, 1);
        cr_assert_str_eq(event->user, "u1");
        cr_assert_eq(event->touch.behavior, calls[i].behavior);
        cr_assert_eq(event->touch.item, shoal_item_hash("p1", 2));
        cr_assert_eq(event->touch.category, shoal_category_hash("c1", 2));
        cr_assert_eq(event->touch.time_ms, 1511539200000);
        cr_assert_eq(event->touch.price_level, shoal_price_level(9.99));
        cr_assert_eq(event->price, 9.99);
        cr_assert_eq(event->quantity, 2);
        cr_assert_neq(event->event_id, 0);
    }
}

Test(decode_segment, an_order_is_one_buy_for_each_product)
{
    const char *order =
        TRACK("Order Completed", ",\"properties\":{\"order_id\":\"o\",\"price\":99,\"products\":["
                                 "{\"product_id\":\"a\",\"price\":1,\"quantity\":3},"
                                 "{\"sku\":\"b\",\"category\":\"c\"},{\"product_id\":3}]}");
    assert_status(decode_text(&d, order), SHOAL_OK);
    cr_assert_eq(d.count, 3);
    uint64_t ids[3];
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert_eq(d.events[i].part, i);
        cr_assert_eq(d.events[i].touch.behavior, SHOAL_BUY);
        cr_assert_eq(d.events[i].touch.time_ms, 1511539200000);
        cr_assert_str_eq(d.events[i].user, "u1");
        ids[i] = d.events[i].event_id;
    }
    cr_assert_eq(d.events[0].touch.item, shoal_item_hash("a", 1));
    cr_assert_eq(d.events[0].price, 1);
    cr_assert_eq(d.events[0].quantity, 3);
    cr_assert_eq(d.events[1].touch.item, shoal_item_hash("b", 1));
    cr_assert_eq(d.events[1].touch.category, shoal_category_hash("c", 1));
    cr_assert(isnan(d.events[1].price));
    cr_assert_eq(d.events[2].touch.item, shoal_item_hash("3", 1));
    cr_assert_eq(d.events[2].touch.category, 0);
    cr_assert(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
    assert_status(decode_text(&d, order), SHOAL_OK);
    for (uint32_t i = 0; i < 3; i++)
        cr_assert_eq(d.events[i].event_id, ids[i], "a redelivered order must be known again");
}

Test(decode_segment, orders_without_usable_products_are_refused_as_a_whole)
{
    static const struct {
        const char *text;
        enum shoal_status status;
    } orders[] = {
        {TRACK("Order Completed", ""), SHOAL_MISSING_FIELD},
        {TRACK("Order Completed", ",\"properties\":{}"), SHOAL_MISSING_FIELD},
        {TRACK("Order Completed", ",\"properties\":{\"products\":[]}"), SHOAL_MISSING_FIELD},
        {TRACK("Order Completed", ",\"properties\":{\"products\":[{}]}"), SHOAL_MISSING_FIELD},
        {TRACK("Order Completed", ",\"properties\":{\"products\":{}}"), SHOAL_BAD_FIELD},
        {TRACK("Order Completed", ",\"properties\":{\"products\":[{" PRODUCT "},7]}"),
         SHOAL_BAD_FIELD},
        {TRACK("Order Completed", ",\"properties\":{\"products\":[[]]}"), SHOAL_BAD_FIELD},
        {TRACK("Order Completed", ",\"properties\":{\"products\":[{" PRODUCT "},{\"sku\":1.5}]}"),
         SHOAL_BAD_FIELD},
        {TRACK("Order Completed",
               ",\"properties\":{\"products\":[{" PRODUCT "},{\"sku\":\"s\",\"price\":-1}]}"),
         SHOAL_BAD_FIELD},
    };
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++)
        assert_status(decode_text(&d, orders[i].text), orders[i].status);
}

static char *order_of(int products)
{
    char *text = malloc(100000);
    strcpy(text, "{\"type\":\"track\",\"event\":\"Order Completed\",\"userId\":\"u\","
                 "\"timestamp\":1,\"properties\":{\"products\":[");
    for (int i = 0; i < products; i++)
        sprintf(text + strlen(text), "%s{\"sku\":\"%d\"}", i ? "," : "", i);
    strcat(text, "]}}");
    return text;
}

Test(decode_segment, an_order_may_have_256_products_and_not_more)
{
    char *text = order_of(256);
    assert_status(decode_text(&d, text), SHOAL_OK);
    cr_assert_eq(d.count, 256);
    cr_assert_eq(d.events[255].touch.item, shoal_item_hash("255", 3));
    cr_assert_eq(d.events[255].event_id, 0);
    free(text);
    text = order_of(257);
    assert_status(decode_text(&d, text), SHOAL_BAD_FIELD);
    free(text);
}

Test(decode_segment, other_calls_are_refused_by_name)
{
    assert_status(decode_text(&d, TRACK("Product Removed", ",\"properties\":{" PRODUCT "}")),
                  SHOAL_BAD_BEHAVIOR);
    cr_assert_not_null(strstr(d.why.text, "'Product Removed'"), "%s", d.why.text);
    assert_status(decode_text(&d, "{\"type\":\"track\",\"userId\":\"u\"}"), SHOAL_MISSING_FIELD);
    assert_status(decode_text(&d, "{\"type\":\"track\",\"userId\":\"u\",\"event\":5}"),
                  SHOAL_BAD_BEHAVIOR);
}

Test(decode_segment, an_anonymous_user_is_used_when_there_is_no_other)
{
    const char *properties = "\"timestamp\":1,\"properties\":{\"product_id\":1}}";
    char text[300];
    snprintf(text, sizeof text,
             "{\"type\":\"track\",\"event\":\"Product Viewed\",\"userId\":null,"
             "\"anonymousId\":\"anon\",%s",
             properties);
    assert_status(decode_text(&d, text), SHOAL_OK);
    cr_assert_str_eq(d.events[0].user, "anon");
    snprintf(text, sizeof text,
             "{\"type\":\"track\",\"event\":\"Product Viewed\",\"anonymousId\":\"anon\","
             "\"userId\":12,%s",
             properties);
    assert_status(decode_text(&d, text), SHOAL_OK);
    cr_assert_str_eq(d.events[0].user, "12");
    snprintf(text, sizeof text, "{\"type\":\"track\",\"event\":\"Product Viewed\",%s", properties);
    assert_status(decode_text(&d, text), SHOAL_MISSING_FIELD);
    snprintf(text, sizeof text,
             "{\"type\":\"track\",\"event\":\"Product Viewed\",\"userId\":\"\",%s", properties);
    assert_status(decode_text(&d, text), SHOAL_BAD_USER);
}

Test(decode_segment, the_time_falls_back_to_the_other_stamps)
{
    const char *head = "{\"type\":\"track\",\"event\":\"Product Viewed\",\"userId\":\"u\","
                       "\"properties\":{\"product_id\":1}";
    char text[300];
    snprintf(text, sizeof text, "%s,\"sentAt\":3,\"originalTimestamp\":2,\"timestamp\":1}", head);
    assert_status(decode_text(&d, text), SHOAL_OK);
    cr_assert_eq(d.events[0].touch.time_ms, 1000);
    snprintf(text, sizeof text, "%s,\"sentAt\":3,\"originalTimestamp\":2}", head);
    assert_status(decode_text(&d, text), SHOAL_OK);
    cr_assert_eq(d.events[0].touch.time_ms, 2000);
    snprintf(text, sizeof text, "%s,\"sentAt\":3}", head);
    assert_status(decode_text(&d, text), SHOAL_OK);
    cr_assert_eq(d.events[0].touch.time_ms, 3000);
    snprintf(text, sizeof text, "%s}", head);
    assert_status(decode_text(&d, text), SHOAL_MISSING_FIELD);
    snprintf(text, sizeof text, "%s,\"sentAt\":\"later\"}", head);
    assert_status(decode_text(&d, text), SHOAL_BAD_TIMESTAMP);
}

Test(decode_segment, only_track_calls_are_read_this_way)
{
    assert_status(decode_text(&d, "{\"type\":\"page\",\"user_id\":\"own\",\"item_id\":1,"
                                  "\"behavior\":\"pv\",\"timestamp\":1,\"userId\":\"other\"}"),
                  SHOAL_OK);
    cr_assert_str_eq(d.events[0].user, "own");
}

Test(decode_segment, msgpack_carries_the_same_calls)
{
    struct shoal_buffer buffer = {0};
    shoal_pack_map(&buffer, 6);
    shoal_pack_text(&buffer, "properties");
    shoal_pack_map(&buffer, 2);
    shoal_pack_text(&buffer, "total");
    shoal_pack_double(&buffer, 5);
    shoal_pack_text(&buffer, "products");
    shoal_pack_array(&buffer, 2);
    for (int i = 0; i < 2; i++) {
        shoal_pack_map(&buffer, 3);
        shoal_pack_text(&buffer, "product_id");
        shoal_pack_int(&buffer, 10 + i);
        shoal_pack_text(&buffer, "price");
        shoal_pack_float(&buffer, 2.5f);
        shoal_pack_text(&buffer, "tags");
        shoal_pack_array(&buffer, 1);
        shoal_pack_text(&buffer, "new");
    }
    shoal_pack_text(&buffer, "type");
    shoal_pack_text(&buffer, "track");
    shoal_pack_text(&buffer, "event");
    shoal_pack_text(&buffer, "Order Completed");
    shoal_pack_text(&buffer, "userId");
    shoal_pack_int(&buffer, 99);
    shoal_pack_text(&buffer, "messageId");
    shoal_pack_text(&buffer, "m1");
    shoal_pack_text(&buffer, "timestamp");
    shoal_pack_int(&buffer, 1511539200);
    assert_status(decode_packed(&d, &buffer), SHOAL_OK);
    cr_assert_eq(d.count, 2);
    cr_assert_str_eq(d.events[1].user, "99");
    cr_assert_eq(d.events[1].touch.item, shoal_item_hash("11", 2));
    cr_assert_eq(d.events[1].price, 2.5);
    uint64_t id = d.events[1].event_id;
    assert_status(decode_text(&d, "{\"type\":\"track\",\"event\":\"Order Completed\","
                                  "\"userId\":\"99\",\"messageId\":\"m1\",\"timestamp\":1511539200,"
                                  "\"properties\":{\"products\":[{\"sku\":1},{\"sku\":2}]}}"),
                  SHOAL_OK);
    cr_assert_eq(d.events[1].event_id, id);
}

#define CALL                                                                                       \
    "{\"type\":\"track\",\"event\":\"Product Viewed\",\"userId\":\"9\",\"timestamp\":1511539200,"       \
    "\"properties\":{\"product_id\":1}"

Test(decode_segment, consent_is_taken_from_the_category_preferences)
{
    assert_status(decode_text(&d, CALL ",\"context\":{\"ip\":[1,{}],\"consent\":{\"x\":1,"
                                       "\"categoryPreferences\":{\"Analytics\":true,"
                                       "\"Advertising\":true,\"Personalization\":false}}}}"),
                  SHOAL_OK);
    cr_assert_eq(d.events[0].consent_given, SHOAL_CONSENT_MARKETING);
    cr_assert_eq(d.events[0].consent_withdrawn, SHOAL_CONSENT_PERSONALIZATION);
    assert_status(decode_text(&d, CALL ",\"context\":{\"consent\":{\"categoryPreferences\":{"
                                       "\"Processing\":false}}}}"),
                  SHOAL_OK);
    cr_assert_eq(d.events[0].consent_given, 0);
    cr_assert_eq(d.events[0].consent_withdrawn, SHOAL_CONSENT_PROCESSING);
    static const char *const nothing[] = {
        ",\"context\":null}",
        ",\"context\":[{\"consent\":{\"categoryPreferences\":{\"Advertising\":true}}}]}",
        ",\"context\":{\"categoryPreferences\":{\"Advertising\":true}}}",
        ",\"consent\":{\"categoryPreferences\":{\"Advertising\":true}}}",
        ",\"context\":{\"consent\":{\"categoryPreferences\":{\"Advertising\":true}}},\"context\":{}}",
    };
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        char text[512];
        snprintf(text, sizeof text, "%s%s", CALL, nothing[i]);
        assert_status(decode_text(&d, text), SHOAL_OK);
        cr_assert_eq(d.events[0].consent_given, 0, "%s", nothing[i]);
    }
    assert_status(decode_text(&d, CALL ",\"context\":{\"consent\":{\"categoryPreferences\":"
                                       "{\"Advertising\":\"maybe\"}}}}"),
                  SHOAL_BAD_FIELD);
}

Test(decode_segment, consent_in_messagepack_and_for_each_product_of_an_order)
{
    struct shoal_buffer buffer = {0};
    shoal_pack_map(&buffer, 6);
    shoal_pack_text(&buffer, "context");
    shoal_pack_map(&buffer, 1);
    shoal_pack_text(&buffer, "consent");
    shoal_pack_map(&buffer, 1);
    shoal_pack_text(&buffer, "categoryPreferences");
    shoal_pack_map(&buffer, 1);
    shoal_pack_text(&buffer, "Advertising");
    shoal_pack_bool(&buffer, true);
    shoal_pack_text(&buffer, "properties");
    shoal_pack_map(&buffer, 1);
    shoal_pack_text(&buffer, "products");
    shoal_pack_array(&buffer, 2);
    for (int i = 0; i < 2; i++) {
        shoal_pack_map(&buffer, 1);
        shoal_pack_text(&buffer, "product_id");
        shoal_pack_int(&buffer, 10 + i);
    }
    shoal_pack_text(&buffer, "type");
    shoal_pack_text(&buffer, "track");
    shoal_pack_text(&buffer, "event");
    shoal_pack_text(&buffer, "Order Completed");
    shoal_pack_text(&buffer, "userId");
    shoal_pack_int(&buffer, 99);
    shoal_pack_text(&buffer, "timestamp");
    shoal_pack_int(&buffer, 1511539200);
    assert_status(decode_packed(&d, &buffer), SHOAL_OK);
    cr_assert_eq(d.count, 2);
    cr_assert_eq(d.events[0].consent_given, SHOAL_CONSENT_MARKETING);
    cr_assert_eq(d.events[1].consent_given, SHOAL_CONSENT_MARKETING);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Next items over HTTP: those that an emitted decision has (test_pipeline_items.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/store.h"
#include "stream/models.h"
#include "stream/person.h"
#include "stream/put_json.h"
#include "stream/event.h"
#include "tests/stream/http_fixture.h"

static const char policy[] = "promotions:\n"
                             "- {id: buys, triggers: [pv], items: 4, items_goal: buy, control: 0%}\n"
                             "- {id: none, triggers: [pv], items: none, control: 0%}\n"
                             "- {id: never, triggers: [pv], items: 4, score: {min: 1}, control: 0%}\n"
                             "- {id: fresh, triggers: [pv], items: 7, without_bought: yes, control: 0%}\n";

/* `"items":[…]` as the catalogue has them for a user as of a time. */
static void expect_items(const struct server *s, const char *user, int64_t now_ms, enum shoal_item_goal goal,
                         bool without_bought, size_t wanted, int decimals, char *text)
{
    const struct shoal_redis_options redis = {.url = s->redis.url, .topic = "shoal.events"};
    const struct shoal_model *model = shoal_models_latest(s->models);
    struct shoal_message message;
    struct shoal_store *store;
    struct shoal_person person;
    struct shoal_items_room *room;
    struct shoal_item_pick picks[20];
    float rates[SHOAL_COUNTERS];
    size_t count;
    cr_assert_eq(shoal_redis_store_create(&redis, &store, &message), SHOAL_OK);
    cr_assert_eq(shoal_person_take(store, model, user, &person, &message), SHOAL_OK);
    cr_assert(person.known);
    shoal_person_rates(&person, now_ms, rates);
    const struct shoal_item_query query = {
        .h = person.record.h,
        .rates = rates,
        .ring = person.record.ring,
        .ring_count = person.record.ring_count,
        .now_ms = now_ms,
        .goal = goal,
        .without_bought = without_bought,
    };
    cr_assert_eq(shoal_items_room_create(model->items, 1, &room), SHOAL_OK);
    shoal_items_top(model->items, room, &query, 1, wanted, picks, &count);
    shoal_items_room_destroy(room);
    cr_assert_eq(count, wanted);
    int used = sprintf(text, "\"items\":[");
    for (size_t i = 0; i < count; i++) {
        size_t size;
        const char *id = shoal_items_id(model->items, picks[i].item, &size);
        used += sprintf(text + used, "%s{\"item\":\"%.*s\",", i ? "," : "", (int)size, id);
        used += sprintf(text + used, "\"score\":%.*f}", decimals, (double)picks[i].score);
    }
    sprintf(text + used, "]");
    shoal_person_finish(&person);
    store->ops->destroy(store);
    shoal_models_release(s->models, model);
}

/* The decision about a promotion in the last answer, cut out. */
static const char *decision_about(const char *promotion)
{
    static char text[8192];
    char begin_text[80];
    snprintf(begin_text, sizeof begin_text, "\"promotion\":\"%s\"", promotion);
    const char *begins = strstr(answer.text, begin_text);
    cr_assert_not_null(begins, "%s", answer.text);
    const char *ends = strstr(begins, "\"would_offer\"");
    cr_assert_not_null(ends);
    snprintf(text, sizeof text, "%.*s", (int)(ends - begins), begins);
    return text;
}

static int64_t evaluated_at(void)
{
    const char *at = strstr(answer.text, "\"evaluated_at\":\"");
    int64_t time_ms;
    cr_assert_not_null(at);
    at += sizeof "\"evaluated_at\":\"" - 1;
    cr_assert(shoal_time_parse(at, strcspn(at, "\""), &time_ms));
    return time_ms;
}

Test(http_items, decisions_tell_the_next_items_that_the_topic_would_have)
{
    struct server s = {.items = 40, .policy = policy};
    char expected[2048];
    begin_with(&s, NULL);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(get(&s, i ? "/v1/users/ann/decisions" : "/v1/users/b%2Fb/decisions"), 200);
        const char *user = i ? "ann" : "b/b";
        expect_items(&s, user, evaluated_at(), SHOAL_GOAL_BUY, false, 4, 6, expected);
        cr_expect_not_null(strstr(decision_about("buys"), expected), "%s: %s", expected, decision_about("buys"));
        expect_items(&s, user, evaluated_at(), SHOAL_GOAL_ANY, true, 7, 6, expected);
        cr_expect_not_null(strstr(decision_about("fresh"), expected), "%s: %s", expected, decision_about("fresh"));
        cr_expect_null(strstr(decision_about("none"), "\"items\""));
        cr_expect_null(strstr(decision_about("never"), "\"items\""));
        EXPECT_TEXT("}],\"standing\":false,\"would_offer\":true}");
    }
    end(&s);
}

Test(http_items, without_a_catalogue_decisions_have_none)
{
    struct server s = {.policy = policy};
    begin_with(&s, NULL);
    cr_assert_eq(get(&s, "/v1/users/ann/decisions"), 200);
    cr_expect_null(strstr(answer.text, "\"items\""));
    EXPECT_TEXT("\"promotion\":\"fresh\"");
    end(&s);
}

/* The "items" of the last answer, without what only this call tells, as expect_items has them. */
static void strip_items(char *text)
{
    const char *at = strstr(answer.text, "\"items\":[");
    cr_assert_not_null(at, "%s", answer.text);
    at += sizeof "\"items\":[" - 1;
    int used = sprintf(text, "\"items\":["), size;
    for (char item[80]; sscanf(at, "{\"item\":\"%79[^\"]\"%n", item, &size) == 1; at++) {
        double score;
        cr_assert_eq(sscanf(at + size, ",\"score\":%lf", &score), 1);
        used += sprintf(text + used, "%s{\"item\":\"%s\",\"score\":%.4f}", text[used - 1] == '[' ? "" : ",", item, score);
        at += strcspn(at, "}") + 1;
        if (*at != ',')
            break;
    }
    sprintf(text + used, "]");
}

Test(http_items, next_items_are_those_of_a_decision_of_that_moment)
{
    struct server s = {.items = 40, .policy = policy};
    char expected[2048], found[2048];
    begin_with(&s, NULL);
    cr_assert_eq(get(&s, "/v1/users/b%2Fb/items?n=4&goal=buy"), 200);
    EXPECT_TEXT("{\"user_id\":\"b/b\",\"known\":true,\"why\":\"history\",\"model\":");
    EXPECT_TEXT("\"goal\":\"buy\",\"without_bought\":false,\"wanted\":4,\"catalogue\":40,");
    strip_items(found);
    cr_assert_eq(get(&s, "/v1/users/b%2Fb/decisions"), 200);
    expect_items(&s, "b/b", evaluated_at(), SHOAL_GOAL_BUY, false, 4, 4, expected);
    cr_expect_str_eq(found, expected);
    cr_assert_eq(get(&s, "/v1/users/ann/items?without_bought=true&n=7"), 200);
    strip_items(found);
    cr_assert_eq(get(&s, "/v1/users/ann/decisions"), 200);
    expect_items(&s, "ann", evaluated_at(), SHOAL_GOAL_ANY, true, 7, 4, expected);
    cr_expect_str_eq(found, expected);
    end(&s);
}

Test(http_items, a_stranger_gets_popular_items_and_no_catalogue_is_told)
{
    struct server s = {.items = 5};
    begin_with(&s, NULL);
    cr_assert_eq(get(&s, "/v1/users/nobody/items"), 200);
    EXPECT_TEXT("\"known\":false,\"why\":\"popular\"");
    EXPECT_TEXT("\"at\":null");
    EXPECT_TEXT("\"wanted\":10,\"catalogue\":5,\"items\":[{");
    static const char *const bad[] = {"n=0", "n=1001", "n=x", "goal=sell", "goal", "without_bought=yes"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char path[64];
        snprintf(path, sizeof path, "/v1/users/ann/items?%s", bad[i]);
        cr_expect_eq(get(&s, path), 400, "%s", path);
    }
    end(&s);
    begin(&s, NULL);
    cr_assert_eq(get(&s, "/v1/users/ann/items"), 404);
    EXPECT_TEXT("urn:shoal:problem:no-catalogue");
    end(&s);
}

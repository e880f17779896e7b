/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The synthetic shoppers: the bytes are fixed by the options, the lines are events, and the
 * population behaves as the data it is fitted to.
 */
#include "tools/shopper.h"
#include "tools/shoppers.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct output {
    char *text; /* owned */
    size_t bytes;
    uint64_t events_count;
    int result;
};

struct line {
    unsigned user;
    char behavior[8];
    unsigned item;
    unsigned category;
    long long timestamp;
    double price;
    char rest[96]; /* what follows the price, with the closing brace */
};

static struct shoal_shoppers_options small_shop(uint64_t users, double days)
{
    struct shoal_shoppers_options options = shoal_shoppers_options_default();

    options.users = users;
    options.days = days;
    options.seed = 7;
    return options;
}

static struct output generate(const struct shoal_shoppers_options *options)
{
    struct output output = {0};
    FILE *stream = open_memstream(&output.text, &output.bytes);

    cr_assert_not_null(stream);
    output.result = shoal_shoppers_write(options, stream, &output.events_count);
    cr_assert_eq(fclose(stream), 0);
    return output;
}

static bool outputs_are_equal(const struct output *a, const struct output *b)
{
    return a->bytes == b->bytes && memcmp(a->text, b->text, a->bytes) == 0;
}

/* Reads the line at *text strictly and moves on to the next; false at the end of the text. */
static bool read_line(const char **text, struct line *line)
{
    /* sscanf and, under AddressSanitizer, every string function measures its whole input first: they
     * get one line, not the file. */
    char copy[256];
    size_t length = 0;
    int consumed = 0;
    int fields;

    while ((*text)[length] != '\n' && (*text)[length] != '\0')
        length++;
    if (length == 0)
        return false;
    cr_assert_lt(length, sizeof(copy));
    cr_assert_eq((*text)[length], '\n', "the last line is not ended");
    memcpy(copy, *text, length);
    copy[length] = '\0';
    fields = sscanf(copy,
                    "{\"user_id\":\"u%u\",\"behavior\":\"%7[a-z]\",\"item_id\":\"i%u\","
                    "\"category_id\":\"c%u\",\"timestamp\":%lld,\"price\":%lf%95[^\n]%n",
                    &line->user, line->behavior, &line->item, &line->category, &line->timestamp,
                    &line->price, line->rest, &consumed);
    cr_assert_eq(fields, 7, "a malformed line: %s", copy);
    cr_assert_eq((size_t)consumed, length, "a malformed line: %s", copy);
    cr_assert_eq(copy[length - 1], '}');
    *text += length + 1;
    return true;
}

Test(shoppers, same_seed_gives_same_bytes)
{
    struct shoal_shoppers_options options = small_shop(50, 3);
    struct output first = generate(&options);
    struct output second = generate(&options);

    cr_assert_gt(first.bytes, 10000);
    cr_expect(outputs_are_equal(&first, &second));
    free(first.text);
    free(second.text);
}

Test(shoppers, other_seed_gives_other_bytes)
{
    struct shoal_shoppers_options options = small_shop(50, 3);
    struct output first = generate(&options);
    struct output second;

    options.seed++;
    second = generate(&options);
    cr_expect_not(outputs_are_equal(&first, &second));
    free(first.text);
    free(second.text);
}

/* FNV-1a of the whole output; the constant was made on x86-64 and must come out everywhere. */
Test(shoppers, bytes_are_the_same_on_every_machine)
{
    struct shoal_shoppers_options options = small_shop(200, 4);
    struct output output = generate(&options);
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < output.bytes; i++)
        hash = (hash ^ (unsigned char)output.text[i]) * UINT64_C(0x100000001b3);
    cr_expect_eq(hash, UINT64_C(0x894d432652a9aa19), "the bytes have changed: 0x%llx",
                 (unsigned long long)hash);
    free(output.text);
}

Test(shoppers, a_shopper_lives_the_same_life_in_any_crowd)
{
    struct shoal_shoppers_options options = small_shop(20, 3);
    struct output few = generate(&options);
    struct output many;
    const char *few_at = few.text;
    const char *many_at;
    struct line expected;
    struct line line;

    options.users = 60;
    many = generate(&options);
    many_at = many.text;
    while (read_line(&many_at, &line)) {
        if (line.user >= 20)
            continue;
        cr_assert(read_line(&few_at, &expected));
        cr_assert_eq(expected.user, line.user);
        cr_assert_eq(expected.timestamp, line.timestamp);
        cr_assert_eq(expected.item, line.item);
        cr_assert_str_eq(expected.rest, line.rest);
    }
    cr_expect_not(read_line(&few_at, &expected));
    free(few.text);
    free(many.text);
}

Test(shoppers, events_come_in_time_order_within_the_span_and_are_counted)
{
    struct shoal_shoppers_options options = small_shop(300, 2.5);
    struct output output = generate(&options);
    const char *at = output.text;
    long long previous = options.start_ms;
    uint64_t lines = 0;
    struct line line;

    while (read_line(&at, &line)) {
        lines++;
        cr_assert_geq(line.timestamp, previous);
        cr_assert_lt(line.timestamp, options.start_ms + 60LL * 3600 * 1000);
        cr_assert_lt(line.user, 300);
        cr_assert_gt(line.price, 0);
        previous = line.timestamp;
    }
    cr_expect_eq(lines, output.events_count);
    free(output.text);
}

Test(shoppers, an_item_keeps_its_category_and_its_price)
{
    struct shoal_shoppers_options options = small_shop(300, 3);
    struct line *seen = calloc(options.items, sizeof(*seen));
    struct output output = generate(&options);
    const char *at = output.text;
    struct line line;

    cr_assert_not_null(seen);
    while (read_line(&at, &line)) {
        cr_assert_lt(line.item, options.items);
        if (seen[line.item].price > 0) {
            cr_assert_eq(seen[line.item].category, line.category);
            cr_assert_float_eq(seen[line.item].price, line.price, 1e-9);
        }
        seen[line.item] = line;
    }
    free(seen);
    free(output.text);
}

/* The reference figures are those of nine days of 825 users of the Taobao set. */
Test(shoppers, behaviour_is_close_to_the_real_data)
{
    struct shoal_shoppers_options options = small_shop(3000, 9);
    struct output output = generate(&options);
    const char *at = output.text;
    bool active[3000] = {false};
    bool bought[3000] = {false};
    double views = 0;
    double carts = 0;
    double favs = 0;
    double buys = 0;
    double users = 0;
    double buyers = 0;
    double events = (double)output.events_count;
    struct line line;

    while (read_line(&at, &line)) {
        views += strcmp(line.behavior, "pv") == 0;
        carts += strcmp(line.behavior, "cart") == 0;
        favs += strcmp(line.behavior, "fav") == 0;
        buys += strcmp(line.behavior, "buy") == 0;
        active[line.user] = true;
        bought[line.user] |= strcmp(line.behavior, "buy") == 0;
    }
    for (int user = 0; user < 3000; user++) {
        users += active[user];
        buyers += bought[user];
    }
    cr_expect_eq(views + carts + favs + buys, events, "a behaviour outside the four");
    cr_expect_float_eq(100 * views / events, 89.9, 1, "pv %.2f %%", 100 * views / events);
    cr_expect_float_eq(100 * carts / events, 5.4, 0.8, "cart %.2f %%", 100 * carts / events);
    cr_expect_float_eq(100 * favs / events, 2.6, 0.5, "fav %.2f %%", 100 * favs / events);
    cr_expect_float_eq(100 * buys / events, 2.1, 0.4, "buy %.2f %%", 100 * buys / events);
    cr_expect_float_eq(events / users / 9, 10.7, 1, "%.2f events a user and day",
                       events / users / 9);
    cr_expect_float_eq(buyers / users, 0.68, 0.05, "%.3f of users buy", buyers / users);
    free(output.text);
}

Test(shoppers, purchases_carry_a_quantity_and_nothing_else_does)
{
    struct shoal_shoppers_options options = small_shop(300, 5);
    struct output output = generate(&options);
    const char *at = output.text;
    struct line line;

    while (read_line(&at, &line)) {
        bool is_buy = strcmp(line.behavior, "buy") == 0;
        cr_assert_eq(is_buy, strncmp(line.rest, ",\"quantity\":", 12) == 0, "%s", line.rest);
    }
    free(output.text);
}

Test(shoppers, campaigns_reach_half_and_may_be_switched_off)
{
    struct shoal_shoppers_options options = small_shop(2000, 2); /* one campaign */
    struct output output = generate(&options);
    const char *at = output.text;
    bool active[2000] = {false};
    int shown[2000] = {0};
    double users = 0;
    double reached = 0;
    int clicked = 0;
    int redeemed = 0;
    struct line line;

    while (read_line(&at, &line)) {
        active[line.user] = true;
        shown[line.user] +=
            strstr(line.rest, "\"promotion_id\":\"p001\",\"exposure\":\"shown\"") != NULL;
        clicked += strstr(line.rest, "\"exposure\":\"clicked\"") != NULL;
        if (strstr(line.rest, "\"exposure\":\"redeemed\"") != NULL) {
            cr_assert_str_eq(line.behavior, "buy");
            redeemed++;
        }
    }
    for (int user = 0; user < 2000; user++) {
        cr_assert_leq(shown[user], 1);
        users += active[user];
        reached += shown[user];
    }
    cr_expect_float_eq(reached / users, 0.5, 0.05, "%.3f of users reached", reached / users);
    cr_expect_gt(clicked, 0);
    cr_expect_gt(redeemed, 0);
    free(output.text);
    options.campaigns = false;
    output = generate(&options);
    cr_expect_null(strstr(output.text, "promotion_id"));
    free(output.text);
}

/* The effect is there to be found: of those reached, more go on to buy. */
Test(shoppers, contact_makes_some_buy_who_would_not_have)
{
    struct shoal_shoppers_options options = small_shop(6000, 2);
    struct output output = generate(&options);
    const char *at = output.text;
    static bool active[6000];
    static bool reached[6000];
    static bool bought[6000];
    double users[2] = {0};
    double buyers[2] = {0};
    struct line line;

    while (read_line(&at, &line)) {
        active[line.user] = true;
        reached[line.user] |= strstr(line.rest, "\"shown\"") != NULL;
        bought[line.user] |= strcmp(line.behavior, "buy") == 0;
    }
    for (int user = 0; user < 6000; user++) {
        users[reached[user]] += active[user];
        buyers[reached[user]] += bought[user];
    }
    cr_expect_gt(buyers[1] / users[1], buyers[0] / users[0] + 0.03, "%.3f against %.3f",
                 buyers[1] / users[1], buyers[0] / users[0]);
    free(output.text);
}

/* What a recurrent model can learn and counters cannot: see the drawing in shopper.c. */
Test(shoppers, the_order_of_save_and_cart_tells_who_will_buy)
{
    enum order { NEITHER, SAVED_FIRST, CARTED_FIRST };
    static struct {
        struct line last;
        unsigned item;
        enum order order;
    } users[3000];
    struct shoal_shoppers_options options = small_shop(3000, 9);
    struct output output = generate(&options);
    const char *at = output.text;
    double pairs[3] = {0};
    double purchases[3] = {0};
    struct line line;

    while (read_line(&at, &line)) {
        struct line *last = &users[line.user].last;
        enum order order = NEITHER;
        if (strcmp(last->behavior, "fav") == 0 && strcmp(line.behavior, "cart") == 0)
            order = SAVED_FIRST;
        if (strcmp(last->behavior, "cart") == 0 && strcmp(line.behavior, "fav") == 0)
            order = CARTED_FIRST;
        if (order != NEITHER && last->item == line.item) {
            users[line.user].item = line.item;
            users[line.user].order = order;
            pairs[order]++;
        } else if (strcmp(line.behavior, "buy") == 0 && users[line.user].item == line.item) {
            purchases[users[line.user].order]++;
            users[line.user].order = NEITHER;
        }
        *last = line;
    }
    cr_assert_gt(pairs[SAVED_FIRST], 300);
    cr_assert_gt(pairs[CARTED_FIRST], 300);
    cr_expect_gt(purchases[SAVED_FIRST] / pairs[SAVED_FIRST], 0.4);
    cr_expect_lt(purchases[CARTED_FIRST] / pairs[CARTED_FIRST], 0.1);
    free(output.text);
}

Test(shoppers, nobody_or_no_time_gives_an_empty_file)
{
    struct shoal_shoppers_options options = small_shop(0, 9);
    struct output output = generate(&options);

    cr_expect_eq(output.result, 0);
    cr_expect_eq(output.bytes, 0);
    free(output.text);
    options = small_shop(100, 0);
    output = generate(&options);
    cr_expect_eq(output.result, 0);
    cr_expect_eq(output.bytes, 0);
    cr_expect_eq(output.events_count, 0);
    free(output.text);
}

Test(shoppers, one_item_and_a_short_span_are_enough)
{
    struct shoal_shoppers_options options = small_shop(500, 0.25);
    struct output output;

    options.items = 1;
    output = generate(&options);
    cr_expect_eq(output.result, 0);
    cr_expect_gt(output.events_count, 0);
    free(output.text);
}

Test(shoppers, options_out_of_range_are_refused)
{
    struct shoal_shoppers_options options = small_shop(10, -1);
    struct output output = generate(&options);

    cr_expect_eq(output.result, EINVAL);
    free(output.text);
    options = small_shop(10, NAN);
    output = generate(&options);
    cr_expect_eq(output.result, EINVAL);
    free(output.text);
    options = small_shop(10, 1);
    options.items = 0;
    output = generate(&options);
    cr_expect_eq(output.result, EINVAL);
    free(output.text);
    options = small_shop(UINT64_C(1) << 40, 1);
    output = generate(&options);
    cr_expect_eq(output.result, EINVAL);
    free(output.text);
}

Test(shoppers, a_full_disk_is_reported)
{
    struct shoal_shoppers_options options = small_shop(100, 5);
    FILE *full = fopen("/dev/full", "w");

    cr_assert_not_null(full);
    cr_expect_eq(shoal_shoppers_write(&options, full, NULL), ENOSPC);
    fclose(full);
}

static void note_progress(void *opaque, uint64_t done, uint64_t total)
{
    uint64_t *last = opaque;

    cr_assert_leq(last[0], done);
    cr_assert_leq(done, total);
    last[0] = done;
    last[1] = total;
    last[2]++;
}

Test(shoppers, progress_ends_at_the_total)
{
    struct shoal_shoppers_options options = small_shop(2000, 5);
    uint64_t last[3] = {0};
    struct output output;

    options.progress = note_progress;
    options.opaque = last;
    output = generate(&options);
    cr_expect_gt(last[2], 1);
    cr_expect_eq(last[0], last[1]);
    cr_expect_eq(last[1], UINT64_C(5) * 86400 * 1000);
    free(output.text);
}

/* Share of the buyers among the active of a kind who were (1) and were not (0) reached. */
static void count_kinds(const struct shoal_shoppers_options *options, double rates[4][2], size_t kinds[4])
{
    enum { USERS = 6000 };
    static char reached[USERS], bought[USERS], active[USERS];
    struct output output = generate(options), truth = {0};
    double users[4][2] = {{0}}, buyers[4][2] = {{0}};
    const char *at = output.text;
    struct line line;

    cr_assert_leq(options->users, USERS);
    while (read_line(&at, &line)) {
        active[line.user] = 1;
        reached[line.user] |= strstr(line.rest, "\"shown\"") != NULL;
        bought[line.user] |= strcmp(line.behavior, "buy") == 0;
    }
    FILE *stream = open_memstream(&truth.text, &truth.bytes);
    cr_assert_eq(shoal_shoppers_write_kinds(options, stream), 0);
    cr_assert_eq(fclose(stream), 0);
    at = strchr(truth.text, '\n') + 1;
    for (size_t user = 0; user < options->users; user++) {
        int kind = 0;
        while (kind < 3 && strncmp(strchr(at, ',') + 1, shoal_shopper_kind_name((enum shoal_shopper_kind)kind), 4) != 0)
            kind++;
        kinds[kind]++;
        users[kind][(int)reached[user]] += active[user];
        buyers[kind][(int)reached[user]] += active[user] && bought[user];
        at = strchr(at, '\n') + 1;
    }
    for (int kind = 0; kind < 4; kind++)
        for (int arm = 0; arm < 2; arm++)
            rates[kind][arm] = buyers[kind][arm] / users[kind][arm];
    free(output.text);
    free(truth.text);
}

Test(shoppers, contacts_do_to_each_kind_what_its_name_says)
{
    struct shoal_shoppers_options options = small_shop(6000, 2); /* one campaign */
    double rates[4][2];
    size_t kinds[4] = {0};

    options.kinds = true;
    count_kinds(&options, rates, kinds);
    for (int kind = 0; kind < 4; kind++)
        cr_expect_gt(kinds[kind], 500, "kind %d: %zu", kind, kinds[kind]);
    double persuaded = rates[SHOAL_SHOPPER_PERSUADABLE][1] - rates[SHOAL_SHOPPER_PERSUADABLE][0];
    cr_expect_gt(persuaded, 0.1, "%.3f", persuaded);
    cr_expect_lt(fabs(rates[SHOAL_SHOPPER_SURE][1] - rates[SHOAL_SHOPPER_SURE][0]), 0.06);
    cr_expect_gt(rates[SHOAL_SHOPPER_SURE][0], rates[SHOAL_SHOPPER_LOST][0] + 0.1);
    cr_expect_lt(fabs(rates[SHOAL_SHOPPER_LOST][1] - rates[SHOAL_SHOPPER_LOST][0]), 0.06);
    cr_expect_lt(rates[SHOAL_SHOPPER_DISTURBED][1], rates[SHOAL_SHOPPER_DISTURBED][0] + 0.02);
}

Test(shoppers, kinds_are_told_only_of_a_shop_that_has_them)
{
    struct shoal_shoppers_options options = small_shop(10, 1);
    cr_expect_eq(shoal_shoppers_write_kinds(&options, stdout), EINVAL);
}

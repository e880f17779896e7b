/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One synthetic shopper: what it does next, and when.
 *
 *               a session begins,                 the run is over,
 *               with a mission                    the item chosen
 *     BROWSING ───────────────────► CONSIDERING ──────────────────► WAITING
 *        ▲            a run of new items of one category,              │ hours later:
 *        │            a return to the first, a cart, a save            │ sees it again
 *        └─────────────────────────────────────────────────────────────┘ and buys, or not
 *
 * About two thirds of the purchases come by this way. The rest are made on impulse while
 * browsing, or because a campaign reached somebody who can be persuaded.
 *
 * Two missions in three are earnest and end in a purchase unless the item is too dear; the others
 * are day-dreams. Both are made of the same kinds of events in about the same numbers, so that
 * counters, however fine, tell them apart badly; the difference is in the order:
 *
 *     earnest      A B C (D) A  save? cart?  ... A first in a session ...  A buy
 *     day-dream    A B A  cart? save?  C (D) ... A last in a session  ...  A
 *
 * that is, a comparison and then the return, against the return before the comparison; saved
 * before it is carted, against carted and then put off; come back for it, against seen again in
 * passing. The intent lasts for hours and many unrelated events, so it has to be remembered. How
 * often somebody buys, how long ago the mission was and how dear the item is matter as well, and
 * counters see those.
 *
 * Rates are fitted to nine days of 825 users of the public Taobao UserBehavior set.
 */
#include "tools/shopper_hours.h"

#include <stddef.h>
#include <string.h>

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define CAMPAIGN_MS (2 * DAY_MS)
#define GONE_MS SHOAL_SHOPPER_GONE_MS

enum intent {
    BROWSING,
    CONSIDERING,
    WAITING,
};

static uint32_t lognormal_ppm(struct shoal_random *random, uint32_t median_ppm, int64_t sigma_milli)
{
    int64_t ppm = shoal_random_lognormal(random, median_ppm, sigma_milli);

    return (uint32_t)(ppm < 500000 ? ppm : 500000);
}

/* One session can bring on the next (self-excitement), and so does a choice. */
static int64_t next_session(struct shoal_shopper *shopper, const struct shoal_shop *shop,
                            int64_t now_ms)
{
    int64_t next_ms = shoal_shopper_arrival(shopper, now_ms + 31 * MINUTE_MS, shop->end_ms);

    if (shoal_random_chance_ppm(&shopper->random, 140000)) {
        int64_t delay_ms = shoal_random_lognormal(&shopper->random, 90 * MINUTE_MS, 900);
        int64_t again_ms = shoal_shopper_awake(shopper, now_ms + 31 * MINUTE_MS + delay_ms);
        next_ms = again_ms < next_ms ? again_ms : next_ms;
    }
    if (shopper->intent == WAITING && shoal_random_chance_ppm(&shopper->random, 800000)) {
        int64_t decide_ms = now_ms + 31 * MINUTE_MS;
        if (shopper->decide_ms > decide_ms)
            decide_ms = shopper->decide_ms;
        decide_ms = shoal_shopper_awake(shopper, decide_ms);
        next_ms = decide_ms < next_ms ? decide_ms : next_ms;
    }
    return next_ms;
}

static void init_habits(struct shoal_shopper *shopper, const struct shoal_shop *shop)
{
    struct shoal_random *random = &shopper->random;
    uint32_t rhythm = shoal_random_below(random, 100);
    int64_t rate_q16 = shoal_random_lognormal(random, SHOAL_Q16_ONE * 142 / 100, 680);
    int64_t length = shoal_random_lognormal(random, 1000, 420);
    int64_t sensitivity_q16 = shoal_random_lognormal(random, SHOAL_Q16_ONE * 8 / 10, 600);
    uint32_t persuadable_ppm;

    shopper->rhythm = rhythm < 40 ? 0 : rhythm < 85 ? 1 : 2;
    shopper->sessions_per_day_q16 =
        (uint32_t)(rate_q16 < 20 * SHOAL_Q16_ONE ? rate_q16 : 20 * SHOAL_Q16_ONE);
    shopper->session_length_milli = (uint32_t)(length < 5000 ? length : 5000);
    shopper->mission_ppm = lognormal_ppm(random, 200000, 600);
    shopper->cart_ppm = lognormal_ppm(random, 44000, 800);
    shopper->fav_ppm = lognormal_ppm(random, 15000, 1000);
    shopper->impulse_ppm = lognormal_ppm(random, 2400, 900);
    shopper->price_sensitivity_q16 =
        (uint32_t)(sensitivity_q16 < 3 * SHOAL_Q16_ONE ? sensitivity_q16 : 3 * SHOAL_Q16_ONE);
    /* who minds the price can be persuaded more often, so habits tell who to contact */
    persuadable_ppm = shopper->price_sensitivity_q16 > SHOAL_Q16_ONE * 8 / 10 ? 500000 : 100000;
    shopper->persuadable = shoal_random_chance_ppm(random, persuadable_ppm);
    for (int slot = 0; slot < SHOAL_SHOPPER_FAVOURITES; slot++)
        shopper->favourites[slot] = shoal_catalogue_draw_category(shop->catalogue, random);
}

const char *shoal_shopper_kind_name(enum shoal_shopper_kind kind)
{
    static const char *const names[] = {"persuadable", "sure_thing", "lost_cause", "do_not_disturb"};

    return names[kind];
}

/* From a generator of its own, so that a shopper's life is the same without kinds until the first campaign. Who
 * minds the price can be persuaded, who saves much buys anyway, who does neither would rather be left alone. */
static void init_kind(struct shoal_shopper *shopper, const struct shoal_shop *shop, uint64_t number)
{
    struct shoal_random random = shoal_random_stream(shop->seed, (UINT64_C(5) << 40) + number);
    enum shoal_shopper_kind likely = shopper->cart_ppm > 60000 ? SHOAL_SHOPPER_SURE
                                     : shopper->price_sensitivity_q16 > SHOAL_Q16_ONE * 8 / 10
                                         ? SHOAL_SHOPPER_PERSUADABLE
                                     : shopper->cart_ppm > 30000 ? SHOAL_SHOPPER_LOST
                                                                 : SHOAL_SHOPPER_DISTURBED;

    shopper->kind = shoal_random_chance_ppm(&random, 700000)
                        ? likely
                        : (enum shoal_shopper_kind)shoal_random_below(&random, 4);
}

void shoal_shopper_init(struct shoal_shopper *shopper, const struct shoal_shop *shop,
                        uint64_t number)
{
    int64_t arrival_ms = shop->start_ms;
    uint32_t span_s = (uint32_t)((shop->end_ms - shop->start_ms) / SECOND_MS);

    memset(shopper, 0, sizeof(*shopper));
    shopper->random = shoal_random_stream(shop->seed, number);
    shopper->stop_ms = shop->end_ms;
    init_habits(shopper, shop);
    if (shop->kinds)
        init_kind(shopper, shop, number);
    if (shoal_random_chance_ppm(&shopper->random, 150000)) /* comes late */
        arrival_ms += SECOND_MS * shoal_random_below(&shopper->random, span_s);
    if (shoal_random_chance_ppm(&shopper->random, 70000)) { /* stops early */
        uint32_t left_s = (uint32_t)((shop->end_ms - arrival_ms) / SECOND_MS);
        shopper->stop_ms = arrival_ms + SECOND_MS * shoal_random_below(&shopper->random, left_s);
    }
    shopper->next_ms = shoal_shopper_arrival(shopper, arrival_ms, shop->end_ms);
    if (shopper->next_ms >= shopper->stop_ms)
        shopper->next_ms = GONE_MS;
}

struct shoal_shop_campaign shoal_shop_campaign_at(const struct shoal_shop *shop, int64_t time_ms)
{
    int64_t index = (time_ms - shop->start_ms) / CAMPAIGN_MS;
    struct shoal_random random =
        shoal_random_stream(shop->seed, (UINT64_C(3) << 40) + (uint64_t)index);
    uint32_t category = shoal_catalogue_draw_category(shop->catalogue, &random);

    return (struct shoal_shop_campaign){
        .number = (uint32_t)index + 1,
        .item = shoal_catalogue_draw_item(shop->catalogue, category, &random),
    };
}

static void push_pending(struct shoal_shopper *shopper, enum shoal_shopper_action action)
{
    if (shopper->pending_count < SHOAL_SHOPPER_PENDING)
        shopper->pending[shopper->pending_count++] = (uint8_t)action;
}

static enum shoal_shopper_action pop_pending(struct shoal_shopper *shopper)
{
    enum shoal_shopper_action action = (enum shoal_shopper_action)shopper->pending[0];

    shopper->pending_count--;
    memmove(shopper->pending, shopper->pending + 1, shopper->pending_count);
    return action;
}

static void remember(struct shoal_shopper *shopper, uint32_t item)
{
    uint32_t slot = shopper->recent_count;

    for (uint32_t i = 0; i < shopper->recent_count; i++) {
        if (shopper->recent[i] == item)
            return;
    }
    if (slot < SHOAL_SHOPPER_RECENT)
        shopper->recent_count++;
    else /* forget at random: some items stay for days */
        slot = shoal_random_below(&shopper->random, SHOAL_SHOPPER_RECENT);
    shopper->recent[slot] = item;
}

static uint32_t draw_category(struct shoal_shopper *shopper, const struct shoal_shop *shop)
{
    uint32_t slot = 0;

    if (shoal_random_chance_ppm(&shopper->random, 440000))
        return shoal_catalogue_draw_category(shop->catalogue, &shopper->random);
    while (shoal_random_chance_ppm(&shopper->random, 680000))
        slot++;
    return shopper->favourites[slot % SHOAL_SHOPPER_FAVOURITES];
}

/* A new item of a category; who minds the price looks at two and takes the cheaper. */
static uint32_t draw_item(struct shoal_shopper *shopper, const struct shoal_shop *shop,
                          uint32_t category)
{
    uint32_t item = shoal_catalogue_draw_item(shop->catalogue, category, &shopper->random);

    if (shoal_random_below(&shopper->random, 2 * SHOAL_Q16_ONE) < shopper->price_sensitivity_q16) {
        uint32_t other = shoal_catalogue_draw_item(shop->catalogue, category, &shopper->random);
        if (shoal_catalogue_price_level_q16(shop->catalogue, other) <
            shoal_catalogue_price_level_q16(shop->catalogue, item))
            item = other;
    }
    return item;
}

/* The chance that this price does not put the shopper off. */
static bool price_is_right(struct shoal_shopper *shopper, const struct shoal_shop *shop,
                           uint32_t item, uint32_t at_typical_price_ppm)
{
    int64_t level_q16 = shoal_catalogue_price_level_q16(shop->catalogue, item);
    int64_t exponent_q16 = -((level_q16 * shopper->price_sensitivity_q16) >> 16);
    int64_t ppm = (at_typical_price_ppm * shoal_exp2_q16(exponent_q16)) >> 16;

    return shoal_random_chance_ppm(&shopper->random, (uint32_t)(ppm < 950000 ? ppm : 950000));
}

/* Chosen: what becomes of it shows within hours, at most a day or so. */
static void choose(struct shoal_shopper *shopper, int64_t now_ms, uint32_t item, bool earnest)
{
    int64_t delay_ms = shoal_random_lognormal(&shopper->random, 5 * HOUR_MS, 1000);

    if (delay_ms > 30 * HOUR_MS)
        delay_ms = 30 * HOUR_MS;
    shopper->intent = WAITING;
    shopper->earnest = earnest;
    shopper->chosen = item;
    shopper->decide_ms = now_ms + delay_ms;
    shopper->give_up_ms = shopper->decide_ms + 36 * HOUR_MS;
}

static void give_up(struct shoal_shopper *shopper)
{
    shopper->intent = BROWSING;
    shopper->shortlist_count = 0;
    shopper->leave_category = true;
}

/* Back at the item that was seen first: perhaps saves it, perhaps carts it. */
static uint32_t return_to_first(struct shoal_shopper *shopper)
{
    uint32_t percent = shoal_random_below(&shopper->random, 100);
    bool cart = percent < 65;
    bool save = percent < 45;

    shopper->returned = true;
    shopper->pending_item = shopper->shortlist[0];
    if (save && shopper->earnest)
        push_pending(shopper, SHOAL_SHOPPER_FAV);
    if (cart)
        push_pending(shopper, SHOAL_SHOPPER_CART);
    if (save && !shopper->earnest)
        push_pending(shopper, SHOAL_SHOPPER_FAV);
    return shopper->shortlist[0];
}

static uint32_t browse(struct shoal_shopper *shopper, const struct shoal_shop *shop)
{
    bool stay = !shopper->leave_category && shoal_random_chance_ppm(&shopper->random, 330000);
    uint32_t item;

    shopper->leave_category = false;
    if (shopper->recent_count > 0 && shoal_random_chance_ppm(&shopper->random, 60000))
        item = shopper->recent[shoal_random_below(&shopper->random, shopper->recent_count)];
    else
        item = draw_item(shopper, shop, stay ? shopper->category : draw_category(shopper, shop));
    shopper->pending_item = item;
    if (shoal_random_chance_ppm(&shopper->random, shopper->cart_ppm)) {
        push_pending(shopper, SHOAL_SHOPPER_CART);
        shopper->leave_category = shoal_random_chance_ppm(&shopper->random, 700000);
    }
    if (shoal_random_chance_ppm(&shopper->random, shopper->fav_ppm))
        push_pending(shopper, SHOAL_SHOPPER_FAV);
    if (price_is_right(shopper, shop, item, shopper->impulse_ppm))
        push_pending(shopper, SHOAL_SHOPPER_BUY);
    return item;
}

static uint32_t consider(struct shoal_shopper *shopper, const struct shoal_shop *shop,
                         int64_t now_ms)
{
    uint32_t first = shopper->shortlist[0];
    uint32_t item;

    if (shoal_random_chance_ppm(&shopper->random, 100000))
        return browse(shopper, shop);
    if (!shopper->earnest && !shopper->returned && shopper->shortlist_count == 2)
        return return_to_first(shopper);
    if (shopper->earnest && shopper->shortlist_count >= shopper->shortlist_target) {
        bool affordable = price_is_right(shopper, shop, first, 880000);
        item = return_to_first(shopper);
        choose(shopper, now_ms, first, affordable);
        return item;
    }
    item = draw_item(shopper, shop, shopper->mission_category);
    shopper->shortlist[shopper->shortlist_count++] = item;
    if (!shopper->earnest && shopper->shortlist_count >= shopper->shortlist_target)
        choose(shopper, now_ms, first, false);
    return item;
}

/* The time between the choice and what becomes of it. */
static uint32_t bide(struct shoal_shopper *shopper, const struct shoal_shop *shop, int64_t now_ms)
{
    uint32_t chosen = shopper->chosen;

    if (now_ms >= shopper->decide_ms && shoal_random_chance_ppm(&shopper->random, 600000)) {
        shopper->pending_item = chosen;
        if (shopper->earnest)
            push_pending(shopper, SHOAL_SHOPPER_BUY);
        else
            give_up(shopper);
        return chosen;
    }
    if (shopper->earnest ? shopper->session_fresh : shopper->session_left == 1)
        return chosen;
    if (shoal_random_chance_ppm(&shopper->random, 200000))
        return draw_item(shopper, shop, shoal_catalogue_category_of(shop->catalogue, chosen));
    return browse(shopper, shop);
}

/* What a campaign does to a shopper of a kind, contacted or not. */
static void respond(struct shoal_shopper *shopper, int64_t now_ms, uint32_t item, bool contacted)
{
    bool buys = shopper->kind == SHOAL_SHOPPER_SURE ||
                (shopper->kind == SHOAL_SHOPPER_PERSUADABLE && contacted);

    if (buys && shopper->intent != WAITING && shoal_random_chance_ppm(&shopper->random, 600000)) {
        choose(shopper, now_ms, item, true);
        shopper->decide_ms = now_ms + HOUR_MS;
    }
    if (shopper->kind == SHOAL_SHOPPER_DISTURBED && contacted && shopper->intent != BROWSING)
        give_up(shopper);
}

/* Half of those who come while a campaign runs are shown it, by the toss of a coin. */
static void meet_campaign(struct shoal_shopper *shopper, const struct shoal_shop *shop,
                          int64_t now_ms)
{
    struct shoal_shop_campaign campaign = shoal_shop_campaign_at(shop, now_ms);

    if (campaign.number == shopper->promotion_seen)
        return;
    shopper->promotion_seen = campaign.number;
    bool contacted = shoal_random_chance_ppm(&shopper->random, 500000);
    if (shop->kinds)
        respond(shopper, now_ms, campaign.item, contacted);
    if (!contacted)
        return;
    shopper->promotion = campaign.number;
    shopper->pending_item = campaign.item;
    push_pending(shopper, SHOAL_SHOPPER_SHOWN);
    if (shoal_random_chance_ppm(&shopper->random, shopper->persuadable ? 350000 : 150000))
        push_pending(shopper, SHOAL_SHOPPER_CLICKED);
    if (!shop->kinds && shopper->persuadable && shopper->intent != WAITING &&
        shoal_random_chance_ppm(&shopper->random, 350000))
        choose(shopper, now_ms, campaign.item, true);
}

static void begin_session(struct shoal_shopper *shopper, const struct shoal_shop *shop,
                          int64_t now_ms)
{
    int64_t median_milli = (int64_t)shopper->session_length_milli * 32 / 10;
    int64_t length = (shoal_random_lognormal(&shopper->random, median_milli, 1000) + 500) / 1000;

    shopper->session_left = (uint16_t)(length < 1 ? 1 : length < 200 ? length : 200);
    shopper->category = draw_category(shopper, shop);
    shopper->leave_category = false;
    shopper->session_fresh = true;
    if (shopper->intent != BROWSING && now_ms > shopper->give_up_ms)
        give_up(shopper);
    if (shopper->intent == BROWSING &&
        shoal_random_chance_ppm(&shopper->random, shopper->mission_ppm)) {
        shopper->intent = CONSIDERING;
        shopper->mission_category = draw_category(shopper, shop);
        shopper->shortlist_count = 0;
        shopper->shortlist_target =
            shoal_random_chance_ppm(&shopper->random, 400000) ? SHOAL_SHOPPER_SHORTLIST : 3;
        shopper->earnest = shoal_random_chance_ppm(&shopper->random, 650000);
        shopper->returned = false;
        shopper->give_up_ms = now_ms + 3 * DAY_MS;
    }
    if (shop->campaigns)
        meet_campaign(shopper, shop, now_ms);
}

/* A purchase ends the mission; often something that goes with it is bought at once. */
static void bought(struct shoal_shopper *shopper, const struct shoal_shop *shop,
                   const struct shoal_shopper_event *event)
{
    if (shopper->intent == WAITING && event->item != shopper->chosen)
        return; /* on impulse, while another purchase is still to come */
    if (shopper->intent == WAITING)
        give_up(shopper);
    if (!shoal_random_chance_ppm(&shopper->random, 250000))
        return;
    choose(shopper, event->time_ms, draw_item(shopper, shop, event->category), true);
    shopper->decide_ms = event->time_ms;
}

static void fill_event(struct shoal_shopper *shopper, const struct shoal_shop *shop,
                       enum shoal_shopper_action action, uint32_t item,
                       struct shoal_shopper_event *event)
{
    *event = (struct shoal_shopper_event){
        .time_ms = shopper->next_ms,
        .item = item,
        .category = shoal_catalogue_category_of(shop->catalogue, item),
        .price_cents = shoal_catalogue_price_cents(shop->catalogue, item),
        .action = action,
    };
    if (action == SHOAL_SHOPPER_SHOWN || action == SHOAL_SHOPPER_CLICKED)
        event->promotion = shopper->promotion;
    if (action != SHOAL_SHOPPER_BUY)
        return;
    event->quantity = 1;
    while (event->quantity < 5 && shoal_random_chance_ppm(&shopper->random, 120000))
        event->quantity++;
    if (shop->campaigns && shopper->promotion != 0) {
        struct shoal_shop_campaign campaign = shoal_shop_campaign_at(shop, event->time_ms);
        if (campaign.number == shopper->promotion &&
            shoal_catalogue_category_of(shop->catalogue, campaign.item) == event->category)
            event->promotion = campaign.number;
    }
}

static void schedule(struct shoal_shopper *shopper, const struct shoal_shop *shop)
{
    if (shopper->session_left > 0 || shopper->pending_count > 0) {
        int64_t median_ms = shopper->pending_count > 0 ? 30 * SECOND_MS : 58 * SECOND_MS;
        int64_t gap_ms = shoal_random_lognormal(&shopper->random, median_ms, 1330);
        shopper->next_ms += 1 + (gap_ms < 29 * MINUTE_MS ? gap_ms : 29 * MINUTE_MS);
    } else {
        shopper->next_ms = next_session(shopper, shop, shopper->next_ms);
    }
    if (shopper->next_ms >= shopper->stop_ms)
        shopper->next_ms = GONE_MS;
}

void shoal_shopper_step(struct shoal_shopper *shopper, const struct shoal_shop *shop,
                        struct shoal_shopper_event *event)
{
    enum shoal_shopper_action action = SHOAL_SHOPPER_VIEW;
    int64_t now_ms = shopper->next_ms;
    uint32_t item;

    if (shopper->session_left == 0 && shopper->pending_count == 0)
        begin_session(shopper, shop, now_ms);
    if (shopper->pending_count > 0) {
        action = pop_pending(shopper);
        item = shopper->pending_item;
    } else if (shopper->intent == WAITING) {
        item = bide(shopper, shop, now_ms);
    } else if (shopper->intent == CONSIDERING) {
        item = consider(shopper, shop, now_ms);
    } else {
        item = browse(shopper, shop);
    }
    if (shopper->session_left > 0)
        shopper->session_left--;
    shopper->session_fresh = false;
    fill_event(shopper, shop, action, item, event);
    shopper->category = event->category;
    remember(shopper, item);
    if (action == SHOAL_SHOPPER_BUY)
        bought(shopper, shop, event);
    schedule(shopper, shop);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/event.h"
#include "stream/policy.h"

static struct shoal_policy *policy;
static struct shoal_message message;

static enum shoal_status parse(const char *yaml)
{
    message.text[0] = '\0';
    return shoal_policy_parse(yaml, strlen(yaml), "p.yaml", &policy, &message);
}

static void refused(const char *yaml, const char *reason)
{
    cr_assert_eq(parse(yaml), SHOAL_CONFIG, "accepted: %s", yaml);
    cr_assert_null(policy);
    cr_assert(strstr(message.text, reason), "wanted: %s\ngot: %s", reason, message.text);
}

/* A promotion "a" with one more line. */
static void line_refused(const char *line, const char *reason)
{
    char yaml[512];
    snprintf(yaml, sizeof yaml, "promotions:\n  - id: a\n    %s\n", line);
    refused(yaml, reason);
    cr_assert(strstr(message.text, "p.yaml:3: "), "no line: %s", message.text);
}

Test(policy, every_key_is_read)
{
    cr_assert_eq(parse("promotions:\n"
                       "  - id: checkout-reminder\n"
                       "    triggers: [cart, view]\n"
                       "    segments: {intent: [warm, hot], lifecycle: returning}\n"
                       "    score: {min: 0.2, max: 0.9}\n"
                       "    cooldown: 1d\n"
                       "    limit: 3\n"
                       "    valid: {from: 2017-11-01T00:00:00Z, until: 2017-12-01T00:00:00+08:00}\n"
                       "    offer: 30m\n"
                       "    control: 25%\n"),
                 SHOAL_OK, "%s", message.text);
    cr_assert_eq(policy->count, 1);
    const struct shoal_promotion *p = policy->promotions;
    cr_assert_str_eq(p->id, "checkout-reminder");
    cr_assert_eq(p->hash, shoal_promotion_hash("checkout-reminder", 17));
    cr_assert_eq(p->triggers, 1u << SHOAL_CART | 1u << SHOAL_PV);
    cr_assert_eq(p->levels[SHOAL_INTENT].bits[0], 1u << SHOAL_WARM | 1u << SHOAL_HOT);
    cr_assert_eq(p->levels[SHOAL_LIFECYCLE].bits[0], 1u << SHOAL_RETURNING);
    cr_assert_eq(p->min_score, 0.2f);
    cr_assert_eq(p->max_score, 0.9f);
    cr_assert_eq(p->cooldown_ms, 86400000);
    cr_assert_eq(p->limit, 3);
    cr_assert_eq(p->valid_from_ms, INT64_C(1509494400000));
    cr_assert_eq(p->valid_until_ms, INT64_C(1512057600000));
    cr_assert_eq(p->offer_ms, 1800000);
    cr_assert_eq(p->control, 0.25f);
    cr_assert_eq(strlen(policy->version), 16);
    shoal_policy_destroy(policy);
}

Test(policy, what_is_left_out_has_a_default)
{
    cr_assert_eq(parse("promotions:\n- id: a\n- {id: b, triggers: []}\n"), SHOAL_OK, "%s",
                 message.text);
    cr_assert_eq(policy->count, 2);
    const struct shoal_promotion *p = policy->promotions;
    cr_assert_eq(p->triggers, 0);
    cr_assert_not(shoal_levels_any(&p->levels[0]));
    cr_assert_eq(p->min_score, 0);
    cr_assert_eq(p->max_score, 1);
    cr_assert_eq(p->cooldown_ms, 0);
    cr_assert_eq(p->limit, 0);
    cr_assert_eq(p->valid_from_ms, INT64_MIN);
    cr_assert_eq(p->valid_until_ms, INT64_MAX);
    cr_assert_eq(p->offer_ms, 3600000);
    cr_assert_eq(p->control, 0.1f);
    shoal_policy_destroy(policy);
}

Test(policy, a_file_without_promotions_is_an_empty_policy)
{
    const char *empty[] = {"", "promotions:\n", "promotions: []\n"};
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(parse(empty[i]), SHOAL_OK, "%s", message.text);
        cr_assert_eq(policy->count, 0);
        shoal_policy_destroy(policy);
    }
}

Test(policy, unknown_names_are_refused_with_the_nearest_known)
{
    refused("promotion:\n- id: a\n",
            "p.yaml:1: unknown key 'promotion' (did you mean 'promotions'?)");
    line_refused("cooldwon: 1d", "unknown key 'cooldwon' (did you mean 'cooldown'?)");
    line_refused("triggers: [crat]", "unknown behaviour or timer 'crat' (did you mean 'cart'?)");
    line_refused("segments: {intend: [hot]}",
                 "unknown segment dimension 'intend' (did you mean 'intent'?)");
    line_refused("segments: {intent: [warmer]}", "unknown level 'warmer' (did you mean 'warm'?)");
    line_refused("segments: {intent: [new]}", "unknown level 'new'");
    line_refused("score: {minimum: 0.2}", "unknown key 'minimum'");
}

Test(policy, ill_typed_values_say_what_is_expected)
{
    line_refused("cooldown: 3600", "cooldown: '3600' is not a duration with its unit");
    line_refused("cooldown: [1d]", "a duration with its unit");
    line_refused("offer: 0", "out of range");
    line_refused("offer: 4000d", "out of range");
    line_refused("limit: many", "limit: 'many' is not a number of offers");
    line_refused("limit: -1", "is not a number of offers");
    line_refused("limit: 65535", "is not a number of offers");
    line_refused("score: 0.5", "is not a map");
    line_refused("score: {min: 1.5}", "is not a probability from 0 to 1");
    line_refused("control: 60%", "is not a share of users from 0% to 50%");
    line_refused("control: 0.6", "is not a share of users");
    line_refused("valid: {from: yesterday}", "is not a time, for example");
    line_refused("segments: {intent: []}", "a list of one or more names is expected");
    line_refused("segments: [hot]", "a map of dimensions and levels is expected, not a list");
    line_refused("triggers: {cart: 1}", "a list of one or more names is expected");
}

Test(policy, contradictions_are_refused)
{
    line_refused("score: {min: 0.5, max: 0.4}", "min is above max");
    line_refused("valid: {from: 2017-12-01, until: 2017-12-01}", "the window is empty");
    refused("promotions:\n- id: a\n- id: b\n- id: a\n",
            "p.yaml:4: promotion 'a' stands here twice");
    refused("promotions:\n- limit: 1\n", "p.yaml:2: a promotion needs an id");
    refused("promotions: 5\n", "a list of promotions");
    refused("promotions:\n- hello\n", "p.yaml:2: 'hello' is not a map of keys and values");
}

static void warned(const char *yaml, int line, const char *reason)
{
    cr_assert_eq(parse(yaml), SHOAL_OK, "%s", message.text);
    cr_assert_eq(policy->warnings_count, 1, "%zu warnings for: %s", policy->warnings_count, yaml);
    cr_assert_eq(policy->warnings[0].line, line, "line %d", policy->warnings[0].line);
    cr_assert(strstr(policy->warnings[0].text, reason), "wanted: %s\ngot: %s", reason,
              policy->warnings[0].text);
    shoal_policy_destroy(policy);
}

Test(policy, every_key_of_an_offers_terms_is_read)
{
    cr_assert_eq(parse("promotions:\n"
                       "  - id: a\n"
                       "    triggers: [cart, cart_idle]\n"
                       "    enters: {lifecycle: [lapsing, inactive], night_active: no}\n"
                       "    kind: member_reward\n"
                       "    segments: {price_sensitive: yes, cluster: [c1, c255]}\n"
                       "    prompted: {min: 0.25}\n"
                       "    requires: [marketing, personalization]\n"
                       "    budget: 1000\n"
                       "    priority: -3\n"
                       "    group: discounts\n"
                       "    active_hours: {from: 09:00, until: 24:00}\n"
                       "  - {id: b, group: discounts, quiet: {from: 01:30, until: 02:00}}\n"
                       "  - {id: c, group: discounts, quiet: none, active_hours: yes, priority: 5}\n"
                       "quiet: {from: 22:00, until: 8:00}\n"
                       "timezone: \"-03:30\"\n"),
                 SHOAL_OK, "%s", message.text);
    cr_assert_eq(policy->warnings_count, 0);
    cr_assert_eq(policy->utc_offset_ms, -(3 * 60 + 30) * 60000);
    const struct shoal_promotion *p = policy->promotions;
    cr_assert_eq(p->kind, SHOAL_KIND_MEMBER_REWARD);
    cr_assert_eq(p->triggers, 1u << SHOAL_CART);
    cr_assert_eq(p->timers, 1u << SHOAL_TIMER_CART);
    cr_assert_eq(p->enters[SHOAL_LIFECYCLE].bits[0],
                 1u << SHOAL_LAPSING | 1u << SHOAL_LIFECYCLE_INACTIVE);
    cr_assert_eq(p->enters[SHOAL_NIGHT_ACTIVE].bits[0], 1);
    cr_assert_eq(p->levels[SHOAL_PRICE_SENSITIVE].bits[0], 1u << SHOAL_YES);
    cr_assert(shoal_levels_has(&p->levels[SHOAL_CLUSTER], 255));
    cr_assert_eq(p->min_prompted, 0.25f);
    cr_assert_eq(p->consents, SHOAL_CONSENT_MARKETING | SHOAL_CONSENT_PERSONALIZATION);
    cr_assert_eq(p->budget, 1000);
    cr_assert_eq(p->priority, -3);
    cr_assert_str_eq(p->group, "discounts");
    cr_assert(p->active_hours && p->usual.from_min == 540 && p->usual.until_min == 1440);
    cr_assert(p->quiet.from_min == 22 * 60 && p->quiet.until_min == 8 * 60, "that of the file");
    cr_assert(p[1].quiet.from_min == 90 && p[1].quiet.until_min == 120);
    cr_assert_not(shoal_hours_any(&p[2].quiet));
    cr_assert(policy->wants_prompted && policy->has_budgets);
    cr_assert_eq(policy->order[0], 2);
    cr_assert_eq(policy->order[1], 1);
    cr_assert_eq(policy->order[2], 0);
    cr_assert_eq(policy->peers[0], 6);
    cr_assert_eq(policy->always, 6);
    cr_assert_eq(policy->by_behavior[SHOAL_CART], 1);
    cr_assert_eq(policy->by_timer[SHOAL_TIMER_CART], 1);
    cr_assert_eq(policy->by_entry[SHOAL_NIGHT_ACTIVE], 1);
    shoal_policy_destroy(policy);
}

Test(policy, a_kind_brings_defaults_that_keys_replace)
{
    cr_assert_eq(parse("promotions:\n"
                       "- {id: a, kind: checkout_reminder}\n"
                       "- {id: b, kind: social}\n"
                       "- {id: c, kind: checkout_reminder, triggers: [buy], offer: 5m, cooldown: 0}\n"
                       "- {id: d, kind: social, enters: {lifecycle: active}}\n"
                       "- {id: e, kind: checkout_reminder, triggers: []}\n"),
                 SHOAL_OK, "%s", message.text);
    const struct shoal_promotion *p = policy->promotions;
    cr_assert(p[0].triggers == 0 && p[0].timers == 1u << SHOAL_TIMER_CART);
    cr_assert(p[0].offer_ms == 86400000 && p[0].cooldown_ms == 86400000);
    cr_assert(p[1].triggers == 1u << SHOAL_BUY && p[1].cooldown_ms == 7 * INT64_C(86400000));
    cr_assert(p[2].triggers == 1u << SHOAL_BUY && p[2].timers == 0);
    cr_assert(p[2].offer_ms == 300000 && p[2].cooldown_ms == 0);
    cr_assert_eq(p[3].triggers, 0, "what it enters replaces the trigger of its kind");
    cr_assert_eq(policy->always, 1u << 4);
    shoal_policy_destroy(policy);
}

Test(policy, ill_typed_terms_say_what_is_expected)
{
    line_refused("kind: recomendation", "unknown kind 'recomendation' (did you mean 'recommendation'?)");
    line_refused("requires: [marketin]", "unknown consent 'marketin' (did you mean 'marketing'?)");
    line_refused("triggers: [cart_idel]", "(did you mean 'cart_idle'?)");
    line_refused("enters: {lifecycle: [lapsed]}", "unknown level 'lapsed'");
    line_refused("enters: {lifecicle: [lapsing]}", "(did you mean 'lifecycle'?)");
    line_refused("segments: {intent: [no]}", "unknown level 'no'");
    line_refused("segments: {cluster: [c256]}", "unknown level 'c256'");
    line_refused("prompted: 0.3", "is not a map");
    line_refused("prompted: {min: 2}", "is not a probability");
    line_refused("budget: 1.5", "is not a number of offers a day");
    line_refused("budget: -1", "is not a number of offers a day");
    line_refused("priority: high", "is not a whole number");
    line_refused("group: ''", "a name of 1 to 64 bytes");
    line_refused("quiet: {from: 22, until: 08:00}", "is not a time of day");
    line_refused("quiet: {from: 22:00, until: 24:01}", "is not a time of day");
    line_refused("quiet: {from: 22:00}", "both 'from' and 'until' are needed");
    line_refused("quiet: yes", "is not hours, for example");
    line_refused("active_hours: perhaps", "is not yes, no, or hours");
    refused("timezone: Europe/Berlin\n", "p.yaml:1: timezone: 'Europe/Berlin' is not an offset");
    refused("timezone: \"+15:00\"\n", "is not an offset");
    refused("quiet: {from: 1:00, untill: 2:00}\n", "(did you mean 'until'?)");
}

Test(policy, what_can_never_happen_is_refused)
{
    line_refused("budget: 0", "with 0 offers a day nobody is ever offered anything");
    line_refused("quiet: {from: 00:00, until: 24:00}", "the whole day, or nothing of it");
    line_refused("quiet: {from: 08:00, until: 08:00}", "the whole day, or nothing of it");
    refused("promotions:\n"
            "- id: a\n"
            "  active_hours: {from: 09:00, until: 11:00}\n"
            "  quiet: {from: 08:30, until: 11:00}\n",
            "p.yaml:3: active_hours: the quiet hours cover them entirely");
    refused("timezone: \"+08:00\"\n"
            "quiet: {from: 22:00, until: 08:00}\n"
            "promotions:\n"
            "- id: a\n"
            "  valid: {from: 2025-03-01T15:00:00Z, until: 2025-03-01T23:30:00Z}\n",
            "p.yaml:5: valid: the window lies in the quiet hours entirely");
    refused("promotions:\n"
            "- id: a\n"
            "  segments: {lifecycle: [active, new]}\n"
            "  enters:\n"
            "    lifecycle: lapsing\n",
            "p.yaml:5: lifecycle: who enters it here is in no level that line 3 accepts");
    refused("promotions:\n"
            "- id: a\n"
            "  triggers: [cart]\n"
            "  segments: {lifecycle: [lapsing]}\n",
            "p.yaml:4: lifecycle: nobody is lapsing or inactive at an event of their own");
    line_refused("segments: {first_time_buyer: yes, frequent_buyer: yes}",
                 "who has bought once is no frequent_buyer");
}

Test(policy, what_only_sounds_like_it_is_accepted)
{
    const char *fine[] = {
        "promotions: [{id: a, active_hours: {from: 09:00, until: 11:01}, quiet: {from: 08:30, until: 11:00}}]",
        "promotions: [{id: a, triggers: [cart, cart_idle], segments: {lifecycle: [lapsing]}}]",
        "promotions: [{id: a, triggers: [cart], segments: {lifecycle: [lapsing, active]}}]",
        "promotions: [{id: a, segments: {lifecycle: [lapsing]}}]",
        "promotions: [{id: a, segments: {lifecycle: [lapsing]}, enters: {lifecycle: [lapsing, active]}}]",
        "promotions: [{id: a, segments: {first_time_buyer: yes, frequent_buyer: no}}]",
        "promotions: [{id: a, quiet: {from: 22:00, until: 08:00}, "
        "valid: {from: 2025-03-01T22:00:00Z, until: 2025-03-02T08:00:01Z}, offer: 1m}]",
    };
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        cr_assert_eq(parse(fine[i]), SHOAL_OK, "%s", message.text);
        cr_assert_eq(policy->warnings_count, 0, "%s", fine[i]);
        shoal_policy_destroy(policy);
    }
}

Test(policy, what_has_no_effect_is_warned_of)
{
    warned("promotions:\n- id: a\n  group: x\n- id: b\n", 3, "'x' has no other member");
    warned("promotions:\n- id: a\n  priority: 1\n", 3, "only between the promotions of a group");
    warned("promotions:\n- id: a\n  prompted: {min: 0}\n", 3, "this is no condition");
    warned("promotions:\n- id: a\n  limit: 1\n  cooldown: 1d\n", 4, "it has no effect");
    warned("promotions:\n- id: a\n  segments: {night_active: [yes, no]}\n", 3, "every level is accepted");
    warned("promotions:\n- id: a\n  valid: {from: 2025-03-01, until: 2025-03-02}\n  offer: 2d\n", 4,
           "stand for longer than the promotion is valid");
    warned("promotions:\n- id: a\n  valid: {from: 2025-03-01, until: 2025-03-10}\n"
           "  cooldown: 5d\n  limit: 3\n",
           5, "nobody reaches 3 offers");
    warned("quiet: {from: 22:00, until: 08:00}\n", 1, "these hours are UTC");
}

Test(policy, a_budget_below_the_partitions_and_a_model_that_lacks_a_section_are_told)
{
    static const struct shoal_model model = {.version = "0123456789abcdef"};
    cr_assert_eq(parse("promotions:\n"
                       "- id: a\n"
                       "  budget: 3\n"
                       "  segments: {value: [high]}\n"
                       "  prompted: {min: 0.2}\n"),
                 SHOAL_OK);
    cr_assert_eq(shoal_policy_check(policy, "p.yaml", 3, NULL, &message), SHOAL_OK);
    cr_assert_eq(policy->warnings_count, 0);
    cr_assert_eq(shoal_policy_check(policy, "p.yaml", 4, &model, &message), SHOAL_OK);
    cr_assert_eq(policy->warnings_count, 3);
    cr_assert_eq(policy->warnings[0].line, 3);
    cr_assert_eq(policy->warnings[1].line, 4);
    cr_assert_eq(policy->warnings[2].line, 5);
    shoal_policy_destroy(policy);
    cr_assert_eq(parse("promotions:\n- id: a\n  enters: {cluster: [c3]}\n"), SHOAL_OK);
    cr_assert_eq(shoal_policy_check(policy, "p.yaml", 4, &model, &message), SHOAL_CONFIG);
    cr_assert(strstr(message.text, "p.yaml:3: cluster: model 0123456789abcdef puts nobody there"));
    shoal_policy_destroy(policy);
}

Test(policy, ids_are_1_to_64_bytes_without_control_characters)
{
    char yaml[256], id[66];
    memset(id, 'x', 65);
    id[65] = '\0';
    snprintf(yaml, sizeof yaml, "promotions:\n- id: %s\n", id);
    refused(yaml, "a name of 1 to 64 bytes");
    id[64] = '\0';
    snprintf(yaml, sizeof yaml, "promotions:\n- id: %s\n", id);
    cr_assert_eq(parse(yaml), SHOAL_OK);
    shoal_policy_destroy(policy);
    refused("promotions:\n- id: ''\n", "a name of 1 to 64 bytes");
    refused("promotions:\n- id: \"a\\nb\"\n", "without control characters");
}

Test(policy, too_many_promotions_are_refused)
{
    char yaml[2048] = "promotions:\n";
    for (int i = 0; i < SHOAL_GRANTS_MAX; i++)
        snprintf(yaml + strlen(yaml), sizeof yaml - strlen(yaml), "- id: p%d\n", i);
    cr_assert_eq(parse(yaml), SHOAL_OK, "%s", message.text);
    cr_assert_eq(policy->count, SHOAL_GRANTS_MAX);
    shoal_policy_destroy(policy);
    strcat(yaml, "- id: one-more\n");
    refused(yaml, "33 promotions, at most 32 can be kept");
}

struct hashed {
    uint32_t hash;
    unsigned number;
};

static int by_hash(const void *a, const void *b)
{
    const struct hashed *x = a, *y = b;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

Test(policy, two_ids_of_one_hash_are_refused)
{
    /* 400,000 ids of 32 bits: about 18 pairs collide */
    enum { IDS = 400000 };
    struct hashed *all = malloc(IDS * sizeof *all);
    char text[32];
    for (unsigned i = 0; i < IDS; i++) {
        int size = snprintf(text, sizeof text, "promotion-%u", i);
        all[i] = (struct hashed){shoal_promotion_hash(text, (size_t)size), i};
    }
    qsort(all, IDS, sizeof *all, by_hash);
    size_t found = 0;
    for (size_t i = 1; i < IDS && !found; i++) {
        if (all[i].hash == all[i - 1].hash)
            found = i;
    }
    cr_assert_neq(found, 0);
    char yaml[128];
    snprintf(yaml, sizeof yaml, "promotions:\n- id: promotion-%u\n- id: promotion-%u\n",
             all[found].number, all[found - 1].number);
    refused(yaml, "have the same hash; rename one");
    free(all);
}

Test(policy, the_version_follows_the_bytes)
{
    char first[17];
    cr_assert_eq(parse("promotions: [{id: a}]\n"), SHOAL_OK);
    memcpy(first, policy->version, 17);
    shoal_policy_destroy(policy);
    cr_assert_eq(parse("promotions: [{id: b}]\n"), SHOAL_OK);
    cr_assert_str_neq(policy->version, first);
    shoal_policy_destroy(policy);
    cr_assert_eq(parse("promotions: [{id: a}]\n"), SHOAL_OK);
    cr_assert_str_eq(policy->version, first);
    shoal_policy_destroy(policy);
}

Test(policy, levels_have_names_and_there_is_no_level_zero)
{
    cr_assert_str_eq(shoal_dimension_name(SHOAL_INTENT), "intent");
    cr_assert_str_eq(shoal_level_name(SHOAL_INTENT, SHOAL_HOT), "hot");
    cr_assert_str_eq(shoal_level_name(SHOAL_LIFECYCLE, SHOAL_NEW), "new");
    cr_assert_null(shoal_level_name(SHOAL_INTENT, 0));
    cr_assert_null(shoal_level_name(SHOAL_INTENT, 4));
    cr_assert_eq(shoal_level_count(SHOAL_LIFECYCLE), 5);
}

Test(policy, the_sample_file_is_a_policy)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/deploy/promotions.yaml", getenv("SHOAL_SOURCE"));
    cr_assert_eq(shoal_policy_load(path, &policy, &message), SHOAL_OK, "%s", message.text);
    cr_assert_geq(policy->count, 3);
    shoal_policy_destroy(policy);
    cr_assert_eq(shoal_policy_load("/nowhere", &policy, &message), SHOAL_NOT_FOUND);
}

/* ---- items and bundles ---------------------------------------------------------------------- */

Test(policy, a_recommendation_has_three_items_and_says_otherwise_itself)
{
    cr_assert_eq(parse("promotions:\n"
                       "- id: a\n"
                       "- {id: b, kind: social}\n"
                       "- {id: c, items: none}\n"
                       "- {id: d, kind: social, items: 20, items_goal: buy, without_bought: yes}\n"
                       "- {id: e, bundle: [x, \"2\"]}\n"),
                 SHOAL_OK, "%s", message.text);
    const struct shoal_promotion *p = policy->promotions;
    unsigned items[] = {3, 0, 0, 20, 0};
    for (size_t i = 0; i < 5; i++)
        cr_assert_eq(p[i].items, items[i], "%s: %u", p[i].id, p[i].items);
    cr_assert(p[0].items_goal == SHOAL_GOAL_ANY && !p[0].without_bought);
    cr_assert(p[3].items_goal == SHOAL_GOAL_BUY && p[3].without_bought);
    cr_assert_eq(p[4].bundle_count, 2);
    cr_assert_str_eq(p[4].bundle[1].id, "2");
    cr_assert_eq(p[4].bundle[0].hash, shoal_item_hash("x", 1));
    cr_assert_eq(policy->items_most, 20);
    cr_assert_eq(policy->warnings_count, 0);
    shoal_policy_destroy(policy);
    cr_assert_eq(parse("promotions:\n- {id: b, kind: social}\n"), SHOAL_OK);
    cr_assert_eq(policy->items_most, 0);
    shoal_policy_destroy(policy);
}

Test(policy, items_and_bundles_that_cannot_be_meant_are_refused_or_warned_of)
{
    line_refused("items: 0", "items: '0' is not a number of items from 1 to 20, or none");
    line_refused("items: 21", "a number of items from 1 to 20");
    line_refused("items: [a]", "a number of items from 1 to 20, or none is expected, not a list");
    line_refused("items_goal: cart", "items_goal: 'cart' is not buy");
    line_refused("without_bought: maybe", "'maybe' is not yes or no");
    line_refused("bundle: a", "a list of items");
    line_refused("bundle: [a]", "at least two items");
    line_refused("bundle: [a, b, a]", "'a' stands here twice");
    line_refused("bundle: [a, b, c, d, e, f, g, h, i]", "at most 8 items");
    line_refused("bundle: [a, \"\"]", "the id of an item, 1 to 64 bytes");
    refused("promotions:\n- id: a\n  bundle: [a, b]\n  items: 3\n",
            "p.yaml:4: items: a bundle (line 3) names its items itself");
    warned("promotions:\n- id: a\n  kind: social\n  items_goal: buy\n", 4,
           "items_goal: without items it has no effect");
    warned("promotions:\n- id: a\n  items: none\n  without_bought: yes\n", 4,
           "without_bought: without items it has no effect");
}

Test(policy, a_model_without_a_catalogue_is_told_to_who_asks_for_items_and_to_nobody_else)
{
    static const struct shoal_model model = {.version = "0123456789abcdef"};
    cr_assert_eq(parse("promotions:\n- id: a\n- id: b\n  items: 3\n"), SHOAL_OK);
    cr_assert_eq(shoal_policy_lacks_items(policy, &model), 4);
    cr_assert_eq(shoal_policy_check(policy, "p.yaml", 4, &model, &message), SHOAL_OK);
    cr_assert_eq(policy->warnings_count, 1);
    cr_assert_eq(policy->warnings[0].line, 4);
    cr_assert(strstr(policy->warnings[0].text, "no catalogue of items"));
    shoal_policy_destroy(policy);
    cr_assert_eq(parse("promotions:\n- id: a\n"), SHOAL_OK);
    cr_assert_eq(shoal_policy_lacks_items(policy, &model), 0);
    cr_assert_eq(shoal_policy_lacks_items(NULL, &model), 0);
    shoal_policy_destroy(policy);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A promotion in words; see describe_promotion.h. */
#include "tools/describe_promotion.h"

#include <inttypes.h>
#include <string.h>

#include "stream/consent.h"
#include "stream/event.h"
#include "stream/units.h"

/* Between the members of a list: what is before the first, and between. */
struct list {
    FILE *out;
    const char *first, *between;
    unsigned count;
};

static void next(struct list *list)
{
    fputs(list->count++ ? list->between : list->first, list->out);
}

static void put_duration(int64_t duration_ms, FILE *out)
{
    char text[SHOAL_DURATION_TEXT];
    shoal_duration_print(duration_ms, text);
    fputs(text, out);
}

static void put_levels(const struct shoal_levels *levels, enum shoal_dimension dimension, FILE *out)
{
    struct list list = {.out = out, .first = "", .between = " or "};
    unsigned most = shoal_level_count(dimension);
    for (unsigned level = 0; level <= most; level++) {
        if (!shoal_levels_has(levels, (uint8_t)level))
            continue;
        next(&list);
        fputs(level ? shoal_level_name(dimension, (uint8_t)level) : "no", out);
    }
}

/* "cart", "a purchase …": what makes the promotion be looked at. */
static void put_triggers(const struct shoal_promotion *p, FILE *out)
{
    struct list list = {.out = out, .first = "on ", .between = " or "};
    for (unsigned b = 0; b < SHOAL_BEHAVIOR_COUNT; b++) {
        if (!(p->triggers >> b & 1))
            continue;
        next(&list);
        fputs(shoal_behavior_name((enum shoal_behavior)b), out);
    }
    for (unsigned t = 0; t < SHOAL_TIMER_COUNT; t++) {
        if (!(p->timers >> t & 1))
            continue;
        next(&list);
        fprintf(out, "the timer %s", shoal_timer_name((enum shoal_timer)t));
    }
    for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT; d++) {
        if (!shoal_levels_any(&p->enters[d]))
            continue;
        next(&list);
        fprintf(out, "entering %s ", shoal_dimension_name((enum shoal_dimension)d));
        put_levels(&p->enters[d], (enum shoal_dimension)d, out);
    }
    if (list.count == 0)
        fputs("at any time", out);
}

static void put_conditions(const struct shoal_promotion *p, FILE *out)
{
    struct list list = {.out = out, .first = ", to users who have ", .between = ", "};
    for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT; d++) {
        if (!shoal_levels_any(&p->levels[d]))
            continue;
        next(&list);
        fprintf(out, "%s ", shoal_dimension_name((enum shoal_dimension)d));
        put_levels(&p->levels[d], (enum shoal_dimension)d, out);
    }
    if (p->min_score > 0 || p->max_score < 1) {
        next(&list);
        fprintf(out, "a probability of purchase within 24 hours from %.4g to %.4g",
                (double)p->min_score, (double)p->max_score);
    }
    if (p->min_prompted > 0) {
        next(&list);
        fprintf(out, "a probability of at least %.4g to buy only if prompted",
                (double)p->min_prompted);
    }
    for (unsigned left = p->consents; left; left &= left - 1) {
        next(&list);
        fprintf(out, "consented to %s", shoal_consent_name(left & -left));
    }
    if (list.count == 0)
        fputs(", to all users", out);
}

static void put_hours(const char *before, const struct shoal_hours *hours, FILE *out)
{
    fprintf(out, "%s%02d:%02d to %02d:%02d", before, hours->from_min / 60, hours->from_min % 60,
            hours->until_min / 60, hours->until_min % 60);
}

static void put_bounds(const struct shoal_promotion *p, FILE *out)
{
    struct list list = {.out = out, .first = "; ", .between = ", "};
    if (p->limit) {
        next(&list);
        fprintf(out, "at most %u to one user", p->limit);
    }
    if (p->cooldown_ms) {
        next(&list);
        fputs("one in ", out);
        put_duration(p->cooldown_ms, out);
    }
    if (p->budget) {
        next(&list);
        fprintf(out, "%" PRIu32 " a day", p->budget);
    }
    if (shoal_hours_any(&p->quiet)) {
        next(&list);
        put_hours("not from ", &p->quiet, out);
    }
    if (p->active_hours) {
        next(&list);
        fputs("only about the user's own hours", out);
        if (shoal_hours_any(&p->usual))
            put_hours(" (new users: ", &p->usual, out);
        fputs(shoal_hours_any(&p->usual) ? ")" : "", out);
    }
    if (p->group[0]) {
        next(&list);
        fprintf(out, "never beside another of '%s' (priority %" PRId32 ")", p->group, p->priority);
    }
}

static void put_validity(const struct shoal_promotion *p, FILE *out)
{
    char text[25];
    if (p->valid_from_ms != INT64_MIN) {
        shoal_time_print(p->valid_from_ms, text);
        fprintf(out, "; from %s", text);
    }
    if (p->valid_until_ms != INT64_MAX) {
        shoal_time_print(p->valid_until_ms, text);
        fprintf(out, "%s until %s", p->valid_from_ms == INT64_MIN ? ";" : "", text);
    }
}

static void put_items(const struct shoal_promotion *p, FILE *out)
{
    struct list list = {.out = out, .first = "; it carries what is left of the bundle ", .between = " + "};
    if (p->items > 0 && p->lines.items > 0)
        fprintf(out, "; with the %u %s that the user is most likely to %s next%s", p->items,
                p->items == 1 ? "item" : "items",
                p->items_goal == SHOAL_GOAL_BUY ? "buy" : "turn to",
                p->without_bought ? ", without what was bought lately" : "");
    for (unsigned i = 0; i < p->bundle_count; i++) {
        next(&list);
        fputs(p->bundle[i].id, out);
    }
    if (p->bundle_count > 0)
        fputs(", once the user has turned to one of its items and until all are bought", out);
}

void shoal_describe_promotion(const struct shoal_promotion *p, FILE *out)
{
    fprintf(out, "%s (%s) is offered ", p->id, shoal_kind_info(p->kind)->name);
    put_triggers(p, out);
    fputs(", for ", out);
    put_duration(p->offer_ms, out);
    put_conditions(p, out);
    put_items(p, out);
    put_bounds(p, out);
    put_validity(p, out);
    fprintf(out, "; %.4g %% of the users are only watched", (double)p->control * 100);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts and notes in words; see report_put.h. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>

#include "tools/report_put.h"

static const double SPLIT_P_MIN = 0.001, LEVEL = 0.05;

bool shoal_report_split_is_broken(const struct shoal_promotion_effect *effect)
{
    return effect->split_p < SPLIT_P_MIN; /* NaN is not */
}

/* Two digits are all that such a figure can say: "about 72,000 more users". */
static void print_rough(double count, char text[32])
{
    double unit = pow(10, fmax(0, floor(log10(count)) - 1));
    count = ceil(count / unit) * unit;
    if (count >= 1e6)
        snprintf(text, 32, "%.3g million", count / 1e6);
    else if (count >= 1e3)
        snprintf(text, 32, "%.0f,%03.0f", floor(count / 1e3), fmod(count, 1e3));
    else
        snprintf(text, 32, "%.0f", count);
}

static void say_unknown(const struct shoal_effect *effect, char words[SHOAL_VERDICT_BYTES])
{
    const struct shoal_lift *lift = &effect->purchases;
    double users = effect->bought[0].count + effect->bought[1].count;
    double more = lift->units_needed - users;
    char rough[32];
    if (more > 0 && more < 1000 * users) {
        print_rough(more, rough);
        snprintf(words, SHOAL_VERDICT_BYTES,
                 "cannot be told yet (about %s more users needed if the difference is as seen)",
                 rough);
    } else if (more > 0 || !isfinite(more)) {
        snprintf(words, SHOAL_VERDICT_BYTES, "cannot be told: no difference to be seen");
    } else {
        snprintf(words, SHOAL_VERDICT_BYTES, "cannot be told yet: it may be chance");
    }
}

void shoal_report_verdict(const struct shoal_promotion_effect *effect,
                          char words[SHOAL_VERDICT_BYTES])
{
    const struct shoal_effect *all = &effect->effects[0];
    const struct shoal_lift *lift = &all->purchases;
    double exposed = all->bought[0].count, control = all->bought[1].count;
    bool more = lift->verdict == SHOAL_LIFT_MORE;
    if (shoal_report_split_is_broken(effect))
        snprintf(words, SHOAL_VERDICT_BYTES,
                 "means nothing: the split into groups is broken (p = %.1g)", effect->split_p);
    else if (exposed < 1 && control < 1)
        snprintf(words, SHOAL_VERDICT_BYTES, "cannot be told: no offer with a whole window");
    else if (control < 1 || exposed < 1)
        snprintf(words, SHOAL_VERDICT_BYTES, "cannot be told: no user in the %s group",
                 control < 1 ? "control" : "exposed");
    else if (lift->verdict == SHOAL_LIFT_TOO_FEW)
        snprintf(words, SHOAL_VERDICT_BYTES, "cannot be told: only %.0f users in the %s group",
                 fmin(exposed, control), control <= exposed ? "control" : "exposed");
    else if (lift->verdict == SHOAL_LIFT_UNKNOWN)
        say_unknown(all, words);
    else if (!(effect->holm_p < LEVEL))
        snprintf(words, SHOAL_VERDICT_BYTES,
                 "%s purchases, perhaps: among so many promotions one such may be chance",
                 more ? "more" : "fewer");
    else
        snprintf(words, SHOAL_VERDICT_BYTES, "%s purchases: surely", more ? "more" : "fewer");
}

/* ---- notes ---------------------------------------------------------------------------------- */

struct telling {
    void (*take)(void *context, const char *note);
    void *context;
};

static void tell(const struct telling *telling, const char *format, ...) SHOAL_PRINTF(2, 3);
static void tell(const struct telling *telling, const char *format, ...)
{
    char text[512];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    telling->take(telling->context, text);
}

static void tell_of_offers(const struct shoal_report *report, const struct telling *telling)
{
    const struct shoal_offers *offers = &report->offers;
    uint64_t open = 0, outside = 0, reached = 0;
    for (size_t i = 0; i < report->effects.count; i++) {
        open += report->effects.promotions[i].open;
        outside += report->effects.promotions[i].outside;
        reached += report->effects.promotions[i].shown[1];
    }
    if (offers->count == 0)
        tell(telling, "There is no offer to users of these events: no promotion can be judged.");
    if (offers->strangers && offers->stranger[0])
        tell(telling,
             "%" PRIu64
             " offers are to users who are not in the events (the first: %s) and are left "
             "out: do both files belong together?",
             offers->strangers, offers->stranger);
    else if (offers->strangers)
        tell(telling, "%" PRIu64 " offers are to users who were forgotten, and are left out.",
             offers->strangers);
    if (outside)
        tell(telling,
             "%" PRIu64
             " offers were made before the first or after the last event and are left out.",
             outside);
    if (open)
        tell(telling,
             "%" PRIu64 " offers are left out because the events end before their window of %s.",
             open, report->window);
    if (offers->crossed)
        tell(telling,
             "%" PRIu64
             " answers put a user into the other group than an earlier one (a control share "
             "that was changed?); users count in the group of their first offer.",
             offers->crossed);
    if (reached)
        tell(telling,
             "%" PRIu64
             " control users were shown the promotion they were to be kept from: the lift "
             "is understated.",
             reached);
    if (offers->count && !report->has_policy)
        tell(telling,
             "Whether the groups were split as they should be was not checked: --promotions "
             "names the file with the control shares.");
}

static void tell_of_segments(const struct shoal_report *report, const struct telling *telling)
{
    const struct shoal_changes *changes = &report->changes;
    if (!report->has_segments)
        tell(telling,
             "There are no segment changes (--segments): sizes and transitions cannot be told, "
             "and periods not by segment.");
    if (changes->strangers)
        tell(telling,
             "%" PRIu64 " segment changes are of users who are not in the events; left out.",
             changes->strangers);
    if (changes->broken)
        tell(telling,
             "%" PRIu64
             " segment changes do not go on from where their user stood: lines are missing "
             "(a compacted topic?), so sizes and transitions are not whole.",
             changes->broken);
    if (report->periods.outside)
        tell(telling, "%" PRIu64 " segment changes lie before the first or after the last event.",
             report->periods.outside);
    if (report->offers.lines.cut + changes->lines.cut)
        tell(telling, "A last line was cut off (its writer had not finished) and is left out.");
}

void shoal_report_notes(const struct shoal_report *report,
                        void (*take)(void *context, const char *note), void *context)
{
    struct telling telling = {take, context};
    if (report->load->walked.refused)
        tell(&telling,
             "%" PRIu64 " of %" PRIu64 " messages of the events cannot be read and are left out.",
             report->load->walked.refused, report->load->walked.messages);
    tell_of_offers(report, &telling);
    tell_of_segments(report, &telling);
    if (!report->effects.has_amounts)
        tell(&telling, "The events have no prices: sales cannot be told.");
    else if (report->effects.amounts_missing)
        tell(&telling, "%" PRIu64 " purchases after offers have no price and count as 0.",
             report->effects.amounts_missing);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The times of a promotion, and of all of them; see policy.h.
 *
 *     timezone: "+08:00"
 *     quiet: {from: 22:00, until: 08:00}    # also of one promotion; none
 *     valid: {from: 2025-03-01T00:00:00Z, until: 2025-04-01T00:00:00Z}   # event time, half open
 *     cooldown: 1d
 *     offer: 30m
 *     active_hours: yes                     # or {from: 09:00, until: 21:00} for users not known yet */
#include <string.h>

#include "stream/event.h"
#include "stream/policy_read.h"
#include "stream/units.h"

static const int64_t DURATION_MOST_MS = INT64_C(86400) * 1000 * 3650;

/* ---- durations ----------------------------------------------------------------------------- */

static enum shoal_status read_duration(struct shoal_policy_reading *r,
                                       const struct shoal_yaml *node, int64_t least_ms,
                                       int64_t *duration_ms)
{
    if (node->kind != SHOAL_YAML_TEXT || !shoal_duration_parse(node->text, duration_ms))
        return shoal_policy_wrong(r, node, "a duration with its unit, for example 30m, 2h or 1d");
    if (*duration_ms < least_ms || *duration_ms > DURATION_MOST_MS)
        return shoal_policy_refuse(r, node->line, "%s: %s is out of range: %s to 3650d", node->key,
                                   node->text, least_ms ? "1s" : "0");
    return SHOAL_OK;
}

enum shoal_status shoal_policy_cooldown(struct shoal_policy_reading *r,
                                        const struct shoal_yaml *node, void *into)
{
    return read_duration(r, node, 0, &((struct shoal_promotion *)into)->cooldown_ms);
}

enum shoal_status shoal_policy_offer(struct shoal_policy_reading *r, const struct shoal_yaml *node,
                                     void *into)
{
    return read_duration(r, node, 1000, &((struct shoal_promotion *)into)->offer_ms);
}

/* ---- validity ------------------------------------------------------------------------------ */

static enum shoal_status read_time(struct shoal_policy_reading *r, const struct shoal_yaml *node,
                                   int64_t *time_ms)
{
    if (node->kind != SHOAL_YAML_TEXT || !shoal_time_parse(node->text, strlen(node->text), time_ms))
        return shoal_policy_wrong(r, node, "a time, for example 2025-03-01T00:00:00Z");
    return SHOAL_OK;
}

static enum shoal_status read_from(struct shoal_policy_reading *r, const struct shoal_yaml *node,
                                   void *into)
{
    return read_time(r, node, &((struct shoal_promotion *)into)->valid_from_ms);
}

static enum shoal_status read_until(struct shoal_policy_reading *r, const struct shoal_yaml *node,
                                    void *into)
{
    return read_time(r, node, &((struct shoal_promotion *)into)->valid_until_ms);
}

enum shoal_status shoal_policy_valid(struct shoal_policy_reading *r, const struct shoal_yaml *node,
                                     void *into)
{
    static const struct shoal_policy_key keys[] = {{"from", read_from}, {"until", read_until}, {0}};
    const struct shoal_promotion *promotion = into;
    enum shoal_status status = shoal_policy_map(r, node, keys, into);
    if (status == SHOAL_OK && promotion->valid_from_ms >= promotion->valid_until_ms)
        return shoal_policy_refuse(
            r, node->line, "valid: the window is empty, 'from' must be before 'until'");
    return status;
}

/* ---- hours of the day ---------------------------------------------------------------------- */

static bool parse_clock(const char *text, int *minutes)
{
    size_t size = strlen(text), colon = strcspn(text, ":");
    int hour = 0, minute = 0;
    if (colon < 1 || colon > 2 || size != colon + 3)
        return false;
    for (size_t i = 0; i < size; i++) {
        int digit = text[i] - '0';
        if (i == colon)
            continue;
        if (digit < 0 || digit > 9)
            return false;
        if (i < colon)
            hour = hour * 10 + digit;
        else
            minute = minute * 10 + digit;
    }
    *minutes = hour * 60 + minute;
    return minute < 60 && *minutes <= SHOAL_DAY_MINUTES;
}

static enum shoal_status read_clock(struct shoal_policy_reading *r, const struct shoal_yaml *node,
                                    int16_t *minute)
{
    int minutes;
    if (node->kind != SHOAL_YAML_TEXT || !parse_clock(node->text, &minutes))
        return shoal_policy_wrong(r, node, "a time of day from 00:00 to 24:00, for example 22:30");
    *minute = (int16_t)minutes;
    return SHOAL_OK;
}

static enum shoal_status read_hours_from(struct shoal_policy_reading *r,
                                         const struct shoal_yaml *node, void *into)
{
    return read_clock(r, node, &((struct shoal_hours *)into)->from_min);
}

static enum shoal_status read_hours_until(struct shoal_policy_reading *r,
                                          const struct shoal_yaml *node, void *into)
{
    return read_clock(r, node, &((struct shoal_hours *)into)->until_min);
}

static enum shoal_status read_hours(struct shoal_policy_reading *r, const struct shoal_yaml *node,
                                    struct shoal_hours *hours)
{
    static const struct shoal_policy_key keys[] = {
        {"from", read_hours_from}, {"until", read_hours_until}, {0}};
    *hours = (struct shoal_hours){-1, -1};
    enum shoal_status status = shoal_policy_map(r, node, keys, hours);
    if (status != SHOAL_OK)
        return status;
    if (hours->from_min < 0 || hours->until_min < 0)
        return shoal_policy_refuse(r, node->line, "%s: both 'from' and 'until' are needed",
                                   node->key);
    if (hours->from_min % SHOAL_DAY_MINUTES == hours->until_min % SHOAL_DAY_MINUTES)
        return shoal_policy_refuse(r, node->line,
                                   "%s: from and until are the same time: that is the whole day, "
                                   "or nothing of it",
                                   node->key);
    return SHOAL_OK;
}

static bool is_text(const struct shoal_yaml *node, const char *a, const char *b)
{
    return node->kind == SHOAL_YAML_TEXT && (strcmp(node->text, a) == 0 || strcmp(node->text, b) == 0);
}

static enum shoal_status read_quiet(struct shoal_policy_reading *r, const struct shoal_yaml *node,
                                    struct shoal_hours *quiet)
{
    *quiet = (struct shoal_hours){0, 0};
    if (is_text(node, "none", "none"))
        return SHOAL_OK;
    if (node->kind != SHOAL_YAML_MAP)
        return shoal_policy_wrong(r, node, "hours, for example {from: 22:00, until: 08:00}, or none");
    return read_hours(r, node, quiet);
}

enum shoal_status shoal_policy_quiet_all(struct shoal_policy_reading *r,
                                         const struct shoal_yaml *node, void *into)
{
    return read_quiet(r, node, &r->quiet);
}

enum shoal_status shoal_policy_quiet_own(struct shoal_policy_reading *r,
                                         const struct shoal_yaml *node, void *into)
{
    return read_quiet(r, node, &((struct shoal_promotion *)into)->quiet);
}

enum shoal_status shoal_policy_active_hours(struct shoal_policy_reading *r,
                                            const struct shoal_yaml *node, void *into)
{
    struct shoal_promotion *promotion = into;
    promotion->active_hours = !is_text(node, "no", "false");
    if (node->kind == SHOAL_YAML_MAP)
        return read_hours(r, node, &promotion->usual);
    if (promotion->active_hours && !is_text(node, "yes", "true"))
        return shoal_policy_wrong(
            r, node, "yes, no, or hours for new users, for example {from: 09:00, until: 21:00}");
    return SHOAL_OK;
}

/* "+08:00", "-03:30", "UTC": no names of places, whose rules change and differ between machines. */
enum shoal_status shoal_policy_timezone(struct shoal_policy_reading *r,
                                        const struct shoal_yaml *node, void *into)
{
    int minutes = 0;
    bool known = is_text(node, "UTC", "Z");
    if (!known && node->kind == SHOAL_YAML_TEXT && (node->text[0] == '+' || node->text[0] == '-'))
        known = strlen(node->text) == 6 && parse_clock(node->text + 1, &minutes) &&
                minutes <= 14 * 60;
    if (!known)
        return shoal_policy_wrong(r, node, "an offset from UTC, for example \"+08:00\", or UTC");
    r->policy->utc_offset_ms = (node->text[0] == '-' ? -1 : 1) * (int64_t)minutes * 60000;
    return SHOAL_OK;
}

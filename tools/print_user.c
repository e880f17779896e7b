/* SPDX-License-Identifier: Apache-2.0 */
/* A record for people; see print_user.h. */
#include "tools/print_user.h"

#include <inttypes.h>

#include "stream/consent.h"
#include "stream/event.h"

static const char *when(int64_t time_ms, char text[25])
{
    shoal_time_print(time_ms, text);
    return text;
}

static void print_counters(FILE *out, const struct shoal_record *record)
{
    fprintf(out, "counters, half-life    1 h       1 d       7 d\n");
    for (int b = 0; b < SHOAL_BEHAVIOR_COUNT; b++) {
        fprintf(out, "  %-14s", shoal_behavior_name((enum shoal_behavior)b));
        for (int k = 0; k < SHOAL_HALF_LIVES; k++)
            fprintf(out, " %9.3f", (double)record->counters[b * SHOAL_HALF_LIVES + k]);
        fputc('\n', out);
    }
}

static void print_segments(FILE *out, const struct shoal_record *record)
{
    char text[25];
    fprintf(out, "segments\n");
    for (int d = 0; d < SHOAL_DIMENSION_COUNT; d++) {
        const struct shoal_standing *standing = &record->standings[d];
        const char *level = shoal_level_name((enum shoal_dimension)d, standing->level);
        if (level)
            fprintf(out, "  %-14s %s since %s\n", shoal_dimension_name((enum shoal_dimension)d),
                    level, when(standing->since_ms, text));
    }
}

static void print_purchases(FILE *out, const struct shoal_record *record)
{
    char first[25], last[25];
    const struct shoal_purchases *p = &record->purchases;
    if (p->occasions)
        fprintf(out, "purchases        on %" PRIu32 " days, %s to %s, %.2f spent after the first day\n",
                p->occasions, when(p->first_ms, first), when(p->last_ms, last), (double)p->spent);
    if (record->timer_ms)
        fprintf(out, "looked at again  %s at the latest, if no event comes\n",
                when(record->timer_ms, first));
}

static const char *promotion_name(const struct shoal_policy *policy, uint32_t hash, char text[16])
{
    for (size_t i = 0; policy && i < policy->count; i++) {
        if (policy->promotions[i].hash == hash)
            return policy->promotions[i].id;
    }
    snprintf(text, 16, "#%08" PRIx32, hash);
    return text;
}

static void print_promotions(FILE *out, const struct shoal_record *record,
                             const struct shoal_policy *policy)
{
    char text[25], name[16];
    if (record->grants_count)
        fprintf(out, "promotions\n");
    for (uint8_t i = 0; i < record->grants_count; i++) {
        const struct shoal_grant *grant = &record->grants[i];
        fprintf(out, "  %-22s %s, offers so far %u", promotion_name(policy, grant->promotion, name),
                grant->eligible ? "eligible" : "not eligible", (unsigned)grant->count);
        if (grant->last_ms)
            fprintf(out, ", last %s", when(grant->last_ms, text));
        if (grant->eligible && grant->expires_ms)
            fprintf(out, ", until %s", when(grant->expires_ms, text));
        fputc('\n', out);
    }
}

static void print_ring(FILE *out, const struct shoal_record *record)
{
    char text[25];
    fprintf(out, "recent events, oldest first\n");
    for (uint8_t i = 0; i < record->ring_count; i++) {
        const struct shoal_touch *touch = &record->ring[i];
        fprintf(out, "  %s %-4s item #%08" PRIx32, when(touch->time_ms, text),
                shoal_behavior_name((enum shoal_behavior)touch->behavior), touch->item);
        if (touch->category)
            fprintf(out, " category #%04x", (unsigned)touch->category);
        fputc('\n', out);
    }
}

void shoal_print_user(FILE *out, const struct shoal_record *record, const char *user,
                      int32_t partition, const struct shoal_policy *policy)
{
    char first[25], last[25];
    fprintf(out, "user             %s, partition %" PRId32 ", last offset %" PRId64 "\n", user,
            partition, record->offset);
    if (shoal_consent_declined(record)) {
        fprintf(out, "declined         to be processed, since then events are dropped; nothing else is kept\n");
        return;
    }
    fprintf(out, "score            %.4f: probability of a purchase within 24 hours\n",
            (double)record->score);
    fprintf(out, "model            %016" PRIx64 "\n", record->model);
    fprintf(out, "events           %" PRIu64 ", %s to %s\n", record->events_count,
            when(record->first_ms, first), when(record->last_ms, last));
    print_purchases(out, record);
    print_segments(out, record);
    print_promotions(out, record, policy);
    print_counters(out, record);
    print_ring(out, record);
}

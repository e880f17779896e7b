/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions as bytes; see output.h.
 *
 *   {"id","user_id","promotion","kind","eligible","variant":"treatment"|"control","trigger":null|name,
 *    "reasons":[{"condition","value","limit","met"}…],"scores":{"purchase_24h"[,"prompted"]},
 *    "segments":{dimension:level|null…},"model","policy","event_time","expires_at":null|time
 *    [,"bundle":[item…]][,"items":[{"item"[,"score"]}…]]}
 *
 * What a reason's value and limit are:
 *
 *   condition            value               limit
 *   validity             event time          [from|null, until|null]
 *   segment.<dimension>  level|null          [accepted level…]; of a trait "yes", "no"
 *   score.min/score.max  score               score
 *   prompted.min         probability|null    probability; null: the model cannot say
 *   consent.<name>       true|false|null     true; null: the user never said
 *   bundle               items bought lately how many items it has
 *   bundle.item          item|null           [item…]     which of its items the offer begins with; null: the user
 *                                                        turned to none of them lately
 *   cooldown             "2h13m"|null        "1d"      time since the last offer; null: none so far
 *   limit                offers so far       most
 *   quiet                "22:30"             ["22:00","08:00"]  local time, and the hours without offers
 *   active_hours         "3h10m"             "1h"      to the nearest time of day at which the user was active
 *                        "07:10"             ["09:00","21:00"]  of a user with fewer than four recent events
 *   budget               "left"|"used up"    the partition's share of the day
 *   exclusion, priority  promotion|null      name of the group
 *   offer                "10m"               "30m"     age of the standing offer, and its whole time */
#include <math.h>
#include <string.h>

#include "stream/bundle_offer.h"
#include "stream/consent.h"
#include "stream/encode.h"
#include "stream/output.h"

/* ---- values -------------------------------------------------------------------------------- */

static void put_text(struct shoal_encoder *e, const char *text)
{
    shoal_encode_str(e, text, strlen(text));
}

static void put_bound(struct shoal_encoder *e, int64_t time_ms)
{
    if (time_ms == INT64_MIN || time_ms == INT64_MAX)
        shoal_encode_null(e);
    else
        shoal_encode_time(e, time_ms);
}

static const char *level_name(enum shoal_dimension dimension, unsigned level)
{
    if (level == 0)
        return shoal_dimension_is_trait(dimension) ? "no" : NULL;
    return shoal_level_name(dimension, (uint8_t)level);
}

static void put_levels(struct shoal_encoder *e, enum shoal_dimension dimension,
                       const struct shoal_levels *accepted)
{
    unsigned most = shoal_level_count(dimension), count = 0;
    for (unsigned level = 0; level <= most; level++)
        count += shoal_levels_has(accepted, (uint8_t)level);
    shoal_encode_array(e, count);
    for (unsigned level = 0; level <= most; level++) {
        if (shoal_levels_has(accepted, (uint8_t)level))
            shoal_encode_name(e, level_name(dimension, level));
    }
    shoal_encode_array_end(e);
}

static void put_duration(struct shoal_encoder *e, double duration_ms)
{
    if (isnan(duration_ms))
        shoal_encode_null(e);
    else
        shoal_encode_duration(e, (int64_t)duration_ms);
}

/* "22:30" */
static void put_clock(struct shoal_encoder *e, int minute)
{
    char text[] = "00:00";
    text[0] = (char)('0' + minute / 600);
    text[1] = (char)('0' + minute / 60 % 10);
    text[3] = (char)('0' + minute % 60 / 10);
    text[4] = (char)('0' + minute % 10);
    shoal_encode_name(e, text);
}

static void put_hours(struct shoal_encoder *e, const struct shoal_hours *hours)
{
    shoal_encode_array(e, 2);
    put_clock(e, hours->from_min);
    put_clock(e, hours->until_min);
    shoal_encode_array_end(e);
}

static void put_bundle(struct shoal_encoder *e, const struct shoal_promotion *promotion)
{
    shoal_encode_array(e, promotion->bundle_count);
    for (unsigned i = 0; i < promotion->bundle_count; i++)
        put_text(e, promotion->bundle[i].id);
    shoal_encode_array_end(e);
}

/* ---- reasons ------------------------------------------------------------------------------- */

/* Each kind of condition has its own form of value. */
static void put_value(struct shoal_encoder *e, const struct shoal_promotion *promotion,
                      const struct shoal_reason *reason)
{
    switch (reason->condition) {
    case SHOAL_CONDITION_VALIDITY:
        shoal_encode_time(e, (int64_t)reason->value);
        break;
    case SHOAL_CONDITION_SEGMENT:
        shoal_encode_name(e, level_name(reason->dimension, (unsigned)reason->value));
        break;
    case SHOAL_CONDITION_CONSENT:
        if (isnan(reason->value))
            shoal_encode_null(e);
        else
            shoal_encode_bool(e, reason->value > 0);
        break;
    case SHOAL_CONDITION_COOLDOWN:
    case SHOAL_CONDITION_OFFER:
        put_duration(e, reason->value);
        break;
    case SHOAL_CONDITION_LIMIT:
    case SHOAL_CONDITION_BUNDLE:
        shoal_encode_int(e, (int64_t)reason->value);
        break;
    case SHOAL_CONDITION_BUNDLE_ITEM:
        if (isnan(reason->value))
            shoal_encode_null(e);
        else
            put_text(e, promotion->bundle[(int)reason->value].id);
        break;
    case SHOAL_CONDITION_BUDGET:
        shoal_encode_name(e, reason->value > 0 ? "left" : "used up");
        break;
    case SHOAL_CONDITION_QUIET:
        put_clock(e, (int)reason->value);
        break;
    case SHOAL_CONDITION_ACTIVE_HOURS:
        if (isnan(reason->limit))
            put_clock(e, (int)reason->value);
        else
            put_duration(e, reason->value);
        break;
    case SHOAL_CONDITION_EXCLUSION:
    case SHOAL_CONDITION_PRIORITY:
        if (reason->other)
            put_text(e, reason->other->id);
        else
            shoal_encode_null(e);
        break;
    default:
        shoal_encode_score(e, reason->value);
        break;
    }
}

static void put_limit(struct shoal_encoder *e, const struct shoal_promotion *promotion,
                      const struct shoal_reason *reason)
{
    switch (reason->condition) {
    case SHOAL_CONDITION_VALIDITY:
        shoal_encode_array(e, 2);
        put_bound(e, promotion->valid_from_ms);
        put_bound(e, promotion->valid_until_ms);
        shoal_encode_array_end(e);
        break;
    case SHOAL_CONDITION_SEGMENT:
        put_levels(e, reason->dimension, &promotion->levels[reason->dimension]);
        break;
    case SHOAL_CONDITION_CONSENT:
        shoal_encode_bool(e, true);
        break;
    case SHOAL_CONDITION_COOLDOWN:
    case SHOAL_CONDITION_OFFER:
        put_duration(e, reason->limit);
        break;
    case SHOAL_CONDITION_LIMIT:
    case SHOAL_CONDITION_BUDGET:
    case SHOAL_CONDITION_BUNDLE:
        shoal_encode_int(e, (int64_t)reason->limit);
        break;
    case SHOAL_CONDITION_BUNDLE_ITEM:
        put_bundle(e, promotion);
        break;
    case SHOAL_CONDITION_QUIET:
        put_hours(e, &promotion->quiet);
        break;
    case SHOAL_CONDITION_ACTIVE_HOURS:
        if (isnan(reason->limit))
            put_hours(e, &promotion->usual);
        else
            put_duration(e, reason->limit);
        break;
    case SHOAL_CONDITION_EXCLUSION:
    case SHOAL_CONDITION_PRIORITY:
        put_text(e, promotion->group);
        break;
    default:
        shoal_encode_score(e, reason->limit);
        break;
    }
}

static void put_condition(struct shoal_encoder *e, const struct shoal_reason *reason)
{
    const char *name = shoal_condition_name(reason->condition), *which;
    if (reason->condition == SHOAL_CONDITION_SEGMENT)
        which = shoal_dimension_name(reason->dimension);
    else if (reason->condition == SHOAL_CONDITION_CONSENT)
        which = shoal_consent_name(reason->consent);
    else {
        shoal_encode_name(e, name);
        return;
    }
    char text[64];
    size_t name_size = strlen(name), which_size = strlen(which);
    memcpy(text, name, name_size);
    text[name_size] = '.';
    memcpy(text + name_size + 1, which, which_size);
    shoal_encode_str(e, text, name_size + 1 + which_size);
}

static void put_reasons(struct shoal_encoder *e, const struct shoal_decision *decision)
{
    shoal_encode_array(e, (uint32_t)decision->reasons_count);
    for (size_t i = 0; i < decision->reasons_count; i++) {
        const struct shoal_reason *reason = &decision->reasons[i];
        shoal_encode_map(e, 4);
        SHOAL_ENCODE_KEY(e, "condition");
        put_condition(e, reason);
        SHOAL_ENCODE_KEY(e, "value");
        put_value(e, decision->promotion, reason);
        SHOAL_ENCODE_KEY(e, "limit");
        put_limit(e, decision->promotion, reason);
        SHOAL_ENCODE_KEY(e, "met");
        shoal_encode_bool(e, reason->met);
        shoal_encode_map_end(e);
    }
    shoal_encode_array_end(e);
}

/* ---- the decision -------------------------------------------------------------------------- */

static void put_scores(struct shoal_encoder *e, const struct shoal_decision *decision,
                       const struct shoal_record *record)
{
    bool known = !isnan(decision->prompted);
    shoal_encode_map(e, known ? 2 : 1);
    SHOAL_ENCODE_KEY(e, "purchase_24h");
    shoal_encode_score(e, (double)record->score);
    if (known) {
        SHOAL_ENCODE_KEY(e, "prompted");
        shoal_encode_score(e, (double)decision->prompted);
    }
    shoal_encode_map_end(e);
}

/* ---- items --------------------------------------------------------------------------------- */

bool shoal_output_carries(const struct shoal_decision *decision, const struct shoal_model *model)
{
    return decision->eligible && decision->promotion->items > 0 && model->items;
}

/* The bundle, and what of it is to be offered. */
static void put_offered_bundle(struct shoal_encoder *e, const struct shoal_promotion *promotion,
                               const struct shoal_record *record)
{
    uint32_t carried = shoal_bundle_look(promotion, record).carried;
    SHOAL_ENCODE_KEY(e, "bundle");
    put_bundle(e, promotion);
    SHOAL_ENCODE_KEY(e, "items");
    shoal_encode_array(e, (uint32_t)__builtin_popcount(carried));
    for (; carried; carried &= carried - 1) {
        shoal_encode_map(e, 1);
        SHOAL_ENCODE_KEY(e, "item");
        put_text(e, promotion->bundle[__builtin_ctz(carried)].id);
        shoal_encode_map_end(e);
    }
    shoal_encode_array_end(e);
}

void shoal_output_items(enum shoal_output_format format, const struct shoal_items *items,
                        const struct shoal_item_pick *picks, size_t count, struct shoal_buffer *out)
{
    struct shoal_encoder e;
    shoal_encode_init(&e, format == SHOAL_OUTPUT_JSON ? SHOAL_ENCODE_JSON : SHOAL_ENCODE_MSGPACK,
                      out);
    e.comma = true; /* it goes on behind expires_at */
    SHOAL_ENCODE_KEY(&e, "items");
    shoal_encode_array(&e, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        size_t size;
        const char *id = shoal_items_id(items, picks[i].item, &size);
        shoal_encode_map(&e, 2);
        SHOAL_ENCODE_KEY(&e, "item");
        shoal_encode_str(&e, id, size);
        SHOAL_ENCODE_KEY(&e, "score");
        shoal_encode_score(&e, (double)picks[i].score);
        shoal_encode_map_end(&e);
    }
    shoal_encode_array_end(&e);
    shoal_encode_map_end(&e);
}

void shoal_output_decision(enum shoal_output_format format, const struct shoal_event *event,
                           const struct shoal_decision *decision, const struct shoal_record *record,
                           const struct shoal_model *model, const char *id,
                           struct shoal_buffer *out)
{
    struct shoal_encoder e;
    shoal_encode_init(&e, format == SHOAL_OUTPUT_JSON ? SHOAL_ENCODE_JSON : SHOAL_ENCODE_MSGPACK,
                      out);
    bool carries = shoal_output_carries(decision, model);
    bool bundle = decision->eligible && decision->promotion->bundle_count > 0;
    shoal_encode_map(&e, 14u + (carries ? 1u : 0) + (bundle ? 2u : 0));
    SHOAL_ENCODE_KEY(&e, "id");
    put_text(&e, id);
    SHOAL_ENCODE_KEY(&e, "user_id");
    shoal_encode_str(&e, event->user, event->user_size);
    SHOAL_ENCODE_KEY(&e, "promotion");
    put_text(&e, decision->promotion->id);
    SHOAL_ENCODE_KEY(&e, "kind");
    shoal_encode_name(&e, shoal_kind_info(decision->promotion->kind)->name);
    SHOAL_ENCODE_KEY(&e, "eligible");
    shoal_encode_bool(&e, decision->eligible);
    SHOAL_ENCODE_KEY(&e, "variant");
    shoal_encode_name(&e, decision->control ? "control" : "treatment");
    SHOAL_ENCODE_KEY(&e, "trigger");
    shoal_encode_name(&e, decision->trigger);
    SHOAL_ENCODE_KEY(&e, "reasons");
    put_reasons(&e, decision);
    SHOAL_ENCODE_KEY(&e, "scores");
    put_scores(&e, decision, record);
    SHOAL_ENCODE_KEY(&e, "segments");
    shoal_output_standings(&e, record);
    SHOAL_ENCODE_KEY(&e, "model");
    shoal_encode_name(&e, model->version);
    SHOAL_ENCODE_KEY(&e, "policy");
    shoal_encode_name(&e, decision->policy->version);
    SHOAL_ENCODE_KEY(&e, "event_time");
    shoal_encode_time(&e, event->touch.time_ms);
    SHOAL_ENCODE_KEY(&e, "expires_at");
    if (decision->expires_ms)
        shoal_encode_time(&e, decision->expires_ms);
    else
        shoal_encode_null(&e);
    if (bundle)
        put_offered_bundle(&e, decision->promotion, record);
    if (!carries)
        shoal_encode_map_end(&e);
}

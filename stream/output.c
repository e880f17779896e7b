/* SPDX-License-Identifier: Apache-2.0 */
/* Segment changes and decisions as bytes; see output.h.
 *
 *   change    {"id","user_id","dimension","from":null|level,"to","score","event_time","model"}
 *   decision  {"id","user_id","promotion","eligible","variant":"treatment"|"control",
 *              "reasons":[{"condition","value","limit","met"}…],"scores":{"purchase_24h"},
 *              "segments":{dimension:level|null…},"model","event_time","expires_at":null|time}
 *   swap      {"id","partition","offset","model","previous":null|version[,"clusters":[…]]}
 *
 * An element of "clusters" is {"id","from":id|null[,"jaccard"]} for a cluster of the model, and
 * {"id","to":id|null} for an id of earlier models that it has no cluster of.
 *
 * What a reason's value and limit are:
 *
 *   condition            value               limit
 *   validity             event time          [from|null, until|null]
 *   segment.<dimension>  level|null          [accepted level…]
 *   score.min/score.max  score               score
 *   cooldown             "2h13m"|null        "1d"      time since the last offer; null: none so far
 *   limit                offers so far       most
 *   offer                "10m"               "30m"     age of the standing offer, and its whole
 * time */
#include "stream/output.h"

#include <math.h>
#include <string.h>

#include "stream/encode.h"

size_t shoal_output_id(const char *topic, const struct shoal_event *event, const char *subject,
                       char *id, size_t size)
{
    char middle[64];
    size_t used = 0;
    middle[used++] = '/';
    used += shoal_print_uint((uint64_t)event->partition, middle + used);
    middle[used++] = '/';
    used += shoal_print_uint((uint64_t)event->offset, middle + used);
    if (event->part > 0) {
        middle[used++] = '.';
        used += shoal_print_uint(event->part, middle + used);
    }
    if (event->timer) {
        middle[used++] = '@';
        used += shoal_print_uint((uint64_t)event->touch.time_ms, middle + used);
    }
    middle[used++] = '/';
    const struct {
        const char *text;
        size_t size;
    } pieces[] = {{topic, strlen(topic)}, {middle, used}, {subject, strlen(subject)}};
    size_t length = 0;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        size_t room = size - 1 - length;
        size_t take = pieces[i].size < room ? pieces[i].size : room;
        memcpy(id + length, pieces[i].text, take);
        length += take;
    }
    id[length] = '\0';
    return length;
}

static enum shoal_encode_format encode_format(enum shoal_output_format format)
{
    return format == SHOAL_OUTPUT_JSON ? SHOAL_ENCODE_JSON : SHOAL_ENCODE_MSGPACK;
}

static void put_id(struct shoal_encoder *e, uint8_t id)
{
    if (id)
        shoal_encode_int(e, id);
    else
        shoal_encode_null(e);
}

static void put_clusters(struct shoal_encoder *e, const struct shoal_clusters *clusters)
{
    size_t count = shoal_clusters_count(clusters), retired = shoal_clusters_retired_count(clusters);
    SHOAL_ENCODE_KEY(e, "clusters");
    shoal_encode_array(e, (uint32_t)(count + retired));
    for (size_t j = 0; j < count; j++) {
        const struct shoal_cluster_profile *profile = shoal_clusters_profile(clusters, j);
        shoal_encode_map(e, profile->from ? 3 : 2);
        SHOAL_ENCODE_KEY(e, "id");
        put_id(e, profile->id);
        SHOAL_ENCODE_KEY(e, "from");
        put_id(e, profile->from);
        if (profile->from) {
            SHOAL_ENCODE_KEY(e, "jaccard");
            shoal_encode_score(e, (double)profile->jaccard);
        }
        shoal_encode_map_end(e);
    }
    for (size_t i = 0; i < retired; i++) {
        uint8_t id = shoal_clusters_retired(clusters, i);
        shoal_encode_map(e, 2);
        SHOAL_ENCODE_KEY(e, "id");
        put_id(e, id);
        SHOAL_ENCODE_KEY(e, "to");
        put_id(e, shoal_clusters_successor(clusters, id));
        shoal_encode_map_end(e);
    }
    shoal_encode_array_end(e);
}

void shoal_output_swap(enum shoal_output_format format, int32_t partition, int64_t offset,
                       const char *model, const char *previous,
                       const struct shoal_clusters *clusters, const char *id,
                       struct shoal_buffer *out)
{
    struct shoal_encoder e;
    shoal_encode_init(&e, encode_format(format), out);
    shoal_encode_map(&e, clusters ? 6 : 5);
    SHOAL_ENCODE_KEY(&e, "id");
    shoal_encode_str(&e, id, strlen(id));
    SHOAL_ENCODE_KEY(&e, "partition");
    shoal_encode_int(&e, partition);
    SHOAL_ENCODE_KEY(&e, "offset");
    shoal_encode_int(&e, offset);
    SHOAL_ENCODE_KEY(&e, "model");
    shoal_encode_name(&e, model);
    SHOAL_ENCODE_KEY(&e, "previous");
    shoal_encode_name(&e, previous);
    if (clusters)
        put_clusters(&e, clusters);
    shoal_encode_map_end(&e);
}

void shoal_output_change(enum shoal_output_format format, const struct shoal_event *event,
                         const struct shoal_change *change, const struct shoal_model *model,
                         const char *id, struct shoal_buffer *out)
{
    struct shoal_encoder e;
    shoal_encode_init(&e, encode_format(format), out);
    shoal_encode_map(&e, 8);
    SHOAL_ENCODE_KEY(&e, "id");
    shoal_encode_str(&e, id, strlen(id));
    SHOAL_ENCODE_KEY(&e, "user_id");
    shoal_encode_str(&e, event->user, event->user_size);
    SHOAL_ENCODE_KEY(&e, "dimension");
    shoal_encode_name(&e, shoal_dimension_name(change->dimension));
    SHOAL_ENCODE_KEY(&e, "from");
    shoal_encode_name(&e, shoal_level_name(change->dimension, change->from));
    SHOAL_ENCODE_KEY(&e, "to");
    shoal_encode_name(&e, shoal_level_name(change->dimension, change->to));
    SHOAL_ENCODE_KEY(&e, "score");
    shoal_encode_score(&e, (double)change->score);
    SHOAL_ENCODE_KEY(&e, "event_time");
    shoal_encode_time(&e, event->touch.time_ms);
    SHOAL_ENCODE_KEY(&e, "model");
    shoal_encode_name(&e, model->version);
    shoal_encode_map_end(&e);
}

/* ---- reasons ------------------------------------------------------------------------------- */

static void put_bound(struct shoal_encoder *e, int64_t time_ms)
{
    if (time_ms == INT64_MIN || time_ms == INT64_MAX)
        shoal_encode_null(e);
    else
        shoal_encode_time(e, time_ms);
}

static void put_levels(struct shoal_encoder *e, enum shoal_dimension dimension,
                       const struct shoal_levels *accepted)
{
    unsigned most = shoal_level_count(dimension), count = 0;
    for (unsigned level = 1; level <= most; level++)
        count += shoal_levels_has(accepted, (uint8_t)level);
    shoal_encode_array(e, count);
    for (unsigned level = 1; level <= most; level++) {
        if (shoal_levels_has(accepted, (uint8_t)level))
            shoal_encode_name(e, shoal_level_name(dimension, (uint8_t)level));
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

/* Each kind of condition has its own form of value. */
static void put_value(struct shoal_encoder *e, const struct shoal_reason *reason)
{
    switch (reason->condition) {
    case SHOAL_CONDITION_VALIDITY:
        shoal_encode_time(e, (int64_t)reason->value);
        break;
    case SHOAL_CONDITION_SEGMENT:
        shoal_encode_name(e, shoal_level_name(reason->dimension, (uint8_t)reason->value));
        break;
    case SHOAL_CONDITION_MIN_SCORE:
    case SHOAL_CONDITION_MAX_SCORE:
        shoal_encode_score(e, reason->value);
        break;
    case SHOAL_CONDITION_COOLDOWN:
    case SHOAL_CONDITION_OFFER:
        put_duration(e, reason->value);
        break;
    case SHOAL_CONDITION_LIMIT:
        shoal_encode_int(e, (int64_t)reason->value);
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
    case SHOAL_CONDITION_MIN_SCORE:
    case SHOAL_CONDITION_MAX_SCORE:
        shoal_encode_score(e, reason->limit);
        break;
    case SHOAL_CONDITION_COOLDOWN:
    case SHOAL_CONDITION_OFFER:
        put_duration(e, reason->limit);
        break;
    case SHOAL_CONDITION_LIMIT:
        shoal_encode_int(e, (int64_t)reason->limit);
        break;
    }
}

static void put_condition(struct shoal_encoder *e, const struct shoal_reason *reason)
{
    const char *name = shoal_condition_name(reason->condition);
    if (reason->condition != SHOAL_CONDITION_SEGMENT) {
        shoal_encode_name(e, name);
        return;
    }
    const char *dimension = shoal_dimension_name(reason->dimension);
    char text[64];
    size_t name_size = strlen(name), dimension_size = strlen(dimension);
    memcpy(text, name, name_size);
    text[name_size] = '.';
    memcpy(text + name_size + 1, dimension, dimension_size);
    shoal_encode_str(e, text, name_size + 1 + dimension_size);
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
        put_value(e, reason);
        SHOAL_ENCODE_KEY(e, "limit");
        put_limit(e, decision->promotion, reason);
        SHOAL_ENCODE_KEY(e, "met");
        shoal_encode_bool(e, reason->met);
        shoal_encode_map_end(e);
    }
    shoal_encode_array_end(e);
}

/* Intent and lifecycle always, another dimension if the user has a level in it. */
static bool is_written(const struct shoal_record *record, unsigned dimension)
{
    return dimension <= SHOAL_LIFECYCLE || record->standings[dimension].level > 0;
}

static void put_segments(struct shoal_encoder *e, const struct shoal_record *record)
{
    uint32_t count = 0;
    for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT; d++)
        count += is_written(record, d);
    shoal_encode_map(e, count);
    for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT; d++) {
        if (!is_written(record, d))
            continue;
        const char *key = shoal_dimension_info((enum shoal_dimension)d)->key;
        shoal_encode_quoted_key(e, key, strlen(key));
        shoal_encode_name(e, shoal_level_name((enum shoal_dimension)d, record->standings[d].level));
    }
    shoal_encode_map_end(e);
}

void shoal_output_decision(enum shoal_output_format format, const struct shoal_event *event,
                           const struct shoal_decision *decision, const struct shoal_record *record,
                           const struct shoal_model *model, const char *id,
                           struct shoal_buffer *out)
{
    struct shoal_encoder e;
    shoal_encode_init(&e, encode_format(format), out);
    shoal_encode_map(&e, 11);
    SHOAL_ENCODE_KEY(&e, "id");
    shoal_encode_str(&e, id, strlen(id));
    SHOAL_ENCODE_KEY(&e, "user_id");
    shoal_encode_str(&e, event->user, event->user_size);
    SHOAL_ENCODE_KEY(&e, "promotion");
    shoal_encode_str(&e, decision->promotion->id, strlen(decision->promotion->id));
    SHOAL_ENCODE_KEY(&e, "eligible");
    shoal_encode_bool(&e, decision->eligible);
    SHOAL_ENCODE_KEY(&e, "variant");
    shoal_encode_name(&e, decision->control ? "control" : "treatment");
    SHOAL_ENCODE_KEY(&e, "reasons");
    put_reasons(&e, decision);
    SHOAL_ENCODE_KEY(&e, "scores");
    shoal_encode_map(&e, 1);
    SHOAL_ENCODE_KEY(&e, "purchase_24h");
    shoal_encode_score(&e, (double)record->score);
    shoal_encode_map_end(&e);
    SHOAL_ENCODE_KEY(&e, "segments");
    put_segments(&e, record);
    SHOAL_ENCODE_KEY(&e, "model");
    shoal_encode_name(&e, model->version);
    SHOAL_ENCODE_KEY(&e, "event_time");
    shoal_encode_time(&e, event->touch.time_ms);
    SHOAL_ENCODE_KEY(&e, "expires_at");
    if (decision->expires_ms)
        shoal_encode_time(&e, decision->expires_ms);
    else
        shoal_encode_null(&e);
    shoal_encode_map_end(&e);
}

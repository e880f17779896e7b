/* SPDX-License-Identifier: Apache-2.0 */
/* Ids, segment changes and swaps as bytes; see output.h, and output_decision.c for decisions.
 *
 *   change    {"id","user_id","dimension","from":null|level,"to","score","segments":{…},"event_time","model"}
 *   swap      {"id","partition","offset","model","policy":null|version,"previous":null|version,
 *              "previous_policy":null|version[,"clusters":[…]]}
 *
 * An element of "clusters" is {"id","from":id|null[,"jaccard"]} for a cluster of the model, and
 * {"id","to":id|null} for an id of earlier models that it has no cluster of. */
#include "stream/output.h"

#include <string.h>

#include "state/record.h"
#include "stream/encode.h"

size_t shoal_output_id(const char *topic, const struct shoal_event *event, const char *subject,
                       char *id, size_t size)
{
    char middle[64];
    size_t used = 0;
    int32_t partition; /* of a timer: where the user's last event was, also if the user has moved since */
    int64_t offset;
    shoal_record_source(event->offset, event->partition, &partition, &offset);
    middle[used++] = '/';
    used += shoal_print_uint((uint64_t)partition, middle + used);
    middle[used++] = '/';
    used += shoal_print_uint((uint64_t)offset, middle + used);
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
                       const struct shoal_output_pair *now, const struct shoal_output_pair *previous,
                       const struct shoal_clusters *clusters, const char *id,
                       struct shoal_buffer *out)
{
    struct shoal_encoder e;
    shoal_encode_init(&e, encode_format(format), out);
    shoal_encode_map(&e, clusters ? 8 : 7);
    SHOAL_ENCODE_KEY(&e, "id");
    shoal_encode_str(&e, id, strlen(id));
    SHOAL_ENCODE_KEY(&e, "partition");
    shoal_encode_int(&e, partition);
    SHOAL_ENCODE_KEY(&e, "offset");
    shoal_encode_int(&e, offset);
    SHOAL_ENCODE_KEY(&e, "model");
    shoal_encode_name(&e, now->model);
    SHOAL_ENCODE_KEY(&e, "policy");
    shoal_encode_name(&e, now->policy);
    SHOAL_ENCODE_KEY(&e, "previous");
    shoal_encode_name(&e, previous ? previous->model : NULL);
    SHOAL_ENCODE_KEY(&e, "previous_policy");
    shoal_encode_name(&e, previous ? previous->policy : NULL);
    if (clusters)
        put_clusters(&e, clusters);
    shoal_encode_map_end(&e);
}

static bool is_written(const struct shoal_record *record, unsigned dimension)
{
    return dimension <= SHOAL_LIFECYCLE || record->standings[dimension].level > 0;
}

void shoal_output_standings(struct shoal_encoder *e, const struct shoal_record *record)
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

void shoal_output_change(enum shoal_output_format format, const struct shoal_event *event,
                         const struct shoal_change *change, const struct shoal_record *record,
                         const struct shoal_model *model, const char *id, struct shoal_buffer *out)
{
    struct shoal_encoder e;
    shoal_encode_init(&e, encode_format(format), out);
    shoal_encode_map(&e, 9);
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
    SHOAL_ENCODE_KEY(&e, "segments");
    shoal_output_standings(&e, record);
    SHOAL_ENCODE_KEY(&e, "event_time");
    shoal_encode_time(&e, event->touch.time_ms);
    SHOAL_ENCODE_KEY(&e, "model");
    shoal_encode_name(&e, model->version);
    shoal_encode_map_end(&e);
}

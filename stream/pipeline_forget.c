/* SPDX-License-Identifier: Apache-2.0 */
/* The end of what is kept of a user: because a message says so (forget.h), or because the user's own event
 * withdraws the consent to be processed.
 *
 *   forgotten     no record is left: the store deletes it and its timer with the next save. An event that comes
 *                 later begins a new user.
 *   declined      a record is left that says only that, and since which offset: later events are dropped and
 *                 counted until one gives the consent again, from which on the user begins anew. To be forgotten
 *                 does not lift it: who objected and then asks to be forgotten must not be processed with the next
 *                 event, so that this one word is kept, as lists of objections are (GDPR art. 21, 17(3)(b)).
 *
 * Both write tombstones, messages with the user's id as key and no value: who holds something of this
 * user is to drop it, and a compacted topic does so itself. Of a user of whom there is no record all partitions may
 * have been told. Then one writes them, since what subscribers hold may be older than what is kept here: the
 * partition of the id. If all did, the last might come behind the outputs of a user who has begun anew meanwhile.
 * (With pseudonyms, or another partitioner, it may be another one than that of the events, and this can happen.)
 *
 * What a partition keeps of its users together (the correction's sums, what is left of its budgets, what was offered
 * and bought) stays as it is: no user can be found in it. (The watermark remembers hashes of up to three users whose
 * clocks are ahead, until somebody's is not.) But the user is no longer counted where users stand.
 *
 * A record that is left empty bears the model of now, as it would if it had been loaded under it: what is saved must
 * not depend on how the log was cut. */
#include <string.h>

#include "stream/pipeline_internal.h"

enum shoal_status pipeline_wipe(struct shoal_pipeline *p, struct item *item)
{
    struct shoal_record *record = &item->entry->record;
    enum shoal_status status =
        shoal_timer_queue_move(&item->state->timers, item->event.user, item->event.user_size,
                               record->timer_ms, 0);
    if (record->events_count > 0)
        shoal_tally_go(&item->state->tally, p->options.model->clusters, record);
    shoal_record_init(record, record->hidden, record->h);
    memset(record->ring, 0, sizeof record->ring);
    memset(record->grants, 0, sizeof record->grants);
    memset(record->ids, 0, sizeof record->ids);
    record->model = p->options.model->id;
    shoal_cache_mark_dirty(p->cache, item->entry);
    return status;
}

static enum shoal_status write_tombstone(struct shoal_pipeline *p, struct item *item,
                                         enum shoal_topic topic)
{
    char id[512];
    size_t size = shoal_output_id(p->options.topic, &item->event, "forgotten", id, sizeof id);
    struct pending *pending = shoal_arena_alloc(&p->arena, sizeof *pending);
    char *id_copy = shoal_arena_copy(&p->arena, id, size);
    if (!pending || !id_copy)
        return SHOAL_NOMEM;
    *pending = (struct pending){
        .output =
            {
                .topic = topic,
                .key = item->event.user,
                .key_size = item->event.user_size,
                .id = id_copy,
                .id_size = size,
                .time_ms = item->event.touch.time_ms,
            },
    };
    *item->last = pending;
    item->last = &pending->next;
    return SHOAL_OK;
}

static bool is_of_here(const struct shoal_pipeline *p, const struct item *item)
{
    return !pipeline_is_empty(&item->entry->record) ||
           shoal_partition_of(item->event.user, item->event.user_size, p->options.partitions) ==
               item->event.partition;
}

enum shoal_status pipeline_forget(struct shoal_pipeline *p, struct item *item)
{
    struct shoal_record *record = &item->entry->record;
    bool declined = shoal_consent_declined(record);
    enum shoal_status status = SHOAL_OK;
    p->counts.declined += !item->forget;
    if (item->forget ? !is_of_here(p, item) : declined)
        return SHOAL_OK;
    if (!declined)
        status = pipeline_wipe(p, item);
    if (!item->forget) {
        record->offset = item->event.offset;
        record->consent = SHOAL_CONSENT_PROCESSING << SHOAL_CONSENT_KNOWN_SHIFT;
    }
    p->counts.forgotten++;
    if (status == SHOAL_OK && !item->suppressed)
        status = write_tombstone(p, item, SHOAL_TOPIC_SEGMENTS);
    if (status == SHOAL_OK && !item->suppressed)
        status = write_tombstone(p, item, SHOAL_TOPIC_DECISIONS);
    return status;
}

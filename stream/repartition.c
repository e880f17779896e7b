/* SPDX-License-Identifier: Apache-2.0 */
/* The move of states between partitions; see repartition.h. */
#include "stream/repartition.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/base/crash.h"
#include "state/record.h"
#include "stream/consent.h"
#include "stream/partition_state.h"
#include "stream/tally_clusters.h"

enum { CHUNK = 1000 }; /* users in one load */

static const struct shoal_slice nobody = {"", 0};

struct movers {
    struct shoal_buffer users; /* ids, each behind one byte of length */
    size_t count;
};

/* A user of the chunk at hand. */
struct moved {
    struct shoal_slice user;
    int32_t target;
    int64_t timer_ms;
    size_t at, size; /* of the record in `bytes` */
};

struct move {
    struct shoal_store *store;
    const struct shoal_repartition_options *options;
    struct shoal_message *message;
    struct movers *movers; /* by partition that they leave */
    uint64_t total, done;
    struct moved chunk[CHUNK];
    struct shoal_save_item items[CHUNK + 1];
    struct shoal_slice users[CHUNK], values[CHUNK];
    struct shoal_buffer bytes; /* records of the chunk */
    struct shoal_partition_state *states; /* owned; `to`: as saved, what is kept of each as a whole */
    struct shoal_buffer state_bytes;
};

static enum shoal_status out_of_memory(struct move *move)
{
    return shoal_fail(move->message, SHOAL_NOMEM, "out of memory");
}

static void tell(const struct move *move, const char *step)
{
    if (move->options->progress)
        move->options->progress(move->options->opaque, step, move->done, move->total);
}

static int32_t place_of(const struct move *move, struct shoal_slice user)
{
    return shoal_partitioner_of(move->options->partitioner, user.bytes, user.size,
                                move->options->to);
}

/* The checkpoint's offset does not move: a new partition has none until the end, so that one whose copies
 * are lost is known by it. */
static enum shoal_status save(struct move *move, int32_t partition,
                              const struct shoal_save_item *items, size_t count, int64_t next_offset)
{
    const struct shoal_checkpoint *checkpoint = &move->options->checkpoints[partition];
    uint64_t model = checkpoint->model ? checkpoint->model : move->options->checkpoints[0].model;
    return move->store->ops->save(move->store, partition, items, count, next_offset, model,
                                  move->message);
}

static int64_t offset_now(const struct move *move, int32_t partition)
{
    return partition < move->options->from ? move->options->boundaries[partition] : -1;
}

/* ---- who moves ----------------------------------------------------------------------------- */

static enum shoal_status collect(void *opaque, int32_t partition, struct shoal_slice user,
                                 struct shoal_slice value)
{
    struct move *move = opaque;
    uint8_t size = (uint8_t)user.size;
    (void)value;
    if (partition >= move->options->to || place_of(move, user) == partition)
        return SHOAL_OK;
    struct movers *movers = &move->movers[partition];
    shoal_buffer_append(&movers->users, &size, 1);
    shoal_buffer_append(&movers->users, user.bytes, user.size);
    movers->count++;
    move->total++;
    return movers->users.failed ? SHOAL_NOMEM : SHOAL_OK;
}

/* Up to CHUNK of a partition's movers from *at on, which is moved behind them. */
static size_t next_chunk(struct move *move, const struct movers *movers, size_t *at)
{
    size_t count = 0;
    while (count < CHUNK && *at < movers->users.size) {
        const uint8_t *id = movers->users.bytes + *at;
        move->users[count++] = (struct shoal_slice){id + 1, *id};
        *at += 1 + (size_t)*id;
    }
    return count;
}

/* ---- copies -------------------------------------------------------------------------------- */

/* The record of these bytes; its h and c, which the caller frees also after a failure, in *hc. */
static enum shoal_status decode(struct move *move, struct shoal_slice user, struct shoal_slice value,
                                struct shoal_record *record, enum shoal_precision *precision,
                                float **hc)
{
    uint32_t hidden;
    *hc = NULL;
    enum shoal_status status = shoal_record_shape(value.bytes, value.size, &hidden, precision);
    if (status == SHOAL_OK && !(*hc = calloc(2 * (size_t)hidden + 1, sizeof **hc)))
        return out_of_memory(move);
    if (status == SHOAL_OK) {
        shoal_record_init(record, hidden, *hc);
        status = shoal_record_decode(record, value.bytes, value.size);
    }
    return status == SHOAL_OK ? SHOAL_OK
                              : shoal_fail(move->message, status, "record of user '%.*s': %s",
                                           (int)user.size, (const char *)user.bytes,
                                           shoal_status_text(status));
}

/* The record as it will stand in its new place: the same but for where its last event was. */
static enum shoal_status recode(struct move *move, int32_t partition, struct shoal_slice value,
                                struct moved *moved)
{
    enum shoal_precision precision;
    struct shoal_record record;
    float *hc;
    enum shoal_status status = decode(move, moved->user, value, &record, &precision, &hc);
    if (status == SHOAL_OK) {
        record.offset = shoal_record_leave(record.offset, partition);
        moved->timer_ms = record.timer_ms;
        moved->at = move->bytes.size;
        if (record.offset == INT64_MIN)
            status = shoal_fail(move->message, SHOAL_INVALID,
                                "partition %d: numbers of partitions and offsets as large as these "
                                "cannot be kept in a record",
                                (int)partition);
        else
            shoal_record_encode(&record, precision, &move->bytes);
        moved->size = move->bytes.size - moved->at;
    }
    free(hc);
    return status == SHOAL_OK && move->bytes.failed ? out_of_memory(move) : status;
}

/* Counts a record in the partition that it comes to, or no longer in the one that it leaves. Who has declined
 * to be processed is no user to be counted. */
static enum shoal_status count_in(struct move *move, int32_t partition, struct shoal_slice user,
                                  struct shoal_slice value, bool comes)
{
    enum shoal_precision precision;
    struct shoal_record record;
    float *hc;
    struct shoal_tally *tally = &move->states[partition].tally;
    enum shoal_status status = decode(move, user, value, &record, &precision, &hc);
    if (status == SHOAL_OK && record.events_count > 0 && !shoal_consent_declined(&record)) {
        if (comes)
            shoal_tally_come(tally, NULL, &record);
        else
            shoal_tally_go(tally, NULL, &record);
    }
    free(hc);
    return status;
}

/* What is kept of the partition as a whole, to be saved with its records. */
static enum shoal_status state_item(struct move *move, int32_t partition,
                                    struct shoal_save_item *item)
{
    shoal_buffer_clear(&move->state_bytes);
    shoal_partition_state_encode(&move->states[partition], &move->state_bytes);
    *item = (struct shoal_save_item){
        .user = nobody, .value = {move->state_bytes.bytes, move->state_bytes.size}};
    return move->state_bytes.failed ? out_of_memory(move) : SHOAL_OK;
}

/* Loads the chunk's records; *count becomes those that are there. */
static enum shoal_status load(struct move *move, int32_t partition, size_t *count)
{
    size_t there = 0;
    shoal_buffer_clear(&move->bytes);
    enum shoal_status status = move->store->ops->load(move->store, partition, move->users, *count,
                                                      move->values, move->message);
    for (size_t i = 0; i < *count && status == SHOAL_OK; i++) {
        if (!move->values[i].bytes)
            continue;
        struct moved *moved = &move->chunk[there++];
        *moved = (struct moved){.user = move->users[i], .target = place_of(move, move->users[i])};
        status = recode(move, partition, move->values[i], moved);
    }
    *count = there;
    return status;
}

static int by_target(const void *a, const void *b)
{
    const struct moved *one = a, *two = b;
    return one->target < two->target ? -1 : one->target > two->target;
}

/* The copies to one partition, `count` from `first` on. Whoever is there already, of a move that was broken
 * off, has been counted there. */
static enum shoal_status save_to(struct move *move, const struct moved *first, size_t count)
{
    int32_t target = first->target;
    for (size_t i = 0; i < count; i++) {
        move->users[i] = first[i].user;
        move->items[i] = (struct shoal_save_item){
            .user = first[i].user,
            .value = {move->bytes.bytes + first[i].at, first[i].size},
            .timer_moves = true,
            .timer_ms = first[i].timer_ms,
        };
    }
    enum shoal_status status = move->store->ops->load(move->store, target, move->users, count,
                                                      move->values, move->message);
    for (size_t i = 0; i < count && status == SHOAL_OK; i++) {
        if (!move->values[i].bytes)
            status = count_in(move, target, move->items[i].user, move->items[i].value, true);
    }
    if (status == SHOAL_OK)
        status = state_item(move, target, &move->items[count]);
    return status == SHOAL_OK
               ? save(move, target, move->items, count + 1, offset_now(move, target))
               : status;
}

static enum shoal_status save_copies(struct move *move, size_t count)
{
    enum shoal_status status = SHOAL_OK;
    if (count > 0)
        qsort(move->chunk, count, sizeof *move->chunk, by_target);
    for (size_t i = 0, until; i < count && status == SHOAL_OK; i = until) {
        for (until = i; until < count && move->chunk[until].target == move->chunk[i].target;)
            until++;
        status = save_to(move, &move->chunk[i], until - i);
    }
    return status;
}

static enum shoal_status copy(struct move *move)
{
    move->done = 0;
    for (int32_t p = 0; p < move->options->to; p++) {
        for (size_t at = 0; at < move->movers[p].users.size;) {
            size_t count = next_chunk(move, &move->movers[p], &at), there = count;
            enum shoal_status status = load(move, p, &there);
            if (status == SHOAL_OK)
                status = save_copies(move, there);
            if (status != SHOAL_OK)
                return status;
            move->done += count;
            tell(move, "copied");
            shoal_crash_point("repartition.copied");
        }
    }
    return SHOAL_OK;
}

/* ---- what is kept of a partition as a whole ------------------------------------------------ */

/* The states are spread once, and each partition's says so: a move that is taken up again finds what came out in any of
 * them, also where a failover has lost others. What is counted stays where it was counted; users are counted where they
 * are. */
static enum shoal_status spread(struct move *move)
{
    int32_t from = move->options->from, to = move->options->to;
    int32_t found = -1;
    enum shoal_status status = SHOAL_OK;
    struct shoal_partition_state *each = calloc(1, sizeof *each);
    move->states = calloc((size_t)to, sizeof *move->states);
    if (!each || !move->states)
        status = out_of_memory(move);
    for (int32_t p = 0; p < to && status == SHOAL_OK; p++) {
        status = shoal_partition_state_read(move->store, p, &move->states[p], move->message);
        if (move->states[p].spread == (uint32_t)to)
            found = p;
    }
    if (status == SHOAL_OK && found >= 0)
        *each = move->states[found];
    else if (status == SHOAL_OK)
        shoal_partition_state_spread(move->states, (size_t)from, to, each);
    for (int32_t p = to; p-- > 0 && status == SHOAL_OK;) {
        struct shoal_save_item item;
        const struct shoal_tally_clusters *clusters = &move->states[0].tally.clusters;
        if (p >= from) /* ways between clusters are counted by those of the same model */
            shoal_tally_places(&move->states[p].tally.clusters, clusters->ids, clusters->count);
        move->states[p].watermark = each->watermark;
        move->states[p].budgets = each->budgets;
        move->states[p].correction = each->correction;
        move->states[p].pseudonyms = move->states[0].pseudonyms;
        move->states[p].spread = (uint32_t)to;
        status = state_item(move, p, &item);
        if (status == SHOAL_OK)
            status = save(move, p, &item, 1, offset_now(move, p));
        shoal_crash_point("repartition.spread");
    }
    free(each);
    return status;
}

/* ---- originals ----------------------------------------------------------------------------- */

static enum shoal_status verify(struct move *move)
{
    enum shoal_status status = SHOAL_OK;
    for (int32_t p = 0; p < move->options->to && status == SHOAL_OK; p++)
        status = move->store->ops->verify(move->store, p, move->message);
    return status;
}

static enum shoal_status settle(struct move *move)
{
    struct timespec pause = {move->options->settle_ms / 1000,
                             move->options->settle_ms % 1000 * 1000000L};
    struct shoal_layout layout;
    enum shoal_status status = verify(move);
    if (status == SHOAL_OK && move->total > 0)
        nanosleep(&pause, NULL);
    if (status == SHOAL_OK)
        status = move->store->ops->layout(move->store, &layout, move->message);
    if (status == SHOAL_OK && layout.becoming != move->options->to)
        status = shoal_fail(move->message, SHOAL_UNAVAILABLE,
                            "Redis has lost writes: the layout no longer tells of the move. Start it again");
    return status;
}

/* Deletes the chunk, of users who are all copied, and counts them no longer. */
static enum shoal_status delete_chunk(struct move *move, int32_t partition, size_t count)
{
    enum shoal_status status = verify(move); /* all copies are there */
    if (status == SHOAL_OK)
        status = move->store->ops->load(move->store, partition, move->users, count, move->values,
                                        move->message);
    for (size_t i = 0; i < count && status == SHOAL_OK; i++) {
        move->items[i] = (struct shoal_save_item){.user = move->users[i]};
        if (move->values[i].bytes)
            status = count_in(move, partition, move->users[i], move->values[i], false);
    }
    if (status == SHOAL_OK)
        status = state_item(move, partition, &move->items[count]);
    return status == SHOAL_OK
               ? save(move, partition, move->items, count + 1, offset_now(move, partition))
               : status;
}

static enum shoal_status delete_originals(struct move *move)
{
    move->done = 0;
    for (int32_t p = 0; p < move->options->to; p++) {
        for (size_t at = 0; at < move->movers[p].users.size;) {
            size_t count = next_chunk(move, &move->movers[p], &at);
            enum shoal_status status = delete_chunk(move, p, count);
            if (status != SHOAL_OK)
                return status;
            move->done += count;
            tell(move, "deleted");
            shoal_crash_point("repartition.deleted");
        }
    }
    return SHOAL_OK;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static enum shoal_status finish(struct move *move)
{
    struct shoal_layout moving = {move->options->from, move->options->to};
    struct shoal_layout still = {move->options->to, 0};
    enum shoal_status status = SHOAL_OK;
    for (int32_t p = move->options->from; p < move->options->to && status == SHOAL_OK; p++)
        status = save(move, p, NULL, 0, move->options->boundaries[p]);
    if (status == SHOAL_OK)
        status = verify(move);
    shoal_crash_point("repartition.before_end");
    if (status == SHOAL_OK)
        status = move->store->ops->set_layout(move->store, &moving, &still, move->message);
    return status;
}

static enum shoal_status begin(struct move *move)
{
    struct shoal_layout found, before = {move->options->from, 0};
    struct shoal_layout moving = {move->options->from, move->options->to};
    enum shoal_status status = move->store->ops->layout(move->store, &found, move->message);
    if (status == SHOAL_OK && found.becoming != moving.becoming)
        status = move->store->ops->set_layout(move->store, &before, &moving, move->message);
    shoal_crash_point("repartition.begun");
    return status;
}

enum shoal_status shoal_repartition(struct shoal_store *store,
                                    const struct shoal_repartition_options *options,
                                    uint64_t *moved, struct shoal_message *message)
{
    *moved = 0;
    struct move *move = calloc(1, sizeof *move);
    struct movers *movers = calloc((size_t)options->to, sizeof *movers);
    enum shoal_status status = SHOAL_OK;
    if (!move || !movers)
        status = shoal_fail(message, SHOAL_NOMEM, "out of memory");
    if (status == SHOAL_OK) {
        *move = (struct move){
            .store = store, .options = options, .message = message, .movers = movers};
        status = begin(move);
    }
    if (status == SHOAL_OK)
        status = store->ops->scan(store, collect, move, message);
    if (status == SHOAL_OK)
        status = spread(move);
    if (status == SHOAL_OK)
        status = copy(move);
    if (status == SHOAL_OK)
        status = settle(move);
    if (status == SHOAL_OK)
        status = options->record(options->opaque, message);
    shoal_crash_point("repartition.recorded");
    if (status == SHOAL_OK)
        status = delete_originals(move);
    if (status == SHOAL_OK)
        status = finish(move);
    if (status == SHOAL_OK)
        *moved = move->total;
    for (int32_t p = 0; movers && p < options->to; p++)
        shoal_buffer_finish(&movers[p].users);
    if (move) {
        shoal_buffer_finish(&move->bytes);
        shoal_buffer_finish(&move->state_bytes);
        free(move->states);
    }
    free(movers);
    free(move);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The move of states between partitions; see repartition.h. */
#include "stream/repartition.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/base/crash.h"
#include "state/record.h"
#include "stream/partition_state.h"

enum { CHUNK = 1000 }; /* users in one load */

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
    struct shoal_save_item items[CHUNK];
    struct shoal_slice users[CHUNK], values[CHUNK];
    struct shoal_buffer bytes; /* records of the chunk */
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

/* The record as it will stand in its new place: the same but for where its last event was. */
static enum shoal_status recode(struct move *move, int32_t partition, struct shoal_slice value,
                                struct moved *moved)
{
    uint32_t hidden;
    enum shoal_precision precision;
    struct shoal_record record;
    enum shoal_status status = shoal_record_shape(value.bytes, value.size, &hidden, &precision);
    float *hc = status == SHOAL_OK ? calloc(2 * (size_t)hidden + 1, sizeof *hc) : NULL;
    if (status == SHOAL_OK && !hc)
        return out_of_memory(move);
    if (status == SHOAL_OK) {
        shoal_record_init(&record, hidden, hc);
        status = shoal_record_decode(&record, value.bytes, value.size);
    }
    if (status == SHOAL_OK) {
        record.offset = shoal_record_leave(record.offset, partition);
        moved->timer_ms = record.timer_ms;
        moved->at = move->bytes.size;
        if (record.offset == INT64_MIN)
            status = SHOAL_INVALID;
        else
            shoal_record_encode(&record, precision, &move->bytes);
        moved->size = move->bytes.size - moved->at;
    }
    free(hc);
    if (status != SHOAL_OK)
        return shoal_fail(move->message, status, "record of user '%.*s' in partition %d: %s",
                          (int)moved->user.size, (const char *)moved->user.bytes, (int)partition,
                          shoal_status_text(status));
    return move->bytes.failed ? out_of_memory(move) : SHOAL_OK;
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

static enum shoal_status save_copies(struct move *move, size_t count)
{
    if (count > 0)
        qsort(move->chunk, count, sizeof *move->chunk, by_target);
    for (size_t i = 0, until; i < count; i = until) {
        int32_t target = move->chunk[i].target;
        for (until = i; until < count && move->chunk[until].target == target; until++) {
            const struct moved *moved = &move->chunk[until];
            move->items[until - i] = (struct shoal_save_item){
                .user = moved->user,
                .value = {move->bytes.bytes + moved->at, moved->size},
                .timer_moves = true,
                .timer_ms = moved->timer_ms,
            };
        }
        enum shoal_status status =
            save(move, target, move->items, until - i, offset_now(move, target));
        if (status != SHOAL_OK)
            return status;
    }
    return SHOAL_OK;
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

static const struct shoal_slice nobody = {"", 0};

static enum shoal_status load_state(struct move *move, int32_t partition,
                                    struct shoal_partition_state *state, bool *there)
{
    struct shoal_slice value;
    enum shoal_status status =
        move->store->ops->load(move->store, partition, &nobody, 1, &value, move->message);
    if (status != SHOAL_OK)
        return status;
    *there = value.bytes != NULL;
    status = shoal_partition_state_decode(value.bytes, value.size, state);
    if (!*there)
        return SHOAL_OK; /* that of a partition without any: nothing was decoded, all is at its start */
    return status == SHOAL_OK
               ? SHOAL_OK
               : shoal_fail(move->message, status, "partition %d: what is kept of it as a whole: %s",
                            (int)partition, shoal_status_text(status));
}

/* The states are spread once, and what came out is kept with the last partition, a new one, before any other
 * is written: a move that is taken up again finds it there. */
static enum shoal_status spread(struct move *move, struct shoal_partition_state *each)
{
    int32_t from = move->options->from, last = move->options->to - 1;
    bool there;
    enum shoal_status status = load_state(move, last, each, &there);
    if (status != SHOAL_OK || there)
        return status;
    struct shoal_partition_state *states = calloc((size_t)from, sizeof *states);
    if (!states)
        return out_of_memory(move);
    for (int32_t p = 0; p < from && status == SHOAL_OK; p++)
        status = load_state(move, p, &states[p], &there);
    if (status == SHOAL_OK)
        shoal_partition_state_spread(states, (size_t)from, move->options->to, each);
    free(states);
    return status;
}

static enum shoal_status copy_states(struct move *move)
{
    struct shoal_partition_state *each = calloc(1, sizeof *each);
    if (!each)
        return out_of_memory(move);
    enum shoal_status status = spread(move, each);
    shoal_buffer_clear(&move->bytes);
    if (status == SHOAL_OK)
        shoal_partition_state_encode(each, &move->bytes);
    free(each);
    if (status == SHOAL_OK && move->bytes.failed)
        status = out_of_memory(move);
    struct shoal_save_item item = {.user = nobody,
                                   .value = {move->bytes.bytes, move->bytes.size}};
    for (int32_t p = move->options->to; p-- > 0 && status == SHOAL_OK;) {
        status = save(move, p, &item, 1, offset_now(move, p));
        shoal_crash_point("repartition.spread");
    }
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
    enum shoal_status status = verify(move);
    if (status == SHOAL_OK && move->total > 0)
        nanosleep(&pause, NULL);
    return status;
}

static enum shoal_status delete_originals(struct move *move)
{
    move->done = 0;
    for (int32_t p = 0; p < move->options->to; p++) {
        for (size_t at = 0; at < move->movers[p].users.size;) {
            size_t count = next_chunk(move, &move->movers[p], &at);
            for (size_t i = 0; i < count; i++)
                move->items[i] = (struct shoal_save_item){.user = move->users[i]};
            enum shoal_status status = verify(move); /* all copies are there */
            if (status == SHOAL_OK)
                status = save(move, p, move->items, count, offset_now(move, p));
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
        status = copy(move);
    if (status == SHOAL_OK)
        status = copy_states(move);
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
    if (move)
        shoal_buffer_finish(&move->bytes);
    free(movers);
    free(move);
    return status;
}

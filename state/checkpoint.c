/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints; see checkpoint.h. The rules of fencing stand here once, for every store.
 *
 * Owner and epoch name one tenure of one owner; within it the saves are numbered. A stored number
 * below the last one known to be written means that the store went back in time. One above it is a
 * save whose answer never arrived: it holds what this owner wanted to be there, and what it will
 * write next only moves on from that, so it may go on. */
#include "state/checkpoint.h"

#include <inttypes.h>

enum { CHECKPOINT_VERSION = 1, FIELDS = 6 };

void shoal_checkpoint_encode(const struct shoal_checkpoint *checkpoint, struct shoal_buffer *out)
{
    shoal_pack_array(out, FIELDS);
    shoal_pack_uint(out, CHECKPOINT_VERSION);
    shoal_pack_int(out, checkpoint->next_offset);
    shoal_pack_uint(out, checkpoint->epoch);
    shoal_pack_uint(out, checkpoint->owner);
    shoal_pack_uint(out, checkpoint->model);
    shoal_pack_uint(out, checkpoint->saves);
}

enum shoal_status shoal_checkpoint_decode(const void *bytes, size_t size,
                                          struct shoal_checkpoint *checkpoint)
{
    struct shoal_unpack reader;
    *checkpoint = shoal_checkpoint_none();
    shoal_unpack_init(&reader, bytes, size);
    uint32_t fields = shoal_unpack_array(&reader, UINT32_MAX);
    uint64_t version = shoal_unpack_uint(&reader, UINT32_MAX);
    if (reader.status == SHOAL_OK && version != CHECKPOINT_VERSION)
        return SHOAL_VERSION;
    struct shoal_checkpoint read = {
        .next_offset = shoal_unpack_int(&reader, -1, INT64_MAX),
        .epoch = 0,
    };
    read.epoch = shoal_unpack_uint(&reader, UINT64_MAX - 1);
    read.owner = shoal_unpack_uint(&reader, UINT64_MAX);
    read.model = shoal_unpack_uint(&reader, UINT64_MAX);
    read.saves = shoal_unpack_uint(&reader, UINT64_MAX - 1);
    if (reader.status != SHOAL_OK || fields != FIELDS || reader.position != reader.size)
        return SHOAL_DAMAGED;
    *checkpoint = read;
    return SHOAL_OK;
}

struct shoal_checkpoint shoal_checkpoint_none(void)
{
    return (struct shoal_checkpoint){.next_offset = -1};
}

struct shoal_checkpoint shoal_checkpoint_take(const struct shoal_checkpoint *found, uint64_t owner)
{
    struct shoal_checkpoint taken = *found;
    taken.epoch++;
    taken.owner = owner;
    taken.saves = 0;
    return taken;
}

enum shoal_status shoal_checkpoint_guard(const struct shoal_checkpoint *held, uint64_t tried,
                                         const struct shoal_checkpoint *found, int32_t partition,
                                         bool *lost, struct shoal_message *message)
{
    *lost = false;
    if (!found) {
        *lost = true;
        return shoal_fail(message, SHOAL_FENCED,
                          "partition %" PRId32 ": the store lost writes: the checkpoint of epoch "
                          "%" PRIu64 " at offset %" PRId64 " is gone",
                          partition, held->epoch, held->next_offset);
    }
    if (found->epoch == held->epoch && found->owner == held->owner) {
        if (found->saves >= held->saves && found->saves <= tried)
            return SHOAL_OK;
        *lost = true;
        return shoal_fail(
            message, SHOAL_FENCED,
            "partition %" PRId32 ": the store lost writes: it is back at offset "
            "%" PRId64 " (save %" PRIu64 "), %" PRId64 " (save %" PRIu64 ") was saved",
            partition, found->next_offset, found->saves, held->next_offset, held->saves);
    }
    if (found->epoch > held->epoch)
        return shoal_fail(message, SHOAL_FENCED,
                          "partition %" PRId32 ": another owner has taken over with epoch %" PRIu64
                          ", ours is %" PRIu64,
                          partition, found->epoch, held->epoch);
    if (found->epoch == held->epoch)
        return shoal_fail(message, SHOAL_FENCED,
                          "partition %" PRId32 ": another owner has taken over with the same epoch "
                          "%" PRIu64 ", after the store lost writes",
                          partition, found->epoch);
    *lost = true;
    return shoal_fail(message, SHOAL_FENCED,
                      "partition %" PRId32 ": the store lost writes: it is back at epoch %" PRIu64
                      " (offset %" PRId64 "), ours is %" PRIu64 " (offset %" PRId64 ")",
                      partition, found->epoch, found->next_offset, held->epoch, held->next_offset);
}

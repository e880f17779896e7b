/* SPDX-License-Identifier: Apache-2.0 */
/* A partition's checkpoint: its bytes, and who may write over it.
 *
 * Bytes: a MessagePack array [1, next_offset, epoch, owner, model, saves]. */
#ifndef SHOAL_CHECKPOINT_H
#define SHOAL_CHECKPOINT_H

#include "model/base/pack.h"
#include "state/store.h"

void shoal_checkpoint_encode(const struct shoal_checkpoint *checkpoint, struct shoal_buffer *out);
/* VERSION or DAMAGED. */
enum shoal_status shoal_checkpoint_decode(const void *bytes, size_t size,
                                          struct shoal_checkpoint *checkpoint) SHOAL_MUST_CHECK;

/* What the next owner writes when it takes a partition over. `found` as acquire hands it out. */
struct shoal_checkpoint shoal_checkpoint_take(const struct shoal_checkpoint *found, uint64_t owner);
/* The checkpoint found where nothing was ever saved. */
struct shoal_checkpoint shoal_checkpoint_none(void);

/* May an owner that last wrote `held`, and has tried saves up to number `tried`, write over `found`
 * (NULL = there is none)? OK also when a save whose outcome it never learnt was applied after all.
 * Else FENCED, with the reason; *lost tells that the store lost writes, and no other owner came. */
enum shoal_status shoal_checkpoint_guard(const struct shoal_checkpoint *held, uint64_t tried,
                                         const struct shoal_checkpoint *found, int32_t partition,
                                         bool *lost,
                                         struct shoal_message *message) SHOAL_MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* States of partitions; see partition_state.h. */
#include "stream/partition_state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 2, FIELDS = 5 };

void shoal_partition_states_finish(struct shoal_partition_states *states)
{
    for (size_t i = 0; i < states->count; i++) {
        if (states->list[i])
            shoal_timer_queue_finish(&states->list[i]->timers);
        free(states->list[i]);
    }
    free((void *)states->list);
    *states = (struct shoal_partition_states){0};
}

static enum shoal_status grow(struct shoal_partition_states *states, int32_t partition)
{
    size_t want = (size_t)partition + 1;
    if (want > states->count) {
        struct shoal_partition_state **grown =
            realloc((void *)states->list, want * sizeof(struct shoal_partition_state *));
        if (!grown)
            return SHOAL_NOMEM;
        memset((void *)(grown + states->count), 0,
               (want - states->count) * sizeof(struct shoal_partition_state *));
        states->list = grown;
        states->count = want;
    }
    if (!states->list[partition])
        states->list[partition] = calloc(1, sizeof *states->list[partition]);
    return states->list[partition] ? SHOAL_OK : SHOAL_NOMEM;
}

void shoal_partition_state_init(struct shoal_partition_state *state)
{
    shoal_watermark_init(&state->watermark);
    shoal_budgets_init(&state->budgets);
    shoal_correction_init(&state->correction, 0, 0);
    shoal_tally_init(&state->tally);
    state->pseudonyms = 0;
    state->spread = 0;
}

static void pack_correction(const struct shoal_correction *correction, struct shoal_buffer *out)
{
    struct shoal_buffer bytes = {0};
    if (correction->model == 0) {
        shoal_pack_nil(out);
        return;
    }
    shoal_correction_encode(correction, &bytes);
    shoal_pack_bin(out, bytes.bytes, bytes.size);
    out->failed = out->failed || bytes.failed;
    shoal_buffer_finish(&bytes);
}

void shoal_partition_state_encode(const struct shoal_partition_state *state,
                                  struct shoal_buffer *out)
{
    shoal_pack_array(out, FIELDS + (state->spread ? 2 : state->pseudonyms != 0));
    shoal_pack_uint(out, VERSION);
    shoal_watermark_pack(&state->watermark, out);
    shoal_budgets_pack(&state->budgets, out);
    pack_correction(&state->correction, out);
    shoal_tally_pack(&state->tally, out);
    if (state->pseudonyms || state->spread)
        shoal_pack_uint(out, state->pseudonyms);
    if (state->spread)
        shoal_pack_uint(out, state->spread);
}

enum shoal_status shoal_partition_state_decode(const void *bytes, size_t size,
                                               struct shoal_partition_state *state)
{
    struct shoal_unpack in;
    struct shoal_pack_value correction;
    shoal_partition_state_init(state);
    shoal_unpack_init(&in, bytes, size);
    uint32_t fields = shoal_unpack_array(&in, UINT32_MAX);
    uint64_t version = shoal_unpack_uint(&in, UINT32_MAX);
    if (in.status == SHOAL_OK && version != VERSION)
        return SHOAL_VERSION;
    shoal_watermark_unpack(&in, &state->watermark);
    shoal_budgets_unpack(&in, &state->budgets);
    bool there = shoal_unpack_next(&in, &correction);
    shoal_tally_unpack(&in, &state->tally);
    state->pseudonyms = fields > FIELDS ? shoal_unpack_uint(&in, UINT64_MAX) : 0;
    state->spread = fields > FIELDS + 1 ? (uint32_t)shoal_unpack_uint(&in, UINT32_MAX) : 0;
    uint32_t wanted = FIELDS + (state->spread ? 2 : state->pseudonyms != 0);
    bool whole = there && in.status == SHOAL_OK && in.position == size && fields == wanted;
    enum shoal_status status = SHOAL_DAMAGED;
    if (whole && correction.type == SHOAL_PACK_NIL)
        status = SHOAL_OK;
    else if (whole && correction.type == SHOAL_PACK_BIN)
        status = shoal_correction_decode(correction.data, correction.count, &state->correction);
    if (status != SHOAL_OK)
        shoal_partition_state_init(state);
    return status;
}

static enum shoal_status check_pseudonyms(uint64_t found, uint64_t wanted, int32_t partition,
                                          struct shoal_message *message)
{
    if (found == wanted)
        return SHOAL_OK;
    const char *kept = found ? "another key than privacy.pseudonym_key" : "no key for pseudonyms",
               *way = found ? "configure that key again"
                            : "take privacy.pseudonym_key out of the configuration";
    if (!wanted)
        kept = "a key for pseudonyms, and none is configured";
    return shoal_fail(message, SHOAL_CONFIG,
                      "partition %d: its states were kept under %s: the same users would be others. Either %s, or "
                      "begin anew: another topics.events, or an empty Redis database and "
                      "another group.id",
                      partition, kept, way);
}

enum shoal_status shoal_partition_state_read(struct shoal_store *store, int32_t partition,
                                             struct shoal_partition_state *state,
                                             struct shoal_message *message)
{
    struct shoal_slice nobody = {"", 0}, value;
    state->found = false;
    shoal_partition_state_init(state);
    enum shoal_status status = store->ops->load(store, partition, &nobody, 1, &value, message);
    if (status != SHOAL_OK || !value.bytes)
        return status;
    state->found = true;
    status = shoal_partition_state_decode(value.bytes, value.size, state);
    return status == SHOAL_OK
               ? SHOAL_OK
               : shoal_fail(message, status, "partition %" PRId32 ": what is kept of it as a whole: %s",
                            partition, shoal_status_text(status));
}

static enum shoal_status load(struct shoal_partition_state *state, struct shoal_store *store,
                              int32_t partition, uint64_t pseudonyms, struct shoal_message *message)
{
    enum shoal_status status = shoal_partition_state_read(store, partition, state, message);
    if (status == SHOAL_OK && state->found)
        status = check_pseudonyms(state->pseudonyms, pseudonyms, partition, message);
    if (status != SHOAL_OK)
        return status;
    state->pseudonyms = pseudonyms;
    shoal_timer_queue_clear(&state->timers);
    state->known = true;
    return SHOAL_OK;
}

/* Whatever was saved under a model was saved with the partition's state, and whoever is counted there has a record. */
enum shoal_status shoal_partition_state_check(const struct shoal_partition_state *state,
                                              struct shoal_store *store, int32_t partition,
                                              const struct shoal_checkpoint *checkpoint,
                                              struct shoal_message *message)
{
    bool saved = checkpoint->next_offset >= 0;
    uint64_t most, users = state->found ? state->tally.users : 0;
    enum shoal_status status = store->ops->ceiling(store, partition, &most, message);
    if (status != SHOAL_OK)
        return status;
    if (saved && !state->found && checkpoint->model != 0)
        return shoal_fail(message, SHOAL_NOT_FOUND, "what is kept of it as a whole is gone");
    if (saved && users > most)
        return shoal_fail(message, SHOAL_NOT_FOUND,
                          "at least %" PRIu64 " of its %" PRIu64 " users are gone", users - most, users);
    if (!saved && (state->found || (most > 0 && most < UINT64_MAX)))
        return shoal_fail(message, SHOAL_NOT_FOUND, "its checkpoint is gone, and something else is there");
    return SHOAL_OK;
}

enum shoal_status shoal_partition_states_get(struct shoal_partition_states *states,
                                             struct shoal_store *store, int32_t partition,
                                             struct shoal_partition_state **state,
                                             struct shoal_message *message)
{
    if (grow(states, partition) != SHOAL_OK)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    *state = states->list[partition];
    return (*state)->known ? SHOAL_OK : load(*state, store, partition, states->pseudonyms, message);
}

struct shoal_partition_state *shoal_partition_states_known(
    const struct shoal_partition_states *states, int32_t partition)
{
    bool known = (size_t)partition < states->count && states->list[partition] &&
                 states->list[partition]->known;
    return known ? states->list[partition] : NULL;
}

void shoal_partition_state_use(struct shoal_partition_state *state, const struct shoal_model *model)
{
    if (state->correction.model != model->id)
        shoal_correction_init(&state->correction, model->id, model->origin.train_until_ms);
}

void shoal_partition_states_drop(struct shoal_partition_states *states, int32_t partition)
{
    for (size_t i = 0; i < states->count; i++) {
        if (states->list[i] && (partition < 0 || i == (size_t)partition)) {
            states->list[i]->known = false;
            shoal_timer_queue_clear(&states->list[i]->timers);
        }
    }
}

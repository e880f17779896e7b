/* SPDX-License-Identifier: Apache-2.0 */
/* The model of a partition's events; see served.h. */
#include "stream/served.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Writes the history anew as text, after a change. */
static enum shoal_status print(const struct shoal_serving *serving, struct shoal_served *served,
                               int32_t partition, struct shoal_message *message)
{
    char text[SHOAL_SWAPS_BYTES + 1];
    size_t forgotten = shoal_swaps_print(&served->swaps, text);
    char *copy = strdup(text);
    if (!copy)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    free(served->text);
    served->text = copy;
    if (forgotten > 0)
        shoal_log_write(serving->log, SHOAL_WARNING,
                        "partition %" PRId32 ": the history of models is full, the %zu oldest swaps "
                        "are forgotten: a recovery from before offset %" PRId64
                        " would use the model of there",
                        partition, forgotten, served->swaps.list[0].offset);
    return SHOAL_OK;
}

enum shoal_status shoal_served_swap(const struct shoal_serving *serving,
                                    struct shoal_served *served, int32_t partition,
                                    int64_t position, uint64_t model, struct shoal_message *message)
{
    if (shoal_swaps_last(&served->swaps) == model)
        return SHOAL_OK;
    enum shoal_status status = shoal_swaps_append(&served->swaps, position, model);
    if (status != SHOAL_OK)
        return shoal_fail(message, status, "partition %" PRId32 ": swap at offset %" PRId64 ": %s",
                          partition, position, shoal_status_text(status));
    served->fresh++;
    served->until = 0; /* look the model up again */
    return print(serving, served, partition, message);
}

/* The model that events of a partition without a history have been applied under, as far as is known. */
static uint64_t first_model(const struct shoal_serving *serving, uint64_t saved_model)
{
    const struct shoal_model *model;
    uint64_t latest = shoal_models_latest_id(serving->models);
    if (saved_model == 0 || saved_model == latest ||
        shoal_models_find(serving->models, saved_model, &model, NULL) != SHOAL_OK)
        return latest;
    shoal_models_release(serving->models, model);
    return saved_model;
}

enum shoal_status shoal_served_begin(const struct shoal_serving *serving,
                                     struct shoal_served *served,
                                     const struct shoal_served_start *start,
                                     struct shoal_message *message)
{
    *served = (struct shoal_served){0};
    enum shoal_status status = SHOAL_DAMAGED;
    if (start->committed >= 0 && start->metadata_size > 0)
        status = shoal_swaps_parse(start->metadata, start->metadata_size, &served->swaps);
    if (status == SHOAL_NOMEM)
        return shoal_fail(message, status, "out of memory");
    if (status == SHOAL_DAMAGED && start->metadata_size > 0)
        shoal_log_write(serving->log, SHOAL_WARNING,
                        "partition %" PRId32 ": the metadata of the group's offset is no history of "
                        "models; the history begins anew",
                        start->partition);
    /* A swap is never ahead of the offset that it was committed with, unless that was moved back. */
    shoal_swaps_cut(&served->swaps, start->committed);
    shoal_swaps_trim(&served->swaps, start->low);
    uint64_t last = shoal_swaps_last(&served->swaps);
    /* Another process may have seen a new model before this one has. */
    if (last != 0 && last != shoal_models_latest_id(serving->models))
        (void)shoal_models_refresh(serving->models, serving->log);
    if (last == 0)
        return shoal_served_swap(serving, served, start->partition, start->start,
                                 first_model(serving, start->saved_model), message);
    served->fresh = start->repeat ? 1 : 0;
    return print(serving, served, start->partition, message);
}

void shoal_served_end(const struct shoal_serving *serving, struct shoal_served *served)
{
    shoal_models_release(serving->models, served->model);
    shoal_swaps_finish(&served->swaps);
    free(served->text);
    *served = (struct shoal_served){0};
}

/* The next model of the history that is there, else the latest. */
static const struct shoal_model *next_known(const struct shoal_serving *serving,
                                            const struct shoal_swaps *swaps, size_t index)
{
    const struct shoal_model *model;
    for (size_t i = index + 1; i < swaps->count; i++) {
        if (shoal_models_find(serving->models, swaps->list[i].model, &model, NULL) == SHOAL_OK)
            return model;
    }
    return shoal_models_latest(serving->models);
}

/* In recovery, the model at `index` of the history is gone. `why` is how. */
static enum shoal_status replace(const struct shoal_serving *serving, struct shoal_served *served,
                                 int32_t partition, size_t index, int64_t offset,
                                 const struct shoal_message *why, struct shoal_message *message)
{
    char version[17];
    shoal_swaps_version(served->swaps.list[index].model, version);
    if (serving->refuse)
        return shoal_fail(message, SHOAL_CONFIG,
                          "partition %" PRId32 ": events from offset %" PRId64 " to %" PRId64
                          " were applied under model %s and have to be again, but: %.300s. Put it "
                          "back, or set recovery.model_missing to continue",
                          partition, offset, served->until, version, why->text);
    served->model = next_known(serving, &served->swaps, index);
    shoal_log_write(serving->log, SHOAL_WARNING,
                    "partition %" PRId32 ": events from offset %" PRId64 " to %" PRId64
                    " were applied under model %s and are now under %s: %s",
                    partition, offset, served->until, version, served->model->version, why->text);
    return SHOAL_OK;
}

enum shoal_status shoal_served_model(const struct shoal_serving *serving,
                                     struct shoal_served *served, int32_t partition,
                                     int64_t offset, int64_t position, int64_t suppress_until,
                                     const struct shoal_model **model,
                                     struct shoal_message *message)
{
    *model = served->model;
    if (served->model && offset < served->until)
        return SHOAL_OK;
    struct shoal_message why = {.text = ""};
    const struct shoal_model *before = served->model;
    size_t index = shoal_swaps_find(&served->swaps, offset);
    bool last = index + 1 == served->swaps.count;
    served->until = shoal_swaps_until(&served->swaps, index);
    enum shoal_status status = shoal_models_find(
        serving->models, served->swaps.list[index].model, &served->model, &why);
    if (status == SHOAL_NOMEM) {
        shoal_fail(message, status, "%s", why.text);
    } else if (status != SHOAL_OK && last && offset >= suppress_until) {
        served->model = shoal_models_latest(serving->models);
        status = shoal_served_swap(serving, served, partition, position, served->model->id, message);
        served->until = INT64_MAX;
    } else if (status != SHOAL_OK) {
        if (served->until > suppress_until && offset < suppress_until)
            served->until = suppress_until;
        status = replace(serving, served, partition, index, offset, &why, message);
    }
    shoal_models_release(serving->models, before);
    *model = served->model;
    return status;
}

enum shoal_status shoal_served_tell(const struct shoal_serving *serving,
                                    const struct shoal_served *served, int32_t partition,
                                    struct shoal_sink *sink, struct shoal_message *message)
{
    struct shoal_buffer value = {0};
    const struct shoal_swaps *swaps = &served->swaps;
    enum shoal_status status = SHOAL_OK;
    size_t first = swaps->count > served->fresh ? swaps->count - served->fresh : 0;
    for (size_t i = first; i < swaps->count && status == SHOAL_OK; i++) {
        char version[17], previous[17], key[16], id[512];
        struct shoal_event place = {.partition = partition, .offset = swaps->list[i].offset};
        shoal_swaps_version(swaps->list[i].model, version);
        if (i > 0)
            shoal_swaps_version(swaps->list[i - 1].model, previous);
        int key_size = snprintf(key, sizeof key, "%" PRId32, partition);
        size_t id_size = shoal_output_id(serving->topic, &place, version, id, sizeof id);
        /* A model that is gone has applied nothing that is still to come: its clusters are not told. */
        const struct shoal_model *held = NULL, *model = serving->only;
        if (!model || model->id != swaps->list[i].model) {
            if (!serving->models || shoal_models_find(serving->models, swaps->list[i].model, &held,
                                                      NULL) != SHOAL_OK)
                held = NULL;
            model = held;
        }
        shoal_buffer_clear(&value);
        shoal_output_swap(serving->format, partition, place.offset, version,
                          i > 0 ? previous : NULL, model ? model->clusters : NULL, id, &value);
        shoal_models_release(serving->models, held);
        struct shoal_output output = {
            .topic = SHOAL_TOPIC_MODELS,
            .key = key,
            .key_size = (size_t)key_size,
            .value = value.bytes,
            .value_size = value.size,
            .id = id,
            .id_size = id_size,
        };
        status = value.failed ? SHOAL_NOMEM : sink->ops->emit(sink, &output);
    }
    shoal_buffer_finish(&value);
    return status == SHOAL_OK ? SHOAL_OK
                              : shoal_fail(message, status, "a swap could not be told: %s",
                                           shoal_status_text(status));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Model and policy of a partition's events; see served.h. */
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
                                    int64_t position, uint64_t model, uint64_t policy,
                                    struct shoal_message *message)
{
    if (shoal_swaps_holds(&served->swaps, model, policy))
        return SHOAL_OK;
    enum shoal_status status = shoal_swaps_append(&served->swaps, position, model, policy);
    if (status != SHOAL_OK)
        return shoal_fail(message, status, "partition %" PRId32 ": swap at offset %" PRId64 ": %s",
                          partition, position, shoal_status_text(status));
    served->fresh++;
    served->until = 0; /* look them up again */
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
    struct shoal_swap last = shoal_swaps_last(&served->swaps);
    /* Another process may have seen a new model, or policy, before this one has. */
    if (last.model != 0 && last.model != shoal_models_latest_id(serving->models))
        (void)shoal_models_refresh(serving->models, serving->log);
    if (last.model != 0 && last.policy != shoal_policies_latest_id(serving->policies))
        (void)shoal_policies_refresh(serving->policies, serving->log);
    if (last.model == 0)
        return shoal_served_swap(serving, served, start->partition, start->start,
                                 first_model(serving, start->saved_model),
                                 shoal_policies_latest_id(serving->policies), message);
    served->fresh = start->repeat ? 1 : 0;
    return print(serving, served, start->partition, message);
}

void shoal_served_end(const struct shoal_serving *serving, struct shoal_served *served)
{
    shoal_models_release(serving->models, served->model);
    shoal_policies_release(serving->policies, served->policy);
    shoal_swaps_finish(&served->swaps);
    free(served->text);
    *served = (struct shoal_served){0};
}

/* The next model of the history that is there, else the latest. */
static const struct shoal_model *next_model(const struct shoal_serving *serving,
                                            const struct shoal_swaps *swaps, size_t index)
{
    const struct shoal_model *model;
    for (size_t i = index + 1; i < swaps->count; i++) {
        if (shoal_models_find(serving->models, swaps->list[i].model, &model, NULL) == SHOAL_OK)
            return model;
    }
    return shoal_models_latest(serving->models);
}

static const struct shoal_policy *next_policy(const struct shoal_serving *serving,
                                              const struct shoal_swaps *swaps, size_t index)
{
    const struct shoal_policy *policy;
    for (size_t i = index + 1; i < swaps->count; i++) {
        if (shoal_policies_find(serving->policies, swaps->list[i].policy, &policy, NULL) == SHOAL_OK)
            return policy;
    }
    return shoal_policies_latest(serving->policies);
}

/* What is looked up at a place of the history, and where it failed. */
struct looking {
    const struct shoal_serving *serving;
    struct shoal_served *served;
    int32_t partition;
    size_t index;
    int64_t offset;
    bool recovering;
    bool swaps; /* set if something is gone behind the recovery: the latest is swapped to */
};

/* In recovery, something is gone that events were applied under: refuses, or says what they are applied
 * under now. `why` is how. */
static enum shoal_status say_replaced(const struct looking *l, const char *what, uint64_t id,
                                      const char *now, const struct shoal_message *why,
                                      struct shoal_message *message)
{
    char version[17];
    shoal_swaps_version(id, version);
    if (l->serving->refuse)
        return shoal_fail(message, SHOAL_CONFIG,
                          "partition %" PRId32 ": events from offset %" PRId64 " to %" PRId64
                          " were applied under %s %s and have to be again, but: %.300s. Put it "
                          "back, or set recovery.model_missing to continue",
                          l->partition, l->offset, l->served->until, what, version, why->text);
    shoal_log_write(l->serving->log, SHOAL_WARNING,
                    "partition %" PRId32 ": events from offset %" PRId64 " to %" PRId64
                    " were applied under %s %s and are now under %s: %s",
                    l->partition, l->offset, l->served->until, what, version, now, why->text);
    return SHOAL_OK;
}

static enum shoal_status look_up_model(struct looking *l, struct shoal_message *message)
{
    struct shoal_message why = {.text = ""};
    struct shoal_served *served = l->served;
    uint64_t id = served->swaps.list[l->index].model;
    enum shoal_status status = shoal_models_find(l->serving->models, id, &served->model, &why);
    if (status == SHOAL_NOMEM)
        return shoal_fail(message, status, "%s", why.text);
    if (status == SHOAL_OK)
        return SHOAL_OK;
    l->swaps = l->swaps || !l->recovering;
    served->model = l->recovering ? next_model(l->serving, &served->swaps, l->index)
                                  : shoal_models_latest(l->serving->models);
    return l->recovering
               ? say_replaced(l, "model", id, served->model->version, &why, message)
               : SHOAL_OK;
}

static enum shoal_status look_up_policy(struct looking *l, struct shoal_message *message)
{
    struct shoal_message why = {.text = ""};
    struct shoal_served *served = l->served;
    uint64_t id = served->swaps.list[l->index].policy;
    enum shoal_status status =
        shoal_policies_find(l->serving->policies, id, &served->policy, &why);
    if (status == SHOAL_NOMEM)
        return shoal_fail(message, status, "%s", why.text);
    if (status == SHOAL_OK)
        return SHOAL_OK;
    l->swaps = l->swaps || !l->recovering;
    served->policy = l->recovering ? next_policy(l->serving, &served->swaps, l->index)
                                   : shoal_policies_latest(l->serving->policies);
    return l->recovering ? say_replaced(l, "policy", id,
                                        served->policy ? served->policy->version : "none", &why,
                                        message)
                         : SHOAL_OK;
}

enum shoal_status shoal_served_model(const struct shoal_serving *serving,
                                     struct shoal_served *served, int32_t partition,
                                     int64_t offset, int64_t position, int64_t suppress_until,
                                     const struct shoal_model **model,
                                     const struct shoal_policy **policy,
                                     struct shoal_message *message)
{
    *model = served->model;
    *policy = served->policy;
    if (served->model && offset < served->until)
        return SHOAL_OK;
    const struct shoal_model *model_before = served->model;
    const struct shoal_policy *policy_before = served->policy;
    struct looking l = {.serving = serving,
                        .served = served,
                        .partition = partition,
                        .index = shoal_swaps_find(&served->swaps, offset),
                        .offset = offset};
    bool last = l.index + 1 == served->swaps.count;
    l.recovering = !last || offset < suppress_until;
    served->model = NULL;
    served->policy = NULL;
    served->until = shoal_swaps_until(&served->swaps, l.index);
    int64_t whole = served->until;
    if (served->until > suppress_until && offset < suppress_until)
        served->until = suppress_until; /* as far as a replacement would hold */
    enum shoal_status status = look_up_model(&l, message);
    bool replaced = status == SHOAL_OK && served->model->id != served->swaps.list[l.index].model;
    if (status == SHOAL_OK)
        status = look_up_policy(&l, message);
    uint64_t found = status == SHOAL_OK && served->policy ? served->policy->id : 0;
    replaced = replaced || found != served->swaps.list[l.index].policy;
    if (status == SHOAL_OK && !replaced)
        served->until = whole;
    if (status == SHOAL_OK && l.swaps) {
        status = shoal_served_swap(serving, served, partition, position, served->model->id, found,
                                   message);
        served->until = INT64_MAX;
    }
    shoal_models_release(serving->models, model_before);
    shoal_policies_release(serving->policies, policy_before);
    *model = served->model;
    *policy = served->policy;
    return status;
}

/* A swap's pair as versions; texts[0] and [1] are room for them. */
static struct shoal_output_pair pair_of(const struct shoal_swap *swap, char texts[2][17])
{
    shoal_swaps_version(swap->model, texts[0]);
    shoal_swaps_version(swap->policy, texts[1]);
    return (struct shoal_output_pair){texts[0], swap->policy ? texts[1] : NULL};
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
        char now_texts[2][17], before_texts[2][17], subject[40], key[16], id[512];
        struct shoal_event place = {.partition = partition, .offset = swaps->list[i].offset};
        struct shoal_output_pair now = pair_of(&swaps->list[i], now_texts), before = {0};
        if (i > 0)
            before = pair_of(&swaps->list[i - 1], before_texts);
        snprintf(subject, sizeof subject, "%s%s%s", now.model, now.policy ? "+" : "",
                 now.policy ? now.policy : "");
        int key_size = snprintf(key, sizeof key, "%" PRId32, partition);
        size_t id_size = shoal_output_id(serving->topic, &place, subject, id, sizeof id);
        /* A model that is gone has applied nothing that is still to come: its clusters are not told. */
        const struct shoal_model *held = NULL, *model = serving->only;
        if (!model || model->id != swaps->list[i].model) {
            if (!serving->models || shoal_models_find(serving->models, swaps->list[i].model, &held,
                                                      NULL) != SHOAL_OK)
                held = NULL;
            model = held;
        }
        /* where only the policy is another, its clusters have been told */
        bool fresh = i == 0 || swaps->list[i].model != swaps->list[i - 1].model;
        shoal_buffer_clear(&value);
        shoal_output_swap(serving->format, partition, place.offset, &now, i > 0 ? &before : NULL,
                          model && fresh ? model->clusters : NULL, id, &value);
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

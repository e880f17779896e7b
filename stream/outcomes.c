/* SPDX-License-Identifier: Apache-2.0 */
/* Corrections by partition; see outcomes.h. */
#include "stream/outcomes.h"

#include <stdlib.h>
#include <string.h>

void shoal_outcomes_finish(struct shoal_outcomes *outcomes)
{
    free(outcomes->list);
    *outcomes = (struct shoal_outcomes){0};
}

static enum shoal_status grow(struct shoal_outcomes *outcomes, int32_t partition)
{
    size_t want = (size_t)partition + 1;
    if (want <= outcomes->count)
        return SHOAL_OK;
    struct shoal_outcome *grown = realloc(outcomes->list, want * sizeof *grown);
    if (!grown)
        return SHOAL_NOMEM;
    memset(grown + outcomes->count, 0, (want - outcomes->count) * sizeof *grown);
    outcomes->list = grown;
    outcomes->count = want;
    return SHOAL_OK;
}

static enum shoal_status load(struct shoal_outcome *outcome, struct shoal_store *store,
                              int32_t partition, struct shoal_message *message)
{
    struct shoal_slice nobody = {"", 0}, value;
    enum shoal_status status = store->ops->load(store, partition, &nobody, 1, &value, message);
    if (status != SHOAL_OK)
        return status;
    shoal_correction_init(&outcome->correction, 0, 0);
    if (value.bytes)
        status = shoal_correction_decode(value.bytes, value.size, &outcome->correction);
    if (status != SHOAL_OK)
        return shoal_fail(message, status, "partition %d: online correction: %s", partition,
                          shoal_status_text(status));
    outcome->known = true;
    return SHOAL_OK;
}

enum shoal_status shoal_outcomes_of(struct shoal_outcomes *outcomes, struct shoal_store *store,
                                    int32_t partition, const struct shoal_model *model,
                                    struct shoal_correction **correction,
                                    struct shoal_message *message)
{
    if (grow(outcomes, partition) != SHOAL_OK)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    struct shoal_outcome *outcome = &outcomes->list[partition];
    if (!outcome->known) {
        enum shoal_status status = load(outcome, store, partition, message);
        if (status != SHOAL_OK)
            return status;
    }
    if (outcome->correction.model != model->id)
        shoal_correction_init(&outcome->correction, model->id, model->origin.train_until_ms);
    *correction = &outcome->correction;
    return SHOAL_OK;
}

struct shoal_correction *shoal_outcomes_known(const struct shoal_outcomes *outcomes,
                                              int32_t partition)
{
    bool known = (size_t)partition < outcomes->count && outcomes->list[partition].known;
    return known ? &outcomes->list[partition].correction : NULL;
}

void shoal_outcomes_drop(struct shoal_outcomes *outcomes, int32_t partition)
{
    for (size_t i = 0; i < outcomes->count; i++)
        if (partition < 0 || i == (size_t)partition)
            outcomes->list[i].known = false;
}

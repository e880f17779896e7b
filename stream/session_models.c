/* SPDX-License-Identifier: Apache-2.0 */
/* Swaps of the model in a session.
 *
 * A partition is swapped where its position stands between two micro-batches, once it has caught up with
 * what was committed; in recovery each event is applied under the model that its history names. While
 * partitions differ, the pipeline goes to and fro between their models, a micro-batch at a time. */
#include <inttypes.h>

#include "model/base/clock.h"
#include "model/base/crash.h"
#include "stream/session_internal.h"

enum { SWAP_WAIT_MAX_MS = 1000 }; /* where commits are rarer, a swap makes one due */

/* Records of another H leave the memory, and therefore have to be saved first. */
enum shoal_status session_use(struct session *s, const struct shoal_model *model,
                             struct shoal_message *message)
{
    const struct shoal_model *held;
    enum shoal_status status = shoal_pipeline_run(s->pipeline, message);
    if (status == SHOAL_OK && model->params.dims.hidden != s->model->params.dims.hidden)
        status = session_commit(s, true, message);
    if (status == SHOAL_OK)
        status = shoal_models_find(s->options->models, model->id, &held, message);
    if (status != SHOAL_OK)
        return status;
    status = shoal_pipeline_use(s->pipeline, held);
    if (status != SHOAL_OK) {
        shoal_models_release(s->options->models, held);
        return shoal_fail(message, status, "out of memory");
    }
    shoal_models_release(s->options->models, s->model);
    s->model = held;
    return SHOAL_OK;
}

/* Records a swap to `latest` for every partition that has caught up and is served by another model.
 * Returns how many; s->unsettled stays set while there are partitions that have not. */
static enum shoal_status record_swaps(struct session *s, const struct shoal_model *latest,
                                      unsigned *swapped, struct shoal_message *message)
{
    *swapped = 0;
    s->unsettled = false;
    for (int32_t i = 0; i < s->options->partitions; i++) {
        struct partition *p = &s->partitions[i];
        if (!p->assigned || shoal_swaps_last(&p->served.swaps) == latest->id)
            continue;
        if (p->position < p->suppress_until) {
            s->unsettled = true;
            continue;
        }
        enum shoal_status status =
            shoal_served_swap(&s->serving, &p->served, i, p->position, latest->id, message);
        if (status != SHOAL_OK)
            return status;
        ++*swapped;
    }
    return SHOAL_OK;
}

bool session_swap_due(const struct session *s)
{
    return (s->unsettled || shoal_models_latest_id(s->options->models) != s->followed) &&
           shoal_clock_ms() - s->committed_ms >= SWAP_WAIT_MAX_MS;
}

/* The swap points are committed before the first event is applied under the new model, so that a recovery
 * finds them. They go with a commit that was due anyway: a swap delays nothing by a commit of its own. */
enum shoal_status session_commit_following(struct session *s, struct shoal_message *message)
{
    uint64_t id = shoal_models_latest_id(s->options->models);
    if (!s->unsettled && id == s->followed)
        return session_commit(s, false, message);
    unsigned swapped;
    const struct shoal_model *latest = shoal_models_latest(s->options->models);
    s->followed = latest->id;
    enum shoal_status status = record_swaps(s, latest, &swapped, message);
    if (status == SHOAL_OK && swapped > 0)
        shoal_crash_point("swap.before");
    if (status == SHOAL_OK)
        status = session_commit(s, false, message);
    if (status == SHOAL_OK && swapped > 0) {
        shoal_crash_point("swap.committed");
        int64_t began_ms = shoal_clock_ms();
        status = session_use(s, latest, message);
        if (status == SHOAL_OK) {
            shoal_crash_point("swap.after");
            shoal_log_write(s->log, SHOAL_INFO,
                            "model %s is in service, in %u partitions; the swap took %" PRId64 " ms",
                            latest->version, swapped, shoal_clock_ms() - began_ms);
        }
    }
    shoal_models_release(s->options->models, latest);
    return status;
}

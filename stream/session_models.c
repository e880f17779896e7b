/* SPDX-License-Identifier: Apache-2.0 */
/* Swaps of model and policy in a session.
 *
 * A partition is swapped where its position stands between two micro-batches, once it has caught up with
 * what was committed; in recovery each event is applied under the pair that its history names. While
 * partitions differ, the pipeline goes to and fro between their pairs, a micro-batch at a time. */
#include <inttypes.h>

#include "model/base/clock.h"
#include "model/base/crash.h"
#include "stream/session_internal.h"

enum { SWAP_WAIT_MAX_MS = 1000 }; /* where commits are rarer, a swap makes one due */

/* Records of another H leave the memory, and therefore have to be saved first. */
static enum shoal_status use_model(struct session *s, const struct shoal_model *model,
                                   struct shoal_message *message)
{
    const struct shoal_model *held;
    enum shoal_status status = SHOAL_OK;
    if (model->params.dims.hidden != s->model->params.dims.hidden)
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

static enum shoal_status use_policy(struct session *s, const struct shoal_policy *policy,
                                    struct shoal_message *message)
{
    const struct shoal_policy *held;
    enum shoal_status status =
        shoal_policies_find(s->options->policies, policy ? policy->id : 0, &held, message);
    if (status != SHOAL_OK)
        return status;
    shoal_pipeline_use_policy(s->pipeline, held);
    shoal_policies_release(s->options->policies, s->policy);
    s->policy = held;
    return SHOAL_OK;
}

enum shoal_status session_use(struct session *s, const struct shoal_model *model,
                              const struct shoal_policy *policy, struct shoal_message *message)
{
    enum shoal_status status = shoal_pipeline_run(s->pipeline, message);
    if (status == SHOAL_OK && model != s->model)
        status = use_model(s, model, message);
    if (status == SHOAL_OK && policy != s->policy)
        status = use_policy(s, policy, message);
    return status;
}

/* Records a swap to `latest` and `policy` for every partition that has caught up and is served by others.
 * Returns how many; s->unsettled stays set while there are partitions that have not. */
static enum shoal_status record_swaps(struct session *s, const struct shoal_model *latest,
                                      const struct shoal_policy *policy, unsigned *swapped,
                                      struct shoal_message *message)
{
    uint64_t policy_id = policy ? policy->id : 0;
    *swapped = 0;
    s->unsettled = false;
    for (int32_t i = 0; i < s->options->partitions; i++) {
        struct partition *p = &s->partitions[i];
        if (!p->assigned || shoal_swaps_holds(&p->served.swaps, latest->id, policy_id))
            continue;
        if (p->position < p->suppress_until) {
            s->unsettled = true;
            continue;
        }
        enum shoal_status status = shoal_served_swap(&s->serving, &p->served, i, p->position,
                                                     latest->id, policy_id, message);
        if (status != SHOAL_OK)
            return status;
        ++*swapped;
    }
    return SHOAL_OK;
}

static bool is_settled(const struct session *s)
{
    return !s->unsettled && shoal_models_latest_id(s->options->models) == s->followed &&
           shoal_policies_latest_id(s->options->policies) == s->followed_policy;
}

bool session_swap_due(const struct session *s)
{
    return !is_settled(s) &&
           shoal_clock_ms() - s->committed_ms >= SWAP_WAIT_MAX_MS;
}

/* The swap points are committed before the first event is applied under the new pair, so that a recovery
 * finds them. They go with a commit that was due anyway: a swap delays nothing by a commit of its own. */
enum shoal_status session_commit_following(struct session *s, struct shoal_message *message)
{
    if (is_settled(s))
        return session_commit(s, false, message);
    unsigned swapped;
    const struct shoal_model *latest = shoal_models_latest(s->options->models);
    const struct shoal_policy *policy = shoal_policies_latest(s->options->policies);
    s->followed = latest->id;
    s->followed_policy = policy ? policy->id : 0;
    enum shoal_status status = record_swaps(s, latest, policy, &swapped, message);
    if (status == SHOAL_OK && swapped > 0)
        shoal_crash_point("swap.before");
    if (status == SHOAL_OK)
        status = session_commit(s, false, message);
    if (status == SHOAL_OK && swapped > 0) {
        shoal_crash_point("swap.committed");
        int64_t began_ms = shoal_clock_ms();
        status = session_use(s, latest, policy, message);
        if (status == SHOAL_OK) {
            shoal_crash_point("swap.after");
            const struct shoal_log_field fields[] = {
                SHOAL_FIELD_TEXT("model", latest->version),
                SHOAL_FIELD_TEXT("policy", policy ? policy->version : ""),
                SHOAL_FIELD("partitions", swapped),
            };
            shoal_log_fields(s->log, SHOAL_INFO, fields, 3,
                            "model %s with %s%s is in service, in %u partitions; the swap took "
                            "%" PRId64 " ms",
                            latest->version, policy ? "policy " : "no policy",
                            policy ? policy->version : "", swapped, shoal_clock_ms() - began_ms);
            int line = shoal_policy_lacks_items(policy, latest);
            if (line)
                shoal_log_write(s->log, SHOAL_WARNING,
                                "promotions, line %d: items: model %s has no catalogue of items, so that "
                                "decisions carry none; train one with --items auto",
                                line, latest->version);
        }
    }
    shoal_models_release(s->options->models, latest);
    shoal_policies_release(s->options->policies, policy);
    return status;
}

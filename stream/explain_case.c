/* SPDX-License-Identifier: Apache-2.0 */
/* Cases from records; see explain_case.h. */
#include "stream/explain_case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/retrace.h"

enum shoal_status shoal_explain_case_room(struct shoal_explain_case *explained, size_t count,
                                          struct shoal_message *message)
{
    explained->count = count;
    explained->touches = malloc((count + 1) * sizeof *explained->touches);
    explained->features = malloc((count + 1) * sizeof *explained->features);
    explained->scores = malloc((count + 1) * sizeof *explained->scores);
    return explained->touches && explained->features && explained->scores
               ? SHOAL_OK
               : shoal_fail(message, SHOAL_NOMEM, "out of memory with %zu events", count);
}

void shoal_explain_case_finish(struct shoal_explain_case *explained)
{
    free(explained->touches);
    free(explained->features);
    free(explained->scores);
    *explained = (struct shoal_explain_case){0};
}

/* ---- a record ------------------------------------------------------------------------------- */

/* By how much the served logit was corrected: what its score has beyond that of the state that it is of. */
static float correction_of(float served, float state)
{
    float correction = logf(served / (1 - served)) - logf(state / (1 - state));
    if (served == state || !isfinite(correction)) /* of another model, or no probability */
        return 0;
    return fmaxf(-SHOAL_CORRECTION_MAX, fminf(correction, SHOAL_CORRECTION_MAX));
}

/* The score after each event; counters of the last one are those of the record. */
static enum shoal_status retrace(const struct shoal_record *record, const struct shoal_model *model,
                                 enum shoal_precision precision,
                                 struct shoal_explain_case *explained)
{
    size_t count = explained->count;
    float *rates = malloc(count * SHOAL_COUNTERS * sizeof *rates);
    if (!rates)
        return SHOAL_NOMEM;
    uint64_t older = explained->whole ? 0 : explained->known - count;
    shoal_retrace_rates(explained->touches, count, record->counters, record->first_ms, older, rates);
    memcpy(rates + (count - 1) * SHOAL_COUNTERS, explained->rates, sizeof explained->rates);
    explained->correction = correction_of(explained->served, explained->state);
    enum shoal_status status =
        shoal_retrace_scores(model, precision, explained->features, rates, count,
                             explained->correction, explained->scores);
    free(rates);
    return status;
}

static enum shoal_status take_record(const struct shoal_record *record,
                                     const struct shoal_model *model, enum shoal_precision precision,
                                     struct shoal_explain_case *explained,
                                     struct shoal_message *message)
{
    if (record->ring_count == 0)
        return shoal_fail(message, SHOAL_TOO_FEW, "user '%s' has no events", explained->user);
    enum shoal_status status = shoal_explain_case_room(explained, record->ring_count, message);
    if (status != SHOAL_OK)
        return status;
    memcpy(explained->touches, record->ring, record->ring_count * sizeof *record->ring);
    shoal_explain_ring(&model->params.dims, record->ring, record->ring_count, explained->features);
    shoal_counters_rates(record->counters, record->last_ms - record->first_ms, explained->rates);
    explained->known = record->events_count;
    explained->whole = record->events_count <= record->ring_count;
    explained->served = record->score;
    explained->served_by = record->model;
    explained->state = record->model == model->id && record->hidden == model->params.dims.hidden
                           ? shoal_explain_state(model, record->h, explained->rates)
                           : NAN;
    status = retrace(record, model, precision, explained);
    return status == SHOAL_OK ? status : shoal_fail(message, status, "out of memory");
}

enum shoal_status shoal_explain_case_load(struct shoal_store *store, const struct shoal_model *model,
                                          const char *user, struct shoal_explain_case *explained,
                                          struct shoal_message *message)
{
    int32_t partition;
    uint32_t hidden;
    struct shoal_slice value;
    struct shoal_record record;
    enum shoal_precision precision;
    *explained = (struct shoal_explain_case){.user = user, .state = NAN};
    enum shoal_status status = store->ops->find(store, (struct shoal_slice){user, strlen(user)},
                                                &partition, &value, message);
    if (status == SHOAL_NOT_FOUND)
        return shoal_fail(message, status, "no state is kept of user '%s'", user);
    if (status != SHOAL_OK)
        return status;
    status = shoal_record_shape(value.bytes, value.size, &hidden, &precision);
    float *hc = status == SHOAL_OK ? calloc(2 * (size_t)hidden, sizeof *hc) : NULL;
    if (hc) {
        shoal_record_init(&record, hidden, hc);
        status = shoal_record_decode(&record, value.bytes, value.size);
    } else if (status == SHOAL_OK) {
        status = SHOAL_NOMEM;
    }
    if (status == SHOAL_OK)
        status = take_record(&record, model, precision, explained, message);
    else
        shoal_fail(message, status, "record of user '%s': %s", user, shoal_status_text(status));
    free(hc);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A user from the store; see person.h. */
#include "stream/person.h"

#include <stdlib.h>
#include <string.h>

#include "stream/consent.h"

void shoal_person_finish(struct shoal_person *person)
{
    free(person->hc);
    *person = (struct shoal_person){0};
}

void shoal_person_rates(const struct shoal_person *person, int64_t now_ms, float *rates)
{
    const struct shoal_record *record = &person->record;
    float counters[SHOAL_COUNTERS];
    memcpy(counters, record->counters, sizeof counters);
    shoal_counters_decay(counters, now_ms - record->last_ms);
    shoal_counters_rates(counters, now_ms - record->first_ms, rates);
}

/* h and c under the model, from the ring (stream/pipeline_run.c does it for many at once). */
static enum shoal_status rebuild(const struct shoal_model *model, enum shoal_precision precision,
                                 struct shoal_record *record)
{
    struct shoal_step *step;
    enum shoal_status status = shoal_step_create(model, 1, precision, &step);
    if (status != SHOAL_OK)
        return status;
    memset(record->h, 0, record->hidden * sizeof *record->h);
    memset(record->c, 0, record->hidden * sizeof *record->c);
    for (uint8_t r = 0; r < record->ring_count; r++) {
        const struct shoal_touch *touch = &record->ring[r];
        int64_t gap_ms = r == 0 ? 0 : touch->time_ms - record->ring[r - 1].time_ms;
        struct shoal_step_row row = {.h = record->h, .c = record->c};
        shoal_features_of(&model->params.dims, record->ring, r, touch, gap_ms, &row.features);
        shoal_step_run(step, &row, 1);
    }
    record->model = model->id;
    shoal_step_destroy(step);
    return SHOAL_OK;
}

enum shoal_status shoal_person_take(struct shoal_store *store, const struct shoal_model *model,
                                    const char *user, struct shoal_person *person,
                                    struct shoal_message *message)
{
    *person = (struct shoal_person){.partition = -1};
    uint32_t hidden = (uint32_t)model->params.dims.hidden, stored;
    enum shoal_precision precision = SHOAL_FP16;
    struct shoal_slice value = {0};
    enum shoal_status status =
        store->ops->find(store, (struct shoal_slice){user, strlen(user)}, &person->partition,
                         &value, message);
    person->known = status == SHOAL_OK;
    if (status == SHOAL_NOT_FOUND)
        person->partition = -1;
    if (status != SHOAL_OK && status != SHOAL_NOT_FOUND)
        return status;
    person->hc = calloc(2 * (size_t)hidden, sizeof *person->hc);
    if (!person->hc)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    shoal_record_init(&person->record, hidden, person->hc);
    if (!person->known)
        return SHOAL_OK;
    status = shoal_record_shape(value.bytes, value.size, &stored, &precision);
    if (status == SHOAL_OK)
        status = shoal_record_decode(&person->record, value.bytes, value.size);
    /* Of who declines to be processed nothing is known but that. */
    person->known = status == SHOAL_OK && !shoal_consent_declined(&person->record);
    person->served_by = person->record.model;
    if (status == SHOAL_OK && person->record.model != model->id)
        status = rebuild(model, precision, &person->record);
    return status == SHOAL_OK ? SHOAL_OK
                              : shoal_fail(message, status, "record of user '%s': %s", user,
                                           shoal_status_text(status));
}

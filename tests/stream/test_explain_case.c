/* SPDX-License-Identifier: Apache-2.0 */
/* Cases from records: scores after each remembered event against those that a pipeline gave. */
#include "stream/explain_case.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model/tiny_model.h"
#include "tests/state/leaks.h"

enum { EVENTS = 6 };

struct fixture {
    struct shoal_dims dims;
    struct shoal_model *model;
    struct shoal_store *store;
    struct shoal_record record;
    float *hc;
    float served[EVENTS]; /* after each event */
};

/* Six events of whole seconds, applied as a pipeline applies them, of which the record keeps `ring`. */
static void begin(struct fixture *f, uint32_t ring, float correction)
{
    static const uint8_t behaviors[EVENTS] = {SHOAL_PV, SHOAL_PV, SHOAL_CART, SHOAL_PV, SHOAL_FAV, SHOAL_BUY};
    struct shoal_step *step;
    *f = (struct fixture){.dims = tiny_dims()};
    f->dims.ring = ring;
    f->model = tiny_model(&f->dims, 5);
    f->model->id = 77;
    f->hc = calloc(2 * f->dims.hidden, sizeof *f->hc);
    shoal_record_init(&f->record, f->dims.hidden, f->hc);
    cr_assert_eq(shoal_step_create(f->model, 1, SHOAL_FP16, &step), SHOAL_OK);
    int64_t time_ms = 1511539200000;
    for (uint32_t t = 0; t < EVENTS; t++) {
        struct shoal_touch touch = {.time_ms = time_ms += t * 600000, .item = 100 + t % 3, .behavior = behaviors[t]};
        float rates[SHOAL_COUNTERS];
        int64_t gap_ms = t ? touch.time_ms - f->record.last_ms : 0;
        struct shoal_step_row row = {
            .h = f->record.h, .c = f->record.c, .counters = rates, .correction = correction};
        shoal_features_of(&f->dims, f->record.ring, f->record.ring_count, &touch, gap_ms, &row.features);
        shoal_counters_advance(f->record.counters, gap_ms, (enum shoal_behavior)touch.behavior);
        shoal_record_remember(&f->record, &touch, ring);
        if (t == 0)
            f->record.first_ms = touch.time_ms;
        f->record.last_ms = touch.time_ms;
        shoal_counters_rates(f->record.counters, f->record.last_ms - f->record.first_ms, rates);
        shoal_step_run(step, &row, 1);
        f->record.score = f->served[t] = row.score;
    }
    shoal_step_destroy(step);
    f->record.events_count = EVENTS;
    f->record.model = f->model->id;
    cr_assert_eq(shoal_memory_store_create(&f->store), SHOAL_OK);
}

static void finish(struct fixture *f)
{
    f->store->ops->destroy(f->store);
    shoal_model_destroy(f->model);
    free(f->hc);
}

/* The record by way of its bytes. */
static struct shoal_explain_case load(struct fixture *f)
{
    struct shoal_explain_case explained;
    struct shoal_checkpoint before;
    struct shoal_buffer bytes = {0};
    struct shoal_message message = {.text = ""};
    cr_assert_eq(f->store->ops->open(f->store, 1, &message), SHOAL_OK);
    cr_assert_eq(f->store->ops->acquire(f->store, 0, &before, &message), SHOAL_OK);
    shoal_record_encode(&f->record, SHOAL_FP16, &bytes);
    const struct shoal_save_item item = {.user = {"ann", 3}, .value = {bytes.bytes, bytes.size}};
    cr_assert_eq(f->store->ops->save(f->store, 0, &item, 1, 10, 1, &message), SHOAL_OK);
    shoal_buffer_finish(&bytes);
    cr_assert_eq(shoal_explain_case_load(f->store, f->model, "ann", &explained, &message), SHOAL_OK, "%s",
                 message.text);
    return explained;
}

Test(explain_case, scores_after_each_event_of_a_whole_history_are_those_that_were_served)
{
    struct fixture f;
    begin(&f, 8, 0);
    struct shoal_explain_case explained = load(&f);
    cr_assert_eq(explained.count, EVENTS);
    cr_expect_eq(explained.correction, 0);
    for (size_t t = 0; t < EVENTS; t++)
        cr_expect_eq(explained.scores[t], f.served[t], "event %zu: %g is not %g", t, (double)explained.scores[t],
                     (double)f.served[t]);
    shoal_explain_case_finish(&explained);
    finish(&f);
    test_no_leaks();
}

Test(explain_case, the_correction_of_the_served_score_is_found_and_told)
{
    struct fixture f;
    begin(&f, 8, -0.4f);
    struct shoal_explain_case explained = load(&f);
    cr_expect_float_eq(explained.correction, -0.4f, 1e-5f);
    for (size_t t = 0; t < EVENTS; t++)
        cr_expect_float_eq(explained.scores[t], f.served[t], 1e-6f);
    shoal_explain_case_finish(&explained);
    finish(&f);
}

Test(explain_case, of_a_longer_history_the_last_scores_are_near_what_was_served)
{
    struct fixture f;
    begin(&f, 4, 0);
    struct shoal_explain_case explained = load(&f);
    cr_assert_eq(explained.count, 4);
    cr_expect_float_eq(explained.scores[3], f.served[5], 0.05f);
    cr_expect_neq(explained.scores[3], f.served[5]);
    shoal_explain_case_finish(&explained);
    finish(&f);
}

Test(explain_case, a_score_that_has_no_logit_or_is_of_another_model_corrects_nothing)
{
    struct fixture f;
    begin(&f, 8, 0);
    for (int i = 0; i < 3; i++) {
        f.record.score = (const float[]){0, 1, 0.5f}[i];
        f.record.model = i == 2 ? 78 : 77;
        struct shoal_explain_case explained = load(&f);
        cr_expect_eq(explained.correction, 0);
        cr_expect(explained.scores[0] > 0 && explained.scores[0] < 1);
        shoal_explain_case_finish(&explained);
    }
    f.record.score = 0.999999f; /* more than any correction can have made of it */
    f.record.model = 77;
    struct shoal_explain_case explained = load(&f);
    cr_expect_eq(explained.correction, SHOAL_CORRECTION_MAX);
    shoal_explain_case_finish(&explained);
    finish(&f);
}

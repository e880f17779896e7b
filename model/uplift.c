/* SPDX-License-Identifier: Apache-2.0 */
/* Engagement and prompted or organic, as they are served; see uplift.h.
 *
 * The section of the model file: {"stage": binary 2·(V + 1), "form": "none" | "two_stage" | "analytic",
 * "prompted": binary V + 1 or, if the form is none, empty}, float32 each. */
#include "model/uplift.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/fields.h"
#include "model/uplift_parts.h"
#include "model/vmath.h"

enum { STAGE = SHOAL_ENGAGEMENT_END - 1, HEADS = 3 };

static const char *const form_names[SHOAL_PROMPTED_FORMS] = {
#define X(form, text) #form,
    SHOAL_PROMPTED_LIST(X)
#undef X
};

struct shoal_uplift *shoal_uplift_create(size_t vector)
{
    struct shoal_uplift *uplift = calloc(1, sizeof *uplift);
    if (!uplift)
        return NULL;
    uplift->vector = vector;
    uplift->weights = calloc(HEADS * (vector + 1), sizeof *uplift->weights);
    if (uplift->weights)
        return uplift;
    free(uplift);
    return NULL;
}

void shoal_uplift_destroy(struct shoal_uplift *uplift)
{
    if (!uplift)
        return;
    free(uplift->weights);
    free(uplift);
}

/* Held within ±80, so that no weight makes a probability that is none. */
static float head(const struct shoal_uplift *uplift, size_t index, const float *vector)
{
    const float *weights = uplift->weights + index * (uplift->vector + 1);
    float z = shoal_dot(weights, vector, uplift->vector) + weights[uplift->vector];
    return fminf(fmaxf(z, -80), 80);
}

static float prompted(const struct shoal_uplift *uplift, const float *vector)
{
    float z = head(uplift, HEADS - 1, vector), p;
    if (uplift->form == SHOAL_PROMPTED_none)
        return NAN;
    if (uplift->form == SHOAL_PROMPTED_two_stage) {
        shoal_vsigmoid(&z, &p, 1);
        return p;
    }
    z = -z;
    shoal_vexp(&z, &p, 1);
    return fmaxf(0, 1 - p);
}

void shoal_uplift_apply(const struct shoal_uplift *uplift, const float *vector,
                        struct shoal_uplift_choice *choice)
{
    float logits[STAGE] = {0, head(uplift, 0, vector), head(uplift, 1, vector)}, sum = 0;
    float most = fmaxf(0, fmaxf(logits[1], logits[2]));
    size_t best = 0;
    for (size_t k = 0; k < STAGE; k++)
        logits[k] -= most;
    shoal_vexp(logits, choice->probability, STAGE);
    for (size_t k = 0; k < STAGE; k++) {
        sum += choice->probability[k];
        best = logits[k] > logits[best] ? k : best;
    }
    for (size_t k = 0; k < STAGE; k++)
        choice->probability[k] /= sum;
    choice->engagement = (enum shoal_engagement)(SHOAL_INACTIVE + best);
    choice->prompted = prompted(uplift, vector);
}

void shoal_uplift_pack(const struct shoal_uplift *uplift, struct shoal_buffer *out)
{
    if (!uplift) {
        shoal_pack_nil(out);
        return;
    }
    size_t each = uplift->vector + 1;
    shoal_pack_map(out, 3);
    shoal_fields_pack_floats(out, "stage", uplift->weights, 2 * each);
    shoal_pack_text(out, "form");
    shoal_pack_text(out, form_names[uplift->form]);
    shoal_fields_pack_floats(out, "prompted", uplift->weights + 2 * each,
                             uplift->form == SHOAL_PROMPTED_none ? 0 : each);
}

static enum shoal_prompted_form read_form(struct shoal_unpack *in)
{
    size_t size;
    shoal_fields_expect(in, "form");
    const char *name = shoal_unpack_str(in, &size);
    for (int form = 0; name && form < SHOAL_PROMPTED_FORMS; form++)
        if (size == strlen(form_names[form]) && !memcmp(name, form_names[form], size))
            return (enum shoal_prompted_form)form;
    shoal_unpack_fail(in);
    return SHOAL_PROMPTED_none;
}

/* The map's three pairs into an empty uplift. */
static bool read_parts(struct shoal_unpack *in, struct shoal_uplift *uplift)
{
    size_t each = uplift->vector + 1;
    if (shoal_unpack_map(in, 3) != 3)
        shoal_unpack_fail(in);
    shoal_fields_floats(in, "stage", uplift->weights, 2 * each);
    uplift->form = read_form(in);
    shoal_fields_floats(in, "prompted", uplift->weights + 2 * each,
                        uplift->form == SHOAL_PROMPTED_none ? 0 : each);
    return in->status == SHOAL_OK && shoal_fields_finite(uplift->weights, HEADS * each);
}

enum shoal_status shoal_uplift_unpack(struct shoal_unpack *in, size_t vector,
                                      struct shoal_uplift **uplift, struct shoal_message *message)
{
    *uplift = NULL;
    if (shoal_fields_absent(in))
        return SHOAL_OK;
    struct shoal_uplift *made = shoal_uplift_create(vector);
    if (!made)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    if (!read_parts(in, made)) {
        shoal_uplift_destroy(made);
        return shoal_fail(message, SHOAL_DAMAGED, "damaged (uplift)");
    }
    *uplift = made;
    return SHOAL_OK;
}

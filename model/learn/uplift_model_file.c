/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a table model of uplift: one MessagePack map with these keys, in this order.
 *
 *   format     "shoal-uplift"
 *   version    1
 *   treatment, treated, control, outcome   texts: the columns and the two values of the treatment
 *   rows       [control, treated, outcomes in control, outcomes in treated, seed]
 *   inputs     [[column, kind, level, fill, mean, deviation] …]: kind as in enum shoal_input_kind
 *   rfm        [[column, binary of 4 float64] × 3]
 *   learners   [[name, ridge, tau, treated share, binary of 3·(width + 1) float64] …] in their order
 *   tried      [[learner, ridge, tau, log loss, Qini] …]
 *   best       [[index into tried, Qini, spread] for each learner]
 *   picked     number of the learner
 *   checksum   binary of 8: XXH3 (64 bits) of all bytes before these 8
 *
 * Whatever stands in another place, has another type or is not finite where it counts is damage. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/hash.h"
#include "model/fields.h"
#include "model/learn/uplift_model.h"

enum { KEYS = 14, VERSION = 1, CHECKSUM = 8 };
#define FORMAT "shoal-uplift"

/* ---- writing --------------------------------------------------------------------------------- */

static void pack_named(struct shoal_buffer *out, const char *name, const char *text)
{
    shoal_pack_text(out, name);
    shoal_pack_text(out, text);
}

static void pack_inputs(const struct shoal_uplift_model *model, struct shoal_buffer *out)
{
    shoal_pack_text(out, "inputs");
    shoal_pack_array(out, (uint32_t)model->width);
    for (size_t k = 0; k < model->width; k++) {
        const struct shoal_input_column *input = &model->inputs[k];
        shoal_pack_array(out, 6);
        shoal_pack_text(out, input->column);
        shoal_pack_uint(out, input->kind);
        shoal_pack_text(out, input->level);
        shoal_pack_double(out, input->fill);
        shoal_pack_double(out, input->mean);
        shoal_pack_double(out, input->deviation);
    }
    shoal_pack_text(out, "rfm");
    shoal_pack_array(out, SHOAL_RFM);
    for (int d = 0; d < SHOAL_RFM; d++) {
        shoal_pack_array(out, 2);
        shoal_pack_text(out, model->rfm.column[d]);
        shoal_pack_bin(out, model->rfm.bounds[d], sizeof model->rfm.bounds[d]);
    }
}

static void pack_learners(const struct shoal_uplift_model *model, struct shoal_buffer *out)
{
    shoal_pack_text(out, "learners");
    shoal_pack_array(out, SHOAL_LEARNERS);
    for (int learner = 0; learner < SHOAL_LEARNERS; learner++) {
        const struct shoal_uplift_heads *heads = &model->heads[learner];
        shoal_pack_array(out, 5);
        shoal_pack_text(out, shoal_uplift_learner_name((enum shoal_uplift_learner)learner));
        shoal_pack_double(out, heads->setting.ridge);
        shoal_pack_double(out, heads->setting.tau);
        shoal_pack_double(out, heads->treated_share);
        shoal_pack_bin(out, heads->weights,
                       SHOAL_UPLIFT_HEADS * (model->width + 1) * sizeof *heads->weights);
    }
}

static void pack_choice(const struct shoal_uplift_choice_of *choice, struct shoal_buffer *out)
{
    shoal_pack_text(out, "tried");
    shoal_pack_array(out, (uint32_t)choice->count);
    for (size_t s = 0; s < choice->count; s++) {
        const struct shoal_uplift_tried *tried = &choice->tried[s];
        shoal_pack_array(out, 5);
        shoal_pack_uint(out, tried->setting.learner);
        shoal_pack_double(out, tried->setting.ridge);
        shoal_pack_double(out, tried->setting.tau);
        shoal_pack_double(out, tried->loss);
        shoal_pack_double(out, tried->qini);
    }
    shoal_pack_text(out, "best");
    shoal_pack_array(out, SHOAL_LEARNERS);
    for (int learner = 0; learner < SHOAL_LEARNERS; learner++) {
        shoal_pack_array(out, 3);
        shoal_pack_uint(out, choice->best[learner]);
        shoal_pack_double(out, choice->qini[learner]);
        shoal_pack_double(out, choice->spread[learner]);
    }
    shoal_pack_text(out, "picked");
    shoal_pack_uint(out, choice->picked);
}

void shoal_uplift_model_pack(const struct shoal_uplift_model *model, struct shoal_buffer *out)
{
    shoal_pack_map(out, KEYS);
    pack_named(out, "format", FORMAT);
    shoal_pack_text(out, "version");
    shoal_pack_uint(out, VERSION);
    pack_named(out, "treatment", model->treatment);
    pack_named(out, "treated", model->treated);
    pack_named(out, "control", model->control);
    pack_named(out, "outcome", model->outcome);
    shoal_pack_text(out, "rows");
    shoal_pack_array(out, 5);
    for (int arm = 0; arm < 2; arm++)
        shoal_pack_uint(out, model->rows[arm]);
    for (int arm = 0; arm < 2; arm++)
        shoal_pack_uint(out, model->outcomes[arm]);
    shoal_pack_uint(out, model->seed);
    pack_inputs(model, out);
    pack_learners(model, out);
    pack_choice(&model->choice, out);
    shoal_pack_text(out, "checksum");
    static const uint8_t zeros[CHECKSUM];
    shoal_pack_bin(out, zeros, sizeof zeros);
    if (out->failed)
        return;
    uint64_t sum = shoal_hash(out->bytes, out->size - CHECKSUM);
    memcpy(out->bytes + out->size - CHECKSUM, &sum, sizeof sum);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void read_text(struct shoal_unpack *in, char text[SHOAL_COLUMN_NAME])
{
    size_t size;
    const char *found = shoal_unpack_str(in, &size);
    if (found && size < SHOAL_COLUMN_NAME && !memchr(found, '\0', size))
        memcpy(text, found, size); /* the model is zeroed */
    else
        shoal_unpack_fail(in);
}

static void read_named(struct shoal_unpack *in, const char *name, char text[SHOAL_COLUMN_NAME])
{
    shoal_fields_expect(in, name);
    read_text(in, text);
}

static double read_finite(struct shoal_unpack *in)
{
    double value = shoal_unpack_double(in);
    if (!isfinite(value))
        shoal_unpack_fail(in);
    return in->status == SHOAL_OK ? value : 0;
}

/* An array of just `count` elements. */
static void read_array(struct shoal_unpack *in, uint32_t count)
{
    if (shoal_unpack_array(in, count) != count)
        shoal_unpack_fail(in);
}

static void read_doubles(struct shoal_unpack *in, double *values, size_t count)
{
    size_t size;
    const void *bytes = shoal_unpack_bin(in, &size);
    if (!bytes || size != count * sizeof *values) {
        shoal_unpack_fail(in);
        return;
    }
    memcpy(values, bytes, size);
    for (size_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            shoal_unpack_fail(in);
}

static void read_inputs(struct shoal_unpack *in, struct shoal_uplift_model *model)
{
    shoal_fields_expect(in, "inputs");
    model->width = shoal_unpack_array(in, SHOAL_UPLIFT_WIDTH);
    for (size_t k = 0; k < model->width && in->status == SHOAL_OK; k++) {
        struct shoal_input_column *input = &model->inputs[k];
        read_array(in, 6);
        read_text(in, input->column);
        input->kind = (enum shoal_input_kind)shoal_unpack_uint(in, SHOAL_INPUT_LEVEL);
        read_text(in, input->level);
        input->fill = read_finite(in);
        input->mean = read_finite(in);
        input->deviation = read_finite(in);
        if (!(input->deviation > 0))
            shoal_unpack_fail(in);
    }
    shoal_fields_expect(in, "rfm");
    read_array(in, SHOAL_RFM);
    for (int d = 0; d < SHOAL_RFM; d++) {
        read_array(in, 2);
        read_text(in, model->rfm.column[d]);
        read_doubles(in, model->rfm.bounds[d], SHOAL_RFM_PARTS - 1);
    }
}

static enum shoal_status read_learners(struct shoal_unpack *in, struct shoal_uplift_model *model)
{
    size_t count = SHOAL_UPLIFT_HEADS * (model->width + 1);
    shoal_fields_expect(in, "learners");
    read_array(in, SHOAL_LEARNERS);
    for (int learner = 0; learner < SHOAL_LEARNERS && in->status == SHOAL_OK; learner++) {
        struct shoal_uplift_heads *heads = &model->heads[learner];
        read_array(in, 5);
        shoal_fields_expect(in, shoal_uplift_learner_name((enum shoal_uplift_learner)learner));
        heads->setting.learner = (enum shoal_uplift_learner)learner;
        heads->setting.ridge = read_finite(in);
        heads->setting.tau = read_finite(in);
        heads->treated_share = read_finite(in);
        if (!(heads->treated_share > 0 && heads->treated_share < 1))
            shoal_unpack_fail(in);
        heads->width = model->width;
        heads->weights = malloc(count * sizeof *heads->weights);
        if (!heads->weights)
            return SHOAL_NOMEM;
        read_doubles(in, heads->weights, count);
    }
    return SHOAL_OK;
}

static void read_choice(struct shoal_unpack *in, struct shoal_uplift_choice_of *choice)
{
    shoal_fields_expect(in, "tried");
    choice->count = shoal_unpack_array(in, SHOAL_UPLIFT_SETTINGS);
    for (size_t s = 0; s < choice->count && in->status == SHOAL_OK; s++) {
        struct shoal_uplift_tried *tried = &choice->tried[s];
        read_array(in, 5);
        tried->setting.learner = (enum shoal_uplift_learner)shoal_unpack_uint(in, SHOAL_LEARNERS - 1);
        tried->setting.ridge = read_finite(in);
        tried->setting.tau = read_finite(in);
        tried->loss = shoal_unpack_double(in);
        tried->qini = shoal_unpack_double(in);
    }
    uint64_t last = choice->count ? choice->count - 1 : 0;
    if (!choice->count)
        shoal_unpack_fail(in);
    shoal_fields_expect(in, "best");
    read_array(in, SHOAL_LEARNERS);
    for (int learner = 0; learner < SHOAL_LEARNERS; learner++) {
        read_array(in, 3);
        choice->best[learner] = shoal_unpack_uint(in, last);
        choice->qini[learner] = shoal_unpack_double(in);
        choice->spread[learner] = shoal_unpack_double(in);
    }
    shoal_fields_expect(in, "picked");
    choice->picked = (enum shoal_uplift_learner)shoal_unpack_uint(in, SHOAL_LEARNERS - 1);
}

static enum shoal_status read_body(struct shoal_unpack *in, struct shoal_uplift_model *model)
{
    read_named(in, "treatment", model->treatment);
    read_named(in, "treated", model->treated);
    read_named(in, "control", model->control);
    read_named(in, "outcome", model->outcome);
    shoal_fields_expect(in, "rows");
    read_array(in, 5);
    for (int arm = 0; arm < 2; arm++)
        model->rows[arm] = shoal_unpack_uint(in, UINT64_MAX);
    for (int arm = 0; arm < 2; arm++)
        model->outcomes[arm] = shoal_unpack_uint(in, UINT64_MAX);
    model->seed = shoal_unpack_uint(in, UINT64_MAX);
    read_inputs(in, model);
    enum shoal_status status = in->status == SHOAL_OK ? read_learners(in, model) : SHOAL_OK;
    if (status != SHOAL_OK)
        return status;
    read_choice(in, &model->choice);
    shoal_fields_expect(in, "checksum");
    size_t size = 0;
    (void)shoal_unpack_bin(in, &size);
    if (size != CHECKSUM || in->position != in->size)
        shoal_unpack_fail(in);
    return SHOAL_OK;
}

enum shoal_status shoal_uplift_model_unpack(const void *bytes, size_t size, struct shoal_uplift_model *model,
                                            struct shoal_message *message)
{
    struct shoal_unpack in;
    size_t length = 0;
    shoal_unpack_init(&in, bytes, size);
    uint32_t keys = shoal_unpack_map(&in, UINT32_MAX);
    bool ours = shoal_fields_expect(&in, "format");
    const char *format = shoal_unpack_str(&in, &length);
    if (!ours || !format || length != strlen(FORMAT) || memcmp(format, FORMAT, length) != 0)
        return shoal_fail(message, SHOAL_DAMAGED, "not a model of shoal uplift");
    shoal_fields_expect(&in, "version");
    uint64_t version = shoal_unpack_uint(&in, UINT64_MAX);
    if (in.status == SHOAL_OK && version != VERSION)
        return shoal_fail(message, SHOAL_VERSION, "version %" PRIu64 ", this program reads %d", version,
                          VERSION);
    uint64_t sum = shoal_hash(bytes, size > CHECKSUM ? size - CHECKSUM : 0);
    if (size <= CHECKSUM || memcmp((const uint8_t *)bytes + size - CHECKSUM, &sum, sizeof sum) != 0)
        return shoal_fail(message, SHOAL_DAMAGED, "damaged (checksum)");
    enum shoal_status status = read_body(&in, model);
    if (status != SHOAL_OK)
        return shoal_fail(message, status, "out of memory");
    if (in.status != SHOAL_OK || keys != KEYS)
        return shoal_fail(message, SHOAL_DAMAGED, "damaged (at byte %zu)", in.position);
    return SHOAL_OK;
}

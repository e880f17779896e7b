/* SPDX-License-Identifier: Apache-2.0 */
/* Customer value as it is served; see value.h.
 *
 * The section of the model file, floats as binaries:
 *
 *   bg_nbd  {method, horizon_ms, tiers [2: middle, high], newcomer [1], buying [4: r α a b], spend [3: p q v]}
 *   ziln    {method, horizon_ms, tiers [2], most [1], mean [N], deviation [N], weights [3 × (N + 1)]}
 *
 * with N = V + SHOAL_ZILN_PURCHASES. Only the method that validated better is in a model. */
#include "model/value.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/fields.h"
#include "model/value_parts.h"

/* An expectation that would leave the range of float stays at this. */
static const double EXPECTED_MAX = 1e30;
static const int64_t HORIZON_MIN_MS = INT64_C(3600000), HORIZON_MAX_MS = INT64_C(315576000000);

const char *shoal_value_method_name(enum shoal_value_method method)
{
    return method == SHOAL_VALUE_ZILN ? "ziln" : "bg_nbd";
}

enum shoal_value_method shoal_value_method(const struct shoal_value *value)
{
    return value->method;
}

int64_t shoal_value_horizon_ms(const struct shoal_value *value)
{
    return value->horizon_ms;
}

float shoal_value_expected(const struct shoal_value *value, const struct shoal_purchases *purchases,
                           int64_t now_ms, const float *vector)
{
    double expected;
    if (value->method == SHOAL_VALUE_ZILN) {
        float rest[SHOAL_ZILN_PURCHASES];
        shoal_ziln_purchases(purchases, now_ms, rest);
        expected = shoal_ziln_expected(&value->ziln, vector,
                                       value->ziln.inputs - SHOAL_ZILN_PURCHASES, rest);
    } else if (purchases->occasions == 0) {
        return value->newcomer;
    } else {
        struct shoal_customer customer = shoal_customer_at(purchases, now_ms);
        double weeks = (double)value->horizon_ms / SHOAL_WEEK_MS;
        expected = shoal_bgnbd_expected(&value->buying, &customer, weeks) *
                   shoal_gamma_gamma_expected(&value->spend, &customer);
    }
    /* fmax takes the number where the other is none. */
    return (float)fmin(fmax(expected, 0), EXPECTED_MAX);
}

enum shoal_value_tier shoal_value_tier(const struct shoal_value *value, float expected)
{
    if (expected >= value->high)
        return SHOAL_VALUE_HIGH;
    return expected >= value->middle ? SHOAL_VALUE_MIDDLE : SHOAL_VALUE_LOW;
}

float shoal_value_threshold(const struct shoal_value *value, enum shoal_value_tier tier)
{
    if (tier == SHOAL_VALUE_LOW)
        return 0;
    return tier == SHOAL_VALUE_MIDDLE ? value->middle : value->high;
}

void shoal_value_destroy(struct shoal_value *value)
{
    if (!value)
        return;
    shoal_ziln_finish(&value->ziln);
    free(value);
}

/* ---- checks ---------------------------------------------------------------------------------- */

static bool within(double value, double low, double high)
{
    return value >= low && value <= high; /* false for what is no number */
}

static bool check_bg_nbd(const struct shoal_value *value)
{
    const struct shoal_bgnbd *buying = &value->buying;
    const struct shoal_gamma_gamma *spend = &value->spend;
    const double low = 1e-8, high = 1e8;
    return within(buying->r, low, high) && within(buying->alpha, low, high) &&
           within(buying->a, low, high) && within(buying->b, low, high) &&
           within(spend->p, low, high) && within(spend->q, 1 + 1e-6, high) &&
           within(spend->v, 1e-30, 1e30) && within((double)value->newcomer, 0, EXPECTED_MAX);
}

static bool check_ziln(const struct shoal_ziln *ziln)
{
    for (size_t i = 0; i < ziln->inputs; i++)
        if (!within((double)ziln->deviation[i], 1e-12, 1e30))
            return false;
    return shoal_fields_finite(ziln->mean, shoal_ziln_size(ziln->inputs)) &&
           within((double)ziln->most, 0, EXPECTED_MAX);
}

int shoal_value_check(const struct shoal_value *value)
{
    return value->horizon_ms >= HORIZON_MIN_MS && value->horizon_ms <= HORIZON_MAX_MS &&
           value->middle > 0 && within((double)value->high, (double)value->middle, EXPECTED_MAX) &&
           value->high > value->middle &&
           (value->method == SHOAL_VALUE_ZILN ? check_ziln(&value->ziln) : check_bg_nbd(value));
}

/* ---- the model file's section ------------------------------------------------------------------ */

void shoal_value_pack(const struct shoal_value *value, struct shoal_buffer *out)
{
    if (!value) {
        shoal_pack_nil(out);
        return;
    }
    bool is_ziln = value->method == SHOAL_VALUE_ZILN;
    const float tiers[] = {value->middle, value->high};
    shoal_pack_map(out, is_ziln ? 7 : 6);
    shoal_pack_text(out, "method");
    shoal_pack_text(out, shoal_value_method_name(value->method));
    shoal_pack_text(out, "horizon_ms");
    shoal_pack_int(out, value->horizon_ms);
    shoal_fields_pack_floats(out, "tiers", tiers, 2);
    if (is_ziln) {
        const struct shoal_ziln *ziln = &value->ziln;
        shoal_fields_pack_floats(out, "most", &ziln->most, 1);
        shoal_fields_pack_floats(out, "mean", ziln->mean, ziln->inputs);
        shoal_fields_pack_floats(out, "deviation", ziln->deviation, ziln->inputs);
        shoal_fields_pack_floats(out, "weights", ziln->weights,
                                 SHOAL_ZILN_HEADS * (ziln->inputs + 1));
        return;
    }
    const struct shoal_bgnbd *m = &value->buying;
    const struct shoal_gamma_gamma *g = &value->spend;
    const float buying[] = {(float)m->r, (float)m->alpha, (float)m->a, (float)m->b};
    const float spend[] = {(float)g->p, (float)g->q, (float)g->v};
    shoal_fields_pack_floats(out, "newcomer", &value->newcomer, 1);
    shoal_fields_pack_floats(out, "buying", buying, 4);
    shoal_fields_pack_floats(out, "spend", spend, 3);
}

static void unpack_bg_nbd(struct shoal_unpack *in, struct shoal_value *value)
{
    float buying[4] = {0}, spend[3] = {0};
    shoal_fields_floats(in, "newcomer", &value->newcomer, 1);
    shoal_fields_floats(in, "buying", buying, 4);
    shoal_fields_floats(in, "spend", spend, 3);
    value->buying = (struct shoal_bgnbd){(double)buying[0], (double)buying[1], (double)buying[2],
                                         (double)buying[3]};
    value->spend = (struct shoal_gamma_gamma){(double)spend[0], (double)spend[1], (double)spend[2]};
}

static enum shoal_status unpack_ziln(struct shoal_unpack *in, size_t vector, struct shoal_ziln *ziln)
{
    size_t inputs = vector + SHOAL_ZILN_PURCHASES;
    float *block = calloc(shoal_ziln_size(inputs), sizeof *block);
    if (!block)
        return SHOAL_NOMEM;
    shoal_ziln_place(ziln, inputs, block);
    shoal_fields_floats(in, "most", &ziln->most, 1);
    shoal_fields_floats(in, "mean", ziln->mean, inputs);
    shoal_fields_floats(in, "deviation", ziln->deviation, inputs);
    shoal_fields_floats(in, "weights", ziln->weights, SHOAL_ZILN_HEADS * (inputs + 1));
    return SHOAL_OK;
}

static enum shoal_status unpack_map(struct shoal_unpack *in, size_t vector, struct shoal_value *value)
{
    float tiers[2] = {0};
    size_t size = 0;
    uint32_t pairs = shoal_unpack_map(in, 7);
    shoal_fields_expect(in, "method");
    const char *method = shoal_unpack_str(in, &size);
    bool is_ziln = method && size == 4 && !memcmp(method, "ziln", 4);
    if (!is_ziln && !(method && size == 6 && !memcmp(method, "bg_nbd", 6)))
        shoal_unpack_fail(in);
    value->method = is_ziln ? SHOAL_VALUE_ZILN : SHOAL_VALUE_BG_NBD;
    if (pairs != (is_ziln ? 7 : 6))
        shoal_unpack_fail(in);
    shoal_fields_expect(in, "horizon_ms");
    value->horizon_ms = shoal_unpack_int(in, HORIZON_MIN_MS, HORIZON_MAX_MS);
    shoal_fields_floats(in, "tiers", tiers, 2);
    value->middle = tiers[0];
    value->high = tiers[1];
    if (is_ziln)
        return unpack_ziln(in, vector, &value->ziln);
    unpack_bg_nbd(in, value);
    return SHOAL_OK;
}

enum shoal_status shoal_value_unpack(struct shoal_unpack *in, size_t vector,
                                     struct shoal_value **value, struct shoal_message *message)
{
    *value = NULL;
    struct shoal_unpack ahead = *in;
    struct shoal_pack_value head;
    if (shoal_unpack_next(&ahead, &head) && head.type == SHOAL_PACK_NIL) {
        *in = ahead;
        return SHOAL_OK;
    }
    struct shoal_value *made = calloc(1, sizeof *made);
    enum shoal_status status = made ? unpack_map(in, vector, made) : SHOAL_NOMEM;
    if (status == SHOAL_OK && (in->status != SHOAL_OK || !shoal_value_check(made)))
        status = shoal_fail(message, SHOAL_DAMAGED,
                            "the section on customer value is damaged: a field is missing or a number out "
                            "of its range");
    if (status == SHOAL_OK)
        *value = made;
    else
        shoal_value_destroy(made);
    return status;
}

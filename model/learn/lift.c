/* SPDX-License-Identifier: Apache-2.0 */
/* Differences of two groups; see lift.h. */
#include "model/learn/lift.h"

#include <math.h>
#include <string.h>

#include "model/learn/distributions.h"

enum { V = SHOAL_LIFT_VARIABLES, K = SHOAL_LIFT_COVARIATES };

static const double LEVEL = 0.05, POWER = 0.8, EXPECTED_MIN = 5;
static const double ANYTIME_BEST_AT = 10000; /* units at which the sequence is narrowest */

static const struct shoal_interval no_interval = {NAN, NAN};
static const struct shoal_difference no_difference = {NAN, NAN, NAN, {NAN, NAN}};

void shoal_arm_add(struct shoal_arm *arm, double outcome, const double covariates[K])
{
    double before[V], values[V] = {outcome};
    memcpy(values + 1, covariates, K * sizeof *covariates);
    arm->count++;
    arm->hits += outcome > 0 || outcome < 0;
    for (int i = 0; i < V; i++) {
        before[i] = values[i] - arm->means[i];
        arm->means[i] += before[i] / arm->count;
    }
    for (int i = 0; i < V; i++)
        for (int j = 0; j <= i; j++)
            arm->products[i][j] += before[i] * (values[j] - arm->means[j]);
}

static double normal_limit(void)
{
    return shoal_normal_quantile(1 - LEVEL / 2);
}

/* ---- shares --------------------------------------------------------------------------------- */

/* Wilson's interval of a share. */
static struct shoal_interval wilson(double hits, double count)
{
    double z = normal_limit(), p = hits / count, square = z * z;
    double middle = (p + square / (2 * count)) / (1 + square / count);
    double half =
        z / (1 + square / count) * sqrt(p * (1 - p) / count + square / (4 * count * count));
    return (struct shoal_interval){fmax(0, middle - half), fmin(1, middle + half)};
}

static double share_p_value(double k1, double n1, double k0, double n0)
{
    double pooled = (k1 + k0) / (n1 + n0);
    double least = fmin(n1, n0) * fmin(pooled, 1 - pooled);
    if (least < EXPECTED_MIN)
        return shoal_fisher_exact(k1, n1, k0, n0);
    double z = (k1 / n1 - k0 / n0) / sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n0));
    return erfc(fabs(z) / sqrt(2));
}

static struct shoal_difference difference_of_shares(double k1, double n1, double k0, double n0)
{
    if (n1 < 1 || n0 < 1)
        return no_difference;
    double p1 = k1 / n1, p0 = k0 / n0, difference = p1 - p0;
    struct shoal_interval first = wilson(k1, n1), second = wilson(k0, n0);
    double below = hypot(p1 - first.low, second.high - p0);
    double above = hypot(first.high - p1, p0 - second.low);
    return (struct shoal_difference){
        .value = difference,
        .error = sqrt(p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0),
        .p_value = share_p_value(k1, n1, k0, n0),
        .interval = {difference - below, difference + above},
    };
}

/* ---- means ---------------------------------------------------------------------------------- */

/* `square`: a group's variance of the mean. */
static struct shoal_difference welch(double difference, double n1, double square1, double n0,
                                     double square0)
{
    double square = square1 + square0;
    if (n1 < 2 || n0 < 2 || !(square > 0))
        return no_difference;
    double freedom =
        square * square / (square1 * square1 / (n1 - 1) + square0 * square0 / (n0 - 1));
    double error = sqrt(square), half = shoal_student_quantile(1 - LEVEL / 2, freedom) * error;
    return (struct shoal_difference){
        .value = difference,
        .error = error,
        .p_value = shoal_student_tails(difference / error, freedom),
        .interval = {difference - half, difference + half},
    };
}

static double square_of_mean(double products, double count)
{
    return count >= 2 ? products / (count - 1) / count : NAN;
}

/* ---- CUPED ---------------------------------------------------------------------------------- */

static double product(const struct shoal_arm *arm, int i, int j)
{
    return i >= j ? arm->products[i][j] : arm->products[j][i];
}

/* θ of the pooled within-group regression, by elimination with the sweep operator. A covariate that says
 * nothing beyond those before it (a constant, a copy) gets 0. */
static void regress(const struct shoal_arm *exposed, const struct shoal_arm *control,
                    double theta[K])
{
    double a[V][V]; /* covariates first, the outcome last */
    bool used[K];
    for (int i = 0; i < V; i++)
        for (int j = 0; j < V; j++) {
            int v = (i + 1) % V, w = (j + 1) % V;
            a[i][j] = product(exposed, v, w) + product(control, v, w);
        }
    for (int k = 0; k < K; k++) {
        double whole = product(exposed, k + 1, k + 1) + product(control, k + 1, k + 1);
        used[k] = whole > 0 && a[k][k] > 1e-9 * whole;
        for (int i = 0; used[k] && i < V; i++) {
            double factor = a[i][k] / a[k][k];
            for (int j = 0; i != k && j < V; j++)
                a[i][j] -= factor * a[k][j];
        }
    }
    for (int k = 0; k < K; k++)
        theta[k] = used[k] ? a[k][K] / a[k][k] : 0;
}

/* Σ (y − θᵀx − its mean)² of a group. */
static double residual(const struct shoal_arm *arm, const double theta[K])
{
    double sum = product(arm, 0, 0);
    for (int i = 0; i < K; i++) {
        sum -= 2 * theta[i] * product(arm, 0, i + 1);
        for (int j = 0; j < K; j++)
            sum += theta[i] * theta[j] * product(arm, i + 1, j + 1);
    }
    return fmax(sum, 0);
}

static void adjust(const struct shoal_arm *exposed, const struct shoal_arm *control,
                   struct shoal_lift *lift)
{
    double theta[K], n1 = exposed->count, n0 = control->count;
    double difference = exposed->means[0] - control->means[0];
    double before =
        square_of_mean(product(exposed, 0, 0), n1) + square_of_mean(product(control, 0, 0), n0);
    regress(exposed, control, theta);
    for (int i = 0; i < K; i++)
        difference -= theta[i] * (exposed->means[i + 1] - control->means[i + 1]);
    lift->adjusted = welch(difference, n1, square_of_mean(residual(exposed, theta), n1), n0,
                           square_of_mean(residual(control, theta), n0));
    if (n1 >= 2 && n0 >= 2 && before > 0 && isfinite(lift->adjusted.error))
        lift->variance_reduced = 1 - lift->adjusted.error * lift->adjusted.error / before;
}

/* ---- what both have ------------------------------------------------------------------------- */

static void set_relative(struct shoal_lift *lift, double square1, double square0)
{
    if (!(lift->control > 0))
        return;
    double ratio = lift->exposed / lift->control;
    lift->relative = ratio - 1;
    if (!(lift->exposed > 0))
        return;
    double error =
        sqrt(square1 / (lift->exposed * lift->exposed) + square0 / (lift->control * lift->control));
    double factor = exp(normal_limit() * error);
    if (isfinite(factor))
        lift->relative_interval = (struct shoal_interval){ratio / factor - 1, ratio * factor - 1};
}

/* Equation 3 of Waudby-Smith et al. with the standard error for σ/√t. */
static struct shoal_interval anytime(const struct shoal_difference *difference, double count)
{
    if (!isfinite(difference->error) || !(difference->error > 0))
        return no_interval;
    double log_level = -2 * log(LEVEL);
    double rho = count * (log_level + log(log_level + 1)) / ANYTIME_BEST_AT;
    double half = difference->error * sqrt(2 * (rho + 1) / rho * log(sqrt(rho + 1) / LEVEL));
    return (struct shoal_interval){difference->value - half, difference->value + half};
}

static void judge(const struct shoal_arm *exposed, const struct shoal_arm *control,
                  struct shoal_lift *lift)
{
    const struct shoal_difference *used = shoal_lift_used(lift);
    double count = exposed->count + control->count;
    lift->anytime = anytime(used, count);
    if (used->error > 0) {
        lift->detectable = (normal_limit() + shoal_normal_quantile(POWER)) * used->error;
        double times = lift->detectable / fabs(used->value);
        if (isfinite(times))
            lift->units_needed = ceil(count * times * times);
    }
    if (exposed->count < SHOAL_LIFT_UNITS_MIN || control->count < SHOAL_LIFT_UNITS_MIN)
        lift->verdict = SHOAL_LIFT_TOO_FEW;
    else if (used->p_value < LEVEL)
        lift->verdict = used->value > 0 ? SHOAL_LIFT_MORE : SHOAL_LIFT_LESS;
}

static void begin(const struct shoal_arm *exposed, const struct shoal_arm *control,
                  struct shoal_lift *lift)
{
    *lift = (struct shoal_lift){
        .exposed = exposed->count > 0 ? exposed->means[0] : NAN,
        .control = control->count > 0 ? control->means[0] : NAN,
        .plain = no_difference,
        .adjusted = no_difference,
        .variance_reduced = NAN,
        .relative = NAN,
        .relative_interval = no_interval,
        .anytime = no_interval,
        .detectable = NAN,
        .units_needed = NAN,
    };
}

void shoal_lift_shares(const struct shoal_arm *exposed, const struct shoal_arm *control,
                       struct shoal_lift *lift)
{
    double n1 = exposed->count, n0 = control->count, k1 = exposed->hits, k0 = control->hits;
    begin(exposed, control, lift);
    lift->plain = difference_of_shares(k1, n1, k0, n0);
    adjust(exposed, control, lift);
    double rarest = fmin(fmin(k1, n1 - k1), fmin(k0, n0 - k0));
    lift->adjusted_used = rarest >= SHOAL_LIFT_HITS_MIN && isfinite(lift->adjusted.p_value);
    set_relative(lift, lift->exposed * (1 - lift->exposed) / n1,
                 lift->control * (1 - lift->control) / n0);
    judge(exposed, control, lift);
}

void shoal_lift_means(const struct shoal_arm *exposed, const struct shoal_arm *control,
                      struct shoal_lift *lift)
{
    double n1 = exposed->count, n0 = control->count;
    double square1 = square_of_mean(product(exposed, 0, 0), n1);
    double square0 = square_of_mean(product(control, 0, 0), n0);
    begin(exposed, control, lift);
    lift->plain = welch(lift->exposed - lift->control, n1, square1, n0, square0);
    adjust(exposed, control, lift);
    lift->adjusted_used = isfinite(lift->adjusted.p_value);
    set_relative(lift, square1, square0);
    judge(exposed, control, lift);
}

const struct shoal_difference *shoal_lift_used(const struct shoal_lift *lift)
{
    return lift->adjusted_used ? &lift->adjusted : &lift->plain;
}

double shoal_split_p_value(double exposed, double control, double share)
{
    double count = exposed + control;
    if (!(share > 0 && share < 1) || !(count > 0))
        return NAN;
    double gap = control - count * share;
    return shoal_chi_square_tail(gap * gap / (count * share * (1 - share)));
}

/* In order of p: the largest so far of (tests left) × p. Quadratic, but for a handful. */
void shoal_holm(double *p_values, size_t count)
{
    size_t left = 0;
    double at = -1, most = 0;
    for (size_t i = 0; i < count; i++)
        left += isnan(p_values[i]) ? 0 : 1;
    /* Corrected values are stored negative, so that they are not taken for p-values on the way. */
    for (; left > 0; left--) {
        size_t next = count;
        for (size_t i = 0; i < count; i++)
            if (p_values[i] >= 0 && !signbit(p_values[i]) &&
                (next == count || p_values[i] < p_values[next]))
                next = i;
        if (next == count)
            break;
        at = fmin(1, (double)left * p_values[next]);
        most = fmax(most, at);
        p_values[next] = -most;
    }
    for (size_t i = 0; i < count; i++)
        p_values[i] = isnan(p_values[i]) ? p_values[i] : fabs(p_values[i]);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* How much of what a network adds to a regression is to be believed.
 *
 *   logit = regression + a + share·(network − regression)
 *
 * Taking one or the other throws away what both know; on few users the lead of either is mostly chance,
 * and the average of two is better than a choice (Hoeting et al. 1999). So share is estimated on events that
 * neither has seen, and drawn towards one half as far as the estimate is uncertain: its posterior mean
 * under a normal prior, with the sandwich variance over users, since events of one user are no independent
 * witnesses (Liang & Zeger 1986). Few users: about one half. Many: what the data say. The intercept a is
 * not kept (calibration finds its own), but it belongs into the comparison: base rates move from day to
 * day, and which of two models follows by chance says nothing of either. */
#ifndef SHOAL_LEARN_SHRINK_H
#define SHOAL_LEARN_SHRINK_H

#include <stddef.h>
#include <stdint.h>

struct shoal_shrink {
    double share;      /* posterior mean, within 0 … 1 */
    double estimate;   /* maximum likelihood; NaN: the two say the same, share is then 0 */
    double deviation;  /* of the estimate, over users */
    double intercept;  /* a at that share */
};

/* Logits and labels (0, 1) of `count` events; users: of each event, equal ones next to each other. */
struct shoal_shrink shoal_shrink_fit(const double *regression, const double *network,
                                     const int8_t *labels, const uint32_t *users, size_t count);
/* Mean log loss of regression + a + share·(network − regression); losses (count): of each event, or NULL. */
double shoal_shrink_loss(const double *regression, const double *network, const int8_t *labels,
                         size_t count, const struct shoal_shrink *shrink, double *losses);
/* Standard error, over users, of the mean of first − second. */
double shoal_paired_error(const double *first, const double *second, const uint32_t *users,
                          size_t count);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Items that are bought together: pairs of items in baskets, how much more often than by chance, and how sure
 * that is.
 *
 *   n baskets, n_a with item a, n_b with b, n_ab with both
 *   support       n_ab
 *   confidence    n_ab / n_a: of the baskets with a, the share that have b too
 *   lift          L = n·n_ab / (n_a·n_b); 1: no more often than by chance (Brin, Motwani, Ullman, Tsur 1997)
 *
 * The interval is of log L, by the delta method with customers as clusters, since a customer's baskets resemble
 * each other: with the influence of a basket on log L (linearisation: Binder 1983)
 *
 *   ψ = 1{a, b}·n/n_ab − 1{a}·n/n_a − 1{b}·n/n_b + 1,    variance = G/(G − 1) · Σ over customers (Σ ψ)² / n²
 *
 * G being the number of customers. With one basket a customer this is 1/n_ab − 1/n_a − 1/n_b + (2L − 1)/n, but
 * for G/(G − 1).
 *
 * Of many pairs some look good by chance. So a pair is kept only if its interval lies above 1 and if it is a
 * discovery at a false discovery rate of 5 % (Benjamini and Hochberg 1995) among all pairs that could have been
 * found: those of items that are in min_support baskets each, whether they ever met or not. Its p-value is the
 * greater one of that of log L above and of Fisher's exact test.
 *
 * Memory: the lines of the baskets, twice, and what is found; pairs are counted one item at a time. The same
 * lines in any order give the same bits. */
#ifndef SHOAL_LEARN_BUNDLES_H
#define SHOAL_LEARN_BUNDLES_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"
#include "model/learn/metrics.h"

enum { SHOAL_BUNDLES_FOUND_MAX = 1 << 22 }; /* pairs with enough support; a quarter of a gigabyte */

/* An item in a basket. All three count from 0; a basket is one customer's. */
struct shoal_bought {
    uint32_t customer, basket, item;
};

struct shoal_bundle {
    uint32_t first, second;      /* items, first < second */
    uint32_t support, customers; /* baskets with both, and whose they are */
    uint32_t first_count, second_count; /* baskets with each */
    double confidence, confidence_back; /* of the second where the first is, and the other way */
    double lift;
    struct shoal_interval interval; /* of the lift, 95 % */
    double q_value; /* the least false discovery rate at which the pair is a discovery */
};

struct shoal_bundles {
    struct shoal_bundle *list; /* owned; the highest lower bound first */
    size_t count;
    size_t baskets, customers, items; /* in the data */
    size_t frequent;           /* items in min_support baskets or more */
    uint64_t tested;           /* pairs of them */
    size_t supported;          /* … that are in min_support baskets together */
};

/* Sorts `lines` and drops its repeats. `found` is finished by the caller, also after a failure. TOO_FEW: no
 * baskets; TOO_LARGE: more pairs than SHOAL_BUNDLES_FOUND_MAX have that support; NOMEM. min_support ≥ 1. */
enum shoal_status shoal_bundles_find(struct shoal_bought *lines, size_t count, uint32_t min_support,
                                     struct shoal_bundles *found) SHOAL_MUST_CHECK;
void shoal_bundles_finish(struct shoal_bundles *found);

#endif

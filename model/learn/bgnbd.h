/* SPDX-License-Identifier: Apache-2.0 */
/* Fits BG/NBD to customers by maximum likelihood (Fader, Hardie, Lee 2005, equation 6). */
#ifndef SHOAL_LEARN_BGNBD_H
#define SHOAL_LEARN_BGNBD_H

#include <stddef.h>

#include "model/base/status.h"
#include "model/bgnbd.h"

/* Fewer customers who came back, or fewer who did not, say too little of four parameters. */
enum { SHOAL_BGNBD_REPEATERS_MIN = 20, SHOAL_BGNBD_CUSTOMERS_MIN = 50 };

struct shoal_bgnbd_fit {
    struct shoal_bgnbd model;
    struct shoal_bgnbd error; /* standard errors; huge or NaN where a parameter ran to its bound */
    double log_likelihood;
    size_t customers, repeaters;
};

double shoal_bgnbd_log_likelihood(const struct shoal_bgnbd *model,
                                  const struct shoal_customer *customers, size_t count);
/* TOO_FEW with how many are needed; NOMEM. */
enum shoal_status shoal_bgnbd_fit(const struct shoal_customer *customers, size_t count,
                                  struct shoal_bgnbd_fit *fit,
                                  struct shoal_message *message) SHOAL_MUST_CHECK;

#endif

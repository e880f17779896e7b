/* SPDX-License-Identifier: Apache-2.0 */
/* Fits Gamma-Gamma to what repeat purchases paid, by maximum likelihood (Fader, Hardie, Lee 2005; Fader and
 * Hardie 2013, The Gamma-Gamma model of monetary value, equation 1a). */
#ifndef SHOAL_LEARN_GAMMA_GAMMA_H
#define SHOAL_LEARN_GAMMA_GAMMA_H

#include <stddef.h>

#include "model/base/status.h"
#include "model/bgnbd.h"

/* Fewer customers with repeat purchases that paid something say too little of three parameters. */
enum { SHOAL_GAMMA_GAMMA_MIN = 20 };

struct shoal_gamma_gamma_fit {
    struct shoal_gamma_gamma model;
    struct shoal_gamma_gamma
        error; /* standard errors; huge or NaN where a parameter ran to its bound */
    double log_likelihood;
    size_t customers; /* with x > 0 and m > 0: only these count */
};

double shoal_gamma_gamma_log_likelihood(const struct shoal_gamma_gamma *model,
                                        const struct shoal_customer *customers, size_t count);
/* TOO_FEW with how many are needed; NOMEM. */
enum shoal_status shoal_gamma_gamma_fit(const struct shoal_customer *customers, size_t count,
                                        struct shoal_gamma_gamma_fit *fit,
                                        struct shoal_message *message) SHOAL_MUST_CHECK;

#endif

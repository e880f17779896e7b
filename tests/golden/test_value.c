/* SPDX-License-Identifier: Apache-2.0 */
/* BG/NBD and Gamma-Gamma against the published formulas in 60 digits (value.txt, by make_value_golden.py):
 * also where the textbook form over- and underflows, at its pole a = 1, and with a + b < 1. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/learn/bgnbd.h"
#include "model/learn/gamma_gamma.h"

static void assert_near(double got, double wanted, const char *what, int line)
{
    cr_assert(fabs(got - wanted) <= 1e-10 * fmax(fabs(wanted), 1e-3),
              "line %d: %s %.17g, not %.17g", line, what, got, wanted);
}

Test(golden_value, likelihoods_and_expectations_are_those_of_the_published_formulas)
{
    char path[2048];
    const char *source = getenv("SHOAL_SOURCE");
    snprintf(path, sizeof path, "%s/tests/golden/value.txt", source ? source : ".");
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    double n[17];
    int line = 0;
    for (;; line++) {
        int got = 0;
        while (got < 17 && fscanf(file, "%lf", &n[got]) == 1)
            got++;
        if (got == 0)
            break;
        cr_assert_eq(got, 17, "line %d is cut", line + 1);
        struct shoal_bgnbd buying = {n[0], n[1], n[2], n[3]};
        struct shoal_gamma_gamma spend = {n[4], n[5], n[6]};
        struct shoal_customer customer = {
            .repeats = n[7], .last = n[8], .age = n[9], .mean = n[10]};
        assert_near(shoal_bgnbd_log_likelihood(&buying, &customer, 1), n[12], "likelihood",
                    line + 1);
        assert_near(shoal_bgnbd_alive(&buying, &customer), n[13], "alive", line + 1);
        assert_near(shoal_bgnbd_expected(&buying, &customer, n[11]), n[14], "expected", line + 1);
        assert_near(shoal_gamma_gamma_expected(&spend, &customer), n[15], "mean spend", line + 1);
        assert_near(shoal_gamma_gamma_log_likelihood(&spend, &customer, 1), n[16],
                    "likelihood of spend", line + 1);
    }
    fclose(file);
    cr_assert_eq(line, 105);
}

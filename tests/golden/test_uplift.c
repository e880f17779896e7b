/* SPDX-License-Identifier: Apache-2.0 */
/* Measures of uplift against scikit-uplift's (uplift.txt, by make_uplift_golden.py), ties included. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/learn/uplift_metrics.h"

enum { MOST = 1000 };

static FILE *open_golden(void)
{
    const char *source = getenv("SHOAL_SOURCE");
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/golden/uplift.txt", source ? source : ".");
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "cannot read %s (SHOAL_SOURCE is the source folder)", path);
    return file;
}

static void near(double got, double wanted, const char *what)
{
    cr_expect(fabs(got - wanted) < 1e-12, "%s: %.15g, scikit-uplift has %.15g", what, got, wanted);
}

Test(uplift_golden, figures_are_those_of_scikit_uplift)
{
    static double scores[MOST];
    static int8_t treated[MOST], outcome[MOST];
    FILE *file = open_golden();
    int rows, cases = 0;
    while (fscanf(file, " case %d", &rows) == 1) {
        double want[5];
        cr_assert_leq(rows, MOST);
        for (int i = 0; i < rows; i++) {
            int t, y;
            cr_assert_eq(fscanf(file, "%lf %d %d", &scores[i], &t, &y), 3);
            treated[i] = (int8_t)t;
            outcome[i] = (int8_t)y;
        }
        cr_assert_eq(fscanf(file, " want %lf %lf %lf %lf %lf", &want[0], &want[1], &want[2], &want[3], &want[4]),
                     5);
        struct shoal_uplift_sample sample = {scores, treated, outcome, (size_t)rows};
        struct shoal_uplift_figures figures;
        cr_assert_eq(shoal_uplift_measure(&sample, &figures), SHOAL_OK);
        near(figures.qini, want[0], "qini");
        near(figures.auuc, want[1], "auuc");
        for (int k = 0; k < SHOAL_UPLIFT_CUTS; k++)
            near(figures.uplift_at[k], want[2 + k], "uplift at k");
        cases++;
    }
    fclose(file);
    cr_expect_eq(cases, 6);
}

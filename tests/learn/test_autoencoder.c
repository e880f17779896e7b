/* SPDX-License-Identifier: Apache-2.0 */
/* The autoencoder: every gradient against finite differences of the loss, in its own equations. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/idec.h"
#include "model/learn/principal.h"
#include "tests/learn/planted.h"

enum { SIZE = 13, ROWS = 17, CLUSTERS = 4, CODE = SHOAL_CLUSTER_CODE };

static float points[ROWS * SIZE], targets[ROWS * CLUSTERS], codes[ROWS * CODE], shares[ROWS * CLUSTERS];
static uint8_t labels[ROWS];
static uint32_t owners[ROWS];
static struct shoal_autoencoder coder;

static void setup(void)
{
    plant(points, labels, owners, ROWS, SIZE, 3, 1, 1);
    cr_assert_eq(shoal_autoencoder_init(&coder, SIZE, 5), SHOAL_OK);
    coder.clusters = CLUSTERS;
    for (size_t i = 0; i < CLUSTERS * CODE; i++)
        coder.centroids[i] = planted_noise(3, i);
    for (size_t l = 0; l < SHOAL_AUTOENCODER_LAYERS; l++)
        for (size_t i = 0; i < coder.layers[l].outputs; i++)
            coder.layers[l].bias[i] = 0.1f * planted_noise(l, i);
    shoal_autoencoder_encode(&coder, points, ROWS, codes);
    shoal_autoencoder_shares(&coder, codes, ROWS, shares);
    shoal_idec_targets(shares, ROWS, CLUSTERS, targets);
}

static void teardown(void)
{
    shoal_autoencoder_finish(&coder);
}

TestSuite(autoencoder, .init = setup, .fini = teardown);

/* L with the values in double: the network once more, as it stands in the header. */
static double loss_in_double(const double *values, float gamma)
{
    double total[2] = {0};
    for (size_t r = 0; r < ROWS; r++) {
        double in[64], out[64], code[CODE] = {0}, near[CLUSTERS], sum = 0;
        for (size_t d = 0; d < SIZE; d++)
            in[d] = (double)points[r * SIZE + d];
        for (size_t l = 0; l < SHOAL_AUTOENCODER_LAYERS; l++) {
            const struct shoal_autoencoder_layer *layer = &coder.layers[l];
            const double *weight = values + (layer->weight - coder.values);
            const double *bias = values + (layer->bias - coder.values);
            for (size_t o = 0; o < layer->outputs; o++) {
                out[o] = bias[o];
                for (size_t i = 0; i < layer->inputs; i++)
                    out[o] += in[i] * weight[i * layer->outputs + o];
                if (l == 0 || l == 2)
                    out[o] = fmax(out[o], 0);
            }
            memcpy(in, out, sizeof in);
            if (l == 1)
                memcpy(code, out, sizeof code);
        }
        for (size_t d = 0; d < SIZE; d++)
            total[0] += pow(out[d] - (double)points[r * SIZE + d], 2) / (ROWS * SIZE);
        for (size_t j = 0; j < CLUSTERS; j++) {
            double square = 0;
            for (size_t d = 0; d < CODE; d++)
                square += pow(code[d] - values[(size_t)(coder.centroids - coder.values) + j * CODE + d], 2);
            near[j] = 1 / (1 + square);
            sum += near[j];
        }
        for (size_t j = 0; j < CLUSTERS; j++) {
            double p = (double)targets[r * CLUSTERS + j];
            total[1] += p * log(p / (near[j] / sum)) / ROWS;
        }
    }
    return total[0] + (double)gamma * total[1];
}

static double *copy_values(void)
{
    double *values = malloc(coder.count * sizeof *values);
    cr_assert_not_null(values);
    for (size_t i = 0; i < coder.count; i++)
        values[i] = (double)coder.values[i];
    return values;
}

Test(autoencoder, the_loss_is_that_of_the_equations)
{
    double *values = copy_values();
    struct shoal_autoencoder_loss loss =
        shoal_autoencoder_gradients(&coder, points, ROWS, targets, 0.7f);
    cr_assert_gt(loss.clustering, 0);
    cr_assert_float_eq(loss.reconstruction + (double)0.7f * loss.clustering,
                       loss_in_double(values, 0.7f), 1e-4);
    free(values);
}

/* A difference across the cut at zero of some unit is no derivative: a few of those are let pass. */
static void check_gradients(float gamma, const float *with)
{
    double *values = copy_values();
    size_t wrong = 0, checked = 0;
    shoal_autoencoder_gradients(&coder, points, ROWS, with, gamma);
    for (size_t i = 0; i < coder.count; i++) {
        const double step = 1e-5;
        double kept = values[i], gradient = (double)coder.gradients[i];
        values[i] = kept + step;
        double up = loss_in_double(values, gamma);
        values[i] = kept - step;
        double slope = (up - loss_in_double(values, gamma)) / (2 * step);
        values[i] = kept;
        wrong += fabs(slope - gradient) > 1e-4 + 2e-3 * fabs(slope);
        checked += fabs(slope) > 1e-6;
    }
    cr_assert_leq(wrong, coder.count / 500, "%zu of %zu gradients are wrong", wrong, coder.count);
    cr_assert_gt(checked, 600, "only %zu parameters matter", checked);
    free(values);
}

Test(autoencoder, gradients_are_the_slopes_of_the_reconstruction)
{
    check_gradients(0, NULL);
}

Test(autoencoder, gradients_are_the_slopes_of_both_losses)
{
    check_gradients(3, targets);
}

Test(autoencoder, it_begins_as_the_projection_to_principal_components)
{
    float components[CODE * SIZE], mean[SIZE] = {0};
    for (size_t i = 0; i < ROWS * SIZE; i++)
        mean[i % SIZE] += points[i] / ROWS;
    for (size_t i = 0; i < ROWS * SIZE; i++)
        points[i] -= mean[i % SIZE];
    struct shoal_autoencoder fresh;
    cr_assert_eq(shoal_principal(points, ROWS, SIZE, CODE, components), SHOAL_OK);
    cr_assert_eq(shoal_autoencoder_init(&fresh, SIZE, 9), SHOAL_OK);
    cr_assert_eq(shoal_autoencoder_begin(&fresh, points, ROWS), SHOAL_OK);
    shoal_autoencoder_encode(&fresh, points, ROWS, codes);
    double left = 0;
    for (size_t r = 0; r < ROWS; r++) {
        double back[SIZE] = {0};
        for (size_t c = 0; c < CODE; c++) {
            double along = 0;
            for (size_t d = 0; d < SIZE; d++)
                along += (double)points[r * SIZE + d] * (double)components[c * SIZE + d];
            cr_assert_float_eq((double)codes[r * CODE + c], along, 1e-4);
            for (size_t d = 0; d < SIZE; d++)
                back[d] += along * (double)components[c * SIZE + d];
        }
        for (size_t d = 0; d < SIZE; d++)
            left += pow(back[d] - (double)points[r * SIZE + d], 2) / (ROWS * SIZE);
    }
    cr_assert_float_eq(shoal_autoencoder_gradients(&fresh, points, ROWS, NULL, 0).reconstruction, left,
                       1e-4);
    shoal_autoencoder_finish(&fresh);
}

Test(autoencoder, the_encoder_is_the_one_that_is_served)
{
    struct shoal_clusters *clusters;
    float code[CODE], q[SHOAL_CLUSTERS_MAX];
    cr_assert_eq(shoal_clusters_create(SIZE, CLUSTERS, &clusters), SHOAL_OK);
    for (size_t d = 0; d < SIZE; d++)
        clusters->deviation[d] = 1;
    memcpy(clusters->inner, coder.layers[0].weight, SIZE * SHOAL_CLUSTER_INNER * sizeof(float));
    memcpy(clusters->inner_bias, coder.layers[0].bias, sizeof clusters->inner_bias);
    memcpy(clusters->outer, coder.layers[1].weight, sizeof clusters->outer);
    memcpy(clusters->outer_bias, coder.layers[1].bias, sizeof clusters->outer_bias);
    memcpy(clusters->centroids, coder.centroids, CLUSTERS * CODE * sizeof(float));
    shoal_clusters_ready(clusters);
    for (size_t r = 0; r < ROWS; r++) {
        shoal_clusters_encode(clusters, points + r * SIZE, code);
        shoal_clusters_shares(clusters, code, q);
        for (size_t c = 0; c < CODE; c++)
            cr_assert_float_eq(code[c], codes[r * CODE + c], 1e-4f);
        for (size_t j = 0; j < CLUSTERS; j++)
            cr_assert_float_eq(q[j], shares[r * CLUSTERS + j], 1e-5f);
    }
    shoal_clusters_destroy(clusters);
}

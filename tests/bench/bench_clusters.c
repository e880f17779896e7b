/* SPDX-License-Identifier: Apache-2.0 */
/* How long the cluster of a user vector takes on one core. Not a test: prints, never fails. Vectors of many users in
 * turn, so that they come from where they would in service; the least disturbed of several repetitions.
 *
 *   bench_clusters [--json] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/clock.h"
#include "tests/model/tiny_clusters.h"

enum { VECTORS = 4096, REPETITIONS = 50 };

static double best_us(size_t size, size_t count)
{
    struct shoal_clusters *clusters = tiny_clusters(size, count, 1);
    float *vectors = malloc(VECTORS * size * sizeof *vectors);
    uint64_t state = 5;
    unsigned sum = 0;
    double best = 1e9;
    if (!clusters || !vectors)
        abort();
    for (size_t i = 0; i < VECTORS * size; i++)
        vectors[i] = tiny_random(&state);
    for (int r = 0; r < REPETITIONS; r++) {
        int64_t since = shoal_clock_ns();
        for (size_t i = 0; i < VECTORS; i++) {
            struct shoal_cluster_choice choice;
            shoal_clusters_assign(clusters, vectors + i * size, &choice);
            sum += choice.id;
        }
        double us = (double)(shoal_clock_ns() - since) / 1e3 / VECTORS;
        best = us < best ? us : best;
    }
    shoal_clusters_destroy(clusters);
    free(vectors);
    return sum ? best : 0; /* the work is not for nothing */
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--json") == 0) {
        printf("{\"assign_us\":%.4f}\n", best_us(76, 8));
        return 0;
    }
    for (size_t count = 4; count <= SHOAL_CLUSTERS_MAX; count *= 2)
        printf("V 76, %2zu clusters: %.3f µs a vector\n", count, best_us(76, count));
    return 0;
}

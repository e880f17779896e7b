/* SPDX-License-Identifier: Apache-2.0 */
/* Distances of rebuilt states; see evaluate_rebuilt.h. */
#include "tools/evaluate_rebuilt.h"

#include <stdio.h>

#include "tools/setup.h"

static void print_json(const struct shoal_rebuild_distance *distances, size_t count)
{
    printf("{\"rebuilt\":[");
    for (size_t i = 0; i < count; i++) {
        const struct shoal_rebuild_distance *d = &distances[i];
        printf("%s{\"ring\":%u,\"n\":%zu,\"longer\":%zu,\"mean\":%.9g,\"p99\":%.9g,\"max\":%.9g}",
               i ? "," : "", d->ring, d->samples, d->longer, d->mean, d->p99, d->longest);
    }
    puts("]}");
}

static void print_table(const struct shoal_model *model,
                        const struct shoal_rebuild_distance *distances, size_t count)
{
    printf("Score after a rebuild from the last events, against that of the full history: |difference| "
           "of the probability,\nover %zu events drawn at random; the model keeps %u events.\n\n",
           distances[0].samples, model->params.dims.ring);
    printf("%8s%16s%10s%10s%10s\n", "ring", "longer history", "mean", "p99", "max");
    for (size_t i = 0; i < count; i++) {
        const struct shoal_rebuild_distance *d = &distances[i];
        printf("%8u%15.1f%%%10.5f%10.5f%10.5f\n", d->ring,
               100 * (double)d->longer / (double)d->samples, d->mean, d->p99, d->longest);
    }
}

int shoal_evaluate_rebuilt(const struct shoal_cli_args *args, const struct shoal_model *model,
                           const struct shoal_dataset *dataset,
                           const struct shoal_rebuild_options *options)
{
    struct shoal_rebuild_distance distances[] = {{.ring = 1}, {.ring = 2},  {.ring = 4},
                                                 {.ring = 8}, {.ring = 16}, {.ring = 32}};
    enum { COUNT = sizeof distances / sizeof *distances };
    struct shoal_message message = {.text = ""};
    enum shoal_status status =
        shoal_rebuild_measure(model, dataset, options, distances, COUNT, &message);
    if (status != SHOAL_OK)
        return shoal_cli_fail(args, shoal_setup_exit(status), "%s", message.text);
    if (shoal_cli_get(args, "json"))
        print_json(distances, COUNT);
    else
        print_table(model, distances, COUNT);
    return SHOAL_EXIT_OK;
}

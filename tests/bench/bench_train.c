/* SPDX-License-Identifier: Apache-2.0 */
/* Events a second through forward, backward and update: epochs of the trainer over made-up users. Not a
 * test: prints, never fails. Prints the median of the epochs.
 *
 *   bench_train [THREADS [BATCH [STEPS [HIDDEN [EPOCHS]]]]]      defaults 0 (all), 128, 32, 64, 5 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/base/clock.h"
#include "model/learn/random.h"
#include "model/learn/trainer.h"

enum { USERS = 4096, EVENTS = 64, EPOCHS_MAX = 100 };

static void must(enum shoal_status status)
{
    if (status == SHOAL_OK)
        return;
    fprintf(stderr, "bench_train: %s\n", shoal_status_text(status));
    exit(1);
}

static void make(struct shoal_dataset *dataset)
{
    uint64_t key = shoal_random_key(1, SHOAL_RANDOM_INIT);
    shoal_dataset_init(dataset, SHOAL_RING_DEFAULT);
    for (uint64_t i = 0; i < (uint64_t)USERS * EVENTS; i++) {
        uint64_t draw = shoal_random_at(key, i);
        char user[16];
        int size = snprintf(user, sizeof user, "u%u", (unsigned)(i % USERS));
        struct shoal_touch touch = {
            .time_ms = INT64_C(1700000000000) + (int64_t)(i / USERS) * 600000,
            .item = (uint32_t)draw,
            .category = (uint16_t)(draw >> 32) % 500,
            .behavior = (uint8_t)(draw >> 60) % SHOAL_BEHAVIOR_COUNT,
        };
        must(shoal_dataset_append(dataset, user, (size_t)size, &touch, 0));
    }
    must(shoal_dataset_group(dataset));
}

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

int main(int argc, char **argv)
{
    unsigned long given[] = {0, 128, 32, 64, 5};
    for (int i = 1; i < argc && i <= 5; i++)
        given[i - 1] = strtoul(argv[i], NULL, 10);
    unsigned epochs = given[4] && given[4] < EPOCHS_MAX ? (unsigned)given[4] : 5;
    struct shoal_train_options options = shoal_train_options_default();
    options.objectives = shoal_objective_options_default(0); /* as above 2,000 users */
    options.threads = (unsigned)given[0];
    options.batch = (uint32_t)given[1];
    options.steps = (uint32_t)given[2];
    options.dims.hidden = (uint32_t)given[3];
    struct shoal_message message = {.text = ""};
    if (shoal_train_options_check(&options, &message) != SHOAL_OK) {
        fprintf(stderr, "bench_train: %s\n", message.text);
        return 2;
    }
    struct shoal_dataset dataset;
    struct shoal_examples examples;
    make(&dataset);
    must(shoal_examples_make(&dataset, &options.dims, &examples));
    float *targets = malloc(dataset.events_count * SHOAL_TASKS * sizeof *targets);
    float *importance = malloc(dataset.events_count * sizeof *importance);
    if (!targets || !importance)
        must(SHOAL_NOMEM);
    for (size_t i = 0; i < dataset.events_count; i++) {
        for (size_t task = 0; task < SHOAL_TASKS; task++)
            targets[i * SHOAL_TASKS + task] = shoal_random_at(3, i * SHOAL_TASKS + task) % 4 == 0;
        importance[i] = 1;
    }
    struct shoal_regression regressions[SHOAL_TASKS] = {{.bias = 0}};
    for (size_t task = 0; task < SHOAL_TASKS; task++)
        for (size_t k = 0; k < SHOAL_COUNTERS; k++)
            regressions[task].deviation[k] = 1;
    struct shoal_teaching teaching = {
        .dataset = &dataset,
        .examples = &examples,
        .targets = targets,
        .importance = importance,
        .known_ms = INT64_MAX,
        .regressions = regressions,
    };
    struct shoal_trainer trainer;
    must(shoal_trainer_init(&trainer, &options, &teaching));
    double rates[EPOCHS_MAX], loss;
    for (unsigned i = 0; i < epochs; i++) {
        int64_t since = shoal_clock_ns();
        must(shoal_trainer_epoch(&trainer, &loss, NULL, NULL));
        rates[i] = (double)dataset.events_count / ((double)(shoal_clock_ns() - since) / 1e9);
    }
    qsort(rates, epochs, sizeof rates[0], compare);
    printf("{\"events_per_s\": %.0f, \"batch\": %u, \"steps\": %u, \"hidden\": %u, \"threads\": %u}\n",
           rates[epochs / 2], options.batch, options.steps, options.dims.hidden,
           shoal_team_threads(trainer.team));
    shoal_trainer_finish(&trainer);
    shoal_examples_finish(&examples);
    shoal_dataset_finish(&dataset);
    free(targets);
    free(importance);
    return isfinite(loss) ? 0 : 1;
}

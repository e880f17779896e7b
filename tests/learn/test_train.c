/* SPDX-License-Identifier: Apache-2.0 */
/* Training as a whole on small made-up data, and its parts: regression, calibration, thresholds. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/learn/calibrate.h"
#include "model/learn/regression.h"
#include "model/learn/train.h"
#include "tests/learn/shopping_order.h"

/* All that can be learned beside the purchase. */
static struct shoal_train_options rich_options(void)
{
    struct shoal_train_options options = shopping_options();
    options.batch = 64; /* eight shards */
    options.epochs = 3;
    options.dropout_recurrent = 0.2f;
    options.l2 = 1e-4f;
    options.glorot = true;
    options.balanced = true;
    options.objectives.negatives = 16;
    for (size_t o = 0; o < SHOAL_OBJECTIVES; o++)
        options.objectives.weights[o] = options.pretrain_objectives.weights[o] = 0.3f;
    for (size_t n = 1; n < SHOAL_TASKS; n++)
        options.mix.share[n] = 0.2f;
    options.pretrain_epochs = 1;
    return options;
}

static struct shoal_model *train(const struct shoal_dataset *dataset, uint64_t seed,
                                 struct shoal_train_summary *summary)
{
    struct shoal_train_options options = shopping_options();
    struct shoal_model *model = NULL;
    struct shoal_message message = {.text = ""};
    options.seed = seed;
    cr_assert_eq(shoal_train(dataset, dataset->last_ms, &options, NULL, &model, summary, &message),
                 SHOAL_OK, "%s", message.text);
    return model;
}

Test(train, the_network_learns_an_order_that_counters_cannot_see)
{
    struct shoal_dataset dataset;
    struct shoal_train_summary summary;
    shopping_order(&dataset, 200, 1);
    struct shoal_model *model = train(&dataset, 1, &summary);
    double network = summary.valid.values[SHOAL_MEASURE_roc_auc];
    double regression = summary.valid_regression.values[SHOAL_MEASURE_roc_auc];
    cr_expect_gt(network, regression + 0.03, "network %.3f, regression %.3f", network, regression);
    cr_expect(0 < model->warm && model->warm < model->hot && model->hot < 1);
    shoal_model_destroy(model);
    shoal_dataset_finish(&dataset);
}

Test(train, the_same_seed_gives_the_same_file_and_another_seed_another)
{
    struct shoal_dataset dataset;
    struct shoal_train_summary summary;
    struct shoal_buffer files[3] = {{0}};
    uint64_t seeds[] = {5, 5, 6};
    shopping_order(&dataset, 100, 2);
    for (int i = 0; i < 3; i++) {
        struct shoal_model *model = train(&dataset, seeds[i], &summary);
        cr_assert_eq(shoal_model_serialize(model, &files[i]), SHOAL_OK);
        shoal_model_destroy(model);
    }
    cr_expect_eq(files[0].size, files[1].size);
    cr_expect_eq(memcmp(files[0].bytes, files[1].bytes, files[0].size), 0);
    cr_expect(files[0].size != files[2].size ||
              memcmp(files[0].bytes, files[2].bytes, files[0].size) != 0);
    for (int i = 0; i < 3; i++)
        shoal_buffer_finish(&files[i]);
    shoal_dataset_finish(&dataset);
}

/* Dies at the end of the n-th epoch that is told of. */
static void die_at(void *context, const struct shoal_train_epoch *epoch)
{
    int *left = context;
    (void)epoch;
    if (--*left < 0)
        _exit(9);
}

static void train_to(const struct shoal_dataset *dataset, const char *checkpoint, int epochs,
                     struct shoal_buffer *file)
{
    struct shoal_train_options options = shopping_options();
    struct shoal_train_summary summary;
    struct shoal_train_report report = {.context = &epochs, .on_epoch = die_at};
    struct shoal_message message = {.text = ""};
    struct shoal_model *model;
    options.checkpoint = checkpoint;
    options.epochs = 6;
    options.objectives.weights[SHOAL_OBJECTIVE_behavior] = 0.3f;
    cr_assert_eq(shoal_train(dataset, dataset->last_ms, &options, &report, &model, &summary,
                             &message),
                 SHOAL_OK, "%s", message.text);
    cr_assert_geq(summary.best_epoch, 2, "nothing to refit");
    cr_assert_eq(shoal_model_serialize(model, file), SHOAL_OK);
    shoal_model_destroy(model);
}

Test(train, an_interrupted_training_goes_on_to_the_same_file)
{
    struct shoal_dataset dataset;
    struct shoal_buffer whole = {0}, resumed = {0};
    char path[] = "/tmp/shoal-checkpoint-XXXXXX";
    shopping_order(&dataset, 100, 2);
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    cr_assert_eq(unlink(path), 0);
    train_to(&dataset, NULL, 1000, &whole);
    /* In the search, twice; in the refit; and while there is nothing to go on from yet. */
    const int deaths[] = {1, 3, 2, 4, 1};
    int killed = 0;
    for (size_t i = 0; i < sizeof deaths / sizeof deaths[0]; i++) {
        pid_t child = fork();
        cr_assert_geq(child, 0);
        if (child == 0) {
            struct shoal_buffer ignored = {0};
            train_to(&dataset, path, deaths[i], &ignored);
            _exit(0);
        }
        int ended;
        cr_assert_eq(waitpid(child, &ended, 0), child);
        cr_assert(WIFEXITED(ended));
        killed += WEXITSTATUS(ended) == 9;
    }
    cr_assert_geq(killed, 4);
    cr_assert_eq(access(path, F_OK), 0);
    train_to(&dataset, path, 1000, &resumed);
    cr_expect_eq(whole.size, resumed.size);
    cr_expect_eq(memcmp(whole.bytes, resumed.bytes, whole.size), 0);
    cr_expect_neq(access(path, F_OK), 0, "the checkpoint is left behind");
    shoal_buffer_finish(&whole);
    shoal_buffer_finish(&resumed);
    shoal_dataset_finish(&dataset);
}

Test(train, a_checkpoint_of_another_training_or_of_nothing_is_refused)
{
    struct shoal_dataset dataset;
    struct shoal_train_options options = shopping_options();
    struct shoal_train_summary summary;
    struct shoal_message message = {.text = ""};
    struct shoal_model *model;
    char path[] = "/tmp/shoal-checkpoint-XXXXXX";
    shopping_order(&dataset, 100, 2);
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    options.checkpoint = path;
    cr_expect_eq(shoal_train(&dataset, dataset.last_ms, &options, NULL, &model, &summary, &message),
                 SHOAL_DAMAGED);
    cr_expect(strstr(message.text, "delete it"), "%s", message.text);
    cr_assert_eq(unlink(path), 0);
    pid_t child = fork();
    if (child == 0) {
        int epochs = 2;
        struct shoal_train_report report = {.context = &epochs, .on_epoch = die_at};
        (void)!shoal_train(&dataset, dataset.last_ms, &options, &report, &model, &summary, &message);
        _exit(0);
    }
    cr_assert_eq(waitpid(child, NULL, 0), child);
    options.learning_rate *= 2;
    cr_expect_eq(shoal_train(&dataset, dataset.last_ms, &options, NULL, &model, &summary, &message),
                 SHOAL_CONFIG);
    cr_expect(strstr(message.text, "another training"), "%s", message.text);
    cr_assert_eq(unlink(path), 0);
    shoal_dataset_finish(&dataset);
}

Test(train, the_number_of_threads_does_not_change_the_file)
{
    struct shoal_dataset dataset;
    struct shoal_train_options options = rich_options();
    struct shoal_buffer files[3] = {{0}};
    shopping_order(&dataset, 100, 2);
    options.pretrain = &dataset;
    for (unsigned i = 0; i < 3; i++) {
        struct shoal_model *model;
        struct shoal_train_summary summary;
        options.threads = 1 + 2 * i;
        cr_assert_eq(shoal_train(&dataset, dataset.last_ms, &options, NULL, &model, &summary, NULL),
                     SHOAL_OK);
        cr_assert_gt(summary.epochs, 0);
        cr_assert_eq(shoal_model_serialize(model, &files[i]), SHOAL_OK);
        shoal_model_destroy(model);
    }
    for (int i = 1; i < 3; i++) {
        cr_expect_eq(files[0].size, files[i].size);
        cr_expect_eq(memcmp(files[0].bytes, files[i].bytes, files[0].size), 0);
    }
    for (int i = 0; i < 3; i++)
        shoal_buffer_finish(&files[i]);
    shoal_dataset_finish(&dataset);
}

Test(train, too_little_data_and_one_class_are_refused_with_words)
{
    struct shoal_dataset dataset;
    struct shoal_train_options options = shopping_options();
    struct shoal_train_summary summary;
    struct shoal_model *model = NULL;
    struct shoal_message message = {.text = ""};
    shopping_order(&dataset, 3, 3);
    cr_expect_eq(
        shoal_train(&dataset, dataset.last_ms, &options, NULL, &model, &summary, &message),
        SHOAL_TOO_FEW);
    cr_expect_null(model);
    cr_expect(message.text[0]);
    shoal_dataset_finish(&dataset);
    shopping_order(&dataset, 200, 3);
    for (size_t i = 0; i < dataset.events_count; i++) {
        if (dataset.touches[i].behavior == SHOAL_BUY)
            dataset.touches[i].behavior = SHOAL_PV;
    }
    cr_expect_eq(
        shoal_train(&dataset, dataset.last_ms, &options, NULL, &model, &summary, &message),
        SHOAL_TOO_FEW);
    shoal_dataset_finish(&dataset);
}

Test(train, the_regression_finds_the_counter_that_matters)
{
    enum { ROWS = 4000 };
    static float counters[ROWS * SHOAL_COUNTERS];
    static int8_t labels[ROWS];
    uint64_t state = 9;
    for (int i = 0; i < ROWS; i++) {
        for (int k = 0; k < SHOAL_COUNTERS; k++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            counters[i * SHOAL_COUNTERS + k] = (float)(state >> 40) / (1 << 22);
        }
        state = state * 6364136223846793005u + 1442695040888963407u;
        double logit = 2 * log1p((double)counters[i * SHOAL_COUNTERS + 4]) - 2;
        labels[i] = (double)(state >> 11) * 0x1p-53 < 1 / (1 + exp(-logit));
    }
    struct shoal_regression_data data = {.counters = counters, .labels = labels, .count = ROWS};
    struct shoal_regression regression;
    cr_assert_eq(shoal_regression_fit(&data, 1e-4, &regression, NULL), SHOAL_OK);
    cr_expect(fabs(regression.weights[4] / regression.deviation[4] - 2) < 0.35, "slope %.3f",
              regression.weights[4] / regression.deviation[4]);
    for (int k = 0; k < SHOAL_COUNTERS; k++) {
        if (k != 4)
            cr_expect_lt(fabs(regression.weights[k]), 0.15);
    }
}

Test(train, calibration_recovers_slope_and_intercept_of_many_users)
{
    enum { ROWS = 200000 };
    static double logits[ROWS];
    static int8_t labels[ROWS];
    uint64_t state = 11;
    for (int i = 0; i < ROWS; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        logits[i] = 4 * ((double)(state >> 11) * 0x1p-53) - 2;
        state = state * 6364136223846793005u + 1442695040888963407u;
        labels[i] = (double)(state >> 11) * 0x1p-53 < 1 / (1 + exp(-(0.7 * logits[i] - 0.4)));
    }
    struct shoal_calibration fit = shoal_calibrate(logits, labels, ROWS, ROWS);
    cr_expect(fabs(fit.slope - 0.7) < 0.03, "slope %.4f", fit.slope);
    cr_expect(fabs(fit.intercept + 0.4) < 0.03, "intercept %.4f", fit.intercept);
    fit = shoal_calibrate(logits, labels, 10, 2);
    cr_expect(fit.slope > 0.7 && fabs(fit.intercept) < 0.2); /* two users say little */
}

Test(train, thresholds_are_apart_even_for_equal_scores)
{
    float scores[100], warm, hot;
    for (int i = 0; i < 100; i++)
        scores[i] = (float)i / 100;
    cr_assert_eq(shoal_thresholds(scores, 100, &warm, &hot), SHOAL_OK);
    cr_expect(fabsf(warm - 0.7f) < 0.02f && fabsf(hot - 0.9f) < 0.02f);
    float equal[] = {0, 0.3f, 1};
    for (int e = 0; e < 3; e++) {
        for (int i = 0; i < 100; i++)
            scores[i] = equal[e];
        cr_assert_eq(shoal_thresholds(scores, 100, &warm, &hot), SHOAL_OK);
        cr_expect(0 < warm && warm < hot && hot < 1, "%g: %g %g", (double)equal[e], (double)warm,
                  (double)hot);
    }
}

Test(train, pre_training_leaves_the_heads_alone_and_the_purchase_unlearned)
{
    struct shoal_dataset dataset;
    struct shoal_train_options options = rich_options();
    struct shoal_model *models[2];
    shopping_order(&dataset, 100, 4);
    options.epochs = 0; /* the regression, whatever the state */
    for (int i = 0; i < 2; i++) {
        struct shoal_train_summary summary;
        options.pretrain = i ? &dataset : NULL;
        cr_assert_eq(shoal_train(&dataset, dataset.last_ms, &options, NULL, &models[i], &summary,
                                 NULL),
                     SHOAL_OK);
        cr_expect_eq(summary.share, 0);
    }
    const struct shoal_params *plain = &models[0]->params, *pretrained = &models[1]->params;
    size_t heads = shoal_params_tensor(&plain->dims, SHOAL_TENSOR_head_hidden).offset;
    cr_expect_neq(memcmp(plain->block, pretrained->block, heads * sizeof(float)), 0);
    cr_expect_eq(memcmp(plain->block + heads, pretrained->block + heads,
                        (plain->count - heads) * sizeof(float)),
                 0);
    shoal_model_destroy(models[0]);
    shoal_model_destroy(models[1]);
    shoal_dataset_finish(&dataset);
}

Test(train, every_head_starts_as_the_regression_of_its_own_task)
{
    struct shoal_dataset dataset;
    struct shoal_train_options options = shopping_options();
    struct shoal_model *model;
    struct shoal_train_summary summary;
    shopping_order(&dataset, 100, 5);
    options.epochs = 0;
    cr_assert_eq(shoal_train(&dataset, dataset.last_ms, &options, NULL, &model, &summary, NULL),
                 SHOAL_OK);
    const struct shoal_params *params = &model->params;
    for (size_t n = 0; n < SHOAL_TASKS; n++)
        cr_expect_neq(params->head_bias[n], 0, "task %zu", n);
    /* Four or five events a day and user: the bias is the logarithm of what follows on average. */
    cr_expect_float_eq(params->head_bias[SHOAL_events_24h], 1.4f, 0.25f, "%f",
                       (double)params->head_bias[SHOAL_events_24h]);
    shoal_model_destroy(model);
    shoal_dataset_finish(&dataset);
}

/* Whether any of `count` floats is not zero. */
static bool lives(const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (values[i] != 0)
            return true;
    return false;
}

Test(train, of_a_few_days_and_users_neither_weekday_nor_items_are_looked_at)
{
    struct shoal_dataset dataset;
    struct shoal_train_options options = shopping_options();
    shopping_order(&dataset, 60, 6);
    options.epochs = 2;
    for (int all = 0; all < 2; all++) {
        struct shoal_model *model;
        struct shoal_train_summary summary;
        options.weekday_days = all ? 0 : 14;
        options.embedding_rate = all ? 1 : -1;
        cr_assert_eq(shoal_train(&dataset, dataset.last_ms, &options, NULL, &model, &summary, NULL),
                     SHOAL_OK);
        const struct shoal_params *params = &model->params;
        const struct shoal_dims *d = &params->dims;
        size_t columns = 4 * (size_t)d->hidden;
        size_t weekday = d->item_width + d->category_width + d->behavior_width + 3;
        cr_expect_eq(lives(params->gates_weight + weekday * columns, 2 * columns), all);
        cr_expect_eq(lives(params->item_embedding, (size_t)d->item_buckets * d->item_width), all);
        cr_expect(lives(params->gates_weight + (weekday - 1) * columns, columns));
        cr_expect(lives(params->gates_weight + (weekday + 2) * columns, columns));
        shoal_model_destroy(model);
    }
    shoal_dataset_finish(&dataset);
}

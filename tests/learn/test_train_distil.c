/* SPDX-License-Identifier: Apache-2.0 */
/* Learning from a teacher: what it says is mixed with the labels as documented, and a teacher that
 * knows more than the labels hands it on. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/learn/course.h"
#include "model/learn/score.h"
#include "model/learn/unroll.h"
#include "tests/learn/shopping_order.h"
#include "tests/state/leaks.h"

/* All days of shopping_order are over. */
#define END_MS (7 * SHOAL_HORIZON_MS + 12 * SHOAL_HOUR_MS)

/* With an id, as one that was read from a file has it. */
static struct shoal_model *train_with(const struct shoal_dataset *dataset,
                                      const struct shoal_train_options *options)
{
    struct shoal_train_summary summary;
    struct shoal_message message = {.text = ""};
    struct shoal_buffer file = {0};
    struct shoal_model *model = NULL;
    cr_assert_eq(shoal_train(dataset, END_MS, options, NULL, &model, &summary, &message), SHOAL_OK,
                 "%s", message.text);
    cr_assert_eq(shoal_model_serialize(model, &file), SHOAL_OK);
    shoal_buffer_finish(&file);
    return model;
}

static struct shoal_model *train_teacher(void)
{
    struct shoal_dataset dataset;
    struct shoal_train_options options = shopping_options();
    options.dims.hidden = 24;
    shopping_order(&dataset, 400, 1);
    struct shoal_model *teacher = train_with(&dataset, &options);
    shoal_dataset_finish(&dataset);
    return teacher;
}

/* Scores of a model on events that nobody has learned from; the caller's. */
static float *scores_of(const struct shoal_model *model, const struct shoal_dataset *dataset)
{
    struct shoal_examples examples;
    float *scores = malloc(dataset->events_count * sizeof *scores);
    cr_assert_not_null(scores);
    cr_assert_eq(shoal_examples_make(dataset, &model->params.dims, &examples), SHOAL_OK);
    cr_assert_eq(shoal_score(model, dataset, &examples, SHOAL_FP16, INT64_MAX, scores, NULL, NULL),
                 SHOAL_OK);
    shoal_examples_finish(&examples);
    return scores;
}

/* On the days before the validation part an order is put at random: there the labels tell nothing
 * of it. */
static void scramble(struct shoal_dataset *dataset)
{
    uint64_t state = 3;
    for (size_t i = 1; i + 1 < dataset->events_count; i++) {
        struct shoal_touch *cart = &dataset->touches[i];
        if (cart->behavior != SHOAL_CART || cart->time_ms > 6 * SHOAL_HORIZON_MS)
            continue;
        state = state * 6364136223846793005u + 1442695040888963407u;
        bool second = i < 2 || cart->time_ms - cart[-2].time_ms > SHOAL_HOUR_MS;
        if (state >> 63) {
            cart->behavior = SHOAL_PV;
            cart[second ? 1 : -1].behavior = SHOAL_CART;
            i += second;
        }
    }
}

static double logit(float p)
{
    return log((double)p / (1 - (double)p));
}

/* Correlation of two models' logits over the last event before the day's purchase, when the order
 * is known. */
static double agreement(const float *a, const float *b, const struct shoal_dataset *dataset)
{
    double n = 0, sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
    for (size_t i = 2; i + 1 < dataset->events_count; i++) {
        if (dataset->touches[i].behavior != SHOAL_PV ||
            dataset->owners[i] != dataset->owners[i - 2])
            continue;
        double x = logit(a[i]), y = logit(b[i]);
        n++;
        sa += x;
        sb += y;
        saa += x * x;
        sbb += y * y;
        sab += x * y;
    }
    return (sab - sa * sb / n) / sqrt((saa - sa * sa / n) * (sbb - sb * sb / n));
}

Test(train_distil, a_teacher_that_knows_more_than_the_labels_hands_it_on)
{
    struct shoal_dataset few, unseen;
    struct shoal_model *teacher = train_teacher();
    struct shoal_train_options options = shopping_options();
    shopping_order(&few, 60, 5);
    scramble(&few);
    shopping_order(&unseen, 100, 77);
    float *wanted = scores_of(teacher, &unseen);
    struct shoal_model *alone = train_with(&few, &options);
    options.teacher = teacher;
    options.teacher_weight = 1;
    struct shoal_model *taught = train_with(&few, &options);
    options.teacher_weight = 0; /* the teacher only where no label is known */
    struct shoal_model *hardly = train_with(&few, &options);
    float *from_alone = scores_of(alone, &unseen), *from_taught = scores_of(taught, &unseen);
    double without = agreement(wanted, from_alone, &unseen);
    float *from_hardly = scores_of(hardly, &unseen);
    double with = agreement(wanted, from_taught, &unseen);
    double nearly = agreement(wanted, from_hardly, &unseen);
    cr_log_info("agreement with the teacher %.3f, with labels first %.3f, without it %.3f", with, nearly,
                without);
    cr_expect_gt(with, 0.75, "taught %.3f", with);
    cr_expect_gt(with, without + 0.2, "taught %.3f, alone %.3f", with, without);
    cr_expect_gt(with, nearly + 0.05, "taught %.3f, by labels where they are known %.3f", with,
                 nearly);
    free(from_hardly);
    shoal_model_destroy(hardly);
    free(wanted);
    free(from_alone);
    free(from_taught);
    shoal_model_destroy(teacher);
    shoal_model_destroy(alone);
    shoal_model_destroy(taught);
    shoal_dataset_finish(&few);
    shoal_dataset_finish(&unseen);
    test_no_leaks();
}

Test(train_distil, labels_count_where_they_are_known_and_only_there)
{
    struct shoal_dataset dataset;
    shopping_order(&dataset, 60, 5);
    size_t count = dataset.events_count * SHOAL_TASKS;
    struct shoal_course course = {
        .dataset = &dataset, .options = shoal_train_options_default(), .end_ms = dataset.last_ms};
    course.options.teacher_weight = 0.25f;
    course.targets = malloc(count * sizeof(float));
    course.taught = malloc(count * sizeof(float));
    course.mixed = malloc(count * sizeof(float));
    cr_assert(course.targets && course.taught && course.mixed);
    shoal_targets_make(&dataset, dataset.last_ms, course.targets);
    for (size_t i = 0; i < count; i++)
        course.taught[i] = 0.8f;
    int64_t known_ms = dataset.last_ms - SHOAL_HORIZON_MS;
    shoal_course_mix_targets(&course, known_ms);
    size_t known_count = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t horizon_ms = shoal_task_info((enum shoal_task)(i % SHOAL_TASKS))->horizon_ms;
        bool known = dataset.touches[i / SHOAL_TASKS].time_ms <= known_ms - horizon_ms;
        float wanted = known ? 0.25f * 0.8f + 0.75f * course.targets[i] : 0.8f;
        known_count += known;
        cr_assert_eq(course.mixed[i], wanted, "%zu", i);
    }
    cr_expect(known_count > 0 && known_count < count);
    free(course.targets);
    free(course.taught);
    free(course.mixed);
    shoal_dataset_finish(&dataset);
}

/* dlogits is the derivative of the loss that is told, also of targets between 0 and 1 and with a
 * weight. */
Test(train_distil, the_gradient_of_a_soft_target_is_that_of_its_loss)
{
    struct shoal_unroll *unroll;
    struct shoal_dims dims = shopping_options().dims;
    struct shoal_features features = {0};
    const float soft[] = {0, 0.125f, 0.5f, 0.875f, 1};
    float targets[SHOAL_TASKS] = {0};
    double weight;
    cr_assert_eq(shoal_unroll_create(&dims, 1, 1, &unroll), SHOAL_OK);
    unroll->used = 1;
    for (int positive = 1; positive <= 4; positive += 3)
        for (size_t s = 0; s < sizeof soft / sizeof *soft; s++) {
            targets[SHOAL_buy_24h] = soft[s];
            unroll->mix.positive = (float)positive;
            unroll->cells[0] = (struct shoal_unroll_cell){.features = &features,
                                                          .targets = targets,
                                                          .tasks = 1u << SHOAL_buy_24h,
                                                          .weight = 2};
            double losses[2];
            for (int side = 0; side < 2; side++) {
                unroll->logits[0] = 0.75f + (side ? 0x1p-8f : -0x1p-8f);
                losses[side] = shoal_unroll_loss(unroll, &weight);
            }
            unroll->logits[0] = 0.75f;
            (void)shoal_unroll_loss(unroll, &weight);
            double slope = (losses[1] - losses[0]) / 0x1p-7;
            cr_expect(fabs(slope - (double)unroll->dlogits[0]) < 1e-4, "target %g: %g, %g",
                      (double)soft[s], slope, (double)unroll->dlogits[0]);
        }
    shoal_unroll_destroy(unroll);
}

Test(train_distil, a_teacher_of_later_events_is_refused)
{
    struct shoal_dataset dataset;
    struct shoal_train_options options = shopping_options();
    struct shoal_train_summary summary;
    struct shoal_message message = {.text = ""};
    struct shoal_model *model = NULL;
    options.epochs = 1;
    shopping_order(&dataset, 60, 5);
    struct shoal_model *teacher = train_with(&dataset, &options);
    options.teacher = teacher;
    cr_expect_eq(
        shoal_train(&dataset, END_MS - 3600000, &options, NULL, &model, &summary, &message),
        SHOAL_INVALID);
    cr_expect_null(model);
    cr_expect(strstr(message.text, "up to 1.0 h after"), "%s", message.text);
    shoal_model_destroy(teacher);
    shoal_dataset_finish(&dataset);
    test_no_leaks();
}

static void die_at(void *context, const struct shoal_train_epoch *epoch)
{
    int *left = context;
    (void)epoch;
    if (--*left < 0)
        _exit(9);
}

static enum shoal_status train_to(const struct shoal_dataset *dataset, const char *checkpoint,
                                  const struct shoal_model *teacher, float weight, int epochs,
                                  struct shoal_buffer *file)
{
    struct shoal_train_options options = shopping_options();
    struct shoal_train_summary summary;
    struct shoal_train_report report = {.context = &epochs, .on_epoch = die_at};
    struct shoal_model *model;
    options.checkpoint = checkpoint;
    options.epochs = 4;
    options.teacher = teacher;
    options.teacher_weight = weight;
    enum shoal_status status =
        shoal_train(dataset, END_MS, &options, &report, &model, &summary, NULL);
    if (status == SHOAL_OK)
        status = shoal_model_serialize(model, file);
    shoal_model_destroy(model);
    return status;
}

Test(train_distil, an_interrupted_training_goes_on_to_the_same_file_with_the_same_teacher_only)
{
    struct shoal_dataset dataset;
    struct shoal_buffer whole = {0}, resumed = {0}, other = {0};
    char folder[] = "/tmp/shoal-distil-XXXXXX", path[64];
    struct shoal_model *teacher = train_teacher();
    shopping_order(&dataset, 100, 2);
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/checkpoint", folder);
    cr_assert_eq(train_to(&dataset, NULL, teacher, 0.5f, 1000, &whole), SHOAL_OK);
    for (int round = 0; round < 2; round++) {
        pid_t child = fork();
        cr_assert_geq(child, 0);
        if (child == 0) {
            (void)!train_to(&dataset, path, teacher, 0.5f, 3 + round, &resumed);
            _exit(0);
        }
        int ended;
        cr_assert_eq(waitpid(child, &ended, 0), child);
        cr_assert(WIFEXITED(ended) && WEXITSTATUS(ended) == 9);
    }
    cr_expect_eq(train_to(&dataset, path, teacher, 0.75f, 1000, &other), SHOAL_CONFIG);
    cr_expect_eq(train_to(&dataset, path, NULL, 0.5f, 1000, &other), SHOAL_CONFIG);
    cr_assert_eq(train_to(&dataset, path, teacher, 0.5f, 1000, &resumed), SHOAL_OK);
    cr_expect_eq(whole.size, resumed.size);
    cr_expect_eq(memcmp(whole.bytes, resumed.bytes, whole.size), 0);
    cr_assert_eq(train_to(&dataset, NULL, NULL, 0.5f, 1000, &other), SHOAL_OK);
    cr_expect(other.size != whole.size || memcmp(other.bytes, whole.bytes, whole.size) != 0,
              "the teacher has changed nothing");
    shoal_buffer_finish(&whole);
    shoal_buffer_finish(&resumed);
    shoal_buffer_finish(&other);
    shoal_model_destroy(teacher);
    shoal_dataset_finish(&dataset);
    cr_assert_eq(rmdir(folder), 0);
    test_no_leaks();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* mpirun shoal train: several ranks come to what one process comes to, and none is left waiting. */
#include <math.h>

#include "model/model.h"
#include "tests/tools/shell.h"

#define MPIRUN "mpirun --allow-run-as-root --oversubscribe -np "
/* 16 streams are two shards, 64 are eight. With two epochs and no refit there is a validation to decide by. */
#define TRAIN " \"$SHOAL_PROGRAM\" train --events shoppers.jsonl --epochs 2 --no-refit --threads 1 --clusters off "

static void setup(void)
{
    shell_setup();
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" generate --users 150 --seed 5 --out shoppers.jsonl"), 0, "%s",
                 printed);
}

TestSuite(train_ranks, .init = setup, .fini = shell_teardown);

/* Greatest difference of two models' parameters, over the greatest parameter. */
static double difference(const char *one, const char *other)
{
    struct shoal_model *a, *b;
    double most = 0, largest = 0;
    cr_assert_eq(shoal_model_load(one, &a, NULL), SHOAL_OK);
    cr_assert_eq(shoal_model_load(other, &b, NULL), SHOAL_OK);
    cr_assert_eq(a->params.count, b->params.count);
    for (size_t i = 0; i < a->params.count; i++) {
        double here = (double)a->params.block[i];
        most = fmax(most, fabs(here - (double)b->params.block[i]));
        largest = fmax(largest, fabs(here));
    }
    shoal_model_destroy(a);
    shoal_model_destroy(b);
    return most / largest;
}

/* The figure behind a key of the log, of its last place. */
static double figure(const char *path, const char *key)
{
    static char text[200000];
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    char *at = NULL;
    for (char *next = text; (next = strstr(next, key)); next++)
        at = next;
    cr_assert_not_null(at, "no %s in %s", key, path);
    return atof(strchr(at, ':') + 1);
}

Test(train_ranks, ranks_come_to_what_one_process_comes_to)
{
    cr_assert_eq(shell(TRAIN "--batch 64 --out one.shoal --log one.json"), 0, "%s", printed);
    static const char *const runs[][2] = {
        {MPIRUN "2" TRAIN "--batch 64 --out two.shoal --log two.json", "two"},
        {MPIRUN "3" TRAIN "--batch 64 --out three.shoal --log three.json", "three"},
    };
    for (size_t i = 0; i < 2; i++) {
        char model[32], log[32];
        snprintf(model, sizeof model, "%s.shoal", runs[i][1]);
        snprintf(log, sizeof log, "%s.json", runs[i][1]);
        cr_assert_eq(shell(runs[i][0]), 0, "%s", printed);
        cr_assert_null(strstr(strstr(printed, "best "), "epoch   1"), "more than one rank is heard:\n%s", printed);
        /* float error of sums in another order, grown over two epochs; another batch would differ by 1e-2 */
        cr_assert_lt(difference("one.shoal", model), 1e-4, "%s: %g", model, difference("one.shoal", model));
        cr_assert_float_eq(figure("one.json", "\"valid_loss\""), figure(log, "\"valid_loss\""), 2e-6);
        cr_assert_float_eq(figure("one.json", "\"train_loss\""), figure(log, "\"train_loss\""), 2e-6);
        cr_assert_float_eq(figure("one.json", "\"valid_auc\""), figure(log, "\"valid_auc\""), 2e-4);
    }
}

Test(train_ranks, the_same_ranks_come_to_the_same_bytes_and_two_shards_to_those_of_one_process)
{
    cr_assert_eq(shell(MPIRUN "2" TRAIN "--batch 64 --out a.shoal"), 0, "%s", printed);
    cr_assert_eq(shell(MPIRUN "2" TRAIN "--batch 64 --out b.shoal"), 0, "%s", printed);
    cr_assert_eq(shell("cmp a.shoal b.shoal"), 0, "%s", printed);
    cr_assert_eq(shell(TRAIN "--batch 16 --out c.shoal"), 0, "%s", printed);
    cr_assert_eq(shell(MPIRUN "2" TRAIN "--batch 16 --out d.shoal"), 0, "%s", printed);
    cr_assert_eq(shell("cmp c.shoal d.shoal"), 0, "%s", printed); /* a + b = b + a */
}

Test(train_ranks, another_seed_is_not_within_float_error)
{
    cr_assert_eq(shell(TRAIN "--batch 64 --out one.shoal"), 0, "%s", printed);
    cr_assert_eq(shell(MPIRUN "2" TRAIN "--batch 64 --seed 2 --out two.shoal"), 0, "%s", printed);
    cr_assert_gt(difference("one.shoal", "two.shoal"), 1e-2);
}

Test(train_ranks, a_training_goes_on_from_its_checkpoint)
{
    cr_assert_eq(shell(MPIRUN "2" TRAIN "--batch 64 --out whole.shoal"), 0, "%s", printed);
    /* The ranks' first epoch is over when the file is there. */
    cr_assert_eq(shell(MPIRUN "2" TRAIN "--batch 64 --checkpoint c --out x.shoal & "
                       "while [ ! -e c ] && kill -0 $! 2>/dev/null; do sleep 0.01; done; cp c kept; wait"),
                 0, "%s", printed);
    cr_assert_eq(shell("[ -s kept ] && [ ! -e c ] && cp kept c"), 0, "%s", printed);
    cr_assert_eq(shell(MPIRUN "2" TRAIN "--batch 64 --checkpoint c --out resumed.shoal"), 0, "%s", printed);
    cr_assert_eq(shell("cmp whole.shoal resumed.shoal"), 0, "%s", printed);
}

Test(train_ranks, an_error_on_one_rank_ends_all_and_is_told)
{
    /* Rank 1 has other events. */
    cr_assert_eq(shell("head -n -50 shoppers.jsonl > fewer.jsonl"), 0);
    cr_assert_neq(shell(MPIRUN "1" TRAIN "--out x.shoal : -np 1 \"$SHOAL_PROGRAM\" train --events fewer.jsonl "
                        "--epochs 2 --no-refit --threads 1 --clusters off --out x.shoal"),
                  0);
    says("the ranks do not have the same events, options and checkpoint");
    /* Rank 1 has none. */
    cr_assert_neq(shell(MPIRUN "1" TRAIN "--out x.shoal : -np 1 \"$SHOAL_PROGRAM\" train --events none.jsonl "
                        "--out x.shoal"),
                  0);
    says("rank 1: shoal train: none.jsonl");
    /* All fail alike: said once. */
    cr_assert_neq(shell(MPIRUN "2 \"$SHOAL_PROGRAM\" train --events none.jsonl --out x.shoal"), 0);
    says("shoal train: none.jsonl");
    cr_assert_null(strstr(printed, "rank 1: shoal"), "%s", printed);
    /* More ranks than parts of a batch. */
    cr_assert_neq(shell(MPIRUN "3" TRAIN "--batch 16 --out x.shoal"), 0);
    says("3 ranks, but a batch of 16 streams is cut into 2 parts");
    cr_assert_neq(access("x.shoal", F_OK), 0);
}

Test(train_ranks, without_mpirun_nothing_is_different)
{
    cr_assert_eq(shell(TRAIN "--batch 16 --out one.shoal"), 0, "%s", printed);
    cr_assert_eq(shell("OMPI_MCA_btl=none" TRAIN "--batch 16 --out two.shoal"), 0, "%s", printed);
    cr_assert_eq(shell("cmp one.shoal two.shoal"), 0, "%s", printed);
}

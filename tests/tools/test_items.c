/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal train --items` and `shoal evaluate --task next-item` as a person runs them, on a log in which item i leads to
 * i + 1 and nobody buys. SHOAL_PROGRAM is `shoal`. */
#include "tests/tools/shell.h"

TestSuite(items_command, .init = shell_setup, .fini = shell_teardown);

/* 60 users go through 20 items, 30 steps each, one an hour; every fifth user jumps; from step 24 on item 20 too. */
static const char *const make_log =
    "{ echo user_id,item_id,behavior,timestamp; for s in $(seq 0 29); do for u in $(seq 1 60); do "
    "if [ $((u % 5)) = 0 ]; then i=$(((u * 7 + s * s * 3) % 20)); else i=$(((u + s) % 20)); fi; "
    "if [ $s -gt 24 ] && [ $u = 3 ]; then i=20; fi; "
    "echo u$u,item-$i,view,$((1512000000 + s * 3600 + u)); done; done; } >log.csv";

static int train(const char *options)
{
    char line[2048];
    snprintf(line, sizeof line, "\"$SHOAL_PROGRAM\" train --events log.csv --out m.shoal %s", options);
    return shell(line);
}

static int evaluate(const char *options)
{
    char line[2048];
    snprintf(line, sizeof line,
             "\"$SHOAL_PROGRAM\" evaluate --task next-item --model m.shoal --events log.csv %s",
             options);
    return shell(line);
}

static double number(const char *at, const char *name)
{
    char key[64];
    snprintf(key, sizeof key, "\"%s\":", name);
    at = at ? strstr(at, key) : NULL;
    cr_assert_not_null(at, "%s in %s", name, printed);
    return strtod(at + strlen(key), NULL);
}

Test(items_command, items_are_learnt_without_purchases_and_judged)
{
    cr_assert_eq(shell(make_log), 0);
    cr_assert_eq(train("--until 1512086400 --items auto"), 0, "%s", printed);
    says("purchases   not learnt");
    says("items       20, from ");
    cr_assert_eq(evaluate("--from 1512086400 --json --ranks r.csv"), 0, "%s", printed);
    cr_assert_gt(number(printed, "hr@10"), 0.7);
    cr_assert_gt(number(printed, "ndcg@20"), 0.6);
    double n = number(printed, "n");
    cr_assert_eq(number(strstr(printed, "\"buy\":{"), "n"), 0);
    cr_assert_eq(number(strstr(printed, "\"short\":{"), "n"), 0);
    cr_assert_lt(number(strstr(printed, "\"popularity\":{"), "ndcg@20"), number(printed, "ndcg@20"));
    double unseen = number(printed, "unseen"); /* u3 turns to item 20 once; after that it is a repeat */
    cr_assert(unseen > 0 && unseen < 0.01);
    cr_assert_eq(shell("head -1 r.csv"), 0);
    cr_assert_str_eq(printed, "user_id,timestamp,item_id,behavior,history,rank,rank_buy\n");
    cr_assert_eq(shell("tail -n +2 r.csv | wc -l"), 0);
    cr_assert_eq(strtod(printed, NULL), n);
    cr_assert_eq(shell("sed -n 2p r.csv"), 0);
    cr_assert_eq(strncmp(printed, "u1,1512086401,item-5,pv,24,", 27), 0, "%s", printed);
    cr_assert_eq(shell("tail -n +2 r.csv | cut -d, -f2 | sort -nc"), 0, "in file order");
}

Test(items_command, the_same_log_gives_the_same_file)
{
    cr_assert_eq(shell(make_log), 0);
    cr_assert_eq(train("--items 15 --seed 4"), 0, "%s", printed);
    cr_assert_eq(shell("cp m.shoal first.shoal"), 0);
    cr_assert_eq(train("--items 15 --seed 4"), 0);
    cr_assert_eq(shell("cmp m.shoal first.shoal"), 0);
    cr_assert_eq(evaluate("--from 1512086400"), 0, "%s", printed);
    says("among 15 items");
    says("counted as missed");
}

Test(items_command, a_model_without_items_says_what_to_do)
{
    cr_assert_eq(shell(make_log), 0);
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" generate --users 200 --days 3 --out g.jsonl && \"$SHOAL_PROGRAM\" "
                       "train --events g.jsonl --epochs 0 --out m.shoal --value off --clusters off "
                       "--engagement off"),
                 0, "%s", printed);
    cr_assert_eq(evaluate(""), 3);
    says("shoal train --items");
}

Test(items_command, what_cannot_be_is_refused)
{
    cr_assert_eq(train("--items many"), 2);
    says("--items");
    cr_assert_eq(train("--items 0"), 2);
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" evaluate --task nothing --model m --events e"), 2);
    says("--task");
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" evaluate --ranks r.csv --model m --events e"), 2);
    says("next-item");
    cr_assert_eq(shell(make_log), 0);
    cr_assert_eq(train("--items auto"), 0, "%s", printed);
    cr_assert_eq(evaluate("--from 2030-01-01"), 5);
    says("nothing to judge");
}

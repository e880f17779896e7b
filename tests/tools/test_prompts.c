/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal train --prompts` as a person runs it: every variant is a model of its own, and what makes no sense is
 * refused. */
#include "tests/tools/shell.h"

TestSuite(prompts_command, .init = shell_setup, .fini = shell_teardown);

/* 120 users on six days: morning people go from item a to b, evening people from a to c; a third of them buy it. */
static void make_log(void)
{
    FILE *out = fopen("log.csv", "w");
    cr_assert_not_null(out);
    for (int day = 0; day < 6; day++)
        for (int minute = 0; minute < 1440; minute += 12) {
            int user = minute / 12;
            long at = 1511654400L + day * 86400L + minute * 60L;
            const char *next = minute < 720 ? "b" : "c";
            fprintf(out, "u%d,a,1,pv,%ld\n", user, at);
            fprintf(out, "u%d,%s,1,%s,%ld\n", user, next, (user + day) % 3 ? "pv" : "buy", at + 60);
        }
    cr_assert_eq(fclose(out), 0);
}

Test(prompts_command, each_variant_is_a_model_beside_the_one_with_all_parts)
{
    make_log();
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" train --events log.csv --out m --epochs 1 --hidden 16 --value off "
                       "--clusters off --engagement off --items auto --prompts each --prompts-lambda 0.01"),
                 0, "%s", printed);
    says("prompts     next: lambda 0.01, tuned on ");
    says("            shared ");
    cr_assert_eq(shell("cmp m m.all"), 0, "%s", printed);
    cr_assert_eq(shell("ls m.all m.start m.gates m.state m.brief m.shared"), 0, "%s", printed);
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" evaluate --model m.gates --events log.csv --task next-item "
                       "--from 1512086400 --json"),
                 0, "%s", printed);
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" evaluate --model m --events log.csv --task next-item "
                       "--from 1512086400 --without-prompts --json > plain && "
                       "\"$SHOAL_PROGRAM\" evaluate --model m.start --events log.csv --task next-item "
                       "--from 1512086400 --without-prompts --json > start && "
                       "sed 's/\"model\": *\"[0-9a-f]*\"//' plain > p && "
                       "sed 's/\"model\": *\"[0-9a-f]*\"//' start > s && cmp p s"),
                 0, "variants differ in nothing but prompts: %s", printed);
}

Test(prompts_command, what_makes_no_sense_is_refused)
{
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" train --events log.csv --out m --prompts on"), 2);
    says("--prompts goes with --items");
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" train --events log.csv --out m --items auto --prompts gate"), 2);
    says("neither off nor on nor each nor a list of start, gates, state");
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" train --events log.csv --out m --items auto --prompts start,"), 2);
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" evaluate --model m --events log.csv --without-prompts"), 2);
    says("--without-prompts goes with --task next-item");
}

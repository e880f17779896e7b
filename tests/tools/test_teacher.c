/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal train --distil` as a person runs it. SHOAL_PROGRAM is `shoal`. */
#include "tests/tools/shell.h"

TestSuite(teacher, .init = shell_setup, .fini = shell_teardown);

/* Small and quick, up to the same time. */
#define TRAIN                                                                                      \
    "\"$SHOAL_PROGRAM\" train --events e.jsonl --until 2025-03-07T00:00Z --epochs 1 --value off "  \
    "--clusters off --engagement off "

static void generate(void)
{
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" generate --users 150 --days 7 --seed 2 --out e.jsonl"),
                 0);
    cr_assert_eq(shell(TRAIN "--hidden 24 --out t.shoal"), 0, "%s", printed);
    cr_assert_null(strstr(printed, "taught by"));
}

Test(teacher, a_student_is_smaller_and_says_who_taught_it)
{
    generate();
    cr_assert_eq(shell(TRAIN "--hidden 16 --out s.shoal --distil t.shoal --log s.json"), 0, "%s",
                 printed);
    says("(24 units), weight 0.5");
    cr_assert_eq(shell("grep -o '\"distil\":\"t.shoal\",\"distil-weight\":\"0.5\"' s.json"), 0,
                 "%s", printed);
    cr_assert_eq(shell("test $(stat -c %s s.shoal) -lt $(stat -c %s t.shoal)"), 0);
    cr_assert_eq(
        shell(TRAIN "--hidden 16 --out again.shoal --distil t.shoal && cmp s.shoal again.shoal"), 0,
        "%s", printed);
    cr_assert_eq(shell(TRAIN "--hidden 16 --out w.shoal --distil t.shoal --distil-weight 0.9 && "
                             "cmp -s s.shoal w.shoal"),
                 1, "the weight changes nothing");
}

Test(teacher, a_teacher_that_is_missing_or_damaged_or_has_seen_too_much_is_refused)
{
    generate();
    cr_assert_eq(shell(TRAIN "--out s.shoal --distil none.shoal"), 3);
    says("--distil: none.shoal");
    cr_assert_eq(shell("head -c 2000 t.shoal >d.shoal; " TRAIN "--out s.shoal --distil d.shoal"),
                 3);
    says("--distil: d.shoal: damaged");
    cr_assert_eq(shell(TRAIN "--out s.shoal --distil t.shoal --distil-weight 2"), 2);
    says("distil-weight");
    cr_assert_eq(
        shell("\"$SHOAL_PROGRAM\" train --events e.jsonl --until 2025-03-06T00:00Z --epochs 1 "
              "--out s.shoal --distil t.shoal"),
        1);
    says("the teacher has learned from events up to 24.0 h after the last of this training");
    cr_assert_eq(shell("test -e s.shoal"), 1);
}

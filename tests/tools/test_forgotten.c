/* SPDX-License-Identifier: Apache-2.0 */
/* What commands count and learn from events files, where users are forgotten or decline to be processed: the same
 * as from files that have nothing of them. SHOAL_PROGRAM is `shoal`. */
#include <stdarg.h>

#include "tests/tools/shell.h"

TestSuite(forgotten, .init = shell_setup, .fini = shell_teardown);

enum { USERS = 60, EVENTS = 6 };

static void put_event(FILE *out, const char *user, int number, const char *more)
{
    fprintf(out, "{\"user_id\":\"%s\",\"item_id\":\"i%d\",\"behavior\":\"%s\",\"timestamp\":%d%s}\n", user,
            number % 2, number < 2 ? "buy" : "pv", 1700000000 + 600 * number, more);
}

/* Everyone else's events, and between them what `special` writes. */
static void save(const char *path, void (*special)(FILE *out, int number))
{
    FILE *out = fopen(path, "w");
    cr_assert_not_null(out);
    for (int number = 0; number < EVENTS; number++) {
        for (int user = 0; user < USERS; user++) {
            char id[16];
            snprintf(id, sizeof id, "u%d", user);
            put_event(out, id, number, "");
        }
        if (special)
            special(out, number);
    }
    cr_assert_eq(fclose(out), 0);
}

static int run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int run(const char *format, ...)
{
    char line[1024];
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    return shell(line);
}

/* What all of them read from `a` and from `b` is the same. */
static void same(const char *a, const char *b, const char *more)
{
    cr_assert_eq(run("\"$SHOAL_PROGRAM\" features --events %s --out fa %s && "
                     "\"$SHOAL_PROGRAM\" features --events %s --out fb", a, more, b), 0, "%s", printed);
    cr_assert_eq(run("diff -r fa fb"), 0, "%s", printed);
    cr_assert_eq(run("\"$SHOAL_PROGRAM\" bundles --events %s --json --out a.json %s && "
                     "\"$SHOAL_PROGRAM\" bundles --events %s --json --out b.json && diff a.json b.json",
                     a, more, b), 0, "%s", printed);
}

/* ---- the rules ----------------------------------------------------------------------------- */

static void gone(FILE *out, int number)
{
    put_event(out, "gone", number, "");
    if (number == EVENTS - 1)
        fputs("{\"shoal_forget\":\"gone\"}\n{\"shoal_forget\":\"never seen\"}\n{\"shoal_tick\":1700000000000}\n", out);
}

static void declines(FILE *out, int number)
{
    put_event(out, "d", number, number == 2 ? ",\"consent_processing\":false" : "");
}

static void declines_and_is_forgotten(FILE *out, int number)
{
    declines(out, number);
    if (number == 3)
        fputs("{\"shoal_forget\":\"d\"}\n", out);
}

static void comes_back(FILE *out, int number)
{
    if (number == 4)
        fputs("{\"shoal_forget\":\"back\"}\n", out);
    put_event(out, "back", number, "");
}

static void came_back(FILE *out, int number)
{
    if (number >= 4)
        put_event(out, "back", number, "");
}

static void agrees_again(FILE *out, int number)
{
    put_event(out, "back", number,
              number == 1   ? ",\"consent_processing\":false"
              : number == 4 ? ",\"consent_processing\":true"
                            : "");
}

Test(forgotten, who_was_forgotten_is_not_in_it)
{
    save("a.jsonl", gone);
    save("b.jsonl", NULL);
    same("a.jsonl", "b.jsonl", "");
    cr_assert_null(strstr(printed, "cannot be read"), "%s", printed);
}

Test(forgotten, who_declined_is_not_in_it)
{
    save("a.jsonl", declines);
    save("b.jsonl", NULL);
    same("a.jsonl", "b.jsonl", "");
}

Test(forgotten, a_refusal_survives_that_the_user_is_forgotten)
{
    save("a.jsonl", declines_and_is_forgotten);
    save("b.jsonl", NULL);
    same("a.jsonl", "b.jsonl", "");
}

Test(forgotten, who_comes_back_begins_anew)
{
    save("a.jsonl", comes_back);
    save("b.jsonl", came_back);
    same("a.jsonl", "b.jsonl", "");
    save("a.jsonl", agrees_again);
    same("a.jsonl", "b.jsonl", "");
}

Test(forgotten, it_counts_whichever_of_the_files_says_so)
{
    save("a.jsonl", came_back);
    save("b.jsonl", NULL);
    cr_assert_eq(run("echo '{\"shoal_forget\":\"back\"}' > c.jsonl"), 0);
    same("a.jsonl,c.jsonl", "b.jsonl", "");
}

Test(forgotten, what_comes_after_the_end_does_not_count_but_refusals_do)
{
    save("a.jsonl", declines);
    save("b.jsonl", NULL);
    cr_assert_eq(run("\"$SHOAL_PROGRAM\" features --events a.jsonl --out fa --until 2023-11-14T22:20Z && "
                     "\"$SHOAL_PROGRAM\" features --events b.jsonl --out fb --until 2023-11-14T22:20Z && "
                     "diff -r fa fb"),
                 0, "%s", printed);
}

/* ---- pseudonyms ---------------------------------------------------------------------------- */

/* Events keep the ids, messages that have somebody forgotten hold pseudonyms. */
Test(forgotten, with_pseudonyms_the_key_tells_who_was_forgotten)
{
    save("a.jsonl", came_back);
    save("b.jsonl", NULL);
    if (shell("\"$SHOAL_PROGRAM\" pseudonym --new-key key") != 0)
        cr_skip_test("no libsodium");
    cr_assert_eq(run("name=$(\"$SHOAL_PROGRAM\" pseudonym --set privacy.pseudonym_key=key back) && "
                     "echo \"{\\\"shoal_forget\\\":\\\"$name\\\"}\" >> a.jsonl"), 0, "%s", printed);
    cr_assert_eq(run("\"$SHOAL_PROGRAM\" bundles --events a.jsonl --json --pseudonym-key key --out a.json && "
                     "\"$SHOAL_PROGRAM\" bundles --events b.jsonl --json --out b.json && diff a.json b.json"),
                 0, "%s", printed);
    cr_assert_eq(run("\"$SHOAL_PROGRAM\" features --events a.jsonl --out fa --pseudonym-key key"), 0, "%s", printed);
    says("360 events of 60 users");
    cr_assert_eq(run("grep -q u1 fa/users.npy"), 1, "an original id");
    cr_assert_eq(run("\"$SHOAL_PROGRAM\" features --events a.jsonl --out fa"), 0, "%s", printed);
    says("1 of 1 messages that have users forgotten name pseudonyms: without --pseudonym-key");
    cr_assert_eq(run("\"$SHOAL_PROGRAM\" bundles --events a.jsonl --pseudonym-key nowhere"), 3, "%s", printed);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal promotions check`: sentences, refusals, dry runs. SHOAL_PROGRAM is `shoal`. */
#include "tests/tools/shell.h"

static void put(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    cr_assert_not_null(out);
    fputs(text, out);
    cr_assert_eq(fclose(out), 0);
}

static int check(const char *arguments)
{
    char line[1024];
    snprintf(line, sizeof line, "\"$SHOAL_PROGRAM\" promotions check %s", arguments);
    return shell(line);
}

TestSuite(promotions, .init = shell_setup, .fini = shell_teardown);

Test(promotions, a_file_is_told_in_sentences_and_its_warnings_with_their_lines)
{
    put("p.yaml", "timezone: \"+08:00\"\n"
                  "promotions:\n"
                  "- id: nudge\n"
                  "  kind: checkout_reminder\n"
                  "  segments: {intent: [cold, warm], night_active: no}\n"
                  "  requires: marketing\n"
                  "  budget: 3\n"
                  "  priority: 4\n");
    cr_assert_eq(check("p.yaml"), 0);
    says("p.yaml: fine, 1 promotions");
    says("UTC+08:00");
    says("nudge (checkout_reminder) is offered on the timer cart_idle, for 1d, to users who have intent "
         "cold or warm, night_active no, consented to marketing; one in 1d, 3 a day; 10 % of the users "
         "are only watched.");
    says("p.yaml:7: warning: budget: 3 a day are shared out to 4 partitions");
    says("p.yaml:8: warning: priority:");
    cr_assert_eq(check("p.yaml --partitions 3 --json"), 0);
    says("\"valid\":true");
    says("\"line\":8");
    cr_assert_null(strstr(printed, "shared out"));
}

Test(promotions, what_is_wrong_ends_with_3_and_is_said_as_json_too)
{
    put("p.yaml", "promotions:\n- id: a\n  budget: 0\n");
    cr_assert_eq(check("p.yaml"), 3);
    says("p.yaml:3: budget: with 0 offers a day");
    cr_assert_eq(check("p.yaml --json"), 3);
    says("\"valid\":false,\"error\":\"p.yaml:3: budget:");
    cr_assert_eq(check("nowhere.yaml"), 3);
    cr_assert_eq(check(""), 2);
    cr_assert_eq(check("p.yaml --events e.csv"), 2);
    cr_assert_eq(check("p.yaml --user u"), 2);
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" promotions mend p.yaml"), 2);
}

/* Two users; the second one is asked about twice within the cool-down. */
Test(promotions, a_dry_run_counts_what_would_have_been_decided)
{
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" generate --users 200 --days 3 --out train.jsonl && "
                       "\"$SHOAL_PROGRAM\" train --events train.jsonl --epochs 0 --out m.shoal"),
                 0, "%s", printed);
    put("e.csv", "u1,1,1,cart,1511658000\nu2,1,1,cart,1511658001\nu2,1,1,pv,1511658002\n"
                 "u2,2,1,cart,1511661700\nu2,2,1,cart,1511744500\n");
    put("p.yaml", "promotions: [{id: a, triggers: [cart], cooldown: 2h, offer: 30m, budget: 100, control: 0}]\n");
    cr_assert_eq(check("p.yaml --events e.csv --model m.shoal --user u2"), 0, "%s", printed);
    says("a: asked 4 times, eligible 3; 3 offers to 2 users, 0 more watched as control; 0 withdrawn");
    says("withheld: cooldown 1");
    says("a day: 2017-11-26 2, 2017-11-27 1 (budget 100)");
    says("2017-11-26T01:00:01.000Z  a: offered, asked by cart\n");
    says("2017-11-26T02:01:40.000Z  a: no, asked by cart; cooldown is \"1h1m\", limit \"2h\"\n");
    cr_assert_eq(check("p.yaml --events e.csv --model m.shoal --user u1 --json"), 0, "%s", printed);
    says("\"promotion\":\"a\",\"asked\":4,\"eligible\":3,\"offers\":3,\"users\":2");
    says("\"offers_by_day\":{\"2017-11-26\":2,\"2017-11-27\":1}");
    says("\"decisions\":[{");
    cr_assert_null(strstr(printed, "\"u2\""));
}

Test(promotions, what_the_model_cannot_do_is_said)
{
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" generate --users 200 --days 3 --out train.jsonl && "
                       "\"$SHOAL_PROGRAM\" train --events train.jsonl --epochs 0 --out m.shoal"),
                 0, "%s", printed);
    put("p.yaml", "promotions:\n- id: a\n  prompted: {min: 0.3}\n");
    cr_assert_eq(check("p.yaml --model m.shoal"), 0);
    says("p.yaml:3: warning: prompted: model ");
}

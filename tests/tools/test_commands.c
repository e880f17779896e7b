/* SPDX-License-Identifier: Apache-2.0 */
/* The small commands as a person runs them: exit codes and what is printed. SHOAL_PROGRAM is
 * `shoal`. */
#include "tests/tools/shell.h"

static void setup(void)
{
    cr_assert_not_null(getenv("SHOAL_SOURCE"), "SHOAL_SOURCE is not set");
    shell_setup();
}

TestSuite(commands, .init = setup, .fini = shell_teardown);

Test(commands, config_lists_every_option_and_checks_files)
{
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" config"), 0);
    says("commit.interval: 100ms\n");
    says("kafka.*:");
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" config --check \"$SHOAL_SOURCE/deploy/shoal.yaml\""), 0);
    says("fine");
    cr_assert_eq(shell("echo 'workerz: 2' >c.yaml; \"$SHOAL_PROGRAM\" config --check c.yaml"), 3);
    says("c.yaml:1: unknown key 'workerz' (did you mean 'workers'?)");
    cr_assert_eq(shell("echo 'promotions: [{id: a, limti: 3}]' >p.yaml;"
                     "echo 'promotions.path: p.yaml' >c.yaml;"
                     "\"$SHOAL_PROGRAM\" config --check c.yaml"),
                 3);
    says("p.yaml:1: unknown key 'limti' (did you mean 'limit'?)");
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" config --check missing.yaml"), 3);
    says("missing.yaml: No such file");
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" config --set workers=0"), 3);
    says("1 to 256");
}

Test(commands, config_shows_what_is_in_force_without_secrets)
{
    cr_assert_eq(shell("echo geheim >password; echo 'kafka: {sasl.password_file: password, client.id: me}' >c.yaml;"
                     "\"$SHOAL_PROGRAM\" config --show --check c.yaml --set workers=3 "
                     "--set kafka.ssl.key.password=verborgen --set redis.url=redis://me:versteckt@h:1/0"),
                 0, "%s", printed);
    says("workers: 3\n");
    says("kafka.sasl.password: ***\n");
    says("kafka.ssl.key.password: ***\n");
    says("kafka.client.id: me\n");
    says("redis.url: redis://me:***@h:1/0\n");
    cr_assert(!strstr(printed, "geheim") && !strstr(printed, "verborgen") && !strstr(printed, "versteckt"),
              "%s", printed);
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" config --show --set kafka.sasl.password_file=missing"), 3);
    says("kafka.sasl.password_file: 'missing' cannot be read");
}

Test(commands, a_key_for_pseudonyms_is_made_once_and_tells_the_same_every_time)
{
    if (shell("\"$SHOAL_PROGRAM\" pseudonym --new-key k") == 3)
        cr_skip_test("this build has no libsodium");
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" pseudonym --new-key k"), 5, "%s", printed);
    says("'k' cannot be made: File exists");
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" pseudonym --set privacy.pseudonym_key=k 4711 0815 4711 >a;"
                     "sort -u a | wc -l; tr -d 'a-z2-7\\n' <a | wc -c"),
                 0);
    says("2\n0\n");
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" pseudonym 4711"), 3);
    says("no key");
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" pseudonym"), 2);
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" config --set privacy.pseudonym_key=missing"), 3);
}

Test(commands, forget_wants_users_or_a_list)
{
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" forget"), 2);
    says("give USERs, or --file LIST");
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" forget --file list u1"), 2);
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" forget --timeout soon u1"), 2);
}

Test(commands, generate_writes_the_same_bytes_for_the_same_seed)
{
    cr_assert_eq(shell("for i in 1 2; do \"$SHOAL_PROGRAM\" generate --users 30 --days 2 --seed 5 "
                     "--out $i.jsonl || exit; done; cmp 1.jsonl 2.jsonl"),
                 0);
    says("events of 30 users");
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" generate --users 30 --days 2 --seed 5 --out - 2>err "
                     "| cmp - 1.jsonl"),
                 0);
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" generate --users 30 --days 2 --seed 6 --out 3.jsonl &&"
                     "cmp -s 1.jsonl 3.jsonl"),
                 1);
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" generate --out missing/x"), 1);
    says("missing/x: No such file");
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" generate --users 30 --out /dev/full"), 1);
    says("No space left");
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" generate --users many --out x"), 2);
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" generate"), 2);
    says("--out FILE is missing");
}

Test(commands, completion_scripts_are_shell)
{
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" completion bash | bash -n"), 0, "%s", printed);
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" completion bash >c; bash -c '. ./c; COMP_CWORD=1;"
                     "COMP_WORDS=(shoal conf); _shoal; echo ${COMPREPLY[0]};"
                     "COMP_CWORD=2; COMP_WORDS=(shoal config --ch); _shoal; echo ${COMPREPLY[0]}'"),
                 0);
    cr_assert_str_eq(printed, "config\n--check\n");
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" completion zsh"), 0);
    says("#compdef shoal");
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" completion fish"), 2);
}

Test(commands, the_last_option_of_train_is_known_like_the_first)
{
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" train --events none.csv --out m.shoal --no-refit"), 5);
    says("none.csv cannot be opened");
}

Test(commands, train_names_what_it_can_learn_from)
{
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" train --events e.csv --out m.shoal --objectives item:0.2,gapp:1"), 2);
    says("\"gapp:1\" is not NAME:WEIGHT");
    says("behavior, gap, repeat, category, item, buy_1h, buy_72h, churn_3d, events_24h");
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" train --events e.csv --out m.shoal "
                     "--pretrain-objectives buy_1h:1"),
                 2);
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" train --events e.csv --out m.shoal --objectives gap:"), 2);
}

Test(commands, every_command_has_a_help_page_with_an_example)
{
    cr_assert_eq(
        shell("\"$SHOAL_PROGRAM\" --help | sed -n '/^Commands:/,/^$/s/^  \\([a-z][a-z-]*\\) .*/\\1/p' |"
            "while read -r c; do \"$SHOAL_PROGRAM\" \"$c\" --help >page || exit 9;"
            "grep -q '^Usage: shoal '\"$c\" page && grep -q '^Example:' page || exit 8;"
            "echo \"$c\"; done"),
        0, "%s", printed);
    says("config\n");
    says("generate\n");
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" --version"), 0);
    cr_assert_eq(strncmp(printed, "shoal ", 6), 0);
}

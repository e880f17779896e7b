/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal tune` as a person runs it, on generated shoppers. SHOAL_PROGRAM is `shoal`. */
#include "tests/tools/shell.h"

static void setup(void)
{
    shell_setup();
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" generate --users 150 --days 5 --out events.jsonl"), 0, "%s",
                 printed);
}

TestSuite(tune, .init = setup, .fini = shell_teardown);

Test(tune, the_same_seed_tries_the_same_and_a_trials_options_train_the_same)
{
    char first[sizeof printed];
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" tune --events events.jsonl --trials 3 --json >first && cat first"), 0,
                 "%s", printed);
    memcpy(first, printed, sizeof first);
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" tune --events events.jsonl --trials 3 --json >second && cat second"), 0);
    cr_assert_str_eq(printed, first);
    /* The text of a trial, given to train, has the loss that the trial had. */
    cr_assert_eq(shell("python3 -c \"import json; t = json.load(open('first'))['trials'][1]; "
                     "open('loss', 'w').write('%.6f' % t['log_loss']); print(t['options'])\" > options && "
                     "\"$SHOAL_PROGRAM\" train --events events.jsonl --out m --no-refit --log log.json "
                     "$(cat options) > /dev/null 2>&1 && python3 -c \"import json; "
                     "losses = ['%.6f' % e['valid_loss'] for e in json.load(open('log.json'))['epochs'] "
                     "if e.get('valid_loss') is not None]; print('same' if min(losses) == "
                     "open('loss').read() else (losses, open('loss').read()))\""),
                 0, "%s", printed);
    cr_assert_str_eq(printed, "same\n");
}

Test(tune, the_best_model_is_written_and_can_be_served)
{
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" tune --events events.jsonl --trials 2 --out best.shoal"), 0,
                 "%s", printed);
    cr_assert(strstr(printed, "best: trial "), "%s", printed);
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" evaluate --model best.shoal --events events.jsonl"), 0, "%s",
                 printed);
}

Test(tune, too_little_data_says_what_is_needed)
{
    cr_assert_eq(shell("head -n 50 events.jsonl > few.jsonl; \"$SHOAL_PROGRAM\" tune --events few.jsonl"), 5,
                 "%s", printed);
    cr_assert(strstr(printed, "labels need"), "%s", printed);
}

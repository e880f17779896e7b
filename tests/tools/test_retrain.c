/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal retrain` and `shoal models` as an operator runs them, on generated shoppers. SHOAL_PROGRAM
 * is `shoal`. The small shape and 0 epochs (the regression) keep a round below two seconds. */
#include "tests/tools/shell.h"

/* Most rounds leave out what is learnt on top of the network, for the time that it takes; retrain_all does not.
 * What every command line may use. `poison FILE` and `scatter FILE` spoil the purchases before the
 * sealed day, 2025-03-09 to 10, and leave every other byte as it is. */
static const char prelude[] =
    "shoal() { \"$SHOAL_PROGRAM\" \"$@\"; }\n"
    "R=(retrain --models M --epochs 0 --hidden 16 --item-buckets 64 --category-buckets 16)\n"
    "OFF=(--clusters off --value off --engagement off)\n"
    "retrain() { shoal \"${R[@]}\" \"${OFF[@]}\" --events \"$@\"; }\n"
    "retrain_all() { shoal \"${R[@]}\" --events \"$@\"; }\n"
    "at() { date -u -d \"$1\" +%s000; }\n"
    "stamp='match($0, /\"timestamp\":[0-9]+/); t = substr($0, RSTART + 12, RLENGTH - 12)'\n"
    "poison() { awk -v s=\"$(at 2025-03-09T00:00Z)\" '/\"buy\"/ {'\"$stamp\"'"
    "; if (t < s && n++ % 10) next } { print }' \"$1\"; }\n"
    "scatter() { awk -v s=\"$(at 2025-03-09T00:00Z)\" '/\"buy\"/ {'\"$stamp\"'"
    "; if (t < s) sub(/u[0-9]+/, sprintf(\"u%06d\", (n++ * 7919) % 500)) } { print }' \"$1\"; }\n"
    "decisions() { shoal models --models M --runs --json |"
    " sed 's/.*\"decision\":\"\\([a-z_]*\\)\".*/\\1/' | paste -sd' '; }\n"
    "valid() { python3 -c 'import json, sys\nfor line in sys.stdin: json.loads(line)'; }\n"
    "current() { readlink M/current | cut -c1-16; }\n";

/* Runs a piece of bash; its exit code. Output and errors are in `printed`. */
static int run(const char *script)
{
    FILE *file = fopen("script", "w");
    cr_assert_not_null(file);
    fprintf(file, "set -u\n%s%s\n", prelude, script);
    cr_assert_eq(fclose(file), 0);
    return shell("bash script");
}

static void says_not(const char *text)
{
    cr_assert(!strstr(printed, text), "not wanted: %s\ngot: %s", text, printed);
}

static void setup(void)
{
    shell_setup();
    cr_assert_eq(
        run("shoal generate --users 500 --days 8 --seed 3 --items 2000 --out events.jsonl"), 0,
        "%s", printed);
}

TestSuite(retrain, .init = setup, .fini = shell_teardown);

/* ---- publish, keep, refuse ------------------------------------------------------------------ */

Test(retrain, the_first_model_is_published_and_a_later_one_takes_its_place)
{
    cr_assert_eq(run("retrain_all events.jsonl --until 2025-03-09"), 0, "%s", printed);
    says("published ");
    says("no model in service to compare with");
    cr_assert_eq(run("current >first; retrain_all events.jsonl --once --json 2>/dev/null"), 0, "%s",
                 printed);
    says("\"decision\":\"published\"");
    says("\"challenger_minus_incumbent\":{\"roc_auc\":");
    says("\"until\":\"2025-03-09T23:59:"); /* the sealed day ends where labels are whole */
    cr_assert_eq(run("! cmp -s <(current) first && retrain_all events.jsonl"), 0, "%s", printed);
    says("kept ");
    says("byte for byte");
    cr_assert_eq(
        run("decisions; shoal models --models M --runs --json | valid &&"
            "shoal models --models M --json >list.json && valid <list.json &&"
            "python3 -c '\nimport json, os\nd = json.load(open(\"list.json\"))\n"
            "serving = [m[\"version\"] for m in d[\"models\"] if m[\"in_service\"]]\n"
            "assert serving == [d[\"in_service\"]] == [os.readlink(\"M/current\")[:16]]\n"
            "assert [m[\"decision\"] for m in d[\"models\"]] == [\"published\"] * 2\n"
            "assert d[\"models\"][1][\"run\"][\"incumbent\"] == d[\"models\"][0][\"version\"]'"),
        0, "%s", printed);
    says("published published kept");
}

/* The three rounds differ in nothing but the purchases of the training days. */
Test(retrain, a_poisoned_window_is_refused_and_a_clean_one_is_published)
{
    cr_assert_eq(run("retrain events.jsonl --until 2025-03-09 && current >first &&"
                     "poison events.jsonl >lost.jsonl && scatter events.jsonl >scattered.jsonl"),
                 0, "%s", printed);
    cr_assert_eq(run("retrain lost.jsonl && cmp <(current) first"), 0, "%s", printed);
    says("refused ");
    says("surely worse than the model in service");
    cr_assert_eq(run("retrain scattered.jsonl --keep-challenger && cmp <(current) first"), 0, "%s",
                 printed);
    says("refused ");
    cr_assert_eq(run("retrain events.jsonl && ! cmp -s <(current) first"), 0, "%s", printed);
    says("published ");
    cr_assert_eq(run("decisions; ls M/*.shoal | wc -l"), 0);
    says("published refused refused published\n3\n"); /* one of the refused ones was kept */
}

/* Whatever is done to the events of the sealed day and after, the same challenger comes out, byte for
 * byte; what is done to those before changes it. */
Test(retrain, nothing_of_the_sealed_days_reaches_the_challenger)
{
    cr_assert_eq(
        run("carts() { awk -v s=\"$(at \"$1\")\" '{'\"$stamp\"'; if (t >= s)"
            " sub(/\"pv\"/, \"\\\"cart\\\"\"); print }' events.jsonl; }\n"
            "challenger() { rm -rf M; retrain \"$1\" --epochs 1 --json 2>/dev/null |"
            " sed 's/.*\"challenger\":\"\\([0-9a-f]*\\)\".*/\\1/'; }\n"
            "carts 2025-03-09T00:00Z >after.jsonl; carts 2025-03-08T23:00Z >before.jsonl\n"
            "! cmp -s events.jsonl after.jsonl && challenger events.jsonl >one &&"
            "challenger after.jsonl >two && challenger before.jsonl >three &&"
            "cat one two three && grep -qE '^[0-9a-f]{16}$' one && cmp one two && ! cmp -s one three"),
        0, "%s", printed);
}

Test(retrain, a_first_model_that_is_surely_worse_than_the_base_rate_is_refused)
{
    cr_assert_eq(run("scatter events.jsonl >scattered.jsonl; retrain scattered.jsonl"), 0, "%s",
                 printed);
    says("refused ");
    says("surely worse than the base rate");
    cr_assert_eq(run("test ! -e M/current && shoal models --models M"), 0, "%s", printed);
    says("in service: none");
}

Test(retrain, the_margin_keeps_a_challenger_that_looks_worse)
{
    cr_assert_eq(run("retrain events.jsonl --until 2025-03-09 &&"
                     "retrain events.jsonl --window 4d --seed 2 --margin 0 --json 2>/dev/null"
                     " >run.json; python3 -c '\nimport json\nr = json.load(open(\"run.json\"))\n"
                     "d = r[\"sealed\"][\"challenger_minus_incumbent\"]\n"
                     "low, high = d[\"log_loss_ci\"]\n"
                     "want = \"refused\" if low > 0 else \"kept\" if d[\"log_loss\"] > 0"
                     " else \"published\"\n"
                     "assert low <= d[\"log_loss\"] <= high and r[\"decision\"] == want, r'"),
                 0, "%s", printed);
}

/* ---- rollback ------------------------------------------------------------------------------- */

Test(retrain, a_rollback_is_checked_recorded_and_needs_no_training_to_end)
{
    cr_assert_eq(run("retrain events.jsonl --until 2025-03-09 && current >first &&"
                     "retrain events.jsonl && current >second && ! cmp -s first second"),
                 0, "%s", printed);
    cr_assert_eq(
        run("exec 9>>M/lock; flock 9;" /* as a training holds it */
            "shoal models --models M --use \"$(cat first)\" --reason 'alarms since \"noon\"'"),
        0, "%s", printed);
    says("in service: ");
    cr_assert_eq(run("cmp <(current) first && decisions; shoal models --models M --runs --json |"
                     "tee /dev/stderr | valid"),
                 0, "%s", printed);
    says("published published rolled_back");
    says("alarms since \\\"noon\\\"");
    cr_assert_eq(run("shoal models --models M --runs"), 0);
    says("alarms since \"noon\"");
    cr_assert_eq(run("shoal models --models M"), 0);
    says(", put back 20");
    cr_assert_eq(run("shoal models --models M --use 0123456789abcdef"), 3);
    says("No such file");
    cr_assert_eq(run("shoal models --models M --use latest"), 3);
    says("'latest' is no version");
    cr_assert_eq(run("truncate -s 900 M/$(cat second).shoal;"
                     "shoal models --models M --use \"$(cat second)\""),
                 3, "%s", printed);
    cr_assert_eq(run("cmp <(current) first && shoal models --models M"), 0, "%s", printed);
    says("cannot be read: ");
    cr_assert_eq(
        run("shoal train --events events.jsonl --epochs 0 --hidden 16 --seed 9 --out m.shoal"
            " && v=$(shoal models --models M --add m.shoal) &&"
            "shoal models --models M --use \"$v\" && [ \"$(current)\" = \"$v\" ]"),
        0, "%s", printed);
}

/* ---- drift ---------------------------------------------------------------------------------- */

Test(retrain, a_round_only_if_drifted_waits_for_drift_or_age)
{
    cr_assert_eq(run("retrain events.jsonl --until 2025-03-09 --if-drifted && current >first"), 0,
                 "%s", printed);
    says("because   no model in service");
    cr_assert_eq(run("retrain events.jsonl --if-drifted && cmp <(current) first"), 0, "%s",
                 printed);
    says("skipped: no drift in the last ");
    says("drift     0 of 19");
    cr_assert_eq(
        run("shoal models --models M --drift --events events.jsonl --json |"
            "python3 -c '\nimport json, sys\nd = json.load(sys.stdin)[\"drift\"]\n"
            "assert d[\"judged\"] and not d[\"drifted\"] and d[\"n\"] > 1000, d\n"
            "assert len(d[\"distributions\"]) == 19\n"
            "assert all(0 < x[\"noise\"] < x[\"threshold\"] for x in d[\"distributions\"])'"),
        0, "%s", printed);
    /* Views are sent as carts from the last day on. */
    cr_assert_eq(run("awk -v s=\"$(at 2025-03-10T00:00Z)\" '{'\"$stamp\"'; if (t >= s)"
                     " sub(/\"pv\"/, \"\\\"cart\\\"\"); print }' events.jsonl >carts.jsonl;"
                     "shoal models --models M --drift --events carts.jsonl"),
                 0, "%s", printed);
    says("\ndrifted\n");
    cr_assert_eq(run("retrain carts.jsonl --if-drifted"), 0, "%s", printed);
    says("because   drift of behavior ");
    says("rate_cart_1h");
    cr_assert_eq(run("shoal models --models M --use \"$(cat first)\";"
                     "retrain events.jsonl --if-drifted --max-age 3d"),
                 0, "%s", printed);
    says("because   the model in service ends 4.0 days before the events do");
    cr_assert_eq(run("shoal models --models M --use \"$(cat first)\";"
                     "retrain events.jsonl --if-drifted --max-age 5d --recent 1h"),
                 0, "%s", printed);
    says("too few to tell drift; needed are 1000");
    cr_assert_eq(run("shoal models --models M --runs --json | valid"), 0, "%s", printed);
    cr_assert_eq(run("retrain events.jsonl --max-age 5d"), 2);
    cr_assert_eq(run("shoal models --models M --drift"), 2);
    says("--drift needs --events");
}

/* ---- what can be wrong ---------------------------------------------------------------------- */

Test(retrain, too_little_data_is_said_with_what_is_needed_and_recorded)
{
    cr_assert_eq(run("retrain missing.jsonl"), 5);
    says("missing.jsonl cannot be opened: No such file");
    cr_assert_eq(run("head -2000 events.jsonl >short.jsonl; retrain short.jsonl"), 5);
    says("needed are events over more than 102 h");
    cr_assert_eq(run(": >empty.jsonl; retrain empty.jsonl"), 5);
    says("no events");
    cr_assert_eq(run("grep 'u00000[0-9]' events.jsonl >few.jsonl; retrain few.jsonl"), 5);
    says("needed are 100 events of 20 users");
    cr_assert_eq(run("grep -v '\"buy\"' events.jsonl >none.jsonl; retrain none.jsonl"), 5);
    says("0 of them before a purchase");
    says("at least 10 of either kind");
    /* Purchases on the sealed days only: the training has one class. */
    cr_assert_eq(run("awk -v s=\"$(at 2025-03-09T00:00Z)\" '/\"buy\"/ {'\"$stamp\"'; if (t < s)"
                     " next } { print }' events.jsonl >late.jsonl; retrain late.jsonl"),
                 5);
    says("training part has");
    says("needed are 500 with at least 20 of either kind");
    /* A clock gone wrong: the last day of the data has one event. */
    cr_assert_eq(
        run("(cat events.jsonl; tail -1 events.jsonl | sed 's/\"timestamp\":17/\"timestamp\":18/')"
            " >future.jsonl; retrain future.jsonl"),
        5);
    says("the sealed window has 0 labelled events");
    cr_assert_eq(run("decisions; shoal models --models M --runs --json | valid"), 0, "%s", printed);
    says("failed failed failed failed failed failed failed\n");
    cr_assert_eq(run("retrain future.jsonl --until 2025-03-11"), 0, "%s", printed);
    says("published ");
}

Test(retrain, odd_events_are_counted_and_do_not_stop_a_round)
{
    cr_assert_eq(run("(sed '100s/\"price\":[0-9.]*/\"price\":NaN/; "
                     "200s/\"price\":[0-9.]*/\"price\":\"nan\"/;"
                     "300s/\"item_id\":\"[a-z0-9]*\"/\"item_id\":\"seen-once\"/' events.jsonl;"
                     "head -50 events.jsonl) >odd.jsonl; retrain odd.jsonl"),
                 0, "%s", printed);
    says("2 of ");
    says("messages cannot be read and are left out");
    says("50 of ");
    says("are older than the one before of the same user");
    says("published ");
    cr_assert_eq(run("shoal models --models M --runs --json"), 0);
    says("\"refused\":2,");
    says("\"late\":50,");
}

Test(retrain, a_folder_that_cannot_be_written_is_said)
{
    cr_assert_eq(run(": >M; retrain events.jsonl"), 1);
    says("Not a directory");
    cr_assert_eq(run("rm M; mkdir M; : >M/lock; mkdir M/runs.jsonl; retrain events.jsonl"), 1);
    says("the run is not recorded");
}

Test(retrain, a_broken_model_in_service_is_said_and_healed)
{
    cr_assert_eq(
        run("retrain events.jsonl --until 2025-03-09 && truncate -s 900 M/$(current).shoal"), 0,
        "%s", printed);
    cr_assert_eq(run("shoal models --models M"), 0);
    says("cannot be read: ");
    cr_assert_eq(run("retrain events.jsonl --until 2025-03-09"), 0, "%s", printed);
    says("warning: the model in service cannot be read");
    says("published ");
    cr_assert_eq(run("shoal models --models M --json; rm M/$(current).shoal"), 0);
    says_not("\"error\"");
    cr_assert_eq(run("retrain events.jsonl"), 0, "%s", printed);
    says("No such file");
    says("published ");
    cr_assert_eq(run("ln -sfn nothing M/current; retrain events.jsonl --seed 2"), 0, "%s", printed);
    says("'nothing', which is no version of a model");
    says("published ");
    cr_assert_eq(
        run("printf '{\"command\":\"retrain\",\"dec' >>M/runs.jsonl;" /* killed in a write */
            "retrain events.jsonl --seed 2 && decisions"),
        0, "%s", printed);
    says("published published published published kept\n");
}

Test(retrain, of_two_at_once_the_second_says_who_has_the_folder)
{
    cr_assert_eq(run("mkdir M; exec 9>>M/lock; flock 9; echo 'process 7 on here' >M/lock;"
                     "retrain events.jsonl"),
                 1);
    says("another training runs on this folder (process 7 on here)");
    cr_assert_eq(run("test ! -e M/runs.jsonl && retrain events.jsonl"), 0, "%s", printed);
}

Test(retrain, a_rollback_during_a_round_is_not_overruled)
{
    /* The pipe holds the second round up at its last byte, after it has looked at the model in
     * service. */
    cr_assert_eq(
        run("retrain events.jsonl --until 2025-03-09 && current >first &&"
            "shoal train --events events.jsonl --epochs 0 --hidden 16 --seed 9 --out m.shoal &&"
            "v=$(shoal models --models M --add m.shoal) && mkfifo pipe &&"
            "{ retrain pipe >out & } && exec 8>pipe && cat events.jsonl >&8 &&"
            "shoal models --models M --use \"$v\" && exec 8>&- && wait && cat out &&"
            "[ \"$(current)\" = \"$v\" ] && ls M/*.shoal | wc -l && decisions"),
        0, "%s", printed);
    says("2\npublished");
    says("the model in service has become");
    says("not overruled");
    says("published rolled_back kept\n");
}

/* ---- on a schedule -------------------------------------------------------------------------- */

Test(retrain, every_goes_on_after_failures_and_ends_cleanly_between_rounds)
{
    cr_assert_eq(
        run("\"$SHOAL_PROGRAM\" \"${R[@]}\" \"${OFF[@]}\" --events grows.jsonl --every 1s >out 2>err & pid=$!;"
            "for i in $(seq 100); do grep -qs failed M/runs.jsonl && break; sleep 0.1; done;"
            "cp events.jsonl new && mv new grows.jsonl;"
            "for i in $(seq 300); do grep -qs published M/runs.jsonl && break; sleep 0.1; done;"
            "for i in $(seq 300); do grep -q '^done' err && break; sleep 0.1; done;"
            "kill $pid; wait $pid; echo \"code $?\"; decisions; cat out err"),
        0, "%s", printed);
    says("code 0\nfailed ");
    says(" published");
    says("published ");
    says("grows.jsonl cannot be opened");
    says("the next round is in ");
    says("stopped\n");
    cr_assert_eq(run("shoal models --models M --runs --json | valid"), 0, "%s", printed);
}

Test(retrain, a_signal_ends_a_round_in_the_middle_and_leaves_nothing_of_it)
{
    /* Thousands of epochs: it would take hours. */
    cr_assert_eq(
        run("for how in '--every 1d' --once; do : >err;" /* the last one's epochs are not this one's */
            " \"$SHOAL_PROGRAM\" \"${R[@]}\" \"${OFF[@]}\" --events events.jsonl --epochs 10000 --patience 10000"
            " $how 2>err & pid=$!;"
            "for i in $(seq 300); do grep -q '^epoch' err && break; sleep 0.1; done;"
            "kill -TERM $pid; SECONDS=0; wait $pid; echo \"code $?, $((SECONDS < 10))\"; done;"
            "ls M; decisions; shoal models --models M --runs | cut -d' ' -f3-"),
        0, "%s", printed);
    says("code 0, 1\n");
    says("code 1, 1\n");
    says("lock\nruns.jsonl\nfailed failed\n");
    says("stopped by Terminated");
}

Test(retrain, what_is_not_given_is_as_in_train)
{
    cr_assert_eq(run("retrain events.jsonl --json 2>/dev/null >run.json;"
                     "shoal train --help | sed -n '/--learning-rate/,/--embedding-rate/p' |"
                     " grep -o 'default [0-9.]*' >shown;"
                     "python3 -c '\nimport json\n"
                     "wanted = float(open(\"shown\").read().split()[1])\n"
                     "def find(at):\n"
                     "    for key, value in at.items():\n"
                     "        if key == \"learning_rate\": yield value\n"
                     "        elif isinstance(value, dict): yield from find(value)\n"
                     "found = list(find(json.load(open(\"run.json\"))))\n"
                     "assert len(found) == 1 and abs(found[0] - wanted) < 1e-8, (found, wanted)'"),
                 0, "%s", printed);
}

Test(retrain, usage_is_checked_before_anything_is_read)
{
    cr_assert_eq(run("retrain events.jsonl --every 1d --once"), 2);
    cr_assert_eq(run("retrain events.jsonl --every often"), 2);
    says("--every: 'often' is not a duration");
    cr_assert_eq(run("retrain - --every 1d"), 2);
    cr_assert_eq(run("retrain events.jsonl --window 1d"), 2);
    says("--window: '1d' is not a duration of at least 2d7h");
    cr_assert_eq(run("retrain events.jsonl --margin 2"), 2);
    cr_assert_eq(run("shoal models --models M --runs --use 0123456789abcdef"), 2);
    cr_assert_eq(run("test ! -e M && shoal models --models M"), 5);
    says("M: No such file");
}

/* ---- what operators take -------------------------------------------------------------------- */

Test(retrain, the_units_and_the_cron_job_use_options_that_exist)
{
    cr_assert_not_null(getenv("SHOAL_SOURCE"), "SHOAL_SOURCE is not set");
    cr_assert_eq(
        run("D=$SHOAL_SOURCE/deploy; shoal retrain --help >help;"
            "{ cat $D/systemd/shoal-retrain.service.in;"
            "  sed -n '/^kind: CronJob/,/^---/p' $D/kubernetes/shoal.yaml; } | grep -v '^ *#' |"
            "grep -o -e ' \"*--[a-z-]*' | tr -d '\"' | sort -u | tee options;"
            "while read -r o; do grep -q -e \"^  $o\" help || exit 1; done <options"),
        0, "%s", printed);
    says("--models\n");
    says("--window\n");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal explain` as a person and a program run it: on files and on records in Redis, and on what cannot be
 * explained. SHOAL_PROGRAM is `shoal`. */
#include <math.h>

#include "tests/model/tiny_model.h"
#include "tests/state/redis_server.h"
#include "tests/tools/shell.h"

static void save_model(const char *path, uint64_t seed)
{
    struct shoal_dims dims = tiny_dims(); /* a ring of 4 */
    struct shoal_message message = {""};
    struct shoal_model *model = tiny_model(&dims, seed);
    cr_assert_not_null(model);
    cr_assert_eq(shoal_model_save(model, path, &message), SHOAL_OK, "%s", message.text);
    shoal_model_destroy(model);
}

/* One user with three events, one with nine, one with forty. */
static void setup(void)
{
    shell_setup();
    save_model("m.shoal", 3);
    save_model("other.shoal", 4);
    FILE *out = fopen("e.csv", "w");
    cr_assert_not_null(out);
    const char *const names[] = {"pv", "pv", "cart", "fav", "pv", "buy"};
    for (int i = 0; i < 40; i++)
        for (int u = 0; u < 3; u++)
            if (i < (const int[]){3, 9, 40}[u])
                fprintf(out, "u%d,%d,%d,%s,%d\n", (const int[]){3, 9, 40}[u], 100 + i * 7 % 5,
                        1 + i % 3, names[(i + u) % 6], 1511539200 + i * 3000 + i * i);
    cr_assert_eq(fclose(out), 0);
}

TestSuite(explain_command, .init = setup, .fini = shell_teardown);

static int run(const char *arguments)
{
    char line[1024];
    snprintf(line, sizeof line, "\"$SHOAL_PROGRAM\" explain %s", arguments);
    return shell(line);
}

/* A number of the printed JSON behind `mark` and "name": NaN for null. */
static double number(const char *mark, const char *name)
{
    char key[64];
    const char *from = strstr(printed, mark);
    cr_assert_not_null(from, "%s in %s", mark, printed);
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *at = strstr(from, key);
    cr_assert_not_null(at, "%s after %s in %s", name, mark, printed);
    at += strlen(key);
    return strncmp(at, "null", 4) == 0 ? NAN : strtod(at, NULL);
}

/* The score after the n-th event, from 1. */
static double score_after(int n)
{
    const char *at = printed;
    for (int i = 0; i < n; i++) {
        at = strstr(at + 1, "\"score_after\":");
        cr_assert_not_null(at, "score %d in %s", n, printed);
    }
    return strtod(at + strlen("\"score_after\":"), NULL);
}

static size_t occurrences(const char *text)
{
    size_t count = 0;
    for (const char *at = printed; (at = strstr(at, text)); at++)
        count++;
    return count;
}

/* Checks x.json; Python's, so that it is parsed by something that is not ours. */
static const char *const check =
    "import json\n"
    "x = json.load(open('x.json'))\n"
    "events = sum(e['logit'] for e in x['events'])\n"
    "inputs = sum(i['logit'] for i in x['inputs'].values())\n"
    "counters = sum(c['logit'] for c in x['counters'].values())\n"
    "wanted = x['logits']['explained'] - x['logits']['base']\n"
    "assert len(x['events']) == 9 == x['events_explained'] == x['events_known']\n"
    "assert abs(events + counters - wanted) < 2e-5, (events, counters, wanted)\n"
    "assert abs(inputs - events) < 2e-5\n"
    "assert abs(counters - x['counters_total']['logit']) < 2e-5\n"
    "for e in x['events']:\n"
    "    assert abs(sum(e['inputs'].values()) - e['logit']) < 2e-6\n"
    "p = sum(e['probability'] for e in x['events']) + x['counters_total']['probability']\n"
    "assert abs(p - x['scores']['explained'] + x['scores']['base']) < 2e-5\n"
    "assert abs(x['completeness']['error']) < 1e-5\n"
    "assert x['scores']['correction'] == 0\n"
    "assert x['events'][-1]['score_after'] == x['scores']['served'], x['scores']\n"
    "assert len({e['score_after'] for e in x['events']}) == 9\n"
    "assert len(x['counters']) == 12 and len(x['inputs']) == 8\n"
    "assert list(x) == ['user_id', 'model', 'task', 'source', 'as_of', 'events_known', 'events_explained',\n"
    "    'scores', 'logits', 'completeness', 'events_total', 'events', 'inputs', 'counters_total',\n"
    "    'counters'], list(x)\n"
    "print('sound')\n";

Test(explain_command, the_json_is_sound_and_its_parts_sum_to_the_score)
{
    FILE *out = fopen("check.py", "w");
    cr_assert_not_null(out);
    fputs(check, out);
    cr_assert_eq(fclose(out), 0);
    cr_assert_eq(run("--events e.csv --user u9 --model m.shoal --json >x.json && python3 check.py"), 0,
                 "%s", printed);
    says("sound");
}

Test(explain_command, the_whole_history_is_explained_unless_only_the_ring_is_wanted)
{
    cr_assert_eq(run("--events e.csv u40 --model m.shoal --json"), 0, "%s", printed);
    cr_expect_eq(number("{", "events_explained"), 40);
    cr_expect_lt(fabs(number("scores", "difference")), 1e-3, "half precision only");
    cr_assert_eq(run("--events e.csv u40 --model m.shoal --json --ring"), 0, "%s", printed);
    cr_expect_eq(number("{", "events_known"), 40);
    cr_expect_eq(number("{", "events_explained"), 4);
    cr_expect_float_eq(number("scores", "difference"),
                       number("scores", "explained") - number("scores", "served"), 2e-6);
    cr_expect_eq(number("\"events\":[", "gap"), 0.0, "the first of the ring has no gap");
    cr_assert_eq(run("--events e.csv u40 --model m.shoal --ring"), 0);
    says("the last 4 of 40 events, from an empty state");
    cr_assert_eq(run("--events e.csv u3 --model m.shoal"), 0);
    says("all 3 events");
    says("completeness: contributions sum to");
}

Test(explain_command, an_earlier_time_explains_what_was_known_then)
{
    cr_assert_eq(run("--events e.csv u40 --model m.shoal --json --at 1511551209"), 0, "%s", printed);
    cr_expect_eq(number("{", "events_explained"), 4, "%s", printed);
    says("\"as_of\":\"2017-11-24T18:30:09.000Z\"");
    cr_assert_eq(run("--events e.csv u40 --model m.shoal --at 1511539200"), 5);
    says("user 'u40' has no events before --at");
}

Test(explain_command, a_long_history_shows_the_events_that_count_most)
{
    cr_assert_eq(run("--events e.csv u40 --model m.shoal"), 0, "%s", printed);
    says("8 others, each less");
    cr_expect_eq(occurrences("\n2017-11-2"), 32, "%s", printed);
    cr_assert_eq(run("--events e.csv u9 --model m.shoal"), 0);
    cr_expect_eq(occurrences("\n2017-11-2"), 9);
    cr_expect_eq(occurrences("others"), 0);
}

Test(explain_command, the_same_question_has_the_same_answer_and_more_points_a_smaller_error)
{
    static char first[sizeof printed];
    cr_assert_eq(run("--events e.csv u40 --model m.shoal --json"), 0);
    memcpy(first, printed, sizeof first);
    cr_assert_eq(run("--events e.csv --user u40 --model m.shoal --json --steps 64"), 0);
    cr_expect_str_eq(printed, first);
    double fine = fabs(number("completeness", "error"));
    cr_assert_eq(run("--events e.csv u40 --model m.shoal --json --steps 1 2>warning"), 0);
    cr_expect_gt(fabs(number("completeness", "error")), 100 * fine);
    cr_expect_eq(number("completeness", "steps"), 1);
    says("gauss_legendre");
    cr_expect_gt(number("completeness", "relative_error"), 0.01);
    cr_assert_eq(shell("cat warning"), 0);
    says("take more --steps");
}

static struct test_redis redis;

/* States of the model in Redis. */
static void replay(void)
{
    char line[512];
    test_redis_start(&redis, NULL);
    snprintf(line, sizeof line,
             "\"$SHOAL_PROGRAM\" replay --model m.shoal --events e.csv --out out --redis --set "
             "redis.url=%s",
             redis.url);
    cr_assert_eq(shell(line), 0, "%s", printed);
}

/* Explains a user of Redis; `more` are further arguments. */
static int ask(const char *user, const char *model, const char *more)
{
    char line[512];
    snprintf(line, sizeof line, "--set redis.url=%s --set redis.timeout=2s --model %s %s %s", redis.url, model, more,
             user);
    return run(line);
}

Test(explain_command, a_record_is_explained_by_its_ring_and_says_what_was_served)
{
    replay();
    cr_assert_eq(ask("u3", "m.shoal", "--json"), 0, "%s", printed);
    says("\"source\":\"record\"");
    cr_expect_eq(number("{", "events_explained"), 3);
    cr_expect_eq(number("scores", "state"), number("scores", "served"));
    cr_expect_lt(fabs(number("scores", "difference")), 1e-3, "half precision only");
    double served = number("scores", "served");
    cr_expect_eq(score_after(3), served, "the ring is all of the history");
    double before = score_after(2), first = score_after(1);
    cr_assert_eq(run("--events e.csv u3 --model m.shoal --json"), 0);
    cr_expect_eq(number("scores", "served"), served, "files and record say the same");
    cr_expect_eq(score_after(2), before);
    cr_expect_eq(score_after(1), first);

    cr_assert_eq(ask("u40", "m.shoal", "--json"), 0, "%s", printed);
    cr_expect_eq(number("{", "events_known"), 40);
    cr_expect_eq(number("{", "events_explained"), 4);
    double explained = number("scores", "explained");
    cr_assert_eq(run("--events e.csv u40 --model m.shoal --json --ring"), 0);
    cr_expect_eq(number("scores", "explained"), explained, "files and record say the same");

    /* By a model that did not serve. */
    cr_assert_eq(ask("u40", "other.shoal", "--json"), 0, "%s", printed);
    cr_expect(isnan(number("scores", "state")));
    cr_expect_neq(number("scores", "explained"), explained);
    cr_assert_eq(ask("u40", "other.shoal", ""), 0, "%s", printed);
    says("by another model");

    cr_assert_eq(ask("nobody", "m.shoal", ""), 5);
    says("no state is kept of user 'nobody'");
    test_redis_stop(&redis);
}

Test(explain_command, a_redis_that_is_not_there_is_named)
{
    snprintf(redis.url, sizeof redis.url, "unix:%s/none.sock", shell_folder);
    cr_assert_eq(ask("u3", "m.shoal", ""), 1, "%s", printed);
    says("none.sock");
}

Test(explain_command, what_cannot_be_explained_is_said)
{
    cr_assert_eq(run("--events e.csv u3"), 3);
    says("no model: set model.path");
    cr_assert_eq(run("--events e.csv u3 --model none.shoal"), 3);
    says("none.shoal");
    cr_assert_eq(run("--events e.csv u3 --model e.csv"), 3);
    cr_assert_eq(run("--events none.csv u3 --model m.shoal"), 5);
    says("none.csv");
    cr_assert_eq(run("--events e.csv nobody --model m.shoal"), 5);
    says("user 'nobody' has no events");
    cr_assert_eq(run("--events /dev/null u3 --model m.shoal"), 5);
    cr_assert_eq(run("--events e.csv --model m.shoal"), 2);
    says("give one USER");
    cr_assert_eq(run("--events e.csv u3 --user u9 --model m.shoal"), 2);
    for (const char *const *steps = (const char *const[]){"0", "1025", "many", "-4", NULL}; *steps;
         steps++) {
        char line[128];
        snprintf(line, sizeof line, "--events e.csv u3 --model m.shoal --steps %s", *steps);
        cr_expect_eq(run(line), 2, "%s: %s", *steps, printed);
    }
    cr_assert_eq(run("--events e.csv u3 --model m.shoal --rule simpson"), 2);
    says("'simpson' is not one of gauss_legendre, midpoint");
    cr_assert_eq(run("--events e.csv u3 --model m.shoal --at yesterday"), 2);
    cr_assert_eq(run("u3 --model m.shoal --ring"), 2);
    says("--at and --ring go with --events");
    cr_assert_eq(run("u3 --model m.shoal --at 2020-01-01"), 2);
    cr_assert_eq(run("u3 u4 --model m.shoal"), 2);
}

Test(explain_command, help_and_completion_know_it)
{
    cr_assert_eq(run("--help"), 0);
    says("integrated gradients");
    says("--steps M");
    says("There is no attention");
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" completion bash"), 0);
    says("explain) options='--config --set --model --user --events --at --ring --steps --rule --json");
}

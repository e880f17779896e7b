/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal segments`, and clusters in `shoal train`, as a person runs them, on made-up shoppers. SHOAL_PROGRAM is
 * `shoal`. */
#include "tests/tools/shell.h"

static void setup(void)
{
    shell_setup();
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" generate --users 400 --days 6 --seed 3 --out e.jsonl"), 0, "%s",
                 printed);
}

TestSuite(segments, .init = setup, .fini = shell_teardown);

/* What else a training learns takes as long as the clusters; it has tests of its own. */
#define TRAIN                                                                                      \
    "\"$SHOAL_PROGRAM\" train --events e.jsonl --epochs 1 --no-refit --hidden 16 --objectives none "  \
    "--value off --engagement off "

Test(segments, a_training_finds_them_and_the_command_describes_them)
{
    cr_assert_eq(shell(TRAIN "--clusters 4 --out m.shoal"), 0, "%s", printed);
    says("clusters    4 of ");
    says("as asked for");
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" segments --model m.shoal"), 0, "%s", printed);
    says(": 4 segments, learnt from ");
    says("\nc1: ");
    says("\nc4: ");
    says("buy within 24 hours, ");
    says("times the average");
    cr_assert(strstr(printed, "more than others") || strstr(printed, "less than others"));
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" segments --model m.shoal --json >s.json && python3 -c '\n"
                       "import json; s = json.load(open(\"s.json\"))\n"
                       "assert [x[\"id\"] for x in s[\"segments\"]] == [1, 2, 3, 4]\n"
                       "assert abs(sum(x[\"share\"] for x in s[\"segments\"]) - 1) < 1e-4\n"
                       "for x in s[\"segments\"]:\n"
                       "    assert abs(sum(x[\"mix\"].values()) - 1) < 1e-4\n"
                       "    assert len(x[\"traits\"]) == 9 and x[\"from\"] is None and x[\"title\"]\n"
                       "rate = sum(x[\"share\"] * x[\"conversion\"] for x in s[\"segments\"])\n"
                       "assert abs(rate - s[\"conversion\"]) < 1e-4, rate\n"
                       "for k in range(9):\n"
                       "    mean = sum(x[\"share\"] * x[\"traits\"][k][\"mean\"] for x in s[\"segments\"])\n"
                       "    assert abs(mean - s[\"segments\"][0][\"traits\"][k][\"all\"]) < 1e-3 * (1 + mean)\n"
                       "'"),
                 0, "%s", printed);
}

Test(segments, a_retraining_says_what_it_keeps)
{
    cr_assert_eq(shell(TRAIN "--clusters 3 --out a.shoal && " TRAIN
                       "--clusters 3 --seed 2 --previous a.shoal --out b.shoal"),
                 0, "%s", printed);
    says("continue those of the model before, ");
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" segments --model b.shoal --json"), 0);
    says("\"retired\":[");
    cr_assert_eq(shell(TRAIN "--previous missing --out c.shoal"), 3);
}

Test(segments, without_clusters_it_says_so)
{
    cr_assert_eq(shell(TRAIN "--clusters off --out m.shoal"), 0, "%s", printed);
    cr_assert_null(strstr(printed, "clusters"));
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" segments --model m.shoal"), 5);
    says("has no clusters");
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" segments --model missing"), 3);
    cr_assert_eq(shell(TRAIN "--clusters 1 --out m.shoal"), 2);
    says("is not auto, off, or 2 to 32");
    cr_assert_eq(shell(TRAIN "--clusters few --out m.shoal"), 2);
    cr_assert_eq(shell(TRAIN "--clusters 33 --out m.shoal"), 2);
}

Test(segments, four_methods_are_compared_on_later_days)
{
    cr_assert_eq(shell("until=$(python3 -c 'import json\n"
                       "times = [json.loads(line)[\"timestamp\"] for line in open(\"e.jsonl\")]\n"
                       "import datetime; print(datetime.datetime.fromtimestamp("
                       "max(times) / 1000 - 2 * 86400, datetime.timezone.utc).strftime(\"%Y-%m-%dT%H:%MZ\"))');"
                       TRAIN "--clusters off --until $until --out m.shoal && "
                       "\"$SHOAL_PROGRAM\" segments --compare --model m.shoal,m.shoal --events e.jsonl "
                       "--clusters 3 --seeds 1 --resamples 2"),
                 0, "%s", printed);
    says("2 retrainings; K 3\n");
    says("| deep clustering (IDEC) | 3 |");
    says("| k-means on the same input | 3 |");
    says("| k-means on counters | 3 |");
    says("| RFM quintiles | ");
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" segments --compare --model m.shoal,m.shoal --events e.jsonl "
                       "--clusters 3 --seeds 1 --resamples 2 --json 2>/dev/null >c.json && python3 -c '\n"
                       "import json; c = json.load(open(\"c.json\"))\n"
                       "assert [m[\"name\"] for m in c[\"methods\"]] == [\"idec\", \"kmeans\", \"counters\", \"rfm\"]\n"
                       "for m in c[\"methods\"]:\n"
                       "    for k, v in m.items():\n"
                       "        if type(v) is dict: assert v[\"low\"] <= v[\"mean\"] + 1e-9, (k, v)\n"
                       "    assert m[\"retrain_ari\"][\"mean\"] == 1, \"the same model twice\"\n"
                       "    assert -1 <= m[\"silhouette\"][\"mean\"] <= 1\n"
                       "    assert 0 < m[\"bootstrap_jaccard\"][\"mean\"] <= 1\n"
                       "'"),
                 0, "%s", printed);
    cr_assert_eq(shell(TRAIN "--clusters off --out all.shoal && "
                       "\"$SHOAL_PROGRAM\" segments --compare --model all.shoal --events e.jsonl"),
                 5);
    says("0 users have events between the end of the models' training and the last day");
    cr_assert_eq(shell("\"$SHOAL_PROGRAM\" segments --compare --model all.shoal"), 2);
    says("--compare needs --events");
}

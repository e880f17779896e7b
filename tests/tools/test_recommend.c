/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal recommend` and `shoal items` as a person runs them, with a model of known parts. SHOAL_PROGRAM is
 * `shoal`. */
#include "tests/model/planted_items.h"
#include "tests/model/tiny_model.h"
#include "tests/tools/shell.h"

enum { CATALOGUE = 30 };

static void save_model(const char *path, bool items)
{
    struct shoal_dims dims = tiny_dims();
    struct shoal_message message = {.text = ""};
    struct shoal_model *model = tiny_model(&dims, 5);
    cr_assert_not_null(model);
    if (items) {
        model->items = planted_items(CATALOGUE, 8, dims.hidden, 5);
        cr_assert_not_null(model->items);
    }
    cr_assert_eq(shoal_model_save(model, path, &message), SHOAL_OK, "%s", message.text);
    shoal_model_destroy(model);
}

/* u0 … u9 with forty events each; the last tenth names an item that the catalogue does not have. */
static void save_events(const char *path)
{
    static const char *const behaviors[] = {"pv", "pv", "cart", "buy"};
    FILE *out = fopen(path, "w");
    cr_assert_not_null(out);
    for (int i = 0; i < 400; i++) {
        bool late = i >= 360 && i % 3 == 0;
        fprintf(out, "u%d,%s%d,%d,%s,%d\n", i % 10, late ? "late" : "", late ? 1 : i * 7 % 33,
                late ? 3 : 1 + i % 7, behaviors[i / 10 % 4], 1511660000 + i * 600);
    }
    cr_assert_eq(fclose(out), 0);
}

static void setup(void)
{
    shell_setup();
    save_model("m.shoal", true);
    save_model("bare.shoal", false);
    save_events("e.csv");
}

TestSuite(recommend, .init = setup, .fini = shell_teardown);

static int run(const char *arguments)
{
    char line[2048];
    snprintf(line, sizeof line, "\"$SHOAL_PROGRAM\" %s", arguments);
    return shell(line);
}

/* "[{…},…]" behind "items": of the text, without what else a list has of an item. */
static void items_of(const char *text, char *items, size_t size)
{
    size_t used = 0;
    items[0] = '\0';
    for (const char *at = strstr(text, "\"items\":["); at && (at = strstr(at, "{\"item\":\""));) {
        const char *end = strchr(at + 9, '"');
        used += (size_t)snprintf(items + used, size - used, "%.*s ", (int)(end - at - 9), at + 9);
        at = end;
    }
}

Test(recommend, it_names_what_a_decision_of_that_moment_carries)
{
    char carried[1024], recommended[1024];
    cr_assert_eq(shell("printf 'promotions:\\n- {id: a, triggers: [pv, cart, fav, buy], items: 6, "
                       "items_goal: buy, without_bought: yes}\\n' > p.yaml"),
                 0);
    cr_assert_eq(run("replay --model m.shoal --events e.csv --promotions p.yaml --out out"), 0, "%s",
                 printed);
    for (int user = 0; user < 10; user++) {
        char line[256];
        snprintf(line, sizeof line, "grep '\"user_id\":\"u%d\"' out/decisions.jsonl | tail -n 1", user);
        cr_assert_eq(shell(line), 0);
        items_of(printed, carried, sizeof carried);
        snprintf(line, sizeof line,
                 "recommend u%d --model m.shoal --events e.csv -n 6 --goal buy --without-bought --json",
                 user);
        cr_assert_eq(run(line), 0, "%s", printed);
        items_of(printed, recommended, sizeof recommended);
        cr_assert_str_eq(recommended, carried);
        cr_assert_neq(carried[0], '\0');
    }
}

Test(recommend, a_user_without_history_gets_popular_items_and_that_is_said)
{
    cr_assert_eq(run("recommend nobody --model m.shoal --events e.csv -n 3"), 0, "%s", printed);
    says("nobody is not known, or has no events until then: popular items");
    cr_assert_eq(run("recommend --user u1 --model m.shoal --events e.csv --at 2017-01-01 --json"), 0);
    says("\"known\":false,\"why\":\"popular\"");
    cr_assert_eq(run("recommend --user u1 --model m.shoal --events e.csv --json"), 0);
    says("\"known\":true,\"why\":\"history\"");
}

Test(recommend, more_than_the_catalogue_has_is_all_of_it_and_that_is_said)
{
    cr_assert_eq(run("recommend u1 --model m.shoal --events e.csv -n 1000"), 0, "%s", printed);
    says("has 30 items");
    says("    30  ");
    cr_assert_null(strstr(printed, "    31  "));
    cr_assert_eq(run("recommend u2 --model m.shoal --events e.csv -n 30 --without-bought"), 0);
    says("that is all: the others were bought lately");
}

Test(recommend, the_state_is_that_of_the_time_asked_for)
{
    static char first[sizeof printed];
    cr_assert_eq(run("recommend u1 --model m.shoal --events e.csv --at 2017-11-26T12:00:00Z"), 0);
    says("as of 2017-11-26T12:00:00.000Z");
    memcpy(first, printed, sizeof first);
    cr_assert_eq(run("recommend u1 --model m.shoal --events e.csv"), 0);
    cr_assert_str_neq(printed, first);
    cr_assert_eq(shell("head -n 150 e.csv > part.csv"), 0); /* u1's events until then, and no later ones */
    cr_assert_eq(run("recommend u1 --model m.shoal --events part.csv --at 2017-11-26T02:00:00Z"), 0);
    memcpy(first, printed, sizeof first);
    cr_assert_eq(run("recommend u1 --model m.shoal --events e.csv --at 2017-11-26T02:00:00Z"), 0);
    cr_assert_str_eq(printed, first);
}

Test(recommend, what_cannot_be_answered_is_said_with_its_exit_code)
{
    cr_assert_eq(run("recommend u1 --model bare.shoal --events e.csv"), 3);
    says("has no catalogue of items; train one with shoal train --items auto");
    cr_assert_eq(run("items --model bare.shoal"), 3);
    says("has no catalogue of items");
    cr_assert_eq(run("recommend --model m.shoal --events e.csv"), 2);
    says("give one USER");
    cr_assert_eq(run("recommend u1 --user u2 --model m.shoal --events e.csv"), 2);
    cr_assert_eq(run("recommend u1 --model m.shoal --events e.csv -n 0"), 2);
    says("-n: '0' is not a whole number from 1 to 1000");
    cr_assert_eq(run("recommend u1 --model m.shoal --events e.csv --goal cart"), 2);
    cr_assert_eq(run("recommend u1 --model m.shoal --events nowhere.csv"), 5);
    cr_assert_eq(run("recommend u1 --model nowhere.shoal --events e.csv"), 3);
}

Test(recommend, an_item_that_came_later_is_recommended_once_it_is_added)
{
    cr_assert_eq(run("recommend u0 --model m.shoal --events e.csv -n 1000 --json"), 0);
    cr_assert_null(strstr(printed, "\"late1\""));
    cr_assert_eq(run("items add --model m.shoal --events e.csv --out m2.shoal"), 0, "%s", printed);
    says("items     34, of which 4 are new"); /* 30, 31, 32 and late1 */
    cr_assert_eq(run("items --model m2.shoal --json"), 0);
    says("\"items\":34,\"width\":8");
    cr_assert_eq(run("recommend u0 --model m2.shoal --events e.csv -n 34 --json"), 0, "%s", printed);
    says("{\"item\":\"late1\"");
    cr_assert_eq(run("items add --model m.shoal --events e.csv --out m3.shoal --json"), 0);
    says("\"added\":4");
    cr_assert_eq(shell("cmp m2.shoal m3.shoal"), 0, "the same events give the same file");
    cr_assert_eq(run("items add --model m2.shoal --events e.csv --out m3.shoal --json"), 0);
    says("\"added\":0");
    cr_assert_eq(run("items add --model m.shoal --events e.csv"), 2);
    says("add needs --events and --out");
    cr_assert_eq(run("items drop --model m.shoal"), 2);
}

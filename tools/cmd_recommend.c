/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal recommend`: what a user is likely to turn to next, from the record in Redis or from events files. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/event.h"
#include "stream/next_items.h"
#include "tools/commands.h"
#include "tools/person_find.h"
#include "tools/setup.h"

static bool knows_any(const struct shoal_next_items *r)
{
    const struct shoal_record *record = &r->person->record;
    uint32_t item;
    for (size_t i = 0; i < record->ring_count; i++) {
        if (shoal_items_find(r->model->items, record->ring[i].item, &item))
            return true;
    }
    return false;
}

/* ---- what is printed ----------------------------------------------------------------------- */

static void print_text(const struct shoal_next_items *r)
{
    const struct shoal_items *items = r->model->items;
    const struct shoal_record *record = &r->person->record;
    char at[25];
    if (r->person->known) {
        shoal_time_print(r->now_ms, at);
        printf("%s, %s; from the state and the last %u of %" PRIu64 " events, as of %s\n", r->user,
               r->goal == SHOAL_GOAL_BUY ? "what is likely to be bought next"
                                         : "what the next event is likely to be about",
               record->ring_count, record->events_count, at);
        if (!knows_any(r))
            puts("none of the recent items is in the catalogue, so that it is the state alone (and categories, if "
                 "known) that tells;\nshoal items add takes items up that came after the training");
    } else {
        printf("%s is not known, or has no events until then: popular items%s\n", r->user,
               r->goal == SHOAL_GOAL_BUY ? ", by purchases" : "");
    }
    printf("%6s  %-20s %10s %9s %9s\n", "rank", "item", "score", "category", "support");
    for (size_t i = 0; i < r->count; i++) {
        size_t size;
        uint32_t item = r->picks[i].item;
        const char *id = shoal_items_id(items, item, &size);
        char category[8] = "";
        if (shoal_items_category(items, item))
            snprintf(category, sizeof category, "#%04x", shoal_items_category(items, item));
        printf("%6zu  %-20.*s %10.4f %9s %9" PRIu32 "\n", i + 1, (int)size, id,
               (double)r->picks[i].score, category, shoal_items_support(items, item));
    }
    if (r->wanted > shoal_items_count(items))
        printf("that is all: the catalogue of model %s has %zu items\n", r->model->version,
               shoal_items_count(items));
    else if (r->count < r->wanted)
        puts("that is all: the others were bought lately");
}

/* ---- the command --------------------------------------------------------------------------- */

static int answer(const struct shoal_cli_args *args, bool given, struct shoal_next_items *r)
{
    const struct shoal_person *person = r->person;
    if (person->known && !given)
        r->now_ms = person->record.last_ms;
    if (person->known && r->now_ms < person->record.last_ms)
        return shoal_cli_fail(args, SHOAL_EXIT_DATA,
                              "--at: the state is of a later event, and cannot go back; with --events it can");
    if (shoal_next_items_find(r) != SHOAL_OK)
        return shoal_cli_fail(args, SHOAL_EXIT_FAILED, "out of memory");
    if (shoal_cli_get(args, "json")) {
        struct shoal_put put = {.out = stdout};
        shoal_next_items_put(r, &put);
        putchar('\n');
    } else {
        print_text(r);
    }
    return SHOAL_EXIT_OK;
}

static int look_up(const struct shoal_cli_args *args, const struct shoal_setup *setup, bool given,
                   struct shoal_next_items *r)
{
    struct shoal_message message = {.text = ""};
    struct shoal_person person;
    const char *events = shoal_cli_get(args, "events");
    if (!setup->model->items)
        return shoal_cli_fail(args, SHOAL_EXIT_CONFIG,
                              "model %s has no catalogue of items; train one with shoal train --items auto",
                              setup->model->version);
    enum shoal_status status =
        events ? shoal_person_replay(setup->config, setup->model, events, r->user,
                                     given ? r->now_ms : INT64_MAX, &person, &message)
               : shoal_person_find(setup->config, setup->model, r->user, &person, &message);
    r->model = setup->model;
    r->person = &person;
    int code = status == SHOAL_OK
                   ? answer(args, given, r)
                   : shoal_cli_fail(args, shoal_setup_exit(status), "%s", message.text);
    shoal_person_finish(&person);
    shoal_next_items_finish(r);
    return code;
}

static int run(const struct shoal_cli_args *args)
{
    struct shoal_next_items r = {.user = shoal_cli_positional(args, 0)};
    struct shoal_setup setup;
    const char *user = shoal_cli_get(args, "user"), *goal = shoal_cli_get(args, "goal");
    long long wanted, at_ms = 0;
    bool given;
    if (!shoal_cli_int(args, "n", 1, SHOAL_PICKS_MAX, &wanted) ||
        !shoal_cli_time(args, "at", &given, &at_ms))
        return SHOAL_EXIT_USAGE;
    if (!r.user == !user)
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "give one USER");
    if (strcmp(goal, "any") != 0 && strcmp(goal, "buy") != 0)
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "--goal: '%s' is not one of any, buy", goal);
    r.user = user ? user : r.user;
    r.now_ms = at_ms;
    r.wanted = (size_t)wanted;
    r.goal = strcmp(goal, "buy") == 0 ? SHOAL_GOAL_BUY : SHOAL_GOAL_ANY;
    r.without_bought = shoal_cli_get(args, "without-bought") != NULL;
    int code = shoal_setup_load(args, shoal_cli_get(args, "model"), "", &setup);
    if (code == SHOAL_EXIT_OK)
        code = look_up(args, &setup, given, &r);
    shoal_setup_finish(&setup);
    return code;
}

static const struct shoal_cli_option options[] = {
    SHOAL_SETUP_OPTIONS,
    {"model", "FILE", NULL, "model, or a folder of models (default: model.path of the configuration)", false,
     false},
    {"n", "N", "10", "how many items, up to 1000; all if the catalogue has fewer", false, false},
    {"goal", "GOAL", "any", "any: what the next event may be about; buy: what may be bought next", false,
     false},
    {"without-bought", NULL, NULL, "leave out what the recent events bought", false, false},
    {"events", "FILE[,FILE…]", NULL,
     "the user's state from these events instead of from Redis; no service is needed", false, false},
    {"user", "USER", NULL, "the same as USER", false, false},
    {"at", "TIME", NULL, "as of this time (default: that of the user's last event)", false, false},
    {"json", NULL, NULL, "print JSON (deploy/formats.md)", false, false},
    {0},
};

const struct shoal_cli_command shoal_cmd_recommend = {
    .name = "recommend",
    .summary = "print what a user is likely to turn to next",
    .positional = "[USER]",
    .description =
        "The best items of the model's catalogue for one user, by exact scores: the same that a decision of "
        "this moment would carry. A user who is not known, or has no events until --at, gets popular items, and "
        "that is said; it is no failure (exit code 0). A model without a catalogue is one (exit code 3). "
        "category is a hash of 16 bits, as the records keep it; support is how many events of the training "
        "named the item.",
    .example = "shoal recommend --config deploy/shoal.yaml 1002166 -n 5 --goal buy --without-bought\n"
               "shoal recommend --events events.csv.gz --model model.shoal --user 1002166",
    .options = options,
    .run = run,
};

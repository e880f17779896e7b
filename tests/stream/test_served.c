/* SPDX-License-Identifier: Apache-2.0 */
/* The model of a partition's events: what the committed history says, what recovery does without it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/models_dir.h"
#include "stream/served.h"
#include "tests/model/tiny_clusters.h"

static const struct shoal_log quiet = {.level = SHOAL_ERROR, .worker = -1};

struct fixture {
    char folder[64];
    uint64_t ids[3];
    struct shoal_serving serving;
    struct shoal_served served;
};

static void path_of(const struct fixture *f, unsigned i, char path[200])
{
    char version[17];
    shoal_swaps_version(f->ids[i], version);
    snprintf(path, 200, "%s/%s.shoal", f->folder, version);
}

/* Three models in a folder; the last one is in service. */
static void setup(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    strcpy(f->folder, "/tmp/shoal-served-XXXXXX");
    cr_assert_not_null(mkdtemp(f->folder));
    for (unsigned i = 0; i < 3; i++) {
        struct shoal_dims dims = tiny_dims();
        struct shoal_model *model = tiny_model(&dims, i + 1);
        if (i == 1) /* the others have no clusters */
            model->clusters = tiny_clusters(dims.hidden + SHOAL_COUNTERS, 1, 1);
        cr_assert_eq(shoal_models_add(f->folder, model, NULL), SHOAL_OK);
        f->ids[i] = model->id;
        if (i == 2)
            cr_assert_eq(shoal_models_select(f->folder, model->version, NULL), SHOAL_OK);
        shoal_model_destroy(model);
    }
    f->serving.log = &quiet;
    f->serving.topic = "e";
    cr_assert_eq(shoal_models_open(f->folder, &f->serving.models, NULL), SHOAL_OK);
}

/* Nothing but the latest model may be left behind. */
static void teardown(struct fixture *f)
{
    char path[200];
    shoal_served_end(&f->serving, &f->served);
    cr_assert_eq(shoal_models_count(f->serving.models), 1);
    shoal_models_close(f->serving.models);
    for (unsigned i = 0; i < 3; i++) {
        path_of(f, i, path);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/current", f->folder);
    unlink(path);
    rmdir(f->folder);
}

/* Assigned at committed offset 100, to be read from 0, with a history "model@offset" twice. */
static void begin(struct fixture *f, int64_t low, bool repeat, unsigned first, int64_t first_offset,
                  unsigned second, int64_t second_offset)
{
    struct shoal_swaps swaps = {0};
    char text[SHOAL_SWAPS_BYTES + 1];
    cr_assert_eq(shoal_swaps_append(&swaps, first_offset, f->ids[first], 0), SHOAL_OK);
    cr_assert_eq(shoal_swaps_append(&swaps, second_offset, f->ids[second], 0), SHOAL_OK);
    shoal_swaps_print(&swaps, text);
    shoal_swaps_finish(&swaps);
    struct shoal_served_start start = {.partition = 1,
                                       .metadata = text,
                                       .metadata_size = strlen(text),
                                       .committed = 100,
                                       .low = low,
                                       .start = low,
                                       .repeat = repeat};
    cr_assert_eq(shoal_served_begin(&f->serving, &f->served, &start, NULL), SHOAL_OK);
}

static uint64_t model_at(struct fixture *f, int64_t offset)
{
    const struct shoal_model *model;
    const struct shoal_policy *policy;
    struct shoal_message message = {.text = ""};
    cr_assert_eq(shoal_served_model(&f->serving, &f->served, 1, offset, offset, 100, &model,
                                    &policy, &message),
                 SHOAL_OK, "%s", message.text);
    return model->id;
}

Test(served, each_event_has_the_model_of_its_offset)
{
    struct fixture f;
    setup(&f);
    begin(&f, 0, false, 0, 0, 1, 60);
    cr_assert_eq(f.served.fresh, 0);
    cr_assert_eq(model_at(&f, 0), f.ids[0]);
    cr_assert_eq(model_at(&f, 59), f.ids[0]);
    cr_assert_eq(model_at(&f, 60), f.ids[1]);
    cr_assert_eq(model_at(&f, 150), f.ids[1], "until it is swapped");
    cr_assert_eq(shoal_served_swap(&f.serving, &f.served, 1, 160, f.ids[2], 0, NULL), SHOAL_OK);
    cr_assert_eq(f.served.fresh, 1);
    cr_assert_eq(model_at(&f, 160), f.ids[2]);
    teardown(&f);
}

Test(served, the_history_goes_on_as_text_and_is_trimmed_at_the_start_of_the_log)
{
    struct fixture f;
    char wanted[100], version[17];
    setup(&f);
    begin(&f, 70, false, 0, 0, 1, 60);
    shoal_swaps_version(f.ids[1], version);
    snprintf(wanted, sizeof wanted, "m2 %s+0000000000000000@60", version);
    cr_assert_str_eq(f.served.text, wanted);
    teardown(&f);
}

Test(served, a_swap_beyond_the_committed_offset_is_forgotten)
{
    struct fixture f;
    setup(&f);
    begin(&f, 0, false, 0, 0, 1, 101);
    cr_assert_eq(model_at(&f, 150), f.ids[0]);
    teardown(&f);
}

Test(served, without_a_history_the_model_of_the_checkpoint_holds_if_it_is_there)
{
    struct fixture f;
    setup(&f);
    struct shoal_served_start start = {
        .partition = 1, .metadata = "by hand", .metadata_size = 7, .committed = 100, .start = 40,
        .saved_model = f.ids[1]};
    cr_assert_eq(shoal_served_begin(&f.serving, &f.served, &start, NULL), SHOAL_OK);
    cr_assert_eq(model_at(&f, 50), f.ids[1]);
    cr_assert_eq(f.served.fresh, 1, "it is to be told");
    shoal_served_end(&f.serving, &f.served);
    start.saved_model = 12345;
    cr_assert_eq(shoal_served_begin(&f.serving, &f.served, &start, NULL), SHOAL_OK);
    cr_assert_eq(model_at(&f, 50), f.ids[2]);
    shoal_served_end(&f.serving, &f.served);
    start.committed = -1;
    cr_assert_eq(shoal_served_begin(&f.serving, &f.served, &start, NULL), SHOAL_OK);
    cr_assert_eq(f.served.swaps.list[0].offset, 40);
    teardown(&f);
}

Test(served, a_model_that_is_gone_is_replaced_by_the_next_of_the_history_within_the_recovery)
{
    struct fixture f;
    char path[200];
    setup(&f);
    path_of(&f, 0, path);
    unlink(path);
    begin(&f, 0, false, 0, 0, 1, 60);
    cr_assert_eq(model_at(&f, 10), f.ids[1]);
    cr_assert_eq(model_at(&f, 70), f.ids[1]);
    cr_assert_eq(f.served.fresh, 0, "the history stays what it was");
    teardown(&f);
}

Test(served, behind_the_recovery_a_model_that_is_gone_is_swapped_for_the_latest)
{
    struct fixture f;
    char path[200];
    setup(&f);
    path_of(&f, 1, path);
    unlink(path);
    begin(&f, 0, false, 0, 0, 1, 60);
    cr_assert_eq(model_at(&f, 10), f.ids[0]);
    cr_assert_eq(model_at(&f, 70), f.ids[2], "nothing else follows in the history");
    cr_assert_eq(f.served.fresh, 0);
    cr_assert_eq(model_at(&f, 100), f.ids[2]);
    cr_assert_eq(f.served.fresh, 1);
    cr_assert_eq(f.served.swaps.list[2].offset, 100);
    cr_assert_eq(model_at(&f, 101), f.ids[2]);
    teardown(&f);
}

Test(served, a_model_that_is_gone_is_refused_on_request_with_the_way_out)
{
    struct fixture f;
    char path[200], version[17];
    const struct shoal_model *model;
    const struct shoal_policy *policy;
    struct shoal_message message = {.text = ""};
    setup(&f);
    f.serving.refuse = true;
    path_of(&f, 0, path);
    unlink(path);
    begin(&f, 0, false, 0, 0, 1, 60);
    cr_assert_eq(shoal_served_model(&f.serving, &f.served, 1, 10, 10, 100, &model, &policy, &message),
                 SHOAL_CONFIG);
    shoal_swaps_version(f.ids[0], version);
    cr_assert_not_null(strstr(message.text, version), "%s", message.text);
    cr_assert_not_null(strstr(message.text, "recovery.model_missing"), "%s", message.text);
    shoal_served_end(&f.serving, &f.served);
    begin(&f, 60, false, 0, 0, 1, 60);
    cr_assert_eq(model_at(&f, 60), f.ids[1], "a model that is not needed may be gone");
    teardown(&f);
}

/* ---- policies -------------------------------------------------------------------------------- */

/* A promotions file in the folder with two versions kept: policies[0] was before, policies[1] is now. */
static void add_policies(struct fixture *f, char path[200], uint64_t policies[2])
{
    for (unsigned i = 0; i < 2; i++) {
        snprintf(path, 200, "%s/p.yaml", f->folder);
        FILE *out = fopen(path, "w");
        fprintf(out, "promotions: [{id: p%u}]\n", i);
        fclose(out);
        shoal_policies_close(f->serving.policies);
        struct shoal_policies_options options = {.path = path, .history = "", .keep = true};
        cr_assert_eq(shoal_policies_open(&options, &quiet, &f->serving.policies, NULL), SHOAL_OK);
        policies[i] = shoal_policies_latest_id(f->serving.policies);
    }
}

static void remove_policies(struct fixture *f)
{
    char command[200];
    shoal_served_end(&f->serving, &f->served);
    cr_assert_eq(shoal_policies_count(f->serving.policies), 1);
    shoal_policies_close(f->serving.policies);
    snprintf(command, sizeof command, "rm -r %s/p.yaml*", f->folder);
    cr_assert_eq(system(command), 0);
}

static void begin_policies(struct fixture *f, const uint64_t policies[2])
{
    struct shoal_swaps swaps = {0};
    char text[SHOAL_SWAPS_BYTES + 1];
    cr_assert_eq(shoal_swaps_append(&swaps, 0, f->ids[2], 0), SHOAL_OK);
    cr_assert_eq(shoal_swaps_append(&swaps, 40, f->ids[2], policies[0]), SHOAL_OK);
    cr_assert_eq(shoal_swaps_append(&swaps, 60, f->ids[2], policies[1]), SHOAL_OK);
    shoal_swaps_print(&swaps, text);
    shoal_swaps_finish(&swaps);
    struct shoal_served_start start = {.partition = 1,
                                       .metadata = text,
                                       .metadata_size = strlen(text),
                                       .committed = 100};
    cr_assert_eq(shoal_served_begin(&f->serving, &f->served, &start, NULL), SHOAL_OK);
}

static uint64_t policy_at(struct fixture *f, int64_t offset)
{
    const struct shoal_model *model;
    const struct shoal_policy *policy;
    cr_assert_eq(shoal_served_model(&f->serving, &f->served, 1, offset, offset, 100, &model, &policy,
                                    NULL),
                 SHOAL_OK);
    return policy ? policy->id : 0;
}

Test(served, each_event_has_the_policy_of_its_offset_too)
{
    struct fixture f;
    uint64_t policies[2];
    char path[200];
    setup(&f);
    add_policies(&f, path, policies);
    begin_policies(&f, policies);
    cr_assert_eq(policy_at(&f, 39), 0, "there was none");
    cr_assert_eq(policy_at(&f, 40), policies[0]);
    cr_assert_eq(policy_at(&f, 59), policies[0]);
    cr_assert_eq(policy_at(&f, 60), policies[1]);
    cr_assert_eq(policy_at(&f, 200), policies[1]);
    cr_assert_eq(f.served.fresh, 0);
    remove_policies(&f);
    teardown(&f);
}

Test(served, a_policy_that_is_gone_is_treated_as_a_model_that_is)
{
    struct fixture f;
    uint64_t policies[2];
    char path[200], kept[300];
    const struct shoal_model *model;
    const struct shoal_policy *policy;
    struct shoal_message message = {.text = ""};
    setup(&f);
    add_policies(&f, path, policies);
    snprintf(kept, sizeof kept, "%s.history/%016llx.yaml", path, (unsigned long long)policies[0]);
    cr_assert_eq(unlink(kept), 0);
    begin_policies(&f, policies);
    cr_assert_eq(policy_at(&f, 50), policies[1], "the next one of the history");
    cr_assert_eq(f.served.fresh, 0);
    shoal_served_end(&f.serving, &f.served);
    f.serving.refuse = true;
    begin_policies(&f, policies);
    cr_assert_eq(shoal_served_model(&f.serving, &f.served, 1, 50, 50, 100, &model, &policy, &message),
                 SHOAL_CONFIG);
    cr_assert_not_null(strstr(message.text, "under policy"), "%s", message.text);
    remove_policies(&f);
    teardown(&f);
}

/* ---- told ------------------------------------------------------------------------------------ */

struct lines {
    struct shoal_sink base;
    char text[2000];
};

static enum shoal_status keep(struct shoal_sink *base, const struct shoal_output *output)
{
    struct lines *lines = (struct lines *)base;
    size_t used = strlen(lines->text);
    cr_assert_eq(output->topic, SHOAL_TOPIC_MODELS);
    cr_assert_eq(output->key_size, 1);
    cr_assert_eq(output->key[0], '1');
    snprintf(lines->text + used, sizeof lines->text - used, "%.*s\n", (int)output->value_size,
             (const char *)output->value);
    return SHOAL_OK;
}

Test(served, fresh_swaps_are_told_with_what_was_before_and_how_clusters_go_on)
{
    static const struct shoal_sink_ops ops = {.emit = keep};
    struct fixture f;
    struct lines lines = {.base = {&ops}};
    char wanted[400], version[17], previous[17];
    setup(&f);
    begin(&f, 0, false, 0, 0, 1, 60);
    cr_assert_eq(shoal_served_tell(&f.serving, &f.served, 1, &lines.base, NULL), SHOAL_OK);
    cr_assert_str_eq(lines.text, "");
    shoal_served_end(&f.serving, &f.served);
    begin(&f, 0, true, 0, 0, 1, 60);
    cr_assert_eq(shoal_served_tell(&f.serving, &f.served, 1, &lines.base, NULL), SHOAL_OK);
    shoal_swaps_version(f.ids[1], version);
    shoal_swaps_version(f.ids[0], previous);
    snprintf(wanted, sizeof wanted,
             "{\"id\":\"e/1/60/%s\",\"partition\":1,\"offset\":60,\"model\":\"%s\","
             "\"policy\":null,\"previous\":\"%s\",\"previous_policy\":null,"
             "\"clusters\":[{\"id\":2,\"from\":null},{\"id\":1,\"to\":2},"
             "{\"id\":3,\"to\":null}]}\n",
             version, version, previous);
    cr_assert_str_eq(lines.text, wanted);
    teardown(&f);
}

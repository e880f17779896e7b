/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded mode from files to files, and the file sink's errors. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/models_dir.h"
#include "stream/file_sink.h"
#include "stream/replay.h"
#include "tests/model/tiny_model.h"

struct fixture {
    char folder[64], events[96], out[96];
    struct shoal_model *model;
    const char *files[2];
    struct shoal_replay_options options;
};

static void setup(struct fixture *f, const char *events)
{
    struct shoal_dims dims = tiny_dims();
    struct shoal_buffer bytes = {0};
    memset(f, 0, sizeof *f);
    strcpy(f->folder, "/tmp/shoal-replay-XXXXXX");
    cr_assert_not_null(mkdtemp(f->folder));
    snprintf(f->events, sizeof f->events, "%s/events.jsonl", f->folder);
    snprintf(f->out, sizeof f->out, "%s/out", f->folder);
    FILE *file = fopen(f->events, "w");
    fputs(events, file);
    fclose(file);
    f->model = tiny_model(&dims, 3);
    cr_assert_eq(shoal_model_serialize(f->model, &bytes), SHOAL_OK);
    shoal_buffer_finish(&bytes);
    f->files[0] = f->events;
    f->options = (struct shoal_replay_options){
        .pipeline = {.model = f->model,
                     .rules = shoal_segment_rules_default(),
                     .decode = shoal_decode_options_default(),
                     .topic = "shoal.events",
                     .cache_users = 100,
                     .batch_events = 8},
        .events = f->files,
        .events_count = 1,
        .out = f->out,
        .partitions = 4,
        .workers = 1,
        .record_time_ms = -1,
    };
}

static char *read_out(const struct fixture *f, const char *name)
{
    char path[160];
    static char text[65536];
    snprintf(path, sizeof path, "%s/%s", f->out, name);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void teardown(struct fixture *f)
{
    static const char *const names[] = {"segments.jsonl", "decisions.jsonl", "deadletter.jsonl",
                                        "deadletter.errors.jsonl", "models.jsonl", "states.jsonl"};
    char path[160];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", f->out, names[i]);
        unlink(path);
    }
    rmdir(f->out);
    unlink(f->events);
    rmdir(f->folder);
    shoal_model_destroy(f->model);
}

static const char three_users[] =
    "{\"user_id\":\"b\",\"item_id\":1,\"behavior\":\"pv\",\"timestamp\":1511660000}\n"
    "{\"user_id\":\"a\",\"item_id\":2,\"behavior\":\"pv\",\"timestamp\":1511660001}\n"
    "rubbish \"quoted\"\n"
    "{\"user_id\":\"aa\",\"item_id\":1,\"behavior\":\"buy\",\"timestamp\":1511660002}\n"
    "{\"user_id\":\"a\",\"item_id\":2,\"behavior\":\"cart\",\"timestamp\":1511660003}\n";

Test(replay, writes_what_a_run_would_write)
{
    struct fixture f;
    struct shoal_pipeline_counts counts;
    struct shoal_message message = {.text = ""};
    setup(&f, three_users);
    cr_assert_eq(shoal_replay(&f.options, &counts, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(counts.messages, 5);
    cr_assert_eq(counts.events, 4);
    cr_assert_eq(counts.deadletters, 1);
    cr_assert_str_eq(read_out(&f, "deadletter.jsonl"), "rubbish \"quoted\"\n");
    const char *errors = read_out(&f, "deadletter.errors.jsonl");
    cr_assert(strstr(errors, "\"error_code\":\"bad_format\""), "%s", errors);
    cr_assert(strstr(errors, "\"source_partition\":0"), "%s", errors);
    teardown(&f);
}

Test(replay, states_are_sorted_by_user_id)
{
    struct fixture f;
    struct shoal_pipeline_counts counts;
    struct shoal_message message = {.text = ""};
    setup(&f, three_users);
    cr_assert_eq(shoal_replay(&f.options, &counts, &message), SHOAL_OK, "%s", message.text);
    const char *states = read_out(&f, "states.jsonl");
    const char *a = strstr(states, "{\"user_id\":\"a\"");
    const char *aa = strstr(states, "{\"user_id\":\"aa\"");
    const char *b = strstr(states, "{\"user_id\":\"b\"");
    cr_assert(a && aa && b && a < aa && aa < b);
    teardown(&f);
}

Test(replay, a_line_has_its_user_forgotten_in_the_users_partition)
{
    struct fixture f;
    struct shoal_pipeline_counts counts;
    struct shoal_message message = {.text = ""};
    char events[1000], wanted[200];
    int32_t partition = shoal_partition_of("a", 1, 4);
    snprintf(events, sizeof events, "%s{\"shoal_forget\":\"a\"}\n", three_users);
    setup(&f, events);
    cr_assert_eq(shoal_replay(&f.options, &counts, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(counts.forgotten, 1);
    cr_assert_eq(counts.deadletters, 1);
    const char *states = read_out(&f, "states.jsonl");
    cr_assert(!strstr(states, "{\"user_id\":\"a\"") && strstr(states, "{\"user_id\":\"aa\""), "%s", states);
    /* Of `a` there are two events in its partition, and perhaps those of others. */
    snprintf(wanted, sizeof wanted, "/forgotten\",\"user_id\":\"a\",\"forgotten\":true}\n");
    cr_assert(strstr(read_out(&f, "segments.jsonl"), wanted), "%s", read_out(&f, "segments.jsonl"));
    const char *decisions = read_out(&f, "decisions.jsonl");
    cr_assert(strstr(decisions, wanted), "%s", decisions);
    snprintf(wanted, sizeof wanted, "{\"id\":\"shoal.events/%d/", (int)partition);
    cr_assert_eq(strncmp(decisions, wanted, strlen(wanted)), 0, "%s", decisions);
    teardown(&f);
}

Test(replay, a_record_time_brings_the_future_check)
{
    struct fixture f;
    struct shoal_pipeline_counts counts;
    setup(&f, three_users);
    f.options.record_time_ms = 1511660000000 - 2 * 86400000LL;
    cr_assert_eq(shoal_replay(&f.options, &counts, NULL), SHOAL_OK);
    cr_assert_eq(counts.events, 0);
    cr_assert_eq(counts.deadletters, 5);
    teardown(&f);
}

Test(replay, offsets_go_on_from_file_to_file)
{
    struct fixture f;
    struct shoal_pipeline_counts counts;
    setup(&f, three_users);
    f.files[1] = f.events;
    f.options.events_count = 2;
    cr_assert_eq(shoal_replay(&f.options, &counts, NULL), SHOAL_OK);
    cr_assert_eq(counts.events, 8);
    cr_assert_eq(counts.late, 1); /* the second time, the first event of a */
    teardown(&f);
}

/* The second event of user a and all after it in that partition are applied under another model. */
Test(replay, swaps_are_made_at_their_offsets_whatever_the_workers)
{
    struct fixture f;
    struct shoal_pipeline_counts counts;
    struct shoal_message message = {.text = ""};
    struct shoal_dims dims = tiny_dims();
    char folder[96], path[160], first[65536], wanted[200];
    setup(&f, three_users);
    snprintf(folder, sizeof folder, "%s/models", f.folder);
    struct shoal_model *other = tiny_model(&dims, 4);
    cr_assert_eq(shoal_models_add(folder, other, NULL), SHOAL_OK);
    cr_assert_eq(shoal_models_select(folder, other->version, NULL), SHOAL_OK);
    struct shoal_models *models;
    cr_assert_eq(shoal_models_open(folder, &models, NULL), SHOAL_OK);
    struct shoal_swaps swaps[4] = {{0}};
    int32_t partition = shoal_partition_of("a", 1, 4);
    int64_t offset = partition == shoal_partition_of("aa", 2, 4) ? 2 : 1;
    offset += partition == shoal_partition_of("b", 1, 4);
    offset += partition == 0; /* the rubbish has no key */
    cr_assert_eq(shoal_swaps_append(&swaps[partition], 0, f.model->id, 0), SHOAL_OK);
    cr_assert_eq(shoal_swaps_append(&swaps[partition], offset, other->id, 0), SHOAL_OK);
    f.options.models = models;
    f.options.swaps = swaps;
    /* The registry has to know the base model too: in service as a file of the folder. */
    cr_assert_eq(shoal_models_add(folder, f.model, NULL), SHOAL_OK);
    for (unsigned workers = 1; workers <= 4; workers += 3) {
        f.options.workers = workers;
        f.options.save_messages = workers - 1;
        cr_assert_eq(shoal_replay(&f.options, &counts, &message), SHOAL_OK, "%s", message.text);
        cr_assert_eq(counts.events, 4);
        cr_assert_eq(counts.rebuilt, 1);
        const char *states = read_out(&f, "states.jsonl");
        snprintf(wanted, sizeof wanted, "\"%s\"", other->version);
        const char *a = strstr(states, wanted);
        cr_assert_not_null(a, "%s", states);
        cr_assert_null(strstr(a + 1, wanted), "one user only: %s", states);
        if (workers == 1)
            strcpy(first, states);
        else
            cr_assert_str_eq(states, first);
    }
    const char *told = read_out(&f, "models.jsonl");
    snprintf(wanted, sizeof wanted, "\"partition\":%d,\"offset\":%d,\"model\":\"%s\",\"policy\":null,\"previous\":\"%s\",\"previous_policy\":null}",
             (int)partition, (int)offset, other->version, f.model->version);
    cr_assert(strstr(told, wanted), "%s", told);
    swaps[partition].list[1].model = 99;
    cr_assert_eq(shoal_replay(&f.options, &counts, &message), SHOAL_NOT_FOUND);
    shoal_swaps_finish(&swaps[partition]);
    shoal_models_close(models);
    const char *versions[] = {other->version, f.model->version};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s.shoal", folder, versions[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/current", folder);
    unlink(path);
    rmdir(folder);
    shoal_model_destroy(other);
    teardown(&f);
}

Test(replay, a_missing_file_and_an_impossible_folder_are_reported)
{
    struct fixture f;
    struct shoal_pipeline_counts counts;
    struct shoal_message message = {.text = ""};
    setup(&f, three_users);
    f.files[0] = "/nowhere/events.jsonl";
    cr_assert_eq(shoal_replay(&f.options, &counts, &message), SHOAL_NOT_FOUND);
    cr_assert(strstr(message.text, "/nowhere/events.jsonl"));
    teardown(&f);
    struct shoal_sink *sink;
    cr_assert_eq(shoal_file_sink_create("/proc/nowhere", "t", &sink, &message), SHOAL_IO);
    cr_assert_null(sink);
}

Test(replay, a_full_disk_is_noticed)
{
    struct shoal_sink *sink = NULL;
    struct shoal_message message = {.text = ""};
    char folder[] = "/tmp/shoal-sink-XXXXXX", path[64];
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/segments.jsonl", folder);
    cr_assert_eq(symlink("/dev/full", path), 0);
    cr_assert_eq(shoal_file_sink_create(folder, "t", &sink, &message), SHOAL_OK);
    struct shoal_output output = {.topic = SHOAL_TOPIC_SEGMENTS, .value = "x", .value_size = 1};
    cr_assert_eq(sink->ops->emit(sink, &output), SHOAL_OK);
    cr_assert_eq(shoal_file_sink_flush(sink, &message), SHOAL_IO);
    sink->ops->destroy(sink);
    static const char *const names[] = {"segments.jsonl", "decisions.jsonl", "deadletter.jsonl",
                                        "deadletter.errors.jsonl", "models.jsonl"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

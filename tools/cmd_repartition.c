/* SPDX-License-Identifier: Apache-2.0 */
/* shoal repartition: the states follow the events topic when it has grown. What must hold meanwhile, and why a
 * crash does no harm, is at the head of stream/repartition.h; here are the questions that are asked of Kafka
 * and of the store before, and the words for the answers. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/base/clock.h"
#include "stream/kafka_layout.h"
#include "stream/repartition.h"
#include "stream/store_options.h"
#include "stream/swaps.h"
#include "tools/commands.h"
#include "tools/setup.h"

enum {
    MEMBERS_WAIT_MS = 60000, /* static members are members until their session times out */
    SETTLE_MS = 2500,        /* appendfsync everysec keeps what is two seconds old */
};

struct outgrow {
    const struct shoal_cli_args *args;
    const struct shoal_config *config;
    struct shoal_log log;
    struct shoal_kafka_monitor *monitor;
    struct shoal_store *store;
    struct shoal_layout layout; /* as stored at the start */
    int32_t partitions; /* of the topic */
    int32_t from, to;
    enum shoal_partitioner partitioner;
    struct shoal_survey survey;
    struct shoal_place *places;           /* of all partitions of the topic */
    struct shoal_swaps *histories;        /* likewise, from the places */
    struct shoal_checkpoint *checkpoints; /* `to` */
    int64_t *boundaries;                  /* likewise */
    struct shoal_progress progress;
    struct shoal_message message;
};

/* ---- what is there ------------------------------------------------------------------------- */

static enum shoal_status read_places(struct outgrow *o)
{
    shoal_kafka_places_free(o->places, o->partitions);
    o->places = calloc((size_t)o->partitions, sizeof *o->places);
    if (!o->places)
        return shoal_fail(&o->message, SHOAL_NOMEM, "out of memory");
    return shoal_kafka_places(o->monitor, o->partitions, o->places, &o->message);
}

static enum shoal_status read_histories(struct outgrow *o)
{
    enum shoal_status status = SHOAL_OK;
    if (!o->histories)
        o->histories = calloc((size_t)o->partitions, sizeof *o->histories);
    for (int32_t p = 0; p < o->partitions && o->histories && status != SHOAL_NOMEM; p++) {
        const struct shoal_place *place = &o->places[p];
        if (place->metadata_size > 0)
            status = shoal_swaps_parse(place->metadata, place->metadata_size, &o->histories[p]);
    }
    return o->histories && status != SHOAL_NOMEM
               ? SHOAL_OK /* metadata of another tool is no history, as for the processor */
               : shoal_fail(&o->message, SHOAL_NOMEM, "out of memory");
}

/* From how many partitions to how many: a move that was begun is finished first, and after a loss the moves of
 * the past are made again one after the other. */
static enum shoal_status find_layouts(struct outgrow *o)
{
    enum shoal_status status = shoal_kafka_count(o->monitor, &o->partitions, &o->message);
    if (status == SHOAL_OK)
        status = o->store->ops->layout(o->store, &o->layout, &o->message);
    if (status == SHOAL_OK)
        status = read_places(o);
    if (status == SHOAL_OK)
        status = read_histories(o);
    if (status != SHOAL_OK)
        return status;
    const struct shoal_growth *known =
        shoal_swaps_growth_from(&o->histories[0], o->layout.partitions);
    if (o->layout.partitions == 0 && o->histories[0].growths_count > 0)
        return shoal_fail(&o->message, SHOAL_PARTITIONS_CHANGED,
                          "the store holds no states of topic %s, and the topic has grown before: shoal run "
                          "--drain builds them first",
                          o->config->topic_events);
    if (o->layout.partitions == 0)
        return shoal_fail(&o->message, SHOAL_NOT_FOUND,
                          "the store holds no states of topic %s: there is nothing to move",
                          o->config->topic_events);
    o->from = o->layout.partitions;
    int32_t to = o->layout.becoming ? o->layout.becoming : known ? known->to : o->partitions;
    if (to > o->partitions || o->from > to)
        return shoal_fail(&o->message, SHOAL_PARTITIONS_CHANGED,
                          "the states lie in %" PRId32 " partitions, topic %s has %" PRId32
                          ": a topic cannot become smaller; is it another one?",
                          to > o->from ? to : o->from, o->config->topic_events, o->partitions);
    o->to = to;
    return SHOAL_OK;
}

static enum shoal_status find_partitioner(struct outgrow *o)
{
    const char *name = shoal_cli_get(o->args, "partitioner");
    if (o->config->privacy_pseudonym_key[0])
        return shoal_fail(&o->message, SHOAL_CONFIG,
                          "with privacy.pseudonym_key the states do not know the keys of their users' events, "
                          "and so not where these go now: begin anew, with another topics.events of more "
                          "partitions");
    enum shoal_status status = shoal_survey_make(o->store, o->from, o->to, o->layout.becoming != 0,
                                                 &o->survey, &o->message);
    if (status != SHOAL_OK)
        return status;
    if (!name)
        return shoal_survey_partitioner(&o->survey, &o->partitioner, &o->message);
    status = shoal_partitioner_named(name, &o->partitioner, &o->message);
    return status == SHOAL_OK ? shoal_survey_check(&o->survey, o->partitioner, &o->message)
                              : status;
}

static void print_survey(const struct outgrow *o)
{
    const struct shoal_survey *survey = &o->survey;
    printf("partition   users now       then\n");
    for (int32_t p = 0; p < o->to; p++)
        printf("%9" PRId32 "%12" PRIu64 "%11" PRIu64 "\n", p, survey->users_before[p],
               survey->users_after[o->partitioner][p]);
    printf("%" PRIu64 " of %" PRIu64 " users move from %" PRId32 " to %" PRId32
           " partitions, by the partitioner %s\n",
           survey->moving[o->partitioner], survey->users, o->from, o->to,
           shoal_partitioner_name(o->partitioner));
}

/* ---- what must hold ------------------------------------------------------------------------ */

static enum shoal_status wait_for_nobody(struct outgrow *o)
{
    int64_t until_ms = shoal_clock_ms() + MEMBERS_WAIT_MS;
    bool said = false;
    for (;;) {
        int members;
        enum shoal_status status = shoal_kafka_members(o->monitor, &members, &o->message);
        if (status != SHOAL_OK || members == 0)
            return status;
        if (shoal_clock_ms() > until_ms)
            return shoal_fail(&o->message, SHOAL_BUSY,
                              "group %s has %d members: end every shoal run first",
                              o->config->group_id, members);
        if (!said)
            shoal_log_write(&o->log, SHOAL_INFO,
                            "group %s has %d members; waiting up to a minute for them to leave",
                            o->config->group_id, members);
        said = true;
        struct timespec pause = {.tv_nsec = 500000000};
        nanosleep(&pause, NULL);
    }
}

static enum shoal_status take_over(struct outgrow *o)
{
    enum shoal_status status = SHOAL_OK;
    o->checkpoints = calloc((size_t)o->to, sizeof *o->checkpoints);
    if (!o->checkpoints)
        return shoal_fail(&o->message, SHOAL_NOMEM, "out of memory");
    for (int32_t p = 0; p < o->to && status == SHOAL_OK; p++)
        status = o->store->ops->acquire(o->store, p, &o->checkpoints[p], &o->message);
    return status;
}

static int64_t recorded(const struct outgrow *o, int32_t partition)
{
    const struct shoal_growth *growth =
        shoal_swaps_growth_from(&o->histories[partition], o->from);
    return growth && growth->to == o->to ? growth->offset : -1;
}

static enum shoal_status find_boundaries(struct outgrow *o)
{
    enum shoal_status status = SHOAL_OK;
    o->boundaries = calloc((size_t)o->to, sizeof *o->boundaries);
    if (!o->boundaries)
        return shoal_fail(&o->message, SHOAL_NOMEM, "out of memory");
    for (int32_t p = 0; p < o->to && status == SHOAL_OK; p++) {
        struct shoal_boundary_input input = {
            .partition = p,
            .from = o->from,
            .saved = o->checkpoints[p].next_offset,
            .committed = o->places[p].committed,
            .low = o->places[p].low,
            .recorded = recorded(o, p),
            .exactly_once = strcmp(o->config->delivery, "exactly_once") == 0,
        };
        status = shoal_boundary_find(&input, &o->boundaries[p], &o->message);
    }
    return status;
}

struct strays {
    const struct outgrow *outgrow;
    uint64_t count;
    int32_t partition; /* of the first one found */
    int64_t offset;
};

static void count_stray(void *opaque, int32_t partition, int64_t offset, const void *key,
                        size_t size)
{
    struct strays *strays = opaque;
    const struct outgrow *o = strays->outgrow;
    if (shoal_partitioner_of(o->partitioner, key, size, o->to) == partition)
        return;
    if (strays->count++ == 0) {
        strays->partition = partition;
        strays->offset = offset;
    }
}

/* Events behind the boundaries belong to the new layout: there must be none of users who move. */
static enum shoal_status look_for_strays(struct outgrow *o)
{
    struct strays strays = {.outgrow = o};
    struct shoal_position *positions = calloc((size_t)o->from, sizeof *positions);
    int64_t *ends = calloc((size_t)o->from, sizeof *ends);
    enum shoal_status status = SHOAL_NOMEM;
    for (int32_t p = 0; positions && ends && p < o->from; p++) {
        positions[p] = (struct shoal_position){p, o->boundaries[p], NULL};
        /* what was recorded once was looked at then */
        ends[p] = recorded(o, p) >= 0 ? 0 : o->places[p].high;
    }
    if (positions && ends)
        status = shoal_kafka_keys(o->monitor, positions, ends, (size_t)o->from, count_stray,
                                  &strays, &o->message);
    else
        shoal_fail(&o->message, status, "out of memory");
    free(positions);
    free(ends);
    if (status != SHOAL_OK || strays.count == 0)
        return status;
    shoal_fail(&o->message, SHOAL_PARTITIONS_CHANGED,
               "%" PRIu64 " events of users who move wait in the old partitions (the first at offset "
               "%" PRId64 " of partition %" PRId32 "): shoal run --drain processes them as they lay. If "
               "they keep coming, producers have not seen the new partitions yet: wait for their "
               "metadata.max.age.ms or restart them",
               strays.count, strays.offset, strays.partition);
    if (o->layout.becoming == 0)
        return SHOAL_PARTITIONS_CHANGED;
    /* In the middle of a move there is no way back to the old layout. */
    shoal_log_write(&o->log, SHOAL_WARNING, "%s. The move was begun before: it goes on without them",
                    o->message.text);
    return SHOAL_OK;
}

/* ---- the move ------------------------------------------------------------------------------ */

/* The history of a partition with this growth in it, as metadata; NULL when out of memory. A new partition is
 * served by what partition 0 was served by last. */
static char *grown_history(struct outgrow *o, int32_t partition)
{
    char text[SHOAL_SWAPS_BYTES + 1];
    struct shoal_swaps *swaps = &o->histories[partition];
    struct shoal_growth growth = {o->from, o->to, o->boundaries[partition]};
    enum shoal_status status = shoal_swaps_grow(swaps, &growth);
    if (status == SHOAL_INVALID) { /* growths that say otherwise: of another log */
        swaps->growths_count = 0;
        status = shoal_swaps_grow(swaps, &growth);
    }
    struct shoal_swap last = shoal_swaps_last(&o->histories[0]);
    if (status == SHOAL_OK && partition >= o->from && last.model != 0)
        status = shoal_swaps_append(swaps, growth.offset, last.model, last.policy);
    if (status != SHOAL_OK && status != SHOAL_INVALID)
        return NULL;
    (void)shoal_swaps_print(swaps, text);
    return strdup(text);
}

/* The boundaries go into the metadata of the group's offsets; partitions that have them stay as they are. */
static enum shoal_status record_boundaries(void *opaque, struct shoal_message *message)
{
    struct outgrow *o = opaque;
    struct shoal_position *positions = calloc((size_t)o->to, sizeof *positions);
    size_t count = 0;
    bool room = positions != NULL;
    for (int32_t p = 0; p < o->to && room; p++) {
        if (recorded(o, p) >= 0)
            continue;
        char *text = grown_history(o, p);
        positions[count++] = (struct shoal_position){p, o->boundaries[p], text};
        room = text != NULL;
    }
    enum shoal_status status = room ? SHOAL_OK : SHOAL_NOMEM;
    if (!room)
        shoal_fail(message, status, "out of memory");
    else if (count > 0)
        status = shoal_kafka_commit(o->monitor, positions, count, message);
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)positions[i].metadata);
    free(positions);
    return status;
}

static void show_progress(void *opaque, const char *step, uint64_t done, uint64_t total)
{
    struct outgrow *o = opaque;
    o->progress.label = step;
    shoal_progress_update(&o->progress, total ? (double)done / (double)total : 1, done);
}

static enum shoal_status move(struct outgrow *o)
{
    int64_t began_ms = shoal_clock_ms();
    uint64_t moved;
    struct shoal_repartition_options options = {
        .from = o->from,
        .to = o->to,
        .partitioner = o->partitioner,
        .boundaries = o->boundaries,
        .checkpoints = o->checkpoints,
        .settle_ms = SETTLE_MS,
        .record = record_boundaries,
        .progress = show_progress,
        .opaque = o,
    };
    shoal_progress_start(&o->progress, "copied", "users");
    enum shoal_status status = shoal_repartition(o->store, &options, &moved, &o->message);
    shoal_progress_end(&o->progress);
    if (status == SHOAL_OK)
        printf("moved %" PRIu64 " of %" PRIu64 " users from %" PRId32 " to %" PRId32
               " partitions in %.1f s, by the partitioner %s\n",
               moved, o->survey.users, o->from, o->to,
               (double)(shoal_clock_ms() - began_ms) / 1000,
               shoal_partitioner_name(o->partitioner));
    return status;
}

static enum shoal_status check_and_move(struct outgrow *o)
{
    enum shoal_status status = wait_for_nobody(o);
    if (status == SHOAL_OK)
        status = take_over(o);
    if (status == SHOAL_OK) /* again, now that nobody can move them any more */
        status = read_places(o);
    if (status == SHOAL_OK)
        status = read_histories(o);
    if (status == SHOAL_OK)
        status = find_boundaries(o);
    if (status == SHOAL_OK)
        status = look_for_strays(o);
    if (status == SHOAL_OK)
        status = move(o);
    return status;
}

static enum shoal_status open_all(struct outgrow *o)
{
    struct shoal_redis_options redis = shoal_store_options(o->config);
    enum shoal_status status = shoal_redis_store_create(&redis, &o->store, &o->message);
    if (status == SHOAL_OK)
        status = shoal_kafka_monitor_create(o->config, &o->log, &o->monitor, &o->message);
    return status;
}

static enum shoal_status outgrow(struct outgrow *o)
{
    enum shoal_status status = open_all(o);
    if (status == SHOAL_OK)
        status = find_layouts(o);
    if (status == SHOAL_OK && o->from == o->to) {
        printf("the states lie in %" PRId32 " partitions, as topic %s has: nothing to move\n", o->to,
               o->config->topic_events);
        return SHOAL_OK;
    }
    if (status == SHOAL_OK)
        status = find_partitioner(o);
    if (status != SHOAL_OK)
        return status;
    if (shoal_cli_get(o->args, "dry-run")) {
        print_survey(o);
        return SHOAL_OK;
    }
    return check_and_move(o);
}

static void finish(struct outgrow *o)
{
    shoal_kafka_places_free(o->places, o->partitions);
    for (int32_t p = 0; o->histories && p < o->partitions; p++)
        shoal_swaps_finish(&o->histories[p]);
    free(o->histories);
    free(o->checkpoints);
    free(o->boundaries);
    shoal_survey_finish(&o->survey);
    if (o->store)
        o->store->ops->destroy(o->store);
    shoal_kafka_monitor_destroy(o->monitor);
}

static int run(const struct shoal_cli_args *args)
{
    struct shoal_setup setup;
    int code = shoal_setup_config(args, &setup);
    if (code == SHOAL_EXIT_OK) {
        struct outgrow o = {
            .args = args,
            .config = setup.config,
            .log = {.level = shoal_log_level_of(setup.config->log_level),
                    .json = strcmp(setup.config->log_format, "json") == 0,
                    .worker = -1},
        };
        enum shoal_status status = outgrow(&o);
        if (status != SHOAL_OK)
            code = shoal_cli_fail(args, shoal_setup_exit(status), "%s", o.message.text);
        finish(&o);
    }
    shoal_setup_finish(&setup);
    return code;
}

static const struct shoal_cli_option options[] = {
    SHOAL_SETUP_OPTIONS,
    {"dry-run", NULL, NULL, "say how many users would go where, and change nothing", false, false},
    {"partitioner", "NAME", NULL,
     "how producers choose the partition of a key: murmur2 (Java; murmur2 and murmur2_random of "
     "librdkafka) or consistent (CRC-32, librdkafka's default); found out from where users are unless "
     "given",
     false, false},
    {0},
};

const struct shoal_cli_command shoal_cmd_repartition = {
    .name = "repartition",
    .summary = "move the states when the events topic has grown",
    .description =
        "When the events topic has been given more partitions, users' events come into other partitions "
        "than before, and their states have to follow: until they have, shoal run refuses. End every "
        "shoal run, add the partitions, let shoal run --drain process what the old partitions still hold, "
        "move the states by this command, and start again. Interrupted at any point, it is called again "
        "and goes on. Exit codes: 3 configuration, or events that must be processed first; 4 somebody "
        "else has taken over; 5 no states, no topic.",
    .example = "shoal repartition --config deploy/shoal.yaml --dry-run",
    .options = options,
    .run = run,
};

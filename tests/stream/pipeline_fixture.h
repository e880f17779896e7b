/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of whole pipelines share: made-up logs, a sink that commits, a store with its owner, and runs
 * of a log in any batches, by any number of workers, with crashes: whose results, outputs and records, are
 * to be the same bits. */
#ifndef SHOAL_TESTS_PIPELINE_FIXTURE_H
#define SHOAL_TESTS_PIPELINE_FIXTURE_H

#include "stream/pipeline.h"

enum { PARTITIONS = 4 };

/* xorshift64 */
uint64_t next_random(uint64_t *state);

/* ---- a log ---------------------------------------------------------------------------------- */

struct log {
    int count;
    bool online;        /* to be applied with scores corrected */
    size_t cache_users; /* of each pipeline; 0: as few as it can do with */
    size_t piece;       /* the store gives so many timers at once (spying_store.h); 0: all */
    struct shoal_input *inputs;
    struct log_message {
        char value[256], key[16];
    } *messages; /* what the inputs point to */
    int64_t offsets[PARTITIONS]; /* of the next message */
};

/* An empty log with room for `capacity` messages; log_destroy frees it. */
struct log *log_create(int capacity);
void log_destroy(struct log *log);
/* The end of the log's next message, to be written, with its key. */
struct log_message *log_next(struct log *log);
/* Appends it: to the partition of the key, or, without a key, to `partition`. */
void log_append(struct log *log, int value_size, int key_size, int32_t partition);
/* Appends an event of user "u…" as JSON; item, category and price follow from event_id, and `end` closes the object, with
 * whatever else it is to say. */
void log_event(struct log *log, unsigned user, int64_t time_ms, const char *behavior, int event_id,
               const char *end);

/* ---- a sink that commits --------------------------------------------------------------------- */

struct memory_sink {
    struct shoal_sink base;
    char **lines;            /* the topic's number, a space, the value */
    size_t count, committed; /* lines[committed … count) are of the open transaction */
};

void sink_commit(struct memory_sink *sink);
void sink_abort(struct memory_sink *sink);

/* ---- results --------------------------------------------------------------------------------- */

struct result {
    char **lines; /* outputs and records, sorted */
    size_t count;
};

void result_finish(struct result *result);
void assert_same(const struct result *got, const struct result *expected);

/* ---- fixture --------------------------------------------------------------------------------- */

struct fixture {
    struct shoal_model *model;
    struct shoal_policy *policy;
    struct shoal_store *store;
    struct memory_sink sink;
    struct shoal_pipeline *pipelines[PARTITIONS];
    struct shoal_pipeline_options options;
};

/* The log is asked only how it is to be applied. */
void fixture_start(struct fixture *f, const struct log *log, size_t batch_events, unsigned workers,
                   uint64_t seed);
/* Commits, and hands out what there is. Everything must have been saved that is to be compared. */
struct result fixture_end(struct fixture *f);
/* Fails the test with the message unless the status is OK. */
void check(enum shoal_status status, const struct shoal_message *message);

/* One uninterrupted run by `workers` pipelines, in batches of at most `batch` messages, cut at random
 * below that, with a save (and an emptied cache) every `save_every` messages. */
struct result run_plain(const struct log *log, size_t batch, unsigned workers, int save_every,
                        uint64_t cut_seed);
/* A worker that dies at random: between batches, between the commit of the outputs and the save, in
 * the middle of recovery. What was not committed is gone, what was not saved is replayed silently:
 * the session of worker.h in miniature, over one partition's messages at a time. */
struct result run_crashing(const struct log *log, uint64_t seed, unsigned *crashes);

#endif

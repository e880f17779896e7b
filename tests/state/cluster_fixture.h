/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the store on a real Redis Cluster have in common: three masters that all tests of a program share,
 * each with a topic of its own, and a partition whose slot is on its way from one of them to another. Who kills nodes
 * makes a cluster for itself. */
#ifndef SHOAL_TESTS_CLUSTER_FIXTURE_H
#define SHOAL_TESTS_CLUSTER_FIXTURE_H

#include "state/store.h"
#include "tests/state/redis_cluster.h"

enum { CLUSTER_TIMEOUT_MS = 500, CLUSTER_USERS = 40, DIES_SOON_MS = 2500, LIVES_MS = 20000 };

extern struct test_cluster shared;
extern struct shoal_message message;

/* For the hooks around all tests: tests run in processes that know nothing of this one but its environment, where the
 * shared cluster is left for them. */
void shared_cluster_start(void);
void shared_cluster_stop(void);
/* For the beginning of a test. */
void shared_cluster_find(void);

/* The hooks, each on a line of its own. */
#define SHARED_CLUSTER_BEFORE                                                                       \
    ReportHook(PRE_ALL)(struct criterion_test_set *tests)                                          \
    {                                                                                              \
        (void)tests;                                                                               \
        shared_cluster_start();                                                                    \
    }
#define SHARED_CLUSTER_AFTER                                                                       \
    ReportHook(POST_ALL)(struct criterion_global_stats *stats)                                     \
    {                                                                                              \
        (void)stats;                                                                               \
        shared_cluster_stop();                                                                     \
    }

struct shoal_store *cluster_store(const char *url, const char *topic);
struct shoal_store *cluster_store_of(const struct shoal_redis_options *options);
/* Fails the test unless the status is as expected and the message has these words. */
void expect(enum shoal_status status, enum shoal_status expected, const char *words);
struct shoal_checkpoint take(struct shoal_store *store, int32_t partition);
unsigned slot_of(const char *topic, int32_t partition);
/* A partition of the topic whose slot was dealt to this node. */
int32_t partition_of(struct test_cluster *cluster, const char *topic, size_t node);
/* Saves one user until it is not UNAVAILABLE, for half a minute. */
enum shoal_status save_until_served(struct shoal_store *store, int32_t partition,
                                    const char *value, int64_t offset);
/* Partitions on every node of the shared cluster can be used by this store. */
void check_all_partitions(struct shoal_store *store, const char *topic);
/* For scans: counts into an int. */
enum shoal_status count_visit(void *opaque, int32_t partition, struct shoal_slice user,
                              struct shoal_slice value);

/* Partition 0 of a topic, with users whose slot moves. */
struct moving {
    struct test_cluster *cluster;
    const char *topic;
    unsigned slot;
    size_t from, to;
    struct shoal_store *store;
    char ids[CLUSTER_USERS][8];
    struct shoal_save_item items[CLUSTER_USERS];
};

/* Saved once, with "1" at offset 1, by an owner that `store` is. */
struct moving begin_moving(struct test_cluster *cluster, const char *topic);
/* Saves all users with this value at this offset. */
enum shoal_status save_all(struct moving *m, const char *value, int64_t offset);
/* One key of the partition goes over. */
void move_key(const struct moving *m, const char *tail);
/* One key of the partition, on whichever of the two nodes it is. */
const char *raw(const struct moving *m, const char *tail);

#endif

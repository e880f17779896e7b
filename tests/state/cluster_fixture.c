/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers for tests on a Redis Cluster; see cluster_fixture.h. */
#include "tests/state/cluster_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/base/clock.h"
#include "state/redis_keys.h"
#include "state/redis_slots.h"
#include "tests/state/store_conformance.h"

struct test_cluster shared;
struct shoal_message message;

static const char SHARED[] = "SHOAL_TEST_CLUSTER";

static FILE *open_shared(const char *mode)
{
    char path[96];
    (void)snprintf(path, sizeof path, "%s/cluster", getenv(SHARED) ? getenv(SHARED) : "/nowhere");
    return fopen(path, mode);
}

void shared_cluster_start(void)
{
    if (!test_cluster_start(&shared, 3, false, false, LIVES_MS))
        return;
    (void)setenv(SHARED, shared.folder, 1);
    FILE *file = open_shared("wb");
    if (file && fwrite(&shared, sizeof shared, 1, file) != 1)
        (void)unsetenv(SHARED);
    if (file)
        (void)fclose(file);
}

void shared_cluster_stop(void)
{
    test_cluster_stop(&shared);
}

void shared_cluster_find(void)
{
    FILE *file = open_shared("rb");
    cr_assert(file && fread(&shared, sizeof shared, 1, file) == 1, "the cluster does not stand");
    (void)fclose(file);
}

struct shoal_store *cluster_store_of(const struct shoal_redis_options *options)
{
    struct shoal_redis_options with = *options;
    struct shoal_store *store;
    with.timeout_ms = CLUSTER_TIMEOUT_MS;
    cr_assert_eq(shoal_redis_store_create(&with, &store, &message), SHOAL_OK, "%s", message.text);
    return store;
}

struct shoal_store *cluster_store(const char *url, const char *topic)
{
    return cluster_store_of(&(struct shoal_redis_options){.url = url, .topic = topic});
}

void expect(enum shoal_status status, enum shoal_status expected, const char *words)
{
    cr_assert_eq(status, expected, "%s: %s", shoal_status_code(status), message.text);
    cr_assert_not_null(strstr(message.text, words), "%s", message.text);
}

struct shoal_checkpoint take(struct shoal_store *store, int32_t partition)
{
    struct shoal_checkpoint before;
    cr_assert_eq(store->ops->acquire(store, partition, &before, &message), SHOAL_OK, "%s",
                 message.text);
    return before;
}

unsigned slot_of(const char *topic, int32_t partition)
{
    struct shoal_redis_key key = shoal_redis_key_users(topic, partition);
    return shoal_redis_slot(key.text, key.size);
}

/* A partition of the topic whose slot was dealt to this node. */
int32_t partition_of(struct test_cluster *cluster, const char *topic, size_t node)
{
    int32_t p = 0;
    while (test_cluster_owner(cluster, slot_of(topic, p)) != node)
        p++;
    return p;
}

enum shoal_status save_until_served(struct shoal_store *store, int32_t partition,
                                           const char *value, int64_t offset)
{
    enum shoal_status status = SHOAL_UNAVAILABLE;
    for (int64_t until_ms = shoal_clock_ms() + 30000;
         status == SHOAL_UNAVAILABLE && shoal_clock_ms() < until_ms;) {
        status = test_save(store, partition, "a", value, offset, &message);
        if (status == SHOAL_UNAVAILABLE)
            (void)usleep(50000);
    }
    return status;
}

/* Partitions on every node, by a store that was given one address. */
void check_all_partitions(struct shoal_store *store, const char *topic)
{
    bool used[3] = {false};
    cr_assert_eq(store->ops->open(store, 12, &message), SHOAL_OK, "%s", message.text);
    for (int32_t p = 0; p < 12; p++) {
        (void)take(store, p);
        cr_assert_eq(test_save(store, p, "u", "1", 1, &message), SHOAL_OK, "%s", message.text);
        cr_assert_str_eq(test_load(store, p, "u"), "1");
        used[test_cluster_owner(&shared, slot_of(topic, p))] = true;
    }
    cr_assert(used[0] && used[1] && used[2], "the partitions do not lie on all nodes");
}

enum shoal_status count_visit(void *opaque, int32_t partition, struct shoal_slice user,
                                     struct shoal_slice value)
{
    (void)partition, (void)user, (void)value;
    ++*(int *)opaque;
    return SHOAL_OK;
}

/* ---- a slot on its way ---------------------------------------------------------------------- */

/* Saves all users with this value at this offset. */
enum shoal_status save_all(struct moving *m, const char *value, int64_t offset)
{
    for (int i = 0; i < CLUSTER_USERS; i++)
        m->items[i] = (struct shoal_save_item){.user = test_slice(m->ids[i]),
                                               .value = test_slice(value),
                                               .timer_moves = true,
                                               .timer_ms = 5000};
    return m->store->ops->save(m->store, 0, m->items, CLUSTER_USERS, offset, 1, &message);
}

struct moving begin_moving(struct test_cluster *cluster, const char *topic)
{
    struct moving m = {.cluster = cluster,
                       .topic = topic,
                       .slot = slot_of(topic, 0),
                       .store = cluster_store(cluster->url, topic)};
    m.from = test_cluster_owner(cluster, m.slot);
    m.to = (m.from + 1) % 3;
    for (int i = 0; i < CLUSTER_USERS; i++)
        (void)snprintf(m.ids[i], sizeof m.ids[i], "u%d", i);
    (void)take(m.store, 0);
    cr_assert_eq(save_all(&m, "1", 1), SHOAL_OK, "%s", message.text);
    cr_assert(test_cluster_move_begin(cluster, m.slot, m.from, m.to));
    return m;
}

void move_key(const struct moving *m, const char *tail)
{
    char key[64];
    (void)snprintf(key, sizeof key, "{%s/0}%s", m->topic, tail);
    cr_assert(test_cluster_move_key(m->cluster, key, m->from, m->to), "%s", key);
}

/* One key of the partition, on whichever of the two nodes it is. */
const char *raw(const struct moving *m, const char *tail)
{
    char key[64];
    (void)snprintf(key, sizeof key, "{%s/0}%s", m->topic, tail);
    for (size_t i = 0; i < 2; i++) {
        const char *reply = test_cluster_command(m->cluster, i ? m->to : m->from, "GET", key, NULL);
        if (reply[0] != '-' && strcmp(reply, "(nil)") != 0)
            return reply;
    }
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A Redis Cluster of a test's own: real servers on free loopback ports, in a new folder. They end with
 * the process that started them. */
#ifndef SHOAL_TESTS_REDIS_CLUSTER_H
#define SHOAL_TESTS_REDIS_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { TEST_CLUSTER_MAX = 6 };

struct test_cluster_node {
    pid_t pid; /* 0 = not running */
    int port, bus, tls_port;
    char url[64], id[48];
};

struct test_cluster {
    char folder[64], url[256]; /* redis+cluster://… with all masters */
    size_t count, masters;     /* the masters come first; node masters + i follows node i */
    bool durable;              /* written to disk before it is answered */
    char certificates[64];     /* a folder with ca.pem, server.pem and server.key; empty: no TLS */
    int timeout_ms;            /* after which a node that says nothing counts as dead */
    struct test_cluster_node nodes[TEST_CLUSTER_MAX];
};

/* Starts `masters` with the slots dealt out evenly, and as many replicas if `replicas`; waits until all
 * know each other and are in step. A short timeout is for tests that wait for a death, a long one for
 * the others: on a busy machine a node may say nothing for a while. False with a line on standard error. Asserts nothing, so that it may
 * be called outside a test. */
bool test_cluster_start(struct test_cluster *cluster, size_t masters, bool replicas, bool durable,
                        int timeout_ms);
/* The same with TLS between the nodes and on a port of its own, which `url` names. The test's own commands go without. */
bool test_cluster_start_tls(struct test_cluster *cluster, size_t masters, const char *certificates);
void test_cluster_stop(struct test_cluster *cluster);
void test_cluster_kill(struct test_cluster *cluster, size_t node);
bool test_cluster_restart(struct test_cluster *cluster, size_t node);

/* A command to one node; the reply as test_redis_ask gives it. */
const char *test_cluster_command(struct test_cluster *cluster, size_t node, const char *word, ...)
    __attribute__((sentinel));
/* The master to which this slot was dealt at the start. */
size_t test_cluster_owner(struct test_cluster *cluster, unsigned slot);

/* A slot on its way from one master to another. begin marks it on both, step moves up to `count` of its
 * keys (false: there are none left), end gives it to `to` on every master. */
bool test_cluster_move_begin(struct test_cluster *cluster, unsigned slot, size_t from, size_t to);
bool test_cluster_move_step(struct test_cluster *cluster, unsigned slot, size_t from, size_t to,
                            int count);
bool test_cluster_move_key(struct test_cluster *cluster, const char *key, size_t from, size_t to);
bool test_cluster_move_end(struct test_cluster *cluster, unsigned slot, size_t to);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A Redis Cluster for tests; see redis_cluster.h. */
#include "tests/state/redis_cluster.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "state/redis_slots.h"
#include "tests/state/redis_client.h"
#include "tests/state/redis_server.h"

enum { PATIENCE = 3000, STEP_US = 10000 }; /* half a minute: the machine may be busy */

static bool complain(const struct test_cluster *cluster, const char *what)
{
    fprintf(stderr, "redis cluster in %s: %s\n", cluster->folder, what);
    return false;
}

static void become_server(const struct test_cluster *cluster, size_t node, pid_t parent)
{
    char port[8], bus[8], timeout[16], folder[80], log[96];
    (void)snprintf(port, sizeof port, "%d", cluster->nodes[node].port);
    (void)snprintf(bus, sizeof bus, "%d", cluster->nodes[node].bus);
    (void)snprintf(timeout, sizeof timeout, "%d", cluster->timeout_ms);
    (void)snprintf(folder, sizeof folder, "%s/%zu", cluster->folder, node);
    (void)snprintf(log, sizeof log, "%s/log", folder);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    int file = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (file >= 0) {
        (void)dup2(file, 1);
        (void)dup2(file, 2);
    }
    char tls_port[8], certificate[96], key[96], ca[96];
    (void)snprintf(tls_port, sizeof tls_port, "%d", cluster->nodes[node].tls_port);
    (void)snprintf(certificate, sizeof certificate, "%s/server.pem", cluster->certificates);
    (void)snprintf(key, sizeof key, "%s/server.key", cluster->certificates);
    (void)snprintf(ca, sizeof ca, "%s/ca.pem", cluster->certificates);
    const char *arguments[] = {
        "redis-server", "--bind", "127.0.0.1", "--port", port, "--cluster-enabled", "yes", "--cluster-port", bus,
        "--cluster-node-timeout", timeout, "--cluster-replica-validity-factor", "0",
        "--repl-diskless-sync-delay", "0", "--dir", folder, "--save", "", "--appendonly",
        cluster->durable ? "yes" : "no", "--appendfsync", "always", "--loglevel", "notice",
        cluster->certificates[0] ? "--tls-port" : NULL, tls_port, "--tls-cluster", "yes", "--tls-auth-clients",
        "no", "--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", ca, NULL};
    (void)execvp(arguments[0], (char *const *)arguments);
    _exit(127);
}

/* Does the reply to these words begin like this, before patience ends? */
static bool wait_for(struct test_cluster *cluster, size_t node, const char *word, const char *second,
                     const char *expected)
{
    const char *words[] = {word, second};
    for (int i = 0; i < PATIENCE; i++) {
        const char *reply = test_redis_ask(cluster->nodes[node].url, words, second ? 2 : 1);
        if (reply && strstr(reply, expected))
            return true;
        (void)usleep(STEP_US);
    }
    return complain(cluster, expected);
}

bool test_cluster_restart(struct test_cluster *cluster, size_t node)
{
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        become_server(cluster, node, parent);
    if (pid < 0)
        return complain(cluster, "no further process");
    cluster->nodes[node].pid = pid;
    return wait_for(cluster, node, "PING", NULL, "PONG");
}

void test_cluster_kill(struct test_cluster *cluster, size_t node)
{
    if (cluster->nodes[node].pid <= 0)
        return;
    (void)kill(cluster->nodes[node].pid, SIGKILL);
    (void)waitpid(cluster->nodes[node].pid, NULL, 0);
    cluster->nodes[node].pid = 0;
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *ftw)
{
    (void)about, (void)type, (void)ftw;
    return remove(path);
}

void test_cluster_stop(struct test_cluster *cluster)
{
    for (size_t i = 0; i < cluster->count; i++)
        test_cluster_kill(cluster, i);
    if (cluster->folder[0])
        (void)nftw(cluster->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    cluster->folder[0] = '\0';
}

static const char *ask_list(struct test_cluster *cluster, size_t node, const char *word,
                            va_list list)
{
    const char *words[32];
    size_t count = 0;
    for (; word && count < 32; word = va_arg(list, const char *))
        words[count++] = word;
    const char *reply = test_redis_ask(cluster->nodes[node].url, words, count);
    return reply ? reply : "-nobody answers";
}

const char *test_cluster_command(struct test_cluster *cluster, size_t node, const char *word, ...)
{
    va_list list;
    va_start(list, word);
    const char *reply = ask_list(cluster, node, word, list);
    va_end(list);
    return reply;
}

static bool is_ok(struct test_cluster *cluster, const char *reply)
{
    return strcmp(reply, "OK") == 0 ? true : complain(cluster, reply);
}

/* Slots are dealt out, every node meets the first, replicas are told whom to follow. */
static bool form(struct test_cluster *cluster)
{
    for (size_t i = 0; i < cluster->masters; i++) {
        char first[24], last[24], epoch[24];
        (void)snprintf(first, sizeof first, "%zu", SHOAL_REDIS_SLOTS * i / cluster->masters);
        (void)snprintf(last, sizeof last, "%zu", SHOAL_REDIS_SLOTS * (i + 1) / cluster->masters - 1);
        (void)snprintf(epoch, sizeof epoch, "%zu", i + 1);
        if (!is_ok(cluster, test_cluster_command(cluster, i, "CLUSTER", "ADDSLOTSRANGE", first, last,
                                                 NULL)) ||
            !is_ok(cluster, test_cluster_command(cluster, i, "CLUSTER", "SET-CONFIG-EPOCH", epoch,
                                                 NULL)))
            return false;
    }
    for (size_t i = 1; i < cluster->count; i++) {
        char port[8], bus[8];
        (void)snprintf(port, sizeof port, "%d", cluster->nodes[0].port);
        (void)snprintf(bus, sizeof bus, "%d", cluster->nodes[0].bus);
        if (!is_ok(cluster, test_cluster_command(cluster, i, "CLUSTER", "MEET", "127.0.0.1", port, bus,
                                                 NULL)))
            return false;
    }
    char known[32];
    (void)snprintf(known, sizeof known, "cluster_known_nodes:%zu", cluster->count);
    for (size_t i = 0; i < cluster->count; i++) {
        if (!wait_for(cluster, i, "CLUSTER", "INFO", known) ||
            !wait_for(cluster, i, "CLUSTER", "INFO", "cluster_slots_assigned:16384"))
            return false;
    }
    for (size_t i = cluster->masters; i < cluster->count; i++) {
        if (!is_ok(cluster, test_cluster_command(cluster, i, "CLUSTER", "REPLICATE",
                                                 cluster->nodes[i - cluster->masters].id, NULL)))
            return false;
    }
    for (size_t i = 0; i < cluster->count; i++) {
        if (!wait_for(cluster, i, "CLUSTER", "INFO", "cluster_state:ok"))
            return false;
        if (i < cluster->masters)
            continue;
        char port[8];
        (void)snprintf(port, sizeof port, "%d", cluster->nodes[i].port);
        if (!wait_for(cluster, i, "INFO", "replication", "master_link_status:up") ||
            !wait_for(cluster, i - cluster->masters, "CLUSTER", "SLOTS", port))
            return false;
    }
    return true;
}

static bool start(struct test_cluster *cluster)
{
    bool tls = cluster->certificates[0] != '\0';
    size_t used = (size_t)snprintf(cluster->url, sizeof cluster->url, "redis%s+cluster://", tls ? "s" : "");
    (void)strcpy(cluster->folder, "/tmp/shoal-cluster-XXXXXX");
    if (!mkdtemp(cluster->folder))
        return complain(cluster, "no folder");
    for (size_t i = 0; i < cluster->count; i++) {
        struct test_cluster_node *node = &cluster->nodes[i];
        char folder[80];
        (void)snprintf(folder, sizeof folder, "%s/%zu", cluster->folder, i);
        node->port = test_free_port();
        node->bus = test_free_port();
        node->tls_port = tls ? test_free_port() : 0;
        (void)snprintf(node->url, sizeof node->url, "redis://127.0.0.1:%d", node->port);
        if (i < cluster->masters)
            used += (size_t)snprintf(cluster->url + used, sizeof cluster->url - used, "%s127.0.0.1:%d",
                                     i ? "," : "", tls ? node->tls_port : node->port);
        if (mkdir(folder, 0700) != 0 || !test_cluster_restart(cluster, i))
            return complain(cluster, "a node does not start");
        (void)snprintf(node->id, sizeof node->id, "%s",
                       test_cluster_command(cluster, i, "CLUSTER", "MYID", NULL));
    }
    return form(cluster);
}

bool test_cluster_start(struct test_cluster *cluster, size_t masters, bool replicas, bool durable,
                        int timeout_ms)
{
    *cluster = (struct test_cluster){.masters = masters,
                                     .count = replicas ? 2 * masters : masters,
                                     .durable = durable,
                                     .timeout_ms = timeout_ms};
    return start(cluster);
}

bool test_cluster_start_tls(struct test_cluster *cluster, size_t masters, const char *certificates)
{
    *cluster = (struct test_cluster){.masters = masters, .count = masters, .timeout_ms = 20000};
    (void)snprintf(cluster->certificates, sizeof cluster->certificates, "%s", certificates);
    return start(cluster);
}

/* ---- slots on their way -------------------------------------------------------------------- */

size_t test_cluster_owner(struct test_cluster *cluster, unsigned slot)
{
    size_t node = 0;
    while (slot >= SHOAL_REDIS_SLOTS * (node + 1) / cluster->masters)
        node++;
    return node;
}

bool test_cluster_move_begin(struct test_cluster *cluster, unsigned slot, size_t from, size_t to)
{
    char number[8];
    (void)snprintf(number, sizeof number, "%u", slot);
    return is_ok(cluster, test_cluster_command(cluster, to, "CLUSTER", "SETSLOT", number, "IMPORTING",
                                               cluster->nodes[from].id, NULL)) &&
           is_ok(cluster, test_cluster_command(cluster, from, "CLUSTER", "SETSLOT", number,
                                               "MIGRATING", cluster->nodes[to].id, NULL));
}

bool test_cluster_move_key(struct test_cluster *cluster, const char *key, size_t from, size_t to)
{
    char port[8];
    (void)snprintf(port, sizeof port, "%d", cluster->nodes[to].port);
    return is_ok(cluster, test_cluster_command(cluster, from, "MIGRATE", "127.0.0.1", port, key, "0",
                                               "5000", NULL));
}

bool test_cluster_move_step(struct test_cluster *cluster, unsigned slot, size_t from, size_t to,
                            int count)
{
    char number[8], most[8], keys[65536];
    (void)snprintf(number, sizeof number, "%u", slot);
    (void)snprintf(most, sizeof most, "%d", count);
    (void)snprintf(keys, sizeof keys, "%s",
                   test_cluster_command(cluster, from, "CLUSTER", "GETKEYSINSLOT", number, most, NULL));
    char *at = keys + 1; /* "[key,key]"; the tests' keys have no commas */
    keys[strlen(keys) - 1] = '\0';
    bool moved = false;
    for (char *key, *rest = at; (key = strtok_r(rest, ",", &rest));)
        moved = test_cluster_move_key(cluster, key, from, to) || moved;
    return moved;
}

/* Until all masters know of the last election or move. A slot that came back before its last owner's epoch
 * was known would be claimed by two, and the loser deletes its keys: the servers' own doing, and not what
 * is tested here. */
static bool wait_for_one_epoch(struct test_cluster *cluster)
{
    for (int i = 0; i < PATIENCE; i++) {
        long long first = -1;
        bool same = true;
        for (size_t node = 0; node < cluster->masters; node++) {
            static const char name[] = "cluster_current_epoch:";
            const char *info = test_cluster_command(cluster, node, "CLUSTER", "INFO", NULL);
            const char *found = strstr(info, name);
            long long epoch = found ? strtoll(found + sizeof name - 1, NULL, 10) : -2;
            same = same && (node == 0 || epoch == first);
            first = epoch;
        }
        if (same)
            return true;
        (void)usleep(STEP_US);
    }
    return complain(cluster, "the nodes do not agree");
}

bool test_cluster_move_end(struct test_cluster *cluster, unsigned slot, size_t to)
{
    char number[8];
    (void)snprintf(number, sizeof number, "%u", slot);
    bool done = true;
    for (size_t step = 0; step <= cluster->masters; step++) {
        size_t node = step == 0 ? to : step - 1; /* the new owner first */
        if (cluster->nodes[node].pid)
            done = is_ok(cluster, test_cluster_command(cluster, node, "CLUSTER", "SETSLOT", number,
                                                       "NODE", cluster->nodes[to].id, NULL)) &&
                   done;
    }
    return done && wait_for_one_epoch(cluster);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What keeping a user costs: microseconds per changed user and commit, and bytes of Redis memory a
 * user, with records as shoppers have them under the default model.
 *
 *   bench_store URL [USERS] [--json]      e.g. unix:/tmp/redis.sock, 100000
 *
 * Uses the topic "shoal-bench" and removes what it wrote. Bytes a user: used_memory with the users
 * less used_memory without them, over their number, so the server should be otherwise idle. Times:
 * best of several rounds, for other work on the machine only ever adds. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/clock.h"
#include "state/store.h"
#include "tests/state/random_record.h"
#include "tests/state/redis_client.h"

enum { H = 64, BATCH_MAX = 4096, ROUNDS = 60 };

struct bench {
    struct shoal_store *store;
    size_t users;
    uint64_t seed;
    int64_t offset;
    float hc[2 * H];
    struct shoal_record record;
    struct shoal_buffer buffer;
    char ids[BATCH_MAX][16];
    struct shoal_slice slices[BATCH_MAX], values[BATCH_MAX];
    struct shoal_save_item items[BATCH_MAX];
    size_t starts[BATCH_MAX + 1]; /* of each value in the buffer */
};

static void check(enum shoal_status status, const struct shoal_message *message)
{
    if (status == SHOAL_OK)
        return;
    fprintf(stderr, "bench_store: %s: %s\n", shoal_status_code(status), message->text);
    exit(1);
}

/* Ids of nine bytes, like the data's. */
static void name_user(struct bench *bench, size_t i, size_t number)
{
    int size = snprintf(bench->ids[i], sizeof bench->ids[i], "%zu", 100000000 + number);
    bench->slices[i] = (struct shoal_slice){bench->ids[i], (size_t)size};
}

static void save(struct bench *bench, size_t count)
{
    struct shoal_message message = {{0}};
    for (size_t i = 0; i < count; i++)
        bench->items[i] = (struct shoal_save_item){
            .user = bench->slices[i],
            .value = {bench->buffer.bytes + bench->starts[i],
                      bench->starts[i + 1] - bench->starts[i]}};
    check(
        bench->store->ops->save(bench->store, 0, bench->items, count, ++bench->offset, 1, &message),
        &message);
}

static void encode(struct bench *bench, size_t i)
{
    bench->starts[i] = bench->buffer.size;
    shoal_record_encode(&bench->record, SHOAL_FP16, &bench->buffer);
    bench->starts[i + 1] = bench->buffer.size;
}

static void fill(struct bench *bench)
{
    for (size_t done = 0; done < bench->users;) {
        size_t count = bench->users - done < BATCH_MAX ? bench->users - done : BATCH_MAX;
        shoal_buffer_clear(&bench->buffer);
        for (size_t i = 0; i < count; i++) {
            name_user(bench, i, done + i);
            test_usual_record(&bench->record, &bench->seed);
            encode(bench, i);
        }
        save(bench, count);
        done += count;
    }
}

static void clear(struct bench *bench, const char *url)
{
    struct shoal_message message = {{0}};
    for (size_t done = 0; done < bench->users;) {
        size_t count = bench->users - done < BATCH_MAX ? bench->users - done : BATCH_MAX;
        for (size_t i = 0; i < count; i++) {
            name_user(bench, i, done + i);
            bench->items[i] = (struct shoal_save_item){.user = bench->slices[i]};
        }
        check(bench->store->ops->save(bench->store, 0, bench->items, count, 0, 1, &message),
              &message);
        done += count;
    }
    const char *words[] = {"DEL", "{shoal-bench/0}#checkpoint"};
    (void)test_redis_ask(url, words, 2);
}

struct times {
    double load, decode, encode, save; /* µs a user */
};

static double least(double a, int64_t ns, size_t count)
{
    double us = (double)ns / 1000 / (double)count;
    return a == 0 || us < a ? us : a;
}

/* Loads, decodes, encodes and saves users at random, `batch` at a time. */
static struct times commit(struct bench *bench, size_t batch)
{
    struct times best = {0};
    struct shoal_message message = {{0}};
    for (int round = 0; round < ROUNDS; round++) {
        size_t start = test_random(&bench->seed) % bench->users;
        for (size_t i = 0; i < batch; i++)
            name_user(bench, i, (start + i * 7919) % bench->users);
        int64_t t0 = shoal_clock_ns();
        check(
            bench->store->ops->load(bench->store, 0, bench->slices, batch, bench->values, &message),
            &message);
        int64_t t1 = shoal_clock_ns();
        for (size_t i = 0; i < batch; i++)
            check(
                shoal_record_decode(&bench->record, bench->values[i].bytes, bench->values[i].size),
                &message);
        int64_t t2 = shoal_clock_ns();
        shoal_buffer_clear(&bench->buffer);
        for (size_t i = 0; i < batch; i++)
            encode(bench, i);
        int64_t t3 = shoal_clock_ns();
        save(bench, batch);
        int64_t t4 = shoal_clock_ns();
        best.load = least(best.load, t1 - t0, batch);
        best.decode = least(best.decode, t2 - t1, batch);
        best.encode = least(best.encode, t3 - t2, batch);
        best.save = least(best.save, t4 - t3, batch);
    }
    return best;
}

static void print(bool json, size_t batch, struct times t, bool last)
{
    if (json)
        printf("{\"batch\":%zu,\"load_us\":%.3f,\"decode_us\":%.3f,\"encode_us\":%.3f,"
               "\"save_us\":%.3f}%s",
               batch, t.load, t.decode, t.encode, t.save, last ? "" : ",");
    else
        printf("batch %5zu: load %.2f, decode %.2f, encode %.2f, save %.2f us a user\n", batch,
               t.load, t.decode, t.encode, t.save);
}

int main(int argc, char **argv)
{
    static const size_t batches[] = {64, 256, 1000, BATCH_MAX};
    enum { BATCHES = sizeof batches / sizeof batches[0] };
    static struct bench bench = {.seed = 1, .users = 100000};
    bool json = argc > 1 && strcmp(argv[argc - 1], "--json") == 0;
    argc -= json;
    if (argc < 2 || argc > 3) {
        fputs("usage: bench_store URL [USERS] [--json]\n", stderr);
        return 2;
    }
    if (argc == 3)
        bench.users = (size_t)strtoull(argv[2], NULL, 10);
    if (bench.users < BATCH_MAX)
        bench.users = BATCH_MAX;
    struct shoal_redis_options options = {
        .url = argv[1], .topic = "shoal-bench", .timeout_ms = 60000};
    struct shoal_message message = {{0}};
    struct shoal_checkpoint before;
    shoal_record_init(&bench.record, H, bench.hc);
    check(shoal_redis_store_create(&options, &bench.store, &message), &message);
    check(bench.store->ops->acquire(bench.store, 0, &before, &message), &message);
    int64_t empty_bytes = test_redis_number(argv[1], "memory", "used_memory");
    fill(&bench);
    int64_t full_bytes = test_redis_number(argv[1], "memory", "used_memory");
    double bytes = (double)(full_bytes - empty_bytes) / (double)bench.users;
    if (json)
        printf("{\"users\":%zu,\"redis_bytes_per_user\":%.1f,\"commits\":[", bench.users, bytes);
    else
        printf("%zu users: %.1f bytes of Redis memory each\n", bench.users, bytes);
    for (size_t i = 0; i < BATCHES; i++)
        print(json, batches[i], commit(&bench, batches[i]), i + 1 == BATCHES);
    if (json)
        puts("]}");
    clear(&bench, argv[1]);
    bench.store->ops->destroy(bench.store);
    shoal_buffer_finish(&bench.buffer);
    return 0;
}

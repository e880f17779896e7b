/* SPDX-License-Identifier: Apache-2.0 */
/* Steady load, and the time from an event to the decision on it. Not a test: run it by hand or
 * through tools/bench, while `shoal run` reads the events topic.
 *
 *   bench_load BROKER EVENTS-TOPIC DECISIONS-TOPIC RATE SECONDS WARMUP ISOLATION
 *
 *   main thread        events ─► topic, each at its appointed time: t0 + i/RATE
 *   arrivals' thread   decisions topic ─► when each decision came, and which event it is on
 *
 * A decision's id holds topic, partition and offset of its event; the delivery report says which
 * event got that offset. So both are only noted while the load runs, and matched afterwards. A delay
 * runs from the moment when the event is handed to librdkafka to the moment when the decision is
 * handed to the subscriber, on one clock; how late the load itself was is told beside it. Behaviours
 * are mixed as in real data (pv 90 %, cart 5.4 %, fav 2.6 %, buy 2 %); of those in
 * deploy/promotions.yaml every cart, fav and buy asks for a decision, so each must get one: `missing`
 * counts those that did not. Events before WARMUP seconds count for nothing but in the longest delay of
 * each second. Prints one JSON object. */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/base/clock.h"

enum { USERS = 50000, ITEMS = 200000, SETTLE_MS = 3000 };

struct sent {
    int64_t due_ns, at_ns, offset;
    int32_t partition; /* −1: not delivered */
    bool asks, answered;
};

struct arrival {
    int64_t at_ns, offset;
    int32_t partition;
};

struct load {
    const char *broker, *events, *decisions, *isolation;
    double rate, seconds, warmup;
    struct sent *sent;
    size_t sent_count;
    struct arrival *arrivals;
    size_t arrivals_count, arrivals_max;
    atomic_int ready, stop; /* of the arrivals' thread */
    unsigned long failed;
};

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench_load: %s: %s\n", what, why);
    exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char reason[256];
    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) != RD_KAFKA_CONF_OK)
        fail(name, reason);
}

static rd_kafka_t *create(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
    char reason[256];
    rd_kafka_t *client = rd_kafka_new(type, conf, reason, sizeof reason);
    if (!client)
        fail("client", reason);
    return client;
}

/* ---- arrivals ------------------------------------------------------------------------------ */

/* {"id":"TOPIC/PARTITION/OFFSET/… : the canonical form begins with it. */
static bool source_of(const char *value, size_t size, const char *topic, struct arrival *arrival)
{
    static const char head[] = "{\"id\":\"";
    char text[64];
    size_t skip = sizeof head - 1 + strlen(topic) + 1;
    if (size <= skip || memcmp(value, head, sizeof head - 1) != 0)
        return false;
    snprintf(text, sizeof text, "%.*s", (int)(size - skip), value + skip);
    return sscanf(text, "%" SCNd32 "/%" SCNd64, &arrival->partition, &arrival->offset) == 2;
}

static rd_kafka_t *subscribe_at_end(const struct load *load, int *partitions)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", load->broker);
    set(conf, "group.id", "bench_load");
    set(conf, "isolation.level", load->isolation);
    set(conf, "enable.auto.commit", "false");
    set(conf, "enable.partition.eof", "true");
    rd_kafka_t *client = create(RD_KAFKA_CONSUMER, conf);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, load->decisions, NULL);
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t error = rd_kafka_metadata(client, 0, topic, &metadata, 10000);
    if (error || metadata->topics[0].partition_cnt < 1)
        fail(load->decisions, error ? rd_kafka_err2str(error) : "no such topic");
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(4);
    *partitions = metadata->topics[0].partition_cnt;
    for (int i = 0; i < *partitions; i++)
        rd_kafka_topic_partition_list_add(list, load->decisions, i)->offset = RD_KAFKA_OFFSET_END;
    rd_kafka_assign(client, list);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
    rd_kafka_poll_set_consumer(client);
    return client;
}

static void *receive(void *opaque)
{
    struct load *load = opaque;
    int partitions, ends = 0;
    rd_kafka_t *client = subscribe_at_end(load, &partitions);
    while (!atomic_load(&load->stop)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(client, 50);
        if (!message)
            continue;
        struct arrival arrival = {.at_ns = shoal_clock_ns()};
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && ++ends >= partitions)
            atomic_store(&load->ready, 1);
        else if (!message->err && load->arrivals_count < load->arrivals_max &&
                 source_of(message->payload, message->len, load->events, &arrival))
            load->arrivals[load->arrivals_count++] = arrival;
        rd_kafka_message_destroy(message);
    }
    rd_kafka_consumer_close(client);
    rd_kafka_destroy(client);
    return NULL;
}

/* ---- load ---------------------------------------------------------------------------------- */

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    struct load *load = opaque;
    struct sent *sent = message->_private;
    (void)client;
    sent->partition = message->err ? -1 : message->partition;
    sent->offset = message->offset;
    load->failed += message->err != 0;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 2685821657736338717u;
}

static void send_one(const struct load *load, rd_kafka_t *client, rd_kafka_topic_t *topic,
                     struct sent *sent, uint64_t *seed)
{
    char user[32], value[256];
    uint64_t random = next_random(seed);
    unsigned kind = (unsigned)(random >> 54); /* of 1024 */
    const char *behavior = kind < 921 ? "pv" : kind < 976 ? "cart" : kind < 1003 ? "fav" : "buy";
    int user_size = snprintf(user, sizeof user, "b%05u", (unsigned)(random % USERS));
    int size = snprintf(value, sizeof value,
                        "{\"user_id\":\"%s\",\"behavior\":\"%s\",\"item_id\":\"i%u\","
                        "\"category_id\":\"c%u\",\"timestamp\":%" PRId64 "}",
                        user, behavior, (unsigned)((random >> 16) % ITEMS),
                        (unsigned)((random >> 16) % ITEMS / 40), shoal_clock_wall_ms());
    sent->partition = -1;
    sent->asks = kind >= 921;
    sent->at_ns = shoal_clock_ns();
    rd_kafka_resp_err_t error;
    while ((error = rd_kafka_producev(client, RD_KAFKA_V_RKT(topic),
                                      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                      RD_KAFKA_V_KEY(user, (size_t)user_size),
                                      RD_KAFKA_V_VALUE(value, (size_t)size),
                                      RD_KAFKA_V_OPAQUE(sent), RD_KAFKA_V_END)) ==
           RD_KAFKA_RESP_ERR__QUEUE_FULL)
        rd_kafka_poll(client, 1);
    if (error)
        fail(load->events, rd_kafka_err2str(error));
}

static void pause_until(int64_t until_ns)
{
    struct timespec until = {until_ns / 1000000000, until_ns % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static void send_all(struct load *load)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", load->broker);
    set(conf, "linger.ms", "3");
    set(conf, "partitioner", "murmur2_random");
    set(conf, "queue.buffering.max.messages", "1000000");
    rd_kafka_conf_set_opaque(conf, load);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_t *client = create(RD_KAFKA_PRODUCER, conf);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, load->events, NULL);
    uint64_t seed = 0x9e3779b97f4a7c15u;
    int64_t start_ns = shoal_clock_ns();
    for (size_t i = 0; i < load->sent_count; i++) {
        struct sent *sent = &load->sent[i];
        sent->due_ns = start_ns + (int64_t)((double)i / load->rate * 1e9);
        if (shoal_clock_ns() < sent->due_ns) {
            rd_kafka_poll(client, 0);
            pause_until(sent->due_ns);
        }
        send_one(load, client, topic, sent, &seed);
    }
    if (rd_kafka_flush(client, 30000) != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail(load->events, "events are not acknowledged");
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(client);
}

/* ---- result -------------------------------------------------------------------------------- */

static int by_offset(const void *a, const void *b)
{
    const struct sent *x = a, *y = b;
    if (x->partition != y->partition)
        return x->partition < y->partition ? -1 : 1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of sorted values. */
static double percentile(const double *values, size_t count, double share)
{
    return count ? values[(size_t)(share * (double)(count - 1) + 0.5)] : 0;
}

static void print(struct load *load)
{
    double *delays = calloc(load->arrivals_count + load->sent_count, sizeof *delays);
    double *behind = calloc(load->sent_count, sizeof *behind);
    size_t seconds = (size_t)load->seconds + 1;
    double *longest = calloc(seconds, sizeof *longest); /* by the second in which an event was due */
    if (!delays || !behind || !longest)
        fail("result", "out of memory");
    int64_t begin_ns = load->sent[0].due_ns;
    int64_t from_ns = begin_ns + (int64_t)(load->warmup * 1e9);
    int64_t last_ns = load->sent[load->sent_count - 1].at_ns;
    size_t count = 0, asking = 0, missing = 0, behind_count = 0;
    double achieved = (double)load->sent_count * 1e9 / (double)(last_ns - load->sent[0].due_ns);
    qsort(load->sent, load->sent_count, sizeof *load->sent, by_offset);
    for (size_t i = 0; i < load->arrivals_count; i++) {
        const struct arrival *arrival = &load->arrivals[i];
        struct sent key = {.partition = arrival->partition, .offset = arrival->offset};
        struct sent *sent =
            bsearch(&key, load->sent, load->sent_count, sizeof *load->sent, by_offset);
        if (!sent)
            continue;
        sent->answered = true;
        double delay = (double)(arrival->at_ns - sent->at_ns) / 1e6;
        if (sent->due_ns >= from_ns)
            delays[count++] = delay;
        size_t second = (size_t)((sent->due_ns - begin_ns) / 1000000000);
        if (second < seconds && delay > longest[second])
            longest[second] = delay;
    }
    for (size_t i = 0; i < load->sent_count; i++) {
        const struct sent *sent = &load->sent[i];
        if (sent->due_ns < from_ns)
            continue;
        asking += sent->asks;
        missing += sent->asks && !sent->answered;
        behind[behind_count++] = (double)(sent->at_ns - sent->due_ns) / 1e6;
    }
    qsort(delays, count, sizeof *delays, by_value);
    qsort(behind, behind_count, sizeof *behind, by_value);
    int64_t began_ms = shoal_clock_wall_ms() - (shoal_clock_ns() - begin_ns) / 1000000;
    printf("{\"began_ms\":%" PRId64 ",\"events\":%zu,\"rate\":%.0f,\"asking\":%zu,\"missing\":%zu,\"failed\":%lu,"
           "\"decisions\":%zu,\"p50_ms\":%.2f,\"p95_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f,"
           "\"behind_p50_ms\":%.2f,\"behind_p99_ms\":%.2f,\"max_by_second_ms\":[",
           began_ms, load->sent_count, achieved, asking, missing, load->failed, count,
           percentile(delays, count, 0.5), percentile(delays, count, 0.95),
           percentile(delays, count, 0.99), percentile(delays, count, 1),
           percentile(behind, behind_count, 0.5), percentile(behind, behind_count, 0.99));
    for (size_t i = 0; i + 1 < seconds; i++)
        printf("%s%.1f", i ? "," : "", longest[i]);
    puts("]}");
    free(delays);
    free(behind);
    free(longest);
}

int main(int argc, char **argv)
{
    if (argc != 8) {
        fputs("usage: bench_load BROKER EVENTS-TOPIC DECISIONS-TOPIC RATE SECONDS WARMUP "
              "ISOLATION\n",
              stderr);
        return 2;
    }
    static struct load load;
    load.broker = argv[1];
    load.events = argv[2];
    load.decisions = argv[3];
    load.rate = strtod(argv[4], NULL);
    load.seconds = strtod(argv[5], NULL);
    load.warmup = strtod(argv[6], NULL);
    load.isolation = argv[7];
    if (!(load.rate >= 1 && load.rate <= 1e6) || !(load.seconds > load.warmup) ||
        !(load.seconds <= 600)) {
        fputs("bench_load: RATE is 1 to 1000000 a second, SECONDS above WARMUP, at most 600\n",
              stderr);
        return 2;
    }
    load.sent_count = (size_t)(load.rate * load.seconds);
    load.arrivals_max = 8 * load.sent_count;
    load.sent = calloc(load.sent_count, sizeof *load.sent);
    load.arrivals = calloc(load.arrivals_max, sizeof *load.arrivals);
    if (!load.sent || !load.arrivals)
        fail("start", "out of memory");
    pthread_t thread;
    if (pthread_create(&thread, NULL, receive, &load) != 0)
        fail("start", "no thread");
    for (int waited_ms = 0; !atomic_load(&load.ready); waited_ms += 10) {
        if (waited_ms > 20000)
            fail(load.decisions, "its end was not reached in 20 s");
        pause_until(shoal_clock_ns() + 10000000);
    }
    send_all(&load);
    pause_until(shoal_clock_ns() + SETTLE_MS * INT64_C(1000000));
    atomic_store(&load.stop, 1);
    pthread_join(thread, NULL);
    print(&load);
    free(load.sent);
    free(load.arrivals);
    return 0;
}

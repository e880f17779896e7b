/* SPDX-License-Identifier: Apache-2.0 */
/* What taking a message from librdkafka costs. Not a test: run it by hand or through tools/bench.
 *
 *   bench_consume BROKER TOPIC GROUP [SECONDS]
 *
 * Reads the topic from its start to the end of every partition (or for so many seconds) with the
 * settings of Shoal's consumer. Two figures, both processor time, which other work on the machine does
 * not inflate: that of the polling thread alone, which is what a worker pays, and that of the whole
 * process, with librdkafka's threads. Prints one JSON object. */
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { EMPTY_POLLS_MAX = 100, POLL_MS = 100 };

static double cpu_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static rd_kafka_t *create(const char *broker, const char *group)
{
    const struct {
        const char *name, *value;
    } properties[] = {
        {"bootstrap.servers", broker},
        {"group.id", group},
        {"isolation.level", "read_committed"},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"enable.partition.eof", "true"},
        {"auto.offset.reset", "earliest"},
        {"fetch.wait.max.ms", "50"},
        {"queued.min.messages", "200000"},
        {"queued.max.messages.kbytes", "65536"},
    };
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++) {
        if (rd_kafka_conf_set(conf, properties[i].name, properties[i].value, reason,
                              sizeof reason) != RD_KAFKA_CONF_OK) {
            fprintf(stderr, "bench_consume: %s\n", reason);
            return NULL;
        }
    }
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
    if (!client)
        fprintf(stderr, "bench_consume: %s\n", reason);
    return client;
}

static bool subscribe(rd_kafka_t *client, const char *topic)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t error = rd_kafka_subscribe(client, list);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_poll_set_consumer(client);
    if (error)
        fprintf(stderr, "bench_consume: %s\n", rd_kafka_err2str(error));
    return !error;
}

static int assigned(rd_kafka_t *client)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    if (rd_kafka_assignment(client, &list))
        return 0;
    int count = list->cnt;
    rd_kafka_topic_partition_list_destroy(list);
    return count;
}

/* Counts messages, from the first one on; the clocks start behind it. */
static unsigned long drain(rd_kafka_t *client, double seconds, double *thread_us, double *process_us)
{
    unsigned long messages = 0;
    int ends = 0, empty = 0;
    double thread_start = 0, process_start = 0;
    time_t until = time(NULL) + (time_t)seconds;
    while (empty < EMPTY_POLLS_MAX && (messages % 1024 || time(NULL) <= until)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(client, POLL_MS);
        if (!message) {
            empty++;
            continue;
        }
        bool is_message = !message->err, is_end = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        rd_kafka_message_destroy(message);
        if (is_end && ++ends >= assigned(client))
            break;
        if (is_message && messages++ == 0) {
            thread_start = cpu_us(CLOCK_THREAD_CPUTIME_ID);
            process_start = cpu_us(CLOCK_PROCESS_CPUTIME_ID);
        }
    }
    *thread_us = cpu_us(CLOCK_THREAD_CPUTIME_ID) - thread_start;
    *process_us = cpu_us(CLOCK_PROCESS_CPUTIME_ID) - process_start;
    return messages;
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc > 5) {
        fputs("usage: bench_consume BROKER TOPIC GROUP [SECONDS]\n", stderr);
        return 2;
    }
    rd_kafka_t *client = create(argv[1], argv[3]);
    if (!client || !subscribe(client, argv[2]))
        return 1;
    double thread_us, process_us;
    unsigned long messages =
        drain(client, argc > 4 ? strtod(argv[4], NULL) : 60, &thread_us, &process_us);
    rd_kafka_consumer_close(client);
    rd_kafka_destroy(client);
    if (messages < 2) {
        fprintf(stderr, "bench_consume: no messages in %s\n", argv[2]);
        return 1;
    }
    printf("{\"messages\":%lu,\"thread_us\":%.3f,\"process_us\":%.3f}\n", messages,
           thread_us / (double)(messages - 1), process_us / (double)(messages - 1));
    return 0;
}

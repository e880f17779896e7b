/* SPDX-License-Identifier: Apache-2.0 */
/* Where a micro-batch's time goes: decode, group, model step, decide, emit, in microseconds per
 * event, on one core. Not a test: run it by hand or through tools/bench.
 *
 *   bench_pipeline EVENTS MODEL PROMOTIONS [BROKER TOPIC-PREFIX]
 *
 * States are kept in memory. Without a broker outputs go nowhere; with one they are produced to topics
 * of that prefix. `run` is everything but decode, as processor time of the thread: what it is more with
 * a broker is the cost of handing outputs to librdkafka, whose own threads disturb every other figure.
 * Figures are medians over micro-batches, which neither a preempted batch nor a page fault moves.
 * Prints one JSON object. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/clock.h"
#include "stream/kafka_sink.h"
#include "stream/pipeline.h"
#include "stream/reader.h"

enum { MESSAGES_MAX = 600000, BATCH = 4096, BATCHES_MAX = MESSAGES_MAX / BATCH, SAVE_BATCHES = 4 };
enum { PARTITIONS = 4, DECODE = SHOAL_STAGE_COUNT, RUN, COLUMNS };

struct bench {
    struct shoal_input *inputs;
    size_t inputs_count;
    struct shoal_arena arena; /* keys and values of the inputs */
    struct shoal_model *model;
    struct shoal_policy *policy;
    struct shoal_config *config;
    struct shoal_log log;
    struct shoal_store *store;
    struct shoal_sink *sink;
    struct shoal_pipeline *pipeline;
    double us[COLUMNS][BATCHES_MAX]; /* per event */
    size_t batches;
};

static void check(enum shoal_status status, const struct shoal_message *message)
{
    if (status == SHOAL_OK)
        return;
    fprintf(stderr, "bench_pipeline: %s: %s\n", shoal_status_code(status), message->text);
    exit(1);
}

static enum shoal_status swallow(struct shoal_sink *sink, const struct shoal_output *output)
{
    (void)sink;
    (void)output;
    return SHOAL_OK;
}

static void keep(struct shoal_sink *sink)
{
    (void)sink;
}

static const struct shoal_sink_ops nowhere_ops = {swallow, keep};
static struct shoal_sink nowhere = {&nowhere_ops};

static void read_events(struct bench *bench, const char *path)
{
    struct shoal_reader *reader;
    struct shoal_message message = {""};
    struct shoal_input input;
    enum shoal_status status = SHOAL_OK;
    shoal_arena_init(&bench->arena, 1 << 20);
    bench->inputs = calloc(MESSAGES_MAX, sizeof *bench->inputs);
    check(bench->inputs ? SHOAL_OK : SHOAL_NOMEM, &message);
    check(shoal_reader_open(path, PARTITIONS, &reader, &message), &message);
    while (bench->inputs_count < MESSAGES_MAX &&
           (status = shoal_reader_next(reader, &input, &message)) == SHOAL_OK) {
        input.key = shoal_arena_copy(&bench->arena, input.key, input.key_size);
        input.value = shoal_arena_copy(&bench->arena, input.value, input.value_size);
        bench->inputs[bench->inputs_count++] = input;
    }
    if (status != SHOAL_END)
        check(status, &message);
    shoal_reader_close(reader);
}

static void set(struct bench *bench, const char *key, const char *value)
{
    char assignment[512];
    struct shoal_message message;
    snprintf(assignment, sizeof assignment, "%s=%s", key, value);
    check(shoal_config_set(bench->config, assignment, &message), &message);
}

static void create_kafka_sink(struct bench *bench, const char *broker, const char *prefix)
{
    static const char *const topics[] = {"segments", "decisions", "deadletter"};
    struct shoal_message message = {""};
    set(bench, "kafka.bootstrap.servers", broker);
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        char key[64], name[256];
        snprintf(key, sizeof key, "topics.%s", topics[i]);
        snprintf(name, sizeof name, "%s.%s", prefix, topics[i]);
        set(bench, key, name);
    }
    check(shoal_kafka_sink_create(bench->config, &bench->log, NULL, false, &bench->sink, &message),
          &message);
}

static void save_all(struct bench *bench)
{
    struct shoal_message message = {""};
    for (int32_t i = 0; i < PARTITIONS; i++)
        check(shoal_pipeline_save(bench->pipeline, i, 1, &message), &message);
}

static void create_pipeline(struct bench *bench)
{
    struct shoal_message message = {""};
    struct shoal_checkpoint before;
    struct shoal_pipeline_options options =
        shoal_pipeline_options_of(bench->config, bench->model, bench->policy);
    options.batch_events = BATCH;
    check(shoal_memory_store_create(&bench->store), &message);
    for (int32_t i = 0; i < PARTITIONS; i++)
        check(bench->store->ops->acquire(bench->store, i, &before, &message), &message);
    check(shoal_pipeline_create(&options, bench->store, bench->sink, &bench->pipeline), &message);
}

static double thread_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void run_batch(struct bench *bench, const struct shoal_input *inputs)
{
    struct shoal_message message = {""};
    struct shoal_pipeline_counts before = *shoal_pipeline_counts(bench->pipeline);
    int64_t start_ns = shoal_clock_ns();
    for (size_t i = 0; i < BATCH; i++)
        check(shoal_pipeline_add(bench->pipeline, &inputs[i], false), &message);
    bench->us[DECODE][bench->batches] = (double)(shoal_clock_ns() - start_ns) / 1000 / BATCH;
    double start_us = thread_us();
    check(shoal_pipeline_run(bench->pipeline, &message), &message);
    bench->us[RUN][bench->batches] = (thread_us() - start_us) / BATCH;
    const struct shoal_pipeline_counts *after = shoal_pipeline_counts(bench->pipeline);
    for (int i = 0; i < SHOAL_STAGE_COUNT; i++)
        bench->us[i][bench->batches] =
            (double)(after->stage_ns[i] - before.stage_ns[i]) / 1000 / BATCH;
    bench->batches++;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(struct bench *bench, int column)
{
    qsort(bench->us[column], bench->batches, sizeof(double), compare);
    return bench->us[column][bench->batches / 2];
}

static void print(struct bench *bench)
{
    const struct shoal_pipeline_counts *counts = shoal_pipeline_counts(bench->pipeline);
    double outputs = (double)(counts->changes + counts->decisions) / (double)counts->events;
    printf("{\"events\":%llu,\"outputs_per_event\":%.3f,\"decode\":%.3f,\"lookup\":%.3f,"
           "\"features\":%.3f,\"step\":%.3f,\"decide\":%.3f,\"run\":%.3f}\n",
           (unsigned long long)counts->events, outputs, median(bench, DECODE),
           median(bench, SHOAL_STAGE_lookup), median(bench, SHOAL_STAGE_features),
           median(bench, SHOAL_STAGE_step), median(bench, SHOAL_STAGE_decide), median(bench, RUN));
}

int main(int argc, char **argv)
{
    static struct bench bench = {.log = {.level = SHOAL_WARNING, .worker = -1}};
    struct shoal_message message = {""};
    if (argc != 4 && argc != 6) {
        fputs("usage: bench_pipeline EVENTS MODEL PROMOTIONS [BROKER TOPIC-PREFIX]\n", stderr);
        return 2;
    }
    bench.sink = &nowhere;
    check(shoal_config_create(&bench.config), &message);
    check(shoal_model_load(argv[2], &bench.model, &message), &message);
    check(shoal_policy_load(argv[3], &bench.policy, &message), &message);
    read_events(&bench, argv[1]);
    if (argc == 6)
        create_kafka_sink(&bench, argv[4], argv[5]);
    create_pipeline(&bench);
    for (size_t done = 0; done + BATCH <= bench.inputs_count; done += BATCH) {
        run_batch(&bench, bench.inputs + done);
        if (bench.batches % SAVE_BATCHES == 0)
            save_all(&bench);
    }
    if (argc == 6)
        check(shoal_kafka_sink_flush(bench.sink, &message), &message);
    print(&bench);
    shoal_pipeline_destroy(bench.pipeline);
    bench.store->ops->destroy(bench.store);
    bench.sink->ops->destroy(bench.sink);
    shoal_policy_destroy(bench.policy);
    shoal_model_destroy(bench.model);
    shoal_config_destroy(bench.config);
    shoal_arena_finish(&bench.arena);
    free(bench.inputs);
    return 0;
}

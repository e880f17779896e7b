/* SPDX-License-Identifier: Apache-2.0 */
/* shoal run: the processor. Starts the workers, watches over them, says how it goes. */
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/clock.h"
#include "model/models_dir.h"
#include "stream/http.h"
#include "stream/instance.h"
#include "stream/kafka_client.h"
#include "stream/store_options.h"
#include "stream/worker.h"
#include "tools/commands.h"
#include "tools/drain.h"
#include "tools/notify.h"
#include "tools/rights.h"
#include "tools/setup.h"

enum { TICK_MS = 50, LAG_TICKS = 4, MODEL_TICKS = 20 };
#ifdef __SANITIZE_ADDRESS__
enum { IS_SANITIZED = true }; /* LeakSanitizer looks at the process as a debugger does */
#else
enum { IS_SANITIZED = false };
#endif

/* The one global: set by SIGTERM and SIGINT, read by every worker. */
static atomic_bool stop;

static void on_signal(int number)
{
    (void)number;
    atomic_store(&stop, true);
}

struct processor {
    const struct shoal_config *config;
    struct shoal_log log;
    struct shoal_kafka_monitor *monitor;
    struct shoal_instance instance;
    struct shoal_http *http;
    unsigned refused_files; /* of http.* */
    bool exit_at_end, drain;
    const char *partitioner; /* for the drain; NULL: found out */
    int64_t *until;   /* per partition, of a drain; else NULL */
    int64_t workers_count;
    atomic_bool topics_known;
    atomic_bool running; /* the workers have been started, and are not being ended */
    int32_t partitions;
    int64_t *ends, *committed; /* per partition; for --exit-at-end and the lag */
    struct shoal_worker **workers;
    struct shoal_telemetry *telemetry;
    struct shoal_watchdog watchdog;
    int64_t started_ms, reported_ms, first_event_ms, last_event_ms;
    uint64_t reported_events, seen_events;
};

static void pause_ms(int ms)
{
    struct timespec pause = {ms / 1000, (ms % 1000) * 1000000L};
    nanosleep(&pause, NULL);
}

/* Waits for the broker as long as it takes, and says so once a minute. */
static enum shoal_status wait_for_topics(struct processor *p, struct shoal_message *message)
{
    struct shoal_nag nag = {0};
    shoal_notify("STATUS=waiting for the broker");
    while (!atomic_load(&stop)) {
        enum shoal_status status = shoal_kafka_topics(p->monitor, &p->partitions, message);
        if (shoal_status_class(status) != SHOAL_CLASS_RETRY)
            return status;
        if (shoal_nag_due(&nag))
            shoal_log_write(&p->log, SHOAL_WARNING, "%s; still trying", message->text);
        (void)shoal_http_refresh(p->http);
        pause_ms(500);
    }
    return SHOAL_INTERRUPTED;
}

static struct shoal_pipeline_counts sum_counts(const struct processor *p)
{
    struct shoal_pipeline_counts sum = {0};
    for (int64_t i = 0; i < p->workers_count; i++) {
        struct shoal_pipeline_counts one = shoal_telemetry_counts(p->telemetry, (int)i);
        shoal_pipeline_counts_add(&sum, &one);
    }
    return sum;
}

static void report(struct processor *p, bool last)
{
    struct shoal_pipeline_counts counts = sum_counts(p);
    int64_t now_ms = shoal_clock_ms();
    if (counts.messages != p->seen_events) {
        if (p->first_event_ms == 0)
            p->first_event_ms = now_ms - TICK_MS;
        p->last_event_ms = now_ms;
        p->seen_events = counts.messages;
    }
    bool due =
        p->config->stats_interval > 0 && now_ms - p->reported_ms >= p->config->stats_interval;
    if (!last && !due)
        return;
    double seconds = (double)(now_ms - p->reported_ms) / 1000;
    double rate = seconds > 0 ? (double)(counts.events - p->reported_events) / seconds : 0;
    if (last) {
        seconds = (double)(p->last_event_ms - p->first_event_ms) / 1000;
        rate = seconds > 0 ? (double)counts.events / seconds : 0;
    }
    p->reported_ms = now_ms;
    p->reported_events = counts.events;
    const struct shoal_log_field fields[] = {
        SHOAL_FIELD("segment_changes", counts.changes), SHOAL_FIELD("decisions", counts.decisions),
        SHOAL_FIELD("dead_letters", counts.deadletters), SHOAL_FIELD("late", counts.late),
        SHOAL_FIELD("repeated", counts.repeated),        SHOAL_FIELD("declined", counts.declined),
        SHOAL_FIELD("forgotten", counts.forgotten),      SHOAL_FIELD("recovered", counts.suppressed),
        SHOAL_FIELD("events", counts.events),            SHOAL_FIELD_REAL("events_per_second", rate),
    };
    /* As text the sentence says the last two. */
    shoal_log_fields(&p->log, SHOAL_INFO, fields, p->log.json ? 10 : 8, "%s%.0f events/s: %" PRIu64 " events",
                     last ? "in all " : "", rate, counts.events);
    if (last) {
        char stages[256] = "";
        size_t used = 0;
        for (int i = 0; i < SHOAL_STAGE_COUNT && counts.events; i++)
            used += (size_t)snprintf(stages + used, sizeof stages - used, " %s %.2f",
                                     shoal_stage_name((enum shoal_stage)i),
                                     (double)counts.stage_ns[i] / 1000 / (double)counts.events);
        shoal_log_write(&p->log, SHOAL_DEBUG, "stages in us per event:%s", stages);
    }
}

/* True when the group has committed everything that was in the topic at the start. */
static bool at_end(struct processor *p)
{
    if (shoal_kafka_committed(p->monitor, p->partitions, p->committed, NULL) != SHOAL_OK)
        return false;
    for (int32_t i = 0; i < p->partitions; i++) {
        if (p->committed[i] < p->ends[i])
            return false;
    }
    return true;
}

static void tell_service(struct processor *p, struct shoal_models *models,
                         struct shoal_policies *policies)
{
    const struct shoal_model *model = shoal_models_latest(models);
    const struct shoal_policy *policy = shoal_policies_latest(policies);
    struct shoal_telemetry_service service = {
        .model_written_ms = shoal_models_written_ms(p->config->model_path, model->version),
        .model_trained_until_ms = model->origin.train_until_ms,
        .refused_files = p->refused_files,
    };
    snprintf(service.model, sizeof service.model, "%s", model->version);
    if (policy)
        snprintf(service.policy, sizeof service.policy, "%s", policy->version);
    shoal_telemetry_serve(p->telemetry, &service);
    shoal_models_release(models, model);
    shoal_policies_release(policies, policy);
}

/* ---- what HTTP asks ------------------------------------------------------------------------ */

/* Ready: the topics are known and every worker is at work (a member of the group that processes, or waits for
 * partitions), so that Kafka and Redis have answered. */
static bool is_ready(void *opaque, struct shoal_put *put)
{
    struct processor *p = opaque;
    bool ready = atomic_load(&p->running);
    char text[64] = "not started"; /* how many there are to be is settled only when they run */
    if (ready) {
        int64_t working = 0;
        for (int64_t i = 0; i < p->workers_count; i++)
            working += shoal_worker_working(p->workers[i]);
        ready = working == p->workers_count;
        snprintf(text, sizeof text, "%" PRId64 " of %" PRId64 " are at work", working, p->workers_count);
    }
    shoal_put_text(put, "kafka", atomic_load(&p->topics_known) ? "ok" : "no broker has told of the topics yet");
    shoal_put_text(put, "workers", ready ? "ok" : text);
    return ready;
}

static void write_metrics(void *opaque, struct shoal_buffer *out)
{
    const struct processor *p = opaque;
    shoal_telemetry_write(p->telemetry, out);
}

static bool delay_of(void *opaque, double *median, double *slowest)
{
    const struct processor *p = opaque;
    return shoal_telemetry_delay(p->telemetry, median, slowest);
}

static void answered(void *opaque, unsigned code, int64_t duration_us)
{
    const struct processor *p = opaque;
    shoal_telemetry_request(p->telemetry, (int)code, duration_us);
}

static enum shoal_status start_http(struct processor *p, const struct shoal_setup *setup,
                                    struct shoal_policies *policies, struct shoal_message *message)
{
    struct shoal_http_options options = {
        .config = p->config,
        .models = setup->models,
        .policies = policies,
        .log = &p->log,
        .version = SHOAL_PROGRAM_VERSION,
        .instance = strcmp(p->config->instance_id, "none") == 0 ? NULL : p->instance.name,
        .hooks = {.ready = is_ready, .delay = delay_of, .metrics = write_metrics,
                  .answered = answered, .opaque = p},
    };
    return shoal_http_start(&options, &p->http, message);
}

/* ---- watching over the workers ------------------------------------------------------------- */

static void beat(struct processor *p)
{
    unsigned turns[SHOAL_WATCHDOG_WORKERS];
    for (int64_t i = 0; i < p->workers_count; i++)
        turns[i] = shoal_worker_turns(p->workers[i]);
    shoal_watchdog_beat(&p->watchdog, shoal_clock_ms(), turns, (size_t)p->workers_count);
}

static enum shoal_status watch(struct processor *p, struct shoal_models *models,
                               struct shoal_policies *policies)
{
    for (unsigned tick = 0; !atomic_load(&stop); tick++) {
        for (int64_t i = 0; i < p->workers_count; i++) {
            enum shoal_status status;
            if (shoal_worker_ended(p->workers[i], &status) && (status != SHOAL_OK || p->until))
                return status;
        }
        report(p, false);
        beat(p);
        if (tick % MODEL_TICKS == 0) { /* the workers see it by themselves */
            (void)shoal_models_refresh(models, &p->log);
            (void)shoal_policies_refresh(policies, &p->log);
            p->refused_files = shoal_http_refresh(p->http);
            tell_service(p, models, policies);
        }
        if (p->exit_at_end && tick % LAG_TICKS == 0 && at_end(p))
            return SHOAL_OK;
        pause_ms(TICK_MS);
    }
    return SHOAL_OK;
}

/* What is allowed and hardly meant: said once, by the process and not by each worker. */
static void warn_of_items(const struct processor *p, const struct shoal_setup *setup,
                          struct shoal_policies *policies)
{
    const struct shoal_policy *policy = shoal_policies_latest(policies);
    int line = shoal_policy_lacks_items(policy, setup->model);
    if (line)
        shoal_log_write(&p->log, SHOAL_WARNING,
                        "%s:%d: items: model %s has no catalogue of items, so that decisions carry none; "
                        "train one with --items auto",
                        p->config->promotions_path, line, setup->model->version);
    shoal_policies_release(policies, policy);
}

static enum shoal_status work(struct processor *p, const struct shoal_setup *setup,
                              struct shoal_policies *policies, struct shoal_message *message)
{
    enum shoal_status status = SHOAL_OK;
    bool dynamic = strcmp(p->config->instance_id, "none") == 0;
    struct shoal_worker_options options = {
        .config = p->config,
        .models = setup->models,
        .policies = policies,
        .telemetry = p->telemetry,
        .partitions = p->partitions,
        .until = p->until,
        .instance = dynamic ? NULL : p->instance.name,
        .log = p->log,
        .stop = &stop,
    };
    for (int64_t i = 0; i < p->workers_count && status == SHOAL_OK; i++) {
        options.index = (int)i;
        status = shoal_worker_start(&options, &p->workers[i], message);
    }
    if (status == SHOAL_OK) {
        shoal_telemetry_running(p->telemetry, (int)p->workers_count);
        const struct shoal_log_field fields[] = {
            SHOAL_FIELD_TEXT("model", setup->model->version),
            SHOAL_FIELD_TEXT("delivery", p->config->delivery),
            SHOAL_FIELD("workers", p->workers_count),
            SHOAL_FIELD_TEXT("group", p->config->group_id),
            SHOAL_FIELD_TEXT("instance", dynamic ? "" : p->instance.name),
            SHOAL_FIELD_TEXT("topic", p->config->topic_events),
            SHOAL_FIELD("partitions", p->partitions),
        };
        shoal_log_fields(&p->log, SHOAL_INFO, fields, 7,
                        "model %s, %s, %" PRId64 " workers, group %s as %s, topic %s with %" PRId32
                        " partitions",
                        setup->model->version, p->config->delivery, p->workers_count,
                        p->config->group_id, dynamic ? "a dynamic member" : p->instance.name,
                        p->config->topic_events, p->partitions);
        warn_of_items(p, setup, policies);
        atomic_store(&p->running, true);
        shoal_notify("READY=1\nSTATUS=processing events");
        status = watch(p, setup->models, policies);
    }
    atomic_store(&p->running, false);
    atomic_store(&stop, true);
    shoal_notify("STOPPING=1\nSTATUS=committing and leaving");
    for (int64_t i = 0; i < p->workers_count; i++) {
        enum shoal_status ended = SHOAL_OK;
        while (p->workers[i] && !shoal_worker_ended(p->workers[i], &ended))
            pause_ms(5);
        if (status == SHOAL_OK)
            status = ended;
    }
    report(p, true);
    return status;
}

/* A worker would find it wrong only once a broker answers. Connects nothing. */
static enum shoal_status check_store(const struct shoal_config *config,
                                     struct shoal_message *message)
{
    struct shoal_redis_options redis = shoal_store_options(config);
    struct shoal_store *store;
    enum shoal_status status = shoal_redis_store_create(&redis, &store, message);
    if (status == SHOAL_OK)
        store->ops->destroy(store);
    return status;
}

/* What is to be drained, if anything. One worker does it: it has to know when all partitions are done. */
static enum shoal_status begin_drain(struct processor *p, struct shoal_message *message)
{
    int32_t grown = p->partitions;
    enum shoal_status status =
        shoal_drain_find(p->config, p->monitor, p->partitioner, &p->partitions, &p->until, message);
    if (status != SHOAL_OK)
        return status;
    if (!p->until) {
        shoal_log_write(&p->log, SHOAL_INFO, "the topic has not grown: there is nothing to drain");
        return SHOAL_OK;
    }
    p->workers_count = 1;
    shoal_log_write(&p->log, SHOAL_INFO,
                    "topic %s has grown from %" PRId32 " to %" PRId32
                    " partitions: processing what the old ones hold, as they lay",
                    p->config->topic_events, p->partitions, grown);
    return SHOAL_OK;
}

static enum shoal_status process(struct processor *p, const struct shoal_setup *setup,
                                 struct shoal_policies *policies, struct shoal_message *message)
{
    enum shoal_status status = check_store(p->config, message);
    if (status == SHOAL_OK)
        status = shoal_kafka_monitor_create(p->config, &p->log, &p->monitor, message);
    if (status == SHOAL_OK && strcmp(p->config->instance_id, "none") != 0)
        status = shoal_instance_claim(p->config->instance_id, p->config->group_id, &p->instance,
                                      message);
    if (status == SHOAL_OK) {
        const struct shoal_telemetry_options figures = {SHOAL_PROGRAM_VERSION,
                                                        (int)p->workers_count};
        status = shoal_telemetry_create(&figures, &p->telemetry);
        if (status != SHOAL_OK)
            return shoal_fail(message, status, "out of memory");
        tell_service(p, setup->models, policies);
    }
    if (status == SHOAL_OK)
        status = start_http(p, setup, policies, message);
    if (status == SHOAL_OK)
        status = wait_for_topics(p, message);
    if (status == SHOAL_INTERRUPTED)
        return SHOAL_OK;
    if (status == SHOAL_OK && p->drain)
        status = begin_drain(p, message);
    if (status != SHOAL_OK || (p->drain && !p->until))
        return status;
    atomic_store(&p->topics_known, true);
    shoal_http_partitions(p->http, p->partitions);
    p->ends = calloc((size_t)p->partitions, sizeof *p->ends);
    p->committed = calloc((size_t)p->partitions, sizeof *p->committed);
    p->workers = calloc((size_t)p->workers_count, sizeof *p->workers);
    if (!p->ends || !p->committed || !p->workers)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    if (p->exit_at_end) {
        status = shoal_kafka_end_offsets(p->monitor, p->partitions, p->ends, message);
        if (status != SHOAL_OK)
            return status;
    }
    return work(p, setup, policies, message);
}

static struct shoal_log log_of(const struct shoal_config *config)
{
    return (struct shoal_log){.level = shoal_log_level_of(config->log_level),
                              .json = strcmp(config->log_format, "json") == 0,
                              .worker = -1};
}

static int open_policies(const struct shoal_cli_args *args, const struct shoal_config *config,
                         struct shoal_policies **policies)
{
    struct shoal_message message = {.text = ""};
    struct shoal_log log = log_of(config);
    struct shoal_policies_options options = {
        .path = config->promotions_path, .history = config->promotions_history, .keep = true};
    return shoal_policies_open(&options, &log, policies, &message) == SHOAL_OK
               ? SHOAL_EXIT_OK
               : shoal_cli_fail(args, SHOAL_EXIT_CONFIG, "%s", message.text);
}

static int run(const struct shoal_cli_args *args)
{
    struct shoal_setup setup;
    struct shoal_message message = {.text = ""};
    struct shoal_policies *policies = NULL;
    int code = shoal_setup_load(args, NULL, "", &setup); /* the promotions are followed */
    if (code == SHOAL_EXIT_OK)
        code = open_policies(args, setup.config, &policies);
    if (code == SHOAL_EXIT_OK) {
        struct shoal_log log = log_of(setup.config);
        shoal_rights_drop(log.level == SHOAL_DEBUG || IS_SANITIZED, &log);
        struct sigaction action = {.sa_handler = on_signal};
        sigaction(SIGTERM, &action, NULL);
        sigaction(SIGINT, &action, NULL);
        signal(SIGPIPE, SIG_IGN);
        struct processor p = {
            .config = setup.config,
            .log = log_of(setup.config),
            .instance = {.slot_fd = -1},
            .exit_at_end = shoal_cli_get(args, "exit-at-end") != NULL,
            .drain = shoal_cli_get(args, "drain") != NULL,
            .partitioner = shoal_cli_get(args, "partitioner"),
            .workers_count = setup.config->workers,
            .started_ms = shoal_clock_ms(),
            .reported_ms = shoal_clock_ms(),
        };
        shoal_watchdog_init(&p.watchdog);
        enum shoal_status status = process(&p, &setup, policies, &message);
        shoal_http_stop(p.http);
        for (int64_t i = 0; p.workers && i < p.workers_count; i++)
            shoal_worker_join(p.workers[i]);
        if (status != SHOAL_OK)
            code = message.text[0]
                       ? shoal_cli_fail(args, shoal_setup_exit(status), "%s", message.text)
                       : shoal_setup_exit(status);
        shoal_kafka_monitor_destroy(p.monitor);
        shoal_instance_release(&p.instance);
        shoal_telemetry_destroy(p.telemetry);
        free(p.workers);
        free(p.ends);
        free(p.committed);
        free(p.until);
    }
    shoal_policies_close(policies);
    shoal_setup_finish(&setup);
    return code;
}

static const struct shoal_cli_option options[] = {
    SHOAL_SETUP_OPTIONS,
    {"exit-at-end", NULL, NULL, "end when everything that is in the topic now has been committed",
     false, false},
    {"drain", NULL, NULL,
     "the topic has grown: process what the partitions from before hold, as the states lie, and end; then "
     "shoal repartition moves them",
     false, false},
    {"partitioner", "NAME", NULL,
     "with --drain: how producers choose the partition of a key, as for shoal repartition", false, false},
    {0},
};

const struct shoal_cli_command shoal_cmd_run = {
    .name = "run",
    .summary = "process events from Kafka, keep states in Redis",
    .description =
        "Runs until SIGTERM or SIGINT: then finishes, commits and leaves. Losing Kafka or Redis "
        "does not end it: it keeps trying. If model.path is a folder of models, the version in service "
        "there is followed: a newly published one is taken between two micro-batches, as is a changed "
        "promotions file. Exit codes: 3 configuration, promotions, model or "
        "recovery refused, 4 fenced by another process of the same name.",
    .example = "shoal run --config deploy/shoal.yaml --set workers=2",
    .options = options,
    .run = run,
};

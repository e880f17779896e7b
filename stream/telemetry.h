/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of a process, for GET /metrics and everybody else who asks how it goes.
 *
 *   worker 0 ── publish, at a commit ──► slot 0 ┐   {ended sessions' sum, this session's, partitions}
 *   worker 1 ─────────────────────────► slot 1 ├─► write: one copy of each under its lock, then text
 *   main thread, HTTP ────────────────► shared ┘
 *
 * A worker copies a few kilobytes under a lock that nobody else holds for longer, some ten times a second;
 * nothing is done per event. What a session did after its last commit is not counted: it was not kept, and
 * the next session does it again. */
#ifndef SHOAL_TELEMETRY_H
#define SHOAL_TELEMETRY_H

#include "model/base/pack.h"
#include "stream/meter.h"

struct shoal_telemetry;

struct shoal_telemetry_options {
    const char *version; /* of the program; copied */
    int workers;
};

enum shoal_status shoal_telemetry_create(const struct shoal_telemetry_options *options,
                                       struct shoal_telemetry **telemetry) SHOAL_MUST_CHECK;
/* Nobody may use it any more. */
void shoal_telemetry_destroy(struct shoal_telemetry *telemetry);

/* ---- workers: each for its own number ------------------------------------------------------- */

/* A commit is done, at now_ms (wall clock): everything so far counts. `partitions`: those that the worker has. */
void shoal_telemetry_publish(struct shoal_telemetry *telemetry, int worker,
                           const struct shoal_meter *meter,
                           const struct shoal_partition_standing *partitions, size_t count,
                           int64_t now_ms);
/* The session is over, why; `meter` is as published, and beyond it what is true without a commit (failures,
 * partitions that went). The partitions stay as they were until the next session publishes, unless the worker
 * is done (OK). */
void shoal_telemetry_session_ended(struct shoal_telemetry *telemetry, int worker,
                                 const struct shoal_meter *meter, enum shoal_status status);

/* ---- any thread ----------------------------------------------------------------------------- */

/* What the pipelines of a worker have done, over all sessions, as of the last commit. */
struct shoal_pipeline_counts shoal_telemetry_counts(const struct shoal_telemetry *telemetry, int worker);

/* True from a worker's first commit in a session (with nothing to commit, too) to that session's end. */
bool shoal_telemetry_working(const struct shoal_telemetry *telemetry, int worker);

/* What is in service. */
struct shoal_telemetry_service {
    char model[17], policy[17];      /* versions; policy "": none */
    int64_t model_written_ms;        /* 0: not known */
    int64_t model_trained_until_ms;  /* 0: not known */
    unsigned refused_files;          /* as shoal_http_refresh says */
};
void shoal_telemetry_serve(struct shoal_telemetry *telemetry, const struct shoal_telemetry_service *service);
/* How many workers run now. */
void shoal_telemetry_running(struct shoal_telemetry *telemetry, int workers);
/* An HTTP request was answered, 100 ≤ code ≤ 599; what is outside is counted as 500. */
void shoal_telemetry_request(struct shoal_telemetry *telemetry, int code, int64_t duration_us);

/* Median and 99th percentile, in seconds, of the delays (shoal_delay_seconds) since 30 to 60 s ago, as far back as it was
 * asked for: the first call looks at everything. False: there was nothing. */
bool shoal_telemetry_delay(struct shoal_telemetry *telemetry, double *median, double *slowest);
/* Appends everything as text/plain; version=0.0.4. Out of memory shows in out->failed. */
void shoal_telemetry_write(const struct shoal_telemetry *telemetry, struct shoal_buffer *out);
/* The same as of now_ms, for tests. */
void shoal_telemetry_write_at(const struct shoal_telemetry *telemetry, int64_t now_ms,
                            struct shoal_buffer *out);

#endif

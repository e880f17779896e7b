/* SPDX-License-Identifier: Apache-2.0 */
/* Between telemetry.c, which keeps the figures, and telemetry_write.c, which writes them. */
#ifndef SHOAL_TELEMETRY_INTERNAL_H
#define SHOAL_TELEMETRY_INTERNAL_H

#include "stream/telemetry.h"

enum { HTTP_CODE_MIN = 100, HTTP_CODES = 500 };

struct http_figures {
    uint64_t by_code[HTTP_CODES]; /* code − HTTP_CODE_MIN */
    struct shoal_histogram duration; /* SHOAL_SCALE_DELAY */
};

/* A partition, and when its worker last published. */
struct standing {
    struct shoal_partition_standing of;
    int64_t published_ms;
};

/* Everything at one moment; nothing in it changes any more. */
struct snapshot {
    int64_t now_ms;
    const char *version;
    int running, workers;
    int64_t *published_ms; /* by worker; 0: not yet */
    struct shoal_meter total;
    uint64_t ended[SHOAL_STATUS_COUNT];
    struct standing *standings; /* by partition, each once */
    size_t standings_count;
    struct shoal_telemetry_service service;
    struct http_figures http;
};

void telemetry_write_snapshot(const struct snapshot *snapshot, struct shoal_buffer *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Writes figures in Prometheus' text format 0.0.4, family by family in the order of metrics_list.h: each family
 * exactly once, with its HELP and TYPE, also where it has no value. */
#ifndef SHOAL_EXPOSITION_H
#define SHOAL_EXPOSITION_H

#include <stdint.h>

#include "model/base/pack.h"
#include "stream/histogram.h"
#include "stream/metrics_list.h"

enum shoal_metric {
#define X(id, type, name, unit, labels, help) SHOAL_METRIC_##id,
    SHOAL_METRICS_LIST(X)
#undef X
        SHOAL_METRIC_COUNT
};

enum shoal_metric_type { SHOAL_METRIC_COUNTER, SHOAL_METRIC_GAUGE, SHOAL_METRIC_HISTOGRAM };

struct shoal_metric_about {
    const char *name, *unit, *labels, *help;
    enum shoal_metric_type type;
};

/* What the list says of a metric. Static. */
const struct shoal_metric_about *shoal_metric_about(enum shoal_metric metric);
/* "counter", "gauge", "histogram". */
const char *shoal_metric_type_name(enum shoal_metric_type type);

struct shoal_exposition {
    struct shoal_buffer *out; /* out of memory shows in out->failed */
    int family;               /* begun last; −1: none */
};

void shoal_exposition_begin(struct shoal_exposition *exposition, struct shoal_buffer *out);
/* The families come in the order of the list, none is left out. */
void shoal_exposition_family(struct shoal_exposition *exposition, enum shoal_metric metric);
/* A value of the family; `values`: one for each of its labels, in their order (NULL where there are none). */
void shoal_exposition_count(struct shoal_exposition *exposition, const char *const *values,
                            uint64_t value);
void shoal_exposition_real(struct shoal_exposition *exposition, const char *const *values,
                           double value);
/* The value of a family that is a histogram. */
void shoal_exposition_histogram(struct shoal_exposition *exposition, enum shoal_scale scale,
                                const struct shoal_histogram *histogram);
/* All families must have been written. */
void shoal_exposition_end(const struct shoal_exposition *exposition);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The processes that `shoal top` looks at: each one's figures now and at the look before, and sums over them.
 *
 * A rate is over the time between the two looks; at the first one, and when a process was started again in
 * between, over the time since the process began. */
#ifndef SHOAL_INSTANCES_H
#define SHOAL_INSTANCES_H

#include "tools/fetch.h"
#include "tools/samples.h"

enum { SHOAL_INSTANCES_MAX = 64 };

struct shoal_instance_seen {
    const char *url;
    struct shoal_fetch *fetch;
    bool up;                      /* the last look succeeded */
    struct shoal_message problem; /* else why not */
    struct shoal_samples now, before;
    double seconds; /* that the counters' growth took */
    int64_t looked_ns;
};

/* Zero-initialised: none. */
struct shoal_instances {
    struct shoal_instance_seen list[SHOAL_INSTANCES_MAX];
    size_t count;
    double since_s; /* the longest of the times that rates are over */
    bool from_start; /* and it is since a process began */
};

/* CONFIG, INVALID for too many; NOMEM. `url` is borrowed; without a path, /metrics is added. */
enum shoal_status shoal_instances_add(struct shoal_instances *all, const char *url,
                                      const char *token, int timeout_ms,
                                      struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_instances_finish(struct shoal_instances *all);
/* Looks at all of them; how many answered. now_s: seconds since 1970. */
size_t shoal_instances_look(struct shoal_instances *all, double now_s);
/* Takes `text` for what the i-th answered `seconds` after its look before (0: it is the first); for tests
 * too. As shoal_samples_read. */
enum shoal_status shoal_instances_take(struct shoal_instance_seen *one, const void *text,
                                       size_t size, double seconds, double now_s,
                                       struct shoal_message *message) SHOAL_MUST_CHECK;

/* ---- over all that are up; label NULL: whatever the labels ------------------------------------ */

/* Sum of a gauge, or of a counter since the processes began; NaN values are left out. */
double shoal_instances_sum(const struct shoal_instances *all, const char *name, const char *label,
                           const char *value);
double shoal_instances_most(const struct shoal_instances *all, const char *name, const char *label,
                            const char *value); /* NaN: there is none */
/* How much a counter grew, and per second. */
double shoal_instances_growth(const struct shoal_instances *all, const char *name,
                              const char *label, const char *value);
double shoal_instances_rate(const struct shoal_instances *all, const char *name, const char *label,
                            const char *value);
/* The growth of one sample of one process. */
double shoal_sample_growth(const struct shoal_instance_seen *one, const struct shoal_sample *now);
/* A quantile of what a histogram counted meanwhile, in seconds; NaN: nothing. Above the last bound: that
 * bound. */
double shoal_instances_quantile(const struct shoal_instances *all, const char *name, double q);
/* The k-th distinct value of a label of a metric, in the order in which they come; NULL beyond the last. */
const char *shoal_instances_value(const struct shoal_instances *all, const char *name,
                                  const char *label, size_t k);

#endif

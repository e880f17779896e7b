/* SPDX-License-Identifier: Apache-2.0 */
/* What the writer (model_file.c, where the format is described) and the reader (model_parse.c) of
 * model files have in common. */
#ifndef SHOAL_MODEL_FORMAT_H
#define SHOAL_MODEL_FORMAT_H

#include <stdbool.h>

#include "model/model.h"

enum {
    SHOAL_MODEL_FORMAT = 4,
    SECTIONS = 16,
    FEATURE_NAMES = 11,
    CHECKSUM_BYTES = 8,
    EVENT_FIELDS = 5,
    ORIGIN_FIELDS = 9,
};

#define SHOAL_MODEL_NAME "shoal-model"
#define EVENT_TIME_MAX (INT64_C(1) << 53)

extern const char *const shoal_model_features[FEATURE_NAMES];
extern const char *const shoal_model_counters[SHOAL_COUNTERS];

/*  X(field of struct shoal_dims) */
#define DIMS_LIST(X)                                                                               \
    X(hidden)                                                                                      \
    X(item_buckets)                                                                                \
    X(item_width)                                                                                  \
    X(category_buckets)                                                                            \
    X(category_width)                                                                              \
    X(behavior_width)                                                                              \
    X(ring)

/*  X(field of struct shoal_model_origin, kind of number) */
#define ORIGIN_LIST(X)                                                                             \
    X(train_from_ms, int)                                                                          \
    X(train_until_ms, int)                                                                         \
    X(events_count, uint)                                                                          \
    X(users_count, uint)                                                                           \
    X(seed, uint)                                                                                  \
    X(data_fingerprint, uint)                                                                      \
    X(roc_auc, double)                                                                             \
    X(log_loss, double)                                                                            \
    X(base_rate, double)

/*  X(section, size): a field of struct shoal_model and a key of the file, with its _pack, _unpack, _destroy; what
 *  it is read for: vectors of V floats, or states of H */
#define SECTION_LIST(X)                                                                            \
    X(clusters, vector)                                                                            \
    X(value, vector)                                                                               \
    X(uplift, vector)                                                                              \
    X(items, hidden)

/* What must hold of a model whoever made it: finite numbers, positive deviations, thresholds in
 * order. DAMAGED with the reason. */
enum shoal_status shoal_model_check(const struct shoal_model *model,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
/* Sets id and version from the document's bytes. */
void shoal_model_identify(struct shoal_model *model, const void *bytes, size_t size);

#endif

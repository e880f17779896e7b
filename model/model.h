/* SPDX-License-Identifier: Apache-2.0 */
/* A model as it is served: parameters, calibration, thresholds and where it came from.
 * Immutable once made, shared by all workers without locks.
 *
 * File: one MessagePack map, documented in model_file.c. Its identity is the hash of the document's
 * bytes: the same training gives the same file gives the same identity. */
#ifndef SHOAL_MODEL_H
#define SHOAL_MODEL_H

#include <stdint.h>

#include "model/base/pack.h"
#include "model/base/status.h"
#include "model/calibration.h"
#include "model/clusters.h"
#include "model/items.h"
#include "model/params.h"
#include "model/reference.h"
#include "model/uplift.h"
#include "model/value.h"

/* Training figures kept with the model. Times in ms since 1970. */
struct shoal_model_origin {
    int64_t train_from_ms, train_until_ms;
    uint64_t events_count, users_count, seed;
    uint64_t data_fingerprint;             /* hash over the training events */
    double roc_auc, log_loss, base_rate;   /* on the validation window; NaN = unknown */
};

struct shoal_model {
    uint64_t id;              /* hash of the file's bytes; 0 is never used */
    char version[17];         /* id as 16 hex digits: "model" in every output */
    struct shoal_params params;
    float counter_mean[SHOAL_COUNTERS], counter_deviation[SHOAL_COUNTERS]; /* of log1p(rate) */
    struct shoal_calibration_map calibration[SHOAL_TASKS];
    float warm, hot;          /* intent thresholds on p, 0 < warm < hot < 1 */
    struct shoal_model_origin origin;
    struct shoal_reference reference;
    /* what is learnt on top of the user vector (user_vector.h); owned; NULL: not learnt */
    struct shoal_clusters *clusters;
    struct shoal_value *value;
    struct shoal_uplift *uplift;
    struct shoal_items *items; /* what is likely to be next; owned; NULL: not learnt */
};

/* Reads, checks and self-tests a model file. *model is owned by the caller
 * (shoal_model_destroy). NOT_FOUND, IO, DAMAGED, VERSION, SELF_TEST, NOMEM, with the reason. */
enum shoal_status shoal_model_load(const char *path, struct shoal_model **model,
                                   struct shoal_message *message) SHOAL_MUST_CHECK;
/* The same from memory; what the fuzz target calls. */
enum shoal_status shoal_model_parse(const void *bytes, size_t size, struct shoal_model **model,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
/* Serialises with a self-test computed from the parameters (a fixed short event sequence and the
 * resulting h, c and p) and sets id and version. */
enum shoal_status shoal_model_serialize(struct shoal_model *model, struct shoal_buffer *out)
    SHOAL_MUST_CHECK;
/* serialize + write to a temporary file beside `path` + fsync + rename. */
enum shoal_status shoal_model_save(struct shoal_model *model, const char *path,
                                   struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_model_destroy(struct shoal_model *model);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What one assigned partition is served by: its history of swaps, and the model and policy of the event at
 * hand.
 *
 * The history comes with the committed offset and goes back with it (swaps.h). In recovery each event is
 * applied under the pair of its offset again; a model or policy that is gone is replaced by the next one of
 * the history that is there, else by the latest, or recovery is refused. In the worker's thread. */
#ifndef SHOAL_SERVED_H
#define SHOAL_SERVED_H

#include "stream/models.h"
#include "stream/output.h"
#include "stream/policies.h"
#include "stream/sink.h"
#include "stream/swaps.h"

/* What all partitions of a worker share. */
struct shoal_serving {
    struct shoal_models *models;     /* NULL: there is `only` the one */
    const struct shoal_model *only;  /* known without `models`; NULL: none is */
    struct shoal_policies *policies; /* NULL: none */
    const struct shoal_log *log;
    const char *topic; /* of the events: part of ids */
    enum shoal_output_format format;
    bool refuse;       /* recovery.model_missing */
};

/* Zero-initialised: not assigned. */
struct shoal_served {
    struct shoal_swaps swaps;
    char *text;                      /* the history as metadata */
    size_t fresh;                    /* swaps at its end that no commit has carried yet */
    /* held; of offsets below `until`; model NULL: none looked up */
    const struct shoal_model *model;
    const struct shoal_policy *policy;
    int64_t until;
};

/* What is known of a partition when it is assigned. */
struct shoal_served_start {
    int32_t partition;
    const char *metadata; /* of the committed offset */
    size_t metadata_size;
    int64_t committed;    /* −1: nothing */
    int64_t low, start;   /* first offset of the log, first offset to be read */
    uint64_t saved_model; /* of the checkpoint; 0: none */
    bool repeat;          /* at least once: the last swap may not have been told */
};

/* Without a history it begins with the model of the checkpoint, else the latest. */
enum shoal_status shoal_served_begin(const struct shoal_serving *serving,
                                     struct shoal_served *served,
                                     const struct shoal_served_start *start,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_served_end(const struct shoal_serving *serving, struct shoal_served *served);
/* Model and policy (NULL: none) of the event at `offset`, valid until the next call; offsets never fall. Events before
 * `suppress_until` are being recovered. `position`: where a swap goes if the partition is left without
 * one of them. CONFIG if one is gone and that is to be refused; NOMEM. */
enum shoal_status shoal_served_model(const struct shoal_serving *serving,
                                     struct shoal_served *served, int32_t partition,
                                     int64_t offset, int64_t position, int64_t suppress_until,
                                     const struct shoal_model **model,
                                     const struct shoal_policy **policy,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;
/* From `position` on, `model` and `policy` (ids) hold. NOMEM. */
enum shoal_status shoal_served_swap(const struct shoal_serving *serving,
                                    struct shoal_served *served, int32_t partition,
                                    int64_t position, uint64_t model, uint64_t policy,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
/* Writes the fresh swaps to the models topic. They stay fresh until the caller has committed. */
enum shoal_status shoal_served_tell(const struct shoal_serving *serving,
                                    const struct shoal_served *served, int32_t partition,
                                    struct shoal_sink *sink,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;

#endif

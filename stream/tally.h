/* SPDX-License-Identifier: Apache-2.0 */
/* Exact counts of one partition: its users, where they stand and from where they went there, what its
 * promotions offered and what was bought after that.
 *
 * Part of the partition's state (partition_state.h), so it changes with the records in one transaction: the
 * counts are those of the records, whatever crashed, and nobody has to read all users to know them. Every
 * change is an addition, so that the order in which a micro-batch takes its users does not matter.
 *
 *   users at a level = those who came to it − those who left it, since the partition's states began
 *
 * A user who is new comes from no level, one who is forgotten goes to none. Clusters are the exception: their ids
 * come and go with the models, so users are counted by id, and the ways between them by *place*: a cluster of the
 * model in service has its own, all others share one (tally_clusters.c). A user whose cluster goes on under
 * another id after a retrain is counted as one who went there, when the user's next look comes.
 *
 * A purchase answers an offer if it is the user's first one after it and comes within the time for which the
 * offer stands, or 24 hours, whichever is longer; event time decides. So an offer is answered once at most, and
 * an offer that a new one (or somebody else's contact) follows can no longer be.
 *
 * Nothing is allocated. */
#ifndef SHOAL_TALLY_H
#define SHOAL_TALLY_H

#include "model/clusters.h"
#include "state/record.h"
#include "stream/decide.h"

enum {
    SHOAL_TALLY_LEVELS = 6,                          /* none, and five, of all dimensions but the clusters */
    SHOAL_TALLY_OTHERS = SHOAL_CLUSTERS_MAX + 1,     /* place of all clusters that the model does not have */
    SHOAL_TALLY_PLACES = SHOAL_CLUSTERS_MAX + 2,     /* 0: no cluster; 1 …: the model's, ids rising */
};

enum shoal_variant { SHOAL_TREATMENT, SHOAL_CONTROL, SHOAL_VARIANT_COUNT };

struct shoal_tally_promotion {
    uint32_t promotion; /* hash of its id */
    struct shoal_tally_variant {
        uint64_t offers, withdrawals, conversions;
    } variants[SHOAL_VARIANT_COUNT];
};

struct shoal_tally_clusters {
    uint8_t ids[SHOAL_CLUSTERS_MAX]; /* of the places from 1 on, rising */
    uint8_t count;
    uint64_t users[SHOAL_CLUSTER_IDS + 1]; /* by id; 0 is not counted */
    uint64_t moves[SHOAL_TALLY_PLACES][SHOAL_TALLY_PLACES]; /* from, to */
};

struct shoal_tally {
    uint64_t users;
    uint64_t events, late, repeated, deadletters; /* as in SHOAL_COUNT_LIST (pipeline.h), since the states began */
    uint64_t moves[SHOAL_DIMENSION_COUNT][SHOAL_TALLY_LEVELS][SHOAL_TALLY_LEVELS]; /* but the clusters' */
    struct shoal_tally_clusters clusters;
    uint32_t promotions_count;
    /* by rising hash, so that the same counts are the same bytes */
    struct shoal_tally_promotion promotions[SHOAL_GRANTS_MAX];
};

void shoal_tally_init(struct shoal_tally *tally);

/* A user of a dimension goes from one level to another (0: none). `clusters`: those of the model under which it
 * happens, NULL if it has none. */
void shoal_tally_move(struct shoal_tally *tally, const struct shoal_clusters *clusters,
                      enum shoal_dimension dimension, uint8_t from, uint8_t to);
/* What was decided: offers that were made, and withdrawals. */
void shoal_tally_decided(struct shoal_tally *tally, const struct shoal_decision *decisions,
                         size_t count);
/* A purchase of the user, before anything is decided on it: the offers that it answers are counted, and none of
 * the record's is open any more. `policy` may be NULL; offers of promotions that it does not have are no longer
 * counted. */
void shoal_tally_bought(struct shoal_tally *tally, const struct shoal_policy *policy,
                        const char *user, size_t user_size, struct shoal_record *record,
                        int64_t time_ms);
/* A record that comes from elsewhere, or is emptied or deleted, with all its levels; not for one without an event. What
 * was offered to it stays counted where it was. `clusters` as above. */
void shoal_tally_come(struct shoal_tally *tally, const struct shoal_clusters *clusters,
                      const struct shoal_record *record);
void shoal_tally_go(struct shoal_tally *tally, const struct shoal_clusters *clusters,
                    const struct shoal_record *record);

/* Users at a level (not 0). */
uint64_t shoal_tally_at(const struct shoal_tally *tally, enum shoal_dimension dimension,
                        uint8_t level);
/* The counts of a promotion; NULL: none. */
const struct shoal_tally_promotion *shoal_tally_promotion(const struct shoal_tally *tally,
                                                          uint32_t promotion);
/* *sum += *one. Ways between clusters are kept by the places of `sum`, or of `one` if `sum` has counted none
 * yet. Promotions beyond SHOAL_GRANTS_MAX are left out. */
void shoal_tally_add(struct shoal_tally *sum, const struct shoal_tally *one);

/* An array [users, events, late, repeated, deadletters, moves, ids of clusters as a binary, users of clusters, moves
 * of clusters, promotions]. What is zero is left out: moves are [number, count, …], where a move's number is
 * (dimension · 6 + from) · 6 + to, or from · 34 + to for clusters; users of clusters [id, count, …]; promotions
 * [hash, then offers, withdrawals, conversions of the treatment, the same of the control group, …]; numbers, ids and
 * hashes rise. */
void shoal_tally_pack(const struct shoal_tally *tally, struct shoal_buffer *out);
/* Fails the reader on anything else; the tally is empty then. */
void shoal_tally_unpack(struct shoal_unpack *in, struct shoal_tally *tally);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The user record: everything Shoal remembers of one user, and its bytes in Redis.
 *
 * Invariant: a record is a pure function of the user's events in log order, the models they were
 * applied under, and the policy. encode ∘ decode is the identity on the bytes (same precision), so
 * a user that was saved and loaded ends up with the same bits as one that stayed in the cache.
 *
 * Bytes: one MessagePack array, version first; described in record_codec.c. */
#ifndef SHOAL_RECORD_H
#define SHOAL_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/pack.h"
#include "model/base/status.h"
#include "model/correction.h"
#include "model/counters.h"
#include "model/purchases.h"
#include "model/step.h"
#include "model/touch.h"

enum {
    SHOAL_USER_MAX = 64,      /* bytes of a user id */
    SHOAL_DIMENSIONS_MAX = 10, /* segment dimensions */
    SHOAL_GRANTS_MAX = 32,    /* promotions remembered a user = promotions in a policy */
};

/* Last ms of the year 9999: no event time lies beyond it. */
#define SHOAL_TIME_MAX_MS INT64_C(253402300799999)

/* Where a user stands in one segment dimension. */
struct shoal_standing {
    uint8_t level; /* 0 = in none; else 1 + index of the level */
    int64_t since_ms; /* whole seconds; 0 with level 0 */
};

/* What one promotion has with one user. */
struct shoal_grant {
    uint32_t promotion; /* low 32 bits of the hash of the promotion's id */
    bool eligible;      /* the last answer given */
    bool open;          /* that last_ms was an offer of ours, and no purchase came since */
    uint16_t count;     /* offers made so far, saturating */
    int64_t last_ms;    /* time of the last offer, or 0 */
    int64_t expires_ms; /* when the standing answer lapses, or 0 */
};

/* In shoal_record.consent the bit itself says that the consent is given, and the bit four above it that the
 * user ever said anything about it: 0 is a user who never did. */
enum shoal_consent {
    SHOAL_CONSENT_MARKETING = 1,
    SHOAL_CONSENT_PERSONALIZATION = 2,
    SHOAL_CONSENT_PROCESSING = 4, /* to being processed at all: who never said is */
    SHOAL_CONSENT_ALL = 7,
    SHOAL_CONSENT_KNOWN_SHIFT = 4,
};

/* What every event reads and writes comes first, so that it shares few cache lines; of the three
 * arrays at the end only the first `…_count` elements mean anything. */
struct shoal_record {
    uint64_t model;   /* id of the model under which h, c and score are valid; 0 = none yet */
    int64_t offset;   /* last applied offset of the user's partition; −1 = none; see shoal_record_source */
    int64_t first_ms, last_ms; /* event times; last_ms is the greatest so far */
    uint64_t events_count;
    float *h, *c;     /* H each; memory belongs to whoever made the record */
    uint32_t hidden;  /* H */
    float score;      /* after the last event */
    uint8_t consent;  /* bits of enum shoal_consent, see there */
    uint8_t ring_count;
    uint8_t ids_count;
    uint8_t grants_count;
    float counters[SHOAL_COUNTERS]; /* as of last_ms */
    int64_t timer_ms; /* the user's entry in the partition's index of timers, whole seconds; 0 = none */
    int64_t cart_ms;  /* of the latest cart event, until a purchase or its timer, whole seconds; 0 = none */
    struct shoal_purchases purchases; /* times in whole seconds */
    struct shoal_pending pending;   /* samples of the online correction; valid under `model` */
    struct shoal_standing standings[SHOAL_DIMENSIONS_MAX];
    struct shoal_touch ring[SHOAL_RING_MAX]; /* oldest first, whole seconds */
    struct shoal_grant grants[SHOAL_GRANTS_MAX];
    uint64_t ids[SHOAL_RING_MAX];            /* hashes of recent event_ids, oldest first */
};

/* Empties a record; `hc` is room for 2·hidden floats that outlives it. The arrays at the end keep what
 * was there: their counts are zero. */
void shoal_record_init(struct shoal_record *record, uint32_t hidden, float *hc);
/* The last applied event's partition and offset, of a record kept in `partition`. They are those of another
 * partition from the user's move out of it (shoal repartition) to the next event: ids of what falls due
 * in between must stay what they would have been. `partition` and `offset` may be the same variables. */
void shoal_record_source(int64_t record_offset, int32_t partition, int32_t *source,
                         int64_t *offset);
/* What record.offset becomes when the record leaves `partition`. INT64_MIN if it cannot be said
 * (beyond 2^46 events, or 131,070 partitions). */
int64_t shoal_record_leave(int64_t record_offset, int32_t partition);
/* Appends to the ring (time cut to whole seconds and never before the touch in front of it),
 * dropping the oldest beyond `ring_max` (1 … SHOAL_RING_MAX). */
void shoal_record_remember(struct shoal_record *record, const struct shoal_touch *touch,
                           uint32_t ring_max);
/* The grant for `promotion`; with `create`, a new one if there is none (the one with the oldest
 * last_ms makes room when full). NULL if there is none. */
struct shoal_grant *shoal_record_grant(struct shoal_record *record, uint32_t promotion,
                                       bool create);

/* Appends the record's bytes. Out of memory shows in buffer->failed. */
void shoal_record_encode(const struct shoal_record *record, enum shoal_precision precision,
                         struct shoal_buffer *out);
/* Fills an initialised record of H units. Either precision is read. VERSION or DAMAGED on bytes
 * that are not a record (it is empty then); h and c of another H are dropped (zeros stand there)
 * and model set to 0 (a rebuild follows). */
enum shoal_status shoal_record_decode(struct shoal_record *record, const void *bytes,
                                      size_t size) SHOAL_MUST_CHECK;
/* H and precision of encoded bytes, for a reader that has no model at hand. Looks at no more than
 * it needs: decode may still refuse the rest. VERSION or DAMAGED. */
enum shoal_status shoal_record_shape(const void *bytes, size_t size, uint32_t *hidden,
                                     enum shoal_precision *precision) SHOAL_MUST_CHECK;

/* Appends the line of states.jsonl, without newline: canonical JSON, keys in fixed order, h and c
 * as hex of their stored bytes (little-endian halves or floats); described in record_print.c. */
void shoal_record_print(const struct shoal_record *record, const char *user, size_t user_size,
                        int32_t partition, enum shoal_precision precision,
                        struct shoal_buffer *out);

#endif

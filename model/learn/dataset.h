/* SPDX-License-Identifier: Apache-2.0 */
/* Users' sequences of events in memory, as training and evaluation need them.
 *
 * Invariant: a user's sequence is what the live pipeline would have applied to that user's record:
 * in order of arrival, an event older than the user's last one dated like that last one, a repeat
 * of a recent event_id left out. So a score computed here is the score that is served. Of a user who is
 * forgotten, or declines to be processed, nothing from before that remains.
 *
 *   append order   a0 b0 a1 c0 b1 …            finish: grouped by user, order kept
 *   touches        [ a0 a1 … | b0 b1 … | c0 … ]
 *   first            0         ^ first[1]   first[users_count] = events_count
 *
 * Users are numbered by their first appearance. About 60 bytes an event and 100 a user. */
#ifndef SHOAL_LEARN_DATASET_H
#define SHOAL_LEARN_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"
#include "model/touch.h"

struct shoal_dataset_user;

/* What an event says beyond the touch. */
struct shoal_extra {
    uint64_t event_id;  /* hash; 0 = none */
    uint32_t promotion; /* of a campaign contact: hash of its id; 0 = none */
    uint8_t exposure;   /* enum shoal_exposure of stream/event.h: 0 none, 1 shown, 2 clicked, 3 redeemed */
    float amount;       /* price × quantity; NaN = not given */
};

struct shoal_dataset {
    struct shoal_touch *touches; /* owned; times never fall within a user */
    uint32_t *owners;            /* owned; user of each touch */
    float *amounts;              /* owned; of each touch, NaN: not given; NULL: no event had one */
    uint32_t *promotions;        /* owned; of each touch, 0: none; NULL: no event had one */
    uint8_t *exposures;          /* owned; of each touch, 0: none; NULL: no event had one */
    uint32_t *arrivals;          /* owned; of each touch, its place in the order of append; NULL before group */
    size_t events_count, events_capacity;
    size_t *first;               /* owned; users_count + 1 entries, NULL before finish */
    size_t users_count;
    int64_t first_ms, last_ms;   /* earliest and latest time; 0 while empty */
    uint64_t late_count, repeated_count;
    bool has_gone;               /* some user was forgotten: group leaves those events out */
    uint64_t fingerprint;        /* hash over all that was appended and kept, and forgotten, in order */
    uint32_t ring;               /* recent event_ids that are compared */

    struct shoal_dataset_user *users; /* owned */
    size_t users_capacity;
    uint32_t *table;             /* owned; open addressing, user + 1 or 0 */
    size_t table_size;           /* a power of two, or 0 */
    char *ids;                   /* owned; user ids one after another, each zero-terminated */
    size_t ids_size, ids_capacity;
    uint64_t *recent;            /* owned; `ring` event_ids for each user that has sent one */
    size_t recent_size, recent_capacity;
};

/* Prepares an empty set in the caller's memory; `ring` (1 … SHOAL_RING_MAX) is the model's. */
void shoal_dataset_init(struct shoal_dataset *dataset, uint32_t ring);
void shoal_dataset_finish(struct shoal_dataset *dataset);

/* Adds one event of the user with this id (1 … 255 bytes). event_id: hash, 0 = none. Not after
 * shoal_dataset_group. NOMEM; INVALID for more than 2^32 − 2 users. */
enum shoal_status shoal_dataset_append(struct shoal_dataset *dataset, const char *user,
                                       size_t user_size, const struct shoal_touch *touch,
                                       uint64_t event_id) SHOAL_MUST_CHECK;
/* The same with all that an event says. */
enum shoal_status shoal_dataset_append_event(struct shoal_dataset *dataset, const char *user,
                                             size_t user_size, const struct shoal_touch *touch,
                                             const struct shoal_extra *extra) SHOAL_MUST_CHECK;
/* The user's events so far are left out by group; what is appended later is another user's of the same id.
 * NOMEM. */
enum shoal_status shoal_dataset_forget(struct shoal_dataset *dataset, const char *user,
                                       size_t user_size) SHOAL_MUST_CHECK;
/* Brings each user's events together and fills `first`. Once, after the last append. NOMEM. */
enum shoal_status shoal_dataset_group(struct shoal_dataset *dataset) SHOAL_MUST_CHECK;
/* What event i says beyond its touch, without its event_id. */
struct shoal_extra shoal_dataset_extra(const struct shoal_dataset *dataset, size_t event);
/* The number of the user with this id; false if there is none. */
bool shoal_dataset_find_user(const struct shoal_dataset *dataset, const char *id, size_t id_size,
                             uint32_t *user);
/* The id of user `user`, zero-terminated, valid as long as the set. */
const char *shoal_dataset_user_id(const struct shoal_dataset *dataset, size_t user);

#endif

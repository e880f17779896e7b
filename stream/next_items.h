/* SPDX-License-Identifier: Apache-2.0 */
/* What a user is likely to turn to next, as a look-up: the best items of the model's catalogue by exact scores, the same
 * that a decision of that moment would carry. `shoal recommend` and GET /v1/users/{id}/items. */
#ifndef SHOAL_NEXT_ITEMS_H
#define SHOAL_NEXT_ITEMS_H

#include "model/model.h"
#include "stream/person.h"
#include "stream/put_json.h"

/* A question and its answer. */
struct shoal_next_items {
    const struct shoal_model *model; /* with a catalogue */
    const char *user;
    const struct shoal_person *person; /* who is not known gets popular items */
    int64_t now_ms;                    /* not before the last event of who is known */
    size_t wanted;                     /* 1 … SHOAL_PICKS_MAX */
    enum shoal_item_goal goal;
    bool without_bought;
    /* found */
    struct shoal_item_pick *picks; /* owned */
    size_t count;
};

/* Static: "any", "buy". */
const char *shoal_item_goal_name(enum shoal_item_goal goal);
/* Computes the answer; to be finished, also after a failure. NOMEM. */
enum shoal_status shoal_next_items_find(struct shoal_next_items *next) SHOAL_MUST_CHECK;
void shoal_next_items_finish(struct shoal_next_items *next);
/* As deploy/formats.md has it. */
void shoal_next_items_put(const struct shoal_next_items *next, struct shoal_put *put);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a user is likely to turn to next; as `shoal recommend`, but as of now. */
#include <string.h>

#include "stream/http_internal.h"
#include "stream/next_items.h"

enum { ITEMS_DEFAULT = 10 };

static bool read_goal(struct http_request *r, enum shoal_item_goal *goal)
{
    char text[8];
    if (!http_query(r, "goal", text, sizeof text))
        return true;
    for (int at = 0; at < SHOAL_ITEM_GOALS; at++) {
        *goal = (enum shoal_item_goal)at;
        if (strcmp(text, shoal_item_goal_name(*goal)) == 0)
            return true;
    }
    http_problem(r, 400, "bad-parameter", "A parameter cannot be read", "goal: any or buy");
    return false;
}

static void tell(struct http_request *r, const struct shoal_person *person, const struct shoal_model *model,
                 const struct shoal_policy *policy)
{
    long long wanted = ITEMS_DEFAULT;
    struct shoal_next_items next = {.model = model, .user = r->user, .person = person};
    (void)policy;
    if (!http_query_int(r, "n", 1, SHOAL_PICKS_MAX, &wanted) || !read_goal(r, &next.goal) ||
        !http_query_flag(r, "without_bought", &next.without_bought))
        return;
    if (!model->items) {
        http_problem(r, 404, "no-catalogue", "The model has no catalogue of items",
                     "model %s was trained without: shoal train --items auto", model->version);
        return;
    }
    next.wanted = (size_t)wanted;
    next.now_ms = person->known ? http_present(r, person) : 0;
    if (shoal_next_items_find(&next) == SHOAL_OK)
        shoal_next_items_put(&next, http_json(r));
    else
        http_failed(r, SHOAL_NOMEM, NULL);
    shoal_next_items_finish(&next);
}

void http_user_items(struct http_request *r)
{
    http_tell_user(r, true, tell);
}

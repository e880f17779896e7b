/* SPDX-License-Identifier: Apache-2.0 */
/* One user: who it is, and how it stands. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "model/base/clock.h"
#include "stream/consent.h"
#include "stream/decide.h"
#include "stream/event_fields.h"
#include "stream/http_internal.h"
#include "stream/person.h"
#include "stream/pseudonym.h"

/* ---- who ----------------------------------------------------------------------------------- */

bool http_names_user(struct http_request *r)
{
    const struct shoal_pseudonyms *pseudonyms = r->http->options.config->pseudonyms;
    char room[SHOAL_PSEUDONYM_SIZE + 1];
    bool stored = false; /* the id is the one under which the user is stored */
    if (!http_query_flag(r, "pseudonym", &stored))
        return false;
    if (!shoal_user_is_valid(r->params[0], strlen(r->params[0]))) {
        http_problem(r, 400, "bad-user", "This is no user id",
                     "a user id has 1 to %d bytes of UTF-8 without control characters", SHOAL_USER_MAX);
        return false;
    }
    snprintf(r->user, sizeof r->user, "%s",
             stored ? r->params[0] : shoal_pseudonym_stored(pseudonyms, r->params[0], room));
    return true;
}

/* The user that the path names, under `model`. False: a problem is in r. */
static bool find(struct http_request *r, const struct shoal_model *model, bool strangers,
                 struct shoal_person *person)
{
    struct shoal_message message = {.text = ""};
    enum shoal_status status = shoal_person_take(r->store, model, r->user, person, &message);
    if (status != SHOAL_OK)
        http_failed(r, status, &message);
    else if (!person->known && !strangers)
        http_problem(r, 404, "unknown-user", "This user is not known", "no state is kept of '%s'",
                     r->params[0]);
    return status == SHOAL_OK && (person->known || strangers);
}

/* ---- as it stands -------------------------------------------------------------------------- */

static void put_segments(struct shoal_put *put, const struct shoal_record *record)
{
    shoal_put_open(put, "segments", '{');
    for (int d = 0; d < SHOAL_DIMENSION_COUNT; d++) {
        const struct shoal_standing *standing = &record->standings[d];
        const char *level = shoal_level_name((enum shoal_dimension)d, standing->level);
        if (!level)
            continue;
        shoal_put_open(put, shoal_dimension_name((enum shoal_dimension)d), '{');
        shoal_put_text(put, "level", level);
        shoal_put_time(put, "since", standing->since_ms);
        shoal_put_close(put, '}');
    }
    shoal_put_close(put, '}');
}

static void put_counters(struct shoal_put *put, const struct shoal_record *record)
{
    static const char *const half_lives[SHOAL_HALF_LIVES] = {"1h", "1d", "7d"};
    shoal_put_open(put, "counters", '{');
    for (int b = 0; b < SHOAL_BEHAVIOR_COUNT; b++) {
        shoal_put_open(put, shoal_behavior_name((enum shoal_behavior)b), '{');
        for (int k = 0; k < SHOAL_HALF_LIVES; k++)
            shoal_put_real(put, half_lives[k], (double)record->counters[b * SHOAL_HALF_LIVES + k]);
        shoal_put_close(put, '}');
    }
    shoal_put_close(put, '}');
}

static void put_time_or_null(struct shoal_put *put, const char *key, int64_t time_ms)
{
    if (time_ms)
        shoal_put_time(put, key, time_ms);
    else
        shoal_put_null(put, key);
}

static void put_purchases(struct shoal_put *put, const struct shoal_purchases *purchases)
{
    if (purchases->occasions == 0) {
        shoal_put_null(put, "purchases");
        return;
    }
    shoal_put_open(put, "purchases", '{');
    shoal_put_count(put, "days", purchases->occasions);
    shoal_put_time(put, "first_time", purchases->first_ms);
    shoal_put_time(put, "last_time", purchases->last_ms);
    shoal_put_real(put, "spent_after_first_day", (double)purchases->spent);
    shoal_put_close(put, '}');
}

static void put_consent(struct shoal_put *put, const struct shoal_record *record)
{
    const char *name;
    shoal_put_open(put, "consent", '{');
    for (unsigned bit = 1; (name = shoal_consent_name(bit)); bit <<= 1) {
        int state = shoal_consent_state(record, bit);
        if (state < 0)
            shoal_put_null(put, name);
        else
            shoal_put_flag(put, name, state == 1);
    }
    shoal_put_close(put, '}');
}

static const struct shoal_promotion *promotion_of(const struct shoal_policy *policy, uint32_t hash)
{
    for (size_t i = 0; policy && i < policy->count; i++) {
        if (policy->promotions[i].hash == hash)
            return &policy->promotions[i];
    }
    return NULL;
}

static void put_promotions(struct shoal_put *put, const struct shoal_record *record, const char *user,
                           const struct shoal_policy *policy)
{
    shoal_put_open(put, "promotions", '[');
    for (uint8_t i = 0; i < record->grants_count; i++) {
        const struct shoal_grant *grant = &record->grants[i];
        const struct shoal_promotion *promotion = promotion_of(policy, grant->promotion);
        char hash[16];
        snprintf(hash, sizeof hash, "#%08" PRIx32, grant->promotion);
        shoal_put_open(put, NULL, '{');
        shoal_put_text(put, "promotion", promotion ? promotion->id : hash);
        shoal_put_flag(put, "eligible", grant->eligible);
        shoal_put_text(put, "variant",
                       !promotion                                             ? NULL
                       : shoal_in_control(promotion, user, strlen(user)) ? "control"
                                                                              : "treatment");
        shoal_put_count(put, "offers", grant->count);
        put_time_or_null(put, "last_offer_time", grant->last_ms);
        put_time_or_null(put, "expires_at", grant->eligible ? grant->expires_ms : 0);
        shoal_put_close(put, '}');
    }
    shoal_put_close(put, ']');
}

static void put_item(struct shoal_put *put, const struct shoal_items *items, uint32_t hash)
{
    char text[SHOAL_ITEM_ID_MAX + 1];
    uint32_t item;
    if (items && shoal_items_find(items, hash, &item)) {
        size_t size;
        const char *id = shoal_items_id(items, item, &size);
        memcpy(text, id, size);
        text[size] = '\0';
    } else {
        snprintf(text, sizeof text, "#%08" PRIx32, hash);
    }
    shoal_put_text(put, "item", text);
}

static void put_events(struct shoal_put *put, const struct shoal_record *record,
                       const struct shoal_items *items)
{
    char category[8];
    shoal_put_open(put, "recent_events", '[');
    for (uint8_t i = 0; i < record->ring_count; i++) {
        const struct shoal_touch *touch = &record->ring[i];
        snprintf(category, sizeof category, "#%04x", (unsigned)touch->category);
        shoal_put_open(put, NULL, '{');
        shoal_put_time(put, "event_time", touch->time_ms);
        shoal_put_text(put, "behavior", shoal_behavior_name((enum shoal_behavior)touch->behavior));
        put_item(put, items, touch->item);
        shoal_put_text(put, "category", touch->category ? category : NULL);
        shoal_put_count(put, "price_level", touch->price_level);
        shoal_put_close(put, '}');
    }
    shoal_put_close(put, ']');
}

static void put_user(struct http_request *r, const struct shoal_person *person,
                     const struct shoal_model *model, const struct shoal_policy *policy)
{
    const struct shoal_record *record = &person->record;
    struct shoal_put *put = http_json(r);
    shoal_put_open(put, NULL, '{');
    shoal_put_text(put, "user_id", r->user);
    shoal_put_int(put, "partition", person->partition);
    shoal_put_int(put, "offset", record->offset);
    shoal_put_count(put, "events", record->events_count);
    bool seen = record->events_count > 0; /* of who declined to be processed only that is known */
    put_time_or_null(put, "first_event_time", seen ? record->first_ms : 0);
    put_time_or_null(put, "last_event_time", seen ? record->last_ms : 0);
    shoal_put_real(put, "freshness_seconds",
                   seen ? (double)(shoal_clock_wall_ms() - record->last_ms) / 1000 : (double)NAN);
    if (person->served_by)
        shoal_put_hash(put, "model", person->served_by);
    else
        shoal_put_null(put, "model");
    shoal_put_open(put, "scores", '{');
    shoal_put_real(put, "purchase_24h", (double)record->score);
    shoal_put_close(put, '}');
    put_segments(put, record);
    put_counters(put, record);
    put_purchases(put, &record->purchases);
    put_consent(put, record);
    put_promotions(put, record, r->user, policy);
    put_events(put, record, model->items);
    put_time_or_null(put, "next_look_at", record->timer_ms);
    shoal_put_close(put, '}');
}

/* ---- calls --------------------------------------------------------------------------------- */

void http_tell_user(struct http_request *r, bool strangers, http_tell *tell)
{
    const struct shoal_http_options *o = &r->http->options;
    if (!http_names_user(r))
        return;
    const struct shoal_model *model = shoal_models_latest(o->models);
    const struct shoal_policy *policy = shoal_policies_latest(o->policies);
    struct shoal_person person = {0};
    if (find(r, model, strangers, &person))
        tell(r, &person, model, policy);
    shoal_person_finish(&person);
    shoal_policies_release(o->policies, policy);
    shoal_models_release(o->models, model);
}

void http_user(struct http_request *r)
{
    http_tell_user(r, false, put_user);
}

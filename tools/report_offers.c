/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions, line by line; see report_offers.h. */
#include "tools/report_offers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/hash.h"
#include "stream/event.h"

void shoal_report_names_finish(struct shoal_report_names *names)
{
    shoal_names_finish(&names->promotions);
    shoal_names_finish(&names->dimensions);
    shoal_names_finish(&names->levels);
    shoal_names_finish(&names->scores);
}

void shoal_offers_finish(struct shoal_offers *offers)
{
    free(offers->offers);
    free(offers->table);
    *offers = (struct shoal_offers){0};
}

/* ---- one offer of a user and promotion ------------------------------------------------------ */

static size_t slot_of(const struct shoal_offers *offers, uint32_t user, uint16_t promotion)
{
    uint64_t key = (uint64_t)user << 16 | promotion;
    size_t mask = offers->table_size - 1, slot = shoal_hash(&key, sizeof key) & mask;
    for (; offers->table[slot]; slot = (slot + 1) & mask) {
        const struct shoal_offer *there = &offers->offers[offers->table[slot] - 1];
        if (there->user == user && there->promotion == promotion)
            break;
    }
    return slot;
}

static enum shoal_status grow(struct shoal_offers *offers)
{
    if (offers->count < offers->capacity)
        return SHOAL_OK;
    size_t capacity = offers->capacity ? 2 * offers->capacity : 1024;
    if (capacity > UINT32_MAX / 4)
        return SHOAL_NOMEM;
    struct shoal_offer *grown = reallocarray(offers->offers, capacity, sizeof *grown);
    if (!grown)
        return SHOAL_NOMEM;
    offers->offers = grown;
    uint32_t *table = calloc(2 * capacity, sizeof *table);
    if (!table)
        return SHOAL_NOMEM;
    free(offers->table);
    offers->table = table;
    offers->table_size = 2 * capacity;
    offers->capacity = capacity;
    for (size_t i = 0; i < offers->count; i++)
        table[slot_of(offers, grown[i].user, grown[i].promotion)] = (uint32_t)i + 1;
    return SHOAL_OK;
}

/* An offer before its user was forgotten. Its place in the table stays for the user's next one. */
static const int64_t DROPPED_MS = INT64_MAX;

/* Keeps the earliest. */
static enum shoal_status keep(struct shoal_offers *offers, const struct shoal_offer *offer)
{
    if (grow(offers) != SHOAL_OK)
        return SHOAL_NOMEM;
    size_t slot = slot_of(offers, offer->user, offer->promotion);
    if (!offers->table[slot]) {
        offers->offers[offers->count++] = *offer;
        offers->table[slot] = (uint32_t)offers->count;
        return SHOAL_OK;
    }
    struct shoal_offer *there = &offers->offers[offers->table[slot] - 1];
    offers->crossed += there->time_ms != DROPPED_MS && there->control != offer->control;
    if (offer->time_ms < there->time_ms)
        *there = *offer;
    return SHOAL_OK;
}

/* ---- one line ------------------------------------------------------------------------------- */

enum shoal_status shoal_report_user(struct shoal_json_tree *tree,
                                    const struct shoal_dataset *dataset, uint32_t *user,
                                    bool *known, struct shoal_json_slice *id,
                                    struct shoal_message *message)
{
    if (!shoal_json_tree_text(tree, shoal_json_tree_find(tree, 0, "user_id"), id))
        return shoal_fail(message, SHOAL_MISSING_FIELD, "\"user_id\" is not there, or no text");
    *known = shoal_dataset_find_user(dataset, id->text, id->size, user);
    return SHOAL_OK;
}

enum shoal_status shoal_report_time(struct shoal_json_tree *tree, int64_t *time_ms,
                                    struct shoal_message *message)
{
    struct shoal_json_slice text;
    if (!shoal_json_tree_text(tree, shoal_json_tree_find(tree, 0, "event_time"), &text) ||
        !shoal_time_parse(text.text, text.size, time_ms))
        return shoal_fail(message, SHOAL_BAD_TIMESTAMP,
                          "\"event_time\" is not there, or no time such as 2025-03-03T00:00:00Z");
    return SHOAL_OK;
}

struct taking {
    const struct shoal_dataset *dataset;
    struct shoal_report_names *names;
    struct shoal_offers *offers;
};

static enum shoal_status take_levels(const struct taking *taking, struct shoal_json_tree *tree,
                                     struct shoal_offer *offer, struct shoal_message *message)
{
    int object = shoal_json_tree_find(tree, 0, "segments");
    enum shoal_status status = SHOAL_OK;
    for (int i = 0; i < SHOAL_REPORT_DIMENSIONS; i++)
        offer->levels[i] = SHOAL_NAME_NONE;
    for (int key = shoal_json_tree_first(tree, object); status == SHOAL_OK && key >= 0;
         key = shoal_json_tree_next(tree, key)) {
        struct shoal_json_slice name, level;
        uint16_t dimension = 0;
        if (!shoal_json_tree_text(tree, key, &name))
            return shoal_fail(message, SHOAL_BAD_FIELD, "\"segments\" cannot be read");
        status = shoal_names_add(&taking->names->dimensions, name.text, name.size,
                                 SHOAL_REPORT_DIMENSIONS, "dimension", &dimension, message);
        if (status != SHOAL_OK || shoal_json_tree_is_null(tree, key + 1))
            continue;
        if (!shoal_json_tree_text(tree, key + 1, &level))
            return shoal_fail(message, SHOAL_BAD_FIELD, "a level in \"segments\" is no text");
        status = shoal_names_add(&taking->names->levels, level.text, level.size,
                                 SHOAL_REPORT_LEVELS, "level", &offer->levels[dimension], message);
    }
    return status;
}

static enum shoal_status take_scores(const struct taking *taking, struct shoal_json_tree *tree,
                                     struct shoal_offer *offer, struct shoal_message *message)
{
    int object = shoal_json_tree_find(tree, 0, "scores");
    enum shoal_status status = SHOAL_OK;
    for (int i = 0; i < SHOAL_REPORT_SCORES; i++)
        offer->scores[i] = NAN;
    for (int key = shoal_json_tree_first(tree, object); status == SHOAL_OK && key >= 0;
         key = shoal_json_tree_next(tree, key)) {
        struct shoal_json_slice name;
        double value;
        uint16_t score = 0;
        if (!shoal_json_tree_number(tree, key + 1, &value)) /* null: this user has none */
            continue;
        if (!shoal_json_tree_text(tree, key, &name))
            return shoal_fail(message, SHOAL_BAD_FIELD, "\"scores\" cannot be read");
        status = shoal_names_add(&taking->names->scores, name.text, name.size, SHOAL_REPORT_SCORES,
                                 "score", &score, message);
        if (status == SHOAL_OK)
            offer->scores[score] = (float)value;
    }
    return status;
}

static enum shoal_status take_variant(struct shoal_json_tree *tree, bool *control,
                                      struct shoal_message *message)
{
    struct shoal_json_slice variant;
    if (!shoal_json_tree_text(tree, shoal_json_tree_find(tree, 0, "variant"), &variant))
        return shoal_fail(message, SHOAL_MISSING_FIELD, "\"variant\" is not there, or no text");
    *control =
        variant.size == strlen("control") && memcmp(variant.text, "control", variant.size) == 0;
    return SHOAL_OK;
}

static void note_stranger(struct shoal_offers *offers, const struct shoal_json_slice *id)
{
    size_t size = id->size < sizeof offers->stranger ? id->size : sizeof offers->stranger - 1;
    offers->strangers++;
    if (offers->stranger[0])
        return;
    memcpy(offers->stranger, id->text, size);
    offers->stranger[size] = '\0';
}

static enum shoal_status take(void *context, struct shoal_json_tree *tree,
                              struct shoal_message *message)
{
    const struct taking *taking = context;
    struct shoal_offers *offers = taking->offers;
    struct shoal_offer offer = {0};
    struct shoal_json_slice id, promotion;
    bool known = false, eligible;
    enum shoal_status status =
        shoal_report_user(tree, taking->dataset, &offer.user, &known, &id, message);
    if (status == SHOAL_OK)
        status = shoal_report_time(tree, &offer.time_ms, message);
    if (status == SHOAL_OK)
        status = take_variant(tree, &offer.control, message);
    if (status != SHOAL_OK)
        return status;
    if (!shoal_json_tree_flag(tree, shoal_json_tree_find(tree, 0, "eligible"), &eligible))
        return shoal_fail(message, SHOAL_MISSING_FIELD, "\"eligible\" is neither true nor false");
    if (!shoal_json_tree_text(tree, shoal_json_tree_find(tree, 0, "promotion"), &promotion))
        return shoal_fail(message, SHOAL_MISSING_FIELD, "\"promotion\" is not there, or no text");
    status = shoal_names_add(&taking->names->promotions, promotion.text, promotion.size,
                             SHOAL_REPORT_PROMOTIONS, "promotion", &offer.promotion, message);
    if (status != SHOAL_OK || !eligible)
        return status;
    offers->answers++;
    if (!known) {
        note_stranger(offers, &id);
        return SHOAL_OK;
    }
    status = take_levels(taking, tree, &offer, message);
    if (status == SHOAL_OK)
        status = take_scores(taking, tree, &offer, message);
    if (status == SHOAL_OK && keep(offers, &offer) != SHOAL_OK)
        status = shoal_fail(message, SHOAL_NOMEM, "out of memory");
    return status;
}

static enum shoal_status forget(void *context, struct shoal_json_tree *tree,
                                struct shoal_message *message)
{
    const struct taking *taking = context;
    struct shoal_offers *offers = taking->offers;
    struct shoal_json_slice id;
    uint32_t user;
    bool known;
    enum shoal_status status =
        shoal_report_user(tree, taking->dataset, &user, &known, &id, message);
    if (status != SHOAL_OK)
        return status;
    if (id.size == strlen(offers->stranger) && memcmp(id.text, offers->stranger, id.size) == 0)
        offers->stranger[0] = '\0'; /* is not to be shown */
    for (size_t i = 0; known && offers->count > 0 && i < taking->names->promotions.count; i++) {
        uint32_t there = offers->table[slot_of(offers, user, (uint16_t)i)];
        if (there)
            offers->offers[there - 1].time_ms = DROPPED_MS;
    }
    return SHOAL_OK;
}

static void leave_out_dropped(struct shoal_offers *offers)
{
    size_t kept = 0;
    for (size_t i = 0; i < offers->count; i++)
        if (offers->offers[i].time_ms != DROPPED_MS)
            offers->offers[kept++] = offers->offers[i];
    offers->count = kept;
    free(offers->table);
    offers->table = NULL;
    offers->table_size = 0;
}

enum shoal_status shoal_offers_read(const char *files, const struct shoal_dataset *dataset,
                                    struct shoal_report_names *names, struct shoal_offers *offers,
                                    struct shoal_message *message)
{
    struct taking taking = {dataset, names, offers};
    enum shoal_status status =
        shoal_lines_each(files, take, forget, &taking, &offers->lines, message);
    leave_out_dropped(offers);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target for the model file. Every input is read as it is, and once more with its checksum
 * made right, since hardly a mutation gets past that otherwise. A model that is accepted must keep
 * its promises: finite, in order, and written again it is read again. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/hash.h"
#include "model/model.h"
#include "model/user_vector.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Weights may be so large that scores are no numbers; items are picked once at most all the same. */
static void ask_items(const struct shoal_model *model)
{
    struct shoal_items_room *room;
    struct shoal_item_pick picks[5];
    uint32_t hash, last = (uint32_t)shoal_items_count(model->items) - 1;
    float h[SHOAL_HIDDEN_MAX] = {1, -1};
    size_t count, size;
    require(shoal_items_id(model->items, last, &size) && size >= 1 && size <= SHOAL_ITEM_ID_MAX);
    memcpy(&hash, h, sizeof hash);
    struct shoal_touch ring[] = {{.time_ms = 1000, .item = hash, .category = 1},
                                 {.time_ms = 9000, .item = 2654435761u, .behavior = SHOAL_BUY}};
    struct shoal_item_query query = {.h = h, .ring = ring, .ring_count = 2, .now_ms = 60000};
    if (shoal_items_room_create(model->items, 1, &room) != SHOAL_OK)
        return;
    shoal_items_top(model->items, room, &query, 1, 5, picks, &count);
    require(count <= 5);
    for (size_t i = 0; i < count; i++)
        require(picks[i].item <= last && (i == 0 || !(picks[i].score > picks[i - 1].score)));
    shoal_items_room_destroy(room);
}

static void parse(const uint8_t *bytes, size_t size)
{
    struct shoal_model *model = NULL, *again = NULL;
    struct shoal_message message = {{0}};
    enum shoal_status status = shoal_model_parse(bytes, size, &model, &message);
    require((status == SHOAL_OK) == (model != NULL));
    require(status == SHOAL_OK || message.text[0]);
    if (!model)
        return;
    require(model->id != 0 && strlen(model->version) == 16);
    require(model->warm > 0 && model->warm < model->hot && model->hot < 1);
    for (size_t i = 0; i < model->params.count; i++)
        require(isfinite(model->params.block[i]));
    if (model->clusters) {
        float vector[SHOAL_VECTOR_MAX] = {1, -1};
        struct shoal_cluster_choice choice;
        shoal_clusters_assign(model->clusters, vector, &choice);
        require(shoal_clusters_successor(model->clusters, choice.id) == choice.id);
        require(choice.id != 0 && choice.margin >= 0 && choice.margin <= 1);
    }
    if (model->items)
        ask_items(model);
    struct shoal_buffer written = {0};
    status = shoal_model_serialize(model, &written);
    /* INVALID: weights so large that other events than those of the file lead to no number. */
    require(status == SHOAL_OK || status == SHOAL_INVALID);
    if (status == SHOAL_OK)
        require(shoal_model_parse(written.bytes, written.size, &again, &message) == SHOAL_OK);
    shoal_model_destroy(again);
    shoal_buffer_finish(&written);
    shoal_model_destroy(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint64_t checksum;
    parse(bytes, size);
    if (size < sizeof checksum)
        return 0;
    uint8_t *sealed = malloc(size);
    require(sealed != NULL);
    memcpy(sealed, bytes, size);
    checksum = shoal_hash(sealed, size - sizeof checksum);
    memcpy(sealed + size - sizeof checksum, &checksum, sizeof checksum);
    parse(sealed, size);
    free(sealed);
    return 0;
}

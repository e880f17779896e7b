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

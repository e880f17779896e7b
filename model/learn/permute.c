/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs dealt out anew; see permute.h. */
#include "model/learn/permute.h"

#include <stdlib.h>
#include <string.h>

#include "model/learn/random.h"

static const struct {
    const char *name, *text;
} inputs[SHOAL_INPUT_GROUPS] = {
#define X(name, text) {#name, text},
    SHOAL_INPUTS_LIST(X)
#undef X
};

_Static_assert(SHOAL_INPUT_GROUPS == SHOAL_INPUT_pv_1h + SHOAL_COUNTERS,
               "one input for each counter, in their order");

const char *shoal_input_name(enum shoal_input_group group)
{
    return inputs[group].name;
}

const char *shoal_input_text(enum shoal_input_group group)
{
    return inputs[group].text;
}

bool shoal_input_find(const char *name, size_t size, enum shoal_input_group *group)
{
    for (int i = 0; i < SHOAL_INPUT_GROUPS; i++)
        if (strlen(inputs[i].name) == size && memcmp(inputs[i].name, name, size) == 0) {
            *group = (enum shoal_input_group)i;
            return true;
        }
    return false;
}

/* `count` entries of `numeric` (features.h) from the first on. */
static void copy_numeric(struct shoal_features *to, const struct shoal_features *from,
                         size_t first, size_t count)
{
    memcpy(to->numeric + first, from->numeric + first, count * sizeof *to->numeric);
}

static void copy_input(enum shoal_input_group group, struct shoal_features *to, float *to_counters,
                       const struct shoal_features *from, const float *from_counters)
{
    switch (group) {
    case SHOAL_INPUT_behavior:
        to->behavior = from->behavior;
        break;
    case SHOAL_INPUT_item:
        to->item_row = from->item_row;
        break;
    case SHOAL_INPUT_category:
        to->category_row = from->category_row;
        break;
    case SHOAL_INPUT_gap:
        copy_numeric(to, from, 0, 1);
        break;
    case SHOAL_INPUT_hour:
        copy_numeric(to, from, 1, 2);
        break;
    case SHOAL_INPUT_weekday:
        copy_numeric(to, from, 3, 2);
        break;
    case SHOAL_INPUT_price:
        copy_numeric(to, from, 5, 1);
        break;
    case SHOAL_INPUT_repeats:
        copy_numeric(to, from, 6, 2);
        break;
    case SHOAL_INPUT_step:
        *to = *from;
        break;
    case SHOAL_INPUT_counters:
        memcpy(to_counters, from_counters, SHOAL_COUNTERS * sizeof *to_counters);
        break;
    default:
        to_counters[group - SHOAL_INPUT_pv_1h] = from_counters[group - SHOAL_INPUT_pv_1h];
    }
}

enum shoal_status shoal_permute(const struct shoal_examples *from, enum shoal_input_group group,
                                const size_t *events, size_t count, uint64_t seed,
                                struct shoal_examples *to)
{
    size_t *dealt = malloc((count + 1) * sizeof *dealt);
    if (!dealt)
        return SHOAL_NOMEM;
    memcpy(dealt, events, count * sizeof *dealt);
    uint64_t key = shoal_random_key(seed, SHOAL_RANDOM_PERMUTE);
    for (size_t i = count; i > 1; i--) { /* Fisher and Yates */
        size_t other = shoal_random_below(key, i, (uint32_t)i), event = dealt[i - 1];
        dealt[i - 1] = dealt[other];
        dealt[other] = event;
    }
    for (size_t i = 0; i < count; i++)
        copy_input(group, &to->features[events[i]], to->counters + events[i] * SHOAL_COUNTERS,
                   &from->features[dealt[i]], from->counters + dealt[i] * SHOAL_COUNTERS);
    free(dealt);
    return SHOAL_OK;
}

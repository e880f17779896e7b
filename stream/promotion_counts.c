/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions by promotion; see promotion_counts.h. */
#include "stream/promotion_counts.h"

#include <stdio.h>
#include <string.h>

static const char other[] = "(other)";

size_t shoal_promotion_counts_index(struct shoal_promotion_counts *counts, const char *id)
{
    for (size_t i = 0; i < counts->count; i++) {
        if (strcmp(counts->list[i].id, id) == 0)
            return i;
    }
    if (counts->count == SHOAL_PROMOTIONS_COUNTED_MAX)
        return SHOAL_PROMOTIONS_COUNTED_MAX - 1;
    if (counts->count == SHOAL_PROMOTIONS_COUNTED_MAX - 1)
        id = other;
    snprintf(counts->list[counts->count].id, sizeof counts->list->id, "%s", id);
    return counts->count++;
}

void shoal_promotion_counts_add(struct shoal_promotion_counts *sum,
                                const struct shoal_promotion_counts *one)
{
    for (size_t i = 0; i < one->count; i++) {
        size_t at = shoal_promotion_counts_index(sum, one->list[i].id);
        for (int eligible = 0; eligible < 2; eligible++) {
            for (int control = 0; control < 2; control++)
                sum->list[at].decisions[eligible][control] +=
                    one->list[i].decisions[eligible][control];
        }
    }
}

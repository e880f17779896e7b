/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean …?": the nearest of a few known names, for messages to people. */
#ifndef SHOAL_NEAREST_H
#define SHOAL_NEAREST_H

#include <stddef.h>

/* Edits that turn one text into the other: insert, delete, replace a byte, swap two neighbours
 * (Damerau-Levenshtein distance with optimal string alignment). Only the first 64 bytes of each are
 * looked at. */
size_t shoal_edit_distance(const char *a, const char *b);

/* Finds the nearest of many names fed one by one; at a tie the first. */
struct shoal_nearest {
    const char *wanted, *best; /* best: NULL until something near enough was fed */
    size_t distance;
};

void shoal_nearest_init(struct shoal_nearest *nearest, const char *wanted);
/* `known` must outlive `nearest`. A name counts as near when at most a third of it (and at least
 * two bytes) would have to change, or when it starts with what was wanted. */
void shoal_nearest_feed(struct shoal_nearest *nearest, const char *known);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Nearest known name; see nearest.h. */
#include "stream/nearest.h"

#include <stdbool.h>
#include <string.h>

enum { MOST = 64 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t shoal_edit_distance(const char *a, const char *b)
{
    size_t a_size = strnlen(a, MOST), b_size = strnlen(b, MOST);
    /* Three rows of the table d[i][j] = distance of the first i bytes of a and j of b. */
    size_t rows[3][MOST + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_size; j++)
        above[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t replace = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(replace, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[b_size];
}

void shoal_nearest_init(struct shoal_nearest *nearest, const char *wanted)
{
    *nearest = (struct shoal_nearest){.wanted = wanted, .distance = (size_t)-1};
}

void shoal_nearest_feed(struct shoal_nearest *nearest, const char *known)
{
    size_t size = strlen(nearest->wanted), known_size = strlen(known);
    size_t distance = shoal_edit_distance(nearest->wanted, known);
    size_t most = known_size / 3 < 2 ? 2 : known_size / 3;
    bool starts = size >= 3 && strncmp(nearest->wanted, known, size) == 0;
    if (!starts && (distance > most || distance >= known_size))
        return;
    if (distance < nearest->distance) {
        nearest->distance = distance;
        nearest->best = known;
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The view of `shoal top` as lines of text. */
#ifndef SHOAL_TOP_PRINT_H
#define SHOAL_TOP_PRINT_H

#include "tools/instances.h"

struct shoal_top_view {
    int columns, rows;  /* of the terminal; 0: as many as it takes */
    bool colour;
    const char *clock;  /* time of day, shown in the first line; NULL: none */
};

/* Appends the lines, each with its newline, none wider than the view, and no more than there are rows. Out of
 * memory shows in out->failed. */
void shoal_top_print(const struct shoal_instances *all, const struct shoal_top_view *view,
                     struct shoal_buffer *out);

/* "12.3 k", "1.20 M": three digits. */
void shoal_top_number(double value, char text[16]);
/* "350 us", "83 ms", "1.5 s", "2 h"; "-" for NaN. */
void shoal_top_duration(double seconds, char text[16]);

#endif

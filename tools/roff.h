/* SPDX-License-Identifier: Apache-2.0 */
/* Text as roff, for manual pages: what looks like a request, an escape or a typographic dash in the
 * source is printed as it stands. Beyond ASCII it writes \[uXXXX], which any locale renders. */
#ifndef SHOAL_ROFF_H
#define SHOAL_ROFF_H

#include <stdio.h>

/* The page's title line. `upper` is written in upper case; the date is that of the environment's
 * SOURCE_DATE_EPOCH (a package's changelog), or none, so that a build can be repeated bit for bit. */
void shoal_roff_title(FILE *out, const char *upper, int section, const char *version);
/* Words of a paragraph. A newline in the text begins a new paragraph. Ends the line. */
void shoal_roff_text(FILE *out, const char *text);
/* The same within a line: no newline is written, none is expected. Hyphens stay hyphens to type. */
void shoal_roff_literal(FILE *out, const char *text);
/* Lines as they are typed: no filling, a fixed-width font, indented. */
void shoal_roff_example(FILE *out, const char *text);

#endif

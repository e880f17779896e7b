/* SPDX-License-Identifier: Apache-2.0 */
/* The segment dimensions and traits (stream/dimensions.h) for people: deploy/segments.md is made of it. */
#ifndef SHOAL_DESCRIBE_DIMENSIONS_H
#define SHOAL_DESCRIBE_DIMENSIONS_H

#include <stdio.h>

/* As text for a terminal. */
void shoal_describe_dimensions(FILE *out);
/* As the page of the documentation. */
void shoal_describe_dimensions_markdown(FILE *out);

#endif

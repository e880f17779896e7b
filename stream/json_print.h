/* SPDX-License-Identifier: Apache-2.0 */
/* Values of JSON into a stream, for reports of commands (outputs of the pipeline are
 * stream/encode.h). */
#ifndef SHOAL_JSON_PRINT_H
#define SHOAL_JSON_PRINT_H

#include <stdint.h>
#include <stdio.h>

#include "model/learn/metrics.h"

/* Six decimals; null where it is not a number. */
void shoal_json_number(double value, FILE *out);
/* [low,high], or null where there is none. */
void shoal_json_interval(struct shoal_interval interval, FILE *out);
/* Each measure with its name and `name_ci`, separated by commas. */
void shoal_json_measures(const double values[SHOAL_MEASURE_COUNT],
                         const struct shoal_interval intervals[SHOAL_MEASURE_COUNT], FILE *out);
/* Quoted and escaped. A path need not be UTF-8, and a long reason may be cut within a character:
 * such bytes become U+FFFD. NULL is null. */
void shoal_json_text(const char *text, FILE *out);
/* "2017-12-02T00:00:00.000Z" */
void shoal_json_time(int64_t time_ms, FILE *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers with units as people write them in configuration and promotions, and durations as people
 * read them in decisions. */
#ifndef SHOAL_UNITS_H
#define SHOAL_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "100ms", "1s", "5m", "2h", "1d", also with a fraction ("1.5h") and in sequence ("1h30m"); "0"
 * needs no unit. False for anything else (negative, no unit, more than 100,000 days). */
bool shoal_duration_parse(const char *text, int64_t *duration_ms);
/* "100", "100B", "64KiB", "1MiB", "2GiB". False for anything else. */
bool shoal_bytes_parse(const char *text, int64_t *bytes);
/* Whole decimal number that fits int64_t, with a sign if negative; nothing around it. */
bool shoal_integer_parse(const char *text, int64_t *value);
/* Decimal number (C locale or not), finite; nothing around it. */
bool shoal_real_parse(const char *text, double *value);
/* "10%" or "0.1" → 0.1. */
bool shoal_share_parse(const char *text, double *share);

enum { SHOAL_DURATION_TEXT = 32 };
/* The two largest units that are not zero: "2h13m", "1d", "45s", "250ms", "0s". Cut off, not
 * rounded. Negative durations get a sign. Returns the length; zero-terminated. */
size_t shoal_duration_print(int64_t duration_ms, char text[SHOAL_DURATION_TEXT]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Objects and lists of JSON, value by value, with the commas between (single values: json_print.h);
 * and the way back for texts of an object's top level. Numbers that are not finite become null. */
#ifndef SHOAL_PUT_JSON_H
#define SHOAL_PUT_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "model/learn/metrics.h"

struct shoal_put {
    FILE *out;
    bool comma; /* a value stands before the next one */
};

/* key: NULL inside an array, and for the outermost. */
void shoal_put_open(struct shoal_put *put, const char *key, char bracket);     /* '{' or '[' */
void shoal_put_close(struct shoal_put *put, char bracket);                     /* '}' or ']' */
void shoal_put_text(struct shoal_put *put, const char *key, const char *text); /* NULL: null */
void shoal_put_int(struct shoal_put *put, const char *key, int64_t value);
void shoal_put_count(struct shoal_put *put, const char *key, uint64_t value);
void shoal_put_real(struct shoal_put *put, const char *key, double value);
void shoal_put_flag(struct shoal_put *put, const char *key, bool value);
void shoal_put_null(struct shoal_put *put, const char *key);
void shoal_put_time(struct shoal_put *put, const char *key, int64_t time_ms); /* RFC 3339 */
/* 16 hexadecimal digits: a hash does not fit a JSON number. */
void shoal_put_hash(struct shoal_put *put, const char *key, uint64_t hash);
/* Text that is JSON already. */
void shoal_put_raw(struct shoal_put *put, const char *key, const char *json);
/* roc_auc, roc_auc_ci, … of one set of values. */
void shoal_put_measures(struct shoal_put *put, const double values[SHOAL_MEASURE_COUNT],
                        const struct shoal_interval intervals[SHOAL_MEASURE_COUNT]);
/* n, users, base_rate and the measures, as `shoal evaluate --json` names them. */
void shoal_put_metrics(struct shoal_put *put, const struct shoal_metrics *metrics);

/* The text under `key` at the top level of an object on one line, cut to size; false if there is
 * none or the line is no whole object. */
bool shoal_line_text(const char *line, const char *key, char *text, size_t size);

#endif

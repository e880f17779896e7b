/* SPDX-License-Identifier: Apache-2.0 */
/* Named fields of a MessagePack map whose order is fixed, as model files have them: a name that is not the
 * expected one, or a value of another type or size, makes the reader fail (pack.h: its error is sticky). */
#ifndef SHOAL_FIELDS_H
#define SHOAL_FIELDS_H

#include "model/base/pack.h"

/* The next value is this text. False, and a failed reader, if not. */
bool shoal_fields_expect(struct shoal_unpack *in, const char *text);
/* `name`, and a map of just `count` pairs. */
void shoal_fields_map(struct shoal_unpack *in, const char *name, uint32_t count);
/* `name`, and a finite number within the range of float; 0 after an error. */
float shoal_fields_float(struct shoal_unpack *in, const char *name);
/* `name`, and a binary of just `count` floats, finite or not. */
void shoal_fields_floats(struct shoal_unpack *in, const char *name, float *values, size_t count);
/* `name` (NULL: the value alone), and a binary of up to `most` floats; returns how many. */
uint32_t shoal_fields_some_floats(struct shoal_unpack *in, const char *name, float *values,
                                  uint32_t most);

/* `name`, and a whole number of at most `max`; 0 after an error. */
uint64_t shoal_fields_uint(struct shoal_unpack *in, const char *name, uint64_t max);
/* Is a nil next, as a model without this part has it? It is then read; else nothing is. */
bool shoal_fields_absent(struct shoal_unpack *in);

void shoal_fields_pack_uint(struct shoal_buffer *out, const char *name, uint64_t value);
void shoal_fields_pack_float(struct shoal_buffer *out, const char *name, float value);
/* Writes `name` and a binary of floats. */
void shoal_fields_pack_floats(struct shoal_buffer *out, const char *name, const float *values,
                              size_t count);
/* True if no value is infinite or not a number. */
bool shoal_fields_finite(const float *values, size_t count);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Named fields; see fields.h. */
#include "model/fields.h"

#include <float.h>
#include <math.h>
#include <string.h>

bool shoal_fields_expect(struct shoal_unpack *in, const char *text)
{
    size_t size;
    const char *found = shoal_unpack_str(in, &size);
    if (found && size == strlen(text) && !memcmp(found, text, size))
        return true;
    shoal_unpack_fail(in);
    return false;
}

void shoal_fields_map(struct shoal_unpack *in, const char *name, uint32_t count)
{
    shoal_fields_expect(in, name);
    if (shoal_unpack_map(in, count) != count)
        shoal_unpack_fail(in);
}

void shoal_fields_floats(struct shoal_unpack *in, const char *name, float *values, size_t count)
{
    size_t size = 0;
    shoal_fields_expect(in, name);
    const void *bytes = shoal_unpack_bin(in, &size);
    if (bytes && size == count * sizeof *values)
        memcpy(values, bytes, size);
    else
        shoal_unpack_fail(in);
}

float shoal_fields_float(struct shoal_unpack *in, const char *name)
{
    shoal_fields_expect(in, name);
    double value = shoal_unpack_double(in);
    if (!(fabs(value) <= FLT_MAX))
        shoal_unpack_fail(in);
    return in->status == SHOAL_OK ? (float)value : 0.0f;
}

uint32_t shoal_fields_some_floats(struct shoal_unpack *in, const char *name, float *values,
                                  uint32_t most)
{
    size_t size = 0;
    if (name)
        shoal_fields_expect(in, name);
    const void *bytes = shoal_unpack_bin(in, &size);
    if (!bytes || size % sizeof *values || size / sizeof *values > most) {
        shoal_unpack_fail(in);
        return 0;
    }
    memcpy(values, bytes, size);
    return (uint32_t)(size / sizeof *values);
}

uint64_t shoal_fields_uint(struct shoal_unpack *in, const char *name, uint64_t max)
{
    shoal_fields_expect(in, name);
    return shoal_unpack_uint(in, max);
}

bool shoal_fields_absent(struct shoal_unpack *in)
{
    struct shoal_unpack ahead = *in;
    struct shoal_pack_value value;
    if (!shoal_unpack_next(&ahead, &value) || value.type != SHOAL_PACK_NIL)
        return false;
    *in = ahead;
    return true;
}

void shoal_fields_pack_uint(struct shoal_buffer *out, const char *name, uint64_t value)
{
    shoal_pack_text(out, name);
    shoal_pack_uint(out, value);
}

void shoal_fields_pack_float(struct shoal_buffer *out, const char *name, float value)
{
    shoal_pack_text(out, name);
    shoal_pack_float(out, value);
}

void shoal_fields_pack_floats(struct shoal_buffer *out, const char *name, const float *values,
                              size_t count)
{
    shoal_pack_text(out, name);
    shoal_pack_bin(out, values, count * sizeof *values);
}

bool shoal_fields_finite(const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return false;
    return true;
}

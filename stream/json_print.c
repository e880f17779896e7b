/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, texts and times as JSON; see json_print.h. */
#include "stream/json_print.h"

#include <math.h>
#include <stdbool.h>

#include "stream/event.h"

void shoal_json_number(double value, FILE *out)
{
    if (isfinite(value))
        fprintf(out, "%.6f", value);
    else
        fputs("null", out);
}

void shoal_json_interval(struct shoal_interval interval, FILE *out)
{
    if (!isfinite(interval.low) || !isfinite(interval.high)) {
        fputs("null", out);
        return;
    }
    fprintf(out, "[%.6f,%.6f]", interval.low, interval.high);
}

void shoal_json_measures(const double values[SHOAL_MEASURE_COUNT],
                         const struct shoal_interval intervals[SHOAL_MEASURE_COUNT], FILE *out)
{
    for (unsigned m = 0; m < SHOAL_MEASURE_COUNT; m++) {
        const char *name = shoal_measure_name((enum shoal_measure)m);
        fprintf(out, "%s\"%s\":", m ? "," : "", name);
        shoal_json_number(values[m], out);
        fprintf(out, ",\"%s_ci\":", name);
        shoal_json_interval(intervals[m], out);
    }
}

/* Bytes of the UTF-8 character at `text`; 0 if there is none (RFC 3629). */
static size_t utf8_size(const unsigned char *text)
{
    size_t size = text[0] < 0x80 ? 1 : text[0] < 0xc2 ? 0 : text[0] < 0xe0 ? 2
                  : text[0] < 0xf0 ? 3 : text[0] < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < size; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xf0 && text[1] < 0x90);
    bool surrogate = text[0] == 0xed && text[1] >= 0xa0;
    bool beyond = text[0] == 0xf4 && text[1] >= 0x90;
    return overlong || surrogate || beyond ? 0 : size;
}

void shoal_json_text(const char *text, FILE *out)
{
    if (!text) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    while (*text) {
        size_t size = utf8_size((const unsigned char *)text);
        unsigned char byte = (unsigned char)*text;
        if (size == 0)
            fputs("\\ufffd", out);
        else if (byte == '"' || byte == '\\')
            fprintf(out, "\\%c", byte);
        else if (byte < 0x20 || byte == 0x7f)
            fprintf(out, "\\u%04x", byte);
        else
            fwrite(text, 1, size, out);
        text += size ? size : 1;
    }
    fputc('"', out);
}

void shoal_json_time(int64_t time_ms, FILE *out)
{
    char text[25];
    shoal_time_print(time_ms, text);
    fprintf(out, "\"%s\"", text);
}

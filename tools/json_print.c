/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, texts and times as JSON; see json_print.h. */
#include "tools/json_print.h"

#include <math.h>

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

void shoal_json_text(const char *text, FILE *out)
{
    if (!text) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\')
            fprintf(out, "\\%c", byte);
        else if (byte < 0x20 || byte == 0x7f)
            fprintf(out, "\\u%04x", byte);
        else
            fputc(byte, out);
    }
    fputc('"', out);
}

void shoal_json_time(int64_t time_ms, FILE *out)
{
    char text[25];
    shoal_time_print(time_ms, text);
    fprintf(out, "\"%s\"", text);
}

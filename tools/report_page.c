/* SPDX-License-Identifier: Apache-2.0 */
/* The report as one page; see report_put.h. */
#include "tools/report_page.h"

#include <stdlib.h>

#include "tools/report_put.h"

/* JSON within a script element: '<' could begin "</script>" or "<!--", and none of the three can stand outside
 * a string. */
static void write_escaped(const char *json, size_t size, FILE *out)
{
    for (size_t i = 0; i < size; i++) {
        if (json[i] == '<' || json[i] == '>' || json[i] == '&')
            fprintf(out, "\\u%04x", (unsigned)json[i]);
        else
            fputc(json[i], out);
    }
}

enum shoal_status shoal_report_put_page(const struct shoal_report *report, FILE *out,
                                        struct shoal_message *message)
{
    char *json = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&json, &size);
    if (memory)
        shoal_report_put(report, memory);
    if (!memory || fclose(memory) != 0) {
        free(json);
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    }
    fwrite(shoal_report_page_head, 1, shoal_report_page_head_size, out);
    write_escaped(json, size, out);
    fwrite(shoal_report_page_tail, 1, shoal_report_page_tail_size, out);
    free(json);
    return SHOAL_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Text as roff; see roff.h. */
#include "tools/roff.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The code point at *text, which is moved behind it; a byte that is not UTF-8 stands for itself. */
static uint32_t next_point(const unsigned char **text)
{
    const unsigned char *at = *text;
    int more = at[0] >= 0xf0 ? 3 : at[0] >= 0xe0 ? 2 : at[0] >= 0xc0 ? 1 : 0;
    uint32_t point = more ? at[0] & (0x3fu >> more) : at[0];
    for (int i = 1; i <= more; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            *text = at + 1;
            return at[0];
        }
        point = point << 6 | (at[i] & 0x3fu);
    }
    *text = at + 1 + more;
    return point;
}

static void put(FILE *out, const char *text, size_t size, bool literal)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + size;
    while (at < end) {
        uint32_t point = next_point(&at);
        if (point >= 0x80)
            fprintf(out, "\\[u%04X]", (unsigned)point);
        else if (point == '\\')
            fputs("\\e", out);
        else if (point == '\'')
            fputs("\\(aq", out);
        else if (literal && strchr("`^~-", (int)point))
            fprintf(out, "%s", point == '`' ? "\\(ga" : point == '^' ? "\\(ha"
                               : point == '~' ? "\\(ti" : "\\-");
        else
            fputc((int)point, out);
    }
}

void shoal_roff_title(FILE *out, const char *upper, int section, const char *version)
{
    char date[32] = "";
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    time_t seconds = epoch ? (time_t)strtoll(epoch, NULL, 10) : 0;
    struct tm day;
    if (seconds > 0 && gmtime_r(&seconds, &day))
        strftime(date, sizeof date, "%Y-%m-%d", &day);
    fputs(".\\\" SPDX-License-Identifier: Apache-2.0\n.\\\" Made by shoal itself from the tables "
          "behind --help.\n.TH ", out);
    for (; *upper; upper++)
        fputc(toupper((unsigned char)*upper), out);
    fprintf(out, " %d \"%s\" \"shoal %s\" \"Shoal\"\n", section, date, version);
}

void shoal_roff_literal(FILE *out, const char *text)
{
    put(out, text, strlen(text), true);
}

/* Words that are typed, such as --set, keep their hyphens. Source lines are kept short. */
void shoal_roff_text(FILE *out, const char *text)
{
    enum { LINE_WIDTH = 72 };
    size_t column = 0;
    while (*text) {
        if (*text == '\n') {
            fputs(column ? "\n.PP\n" : "", out);
            column = 0;
            text++;
        } else if (*text == ' ') {
            text++;
        } else {
            size_t word = strcspn(text, " \n");
            bool breaks = column + 1 + word > LINE_WIDTH;
            if (column)
                fputc(breaks ? '\n' : ' ', out);
            if (*text == '.' && (breaks || !column))
                fputs("\\&", out);
            put(out, text, word, *text == '-' || strchr("\"(=", *text) != NULL);
            column = breaks ? word : column + 1 + word;
            text += word;
        }
    }
    fputc('\n', out);
}

void shoal_roff_example(FILE *out, const char *text)
{
    fputs(".RS 4\n.EX\n", out);
    while (*text) {
        size_t line = strcspn(text, "\n");
        if (*text == '.')
            fputs("\\&", out);
        put(out, text, line, true);
        fputc('\n', out);
        text += line + (text[line] == '\n');
    }
    fputs(".EE\n.RE\n", out);
}

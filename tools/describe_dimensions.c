/* SPDX-License-Identifier: Apache-2.0 */
/* The list of dimensions, with the options that say how each is measured; see describe_dimensions.h. */
#include "tools/describe_dimensions.h"

#include <string.h>

#include "stream/config.h"
#include "stream/dimensions.h"
#include "stream/timers.h"

enum { KEY_MAX = 80, WIDTH = 78 };

static const struct shoal_config_option *find_option(const char *key)
{
    size_t count;
    const struct shoal_config_option *options = shoal_config_options(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(options[i].key, key) == 0)
            return &options[i];
    }
    return NULL;
}

/* The next of a list of options separated by spaces; NULL at its end. */
static const struct shoal_config_option *next_option(const char **rest)
{
    char key[KEY_MAX];
    size_t size = strcspn(*rest, " ");
    if (size == 0)
        return NULL;
    snprintf(key, sizeof key, "segments.%.*s", (int)size, *rest);
    *rest += size;
    *rest += strspn(*rest, " ");
    return find_option(key);
}

/* Words in lines of at most WIDTH, each after `indent` spaces. */
static void print_wrapped(FILE *out, const char *text, int indent)
{
    size_t column = 0;
    while (*text) {
        size_t size = strcspn(text, " ");
        if (column > 0 && column + 1 + size > (size_t)(WIDTH - indent)) {
            fputc('\n', out);
            column = 0;
        }
        if (column == 0)
            column = (size_t)fprintf(out, "%*s%.*s", indent, "", (int)size, text) - (size_t)indent;
        else
            column += (size_t)fprintf(out, " %.*s", (int)size, text);
        text += size;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

void shoal_describe_dimensions(FILE *out)
{
    for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT; d++) {
        const struct shoal_dimension_info *info = shoal_dimension_info((enum shoal_dimension)d);
        fprintf(out, "%s%s: %s\n", info->name,
                shoal_dimension_is_trait((enum shoal_dimension)d) ? " (trait)" : "", info->levels);
        print_wrapped(out, info->definition, 4);
        const char *rest = info->options;
        for (const struct shoal_config_option *option; (option = next_option(&rest));)
            fprintf(out, "    %s: %s\n", option->key, option->standard);
    }
}

static void print_options(FILE *out, const char *rest)
{
    const char *comma = "";
    for (const struct shoal_config_option *option; (option = next_option(&rest));) {
        fprintf(out, "%s`%s` %s", comma, option->key + strlen("segments."), option->standard);
        comma = ", ";
    }
}

void shoal_describe_dimensions_markdown(FILE *out)
{
    fputs("# Segments\n\n"
          "Made by `shoal segments --dimensions --markdown` from `stream/dimensions.h`; a test holds "
          "the two\ntogether. Where a user stands in each dimension is kept with the user; a message "
          "is written to\n`shoal.segments` when it changes, and only then: `from` is null where there "
          "was nothing before, and\na trait is entered (null to `yes`) and left (`yes` to null). All "
          "times are event times.\n\n"
          "| dimension | levels | what it says | measured in | options (below `segments.`) and their "
          "defaults |\n|---|---|---|---|---|\n",
          out);
    for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT; d++) {
        const struct shoal_dimension_info *info = shoal_dimension_info((enum shoal_dimension)d);
        bool trait = shoal_dimension_is_trait((enum shoal_dimension)d);
        fprintf(out, "| `%s` | %s | %s | %s | ", info->name, trait ? "in it or not" : info->levels,
                info->definition, info->unit);
        print_options(out, info->options);
        fputs(" |\n", out);
    }
    fputs("\n`value`, `cluster` and `engagement` are there if the model has learnt them (`shoal train` "
          "says so). They\nand the traits are looked at from the user's fourth event on (before it, with a "
          "purchase), and when something\nfalls due: the traits with any event but a page view and with the "
          "first event in an hour, cluster and engagement\nwith a purchase and the first event in an hour, "
          "value with a purchase and the first event of a day (UTC).\n\n"
          "## Timers\n\n"
          "What happens because nothing happens falls due by the event time of the user's partition: "
          "`lapsing`,\n`inactive`, the end of `new` and `returning`, of a prediction, of "
          "`frequent_buyer` and\n`first_time_buyer`; and\n\n"
          "| timer | falls due when | default |\n|---|---|---|\n",
          out);
#define X(NAME, name, text)                                                                        \
    fprintf(out, "| `%s` | %s | `%s` |\n", name, text, find_option("timers.cart")->standard);
    SHOAL_TIMER_LIST(X)
#undef X
    fputs("\nA message about it bears the time at which it fell due as `event_time`. It is written when "
          "the\npartition's time enters the next minute after that. One event far ahead of the others "
          "(`timers.jump`)\nmoves no timer before two more users, or fifteen more events in a row, "
          "confirm the time. A partition\nto which no event comes is told the time by a message of "
          "Shoal's own in the events topic\n(`timers.idle`), so that a replay of the topic does the "
          "same; Shoal must be allowed to write there.\n",
          out);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* JSON objects of files, one a line, plain, gzip or zstd. */
#ifndef SHOAL_REPORT_LINES_H
#define SHOAL_REPORT_LINES_H

#include <stdint.h>

#include "tools/report_json.h"

struct shoal_lines {
    uint64_t lines,
        cut; /* objects read; files whose last line was cut off (its writer had not finished) */
};

/* What is to be done with one object; a failure ends the reading. */
typedef enum shoal_status shoal_line_taker(void *context, struct shoal_json_tree *tree,
                                           struct shoal_message *message);

/* Each line of `files` ("a,b,…"). Empty lines are skipped. A line that is no JSON object, or that `take`
 * refuses, ends it with "FILE:LINE: reason", except a last line without a newline that is cut off. A line may
 * have up to 1 MiB. A tombstone is given to `forget`: what came before of its user is not to count. NOT_FOUND, IO, BAD_JSON, NOMEM, or what `take` says. */
enum shoal_status shoal_lines_each(const char *files, shoal_line_taker *take,
                                   shoal_line_taker *forget, void *context,
                                   struct shoal_lines *lines,
                                   struct shoal_message *message) SHOAL_MUST_CHECK;

#endif

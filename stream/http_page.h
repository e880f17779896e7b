/* SPDX-License-Identifier: Apache-2.0 */
/* The dashboard's files, read into memory once at the start: a request never opens a file, so no path in it can lead
 * anywhere. A file NAME.gz beside NAME is what clients get that accept gzip. */
#ifndef SHOAL_HTTP_PAGE_H
#define SHOAL_HTTP_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/status.h"

struct shoal_http_page;

struct shoal_http_file {
    const char *name;  /* "index.html", "lib/echarts.js" */
    const char *type;  /* content type; static */
    const void *bytes;
    size_t size;
    const void *packed; /* gzip; NULL: there is none */
    size_t packed_size;
    char etag[24];      /* W/"…": it is the same for packed bytes */
};

/* `folder` "": where the page was installed, else beside the program as it was built. A folder that is named must
 * be there; without one, a page that says so stands in. IO, CONFIG, NOMEM. */
enum shoal_status shoal_http_page_load(const char *folder, struct shoal_http_page **page,
                                       struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_http_page_destroy(struct shoal_http_page *page);
/* By the path of a request ("/" is index.html); NULL: no such file. */
const struct shoal_http_file *shoal_http_page_find(const struct shoal_http_page *page,
                                                   const char *path);

#endif

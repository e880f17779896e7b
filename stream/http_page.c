/* SPDX-License-Identifier: Apache-2.0 */
/* The dashboard's files; see http_page.h. */
#include "stream/http_page.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/base/hash.h"
#include "model/base/pack.h"
#include "stream/yaml_tree.h"

enum { FILES_MAX = 256, DEPTH_MAX = 4, PATH_SIZE = 1024 };

struct entry {
    struct shoal_http_file file;
    char *name; /* owned */
    struct shoal_buffer bytes, packed;
};

struct shoal_http_page {
    struct entry *list;
    size_t count;
};

static const struct {
    const char *end, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".json", "application/json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".txt", "text/plain; charset=utf-8"},
    {".webmanifest", "application/manifest+json"},
};

static const char absent[] =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Shoal</title>"
    "<h1>Shoal is running</h1><p>Its dashboard was not built or is not installed "
    "(meson option <code>dashboard</code>, configuration <code>http.page</code>). What it would show is at "
    "<a href=\"/v1/overview\">/v1/overview</a>; all calls are described at "
    "<a href=\"/openapi.json\">/openapi.json</a>.</p></html>\n";

static const char *type_of(const char *name)
{
    const char *end = strrchr(name, '.');
    for (size_t i = 0; end && i < sizeof types / sizeof *types; i++) {
        if (strcmp(end, types[i].end) == 0)
            return types[i].type;
    }
    return NULL;
}

static void describe(struct entry *entry)
{
    entry->file.name = entry->name;
    entry->file.bytes = entry->bytes.bytes;
    entry->file.size = entry->bytes.size;
    if (entry->packed.size) {
        entry->file.packed = entry->packed.bytes;
        entry->file.packed_size = entry->packed.size;
    }
    snprintf(entry->file.etag, sizeof entry->file.etag, "W/\"%016" PRIx64 "\"",
             shoal_hash(entry->file.bytes ? entry->file.bytes : "", entry->file.size));
}

/* Reads a file and what stands packed beside it. */
static enum shoal_status add_file(struct shoal_http_page *page, const char *folder, const char *name,
                                  const char *type, struct shoal_message *message)
{
    char path[PATH_SIZE];
    if (page->count == FILES_MAX)
        return shoal_fail(message, SHOAL_CONFIG, "http.page: more than %d files", FILES_MAX);
    struct entry *entry = &page->list[page->count++];
    entry->name = strdup(name);
    entry->file.type = type;
    if (!entry->name)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    snprintf(path, sizeof path, "%s/%s", folder, name);
    enum shoal_status status = shoal_yaml_slurp(path, &entry->bytes, message);
    if (status != SHOAL_OK)
        return status;
    snprintf(path, sizeof path, "%s/%s.gz", folder, name);
    if (access(path, R_OK) == 0)
        status = shoal_yaml_slurp(path, &entry->packed, message);
    describe(entry);
    return status;
}

static enum shoal_status add_folder(struct shoal_http_page *page, const char *root, const char *below,
                                    int depth, struct shoal_message *message)
{
    char path[PATH_SIZE], name[512];
    snprintf(path, sizeof path, "%s/%s", root, below);
    DIR *dir = opendir(path);
    if (!dir)
        return shoal_fail(message, SHOAL_CONFIG, "http.page: %s cannot be read", path);
    enum shoal_status status = SHOAL_OK;
    for (struct dirent *one; status == SHOAL_OK && (one = readdir(dir));) {
        if (one->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s%s%.250s", below, *below ? "/" : "", one->d_name);
        const char *type = type_of(one->d_name);
        if (one->d_type == DT_DIR && depth < DEPTH_MAX)
            status = add_folder(page, root, name, depth + 1, message);
        else if (one->d_type == DT_REG && type)
            status = add_file(page, root, name, type, message);
    }
    closedir(dir);
    return status;
}

static bool has_page(const char *folder)
{
    char path[PATH_SIZE];
    int size = snprintf(path, sizeof path, "%s/index.html", folder);
    return size > 0 && (size_t)size < sizeof path && access(path, R_OK) == 0;
}

/* Where the page is if nobody says: as installed, or beside the program in its build folder. */
static bool find_folder(char *folder, size_t size)
{
    char program[PATH_SIZE / 2];
    snprintf(folder, size, "%s", SHOAL_PAGE_DIR);
    if (has_page(folder))
        return true;
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0)
        return false;
    program[length] = '\0';
    char *slash = strrchr(program, '/');
    if (!slash)
        return false;
    *slash = '\0';
    static const char *const beside[] = {"../share/shoal/page", "../stream/page/page", "../stream/page"};
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        snprintf(folder, size, "%s/%s", program, beside[i]);
        if (has_page(folder))
            return true;
    }
    return false;
}

static enum shoal_status stand_in(struct shoal_http_page *page, struct shoal_message *message)
{
    struct entry *entry = &page->list[page->count++];
    entry->name = strdup("index.html");
    entry->file.type = type_of("index.html");
    shoal_buffer_append(&entry->bytes, absent, sizeof absent - 1);
    if (!entry->name || entry->bytes.failed)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    describe(entry);
    return SHOAL_OK;
}

enum shoal_status shoal_http_page_load(const char *folder, struct shoal_http_page **result,
                                       struct shoal_message *message)
{
    char found[PATH_SIZE];
    *result = NULL;
    struct shoal_http_page *page = calloc(1, sizeof *page);
    if (page)
        page->list = calloc(FILES_MAX + 1, sizeof *page->list);
    if (!page || !page->list) {
        shoal_http_page_destroy(page);
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    }
    enum shoal_status status;
    if (folder[0] && !has_page(folder))
        status = shoal_fail(message, SHOAL_CONFIG, "http.page: there is no index.html in %s", folder);
    else if (folder[0] || find_folder(found, sizeof found))
        status = add_folder(page, folder[0] ? folder : found, "", 0, message);
    else
        status = stand_in(page, message);
    if (status != SHOAL_OK)
        shoal_http_page_destroy(page);
    else
        *result = page;
    return status;
}

void shoal_http_page_destroy(struct shoal_http_page *page)
{
    if (!page)
        return;
    for (size_t i = 0; i < page->count; i++) {
        free(page->list[i].name);
        shoal_buffer_finish(&page->list[i].bytes);
        shoal_buffer_finish(&page->list[i].packed);
    }
    free(page->list);
    free(page);
}

const struct shoal_http_file *shoal_http_page_find(const struct shoal_http_page *page, const char *path)
{
    if (*path++ != '/')
        return NULL;
    if (!*path)
        path = "index.html";
    for (size_t i = 0; i < page->count; i++) {
        if (strcmp(page->list[i].name, path) == 0)
            return &page->list[i].file;
    }
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal features`: what a model sees of every event, for programs that are not Shoal. One NumPy array
 * a file (.npy version 1.0): a header in text, then the bytes of the array; nothing to link against,
 * and the format is documented.
 *
 * Invariant: the values come from the functions that training and evaluation call, so a predictor
 * made elsewhere of these files knows what Shoal knows and is judged by the same labels. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "model/learn/examples.h"
#include "model/learn/labels.h"
#include "tools/commands.h"
#include "tools/load_events.h"
#include "tools/setup.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the headers written here say little-endian"
#endif

enum { PREFIX_BYTES = 10, ALIGNMENT = 64 };

/* A folder to write to and the first failure. */
struct folder {
    const char *path;
    char failure[512];
    bool failed;
};

/* One array that is being written. */
struct array {
    struct folder *folder;
    FILE *out;
    char path[4096];
};

static void fail(struct array *array)
{
    struct folder *folder = array->folder;
    if (!folder->failed)
        snprintf(folder->failure, sizeof folder->failure, "%.400s: %s", array->path,
                 strerror(errno));
    folder->failed = true;
}

/* Magic, version 1.0, length of the header, header: the data begin at a multiple of 64 bytes. */
static void write_header(const char *type, size_t rows, size_t columns, FILE *out)
{
    char text[256], shape[64];
    snprintf(shape, sizeof shape, columns ? "(%zu, %zu)" : "(%zu,)", rows, columns);
    int used = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }",
                        type, shape);
    size_t padded = (PREFIX_BYTES + (size_t)used + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    size_t length = padded - PREFIX_BYTES;
    const unsigned char prefix[PREFIX_BYTES] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)length, (unsigned char)(length >> 8),
    };
    fwrite(prefix, 1, sizeof prefix, out);
    fprintf(out, "%-*s\n", (int)length - 1, text);
}

/* Opens DIR/name.npy; columns 0: one dimension. After a failure nothing is written any more. */
static void array_open(struct array *array, struct folder *folder, const char *name,
                       const char *type, size_t rows, size_t columns)
{
    *array = (struct array){.folder = folder};
    snprintf(array->path, sizeof array->path, "%s/%s.npy", folder->path, name);
    if (folder->failed)
        return;
    array->out = fopen(array->path, "wb");
    if (array->out)
        write_header(type, rows, columns, array->out);
    else
        fail(array);
}

static void array_append(struct array *array, const void *bytes, size_t size)
{
    if (array->out)
        fwrite(bytes, 1, size, array->out);
}

static void array_close(struct array *array)
{
    if (!array->out)
        return;
    if (ferror(array->out) || fflush(array->out) != 0)
        fail(array);
    if (fclose(array->out) != 0)
        fail(array);
}

/* DIR/name.npy of `count` values that stand in records `stride` bytes apart. */
static void write_column(struct folder *folder, const char *name, const char *type,
                         const void *first, size_t size, size_t stride, size_t count)
{
    struct array array;
    array_open(&array, folder, name, type, count, 0);
    for (size_t i = 0; i < count; i++)
        array_append(&array, (const char *)first + i * stride, size);
    array_close(&array);
}

/* The same with `columns` floats a record. */
static void write_rows(struct folder *folder, const char *name, const float *first, size_t columns,
                       size_t stride, size_t count)
{
    struct array array;
    array_open(&array, folder, name, "<f4", count, columns);
    for (size_t i = 0; i < count; i++)
        array_append(&array, (const char *)first + i * stride, columns * sizeof(float));
    array_close(&array);
}

/* The ids as bytes of one length, padded with zeros. */
static void write_users(struct folder *folder, const struct shoal_dataset *dataset)
{
    char type[32], padded[256] = "";
    size_t width = 1;
    for (size_t user = 0; user < dataset->users_count; user++) {
        size_t size = strlen(shoal_dataset_user_id(dataset, user));
        width = size > width ? size : width;
    }
    snprintf(type, sizeof type, "|S%zu", width);
    struct array array;
    array_open(&array, folder, "users", type, dataset->users_count, 0);
    for (size_t user = 0; user < dataset->users_count; user++) {
        memset(padded, 0, sizeof padded);
        memcpy(padded, shoal_dataset_user_id(dataset, user),
               strlen(shoal_dataset_user_id(dataset, user)));
        array_append(&array, padded, width);
    }
    array_close(&array);
}

static void write_arrays(struct folder *folder, const struct shoal_dataset *dataset,
                         const struct shoal_examples *examples, const int8_t *labels)
{
    size_t count = dataset->events_count;
    const struct shoal_touch *touch = dataset->touches;
    const struct shoal_features *features = examples->features;
    write_users(folder, dataset);
    write_column(folder, "user", "<u4", dataset->owners, 4, 4, count);
    write_column(folder, "time_ms", "<i8", &touch->time_ms, 8, sizeof *touch, count);
    write_column(folder, "item", "<u4", &touch->item, 4, sizeof *touch, count);
    write_column(folder, "category", "<u2", &touch->category, 2, sizeof *touch, count);
    write_column(folder, "label", "|i1", labels, 1, 1, count);
    write_column(folder, "item_row", "<u4", &features->item_row, 4, sizeof *features, count);
    write_column(folder, "category_row", "<u4", &features->category_row, 4, sizeof *features,
                 count);
    write_column(folder, "behavior", "|u1", &features->behavior, 1, sizeof *features, count);
    write_rows(folder, "numeric", features->numeric, SHOAL_NUMERIC, sizeof *features, count);
    write_rows(folder, "rates", examples->counters, SHOAL_COUNTERS, SHOAL_COUNTERS * sizeof(float),
               count);
}

static int write_features(const struct shoal_cli_args *args, const struct shoal_dims *dims,
                          const struct shoal_dataset *dataset, int64_t end_ms)
{
    struct folder folder = {.path = shoal_cli_get(args, "out")};
    if (mkdir(folder.path, 0777) != 0 && errno != EEXIST)
        return shoal_cli_fail(args, SHOAL_EXIT_FAILED, "%s: %s", folder.path, strerror(errno));
    struct shoal_examples examples = {0};
    int8_t *labels = malloc(dataset->events_count + 1);
    if (!labels || shoal_examples_make(dataset, dims, &examples) != SHOAL_OK) {
        free(labels);
        return shoal_cli_fail(args, SHOAL_EXIT_FAILED, "out of memory with %zu events",
                              dataset->events_count);
    }
    shoal_labels_make(dataset, end_ms, labels);
    write_arrays(&folder, dataset, &examples, labels);
    shoal_examples_finish(&examples);
    free(labels);
    if (folder.failed)
        return shoal_cli_fail(args, SHOAL_EXIT_FAILED, "%s", folder.failure);
    fprintf(stderr, "%zu events of %zu users\n", dataset->events_count, dataset->users_count);
    return SHOAL_EXIT_OK;
}

static int load(const struct shoal_cli_args *args, const struct shoal_dims *dims,
                struct shoal_dataset *dataset)
{
    bool until_given;
    long long until_ms = 0;
    if (!shoal_cli_time(args, "until", &until_given, &until_ms))
        return SHOAL_EXIT_USAGE;
    struct shoal_load load = {.until_ms = until_given ? until_ms : INT64_MAX};
    int code = shoal_load_for(args, &load, dataset);
    if (code != SHOAL_EXIT_OK)
        return code;
    return write_features(args, dims, dataset, load.reached ? until_ms : dataset->last_ms);
}

static int run(const struct shoal_cli_args *args)
{
    long long items, categories;
    if (!shoal_cli_int(args, "item-buckets", 1, 1 << 22, &items) ||
        !shoal_cli_int(args, "category-buckets", 2, 1 << 22, &categories))
        return SHOAL_EXIT_USAGE;
    struct shoal_dims dims = shoal_dims_default();
    dims.item_buckets = (uint32_t)items;
    dims.category_buckets = (uint32_t)categories;
    struct shoal_dataset dataset;
    shoal_dataset_init(&dataset, dims.ring);
    int code = load(args, &dims, &dataset);
    shoal_dataset_finish(&dataset);
    return code;
}

static const struct shoal_cli_option options[] = {
    {"events", "FILE[,FILE…]", NULL,
     "events in order of arrival: JSON lines or CSV, plain, gzip or zstd; - for standard input",
     true, false},
    {"until", "TIME", NULL, "leave out events from here on (default: none); no label sees beyond it",
     false, false},
    {"out", "DIR", NULL, "folder for the arrays; made if it is not there", true, false},
    {"item-buckets", "N", "4096", "rows of the item table", false, false},
    {"category-buckets", "N", "1024", "rows of the category table", false, false},
    SHOAL_WALK_OPTIONS,
    {0},
};

const struct shoal_cli_command shoal_cmd_features = {
    .name = "features",
    .summary = "write what a model sees of every event",
    .description =
        "For predictors made elsewhere: the features, decayed counters and labels that train and "
        "evaluate work with, one NumPy array a file, events grouped by user in order of arrival. "
        "user (number), time_ms, label (1, 0, -1 where the 24 h reach past the end), item_row, "
        "category_row, behavior (0 pv, 1 cart, 2 fav, 3 buy), numeric (8: log gap, hour, weekday, "
        "price level, repeats), rates (12 decayed counters), item and category (hashes); users "
        "holds the ids by number. deploy/formats.md has the details.",
    .example = "shoal features --events events.csv.gz --out features",
    .options = options,
    .run = run,
};

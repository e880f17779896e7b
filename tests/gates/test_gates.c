/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about the source tree that no compiler checks: layers, one place for each library, headers
 * that stand alone, options in step with their documentation. Reads the tree at SHOAL_SOURCE. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/config.h"
#include "stream/yaml_tree.h"

static const char *source(void)
{
    const char *root = getenv("SHOAL_SOURCE");
    cr_assert_not_null(root, "SHOAL_SOURCE is not set");
    return root;
}

static char *read_file(const char *path)
{
    struct shoal_buffer bytes = {0};
    struct shoal_message message = {""};
    cr_assert_eq(shoal_yaml_slurp(path, &bytes, &message), SHOAL_OK, "%s", message.text);
    shoal_buffer_append(&bytes, "", 1);
    return (char *)bytes.bytes;
}

typedef void visit(const char *name, const char *text);

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

/* Calls `look` for each .c and .h below `folder` of the source tree; returns how many. */
static size_t each_file(const char *folder, const char *end, visit *look)
{
    char path[2048];
    snprintf(path, sizeof path, "%s/%s", source(), folder);
    DIR *dir = opendir(path);
    cr_assert_not_null(dir, "%s", path);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char name[1024];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", folder, entry->d_name);
        if (entry->d_type == DT_DIR) {
            count += each_file(name, end, look);
        } else if (ends_with(name, end)) {
            snprintf(path, sizeof path, "%s/%s", source(), name);
            char *text = read_file(path);
            look(name, text);
            free(text);
            count++;
        }
    }
    closedir(dir);
    return count;
}

/* Finds each #include of a text: its file name without the brackets. */
static const char *next_include(const char **at, char *name, size_t size)
{
    const char *found;
    while ((found = strstr(*at, "#include"))) {
        *at = found + strlen("#include");
        const char *open = *at + strspn(*at, " \t");
        if ((found != *at && *open != '"' && *open != '<'))
            continue;
        snprintf(name, size, "%.*s", (int)strcspn(open + 1, "\">\n"), open + 1);
        return name;
    }
    return NULL;
}

/* ---- layers -------------------------------------------------------------------------------- */

static const char *const layers[] = {"model/", "state/", "stream/", "tools/"};

static int layer_of(const char *name)
{
    for (int i = 0; i < 4; i++) {
        if (strncmp(name, layers[i], strlen(layers[i])) == 0)
            return i;
    }
    return -1;
}

static void check_layer(const char *name, const char *text)
{
    char include[512];
    for (const char *at = text; next_include(&at, include, sizeof include);) {
        int from = layer_of(name), to = layer_of(include);
        cr_expect(to <= from, "%s includes %s: a layer may use only those below it", name, include);
    }
}

Test(gates, a_layer_uses_only_the_layers_below_it)
{
    size_t count = 0;
    for (int i = 0; i < 4; i++) {
        char folder[16];
        snprintf(folder, sizeof folder, "%.*s", (int)strlen(layers[i]) - 1, layers[i]);
        count += each_file(folder, ".c", check_layer);
        count += each_file(folder, ".h", check_layer);
    }
    cr_assert_gt(count, 50, "only %zu files looked at", count);
}

/* ---- one place for each library ------------------------------------------------------------ */

static const struct {
    const char *include; /* how its headers begin */
    const char *places;  /* beginnings of the files that may include them, separated by blanks */
} libraries[] = {
    {"librdkafka/", "stream/kafka_ tests/"},
    {"hiredis", "state/redis_ tests/"},
    {"openssl/", "state/redis_tls.c"},
    {"microhttpd", "stream/http"},
    {"blis", "model/blas.c tests/"},
    {"cblas", "model/blas.c tests/"},
    {"msgpack", "model/base/pack.c"},
    {"yaml.h", "stream/yaml_tree.c"},
    {"jansson.h", "stream/kafka_stats.c"},
    {"curl/", "tools/fetch.c"},
    {"jsmn.h", "tools/report_json.c"},
    {"xxhash.h", "model/base/hash.c"},
    {"zlib.h", "stream/reader_input.c tests/"},
    {"zstd.h", "stream/reader_input.c tests/"},
    {"getopt.h", "tools/cli.c"},
    {"mpi.h", "model/learn/ranks_mpi.c"},
    {"nlopt.h", "model/learn/minimise.c"},
    {"onnx.pb-c.h", "tools/onnx_graph.c tests/"},
    {"protobuf-c", "tools/onnx_graph.c"},
    {"sodium", "stream/pseudonym.c"},
};

static bool is_place(const char *name, const char *places)
{
    while (*places) {
        size_t size = strcspn(places, " ");
        if (strncmp(name, places, size) == 0)
            return true;
        places += size;
        places += strspn(places, " ");
    }
    return false;
}

static void check_libraries(const char *name, const char *text)
{
    char include[512];
    for (const char *at = text; next_include(&at, include, sizeof include);) {
        for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
            if (strncmp(include, libraries[i].include, strlen(libraries[i].include)) == 0)
                cr_expect(is_place(name, libraries[i].places), "%s includes %s: only %s may", name,
                          include, libraries[i].places);
        }
    }
}

Test(gates, each_library_is_seen_in_one_place)
{
    const char *folders[] = {"model", "state", "stream", "tools", "tests"};
    for (size_t i = 0; i < 5; i++) {
        each_file(folders[i], ".c", check_libraries);
        each_file(folders[i], ".h", check_libraries);
    }
}

static void check_licence(const char *name, const char *text)
{
    static const char line[] = "/* SPDX-License-Identifier: Apache-2.0 */\n";
    cr_expect(strncmp(text, line, strlen(line)) == 0, "%s does not begin with the licence line",
              name);
}

Test(gates, every_source_file_begins_with_its_licence)
{
    const char *folders[] = {"model", "state", "stream", "tools", "tests"};
    for (size_t i = 0; i < 5; i++) {
        each_file(folders[i], ".c", check_licence);
        each_file(folders[i], ".h", check_licence);
    }
}

/* A test's own time limit: where tests run side by side, Criterion 2.4.1 (its BoxFort) loses the
 * record of a longer limit when a shorter one begins, which the leak checker then reports of a
 * program that passed. The program's limit in tests/meson.build is enough. */
static void check_limits(const char *name, const char *text)
{
    cr_expect_null(strstr(text, ", " ".timeout ="), "%s gives a test a limit of its own", name);
}

Test(gates, tests_leave_their_time_limit_to_meson)
{
    cr_assert_gt(each_file("tests", ".c", check_limits), 50);
}

/* ---- headers ------------------------------------------------------------------------------- */

static void compile_alone(const char *name, const char *text)
{
    const char *compiler = getenv("SHOAL_CC");
    char command[4096];
    snprintf(command, sizeof command,
             "%s -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror "
             "-I'%s' -include '%s/%s' -fsyntax-only -x c /dev/null",
             compiler ? compiler : "cc -march=native", source(), source(), name);
    cr_expect_eq(system(command), 0, "%s does not compile alone", name);
    /* A guard, so that it can be included twice. */
    cr_expect(strstr(text, "#ifndef SHOAL_") || strstr(text, "#pragma once"), "%s has no guard",
              name);
}

Test(gates, every_header_compiles_alone)
{
    size_t count = 0;
    const char *folders[] = {"model", "state", "stream", "tools"};
    for (size_t i = 0; i < 4; i++)
        count += each_file(folders[i], ".h", compile_alone);
    cr_assert_gt(count, 20);
}

/* ---- options ------------------------------------------------------------------------------- */

/* The two files that a sample must name, though the options have no default. */
static bool has_no_default(const char *key)
{
    return strcmp(key, "model.path") == 0 || strcmp(key, "promotions.path") == 0;
}

/* Walks the sample as the reader does: dotted name and text of each value. */
static size_t check_sample(const char *prefix, const struct shoal_yaml *map, bool *seen)
{
    size_t count, values = 0;
    const struct shoal_config_option *options = shoal_config_options(&count);
    for (const struct shoal_yaml *node = map->first; node; node = node->next) {
        char key[256];
        snprintf(key, sizeof key, "%s%s%s", prefix, *prefix ? "." : "", node->key);
        if (strcmp(key, "kafka") == 0)
            continue;
        if (node->kind == SHOAL_YAML_MAP) {
            values += check_sample(key, node, seen);
            continue;
        }
        for (size_t i = 0; i < count; i++) {
            if (strcmp(options[i].key, key) != 0)
                continue;
            seen[i] = true;
            values++;
            cr_expect(has_no_default(key) || strcmp(node->text, options[i].standard) == 0,
                      "deploy/shoal.yaml:%d: %s is '%s', the default is '%s'", node->line, key,
                      node->text, options[i].standard);
        }
    }
    return values;
}

Test(gates, the_sample_file_has_every_option_with_its_default)
{
    char path[2048];
    snprintf(path, sizeof path, "%s/deploy/shoal.yaml", source());
    char *text = read_file(path);
    struct shoal_arena arena;
    struct shoal_message message = {""};
    const struct shoal_yaml *root;
    shoal_arena_init(&arena, 16384);
    cr_assert_eq(shoal_yaml_parse(text, strlen(text), path, &arena, &root, &message), SHOAL_OK,
                 "%s", message.text);
    bool seen[256] = {false};
    size_t count;
    const struct shoal_config_option *options = shoal_config_options(&count);
    check_sample("", root, seen);
    for (size_t i = 0; i < count; i++)
        cr_expect(seen[i], "deploy/shoal.yaml does not have %s", options[i].key);
    shoal_arena_finish(&arena);
    free(text);
}

Test(gates, the_sample_file_is_accepted_as_it_stands)
{
    char path[2048];
    snprintf(path, sizeof path, "%s/deploy/shoal.yaml", source());
    struct shoal_config *config;
    struct shoal_message message = {""};
    cr_assert_eq(shoal_config_create(&config), SHOAL_OK);
    cr_assert_eq(shoal_config_read(config, path, &message), SHOAL_OK, "%s", message.text);
    cr_assert(ends_with(config->promotions_path, "/deploy/promotions.yaml"));
    shoal_config_destroy(config);
}

/* A page that a command makes is kept as it makes it. */
static void is_current(const char *arguments, const char *page)
{
    const char *program = getenv("SHOAL_PROGRAM");
    cr_assert_not_null(program, "SHOAL_PROGRAM is not set");
    char command[2048], path[2048], made[65536];
    snprintf(command, sizeof command, "'%s' %s", program, arguments);
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    made[fread(made, 1, sizeof made - 1, pipe)] = '\0';
    cr_assert_eq(pclose(pipe), 0);
    snprintf(path, sizeof path, "%s/deploy/%s", source(), page);
    char *kept = read_file(path);
    cr_assert(strcmp(made, kept) == 0, "deploy/%s is out of date: shoal %s > deploy/%s", page,
              arguments, page);
    free(kept);
}

Test(gates, the_pages_of_options_segments_and_metrics_are_current)
{
    is_current("top --list", "metrics.md");
    is_current("config --markdown", "options.md");
    is_current("segments --dimensions --markdown", "segments.md");
}

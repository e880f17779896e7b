/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stream/yaml_tree.h"

static struct shoal_arena arena;
static const struct shoal_yaml *root;
static struct shoal_message message;

static enum shoal_status parse(const char *yaml)
{
    shoal_arena_init(&arena, 4096);
    message.text[0] = '\0';
    return shoal_yaml_parse(yaml, strlen(yaml), "f.yaml", &arena, &root, &message);
}

static void refused(const char *yaml, const char *reason)
{
    cr_assert_eq(parse(yaml), SHOAL_CONFIG, "%s", yaml);
    cr_assert(strstr(message.text, reason), "got: %s", message.text);
    shoal_arena_finish(&arena);
}

Test(yaml_tree, keeps_order_kinds_and_lines)
{
    cr_assert_eq(parse("a: 1\nb:\n  c: [x, y]\n  d: \"two\\nlines\"\n\ne: ''\n"), SHOAL_OK);
    cr_assert_eq(root->kind, SHOAL_YAML_MAP);
    cr_assert_eq(root->count, 3);
    const struct shoal_yaml *a = root->first, *b = a->next, *e = b->next;
    cr_assert_str_eq(a->key, "a");
    cr_assert_str_eq(a->text, "1");
    cr_assert_eq(a->line, 1);
    cr_assert_eq(b->kind, SHOAL_YAML_MAP);
    cr_assert_eq(b->line, 2);
    cr_assert_eq(b->first->kind, SHOAL_YAML_LIST);
    cr_assert_eq(b->first->line, 3);
    cr_assert_str_eq(b->first->first->next->text, "y");
    cr_assert_null(b->first->first->key);
    cr_assert_str_eq(b->first->next->text, "two\nlines");
    cr_assert_str_eq(e->text, "");
    cr_assert_eq(e->line, 6);
    cr_assert_null(e->next);
    shoal_arena_finish(&arena);
}

Test(yaml_tree, an_empty_document_is_an_empty_map)
{
    const char *empty[] = {"", "# only a comment\n", "---\n", "\n\n"};
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(parse(empty[i]), SHOAL_OK, "%zu: %s", i, message.text);
        cr_assert_eq(root->kind, SHOAL_YAML_MAP);
        cr_assert_eq(root->count, 0);
        shoal_arena_finish(&arena);
    }
    shoal_arena_init(&arena, 100);
    cr_assert_eq(shoal_yaml_parse(NULL, 0, "f", &arena, &root, &message), SHOAL_OK);
    shoal_arena_finish(&arena);
}

Test(yaml_tree, refuses_what_is_not_one_well_formed_document)
{
    refused("a: 1\nb: [1, 2\n", "f.yaml:3: not YAML");
    refused("a: b: c\n", "f.yaml:1: not YAML");
    refused("a: 1\n---\nb: 2\n", "f.yaml:3: more than one document");
    refused("a: \xff\xfe\n", "not a text file");
    refused("a: \"x\\0y\"\n", "f.yaml:1: a text must not contain zero bytes");
    refused("a: *nowhere\n", "f.yaml:1");
}

Test(yaml_tree, refuses_duplicate_keys_and_keys_that_are_not_texts)
{
    refused("a: 1\nb: 2\na: 3\n", "f.yaml:3: 'a' stands here twice (first in line 1)");
    refused("x:\n  - {k: 1, k: 2}\n", "f.yaml:2: 'k' stands here twice");
    refused("? [a, b]\n: 1\n", "f.yaml:1: a key must be a text");
}

Test(yaml_tree, aliases_are_copied_and_cannot_blow_up)
{
    cr_assert_eq(parse("a: &x {k: v}\nb: *x\n"), SHOAL_OK);
    cr_assert_str_eq(root->first->next->first->text, "v");
    shoal_arena_finish(&arena);
    refused("a: &x [*x]\n", "nested too deeply");
    refused("a: &a [x,x,x,x,x,x,x,x,x,x]\n"
            "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
            "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
            "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
            "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n",
            "too many entries");
    char deep[2001];
    memset(deep, '[', 2000);
    deep[2000] = '\0';
    cr_assert_eq(parse(deep), SHOAL_CONFIG);
    shoal_arena_finish(&arena);
}

Test(yaml_tree, every_truncation_of_a_file_ends_in_a_status)
{
    const char yaml[] = "a: {b: [1, \"x\", 'y', *r], &r c: |\n  text\n}\n? d\n: !!str e\n";
    char part[sizeof yaml];
    for (size_t size = 0; size < sizeof yaml; size++) {
        memcpy(part, yaml, size);
        part[size] = '\0';
        enum shoal_status status = parse(part);
        cr_assert(status == SHOAL_OK || status == SHOAL_CONFIG);
        cr_assert(status == SHOAL_OK || message.text[0]);
        shoal_arena_finish(&arena);
    }
}

Test(yaml_tree, slurp_says_which_file_is_missing)
{
    struct shoal_buffer bytes = {0};
    cr_assert_eq(shoal_yaml_slurp("/nowhere/x.yaml", &bytes, &message), SHOAL_NOT_FOUND);
    cr_assert(strstr(message.text, "/nowhere/x.yaml"));
    cr_assert_eq(shoal_yaml_slurp("/tmp", &bytes, &message), SHOAL_IO);
    shoal_buffer_finish(&bytes);
}

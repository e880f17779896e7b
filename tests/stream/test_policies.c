/* SPDX-License-Identifier: Apache-2.0 */
/* The registry of policies: a file that changes, what is kept of it, and what is found again. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream/policies.h"

static const struct shoal_log quiet = {.level = SHOAL_ERROR + 1, .worker = -1};
static char folder[] = "/tmp/shoal-policies-XXXXXX", path[64];
static struct shoal_policies *policies;

static void put(const char *yaml)
{
    FILE *out = fopen(path, "w");
    cr_assert_not_null(out);
    fputs(yaml, out);
    cr_assert_eq(fclose(out), 0);
}

static enum shoal_status open_here(const char *history, bool keep, struct shoal_message *message)
{
    struct shoal_policies_options options = {.path = path, .history = history, .keep = keep};
    return shoal_policies_open(&options, &quiet, &policies, message);
}

static void setup(void)
{
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/p.yaml", folder);
    put("promotions: [{id: a}]\n");
}

static void teardown(void)
{
    char command[100];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(policies, .init = setup, .fini = teardown);

Test(policies, a_changed_file_is_taken_when_it_has_stood_still_for_two_looks)
{
    cr_assert_eq(open_here("", true, NULL), SHOAL_OK);
    uint64_t first = shoal_policies_latest_id(policies);
    cr_assert_not(shoal_policies_refresh(policies, &quiet));
    put("promotions: [{id: b}]\n");
    cr_assert_not(shoal_policies_refresh(policies, &quiet), "seen once");
    put("promotions: [{id: bb}]\n");
    cr_assert_not(shoal_policies_refresh(policies, &quiet), "it is being written");
    cr_assert(shoal_policies_refresh(policies, &quiet));
    cr_assert_neq(shoal_policies_latest_id(policies), first);
    const struct shoal_policy *policy = shoal_policies_latest(policies);
    cr_assert_str_eq(policy->promotions[0].id, "bb");
    shoal_policies_release(policies, policy);
    cr_assert_not(shoal_policies_refresh(policies, &quiet));
    cr_assert_eq(shoal_policies_count(policies), 1, "nobody holds the first one");
    shoal_policies_close(policies);
}

Test(policies, a_file_that_is_wrong_or_gone_changes_nothing)
{
    cr_assert_eq(open_here("", true, NULL), SHOAL_OK);
    uint64_t first = shoal_policies_latest_id(policies);
    put("promotions: [{id: b, limit: many}]\n");
    for (int i = 0; i < 4; i++)
        cr_assert_not(shoal_policies_refresh(policies, &quiet));
    unlink(path);
    for (int i = 0; i < 4; i++)
        cr_assert_not(shoal_policies_refresh(policies, &quiet));
    cr_assert_eq(shoal_policies_latest_id(policies), first);
    put("promotions: [{id: b}]\n");
    cr_assert_not(shoal_policies_refresh(policies, &quiet));
    cr_assert(shoal_policies_refresh(policies, &quiet), "and when it is right again it is taken");
    shoal_policies_close(policies);
}

Test(policies, what_was_used_is_found_again_by_another_process)
{
    const struct shoal_policy *policy;
    struct shoal_message message = {.text = ""};
    cr_assert_eq(open_here("", true, NULL), SHOAL_OK);
    uint64_t first = shoal_policies_latest_id(policies);
    put("promotions: [{id: b}]\n");
    (void)shoal_policies_refresh(policies, &quiet);
    cr_assert(shoal_policies_refresh(policies, &quiet));
    shoal_policies_close(policies);
    cr_assert_eq(open_here("", false, NULL), SHOAL_OK);
    cr_assert_eq(shoal_policies_find(policies, first, &policy, &message), SHOAL_OK, "%s", message.text);
    cr_assert_str_eq(policy->promotions[0].id, "a");
    const struct shoal_policy *again;
    cr_assert_eq(shoal_policies_find(policies, first, &again, NULL), SHOAL_OK);
    cr_assert_eq(again, policy, "it is read once");
    shoal_policies_release(policies, policy);
    shoal_policies_release(policies, again);
    cr_assert_eq(shoal_policies_count(policies), 1);
    cr_assert_eq(shoal_policies_find(policies, 12345, &policy, &message), SHOAL_NOT_FOUND);
    cr_assert_eq(shoal_policies_find(policies, 0, &policy, NULL), SHOAL_OK);
    cr_assert_null(policy);
    shoal_policies_close(policies);
}

Test(policies, a_kept_file_that_was_changed_is_not_taken_for_what_its_name_says)
{
    const struct shoal_policy *policy;
    char kept[128];
    cr_assert_eq(open_here("", true, NULL), SHOAL_OK);
    uint64_t first = shoal_policies_latest_id(policies);
    shoal_policies_close(policies);
    snprintf(kept, sizeof kept, "%s.history/%016llx.yaml", path, (unsigned long long)first);
    cr_assert_eq(access(kept, R_OK), 0, "%s", kept);
    put("promotions: [{id: b}]\n");
    FILE *out = fopen(kept, "a");
    fputs("# changed\n", out);
    fclose(out);
    cr_assert_eq(open_here("", true, NULL), SHOAL_OK);
    cr_assert_eq(shoal_policies_find(policies, first, &policy, NULL), SHOAL_DAMAGED);
    shoal_policies_close(policies);
}

Test(policies, a_change_that_cannot_be_kept_is_not_used)
{
    char history[80];
    snprintf(history, sizeof history, "%s/file", folder);
    FILE *out = fopen(history, "w"); /* a file where the folder should be */
    fclose(out);
    cr_assert_eq(open_here(history, true, NULL), SHOAL_OK, "at the start there is no other");
    uint64_t first = shoal_policies_latest_id(policies);
    put("promotions: [{id: b}]\n");
    for (int i = 0; i < 3; i++)
        cr_assert_not(shoal_policies_refresh(policies, &quiet));
    cr_assert_eq(shoal_policies_latest_id(policies), first);
    shoal_policies_close(policies);
}

Test(policies, without_a_file_there_is_none_for_good)
{
    struct shoal_policies_options options = {.path = "", .history = "", .keep = true};
    cr_assert_eq(shoal_policies_open(&options, &quiet, &policies, NULL), SHOAL_OK);
    cr_assert_null(shoal_policies_latest(policies));
    cr_assert_eq(shoal_policies_latest_id(policies), 0);
    cr_assert_not(shoal_policies_refresh(policies, &quiet));
    shoal_policies_close(policies);
    cr_assert_null(shoal_policies_latest(NULL));
    struct shoal_message message = {.text = ""};
    put("promotions: [{id: b, limit: many}]\n");
    cr_assert_eq(open_here("", true, &message), SHOAL_CONFIG);
    cr_assert(strstr(message.text, "p.yaml:1: limit"), "%s", message.text);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of a process's rights. Each test is a process of its own. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/rights.h"

static const struct shoal_log quiet = {.level = SHOAL_ERROR, .worker = -1};

/* A line of /proc/self/status: what stands behind its name. */
static void status_of(const char *name, char value[64])
{
    char line[256];
    FILE *file = fopen("/proc/self/status", "r");
    cr_assert_not_null(file);
    value[0] = '\0';
    while (fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            (void)sscanf(line + strlen(name), ": %63s", value);
    fclose(file);
}

Test(rights, no_capability_is_left_and_none_can_come_back)
{
    static const char *const sets[] = {"CapEff", "CapPrm", "CapInh", "CapAmb"};
    char value[64];
    shoal_rights_drop(false, &quiet);
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        status_of(sets[i], value);
        cr_assert_str_eq(value, "0000000000000000", "%s is %s", sets[i], value);
    }
    status_of("NoNewPrivs", value);
    cr_assert_str_eq(value, "1");
}

Test(rights, the_bounding_set_is_empty_where_it_may_be_cut_down)
{
    char value[64];
    bool may = prctl(PR_CAPBSET_READ, 8 /* CAP_SETPCAP */, 0, 0, 0) == 1 && geteuid() == 0;
    if (!may)
        cr_skip_test("this user has nothing to lose");
    shoal_rights_drop(false, &quiet);
    status_of("CapBnd", value);
    cr_assert_str_eq(value, "0000000000000000");
}

Test(rights, memory_is_not_dumped_unless_somebody_debugs)
{
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    shoal_rights_drop(true, &quiet);
    cr_assert_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
    shoal_rights_drop(false, &quiet);
    cr_assert_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
}

Test(rights, files_are_for_their_own_user_alone)
{
    char path[] = "/tmp/shoal-rights-XXXXXX", file_path[80];
    struct stat about;
    cr_assert_not_null(mkdtemp(path));
    (void)snprintf(file_path, sizeof file_path, "%s/file", path);
    shoal_rights_drop(false, &quiet);
    int file = open(file_path, O_WRONLY | O_CREAT, 0666);
    cr_assert_geq(file, 0);
    cr_assert_eq(fstat(file, &about), 0);
    cr_assert_eq(about.st_mode & 0777, 0600);
    close(file);
    unlink(file_path);
    rmdir(path);
}

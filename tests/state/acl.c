/* SPDX-License-Identifier: Apache-2.0 */
/* Reading deploy/redis.acl; see acl.h. */
#include "tests/state/acl.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t test_acl_words(int of_sentinels, const char *words[ACL_WORDS])
{
    static char line[1024];
    const char *root = getenv("SHOAL_SOURCE"), *begin = of_sentinels ? "#   user shoal " : "user shoal ";
    char path[1024];
    size_t count = 0;
    cr_assert_not_null(root, "SHOAL_SOURCE is not set");
    (void)snprintf(path, sizeof path, "%s/deploy/redis.acl", root);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    while (fgets(line, sizeof line, file) && strncmp(line, begin, strlen(begin)) != 0)
        line[0] = '\0';
    (void)fclose(file);
    cr_assert_neq(line[0], '\0', "no '%s' in %s", begin, path);
    for (char *at = line + strlen(begin); (at = strtok(at, " \n")) && count < ACL_WORDS; at = NULL)
        words[count++] = at;
    return count;
}

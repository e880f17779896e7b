/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stream/instance.h"

Test(instance, processes_of_a_group_get_different_names_and_a_freed_one_is_reused)
{
    struct shoal_instance a, b, c;
    char group[64];
    snprintf(group, sizeof group, "test-%d", (int)getpid());
    cr_assert_eq(shoal_instance_claim("", group, &a, NULL), SHOAL_OK);
    cr_assert_eq(shoal_instance_claim("", group, &b, NULL), SHOAL_OK);
    cr_assert_str_neq(a.name, b.name);
    shoal_instance_release(&a);
    cr_assert_eq(shoal_instance_claim("", group, &c, NULL), SHOAL_OK);
    cr_assert_str_eq(c.name, a.name);
    shoal_instance_release(&b);
    shoal_instance_release(&c);
}

Test(instance, another_group_has_names_of_its_own)
{
    struct shoal_instance a, b;
    char one[64], two[64];
    snprintf(one, sizeof one, "test-a-%d", (int)getpid());
    snprintf(two, sizeof two, "test-b-%d", (int)getpid());
    cr_assert_eq(shoal_instance_claim("", one, &a, NULL), SHOAL_OK);
    cr_assert_eq(shoal_instance_claim("", two, &b, NULL), SHOAL_OK);
    cr_assert_str_eq(a.name, b.name);
    shoal_instance_release(&a);
    shoal_instance_release(&b);
}

Test(instance, a_configured_name_is_taken_as_it_is)
{
    struct shoal_instance a;
    char longer[400];
    cr_assert_eq(shoal_instance_claim("web-7", "g", &a, NULL), SHOAL_OK);
    cr_assert_str_eq(a.name, "web-7");
    shoal_instance_release(&a);
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    cr_assert_eq(shoal_instance_claim(longer, "g", &a, NULL), SHOAL_CONFIG);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "model/clusters.h"
#include "state/record.h"
#include "stream/dimensions.h"

Test(dimensions, a_record_has_room_for_all_of_them)
{
    cr_assert_leq((int)SHOAL_DIMENSION_COUNT, (int)SHOAL_DIMENSIONS_MAX);
}

/* The list names the levels for people; the names in outputs must be those. */
Test(dimensions, levels_are_named_as_the_list_says)
{
    for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT; d++) {
        enum shoal_dimension dimension = (enum shoal_dimension)d;
        const struct shoal_dimension_info *info = shoal_dimension_info(dimension);
        char levels[100] = "";
        cr_assert_str_eq(info->name, shoal_dimension_name(dimension));
        if (dimension == SHOAL_CLUSTER)
            continue;
        for (unsigned level = 1; level <= shoal_level_count(dimension); level++) {
            strcat(levels, level > 1 ? " " : "");
            strcat(levels, shoal_level_name(dimension, (uint8_t)level));
        }
        cr_assert_str_eq(levels, info->levels, "%s", info->name);
    }
}

Test(dimensions, no_two_share_a_name_and_keys_are_names_in_json)
{
    for (unsigned a = 0; a < SHOAL_DIMENSION_COUNT; a++) {
        const struct shoal_dimension_info *info = shoal_dimension_info((enum shoal_dimension)a);
        char key[100];
        (void)snprintf(key, sizeof key, "\"%s\":", info->name);
        cr_assert_str_eq(info->key, key);
        for (unsigned b = 0; b < a; b++)
            cr_assert_str_neq(info->name, shoal_dimension_name((enum shoal_dimension)b));
    }
}

Test(dimensions, levels_that_do_not_exist_have_no_name)
{
    for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT; d++) {
        enum shoal_dimension dimension = (enum shoal_dimension)d;
        unsigned count = shoal_level_count(dimension);
        cr_assert_null(shoal_level_name(dimension, 0));
        cr_assert_geq(count, 1);
        for (unsigned level = 1; level <= SHOAL_LEVELS_MAX; level++)
            cr_assert_eq(shoal_level_name(dimension, (uint8_t)level) != NULL, level <= count,
                         "%s, level %u", shoal_dimension_name(dimension), level);
    }
}

Test(dimensions, every_cluster_is_named_by_its_number)
{
    cr_assert_eq(shoal_level_count(SHOAL_CLUSTER), SHOAL_CLUSTER_IDS);
    for (unsigned id = 1; id <= SHOAL_CLUSTER_IDS; id++) {
        char name[8];
        (void)snprintf(name, sizeof name, "c%u", id);
        cr_assert_str_eq(shoal_level_name(SHOAL_CLUSTER, (uint8_t)id), name);
    }
}

Test(dimensions, traits_are_those_with_the_one_level_yes)
{
    for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT; d++) {
        enum shoal_dimension dimension = (enum shoal_dimension)d;
        bool yes = shoal_level_count(dimension) == 1 &&
                   strcmp(shoal_level_name(dimension, SHOAL_YES), "yes") == 0;
        cr_assert_eq(shoal_dimension_is_trait(dimension), yes, "%s",
                     shoal_dimension_name(dimension));
    }
}

Test(dimensions, a_set_of_levels_has_what_was_added)
{
    struct shoal_levels levels = {{0}};
    cr_assert_not(shoal_levels_any(&levels));
    for (unsigned level = 0; level <= SHOAL_LEVELS_MAX; level += 5)
        shoal_levels_add(&levels, (uint8_t)level);
    for (unsigned level = 0; level <= SHOAL_LEVELS_MAX; level++)
        cr_assert_eq(shoal_levels_has(&levels, (uint8_t)level), level % 5 == 0);
    for (unsigned level = 0; level <= SHOAL_LEVELS_MAX; level++) {
        struct shoal_levels one = {{0}};
        shoal_levels_add(&one, (uint8_t)level);
        cr_assert(shoal_levels_any(&one));
    }
}

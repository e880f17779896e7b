/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "state/redis_keys.h"

Test(redis_keys, keys_of_a_partition_share_a_hash_tag)
{
    cr_assert_str_eq(shoal_redis_key_users("shop.events", 12).text, "{shop.events/12}:");
    cr_assert_eq(shoal_redis_key_users("shop.events", 12).size, 17);
    cr_assert_str_eq(shoal_redis_key_checkpoint("shop.events", 12).text,
                     "{shop.events/12}#checkpoint");
    cr_assert_str_eq(shoal_redis_key_partitions("shop.events").text, "{shop.events}#partitions");
}

Test(redis_keys, pattern_takes_the_topic_literally)
{
    cr_assert_str_eq(shoal_redis_key_pattern("a*b?[c]\\^-").text, "{a\\*b\\?\\[c\\]\\\\\\^\\-/*");
}

Test(redis_keys, user_key_is_taken_apart_again)
{
    static const char key[] = "{t/7}:a}:\0b";
    int32_t partition;
    struct shoal_slice user;
    cr_assert(shoal_redis_key_parse("t", key, sizeof key - 1, &partition, &user));
    cr_assert_eq(partition, 7);
    cr_assert_eq(user.size, 5);
    cr_assert_eq(memcmp(user.bytes, "a}:\0b", 5), 0);
}

Test(redis_keys, other_keys_are_not_taken_for_users)
{
    static const char *const others[] = {
        "",
        "{",
        "{t",
        "{t/",
        "{t/1",
        "{t/1}",
        "{t/1}:",
        "{t/}:u",
        "{t/01}:u",
        "{t/x}:u",
        "{t/1x}:u",
        "{t/1}#checkpoint",
        "t/1}:u",
        "{T/1}:u",
        "{tt/1}:u",
        "{t/2147483648}:u",
        "{t/99999999999}:u",
        "{t}#partitions",
    };
    int32_t partition;
    struct shoal_slice user;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        cr_assert_not(shoal_redis_key_parse("t", others[i], strlen(others[i]), &partition, &user),
                      "%s", others[i]);
}

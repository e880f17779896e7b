/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "state/redis_keys.h"
#include "state/redis_slots.h"

static unsigned slot(const char *key)
{
    return shoal_redis_slot(key, strlen(key));
}

/* From the specification ("123456789" has CRC 0x31C3), and as CLUSTER KEYSLOT of a server says. */
Test(redis_slots, slots_are_those_of_the_specification)
{
    cr_assert_eq(slot("123456789"), 0x31C3);
    cr_assert_eq(slot("foo"), 12182);
    cr_assert_eq(slot("somekey"), 11058);
    cr_assert_eq(slot(""), 0);
}

Test(redis_slots, only_the_first_braces_count_and_only_if_something_is_in_them)
{
    cr_assert_eq(slot("{user1000}.following"), slot("{user1000}.followers"));
    cr_assert_eq(slot("a{user1000}"), slot("user1000"));
    cr_assert_eq(slot("foo{bar}{zap}"), slot("bar"));
    cr_assert_eq(slot("foo{{bar}}zap"), slot("{bar"));
    cr_assert_eq(slot("foo{}{bar}"), 8363); /* the whole key */
    cr_assert_eq(slot("foo{bar"), slot("foo{bar"));
    cr_assert_neq(slot("foo{bar"), slot("bar"));
}

Test(redis_slots, everything_of_a_partition_is_in_one_slot)
{
    struct shoal_redis_key users = shoal_redis_key_users("shop.events", 7);
    struct shoal_redis_key checkpoint = shoal_redis_key_checkpoint("shop.events", 7);
    struct shoal_redis_key timers = shoal_redis_key_timers("shop.events", 7);
    unsigned expected = slot("shop.events/7");
    cr_assert_eq(shoal_redis_slot(users.text, users.size), expected);
    cr_assert_eq(shoal_redis_slot(checkpoint.text, checkpoint.size), expected);
    cr_assert_eq(shoal_redis_slot(timers.text, timers.size), expected);
}

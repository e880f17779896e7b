/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/learn/dataset.h"
#include "tests/state/leaks.h"

static void append(struct shoal_dataset *dataset, const char *user, int64_t time_ms, uint64_t event_id,
                   float amount)
{
    struct shoal_touch touch = {.time_ms = time_ms, .item = (uint32_t)time_ms};
    struct shoal_extra extra = {.event_id = event_id, .amount = amount};
    cr_assert_eq(shoal_dataset_append_event(dataset, user, strlen(user), &touch, &extra), SHOAL_OK);
}

static void forget(struct shoal_dataset *dataset, const char *user)
{
    cr_assert_eq(shoal_dataset_forget(dataset, user, strlen(user)), SHOAL_OK);
}

static size_t events_of(const struct shoal_dataset *dataset, const char *user)
{
    uint32_t number;
    if (!shoal_dataset_find_user(dataset, user, strlen(user), &number))
        return 0;
    cr_assert_str_eq(shoal_dataset_user_id(dataset, number), user);
    return dataset->first[number + 1] - dataset->first[number];
}

Test(dataset, who_is_forgotten_keeps_only_what_came_afterwards)
{
    struct shoal_dataset dataset;
    shoal_dataset_init(&dataset, 4);
    append(&dataset, "a", 1000, 1, 5);
    append(&dataset, "b", 2000, 0, NAN);
    append(&dataset, "a", 9000, 2, NAN);
    append(&dataset, "c", 3000, 0, 7);
    forget(&dataset, "a");
    forget(&dataset, "nobody");
    append(&dataset, "a", 4000, 1, 8); /* neither late nor a repeat: of another life */
    append(&dataset, "b", 5000, 0, 9);
    forget(&dataset, "c");
    cr_assert_eq(shoal_dataset_group(&dataset), SHOAL_OK);
    cr_assert_eq(dataset.events_count, 3);
    cr_assert_eq(dataset.users_count, 2);
    cr_assert_eq(events_of(&dataset, "a"), 1);
    cr_assert_eq(events_of(&dataset, "b"), 2);
    cr_assert_eq(events_of(&dataset, "c"), 0);
    cr_assert_eq(dataset.late_count + dataset.repeated_count, 0);
    cr_assert_eq(dataset.first_ms, 2000);
    cr_assert_eq(dataset.last_ms, 5000);
    uint32_t a;
    cr_assert(shoal_dataset_find_user(&dataset, "a", 1, &a));
    cr_assert_eq(dataset.touches[dataset.first[a]].time_ms, 4000);
    cr_assert_eq(shoal_dataset_extra(&dataset, dataset.first[a]).amount, 8);
    shoal_dataset_finish(&dataset);
    test_no_leaks();
}

/* Through several sizes of the table and of the lists. */
Test(dataset, many_are_forgotten_and_the_others_stay_as_they_are)
{
    enum { MANY = 20000 };
    struct shoal_dataset dataset;
    char user[16];
    shoal_dataset_init(&dataset, 4);
    for (int i = 0; i < 3 * MANY; i++) {
        (void)snprintf(user, sizeof user, "u%d", i % MANY);
        if (i % MANY % 3 == 0 && i / MANY == 1)
            forget(&dataset, user);
        append(&dataset, user, 1000 + i, 0, i % 5 ? NAN : (float)i);
    }
    cr_assert_eq(shoal_dataset_group(&dataset), SHOAL_OK);
    cr_assert_eq(dataset.users_count, MANY);
    for (int i = 0; i < MANY; i++) {
        uint32_t number;
        (void)snprintf(user, sizeof user, "u%d", i);
        cr_assert_eq(events_of(&dataset, user), i % 3 == 0 ? 2 : 3);
        cr_assert(shoal_dataset_find_user(&dataset, user, strlen(user), &number));
        cr_assert_eq(dataset.touches[dataset.first[number]].time_ms, 1000 + i + (i % 3 == 0) * MANY);
    }
    shoal_dataset_finish(&dataset);
}

Test(dataset, a_set_of_the_forgotten_is_empty)
{
    struct shoal_dataset dataset;
    shoal_dataset_init(&dataset, 4);
    append(&dataset, "a", 1000, 0, NAN);
    forget(&dataset, "a");
    cr_assert_eq(shoal_dataset_group(&dataset), SHOAL_OK);
    cr_assert_eq(dataset.events_count + dataset.users_count, 0);
    cr_assert_eq(dataset.first_ms, 0);
    shoal_dataset_finish(&dataset);
    test_no_leaks();
}

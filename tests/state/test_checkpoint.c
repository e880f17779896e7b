/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "state/checkpoint.h"
#include "tests/state/leaks.h"

static const struct shoal_checkpoint held = {
    .next_offset = 100, .epoch = 3, .owner = 77, .model = 5, .saves = 4};

static enum shoal_status guard(const struct shoal_checkpoint *found, uint64_t tried, bool *lost)
{
    struct shoal_message message = {{0}};
    enum shoal_status status = shoal_checkpoint_guard(&held, tried, found, 0, lost, &message);
    cr_assert_eq(status == SHOAL_OK, message.text[0] == '\0');
    return status;
}

Test(checkpoint, bytes_come_back)
{
    struct shoal_buffer bytes = {0};
    struct shoal_checkpoint values[] = {
        held, shoal_checkpoint_none(), {INT64_MAX, UINT64_MAX - 1, UINT64_MAX, UINT64_MAX, 9}};
    for (size_t i = 0; i < 3; i++) {
        struct shoal_checkpoint back;
        shoal_buffer_clear(&bytes);
        shoal_checkpoint_encode(&values[i], &bytes);
        cr_assert_eq(shoal_checkpoint_decode(bytes.bytes, bytes.size, &back), SHOAL_OK);
        cr_assert_eq(memcmp(&back, &values[i], sizeof back), 0);
        for (size_t size = 0; size < bytes.size; size++)
            cr_assert_eq(shoal_checkpoint_decode(bytes.bytes, size, &back), SHOAL_DAMAGED);
    }
    shoal_buffer_append(&bytes, "x", 1);
    struct shoal_checkpoint back;
    cr_assert_eq(shoal_checkpoint_decode(bytes.bytes, bytes.size, &back), SHOAL_DAMAGED);
    bytes.bytes[1] = 2;
    cr_assert_eq(shoal_checkpoint_decode(bytes.bytes, bytes.size, &back), SHOAL_VERSION);
    shoal_buffer_finish(&bytes);
    test_no_leaks();
}

Test(checkpoint, owner_goes_on_from_its_own_last_save)
{
    bool lost;
    cr_assert_eq(guard(&held, 4, &lost), SHOAL_OK);
    test_no_leaks();
}

Test(checkpoint, save_whose_answer_was_lost_counts_as_done)
{
    bool lost;
    struct shoal_checkpoint found = held;
    found.saves = 6;
    found.next_offset = 120;
    cr_assert_eq(guard(&found, 6, &lost), SHOAL_OK);
    cr_assert_eq(guard(&found, 5, &lost), SHOAL_FENCED);
    test_no_leaks();
}

Test(checkpoint, older_or_missing_one_means_lost_writes)
{
    bool lost;
    struct shoal_checkpoint found = held;
    found.saves = 3;
    cr_assert_eq(guard(&found, 4, &lost), SHOAL_FENCED);
    cr_assert(lost);
    found = held;
    found.epoch = 2, found.owner = 11;
    cr_assert_eq(guard(&found, 4, &lost), SHOAL_FENCED);
    cr_assert(lost);
    cr_assert_eq(guard(NULL, 4, &lost), SHOAL_FENCED);
    cr_assert(lost);
    test_no_leaks();
}

Test(checkpoint, other_owner_is_recognised)
{
    bool lost = true;
    struct shoal_checkpoint found = held;
    found.epoch = 4, found.owner = 11;
    cr_assert_eq(guard(&found, 4, &lost), SHOAL_FENCED);
    cr_assert_not(lost);
    found.epoch = 3;
    cr_assert_eq(guard(&found, 4, &lost), SHOAL_FENCED);
    cr_assert_not(lost);
    test_no_leaks();
}

Test(checkpoint, taking_over_keeps_offset_and_model)
{
    struct shoal_checkpoint taken = shoal_checkpoint_take(&held, 99);
    cr_assert_eq(taken.next_offset, 100);
    cr_assert_eq(taken.model, 5);
    cr_assert_eq(taken.epoch, 4);
    cr_assert_eq(taken.owner, 99);
    cr_assert_eq(taken.saves, 0);
    test_no_leaks();
}

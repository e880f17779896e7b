/* SPDX-License-Identifier: Apache-2.0 */
/* Every row of the recovery table. */
#include <criterion/criterion.h>
#include <string.h>

#include "stream/recovery.h"

static struct shoal_recovery_input input(int64_t saved, int64_t committed, int64_t low)
{
    return (struct shoal_recovery_input){
        .partition = 3, .saved = saved, .committed = committed, .low = low, .grown_at = -1,
        .exactly_once = true};
}

static struct shoal_recovery plan_of(const struct shoal_recovery_input *in)
{
    struct shoal_recovery plan;
    struct shoal_message message = {.text = ""};
    cr_assert_eq(shoal_recovery_plan(in, &plan, &message), SHOAL_OK, "%s", message.text);
    return plan;
}

Test(recovery, a_new_group_begins_at_the_start_of_the_log)
{
    struct shoal_recovery_input in = input(-1, -1, 17);
    struct shoal_recovery plan = plan_of(&in);
    cr_assert_eq(plan.start, 17);
    cr_assert_lt(plan.suppress_until, 17);
    cr_assert_eq(plan.gone, 0);
}

Test(recovery, equal_offsets_go_on_where_they_are)
{
    struct shoal_recovery_input in = input(100, 100, 0);
    struct shoal_recovery plan = plan_of(&in);
    cr_assert_eq(plan.start, 100);
    cr_assert_eq(plan.suppress_until, 100);
}

Test(recovery, states_behind_the_commit_are_replayed_silently)
{
    struct shoal_recovery_input in = input(40, 100, 0);
    struct shoal_recovery plan = plan_of(&in);
    cr_assert_eq(plan.start, 40);
    cr_assert_eq(plan.suppress_until, 100);
}

Test(recovery, a_store_that_lost_everything_is_rebuilt_from_the_log)
{
    struct shoal_recovery_input in = input(-1, 100, 0);
    struct shoal_recovery plan = plan_of(&in);
    cr_assert_eq(plan.start, 0);
    cr_assert_eq(plan.suppress_until, 100);
}

Test(recovery, offsets_moved_back_are_refused_with_both_offsets_and_both_ways_out)
{
    struct shoal_recovery_input in = input(777, 123, 0);
    struct shoal_recovery plan;
    struct shoal_message message;
    cr_assert_eq(shoal_recovery_plan(&in, &plan, &message), SHOAL_OFFSETS_MOVED);
    cr_assert(strstr(message.text, "777") && strstr(message.text, "123"));
    cr_assert(strstr(message.text, "follow_states") && strstr(message.text, "reset_states"));
    in.when_moved = SHOAL_MOVED_FOLLOW_STATES;
    plan = plan_of(&in);
    cr_assert_eq(plan.start, 777);
    cr_assert_eq(plan.suppress_until, 777);
    cr_assert_not(plan.reset);
    in.when_moved = SHOAL_MOVED_RESET_STATES;
    plan = plan_of(&in);
    cr_assert_eq(plan.start, 0);
    cr_assert_eq(plan.suppress_until, 123);
    cr_assert(plan.reset);
}

Test(recovery, expired_group_offsets_count_as_moved_unless_nothing_was_lost)
{
    struct shoal_recovery_input in = input(50, -1, 0);
    struct shoal_recovery plan;
    cr_assert_eq(shoal_recovery_plan(&in, &plan, NULL), SHOAL_OFFSETS_MOVED);
    in = input(50, -1, 50);
    plan = plan_of(&in);
    cr_assert_eq(plan.start, 50);
    cr_assert_eq(plan.suppress_until, 50);
}

Test(recovery, events_past_retention_are_counted_and_refused_unless_allowed)
{
    struct shoal_recovery_input in = input(40, 100, 60);
    struct shoal_recovery plan;
    struct shoal_message message;
    cr_assert_eq(shoal_recovery_plan(&in, &plan, &message), SHOAL_EVENTS_GONE);
    cr_assert(strstr(message.text, "20 events"));
    in.continue_when_gone = true;
    plan = plan_of(&in);
    cr_assert_eq(plan.start, 60);
    cr_assert_eq(plan.gone, 20);
    cr_assert_eq(plan.suppress_until, 100);
}

Test(recovery, at_least_once_begins_at_the_states_even_ahead_of_the_group)
{
    struct shoal_recovery_input in = input(120, 100, 0);
    in.exactly_once = false;
    struct shoal_recovery plan = plan_of(&in);
    cr_assert_eq(plan.start, 120);
    cr_assert_leq(plan.suppress_until, 120);
}

Test(recovery, lost_states_are_not_rebuilt_over_a_growth_of_the_topic)
{
    struct shoal_recovery plan;
    struct shoal_message message = {.text = ""};
    static const int64_t saved[] = {-1, 0, 499};
    for (size_t i = 0; i < sizeof saved / sizeof *saved; i++) {
        struct shoal_recovery_input in = input(saved[i], 900, 0);
        in.grown_at = 500;
        cr_assert_eq(shoal_recovery_plan(&in, &plan, &message), SHOAL_PARTITIONS_CHANGED);
        cr_assert_not_null(strstr(message.text, "--drain"));
        in.continue_when_gone = true;
        cr_assert_eq(shoal_recovery_plan(&in, &plan, NULL), SHOAL_OK);
        cr_assert_eq(plan.start, 500);
        cr_assert_eq(plan.suppress_until, 900);
        cr_assert_gt(plan.gone, 0);
    }
    struct shoal_recovery_input in = input(500, 900, 0);
    in.grown_at = 500;
    cr_assert_eq(shoal_recovery_plan(&in, &plan, NULL), SHOAL_OK);
    cr_assert_eq(plan.start, 500);
    in = input(-1, 40, 0); /* a new partition, which began with others' users */
    in.grown_at = 0;
    cr_assert_eq(shoal_recovery_plan(&in, &plan, NULL), SHOAL_PARTITIONS_CHANGED);
}

Test(recovery, states_are_not_reset_over_a_growth_of_the_topic)
{
    struct shoal_recovery plan;
    struct shoal_recovery_input in = input(900, 600, 0);
    in.grown_at = 500;
    in.when_moved = SHOAL_MOVED_RESET_STATES;
    cr_assert_eq(shoal_recovery_plan(&in, &plan, NULL), SHOAL_PARTITIONS_CHANGED);
}

Test(recovery, states_of_which_a_part_is_gone_are_rebuilt_from_the_whole_log)
{
    struct shoal_recovery_input in = input(80, 100, 0);
    in.damaged = true;
    struct shoal_recovery plan = plan_of(&in);
    cr_assert(plan.reset);
    cr_assert_eq(plan.start, 0);
    cr_assert_eq(plan.suppress_until, 100);
    in = input(120, 100, 0);
    in.damaged = true;
    in.exactly_once = false;
    plan = plan_of(&in);
    cr_assert(plan.reset);
    cr_assert_eq(plan.suppress_until, 120, "outputs were flushed before the states were saved");
}

Test(recovery, states_of_which_a_part_is_gone_are_kept_where_the_log_cannot_build_them)
{
    struct shoal_recovery plan;
    struct shoal_message message = {.text = ""};
    struct shoal_recovery_input past = input(80, 100, 7), grown = input(80, 100, 0), both = input(5, 100, 7);
    grown.grown_at = 50;
    struct shoal_recovery_input *const all[] = {&past, &grown, &both};
    for (size_t i = 0; i < 3; i++) {
        all[i]->damaged = true;
        cr_assert_eq(shoal_recovery_plan(all[i], &plan, &message), SHOAL_EVENTS_GONE);
        cr_assert_not_null(strstr(message.text, "recovery.events_gone"));
        all[i]->continue_when_gone = true;
        cr_assert_eq(shoal_recovery_plan(all[i], &plan, NULL), SHOAL_OK);
        cr_assert_not(plan.reset);
        cr_assert_eq(plan.start, i < 2 ? 80 : 7);
        cr_assert_eq(plan.suppress_until, 100);
    }
}

Test(recovery, what_is_left_without_a_checkpoint_is_deleted)
{
    struct shoal_recovery_input in = input(-1, 100, 0);
    in.damaged = true;
    struct shoal_recovery plan = plan_of(&in);
    cr_assert(plan.reset);
    cr_assert_eq(plan.start, 0);
    cr_assert_eq(plan.suppress_until, 100);
}

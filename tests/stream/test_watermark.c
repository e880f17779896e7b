/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "stream/watermark.h"

static const int64_t MIN = SHOAL_TICK_MS, HOUR = 60 * SHOAL_TICK_MS;
static const int64_t START = INT64_C(1512000000000); /* a whole minute */
static struct shoal_watermark mark;

static void setup(void)
{
    shoal_watermark_init(&mark);
}

TestSuite(watermark, .init = setup);

/* An event of `user`, with a jump of an hour. */
static void see(uint64_t user, int64_t time_ms)
{
    shoal_watermark_see(&mark, HOUR, user, time_ms);
}

Test(watermark, before_the_first_event_nothing_is_due)
{
    cr_assert_eq(mark.time_ms, -1);
    cr_assert_eq(shoal_watermark_tick(&mark), -1);
    cr_assert_not(mark.draining);
}

Test(watermark, the_first_event_is_believed_whatever_it_says)
{
    see(1, START + 5);
    cr_assert_eq(mark.time_ms, START + 5);
    cr_assert_eq(shoal_watermark_tick(&mark), START);
    cr_assert(mark.draining);
}

Test(watermark, the_first_event_may_be_at_the_beginning_of_time)
{
    see(1, 0);
    cr_assert_eq(mark.time_ms, 0);
    cr_assert_eq(shoal_watermark_tick(&mark), 0);
    cr_assert(mark.draining);
}

Test(watermark, it_follows_the_latest_event_and_never_goes_back)
{
    see(1, START);
    see(2, START + 7000);
    see(3, START - 9 * HOUR);
    cr_assert_eq(mark.time_ms, START + 7000);
    see(1, START + 6999);
    cr_assert_eq(mark.time_ms, START + 7000);
}

Test(watermark, draining_begins_when_another_minute_does_and_not_before)
{
    see(1, START);
    mark.draining = false;
    see(1, START + MIN - 1);
    cr_assert_not(mark.draining);
    see(1, START + MIN);
    cr_assert(mark.draining);
    cr_assert_eq(shoal_watermark_tick(&mark), START + MIN);
}

Test(watermark, draining_is_not_ended_by_an_event_within_the_minute)
{
    see(1, START);
    see(1, START + 1);
    see(1, START - HOUR);
    cr_assert(mark.draining, "only who has seen to the timers ends it");
}

Test(watermark, an_event_just_within_the_jump_is_believed_and_one_beyond_is_not)
{
    see(1, START);
    see(2, START + HOUR);
    cr_assert_eq(mark.time_ms, START + HOUR);
    mark.draining = false;
    see(3, START + 2 * HOUR + 1);
    cr_assert_eq(mark.time_ms, START + HOUR);
    cr_assert_not(mark.draining, "one clock that is wrong makes nothing due");
}

Test(watermark, three_users_in_a_row_move_it_to_the_earliest_of_their_times)
{
    see(1, START);
    mark.draining = false;
    see(1, START + 7 * HOUR);
    see(2, START + 5 * HOUR);
    cr_assert_eq(mark.time_ms, START);
    see(3, START + 6 * HOUR);
    cr_assert_eq(mark.time_ms, START + 5 * HOUR);
    cr_assert(mark.draining);
    cr_assert_eq(mark.ahead, 0);
    cr_assert_eq(mark.witnesses_count, 0);
}

Test(watermark, two_users_are_not_three_however_often_they_alternate)
{
    see(1, START);
    for (int i = 0; i < SHOAL_AHEAD_MAX - 1; i++)
        see(1 + (uint64_t)i % 2, START + 5 * HOUR + i);
    cr_assert_eq(mark.time_ms, START);
    cr_assert_eq(mark.witnesses_count, 2);
}

Test(watermark, one_user_is_believed_at_the_sixteenth_event_in_a_row)
{
    see(1, START);
    for (int i = 0; i < SHOAL_AHEAD_MAX - 1; i++) {
        see(9, START + 5 * HOUR + i);
        cr_assert_eq(mark.time_ms, START);
        cr_assert_eq(mark.witnesses_count, 1);
    }
    see(9, START + 5 * HOUR - 1);
    cr_assert_eq(mark.time_ms, START + 5 * HOUR - 1, "the earliest of them, which is the last");
}

Test(watermark, an_event_that_is_not_ahead_takes_everything_back)
{
    see(1, START);
    see(2, START + 5 * HOUR);
    see(3, START + 5 * HOUR);
    see(4, START + 1);
    see(5, START + 5 * HOUR);
    see(6, START + 5 * HOUR);
    cr_assert_eq(mark.time_ms, START + 1);
    see(7, START - 20 * HOUR); /* a late one too */
    see(8, START + 5 * HOUR);
    see(9, START + 5 * HOUR);
    cr_assert_eq(mark.time_ms, START + 1);
    see(10, START + 9 * HOUR);
    cr_assert_eq(mark.time_ms, START + 5 * HOUR);
}

Test(watermark, what_was_taken_back_does_not_count_towards_sixteen)
{
    see(1, START);
    for (int i = 0; i < SHOAL_AHEAD_MAX - 1; i++)
        see(9, START + 2 * HOUR);
    see(1, START);
    for (int i = 0; i < SHOAL_AHEAD_MAX - 1; i++)
        see(9, START + 5 * HOUR);
    cr_assert_eq(mark.time_ms, START);
    see(9, START + 6 * HOUR);
    cr_assert_eq(mark.time_ms, START + 5 * HOUR, "the earlier ones are forgotten");
}

Test(watermark, a_message_that_tells_the_time_is_believed_and_never_turns_it_back)
{
    see(1, START);
    see(2, START + 9 * HOUR);
    mark.draining = false;
    shoal_watermark_tell(&mark, START + 100 * HOUR);
    cr_assert_eq(mark.time_ms, START + 100 * HOUR);
    cr_assert(mark.draining);
    cr_assert_eq(mark.ahead, 0);
    mark.draining = false;
    shoal_watermark_tell(&mark, START);
    cr_assert_eq(mark.time_ms, START + 100 * HOUR);
    cr_assert_not(mark.draining);
}

Test(watermark, it_can_be_told_the_time_before_any_event)
{
    shoal_watermark_tell(&mark, START);
    cr_assert_eq(mark.time_ms, START);
    cr_assert(mark.draining);
}

/* Against the rule of the header, spelt out with all of the events so far. */
Test(watermark, any_sequence_does_what_the_rule_says)
{
    uint64_t state = 88172645463325252u;
    int all_moves = 0;
    for (int run = 0; run < 200; run++) {
        int64_t now_ms = -1, ahead_ms[SHOAL_AHEAD_MAX], time_ms = START;
        uint64_t users[SHOAL_AHEAD_MAX];
        int ahead = 0, moves = 0;
        setup();
        for (int i = 0; i < 300; i++) {
            state ^= state << 13, state ^= state >> 7, state ^= state << 17;
            uint64_t user = state % (run % 2 ? 2 : 5);
            bool told = state / 8 % 40 == 0;
            time_ms += (int64_t)(state / 512 % 100000);
            int64_t event_ms = time_ms + (state / 64 % 7 ? 0 : -5 * HOUR);
            if (state / 1024 % 10 < 7)
                event_ms += (int64_t)(state / 16384 % 4) * HOUR * (1 + run % 3);
            bool draining = mark.draining = state / 4096 % 2;
            int64_t before_ms = now_ms;
            if (told || now_ms < 0 || event_ms - now_ms <= HOUR) {
                ahead = 0;
                now_ms = event_ms > now_ms ? event_ms : now_ms;
            } else {
                int different = 1;
                ahead_ms[ahead] = event_ms;
                users[ahead++] = user;
                for (int a = 1; a < ahead; a++) {
                    bool known = false;
                    for (int b = 0; b < a; b++)
                        known = known || users[a] == users[b];
                    different += !known;
                }
                if (different == 3 || ahead == SHOAL_AHEAD_MAX) {
                    now_ms = ahead_ms[0];
                    for (int a = 1; a < ahead; a++)
                        now_ms = ahead_ms[a] < now_ms ? ahead_ms[a] : now_ms;
                    ahead = 0;
                    moves++;
                }
            }
            if (told)
                shoal_watermark_tell(&mark, event_ms);
            else
                see(user, event_ms);
            cr_assert_eq(mark.time_ms, now_ms, "run %d, event %d", run, i);
            cr_assert_eq(mark.draining,
                         draining || before_ms < 0 || now_ms / MIN != before_ms / MIN);
        }
        all_moves += moves;
    }
    cr_assert_gt(all_moves, 50, "those ahead are believed now and then");
}

/* ---- bytes --------------------------------------------------------------------------------- */

static bool same(const struct shoal_watermark *a, const struct shoal_watermark *b)
{
    return a->time_ms == b->time_ms && a->draining == b->draining && a->ahead_ms == b->ahead_ms &&
           a->ahead == b->ahead && a->witnesses_count == b->witnesses_count &&
           memcmp(a->witnesses, b->witnesses, a->witnesses_count * sizeof a->witnesses[0]) == 0;
}

static void round_trip(struct shoal_buffer *bytes)
{
    struct shoal_watermark back;
    struct shoal_unpack in;
    shoal_buffer_clear(bytes);
    shoal_watermark_pack(&mark, bytes);
    shoal_unpack_init(&in, bytes->bytes, bytes->size);
    shoal_watermark_unpack(&in, &back);
    cr_assert_eq(in.status, SHOAL_OK);
    cr_assert_eq(in.position, bytes->size);
    cr_assert(same(&mark, &back));
}

Test(watermark, every_state_comes_back_from_its_bytes)
{
    struct shoal_buffer bytes = {0};
    round_trip(&bytes);
    see(UINT64_MAX, START);
    round_trip(&bytes);
    for (int i = 0; i < SHOAL_AHEAD_MAX - 1; i++) {
        see(UINT64_MAX - (uint64_t)i % 2, START + 5 * HOUR);
        mark.draining = i % 2;
        round_trip(&bytes);
    }
    cr_assert_eq(mark.witnesses_count, 2);
    see(UINT64_MAX - 1, START + 9 * HOUR);
    cr_assert_eq(mark.time_ms, START + 5 * HOUR);
    round_trip(&bytes);
    shoal_buffer_finish(&bytes);
}

/* Whatever is accepted can be gone on with, and comes back. */
Test(watermark, damaged_bytes_are_refused_or_sound)
{
    struct shoal_buffer bytes = {0}, again = {0};
    see(1, START);
    see(2, START + 5 * HOUR);
    see(3, START + 5 * HOUR);
    shoal_watermark_pack(&mark, &bytes);
    struct shoal_unpack in;
    for (size_t size = 0; size < bytes.size; size++) {
        shoal_unpack_init(&in, bytes.bytes, size);
        shoal_watermark_unpack(&in, &mark);
        cr_assert_neq(in.status, SHOAL_OK, "%zu bytes", size);
    }
    size_t refused = 0;
    for (size_t bit = 0; bit < 8 * bytes.size; bit++) {
        bytes.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        shoal_unpack_init(&in, bytes.bytes, bytes.size);
        shoal_watermark_unpack(&in, &mark);
        refused += in.status != SHOAL_OK;
        if (in.status == SHOAL_OK) {
            cr_assert_leq(mark.witnesses_count, SHOAL_WITNESSES - 1);
            cr_assert_lt(mark.ahead, SHOAL_AHEAD_MAX);
            cr_assert_geq(mark.time_ms, -1);
            round_trip(&again);
            for (uint64_t user = 4; user < 8; user++)
                see(user, INT64_MAX / 4);
        }
        bytes.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    cr_assert_gt(refused, 8);
    shoal_buffer_finish(&bytes);
    shoal_buffer_finish(&again);
}

static enum shoal_status unpack(const char *bytes, size_t size)
{
    struct shoal_unpack in;
    shoal_unpack_init(&in, bytes, size);
    shoal_watermark_unpack(&in, &mark);
    return in.status;
}

Test(watermark, what_no_watermark_can_be_is_refused)
{
    cr_assert_eq(unpack("\x94\x00\xc2\x00\x00", 5), SHOAL_OK);
    cr_assert_eq(unpack("\x94\xff\xc2\x00\x00", 5), SHOAL_OK);
    cr_assert_neq(unpack("\x93\x00\xc2\x00", 4), SHOAL_OK, "a field short");
    cr_assert_neq(unpack("\x97\x00\xc2\x00\x01\x01\x02\x03", 8), SHOAL_OK, "three witnesses");
    cr_assert_neq(unpack("\x94\xfe\xc2\x00\x00", 5), SHOAL_OK, "time -2");
    cr_assert_neq(unpack("\x94\x00\x01\x00\x00", 5), SHOAL_OK, "draining is a number");
    cr_assert_neq(unpack("\x94\x00\xc2\xff\x00", 5), SHOAL_OK, "ahead before 1970");
    cr_assert_neq(unpack("\x94\x00\xc2\x00\x10", 5), SHOAL_OK, "sixteen ahead");
    cr_assert_neq(unpack("\x95\x00\xc2\x00\x01\xc0", 6), SHOAL_OK, "a witness that is nil");
    cr_assert_neq(unpack("\xc0", 1), SHOAL_OK, "nil");
}

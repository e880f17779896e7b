/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "state/checkpoint.h"
#include "stream/partition_state.h"
#include "tests/state/failing_store.h"
#include "tests/state/leaks.h"

static const int64_t START = INT64_C(1512000000000);

static struct shoal_partition_state empty(void)
{
    struct shoal_partition_state state = {0};
    shoal_watermark_init(&state.watermark);
    shoal_budgets_init(&state.budgets);
    shoal_correction_init(&state.correction, 0, 0);
    shoal_tally_init(&state.tally);
    return state;
}

/* Some of everything; of a model if it is not 0. */
static struct shoal_partition_state some(uint64_t model)
{
    struct shoal_partition_state state = empty();
    struct shoal_pending pending = {{0}};
    shoal_watermark_see(&state.watermark, 3600000, 1, START);
    shoal_watermark_see(&state.watermark, 3600000, 2, START + 10000000);
    state.tally.users = 9;
    shoal_tally_move(&state.tally, NULL, SHOAL_INTENT, 0, SHOAL_HOT);
    if (!model)
        return state;
    shoal_correction_init(&state.correction, model, 0);
    for (int64_t i = 0; i < 300; i++) {
        int64_t time_ms = START + i * 600000;
        if (shoal_correction_due(&state.correction, time_ms))
            shoal_correction_turn(&state.correction, time_ms);
        shoal_correction_count(&state.correction, &pending, time_ms - 600000, time_ms,
                               i % 9 ? SHOAL_PV : SHOAL_BUY, 0.25f);
    }
    return state;
}

static void encode(const struct shoal_partition_state *state, struct shoal_buffer *bytes)
{
    shoal_buffer_clear(bytes);
    shoal_partition_state_encode(state, bytes);
    cr_assert_not(bytes->failed);
}

static void assert_back(const struct shoal_partition_state *state)
{
    struct shoal_buffer bytes = {0}, again = {0};
    struct shoal_partition_state back = some(99);
    encode(state, &bytes);
    cr_assert_eq(shoal_partition_state_decode(bytes.bytes, bytes.size, &back), SHOAL_OK);
    cr_assert_eq(back.watermark.time_ms, state->watermark.time_ms);
    cr_assert_eq(back.watermark.ahead, state->watermark.ahead);
    cr_assert_eq(back.budgets.day, state->budgets.day);
    cr_assert_eq(back.pseudonyms, state->pseudonyms);
    cr_assert_eq(back.spread, state->spread);
    cr_assert_eq(memcmp(&back.tally, &state->tally, sizeof back.tally), 0);
    cr_assert_eq(back.correction.model, state->correction.model);
    cr_assert_eq(back.correction.delta, state->correction.delta);
    cr_assert_eq(memcmp(back.correction.hours, state->correction.hours,
                        sizeof back.correction.hours),
                 0);
    encode(&back, &again);
    cr_assert_eq(again.size, bytes.size);
    cr_assert_eq(memcmp(again.bytes, bytes.bytes, bytes.size), 0);
    shoal_buffer_finish(&bytes);
    shoal_buffer_finish(&again);
}

Test(partition_state, a_state_comes_back_from_its_bytes)
{
    struct shoal_partition_state none = empty(), plain = some(0), corrected = some(77);
    cr_assert_neq(corrected.correction.delta, 0, "there is something to lose");
    assert_back(&none);
    assert_back(&plain);
    assert_back(&corrected);
    corrected.spread = 6;
    assert_back(&corrected);
    corrected.pseudonyms = 1;
    assert_back(&corrected);
    corrected.spread = 0;
    assert_back(&corrected);
    test_no_leaks();
}

Test(partition_state, decoding_leaves_the_timers_alone)
{
    struct shoal_partition_state state = some(77);
    struct shoal_buffer bytes = {0};
    encode(&state, &bytes);
    state.timers = (struct shoal_timer_queue){.fetched = true, .until_ms = 1 << 30};
    cr_assert_eq(shoal_timer_queue_move(&state.timers, "u", 1, 0, 5000), SHOAL_OK);
    cr_assert_eq(shoal_partition_state_decode(bytes.bytes, bytes.size, &state), SHOAL_OK);
    cr_assert_eq(shoal_timer_queue_next(&state.timers), 5000);
    shoal_timer_queue_finish(&state.timers);
    shoal_buffer_finish(&bytes);
    test_no_leaks();
}

static void assert_refused(const void *bytes, size_t size, const char *what)
{
    struct shoal_partition_state back = some(99);
    /* In memory of its own size, for the address sanitizer. */
    uint8_t *copy = malloc(size ? size : 1);
    memcpy(copy, bytes, size);
    cr_assert_eq(shoal_partition_state_decode(copy, size, &back), SHOAL_DAMAGED, "%s", what);
    cr_assert_eq(back.watermark.time_ms, -1, "%s: an empty state is left", what);
    cr_assert_eq(back.correction.model, 0, "%s", what);
    cr_assert_eq(back.tally.users, 0, "%s", what);
    free(copy);
}

Test(partition_state, every_truncation_is_damaged_and_leaves_an_empty_state)
{
    struct shoal_partition_state state = some(77);
    struct shoal_buffer bytes = {0};
    encode(&state, &bytes);
    for (size_t size = 0; size < bytes.size; size++)
        assert_refused(bytes.bytes, size, "cut");
    shoal_buffer_append(&bytes, "", 1);
    assert_refused(bytes.bytes, bytes.size, "a byte too many");
    shoal_buffer_finish(&bytes);
    test_no_leaks();
}

Test(partition_state, every_flipped_bit_is_refused_or_gives_a_sound_state)
{
    struct shoal_partition_state state = some(77), back;
    struct shoal_buffer bytes = {0};
    size_t refused = 0;
    encode(&state, &bytes);
    for (size_t bit = 0; bit < 8 * bytes.size; bit++) {
        bytes.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        memset(&back, 0, sizeof back);
        if (shoal_partition_state_decode(bytes.bytes, bytes.size, &back) == SHOAL_OK)
            assert_back(&back);
        else
            refused++;
        bytes.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    cr_assert_gt(refused, 20);
    shoal_buffer_finish(&bytes);
    test_no_leaks();
}

Test(partition_state, unknown_version_is_told_apart_from_damage)
{
    struct shoal_partition_state state = some(0);
    struct shoal_buffer bytes = {0};
    encode(&state, &bytes);
    cr_assert_eq(bytes.bytes[1], 2);
    bytes.bytes[1] = 1;
    cr_assert_eq(shoal_partition_state_decode(bytes.bytes, bytes.size, &state), SHOAL_VERSION);
    cr_assert_eq(state.watermark.time_ms, -1);
    cr_assert_eq(shoal_partition_state_decode("\x92\x07\x01", 3, &state), SHOAL_VERSION);
    bytes.bytes[1] = 2;
    bytes.bytes[0]++; /* a field more than this version has */
    shoal_buffer_append(&bytes, "\xc0", 1);
    assert_refused(bytes.bytes, bytes.size, "a field too many");
    assert_refused("hello", 5, "text");
    shoal_buffer_finish(&bytes);
    test_no_leaks();
}

/* ---- states of a store --------------------------------------------------------------------- */

static struct shoal_store *make_store(void)
{
    struct shoal_store *inner, *store;
    struct shoal_checkpoint before;
    cr_assert_eq(shoal_memory_store_create(&inner), SHOAL_OK);
    cr_assert_eq(shoal_failing_store_create(inner, &store), SHOAL_OK);
    for (int32_t p = 0; p < 9; p++)
        cr_assert_eq(store->ops->acquire(store, p, &before, NULL), SHOAL_OK);
    return store;
}

static void put(struct shoal_store *store, int32_t partition, struct shoal_slice value)
{
    struct shoal_save_item item = {.user = {"", 0}, .value = value};
    cr_assert_eq(store->ops->save(store, partition, &item, 1, 1, 1, NULL), SHOAL_OK);
}

Test(partition_state, a_state_is_read_once_and_stays_at_its_address)
{
    struct shoal_store *store = make_store();
    struct shoal_partition_states states = {0};
    struct shoal_partition_state kept = some(77), *one, *two, *again;
    struct shoal_buffer bytes = {0};
    encode(&kept, &bytes);
    put(store, 3, (struct shoal_slice){bytes.bytes, bytes.size});
    cr_assert_null(shoal_partition_states_known(&states, 3));
    cr_assert_eq(shoal_partition_states_get(&states, store, 3, &one, NULL), SHOAL_OK);
    cr_assert_eq(one->watermark.time_ms, START);
    cr_assert_eq(one->correction.model, 77);
    cr_assert_eq(shoal_partition_states_get(&states, store, 8, &two, NULL), SHOAL_OK);
    cr_assert_eq(two->watermark.time_ms, -1, "nothing is kept of it");
    cr_assert_eq(shoal_partition_states_get(&states, store, 3, &again, NULL), SHOAL_OK);
    cr_assert_eq(again, one);
    cr_assert_eq(shoal_failing_store_calls(store, SHOAL_CALL_load), 2);
    cr_assert_eq(shoal_partition_states_known(&states, 3), one);
    cr_assert_null(shoal_partition_states_known(&states, 4));
    cr_assert_null(shoal_partition_states_known(&states, 1000));
    shoal_partition_states_finish(&states);
    shoal_buffer_finish(&bytes);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(partition_state, what_was_dropped_is_read_again_with_its_timers_forgotten)
{
    struct shoal_store *store = make_store();
    struct shoal_partition_states states = {0};
    struct shoal_partition_state *one, *two;
    cr_assert_eq(shoal_partition_states_get(&states, store, 0, &one, NULL), SHOAL_OK);
    cr_assert_eq(shoal_partition_states_get(&states, store, 1, &two, NULL), SHOAL_OK);
    one->timers.fetched = two->timers.fetched = true;
    one->watermark.time_ms = two->watermark.time_ms = START;
    shoal_partition_states_drop(&states, 0);
    cr_assert_null(shoal_partition_states_known(&states, 0));
    cr_assert_eq(shoal_partition_states_known(&states, 1), two);
    cr_assert_not(one->timers.fetched);
    cr_assert(two->timers.fetched);
    cr_assert_eq(shoal_partition_states_get(&states, store, 0, &one, NULL), SHOAL_OK);
    cr_assert_eq(one->watermark.time_ms, -1, "as the store has it");
    shoal_partition_states_drop(&states, -1);
    cr_assert_null(shoal_partition_states_known(&states, 0));
    cr_assert_null(shoal_partition_states_known(&states, 1));
    shoal_partition_states_finish(&states);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(partition_state, a_store_that_fails_and_a_damaged_state_are_reported_and_nothing_is_known)
{
    struct shoal_store *store = make_store();
    struct shoal_partition_states states = {0};
    struct shoal_partition_state *state;
    struct shoal_message message = {.text = ""};
    put(store, 5, (struct shoal_slice){"nonsense", 8});
    put(store, 6, (struct shoal_slice){"\x94\x01\xc0\xc0\xc0", 5});
    cr_assert_eq(shoal_partition_states_get(&states, store, 5, &state, &message), SHOAL_DAMAGED);
    cr_assert(strstr(message.text, "partition 5"), "%s", message.text);
    cr_assert(strstr(message.text, "damaged"), "%s", message.text);
    cr_assert_null(shoal_partition_states_known(&states, 5));
    cr_assert_eq(shoal_partition_states_get(&states, store, 6, &state, &message), SHOAL_VERSION);
    cr_assert(strstr(message.text, "partition 6"), "%s", message.text);
    shoal_failing_store_plan(store, SHOAL_CALL_load,
                             (struct shoal_failure){1, 1, SHOAL_UNAVAILABLE, false, false});
    cr_assert_eq(shoal_partition_states_get(&states, store, 0, &state, &message),
                 SHOAL_UNAVAILABLE);
    cr_assert_null(shoal_partition_states_known(&states, 0));
    cr_assert_eq(shoal_partition_states_get(&states, store, 0, &state, &message), SHOAL_OK);
    shoal_partition_states_finish(&states);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(partition_state, a_store_that_has_lost_a_part_gives_itself_away)
{
    const struct shoal_checkpoint none = shoal_checkpoint_none(), saved = {.next_offset = 5, .model = 1},
                                  reset = {.next_offset = 5};
    struct shoal_store *store = make_store();
    struct shoal_partition_state state = {.found = true, .tally = {.users = 2}}, absent = {0};
    struct shoal_message message = {.text = ""};
    struct shoal_save_item users[] = {{.user = {"a", 1}, .value = {"1", 1}}, {.user = {"b", 1}, .value = {"1", 1}}};
    cr_assert_eq(shoal_partition_state_check(&absent, store, 3, &none, NULL), SHOAL_OK, "nothing was ever there");
    cr_assert_eq(shoal_partition_state_check(&absent, store, 3, &reset, NULL), SHOAL_OK, "all was deleted");
    cr_assert_eq(store->ops->save(store, 3, users, 2, 5, 1, NULL), SHOAL_OK);
    cr_assert_eq(shoal_partition_state_check(&state, store, 3, &saved, NULL), SHOAL_OK);
    state.tally.users = 1; /* the other has only declined */
    cr_assert_eq(shoal_partition_state_check(&state, store, 3, &saved, NULL), SHOAL_OK);
    state.tally.users = 7;
    cr_assert_eq(shoal_partition_state_check(&state, store, 3, &saved, &message), SHOAL_NOT_FOUND);
    cr_assert(strstr(message.text, "5 of its 7 users"), "%s", message.text);
    cr_assert_eq(shoal_partition_state_check(&absent, store, 3, &saved, NULL), SHOAL_NOT_FOUND);
    cr_assert_eq(shoal_partition_state_check(&absent, store, 3, &none, NULL), SHOAL_NOT_FOUND, "users without a checkpoint");
    cr_assert_eq(shoal_partition_state_check(&state, store, 4, &none, NULL), SHOAL_NOT_FOUND, "a state without one");
    shoal_failing_store_plan(store, SHOAL_CALL_ceiling,
                             (struct shoal_failure){1, 1, SHOAL_UNAVAILABLE, false, false});
    cr_assert_eq(shoal_partition_state_check(&state, store, 3, &saved, NULL), SHOAL_UNAVAILABLE);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(partition_state, a_correction_goes_with_its_model)
{
    struct shoal_partition_state state = some(77);
    struct shoal_model same = {.id = 77}, other = {.id = 78};
    float delta = state.correction.delta;
    shoal_partition_state_use(&state, &same);
    cr_assert_eq(state.correction.delta, delta);
    shoal_partition_state_use(&state, &other);
    cr_assert_eq(state.correction.model, 78);
    cr_assert_eq(state.correction.delta, 0);
}

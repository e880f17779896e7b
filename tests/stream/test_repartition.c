/* SPDX-License-Identifier: Apache-2.0 */
/* States move to more partitions: in memory and on a real Redis, broken off at every write. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/partition_state.h"
#include "stream/repartition.h"
#include "tests/state/failing_store.h"
#include "tests/state/leaks.h"
#include "tests/state/random_record.h"
#include "tests/state/redis_server.h"

enum { FROM = 3, TO = 5, USERS = 300, HIDDEN = 8 };

static const int64_t boundaries[TO] = {100, 0, 300, 7, 0};
static struct test_redis redis;
static struct shoal_store *memory;

/* ---- stores -------------------------------------------------------------------------------- */

/* A further view of the same data; the test destroys it. */
static struct shoal_store *view(void)
{
    struct shoal_store *store;
    struct shoal_redis_options options = {.url = redis.url, .topic = "shop.events"};
    if (memory)
        cr_assert_eq(shoal_memory_store_share(memory, &store), SHOAL_OK);
    else
        cr_assert_eq(shoal_redis_store_create(&options, &store, NULL), SHOAL_OK);
    return store;
}

/* ---- what is kept -------------------------------------------------------------------------- */

static size_t name_of(int user, char name[16])
{
    return (size_t)snprintf(name, 16, "user-%d", user);
}

/* Record of a user as it is before the move; the user's last offset is its number. */
static void make_record(int user, struct shoal_record *record, float *hc)
{
    uint64_t seed = (uint64_t)user + 1;
    shoal_record_init(record, HIDDEN, hc);
    test_usual_record(record, &seed);
    record->offset = user;
    record->timer_ms = user % 3 ? (int64_t)(1000 + user) * 1000 : 0;
}

static struct shoal_partition_state state_of(int32_t partition)
{
    struct shoal_partition_state state = {0};
    shoal_watermark_init(&state.watermark);
    shoal_correction_init(&state.correction, 9, 0);
    shoal_tally_init(&state.tally);
    state.tally.events = 100 + (uint64_t)partition;
    state.watermark.time_ms = 1000000 + 1000 * partition;
    state.budgets = (struct shoal_budgets){
        .day = partition == 1 ? 17 : 18, .count = 1, .list = {{77, 10 + (uint32_t)partition}}};
    return state;
}

static void save(struct shoal_store *store, int32_t partition, const char *user, size_t size,
                 const struct shoal_buffer *value, int64_t timer_ms)
{
    struct shoal_save_item item = {
        .user = {user, size}, .value = {value->bytes, value->size},
        .timer_moves = timer_ms != 0, .timer_ms = timer_ms};
    struct shoal_message message = {.text = ""};
    cr_assert_eq(store->ops->save(store, partition, &item, 1, boundaries[partition], 9, &message),
                 SHOAL_OK, "%s", message.text);
}

/* As the pipeline counts: who is in the partition. */
static void count_users(enum shoal_partitioner partitioner, int32_t partition, int32_t partitions,
                        struct shoal_tally *tally)
{
    for (int user = 0; user < USERS; user++) {
        char name[16];
        float hc[2 * HIDDEN];
        struct shoal_record record;
        size_t size = name_of(user, name);
        make_record(user, &record, hc);
        if (shoal_partitioner_of(partitioner, name, size, partitions) == partition)
            shoal_tally_come(tally, NULL, &record);
    }
}

static void fill(enum shoal_partitioner partitioner)
{
    struct shoal_store *store = view();
    struct shoal_buffer bytes = {0};
    struct shoal_checkpoint before;
    cr_assert_eq(store->ops->open(store, FROM, NULL), SHOAL_OK);
    for (int32_t p = 0; p < FROM; p++) {
        struct shoal_partition_state state = state_of(p);
        cr_assert_eq(store->ops->acquire(store, p, &before, NULL), SHOAL_OK);
        shoal_buffer_clear(&bytes);
        count_users(partitioner, p, FROM, &state.tally);
        shoal_partition_state_encode(&state, &bytes);
        save(store, p, "", 0, &bytes, 0);
    }
    for (int user = 0; user < USERS; user++) {
        char name[16];
        float hc[2 * HIDDEN];
        struct shoal_record record;
        size_t size = name_of(user, name);
        make_record(user, &record, hc);
        shoal_buffer_clear(&bytes);
        shoal_record_encode(&record, SHOAL_FP16, &bytes);
        save(store, shoal_partitioner_of(partitioner, name, size, FROM), name, size, &bytes,
             record.timer_ms);
    }
    shoal_buffer_finish(&bytes);
    store->ops->destroy(store);
}

/* ---- the move ------------------------------------------------------------------------------ */

static enum shoal_status nothing_to_record(void *opaque, struct shoal_message *message)
{
    ++*(int *)opaque;
    return SHOAL_OK;
}

static enum shoal_status move_by(struct shoal_store *store, enum shoal_partitioner partitioner,
                                 uint64_t *moved)
{
    struct shoal_checkpoint checkpoints[TO];
    int recorded = 0;
    struct shoal_message message = {.text = ""};
    for (int32_t p = 0; p < TO; p++)
        cr_assert_eq(store->ops->acquire(store, p, &checkpoints[p], NULL), SHOAL_OK);
    struct shoal_repartition_options options = {
        .from = FROM, .to = TO, .partitioner = partitioner, .boundaries = boundaries,
        .checkpoints = checkpoints, .record = nothing_to_record, .opaque = &recorded};
    enum shoal_status status = shoal_repartition(store, &options, moved, &message);
    cr_assert(status != SHOAL_OK || recorded == 1);
    return status;
}

/* ---- what must be there afterwards --------------------------------------------------------- */

struct found {
    enum shoal_partitioner partitioner;
    int users, timers;
};

static enum shoal_status check_user(void *opaque, int32_t partition, struct shoal_slice user,
                                    struct shoal_slice value)
{
    struct found *found = opaque;
    float hc[2 * HIDDEN], wanted_hc[2 * HIDDEN];
    struct shoal_record record, wanted;
    char name[16];
    memcpy(name, user.bytes, user.size);
    name[user.size] = '\0';
    int number = atoi(name + 5);
    int32_t was = shoal_partitioner_of(found->partitioner, user.bytes, user.size, FROM), source;
    int32_t is = shoal_partitioner_of(found->partitioner, user.bytes, user.size, TO);
    int64_t offset;
    shoal_record_init(&record, HIDDEN, hc);
    cr_assert_eq(shoal_record_decode(&record, value.bytes, value.size), SHOAL_OK);
    shoal_record_source(record.offset, partition, &source, &offset);
    cr_assert_eq(partition, is);
    cr_assert_eq(source, was);
    cr_assert_eq(offset, number);
    make_record(number, &wanted, wanted_hc);
    /* as it was saved: through its bytes */
    struct shoal_buffer a = {0}, b = {0};
    record.offset = number;
    shoal_record_encode(&record, SHOAL_FP16, &a);
    shoal_record_encode(&wanted, SHOAL_FP16, &b);
    cr_assert_eq(a.size, b.size);
    cr_assert_eq(memcmp(a.bytes, b.bytes, a.size), 0);
    shoal_buffer_finish(&a);
    shoal_buffer_finish(&b);
    found->users++;
    return SHOAL_OK;
}

static enum shoal_status check_timer(void *opaque, struct shoal_slice user, int64_t timer_ms)
{
    struct found *found = opaque;
    char name[16];
    memcpy(name, user.bytes, user.size);
    name[user.size] = '\0';
    cr_assert_eq(timer_ms, (1000 + atoi(name + 5)) * 1000);
    found->timers++;
    return SHOAL_OK;
}

static void check_partitions(struct shoal_store *store, enum shoal_partitioner partitioner)
{
    struct shoal_slice nobody = {"", 0}, value;
    for (int32_t p = 0; p < TO; p++) {
        struct shoal_partition_state state = {0};
        struct shoal_checkpoint checkpoint;
        cr_assert_eq(store->ops->acquire(store, p, &checkpoint, NULL), SHOAL_OK);
        cr_assert_eq(checkpoint.next_offset, boundaries[p]);
        cr_assert_eq(checkpoint.model, 9);
        cr_assert_eq(store->ops->load(store, p, &nobody, 1, &value, NULL), SHOAL_OK);
        cr_assert_not_null(value.bytes);
        cr_assert_eq(shoal_partition_state_decode(value.bytes, value.size, &state), SHOAL_OK);
        cr_assert_eq(state.watermark.time_ms, 1002000);
        cr_assert(state.watermark.draining);
        struct shoal_tally wanted;
        shoal_tally_init(&wanted);
        count_users(partitioner, p, TO, &wanted);
        cr_assert_eq(state.tally.users, wanted.users);
        cr_assert_eq(state.tally.events, p < FROM ? 100 + (uint64_t)p : 0); /* happened there */
        for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT; d++)
            for (uint8_t level = 1; level < SHOAL_TALLY_LEVELS; level++)
                cr_assert_eq(shoal_tally_at(&state.tally, (enum shoal_dimension)d, level),
                             shoal_tally_at(&wanted, (enum shoal_dimension)d, level));
        cr_assert_eq(state.budgets.day, 18);
        cr_assert_eq(state.budgets.list[0].offers, 5); /* 10 + 12 of that day, a fifth, rounded up */
    }
}

static void check_moved(enum shoal_partitioner partitioner)
{
    struct shoal_store *store = view();
    struct found found = {.partitioner = partitioner};
    cr_assert_eq(store->ops->open(store, TO, NULL), SHOAL_OK);
    cr_assert_eq(store->ops->scan(store, check_user, &found, NULL), SHOAL_OK);
    cr_assert_eq(found.users, USERS);
    for (int32_t p = 0; p < TO; p++) {
        int64_t until_ms;
        cr_assert_eq(store->ops->timers(store, p, 0, 10000, check_timer, &found, &until_ms, NULL),
                     SHOAL_OK);
    }
    cr_assert_eq(found.timers, USERS - USERS / 3);
    check_partitions(store, partitioner);
    store->ops->destroy(store);
}

static void move_in_peace(enum shoal_partitioner partitioner)
{
    uint64_t moved;
    fill(partitioner);
    struct shoal_store *store = view();
    cr_assert_eq(move_by(store, partitioner, &moved), SHOAL_OK);
    cr_assert_gt(moved, USERS / 2);
    store->ops->destroy(store);
    check_moved(partitioner);
}

/* A move that fails at its n-th write, as if the process had ended there, and again at the next one's. */
static size_t broken_off(bool applied)
{
    size_t tries = 0;
    enum shoal_status status = SHOAL_UNAVAILABLE;
    uint64_t moved;
    fill(SHOAL_MURMUR2);
    for (; status != SHOAL_OK; tries++) {
        struct shoal_store *store;
        cr_assert_eq(shoal_failing_store_create(view(), &store), SHOAL_OK);
        shoal_failing_store_plan(store, SHOAL_CALL_save,
                                 (struct shoal_failure){.first = tries + 1,
                                                        .count = SIZE_MAX,
                                                        .status = SHOAL_UNAVAILABLE,
                                                        .applied = applied && tries % 2});
        status = move_by(store, SHOAL_MURMUR2, &moved);
        store->ops->destroy(store);
        struct shoal_store *other = view();
        if (status != SHOAL_OK && tries > 0)
            cr_assert_eq(other->ops->open(other, FROM, NULL), SHOAL_PARTITIONS_CHANGED);
        if (status != SHOAL_OK)
            cr_assert_eq(other->ops->open(other, TO, NULL), SHOAL_PARTITIONS_CHANGED);
        other->ops->destroy(other);
    }
    check_moved(SHOAL_MURMUR2);
    return tries;
}

static void start_memory(void)
{
    cr_assert_eq(shoal_memory_store_create(&memory), SHOAL_OK);
}

static void stop_memory(void)
{
    memory->ops->destroy(memory);
    memory = NULL;
}

static void start_redis(void)
{
    test_redis_start(&redis, NULL);
}

static void stop_redis(void)
{
    test_redis_stop(&redis);
}

TestSuite(repartition, .init = start_memory);
TestSuite(repartition_redis, .init = start_redis, .fini = stop_redis);

Test(repartition, each_user_is_where_it_belongs_with_its_timer_and_nowhere_else)
{
    move_in_peace(SHOAL_MURMUR2);
    stop_memory();
    test_no_leaks();
}

Test(repartition, the_other_partitioner_too)
{
    move_in_peace(SHOAL_CONSISTENT);
    stop_memory();
}

Test(repartition, broken_off_at_every_write_it_can_be_gone_on_with)
{
    cr_assert_gt(broken_off(false), 15); /* copies, what is kept as a whole, deletions, checkpoints */
    stop_memory();
    test_no_leaks();
}

Test(repartition, a_write_whose_answer_was_lost_does_no_harm)
{
    cr_assert_gt(broken_off(true), 5);
    stop_memory();
}

Test(repartition_redis, each_user_is_where_it_belongs_with_its_timer_and_nowhere_else)
{
    move_in_peace(SHOAL_MURMUR2);
    test_no_leaks();
}

Test(repartition_redis, broken_off_at_every_write_it_can_be_gone_on_with)
{
    cr_assert_gt(broken_off(false), 15);
}

Test(repartition, copies_that_were_lost_keep_the_originals)
{
    uint64_t moved;
    fill(SHOAL_MURMUR2);
    struct shoal_store *store = view(), *thief = view();
    struct shoal_checkpoint checkpoints[TO], taken;
    int recorded = 0;
    for (int32_t p = 0; p < TO; p++)
        cr_assert_eq(store->ops->acquire(store, p, &checkpoints[p], NULL), SHOAL_OK);
    cr_assert_eq(thief->ops->acquire(thief, TO - 1, &taken, NULL), SHOAL_OK);
    struct shoal_repartition_options options = {
        .from = FROM, .to = TO, .boundaries = boundaries, .checkpoints = checkpoints,
        .record = nothing_to_record, .opaque = &recorded};
    cr_assert_eq(shoal_repartition(store, &options, &moved, NULL), SHOAL_FENCED);
    cr_assert_eq(recorded, 0);
    store->ops->destroy(store);
    cr_assert_eq(move_by(thief, SHOAL_MURMUR2, &moved), SHOAL_OK);
    thief->ops->destroy(thief);
    check_moved(SHOAL_MURMUR2);
    stop_memory();
}

/* ---- survey -------------------------------------------------------------------------------- */

static enum shoal_status find_out(bool is_moving, enum shoal_partitioner *partitioner)
{
    struct shoal_store *store = view();
    struct shoal_survey survey;
    cr_assert_eq(shoal_survey_make(store, FROM, TO, is_moving, &survey, NULL), SHOAL_OK);
    enum shoal_status status = shoal_survey_partitioner(&survey, partitioner, NULL);
    shoal_survey_finish(&survey);
    store->ops->destroy(store);
    return status;
}

Test(repartition, the_partitioner_is_found_out_from_where_users_are)
{
    enum shoal_partitioner partitioner;
    cr_assert_eq(find_out(false, &partitioner), SHOAL_CONFIG); /* no user says anything */
    fill(SHOAL_CONSISTENT);
    cr_assert_eq(find_out(false, &partitioner), SHOAL_OK);
    cr_assert_eq(partitioner, SHOAL_CONSISTENT);
    stop_memory();
}

Test(repartition, a_user_of_the_new_layout_among_the_old_is_refused_unless_a_move_was_begun)
{
    enum shoal_partitioner partitioner;
    fill(SHOAL_MURMUR2);
    struct shoal_store *store = view();
    struct shoal_checkpoint before;
    int user = USERS;
    char name[16];
    size_t size;
    int32_t was, is;
    do {
        size = name_of(user++, name);
        was = shoal_partition_of(name, size, FROM);
        is = shoal_partition_of(name, size, TO);
    } while (is >= FROM || is == was);
    cr_assert_eq(store->ops->acquire(store, is, &before, NULL), SHOAL_OK);
    struct shoal_buffer bytes = {0};
    shoal_buffer_append(&bytes, "x", 1);
    save(store, is, name, size, &bytes, 0);
    shoal_buffer_finish(&bytes);
    store->ops->destroy(store);
    cr_assert_eq(find_out(false, &partitioner), SHOAL_CONFIG);
    cr_assert_eq(find_out(true, &partitioner), SHOAL_OK);
    stop_memory();
}

/* As after a failover to a replica that lacked it. */
static void lose_the_mark(void)
{
    struct shoal_store *store = view();
    const struct shoal_layout before = {FROM, 0};
    struct shoal_layout found;
    cr_assert_eq(store->ops->layout(store, &found, NULL), SHOAL_OK);
    cr_assert_eq(store->ops->set_layout(store, &found, &before, NULL), SHOAL_OK);
    store->ops->destroy(store);
}

Test(repartition, users_in_a_new_partition_tell_of_a_move_whose_mark_was_lost)
{
    enum shoal_partitioner partitioner;
    enum shoal_status status = SHOAL_UNAVAILABLE;
    uint64_t moved;
    int marks = 0;
    fill(SHOAL_MURMUR2);
    for (size_t n = 1; status != SHOAL_OK; n++) {
        struct shoal_store *store;
        cr_assert_eq(shoal_failing_store_create(view(), &store), SHOAL_OK);
        shoal_failing_store_plan(store, SHOAL_CALL_save,
                                 (struct shoal_failure){.first = n, .count = SIZE_MAX, .status = SHOAL_UNAVAILABLE});
        status = move_by(store, SHOAL_MURMUR2, &moved);
        store->ops->destroy(store);
        if (status == SHOAL_OK)
            break;
        lose_the_mark();
        marks++;
        cr_assert_eq(find_out(false, &partitioner), SHOAL_OK, "after write %zu", n);
        cr_assert_eq(partitioner, SHOAL_MURMUR2);
    }
    cr_assert_gt(marks, 15);
    check_moved(SHOAL_MURMUR2);
    stop_memory();
}

static void lose_it_with_the_copies(void *opaque, const char *step, uint64_t done, uint64_t total)
{
    (void)opaque;
    if (strcmp(step, "copied") == 0 && done == total)
        lose_the_mark();
}

Test(repartition, nothing_is_deleted_when_the_mark_is_gone)
{
    uint64_t moved;
    fill(SHOAL_MURMUR2);
    struct shoal_store *store = view();
    struct shoal_checkpoint checkpoints[TO];
    int recorded = 0;
    for (int32_t p = 0; p < TO; p++)
        cr_assert_eq(store->ops->acquire(store, p, &checkpoints[p], NULL), SHOAL_OK);
    struct shoal_repartition_options options = {
        .from = FROM, .to = TO, .boundaries = boundaries, .checkpoints = checkpoints,
        .record = nothing_to_record, .progress = lose_it_with_the_copies, .opaque = &recorded};
    cr_assert_eq(shoal_repartition(store, &options, &moved, NULL), SHOAL_UNAVAILABLE);
    cr_assert_eq(recorded, 0);
    cr_assert_eq(move_by(store, SHOAL_MURMUR2, &moved), SHOAL_OK);
    store->ops->destroy(store);
    check_moved(SHOAL_MURMUR2);
    stop_memory();
}

Test(repartition, shares_that_one_new_partition_has_lost_are_found_in_another)
{
    uint64_t moved;
    struct shoal_checkpoint before;
    const struct shoal_buffer nothing = {0};
    struct shoal_store *store;
    fill(SHOAL_MURMUR2);
    cr_assert_eq(shoal_failing_store_create(view(), &store), SHOAL_OK);
    shoal_failing_store_plan(store, SHOAL_CALL_save,
                             (struct shoal_failure){.first = TO, .count = SIZE_MAX, .status = SHOAL_UNAVAILABLE});
    cr_assert_eq(move_by(store, SHOAL_MURMUR2, &moved), SHOAL_UNAVAILABLE); /* the new ones and an old one are written */
    store->ops->destroy(store);
    store = view();
    cr_assert_eq(store->ops->acquire(store, TO - 1, &before, NULL), SHOAL_OK);
    save(store, TO - 1, "", 0, &nothing, 0);
    cr_assert_eq(move_by(store, SHOAL_MURMUR2, &moved), SHOAL_OK);
    store->ops->destroy(store);
    check_moved(SHOAL_MURMUR2);
    stop_memory();
}

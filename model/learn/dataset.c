/* SPDX-License-Identifier: Apache-2.0 */
/* Collects events by user; see dataset.h for what a sequence promises. */
#include "model/learn/dataset.h"

#include <stdbool.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/hash.h"

#define NO_RECENT SIZE_MAX

struct shoal_dataset_user {
    uint64_t hash;
    size_t id_at;     /* into ids */
    size_t recent_at; /* into recent, or NO_RECENT */
    int64_t last_ms;
    uint8_t id_size;
    bool gone;        /* forgotten: the events so far are left out */
    uint8_t recent_count, recent_next; /* the ring of event_ids: filled so far, next to be replaced */
};

void shoal_dataset_init(struct shoal_dataset *dataset, uint32_t ring)
{
    *dataset = (struct shoal_dataset){.ring = ring};
}

void shoal_dataset_finish(struct shoal_dataset *dataset)
{
    free(dataset->touches);
    free(dataset->owners);
    free(dataset->arrivals);
    free(dataset->amounts);
    free(dataset->promotions);
    free(dataset->exposures);
    free(dataset->first);
    free(dataset->users);
    free(dataset->table);
    free(dataset->ids);
    free(dataset->recent);
    *dataset = (struct shoal_dataset){0};
}

/* Makes room for `needed` elements; *array stays valid on failure. */
static enum shoal_status grow(void *array, size_t *capacity, size_t needed, size_t element_bytes)
{
    if (needed <= *capacity)
        return SHOAL_OK;
    size_t wanted = *capacity < 512 ? 1024 : *capacity + *capacity / 2;
    if (wanted < needed)
        wanted = needed;
    void *moved;
    memcpy(&moved, array, sizeof moved);
    moved = reallocarray(moved, wanted, element_bytes);
    if (!moved)
        return SHOAL_NOMEM;
    memcpy(array, &moved, sizeof moved);
    *capacity = wanted;
    return SHOAL_OK;
}

static enum shoal_status grow_table(struct shoal_dataset *dataset)
{
    if (2 * (dataset->users_count + 1) <= dataset->table_size)
        return SHOAL_OK;
    size_t size = dataset->table_size ? 2 * dataset->table_size : 2048;
    while (size < 2 * (dataset->users_count + 1))
        size *= 2;
    uint32_t *table = calloc(size, sizeof *table);
    if (!table)
        return SHOAL_NOMEM;
    for (size_t user = 0; user < dataset->users_count; user++) {
        if (dataset->users[user].gone) /* another user bears the id now */
            continue;
        size_t slot = dataset->users[user].hash & (size - 1);
        while (table[slot])
            slot = (slot + 1) & (size - 1);
        table[slot] = (uint32_t)user + 1;
    }
    free(dataset->table);
    dataset->table = table;
    dataset->table_size = size;
    return SHOAL_OK;
}

static enum shoal_status add_user(struct shoal_dataset *dataset, const char *id, size_t id_size,
                                  uint64_t hash)
{
    if (dataset->users_count >= UINT32_MAX - 1)
        return SHOAL_INVALID;
    if (grow(&dataset->users, &dataset->users_capacity, dataset->users_count + 1,
             sizeof *dataset->users) != SHOAL_OK ||
        grow(&dataset->ids, &dataset->ids_capacity, dataset->ids_size + id_size + 1, 1) != SHOAL_OK)
        return SHOAL_NOMEM;
    dataset->users[dataset->users_count++] = (struct shoal_dataset_user){
        .hash = hash,
        .id_at = dataset->ids_size,
        .id_size = (uint8_t)id_size,
        .recent_at = NO_RECENT,
        .last_ms = INT64_MIN,
    };
    memcpy(dataset->ids + dataset->ids_size, id, id_size);
    dataset->ids[dataset->ids_size + id_size] = '\0';
    dataset->ids_size += id_size + 1;
    return SHOAL_OK;
}

/* The slot of the table where this user stands, or the empty one where it would. */
static size_t find_slot(const struct shoal_dataset *dataset, const char *id, size_t id_size,
                        uint64_t hash)
{
    size_t mask = dataset->table_size - 1, slot = hash & mask;
    for (; dataset->table[slot]; slot = (slot + 1) & mask) {
        const struct shoal_dataset_user *there = &dataset->users[dataset->table[slot] - 1];
        if (there->hash == hash && there->id_size == id_size &&
            memcmp(dataset->ids + there->id_at, id, id_size) == 0)
            break;
    }
    return slot;
}

bool shoal_dataset_find_user(const struct shoal_dataset *dataset, const char *id, size_t id_size,
                             uint32_t *user)
{
    if (dataset->table_size == 0)
        return false;
    uint32_t found = dataset->table[find_slot(dataset, id, id_size, shoal_hash(id, id_size))];
    *user = found - 1;
    return found != 0;
}

static enum shoal_status find_user(struct shoal_dataset *dataset, const char *id, size_t id_size,
                                   uint32_t *user)
{
    if (id_size == 0 || id_size > UINT8_MAX)
        return SHOAL_INVALID;
    if (grow_table(dataset) != SHOAL_OK)
        return SHOAL_NOMEM;
    uint64_t hash = shoal_hash(id, id_size);
    size_t slot = find_slot(dataset, id, id_size, hash);
    if (dataset->table[slot]) {
        *user = dataset->table[slot] - 1;
        return SHOAL_OK;
    }
    enum shoal_status status = add_user(dataset, id, id_size, hash);
    if (status != SHOAL_OK)
        return status;
    *user = (uint32_t)(dataset->users_count - 1);
    dataset->table[slot] = *user + 1;
    return SHOAL_OK;
}

/* Remembers event_id; *repeated if it was among the user's last `ring` ones. */
static enum shoal_status note_event_id(struct shoal_dataset *dataset,
                                       struct shoal_dataset_user *user, uint64_t event_id,
                                       bool *repeated)
{
    if (user->recent_at == NO_RECENT) {
        if (grow(&dataset->recent, &dataset->recent_capacity, dataset->recent_size + dataset->ring,
                 sizeof *dataset->recent) != SHOAL_OK)
            return SHOAL_NOMEM;
        user->recent_at = dataset->recent_size;
        dataset->recent_size += dataset->ring;
    }
    uint64_t *recent = dataset->recent + user->recent_at;
    for (size_t i = 0; i < user->recent_count; i++)
        if (recent[i] == event_id) {
            *repeated = true;
            return SHOAL_OK;
        }
    recent[user->recent_next] = event_id;
    user->recent_next = (uint8_t)((user->recent_next + 1u) % dataset->ring);
    if (user->recent_count < dataset->ring)
        user->recent_count++;
    return SHOAL_OK;
}

/* Field by field, because padding and the order of bytes must not matter. */
static uint64_t hash_event(uint64_t seed, uint64_t user_hash, const struct shoal_touch *touch)
{
    uint64_t words[3] = {
        user_hash,
        (uint64_t)touch->time_ms,
        (uint64_t)touch->item << 32 | (uint64_t)touch->category << 16 |
            (uint64_t)touch->behavior << 8 | touch->price_level,
    };
    return shoal_hash_seeded(words, sizeof words, seed);
}

/* Room for one more value in an array that is there only if some event has one: `size` bytes each. The
 * events before it get `none`, byte for byte. */
static enum shoal_status note_value(void **array, size_t capacity, size_t count, size_t size,
                                    const void *none, const void *value)
{
    if (!*array) {
        if (memcmp(value, none, size) == 0)
            return SHOAL_OK;
        *array = malloc(capacity * size);
        if (!*array)
            return SHOAL_NOMEM;
        for (size_t i = 0; i < count; i++)
            memcpy((char *)*array + i * size, none, size);
    }
    memcpy((char *)*array + count * size, value, size);
    return SHOAL_OK;
}

/* `from` … `to`: how many the arrays hold. */
static enum shoal_status grow_value(void **array, size_t from, size_t to, size_t size)
{
    if (!*array || from == to)
        return SHOAL_OK;
    void *grown = realloc(*array, to * size);
    if (!grown)
        return SHOAL_NOMEM;
    *array = grown;
    return SHOAL_OK;
}

/* X(array, none): the values of struct shoal_extra that a data set keeps */
#define EXTRA_LIST(X)                                                                              \
    X(amount, amounts, NAN)                                                                        \
    X(promotion, promotions, 0)                                                                    \
    X(exposure, exposures, 0)

static enum shoal_status note_extra(struct shoal_dataset *dataset, const struct shoal_extra *extra)
{
    enum shoal_status status = SHOAL_OK;
#define X(one, many, nothing)                                                                      \
    if (status == SHOAL_OK) {                                                                      \
        const __typeof__(extra->one) none = nothing;                                               \
        void *array = dataset->many;                                                               \
        status = note_value(&array, dataset->events_capacity, dataset->events_count, sizeof none,  \
                            &none, &extra->one);                                                   \
        dataset->many = array;                                                                     \
    }
    EXTRA_LIST(X)
#undef X
    return status;
}

static enum shoal_status grow_events(struct shoal_dataset *dataset)
{
    size_t before = dataset->events_capacity, capacity = before;
    if (grow(&dataset->touches, &capacity, dataset->events_count + 1, sizeof *dataset->touches) !=
            SHOAL_OK ||
        grow(&dataset->owners, &dataset->events_capacity, dataset->events_count + 1,
             sizeof *dataset->owners) != SHOAL_OK)
        return SHOAL_NOMEM;
    enum shoal_status status = SHOAL_OK;
#define X(one, many, nothing)                                                                      \
    if (status == SHOAL_OK) {                                                                      \
        void *array = dataset->many;                                                               \
        status = grow_value(&array, before, dataset->events_capacity, sizeof *dataset->many);      \
        dataset->many = array;                                                                     \
    }
    EXTRA_LIST(X)
#undef X
    return status;
}

enum shoal_status shoal_dataset_append(struct shoal_dataset *dataset, const char *user,
                                       size_t user_size, const struct shoal_touch *touch,
                                       uint64_t event_id)
{
    struct shoal_extra extra = {.event_id = event_id, .amount = NAN};
    return shoal_dataset_append_event(dataset, user, user_size, touch, &extra);
}

enum shoal_status shoal_dataset_append_event(struct shoal_dataset *dataset, const char *user,
                                             size_t user_size, const struct shoal_touch *touch,
                                             const struct shoal_extra *extra)
{
    enum shoal_status status = grow_events(dataset);
    uint32_t owner;
    if (status == SHOAL_OK)
        status = find_user(dataset, user, user_size, &owner);
    if (status != SHOAL_OK)
        return status;
    struct shoal_dataset_user *there = &dataset->users[owner];
    bool repeated = false;
    if (extra->event_id != 0) {
        status = note_event_id(dataset, there, extra->event_id, &repeated);
        if (status != SHOAL_OK)
            return status;
    }
    if (repeated) {
        dataset->repeated_count++;
        return SHOAL_OK;
    }
    status = note_extra(dataset, extra);
    if (status != SHOAL_OK)
        return status;
    struct shoal_touch kept = *touch;
    if (kept.time_ms < there->last_ms) {
        kept.time_ms = there->last_ms;
        dataset->late_count++;
    }
    there->last_ms = kept.time_ms;
    if (dataset->events_count == 0 || kept.time_ms < dataset->first_ms)
        dataset->first_ms = kept.time_ms;
    if (dataset->events_count == 0 || kept.time_ms > dataset->last_ms)
        dataset->last_ms = kept.time_ms;
    dataset->fingerprint = hash_event(dataset->fingerprint, there->hash, &kept);
    dataset->touches[dataset->events_count] = kept;
    dataset->owners[dataset->events_count++] = owner;
    return SHOAL_OK;
}

/* ---- forgetting ---------------------------------------------------------------------------- */

enum shoal_status shoal_dataset_forget(struct shoal_dataset *dataset, const char *id, size_t id_size)
{
    uint32_t before;
    if (!shoal_dataset_find_user(dataset, id, id_size, &before))
        return SHOAL_OK;
    uint64_t hash = dataset->users[before].hash;
    enum shoal_status status = grow_table(dataset);
    if (status == SHOAL_OK)
        status = add_user(dataset, id, id_size, hash);
    if (status != SHOAL_OK)
        return status;
    dataset->table[find_slot(dataset, id, id_size, hash)] = (uint32_t)dataset->users_count;
    dataset->users[before].gone = true;
    dataset->has_gone = true;
    dataset->fingerprint = shoal_hash_seeded(&hash, sizeof hash, dataset->fingerprint);
    return SHOAL_OK;
}

/* Users without an event are left out too: `numbers[user]` is the new number of those who stay. */
static size_t renumber(const struct shoal_dataset *dataset, uint32_t *numbers)
{
    size_t count = 0;
    memset(numbers, 0, dataset->users_count * sizeof *numbers);
    for (size_t i = 0; i < dataset->events_count; i++)
        numbers[dataset->owners[i]] = 1;
    for (size_t user = 0; user < dataset->users_count; user++)
        numbers[user] = numbers[user] && !dataset->users[user].gone ? (uint32_t)count++ : UINT32_MAX;
    return count;
}

/* Moves everything that stays to the front, in its order. */
static enum shoal_status leave_out(struct shoal_dataset *dataset)
{
    uint32_t *numbers = malloc((dataset->users_count + 1) * sizeof *numbers);
    if (!numbers)
        return SHOAL_NOMEM;
    size_t users_count = renumber(dataset, numbers), count = 0;
    dataset->first_ms = dataset->last_ms = 0;
    for (size_t i = 0; i < dataset->events_count; i++) {
        uint32_t owner = numbers[dataset->owners[i]];
        int64_t time_ms = dataset->touches[i].time_ms;
        if (owner == UINT32_MAX)
            continue;
        dataset->first_ms = count == 0 || time_ms < dataset->first_ms ? time_ms : dataset->first_ms;
        dataset->last_ms = count == 0 || time_ms > dataset->last_ms ? time_ms : dataset->last_ms;
        dataset->touches[count] = dataset->touches[i];
        dataset->owners[count] = owner;
#define X(one, many, nothing)                                                                      \
        if (dataset->many)                                                                         \
            dataset->many[count] = dataset->many[i];
        EXTRA_LIST(X)
#undef X
        count++;
    }
    dataset->events_count = count;
    for (size_t user = 0; user < dataset->users_count; user++)
        if (numbers[user] != UINT32_MAX)
            dataset->users[numbers[user]] = dataset->users[user];
    dataset->users_count = users_count;
    dataset->table_size = 0; /* to be made anew */
    free(dataset->table);
    dataset->table = NULL;
    dataset->has_gone = false;
    free(numbers);
    return grow_table(dataset);
}

/* ---- grouping ------------------------------------------------------------------------------ */

/* values[place[i]] = (*array)[i], `size` bytes each. */
static enum shoal_status move_values(void **array, const size_t *place, size_t count, size_t size)
{
    if (!*array)
        return SHOAL_OK;
    char *moved = malloc((count + 1) * size);
    if (!moved)
        return SHOAL_NOMEM;
    for (size_t i = 0; i < count; i++)
        memcpy(moved + place[i] * size, (const char *)*array + i * size, size);
    free(*array);
    *array = moved;
    return SHOAL_OK;
}

static enum shoal_status move_extras(struct shoal_dataset *dataset, const size_t *place)
{
    enum shoal_status status = SHOAL_OK;
#define X(one, many, nothing)                                                                      \
    if (status == SHOAL_OK) {                                                                      \
        void *array = dataset->many;                                                               \
        status = move_values(&array, place, dataset->events_count, sizeof *dataset->many);         \
        dataset->many = array;                                                                     \
    }
    EXTRA_LIST(X)
#undef X
    return status;
}

/* A stable counting sort by owner. */
enum shoal_status shoal_dataset_group(struct shoal_dataset *dataset)
{
    if (dataset->has_gone && leave_out(dataset) != SHOAL_OK)
        return SHOAL_NOMEM;
    size_t events_count = dataset->events_count, users_count = dataset->users_count;
    size_t *first = calloc(users_count + 2, sizeof *first);
    size_t *places = malloc((events_count + 1) * sizeof *places);
    struct shoal_touch *touches = malloc((events_count + 1) * sizeof *touches);
    uint32_t *owners = malloc((events_count + 1) * sizeof *owners);
    uint32_t *arrivals = malloc((events_count + 1) * sizeof *arrivals);
    if (!first || !places || !touches || !owners || !arrivals) {
        free(arrivals);
        free(first);
        free(places);
        free(touches);
        free(owners);
        return SHOAL_NOMEM;
    }
    /* first[u + 2] counts, then runs as the next place of user u + 1 and ends as its true start. */
    for (size_t i = 0; i < events_count; i++)
        first[dataset->owners[i] + 2]++;
    for (size_t user = 2; user < users_count + 2; user++)
        first[user] += first[user - 1];
    for (size_t i = 0; i < events_count; i++) {
        size_t place = places[i] = first[dataset->owners[i] + 1]++;
        touches[place] = dataset->touches[i];
        owners[place] = dataset->owners[i];
        arrivals[place] = (uint32_t)i;
    }
    free(dataset->touches);
    free(dataset->owners);
    dataset->touches = touches;
    dataset->owners = owners;
    dataset->arrivals = arrivals;
    dataset->events_capacity = events_count + 1;
    dataset->first = first;
    enum shoal_status status = move_extras(dataset, places);
    free(places);
    return status;
}

struct shoal_extra shoal_dataset_extra(const struct shoal_dataset *dataset, size_t event)
{
    return (struct shoal_extra){
        .promotion = dataset->promotions ? dataset->promotions[event] : 0,
        .exposure = dataset->exposures ? dataset->exposures[event] : 0,
        .amount = dataset->amounts ? dataset->amounts[event] : NAN,
    };
}

const char *shoal_dataset_user_id(const struct shoal_dataset *dataset, size_t user)
{
    return dataset->ids + dataset->users[user].id_at;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The history of what a partition's events are applied under; see swaps.h. Reading a file of swaps is in swaps_file.c. */
#include "stream/swaps.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char head[] = "m2", head_grown[] = "m3";
enum {
    HEAD = sizeof head - 1,
    VERSION_DIGITS = 16,
    PAIR = 1 + VERSION_DIGITS + 1 + VERSION_DIGITS + 1, /* " model+policy@" */
    OFFSET_DIGITS_MAX = 19,
};

void shoal_swaps_finish(struct shoal_swaps *swaps)
{
    free(swaps->list);
    *swaps = (struct shoal_swaps){0};
}

enum shoal_status shoal_swaps_append(struct shoal_swaps *swaps, int64_t offset, uint64_t model,
                                     uint64_t policy)
{
    if (offset < 0 || model == 0 ||
        (swaps->count > 0 && offset < swaps->list[swaps->count - 1].offset))
        return SHOAL_INVALID;
    if (shoal_swaps_holds(swaps, model, policy))
        return SHOAL_OK;
    if (swaps->count == swaps->capacity) {
        size_t capacity = swaps->capacity ? 2 * swaps->capacity : 4;
        struct shoal_swap *list = realloc(swaps->list, capacity * sizeof *list);
        if (!list)
            return SHOAL_NOMEM;
        swaps->list = list;
        swaps->capacity = capacity;
    }
    swaps->list[swaps->count++] = (struct shoal_swap){offset, model, policy};
    return SHOAL_OK;
}

struct shoal_swap shoal_swaps_last(const struct shoal_swaps *swaps)
{
    return swaps->count ? swaps->list[swaps->count - 1] : (struct shoal_swap){.offset = -1};
}

bool shoal_swaps_holds(const struct shoal_swaps *swaps, uint64_t model, uint64_t policy)
{
    struct shoal_swap last = shoal_swaps_last(swaps);
    return swaps->count > 0 && last.model == model && last.policy == policy;
}

size_t shoal_swaps_find(const struct shoal_swaps *swaps, int64_t offset)
{
    size_t index = swaps->count - 1;
    while (index > 0 && swaps->list[index].offset > offset)
        index--;
    return index;
}

int64_t shoal_swaps_until(const struct shoal_swaps *swaps, size_t index)
{
    return index + 1 < swaps->count ? swaps->list[index + 1].offset : INT64_MAX;
}

void shoal_swaps_cut(struct shoal_swaps *swaps, int64_t offset)
{
    while (swaps->count > 0 && swaps->list[swaps->count - 1].offset > offset)
        swaps->count--;
}

static void drop_oldest(struct shoal_swaps *swaps, size_t count)
{
    if (count == 0)
        return;
    swaps->count -= count;
    memmove(swaps->list, swaps->list + count, swaps->count * sizeof *swaps->list);
}

void shoal_swaps_trim(struct shoal_swaps *swaps, int64_t low)
{
    if (swaps->count > 0)
        drop_oldest(swaps, shoal_swaps_find(swaps, low));
}

static bool read_digits(const char *text, size_t size, uint64_t *id)
{
    *id = 0;
    if (size != VERSION_DIGITS)
        return false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c >= '0' && c <= '9')
            *id = *id << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            *id = *id << 4 | (uint64_t)(c - 'a' + 10);
        else
            return false;
    }
    return true;
}

bool shoal_swaps_id(const char *text, size_t size, uint64_t *id)
{
    return read_digits(text, size, id) && *id != 0;
}

void shoal_swaps_version(uint64_t id, char version[17])
{
    snprintf(version, 17, "%016" PRIx64, id);
}

/* Decimal digits without leading zeros, up to INT64_MAX; the number of bytes read, 0 if there is none. */
static size_t read_offset(const char *text, size_t size, int64_t *offset)
{
    size_t digits = 0;
    uint64_t value = 0; /* 19 digits fit */
    while (digits < size && text[digits] >= '0' && text[digits] <= '9') {
        if (digits == OFFSET_DIGITS_MAX)
            return 0;
        value = value * 10 + (uint64_t)(text[digits++] - '0');
    }
    if (value > INT64_MAX || (digits > 1 && text[0] == '0'))
        return 0;
    *offset = (int64_t)value;
    return digits;
}

enum shoal_status shoal_swaps_grow(struct shoal_swaps *swaps, const struct shoal_growth *growth)
{
    const struct shoal_growth *last =
        swaps->growths_count ? &swaps->growths[swaps->growths_count - 1] : NULL;
    if (growth->from < 1 || growth->to <= growth->from || growth->offset < 0 ||
        (last && (growth->from < last->to || growth->offset < last->offset)))
        return SHOAL_INVALID;
    if (swaps->growths_count == SHOAL_GROWTHS_MAX)
        memmove(swaps->growths, swaps->growths + 1,
                --swaps->growths_count * sizeof *swaps->growths);
    swaps->growths[swaps->growths_count++] = *growth;
    return SHOAL_OK;
}

const struct shoal_growth *shoal_swaps_growth_from(const struct shoal_swaps *swaps, int32_t from)
{
    for (size_t i = 0; i < swaps->growths_count; i++) {
        if (swaps->growths[i].from == from)
            return &swaps->growths[i];
    }
    return NULL;
}

int64_t shoal_swaps_grown_to(const struct shoal_swaps *swaps, int32_t partitions)
{
    int64_t offset = -1;
    for (size_t i = 0; i < swaps->growths_count && swaps->growths[i].to <= partitions; i++)
        offset = swaps->growths[i].offset;
    return offset;
}

/* "g4>6@500" at `text`; its length, 0 if it is none. */
static size_t read_growth(const char *text, size_t size, struct shoal_growth *growth)
{
    int64_t numbers[3];
    const char marks[] = "g>@";
    size_t at = 0;
    for (int i = 0; i < 3; i++) {
        if (at >= size || text[at] != marks[i])
            return 0;
        size_t digits = read_offset(text + at + 1, size - at - 1, &numbers[i]);
        if (digits == 0 || (i < 2 && numbers[i] > INT32_MAX))
            return 0;
        at += 1 + digits;
    }
    *growth = (struct shoal_growth){(int32_t)numbers[0], (int32_t)numbers[1], numbers[2]};
    return at;
}

/* Behind the head; where the swaps begin, 0 if something is wrong. */
static size_t parse_growths(const char *text, size_t size, struct shoal_swaps *swaps)
{
    size_t at = HEAD;
    while (size - at > 1 && text[at] == ' ' && text[at + 1] == 'g') {
        struct shoal_growth growth;
        size_t length = read_growth(text + at + 1, size - at - 1, &growth);
        if (length == 0 || swaps->growths_count == SHOAL_GROWTHS_MAX ||
            shoal_swaps_grow(swaps, &growth) != SHOAL_OK)
            return 0;
        at += 1 + length;
    }
    return swaps->growths_count ? at : 0;
}

static enum shoal_status parse(const char *text, size_t size, struct shoal_swaps *swaps)
{
    size_t at = HEAD;
    bool grown = size >= HEAD && memcmp(text, head_grown, HEAD) == 0;
    if (grown)
        at = parse_growths(text, size, swaps);
    if (at == 0 || size < HEAD || (!grown && memcmp(text, head, HEAD) != 0))
        return SHOAL_DAMAGED;
    while (at < size) {
        struct shoal_swap swap;
        const char *model = text + at + 1, *policy = model + VERSION_DIGITS + 1;
        if (size - at < PAIR + 1 || text[at] != ' ' ||
            !shoal_swaps_id(model, VERSION_DIGITS, &swap.model) || policy[-1] != '+' ||
            !read_digits(policy, VERSION_DIGITS, &swap.policy) || policy[VERSION_DIGITS] != '@')
            return SHOAL_DAMAGED;
        at += PAIR;
        size_t digits = read_offset(text + at, size - at, &swap.offset);
        if (digits == 0 || shoal_swaps_holds(swaps, swap.model, swap.policy))
            return SHOAL_DAMAGED;
        at += digits;
        enum shoal_status status = shoal_swaps_append(swaps, swap.offset, swap.model, swap.policy);
        if (status != SHOAL_OK)
            return status == SHOAL_INVALID ? SHOAL_DAMAGED : status;
    }
    return SHOAL_OK;
}

enum shoal_status shoal_swaps_parse(const char *text, size_t size, struct shoal_swaps *swaps)
{
    swaps->count = swaps->growths_count = 0;
    enum shoal_status status = parse(text, size, swaps);
    if (status != SHOAL_OK)
        swaps->count = swaps->growths_count = 0;
    return status;
}

static size_t print_one(const struct shoal_swap *swap, char text[64])
{
    return (size_t)snprintf(text, 64, " %016" PRIx64 "+%016" PRIx64 "@%" PRId64, swap->model,
                            swap->policy, swap->offset);
}

/* The head and the growths; their length. */
static size_t print_head(const struct shoal_swaps *swaps, char text[SHOAL_SWAPS_BYTES + 1])
{
    size_t size = HEAD;
    memcpy(text, swaps->growths_count ? head_grown : head, HEAD);
    for (size_t i = 0; i < swaps->growths_count; i++)
        size += (size_t)snprintf(text + size, SHOAL_SWAPS_BYTES + 1 - size,
                                 " g%" PRId32 ">%" PRId32 "@%" PRId64, swaps->growths[i].from,
                                 swaps->growths[i].to, swaps->growths[i].offset);
    return size;
}

size_t shoal_swaps_print(struct shoal_swaps *swaps, char text[SHOAL_SWAPS_BYTES + 1])
{
    char one[64];
    size_t begin = print_head(swaps, text), size = begin, first = swaps->count;
    while (first > 0) {
        size_t more = print_one(&swaps->list[first - 1], one);
        if (size + more > SHOAL_SWAPS_BYTES)
            break;
        size += more;
        first--;
    }
    drop_oldest(swaps, first);
    char *at = text + begin;
    for (size_t i = 0; i < swaps->count; i++) {
        size_t more = print_one(&swaps->list[i], one);
        memcpy(at, one, more);
        at += more;
    }
    *at = '\0';
    return first;
}

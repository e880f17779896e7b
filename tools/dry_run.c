/* SPDX-License-Identifier: Apache-2.0 */
/* Counting decisions; see dry_run.h. */
#include "tools/dry_run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/hash.h"
#include "model/base/pack.h"
#include "stream/event.h"
#include "stream/json_print.h"

static const int64_t DAY_MS = INT64_C(86400000);

/* A set of hashes: who has been offered what. 64 bits of hash collide once in billions of users. */
struct seen {
    uint64_t *slots; /* 0: free */
    size_t count, capacity;
};

struct shoal_dry_run {
    struct shoal_sink base;
    const struct shoal_policy *policy;
    const char *user;
    FILE *lines;
    bool json, any_line;
    struct seen seen;
    char reasons[SHOAL_DRY_REASONS_MAX][48];
    struct shoal_dry_tally tallies[SHOAL_GRANTS_MAX];
};

/* What is counted of a decision; texts lie in its bytes. */
struct heard {
    const char *user, *promotion, *trigger;
    size_t user_size, promotion_size, trigger_size;
    bool eligible, control, asked, repeated;
    int64_t time_ms;
    struct shoal_unpack reasons; /* at the list */
};

/* ---- set of users -------------------------------------------------------------------------- */

static bool grow(struct seen *seen)
{
    struct seen larger = {.capacity = seen->capacity ? 2 * seen->capacity : 1024};
    larger.slots = calloc(larger.capacity, sizeof *larger.slots);
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < seen->capacity; i++) {
        size_t at = seen->slots[i] & (larger.capacity - 1);
        while (seen->slots[i] && larger.slots[at])
            at = (at + 1) & (larger.capacity - 1);
        if (seen->slots[i])
            larger.slots[at] = seen->slots[i];
    }
    larger.count = seen->count;
    free(seen->slots);
    *seen = larger;
    return true;
}

/* *fresh: it was not there. False: out of memory. */
static bool insert(struct seen *seen, uint64_t hash, bool *fresh)
{
    hash += hash == 0;
    if (2 * (seen->count + 1) > seen->capacity && !grow(seen))
        return false;
    size_t at = hash & (seen->capacity - 1);
    while (seen->slots[at] && seen->slots[at] != hash)
        at = (at + 1) & (seen->capacity - 1);
    *fresh = !seen->slots[at];
    seen->slots[at] = hash;
    seen->count += *fresh;
    return true;
}

/* ---- MessagePack as JSON ------------------------------------------------------------------- */

static void put_str(const char *text, size_t size, FILE *out)
{
    char copy[1024];
    size = size < sizeof copy ? size : sizeof copy - 1;
    memcpy(copy, text, size);
    copy[size] = '\0';
    shoal_json_text(copy, out);
}

static void put_value(struct shoal_unpack *in, FILE *out)
{
    struct shoal_pack_value value;
    if (!shoal_unpack_next(in, &value))
        return;
    bool map = value.type == SHOAL_PACK_MAP;
    switch (value.type) {
    case SHOAL_PACK_BOOL:
        fputs(value.integer ? "true" : "false", out);
        break;
    case SHOAL_PACK_INT:
        fprintf(out, "%" PRId64, value.integer);
        break;
    case SHOAL_PACK_FLOAT:
        fprintf(out, "%.6f", value.real);
        break;
    case SHOAL_PACK_STR:
        put_str(value.data, value.count, out);
        break;
    case SHOAL_PACK_ARRAY:
    case SHOAL_PACK_MAP:
        putc(map ? '{' : '[', out);
        for (uint32_t i = 0; i < value.count && in->status == SHOAL_OK; i++) {
            if (i)
                putc(',', out);
            put_value(in, out);
            if (map)
                putc(':', out);
            if (map)
                put_value(in, out);
        }
        putc(map ? '}' : ']', out);
        break;
    default:
        fputs("null", out);
        break;
    }
}

/* ---- decisions ----------------------------------------------------------------------------- */

static bool is(const char *text, size_t size, const char *name)
{
    return text && size == strlen(name) && memcmp(text, name, size) == 0;
}

static void hear_trigger(struct shoal_unpack *in, struct heard *heard)
{
    struct shoal_pack_value value;
    if (shoal_unpack_next(in, &value) && value.type == SHOAL_PACK_STR) {
        heard->asked = true;
        heard->trigger = value.data;
        heard->trigger_size = value.count;
    }
}

/* One reason: its name, and whether it was met; value and limit are passed over. */
static const char *hear_reason(struct shoal_unpack *in, size_t *size, bool *met)
{
    const char *condition = NULL;
    *met = true;
    uint32_t pairs = shoal_unpack_map(in, 8);
    while (pairs-- && in->status == SHOAL_OK) {
        size_t key_size;
        const char *key = shoal_unpack_str(in, &key_size);
        if (is(key, key_size, "condition"))
            condition = shoal_unpack_str(in, size);
        else if (is(key, key_size, "met"))
            *met = shoal_unpack_bool(in);
        else
            shoal_unpack_skip(in);
    }
    return condition;
}

static bool hear(const struct shoal_output *output, struct heard *heard)
{
    struct shoal_unpack in;
    size_t size;
    *heard = (struct heard){0};
    shoal_unpack_init(&in, output->value, output->value_size);
    uint32_t pairs = shoal_unpack_map(&in, 32);
    while (pairs-- && in.status == SHOAL_OK) {
        const char *key = shoal_unpack_str(&in, &size), *text;
        if (is(key, size, "user_id")) {
            heard->user = shoal_unpack_str(&in, &heard->user_size);
        } else if (is(key, size, "promotion")) {
            heard->promotion = shoal_unpack_str(&in, &heard->promotion_size);
        } else if (is(key, size, "eligible")) {
            heard->eligible = shoal_unpack_bool(&in);
        } else if (is(key, size, "variant")) {
            text = shoal_unpack_str(&in, &size);
            heard->control = is(text, size, "control");
        } else if (is(key, size, "trigger")) {
            hear_trigger(&in, heard);
        } else if (is(key, size, "event_time")) {
            text = shoal_unpack_str(&in, &size);
            if (!text || !shoal_time_parse(text, size, &heard->time_ms))
                shoal_unpack_fail(&in);
        } else {
            if (is(key, size, "reasons"))
                heard->reasons = in;
            shoal_unpack_skip(&in);
        }
    }
    return in.status == SHOAL_OK && heard->user && heard->promotion && heard->reasons.bytes;
}

static void count_withheld(struct shoal_dry_run *run, struct shoal_dry_tally *tally,
                           struct heard *heard)
{
    struct shoal_unpack in = heard->reasons;
    uint32_t count = shoal_unpack_array(&in, 64);
    while (count-- && in.status == SHOAL_OK) {
        bool met;
        size_t size, i = 0;
        const char *name = hear_reason(&in, &size, &met);
        heard->repeated = heard->repeated || is(name, size, "offer");
        if (!name || met || !heard->asked || size >= sizeof run->reasons[0])
            continue;
        while (i < SHOAL_DRY_REASONS_MAX && run->reasons[i][0] && !is(name, size, run->reasons[i]))
            i++;
        if (i == SHOAL_DRY_REASONS_MAX)
            continue;
        memcpy(run->reasons[i], name, size);
        tally->withheld[i]++;
    }
}

static bool count_day(struct shoal_dry_tally *tally, int64_t day)
{
    size_t i = tally->days_count;
    while (i > 0 && tally->days[i - 1].day != day) /* the last ones first: time goes on */
        i--;
    if (i > 0) {
        tally->days[i - 1].offers++;
        return true;
    }
    if (tally->days_count == tally->days_capacity) {
        size_t capacity = tally->days_capacity * 2 + 8;
        void *more = realloc(tally->days, capacity * sizeof *tally->days);
        if (!more)
            return false;
        tally->days = more;
        tally->days_capacity = capacity;
    }
    i = tally->days_count++;
    for (; i > 0 && tally->days[i - 1].day > day; i--)
        tally->days[i] = tally->days[i - 1];
    tally->days[i] = (struct shoal_dry_day){day, 1};
    return true;
}

static bool count_offer(struct shoal_dry_run *run, struct shoal_dry_tally *tally, uint64_t seed,
                        const struct heard *heard)
{
    bool fresh;
    tally->offers++;
    if (!insert(&run->seen, shoal_hash_seeded(heard->user, heard->user_size, seed + 1), &fresh))
        return false;
    tally->users += fresh && !heard->control;
    tally->control_users += fresh && heard->control;
    if (heard->control)
        return true;
    int64_t local_ms = heard->time_ms + run->policy->utc_offset_ms;
    return count_day(tally, local_ms > 0 ? local_ms / DAY_MS : 0);
}

/* "2017-11-26T01:00:01.000Z  welcome: no, asked by cart; cooldown is "2h", limit "1d"" */
static void write_line(struct shoal_dry_run *run, const struct shoal_output *output,
                       const struct heard *heard)
{
    FILE *out = run->lines;
    struct shoal_unpack in;
    if (run->json) {
        fputs(run->any_line ? "," : "", out);
        shoal_unpack_init(&in, output->value, output->value_size);
        put_value(&in, out);
        run->any_line = true;
        return;
    }
    char time[25];
    shoal_time_print(heard->time_ms, time);
    fprintf(out, "%s  %.*s: %s%s", time, (int)heard->promotion_size, heard->promotion,
            !heard->eligible   ? (heard->asked ? "no" : "withdrawn")
            : heard->repeated  ? "stands"
                               : "offered",
            heard->eligible && heard->control ? " (control)" : "");
    if (heard->asked)
        fprintf(out, ", asked by %.*s", (int)heard->trigger_size, heard->trigger);
    in = heard->reasons;
    uint32_t count = shoal_unpack_array(&in, 64);
    while (count-- && in.status == SHOAL_OK) {
        bool met;
        size_t size;
        struct shoal_unpack again = in;
        const char *name = hear_reason(&in, &size, &met);
        if (!name || met)
            continue;
        fprintf(out, "; %.*s", (int)size, name);
        uint32_t pairs = shoal_unpack_map(&again, 8);
        while (pairs-- && again.status == SHOAL_OK) {
            const char *key = shoal_unpack_str(&again, &size);
            bool value = is(key, size, "value"), limit = is(key, size, "limit");
            if (value || limit) {
                fputs(value ? " is " : ", limit ", out);
                put_value(&again, out);
            } else {
                shoal_unpack_skip(&again);
            }
        }
    }
    putc('\n', out);
}

static enum shoal_status emit(struct shoal_sink *base, const struct shoal_output *output)
{
    struct shoal_dry_run *run = (struct shoal_dry_run *)base;
    struct heard heard;
    size_t i = 0;
    if (output->topic != SHOAL_TOPIC_DECISIONS)
        return SHOAL_OK;
    if (!hear(output, &heard))
        return SHOAL_DAMAGED;
    while (i < run->policy->count &&
           !is(heard.promotion, heard.promotion_size, run->policy->promotions[i].id))
        i++;
    if (i == run->policy->count)
        return SHOAL_DAMAGED;
    struct shoal_dry_tally *tally = &run->tallies[i];
    count_withheld(run, tally, &heard);
    tally->asked += heard.asked;
    tally->eligible += heard.asked && heard.eligible;
    tally->withdrawn += !heard.asked && !heard.eligible;
    if (run->user && is(heard.user, heard.user_size, run->user))
        write_line(run, output, &heard);
    if (heard.eligible && !heard.repeated && !count_offer(run, tally, i, &heard))
        return SHOAL_NOMEM;
    return SHOAL_OK;
}

/* ---- life ---------------------------------------------------------------------------------- */

static void leave(struct shoal_sink *base)
{
    /* the run owns it */
}

enum shoal_status shoal_dry_run_create(const struct shoal_policy *policy, const char *user,
                                       FILE *lines, bool json, struct shoal_dry_run **run)
{
    static const struct shoal_sink_ops ops = {.emit = emit, .destroy = leave};
    *run = calloc(1, sizeof **run);
    if (!*run)
        return SHOAL_NOMEM;
    (*run)->base.ops = &ops;
    (*run)->policy = policy;
    (*run)->user = user;
    (*run)->lines = lines;
    (*run)->json = json;
    return SHOAL_OK;
}

void shoal_dry_run_destroy(struct shoal_dry_run *run)
{
    if (!run)
        return;
    for (size_t i = 0; i < SHOAL_GRANTS_MAX; i++)
        free(run->tallies[i].days);
    free(run->seen.slots);
    free(run);
}

struct shoal_sink *shoal_dry_run_sink(struct shoal_dry_run *run)
{
    return &run->base;
}

const struct shoal_dry_tally *shoal_dry_run_tally(const struct shoal_dry_run *run, size_t promotion)
{
    return &run->tallies[promotion];
}

const char *shoal_dry_run_reason(const struct shoal_dry_run *run, size_t reason)
{
    return reason < SHOAL_DRY_REASONS_MAX && run->reasons[reason][0] ? run->reasons[reason] : NULL;
}

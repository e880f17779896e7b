/* SPDX-License-Identifier: Apache-2.0 */
/* Pipeline: life, intake of messages, saving. Applying a batch is in pipeline_run.c. */
#include "stream/pipeline.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "stream/pipeline_internal.h"
#include "stream/forget.h"
#include "stream/pseudonym.h"
#include "stream/tick.h"

enum { ARENA_BLOCK_BYTES = 1 << 20 };

const char *shoal_stage_name(enum shoal_stage stage)
{
    static const char *const names[] = {
#define X(name) #name,
        SHOAL_STAGE_LIST(X)
#undef X
    };
    return names[stage];
}

struct shoal_pipeline_options shoal_pipeline_options_of(const struct shoal_config *config,
                                                        const struct shoal_model *model,
                                                        const struct shoal_policy *policy)
{
    return (struct shoal_pipeline_options){
        .model = model,
        .policy = policy,
        .rules = shoal_segment_rules_of(config),
        .decode =
            {
                .max_future_ms = config->event_max_future,
                .max_value_bytes = (size_t)config->event_max_bytes,
                .pseudonyms = config->pseudonyms,
            },
        .precision = strcmp(config->state_precision, "fp32") == 0 ? SHOAL_FP32 : SHOAL_FP16,
        .online = strcmp(config->calibration_online, "on") == 0,
        .format = strcmp(config->output_format, "msgpack") == 0 ? SHOAL_OUTPUT_MSGPACK
                                                                : SHOAL_OUTPUT_JSON,
        .topic = config->topic_events,
        .partitions = 1,
        .timers_jump_ms = config->timers_jump,
        .cache_users = (size_t)config->state_cache,
        .batch_events = (size_t)config->batch_events,
    };
}

/* Nothing falls due sooner after an event than this, so that many events can be applied together. */
static int64_t least_delay(const struct shoal_segment_rules *rules)
{
    int64_t delays_ms[] = {
        rules->intent_lapse_ms,
        rules->new_ms,
        rules->returning_ms,
        rules->lapsing_ms,
        rules->inactive_ms,
        rules->cart_wait_ms,
        rules->first_time_ms,
        2 * rules->frequent_interval_ms,
    };
    int64_t least_ms = delays_ms[0];
    for (size_t i = 1; i < sizeof delays_ms / sizeof *delays_ms; i++)
        least_ms = delays_ms[i] < least_ms ? delays_ms[i] : least_ms;
    return least_ms > SHOAL_TICK_MS ? least_ms : SHOAL_TICK_MS;
}

/* Decisions are counted by the promotion's id, which is looked for once a policy and not once a decision. */
static void count_promotions(struct shoal_pipeline *p)
{
    const struct shoal_policy *policy = p->options.policy;
    for (size_t i = 0; policy && i < policy->count; i++)
        p->counted[i] = shoal_promotion_counts_index(&p->counts.promotions, policy->promotions[i].id);
}

static enum shoal_status make_step(const struct shoal_pipeline_options *options,
                                   const struct shoal_model *model, struct shoal_step **step)
{
    return shoal_step_create(model, options->batch_events < 1024 ? options->batch_events : 1024,
                             options->precision, step);
}

static enum shoal_status allocate(struct shoal_pipeline *p)
{
    const struct shoal_pipeline_options *o = &p->options;
    size_t n = p->items_capacity;
    p->items = calloc(n, sizeof *p->items);
    p->decoded = calloc(SHOAL_EVENTS_PER_MESSAGE_MAX, sizeof *p->decoded);
    n = p->line_capacity = n + TIMERS_MAX;
    p->timers = calloc(TIMERS_MAX, sizeof *p->timers);
    p->line = calloc(n, sizeof(struct item *));
    p->order = calloc(n, sizeof *p->order);
    p->round_start = calloc(n + 2, sizeof *p->round_start);
    p->rows = calloc(n, sizeof *p->rows);
    p->row_item = calloc(n, sizeof *p->row_item);
    p->missing = calloc(n, sizeof *p->missing);
    p->keys = calloc(n, sizeof *p->keys);
    p->values = calloc(n, sizeof *p->values);
    p->decisions = calloc(SHOAL_GRANTS_MAX, sizeof *p->decisions);
    if (!p->items || !p->decoded || !p->timers || !p->line || !p->order || !p->round_start ||
        !p->rows || !p->row_item ||
        !p->missing || !p->keys || !p->values || !p->decisions)
        return SHOAL_NOMEM;
    enum shoal_status status = shoal_decoder_create(&o->decode, &p->decoder);
    if (status == SHOAL_OK)
        status = shoal_cache_create(o->cache_users, o->model->params.dims.hidden, &p->cache);
    return status == SHOAL_OK ? make_step(o, o->model, &p->step) : status;
}

enum shoal_status shoal_pipeline_create(const struct shoal_pipeline_options *options,
                                        struct shoal_store *store, struct shoal_sink *sink,
                                        struct shoal_pipeline **pipeline)
{
    *pipeline = NULL;
    struct shoal_pipeline *p = calloc(1, sizeof *p);
    if (!p)
        return SHOAL_NOMEM;
    p->options = *options;
    if (p->options.batch_events == 0)
        p->options.batch_events = 1;
    p->store = store;
    p->sink = sink;
    p->batch = 1;
    p->items_capacity = p->options.batch_events + SHOAL_EVENTS_PER_MESSAGE_MAX;
    /* A batch pins its users, and as many again may wait for a save: a cache below that would
     * have nothing to evict. */
    p->batch_users = 2 * p->items_capacity + DRAIN_MAX * p->options.batch_events;
    if (p->options.cache_users < 2 * p->batch_users)
        p->options.cache_users = 2 * p->batch_users;
    if (p->options.decode.pseudonyms)
        p->states.pseudonyms = shoal_pseudonyms_fingerprint(p->options.decode.pseudonyms);
    p->least_delay_ms = least_delay(&p->options.rules);
    count_promotions(p);
    shoal_arena_init(&p->arena, ARENA_BLOCK_BYTES);
    enum shoal_status status = allocate(p);
    if (status != SHOAL_OK) {
        shoal_pipeline_destroy(p);
        return status;
    }
    *pipeline = p;
    return SHOAL_OK;
}

void shoal_pipeline_destroy(struct shoal_pipeline *p)
{
    if (!p)
        return;
    shoal_decoder_destroy(p->decoder);
    shoal_cache_destroy(p->cache);
    shoal_step_destroy(p->step);
    pipeline_items_forget(p);
    shoal_arena_finish(&p->arena);
    shoal_buffer_finish(&p->scratch);
    shoal_partition_states_finish(&p->states);
    free(p->items);
    free(p->timers);
    free((void *)p->line);
    free(p->decoded);
    free(p->order);
    free(p->round_start);
    free(p->rows);
    free(p->row_item);
    free(p->missing);
    free(p->keys);
    free(p->values);
    free(p->decisions);
    free(p->saves);
    free(p);
}

enum shoal_status shoal_pipeline_begin(struct shoal_pipeline *p, int32_t partition,
                                       const struct shoal_checkpoint *checkpoint,
                                       struct shoal_message *message)
{
    struct shoal_partition_state *state;
    enum shoal_status status =
        shoal_partition_states_get(&p->states, p->store, partition, &state, message);
    return status == SHOAL_OK
               ? shoal_partition_state_check(state, p->store, partition, checkpoint, message)
               : status;
}

static struct item *new_item(struct shoal_pipeline *p, bool suppressed)
{
    struct item *item = &p->items[p->items_count++];
    *item = (struct item){.suppressed = suppressed};
    item->last = &item->first;
    return item;
}

/* The message goes to the dead-letter topic as it came. Its bytes and its source are copied, since
 * the caller's are gone when the batch is emitted. With pseudonyms it goes without key and value, which would
 * hold the original id: its coordinates say where it is. */
static enum shoal_status add_deadletter(struct shoal_pipeline *p, const struct shoal_input *input,
                                        enum shoal_status reason, const char *why, bool suppressed)
{
    p->counts.deadletters++;
    struct item *item = new_item(p, suppressed);
    item->event.partition = input->partition;
    item->event.offset = input->offset;
    if (suppressed)
        return SHOAL_OK;
    p->counts.deadletters_by[reason]++;
    struct pending *pending = shoal_arena_alloc(&p->arena, sizeof *pending);
    struct shoal_input *source = shoal_arena_alloc(&p->arena, sizeof *source);
    bool bare = p->options.decode.pseudonyms != NULL;
    size_t value_size = bare ? 0 : input->value_size, key_size = bare || !input->key ? 0 : input->key_size;
    char *value = shoal_arena_copy(&p->arena, input->value, value_size);
    char *key = shoal_arena_copy(&p->arena, input->key, key_size);
    char *text = shoal_arena_copy(&p->arena, why, strlen(why));
    if (!pending || !source || !value || !key || !text)
        return SHOAL_NOMEM;
    *source = *input;
    source->key = input->key && !bare ? key : NULL;
    source->key_size = key_size;
    source->value = bare ? NULL : value;
    source->value_size = value_size;
    *pending = (struct pending){
        .output =
            {
                .topic = SHOAL_TOPIC_DEADLETTER,
                .key = source->key,
                .key_size = source->key_size,
                .value = source->value,
                .value_size = value_size,
                .source = source,
                .status = reason,
                .why = text,
            },
    };
    *item->last = pending;
    item->last = &pending->next;
    return SHOAL_OK;
}

/* The time in a partition, told by a message; checked against its record as an event's is. */
static enum shoal_status add_tick(struct shoal_pipeline *p, const struct shoal_input *input,
                                  int64_t time_ms, bool suppressed)
{
    if (input->timestamp_ms >= 0 &&
        time_ms - input->timestamp_ms > p->options.decode.max_future_ms)
        return add_deadletter(p, input, SHOAL_FUTURE_EVENT, shoal_status_text(SHOAL_FUTURE_EVENT),
                              suppressed);
    struct item *item = new_item(p, suppressed);
    item->tick = true;
    item->event.partition = input->partition;
    item->event.offset = input->offset;
    item->event.touch.time_ms = time_ms;
    return SHOAL_OK;
}

/* Has a user forgotten. Its place in the log counts, not its time: it has none. */
static enum shoal_status add_forget(struct shoal_pipeline *p, const struct shoal_input *input,
                                    const char *user, size_t user_size, bool suppressed)
{
    char *copy = shoal_arena_copy(&p->arena, user, user_size);
    if (!copy)
        return SHOAL_NOMEM;
    struct item *item = new_item(p, suppressed);
    item->forget = true;
    item->event.partition = input->partition;
    item->event.offset = input->offset;
    item->event.user = copy;
    item->event.user_size = (uint8_t)user_size;
    return SHOAL_OK;
}

enum shoal_status shoal_pipeline_add(struct shoal_pipeline *p, const struct shoal_input *input,
                                     bool suppressed)
{
    size_t count = 0, user_size;
    int64_t told_ms;
    char user[SHOAL_USER_MAX + 1];
    struct shoal_message why = {.text = ""};
    assert(p->items_count + SHOAL_EVENTS_PER_MESSAGE_MAX <= p->items_capacity);
    p->counts.messages++;
    if (shoal_tick_parse(input->value, input->value_size, &told_ms))
        return add_tick(p, input, told_ms, suppressed);
    if (shoal_forget_parse(input->value, input->value_size, user, &user_size))
        return add_forget(p, input, user, user_size, suppressed);
    enum shoal_status status =
        shoal_decode(p->decoder, input, &p->arena, p->decoded, &count, &why);
    if (shoal_status_class(status) == SHOAL_CLASS_SKIP)
        return add_deadletter(p, input, status, why.text[0] ? why.text : shoal_status_text(status),
                              suppressed);
    if (status != SHOAL_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        new_item(p, suppressed)->event = p->decoded[i];
    return SHOAL_OK;
}

enum shoal_status shoal_pipeline_use(struct shoal_pipeline *p, const struct shoal_model *model)
{
    assert(p->items_count == 0);
    struct shoal_step *step;
    struct shoal_cache *cache = NULL;
    enum shoal_status status = make_step(&p->options, model, &step);
    if (status != SHOAL_OK)
        return status;
    if (model->params.dims.hidden != p->options.model->params.dims.hidden) {
        assert(shoal_cache_dirty_count(p->cache) == 0);
        status = shoal_cache_create(p->options.cache_users, model->params.dims.hidden, &cache);
        if (status != SHOAL_OK) {
            shoal_step_destroy(step);
            return status;
        }
        shoal_cache_destroy(p->cache);
        p->cache = cache;
    }
    shoal_step_destroy(p->step);
    p->step = step;
    p->options.model = model;
    return SHOAL_OK;
}

void shoal_pipeline_use_policy(struct shoal_pipeline *p, const struct shoal_policy *policy)
{
    assert(p->items_count == 0);
    p->options.policy = policy;
    count_promotions(p);
}

const struct shoal_policy *shoal_pipeline_policy(const struct shoal_pipeline *p)
{
    return p->options.policy;
}

const struct shoal_model *shoal_pipeline_model(const struct shoal_pipeline *p)
{
    return p->options.model;
}

size_t shoal_pipeline_waiting(const struct shoal_pipeline *p)
{
    return p->items_count;
}

size_t shoal_pipeline_cached(const struct shoal_pipeline *p)
{
    return shoal_cache_count(p->cache);
}

const struct shoal_correction *shoal_pipeline_correction(const struct shoal_pipeline *p,
                                                         int32_t partition)
{
    const struct shoal_partition_state *state =
        shoal_partition_states_known(&p->states, partition);
    return state ? &state->correction : NULL;
}

size_t shoal_pipeline_dirty(const struct shoal_pipeline *p)
{
    return shoal_cache_dirty_count(p->cache);
}

size_t shoal_pipeline_dirty_max(const struct shoal_pipeline *p)
{
    return p->options.cache_users - p->batch_users;
}

/* Encodes the changed records of a partition, and what is kept of it as a whole, into `scratch` and lists
 * them in `saves`. The buffer moves while it grows, so positions are turned into pointers at the end. */
static enum shoal_status collect_saves(struct shoal_pipeline *p, int32_t partition, size_t *count)
{
    size_t dirty_count;
    struct shoal_cache_entry *const *dirty = shoal_cache_dirty_of(p->cache, partition, &dirty_count);
    if (dirty_count + 1 > p->saves_capacity) {
        struct shoal_save_item *saves = realloc(p->saves, (dirty_count + 1) * sizeof *saves);
        if (!saves)
            return SHOAL_NOMEM;
        p->saves = saves;
        p->saves_capacity = dirty_count + 1;
    }
    size_t n = 0, start = 0;
    shoal_buffer_clear(&p->scratch);
    for (size_t i = 0; i < dirty_count; i++) {
        const struct shoal_cache_entry *entry = dirty[i];
        if (i + RECORD_AHEAD < dirty_count)
            expect_record(dirty[i + RECORD_AHEAD]);
        if (i + REST_AHEAD < dirty_count)
            expect_rest(dirty[i + REST_AHEAD]);
        if (!pipeline_is_empty(&entry->record))
            shoal_record_encode(&entry->record, p->options.precision, &p->scratch);
        p->saves[n++] = (struct shoal_save_item){
            .user = {entry->user, entry->user_size},
            .value = {NULL, p->scratch.size - start}, /* of no size: to be deleted */
            .timer_moves = entry->record.timer_ms != entry->timer_saved_ms,
            .timer_ms = entry->record.timer_ms,
        };
        start = p->scratch.size;
    }
    const struct shoal_partition_state *state = shoal_partition_states_known(&p->states, partition);
    if (state) {
        shoal_partition_state_encode(state, &p->scratch);
        p->saves[n++] = (struct shoal_save_item){.user = {"", 0},
                                                 .value = {NULL, p->scratch.size - start}};
    }
    if (p->scratch.failed)
        return SHOAL_NOMEM;
    const uint8_t *at = p->scratch.bytes;
    for (size_t i = 0; i < n; i++) {
        p->saves[i].value.bytes = p->saves[i].value.size > 0 ? at : NULL;
        at += p->saves[i].value.size;
    }
    *count = n;
    return SHOAL_OK;
}

enum shoal_status shoal_pipeline_save(struct shoal_pipeline *p, int32_t partition,
                                      int64_t next_offset, struct shoal_message *message)
{
    int64_t since = shoal_clock_ns();
    size_t count = 0, dirty_count;
    enum shoal_status status = collect_saves(p, partition, &count);
    if (status != SHOAL_OK)
        return shoal_fail(message, status, "out of memory while saving");
    status = p->store->ops->save(p->store, partition, p->saves, count, next_offset,
                                 p->options.model->id, message);
    if (status != SHOAL_OK)
        return status;
    struct shoal_cache_entry *const *dirty = shoal_cache_dirty_of(p->cache, partition, &dirty_count);
    for (size_t i = 0; i < dirty_count; i++)
        dirty[i]->timer_saved_ms = dirty[i]->record.timer_ms;
    shoal_cache_mark_clean(p->cache, partition);
    p->counts.saved += count;
    stage_done(p, SHOAL_STAGE_save, &since);
    return SHOAL_OK;
}

void shoal_pipeline_drop(struct shoal_pipeline *p, int32_t partition)
{
    p->items_count = 0;
    shoal_arena_reset(&p->arena);
    p->batch++;
    shoal_cache_drop(p->cache, partition);
    shoal_partition_states_drop(&p->states, partition);
}

enum shoal_status shoal_pipeline_due(struct shoal_pipeline *p, int32_t partition,
                                     int64_t until_ms, size_t *messages, int64_t *watermark_ms,
                                     struct shoal_message *message)
{
    struct shoal_partition_state *state;
    enum shoal_status status =
        shoal_partition_states_get(&p->states, p->store, partition, &state, message);
    until_ms -= until_ms % SHOAL_TICK_MS;
    if (status == SHOAL_OK)
        status = shoal_timer_queue_fetch(&state->timers, p->store, p->cache, partition, until_ms,
                                         message);
    if (status != SHOAL_OK)
        return status;
    size_t due = shoal_timer_queue_count(&state->timers, until_ms);
    *messages = (due + DRAIN_MAX - 1) / DRAIN_MAX;
    *watermark_ms = state->watermark.time_ms;
    return SHOAL_OK;
}

const struct shoal_pipeline_counts *shoal_pipeline_counts(const struct shoal_pipeline *p)
{
    return &p->counts;
}

void shoal_pipeline_counts_add(struct shoal_pipeline_counts *sum,
                               const struct shoal_pipeline_counts *one)
{
#define X(name, text) sum->name += one->name;
    SHOAL_COUNT_LIST(X)
#undef X
    for (int i = 0; i < SHOAL_STAGE_COUNT; i++)
        sum->stage_ns[i] += one->stage_ns[i];
    for (int i = 0; i < SHOAL_DIMENSION_COUNT; i++)
        sum->changes_by[i] += one->changes_by[i];
    for (int i = 0; i < SHOAL_STATUS_COUNT; i++)
        sum->deadletters_by[i] += one->deadletters_by[i];
    shoal_promotion_counts_add(&sum->promotions, &one->promotions);
}

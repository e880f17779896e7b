/* SPDX-License-Identifier: Apache-2.0 */
/* partitions.jsonl: what is kept of each partition as a whole, as a line of canonical JSON. A partition of which nothing
 * was saved has none.
 *
 *   {"partition":0,"event_time":"2017-12-02T00:00:00.000Z","budgets_day":17502,"budgets_spent":3,
 *    "correction":{"model":"870ba20886b3e65a","delta":0.0625},"users":…,"events":…,"late":…,"repeated":…,
 *    "deadletters":…,"dimensions":[…],"promotions":[{"promotion":"#89abcdef","treatment":{…},"control":{…}}],
 *    "bytes":341,"fingerprint":"0f3c5a…"}
 *
 * The fingerprint is of all bytes, so that two partitions that are not the same differ in their lines. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "model/base/hash.h"
#include "stream/overview.h"
#include "stream/partition_state.h"
#include "stream/replay.h"

static void put_variant(struct shoal_put *put, const char *key, const struct shoal_tally_variant *variant)
{
    shoal_put_open(put, key, '{');
    shoal_put_count(put, "offers", variant->offers);
    shoal_put_count(put, "withdrawals", variant->withdrawals);
    shoal_put_count(put, "conversions", variant->conversions);
    shoal_put_close(put, '}');
}

static void put_promotions(struct shoal_put *put, const struct shoal_tally *tally)
{
    shoal_put_open(put, "promotions", '[');
    for (uint32_t i = 0; i < tally->promotions_count; i++) {
        const struct shoal_tally_promotion *promotion = &tally->promotions[i];
        char hash[16];
        snprintf(hash, sizeof hash, "#%08" PRIx32, promotion->promotion);
        shoal_put_open(put, NULL, '{');
        shoal_put_text(put, "promotion", hash);
        put_variant(put, "treatment", &promotion->variants[SHOAL_TREATMENT]);
        put_variant(put, "control", &promotion->variants[SHOAL_CONTROL]);
        shoal_put_close(put, '}');
    }
    shoal_put_close(put, ']');
}

static void put_tally(struct shoal_put *put, const struct shoal_tally *tally)
{
    shoal_put_count(put, "users", tally->users);
    shoal_put_count(put, "events", tally->events);
    shoal_put_count(put, "late", tally->late);
    shoal_put_count(put, "repeated", tally->repeated);
    shoal_put_count(put, "deadletters", tally->deadletters);
    shoal_overview_put_dimensions(put, "dimensions", tally, NULL);
    put_promotions(put, tally);
}

static void put_state(struct shoal_put *put, int32_t partition, const struct shoal_partition_state *state,
                      const struct shoal_slice *value)
{
    uint32_t offers = 0;
    for (uint32_t i = 0; i < state->budgets.count; i++)
        offers += state->budgets.list[i].offers;
    shoal_put_open(put, NULL, '{');
    shoal_put_int(put, "partition", partition);
    if (state->watermark.time_ms < 0)
        shoal_put_null(put, "event_time");
    else
        shoal_put_time(put, "event_time", state->watermark.time_ms);
    shoal_put_int(put, "budgets_day", state->budgets.day);
    shoal_put_count(put, "budgets_spent", offers);
    if (state->correction.model) {
        shoal_put_open(put, "correction", '{');
        shoal_put_hash(put, "model", state->correction.model);
        shoal_put_real(put, "delta", (double)state->correction.delta);
        shoal_put_close(put, '}');
    } else {
        shoal_put_null(put, "correction");
    }
    put_tally(put, &state->tally);
    shoal_put_count(put, "bytes", value->size);
    shoal_put_hash(put, "fingerprint", shoal_hash(value->bytes, value->size));
    shoal_put_close(put, '}');
}

static enum shoal_status write_all(struct shoal_store *store, FILE *out, struct shoal_message *message)
{
    const struct shoal_slice nobody = {"", 0};
    struct shoal_layout layout;
    enum shoal_status status = store->ops->layout(store, &layout, message);
    for (int32_t p = 0; status == SHOAL_OK && p < layout.partitions; p++) {
        struct shoal_partition_state state = {0};
        struct shoal_slice value;
        status = store->ops->load(store, p, &nobody, 1, &value, message);
        if (status != SHOAL_OK || !value.bytes)
            continue;
        status = shoal_partition_state_decode(value.bytes, value.size, &state);
        if (status != SHOAL_OK)
            return shoal_fail(message, status, "partition %" PRId32 ": what is kept of it as a whole: %s", p,
                              shoal_status_text(status));
        struct shoal_put put = {.out = out};
        put_state(&put, p, &state, &value);
        fputc('\n', out);
    }
    return status;
}

enum shoal_status shoal_partitions_write(struct shoal_store *store, const char *path,
                                         struct shoal_message *message)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *out = standard ? stdout : fopen(path, "we");
    if (!out)
        return shoal_fail(message, SHOAL_IO, "cannot write '%s': %s", path, strerror(errno));
    enum shoal_status status = write_all(store, out, message);
    bool failed = fflush(out) != 0 || ferror(out);
    if (!standard && fclose(out) != 0)
        failed = true;
    if (status == SHOAL_OK && failed)
        return shoal_fail(message, SHOAL_IO, "cannot write '%s': %s", path, strerror(errno));
    return status;
}

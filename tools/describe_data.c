/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of a grouped data set as JSON; see describe_data.h. */
#include "tools/describe_data.h"

static void put_refused(struct shoal_put *put, const struct shoal_load *load)
{
    shoal_put_count(put, "messages", load->walked.messages);
    shoal_put_count(put, "refused", load->walked.refused);
    shoal_put_open(put, "refused_for", '{');
    for (int status = 0; status < SHOAL_STATUS_COUNT; status++)
        if (load->walked.refused_for[status] > 0)
            shoal_put_count(put, shoal_status_code((enum shoal_status)status),
                            load->walked.refused_for[status]);
    shoal_put_close(put, '}');
    shoal_put_text(put, "refused_first", load->walked.refused ? load->walked.why.text : NULL);
}

static void put_users(struct shoal_put *put, const struct shoal_dataset *dataset)
{
    static const size_t from[] = {1, 2, 5, 20, 100};
    static const char *const names[] = {"1", "2-4", "5-19", "20-99", "100+"};
    size_t counts[5] = {0};
    for (size_t user = 0; user < dataset->users_count; user++) {
        size_t events = dataset->first[user + 1] - dataset->first[user], group = 4;
        while (group > 0 && events < from[group])
            group--;
        counts[group] += events > 0;
    }
    shoal_put_open(put, "users_by_events", '{');
    for (size_t i = 0; i < 5; i++)
        shoal_put_count(put, names[i], counts[i]);
    shoal_put_close(put, '}');
}

static void put_events(struct shoal_put *put, const struct shoal_dataset *dataset)
{
    size_t behaviors[SHOAL_BEHAVIOR_COUNT] = {0}, priced = 0, categorised = 0;
    for (size_t i = 0; i < dataset->events_count; i++) {
        behaviors[dataset->touches[i].behavior]++;
        priced += dataset->touches[i].price_level != 0;
        categorised += dataset->touches[i].category != 0;
    }
    shoal_put_open(put, "behaviors", '{');
    for (unsigned b = 0; b < SHOAL_BEHAVIOR_COUNT; b++)
        shoal_put_count(put, shoal_behavior_name((enum shoal_behavior)b), behaviors[b]);
    shoal_put_close(put, '}');
    shoal_put_count(put, "priced", priced);
    shoal_put_count(put, "categorised", categorised);
}

void shoal_describe_data(struct shoal_put *put, const char *key,
                         const struct shoal_dataset *dataset, const struct shoal_load *load)
{
    shoal_put_open(put, key, '{');
    put_refused(put, load);
    shoal_put_count(put, "repeated", dataset->repeated_count);
    shoal_put_count(put, "late", dataset->late_count);
    shoal_put_count(put, "events", dataset->events_count);
    shoal_put_count(put, "users", dataset->users_count);
    put_users(put, dataset);
    shoal_put_time(put, "from", dataset->first_ms);
    shoal_put_time(put, "until", dataset->last_ms);
    shoal_put_hash(put, "fingerprint", dataset->fingerprint);
    put_events(put, dataset);
    shoal_put_close(put, '}');
}

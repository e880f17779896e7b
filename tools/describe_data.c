/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of a grouped data set as JSON; see describe_data.h. */
#include "tools/describe_data.h"

#include <inttypes.h>

#include "tools/json_print.h"

static void put_refused(const struct shoal_load *load, FILE *out)
{
    fputs("\"refused_for\":{", out);
    bool first = true;
    for (int status = 0; status < SHOAL_STATUS_COUNT; status++) {
        if (load->refused_for[status] == 0)
            continue;
        fprintf(out, "%s\"%s\":%" PRIu64, first ? "" : ",",
                shoal_status_code((enum shoal_status)status), load->refused_for[status]);
        first = false;
    }
    fputs("},\"refused_first\":", out);
    shoal_json_text(load->refused ? load->why.text : NULL, out);
}

static void put_users(const struct shoal_dataset *dataset, FILE *out)
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
    fputs("\"users_by_events\":{", out);
    for (size_t i = 0; i < 5; i++)
        fprintf(out, "%s\"%s\":%zu", i ? "," : "", names[i], counts[i]);
    fputc('}', out);
}

static void put_events(const struct shoal_dataset *dataset, FILE *out)
{
    size_t behaviors[SHOAL_BEHAVIOR_COUNT] = {0}, priced = 0, categorised = 0;
    for (size_t i = 0; i < dataset->events_count; i++) {
        behaviors[dataset->touches[i].behavior]++;
        priced += dataset->touches[i].price_level != 0;
        categorised += dataset->touches[i].category != 0;
    }
    fputs("\"behaviors\":{", out);
    for (unsigned b = 0; b < SHOAL_BEHAVIOR_COUNT; b++)
        fprintf(out, "%s\"%s\":%zu", b ? "," : "", shoal_behavior_name((enum shoal_behavior)b),
                behaviors[b]);
    fprintf(out, "},\"priced\":%zu,\"categorised\":%zu", priced, categorised);
}

void shoal_describe_data_json(const struct shoal_dataset *dataset, const struct shoal_load *load,
                              FILE *out)
{
    fprintf(out, "{\"messages\":%" PRIu64 ",\"refused\":%" PRIu64 ",", load->messages,
            load->refused);
    put_refused(load, out);
    fprintf(out, ",\"repeated\":%" PRIu64 ",\"late\":%" PRIu64 ",\"events\":%zu,\"users\":%zu,",
            dataset->repeated_count, dataset->late_count, dataset->events_count,
            dataset->users_count);
    put_users(dataset, out);
    fputs(",\"from\":", out);
    shoal_json_time(dataset->first_ms, out);
    fputs(",\"until\":", out);
    shoal_json_time(dataset->last_ms, out);
    fprintf(out, ",\"fingerprint\":\"%016" PRIx64 "\",", dataset->fingerprint);
    put_events(dataset, out);
    fputc('}', out);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Learning engagement as asked; see engagement_show.h. */
#include "tools/engagement_show.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stream/event.h"
#include "stream/put_json.h"

bool shoal_engagement_read(const struct shoal_cli_args *args, struct shoal_engagement_ask *ask)
{
    const char *text = shoal_cli_get(args, "engagement");
    ask->wanted = strcmp(text, "auto") == 0;
    ask->decisions = shoal_cli_get(args, "decisions");
    if (ask->wanted || strcmp(text, "off") == 0)
        return true;
    (void)shoal_cli_fail(args, SHOAL_EXIT_USAGE, "--engagement: '%s' is neither auto nor off", text);
    return false;
}

/* ---- decisions ------------------------------------------------------------------------------- */

struct named_user {
    const char *id;
    uint32_t user;
};

struct arms {
    struct named_user *users; /* owned; by id */
    size_t users_count;
    struct shoal_uplift_arm *list; /* owned */
    size_t count, capacity;
};

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct named_user *)a)->id, ((const struct named_user *)b)->id);
}

static enum shoal_status index_users(const struct shoal_dataset *dataset, struct arms *arms)
{
    arms->users_count = dataset->users_count;
    arms->users = malloc((arms->users_count + 1) * sizeof *arms->users);
    if (!arms->users)
        return SHOAL_NOMEM;
    for (size_t u = 0; u < arms->users_count; u++)
        arms->users[u] = (struct named_user){shoal_dataset_user_id(dataset, u), (uint32_t)u};
    qsort(arms->users, arms->users_count, sizeof *arms->users, by_id);
    return SHOAL_OK;
}

/* Takes a line in if it is an eligible decision of a user of the data; others are none of ours. */
static enum shoal_status take_line(const char *line, struct arms *arms)
{
    char id[256], variant[16], time[40];
    int64_t time_ms;
    if (!strstr(line, "\"eligible\":true") || !shoal_line_text(line, "user_id", id, sizeof id) ||
        !shoal_line_text(line, "variant", variant, sizeof variant) ||
        !shoal_line_text(line, "event_time", time, sizeof time) ||
        !shoal_time_parse(time, strlen(time), &time_ms))
        return SHOAL_OK;
    struct named_user wanted = {id, 0};
    const struct named_user *found =
        bsearch(&wanted, arms->users, arms->users_count, sizeof wanted, by_id);
    if (!found)
        return SHOAL_OK;
    if (arms->count == arms->capacity) {
        size_t capacity = arms->capacity ? 2 * arms->capacity : 1024;
        struct shoal_uplift_arm *grown = reallocarray(arms->list, capacity, sizeof *grown);
        if (!grown)
            return SHOAL_NOMEM;
        arms->list = grown;
        arms->capacity = capacity;
    }
    arms->list[arms->count++] =
        (struct shoal_uplift_arm){found->user, strcmp(variant, "control") != 0, time_ms};
    return SHOAL_OK;
}

static enum shoal_status read_decisions(const char *path, const struct shoal_dataset *dataset,
                                        struct arms *arms, struct shoal_message *message)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    FILE *in = fopen(path, "r");
    if (!in)
        return shoal_fail(message, errno == ENOENT ? SHOAL_NOT_FOUND : SHOAL_IO, "%s: %s", path,
                          strerror(errno));
    enum shoal_status status = index_users(dataset, arms);
    while (status == SHOAL_OK && (size = getline(&line, &capacity, in)) > 0) {
        line[strcspn(line, "\r\n")] = '\0';
        status = take_line(line, arms);
    }
    if (status != SHOAL_OK)
        (void)shoal_fail(message, status, "%s: out of memory", path);
    else if (ferror(in))
        status = shoal_fail(message, SHOAL_IO, "%s: %s", path, strerror(errno));
    free(line);
    fclose(in);
    return status;
}

/* ---- learning -------------------------------------------------------------------------------- */

enum shoal_status shoal_engagement_learn(const struct shoal_engagement_ask *ask, struct shoal_model *model,
                                         const struct shoal_dataset *dataset, int64_t end_ms, uint64_t seed,
                                         struct shoal_train_uplift_report *report,
                                         struct shoal_message *message)
{
    struct shoal_train_uplift_options options = {.seed = seed};
    struct arms arms = {0};
    enum shoal_status status = SHOAL_OK;
    if (!ask->wanted)
        return SHOAL_OK;
    if (ask->decisions)
        status = read_decisions(ask->decisions, dataset, &arms, message);
    if (status == SHOAL_OK && ask->decisions && arms.count == 0)
        status = shoal_fail(message, SHOAL_TOO_FEW,
                            "%s: no line is an eligible decision (user_id, variant, event_time) of a user in the "
                            "events",
                            ask->decisions);
    options.arms = arms.list;
    options.arms_count = arms.count;
    if (status == SHOAL_OK) {
        status = shoal_train_uplift(model, dataset, end_ms, &options, report);
        if (status != SHOAL_OK)
            (void)shoal_fail(message, status, "out of memory with %zu events", dataset->events_count);
    }
    free(arms.users);
    free(arms.list);
    return status;
}

void shoal_engagement_show(const struct shoal_engagement_ask *ask, const struct shoal_train_uplift_report *report,
                           FILE *out)
{
    if (!ask->wanted)
        return;
    fprintf(out, "engagement  %s\n", report->text[0]);
    if (report->text[1][0])
        fprintf(out, "            %s\n", report->text[1]);
}

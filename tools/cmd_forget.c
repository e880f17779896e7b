/* SPDX-License-Identifier: Apache-2.0 */
/* shoal forget: has users forgotten, by a message in the log of each (stream/forgetting.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/base/clock.h"
#include "stream/forgetting.h"
#include "stream/pseudonym.h"
#include "stream/store_options.h"
#include "tools/commands.h"
#include "tools/setup.h"

enum { LINE_BYTES = 256, FLUSH_USERS = 10000, POLL_MS = 100 };

struct forget {
    const struct shoal_cli_args *args;
    const struct shoal_config *config;
    struct shoal_store *store;
    struct shoal_forgetting *forgetting;
    struct shoal_progress progress;
    bool dry_run;
    size_t users, unknown; /* unknown: not in the store */
    char **waited;         /* owned, ids as stored: to be waited for; NULL: nobody waits */
    size_t waited_count, waited_capacity;
};

/* ---- users --------------------------------------------------------------------------------- */

static enum shoal_status wait_for(struct forget *forget, const char *stored)
{
    if (forget->waited_count == forget->waited_capacity) {
        size_t want = forget->waited_capacity ? 2 * forget->waited_capacity : 64;
        char **grown = realloc((void *)forget->waited, want * sizeof *grown);
        if (!grown)
            return SHOAL_NOMEM;
        forget->waited = grown;
        forget->waited_capacity = want;
    }
    char *copy = strdup(stored);
    if (!copy)
        return SHOAL_NOMEM;
    forget->waited[forget->waited_count++] = copy;
    return SHOAL_OK;
}

static void say(const struct forget *forget, const char *user, int32_t partition, bool declined)
{
    if (partition < 0)
        printf("%s: not in Redis%s\n", user, forget->dry_run ? "" : ", all partitions told");
    else
        printf("%s: partition %d%s%s\n", user, (int)partition, forget->dry_run ? "" : ", told",
               declined ? "; kept is that the user declines to be processed, which stays" : "");
}

static enum shoal_status forget_user(struct forget *forget, const char *user,
                                     struct shoal_message *message)
{
    char room[SHOAL_PSEUDONYM_SIZE + 1];
    const char *stored = shoal_pseudonym_stored(forget->config->pseudonyms, user, room);
    int32_t partition;
    bool declined;
    enum shoal_status status =
        user[0] ? shoal_forgetting_find(forget->forgetting, stored, strlen(stored), &partition,
                                        &declined, message)
                : shoal_fail(message, SHOAL_BAD_USER, "an empty user id");
    if (status == SHOAL_OK && !forget->dry_run)
        status = shoal_forgetting_send(forget->forgetting, stored, strlen(stored), partition, message);
    if (status == SHOAL_OK && !forget->dry_run && shoal_cli_get(forget->args, "wait") &&
        wait_for(forget, stored) != SHOAL_OK)
        status = shoal_fail(message, SHOAL_NOMEM, "out of memory");
    if (status != SHOAL_OK)
        return status;
    forget->users++;
    forget->unknown += partition < 0;
    if (!shoal_cli_get(forget->args, "file"))
        say(forget, user, partition, declined);
    shoal_progress_update(&forget->progress, -1, forget->users);
    return forget->users % FLUSH_USERS == 0 ? shoal_forgetting_flush(forget->forgetting, message) : SHOAL_OK;
}

static enum shoal_status forget_list(struct forget *forget, const char *path, struct shoal_message *message)
{
    char line[LINE_BYTES];
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "re");
    if (!file)
        return shoal_fail(message, SHOAL_NOT_FOUND, "'%s' cannot be read", path);
    enum shoal_status status = SHOAL_OK;
    for (unsigned long number = 1; status == SHOAL_OK && fgets(line, sizeof line, file); number++) {
        struct shoal_message why = {.text = ""};
        size_t size = strcspn(line, "\r\n");
        bool cut = !line[size] && !feof(file);
        line[size] = '\0';
        if (size > 0)
            status = cut ? shoal_fail(&why, SHOAL_BAD_USER, "too long for a user id")
                         : forget_user(forget, line, &why);
        if (status != SHOAL_OK)
            shoal_fail(message, status, "%s:%lu: %s", path, number, why.text);
    }
    if (status == SHOAL_OK && ferror(file))
        status = shoal_fail(message, SHOAL_IO, "'%s' cannot be read", path);
    if (!is_stdin)
        fclose(file);
    return status;
}

/* ---- waiting ------------------------------------------------------------------------------- */

/* Until the store has none of those users any more, or only that they decline to be processed. */
static enum shoal_status wait_all(struct forget *forget, long long seconds, struct shoal_message *message)
{
    int64_t until_ms = shoal_clock_ms() + seconds * 1000;
    for (size_t i = 0; i < forget->waited_count;) {
        int32_t partition;
        bool declined;
        const char *stored = forget->waited[i];
        enum shoal_status status = shoal_forgetting_find(forget->forgetting, stored, strlen(stored),
                                                         &partition, &declined, message);
        if (status != SHOAL_OK)
            return status;
        if (partition < 0 || declined) {
            i++;
            continue;
        }
        if (shoal_clock_ms() > until_ms)
            return shoal_fail(message, SHOAL_TIMED_OUT,
                              "after %lld s Redis still has %zu of %zu users: is a processor running? The "
                              "messages are in the log, it will happen when one does",
                              seconds, forget->waited_count - i, forget->waited_count);
        struct timespec pause = {0, POLL_MS * 1000000L};
        nanosleep(&pause, NULL);
    }
    return SHOAL_OK;
}

/* ---- the command --------------------------------------------------------------------------- */

static enum shoal_status open_all(struct forget *forget, const struct shoal_log *log,
                                  struct shoal_message *message)
{
    struct shoal_redis_options redis = shoal_store_options(forget->config);
    enum shoal_status status = shoal_redis_store_create(&redis, &forget->store, message);
    return status == SHOAL_OK ? shoal_forgetting_create(forget->config, log, forget->store,
                                                        &forget->forgetting, message)
                              : status;
}

static enum shoal_status forget_all(struct forget *forget, long long seconds, struct shoal_message *message)
{
    const char *file = shoal_cli_get(forget->args, "file"), *user;
    enum shoal_status status = file ? forget_list(forget, file, message) : SHOAL_OK;
    for (size_t i = 0; status == SHOAL_OK && (user = shoal_cli_positional(forget->args, i)); i++) {
        struct shoal_message why = {.text = ""};
        status = forget_user(forget, user, &why);
        if (status != SHOAL_OK)
            shoal_fail(message, status, "%s", why.text);
    }
    /* Also after a failure: what was said to be told is told. */
    struct shoal_message why = {.text = ""};
    enum shoal_status flushed = shoal_forgetting_flush(forget->forgetting, &why);
    if (status == SHOAL_OK && flushed != SHOAL_OK)
        status = shoal_fail(message, flushed, "%s", why.text);
    return status == SHOAL_OK ? wait_all(forget, seconds, message) : status;
}

static int forget_run(struct forget *forget, long long seconds)
{
    struct shoal_log log = {.level = SHOAL_WARNING, .worker = -1};
    struct shoal_message message = {.text = ""};
    enum shoal_status status = open_all(forget, &log, &message);
    shoal_progress_start(&forget->progress, "forget", "users");
    if (status == SHOAL_OK)
        status = forget_all(forget, seconds, &message);
    shoal_progress_end(&forget->progress);
    bool waited = shoal_cli_get(forget->args, "wait") && !forget->dry_run;
    if (forget->users > 0)
        fprintf(stderr, "%zu users%s, %zu of them not known in Redis\n", forget->users,
                forget->dry_run                 ? " would be forgotten"
                : waited && status == SHOAL_OK ? " forgotten"
                                                : " are to be forgotten: the log has it",
                forget->unknown);
    for (size_t i = 0; i < forget->waited_count; i++)
        free(forget->waited[i]);
    free((void *)forget->waited);
    shoal_forgetting_destroy(forget->forgetting);
    if (forget->store)
        forget->store->ops->destroy(forget->store);
    if (status == SHOAL_BAD_USER)
        return shoal_cli_fail(forget->args, SHOAL_EXIT_DATA, "%s", message.text);
    return status == SHOAL_OK ? SHOAL_EXIT_OK
                              : shoal_cli_fail(forget->args, shoal_setup_exit(status), "%s", message.text);
}

static int run(const struct shoal_cli_args *args)
{
    struct shoal_setup setup;
    long long seconds = 0;
    struct forget forget = {.args = args, .dry_run = shoal_cli_get(args, "dry-run") != NULL};
    if (!shoal_cli_positional(args, 0) == !shoal_cli_get(args, "file"))
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "give USERs, or --file LIST");
    if (!shoal_cli_int(args, "timeout", 0, 86400, &seconds))
        return SHOAL_EXIT_USAGE;
    int code = shoal_setup_config(args, &setup);
    forget.config = setup.config;
    if (code == SHOAL_EXIT_OK)
        code = forget_run(&forget, seconds);
    shoal_setup_finish(&setup);
    return code;
}

static const struct shoal_cli_option options[] = {
    {"file", "LIST", NULL, "users from a file, one a line; - for standard input", false, false},
    {"wait", NULL, NULL, "until Redis has nothing of them any more but refusals", false, false},
    {"timeout", "SECONDS", "60", "longest wait of --wait", false, false},
    {"dry-run", NULL, NULL, "say in which partition each user is, and do nothing", false, false},
    SHOAL_SETUP_OPTIONS,
    {0},
};

const struct shoal_cli_command shoal_cmd_forget = {
    .name = "forget",
    .summary = "have users forgotten: state, timers, history of promotions, outputs",
    .positional = "[USER...]",
    .description =
        "Writes a message for each user into the events topic. The processor that owns the user's partition then "
        "deletes the state and the timer, and writes tombstones to the topics of segments and decisions. "
        "Since the message stands in the log, a recovery or a replay does not bring the user back. An event "
        "of the user that comes later begins a new user; but of who declined to be processed that refusal stays, "
        "and later events are dropped until one gives the consent. Ids are the original ones also where Redis holds pseudonyms. What the events topic, the "
        "dead letters and backups still hold is the operator's to delete. Exit code 1 if --wait ran out.",
    .example = "shoal forget --config deploy/shoal.yaml --wait 1002166",
    .options = options,
    .run = run,
};

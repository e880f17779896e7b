/* SPDX-License-Identifier: Apache-2.0 */
/* The process's policies; see policies.h. */
#include "stream/policies.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stream/file_changes.h"
#include "stream/yaml_tree.h"

enum { PATH_BYTES = 4200 };

struct held {
    struct held *next;
    struct shoal_policy *policy;
    size_t references; /* the latest policy has one of the registry's own */
};

struct shoal_policies {
    pthread_mutex_t lock; /* guards held and latest, and what refresh keeps */
    struct held *held;
    struct held *latest;
    atomic_uint_fast64_t latest_id;
    char *path, *history; /* path NULL: no policy */
    bool keep;
    struct shoal_file_changes changes;
};

/* ---- counting ------------------------------------------------------------------------------ */

static struct held *find_held(const struct shoal_policies *policies, uint64_t id)
{
    for (struct held *at = policies->held; at; at = at->next) {
        if (at->policy->id == id)
            return at;
    }
    return NULL;
}

/* Takes `policy` in with one reference more, or frees it if it is there already. */
static struct held *take_in(struct shoal_policies *policies, struct shoal_policy *policy)
{
    struct held *made = calloc(1, sizeof *made);
    pthread_mutex_lock(&policies->lock);
    struct held *held = find_held(policies, policy->id);
    if (!held && made) {
        *made = (struct held){.next = policies->held, .policy = policy};
        policies->held = held = made;
        made = NULL;
        policy = NULL;
    }
    if (held)
        held->references++;
    pthread_mutex_unlock(&policies->lock);
    free(made);
    shoal_policy_destroy(policy);
    return held;
}

void shoal_policies_release(struct shoal_policies *policies, const struct shoal_policy *policy)
{
    if (!policies || !policy)
        return;
    struct held *gone = NULL;
    pthread_mutex_lock(&policies->lock);
    for (struct held **at = &policies->held; *at; at = &(*at)->next) {
        if ((*at)->policy != policy)
            continue;
        if (--(*at)->references == 0) {
            gone = *at;
            *at = gone->next;
        }
        break;
    }
    pthread_mutex_unlock(&policies->lock);
    if (gone)
        shoal_policy_destroy(gone->policy);
    free(gone);
}

/* `held` comes with a reference, which is the registry's from now on. */
static void set_latest(struct shoal_policies *policies, struct held *held)
{
    pthread_mutex_lock(&policies->lock);
    struct held *before = policies->latest;
    policies->latest = held;
    atomic_store(&policies->latest_id, held->policy->id);
    pthread_mutex_unlock(&policies->lock);
    if (before)
        shoal_policies_release(policies, before->policy);
}

/* ---- history ------------------------------------------------------------------------------- */

static void kept_path(const struct shoal_policies *policies, uint64_t id, const char *end,
                      char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/%016" PRIx64 "%s", policies->history, id, end);
}

static bool write_whole(const char *path, const struct shoal_buffer *bytes)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0)
        return false;
    size_t done = 0;
    while (done < bytes->size) {
        ssize_t wrote = write(file, bytes->bytes + done, bytes->size - done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            break;
        done += (size_t)wrote;
    }
    bool whole = done == bytes->size && fsync(file) == 0;
    return close(file) == 0 && whole;
}

static void sync_folder(const char *path)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        (void)fsync(folder); /* where it cannot be, the file system does it by itself */
        close(folder);
    }
}

/* Written beside and renamed, so that a version's file is whole. IO. */
static enum shoal_status keep(const struct shoal_policies *policies, uint64_t id,
                              const struct shoal_buffer *bytes, struct shoal_message *message)
{
    char path[PATH_BYTES], beside[PATH_BYTES], end[32];
    struct stat about;
    if (!policies->keep)
        return SHOAL_OK;
    kept_path(policies, id, ".yaml", path);
    if (stat(path, &about) == 0)
        return SHOAL_OK;
    snprintf(end, sizeof end, ".new.%ld", (long)getpid()); /* processes may share the folder */
    kept_path(policies, id, end, beside);
    bool made = mkdir(policies->history, 0777) == 0 || errno == EEXIST;
    if (!made || !write_whole(beside, bytes) || rename(beside, path) != 0) {
        enum shoal_status status =
            shoal_fail(message, SHOAL_IO, "%s: %s", path, strerror(errno));
        unlink(beside);
        return status;
    }
    sync_folder(policies->history);
    return SHOAL_OK;
}

/* ---- the file ------------------------------------------------------------------------------ */

/* Reads a file and its bytes. */
static enum shoal_status read_policy(const char *path, struct shoal_buffer *bytes,
                                     struct shoal_policy **policy, struct shoal_message *message)
{
    *policy = NULL;
    enum shoal_status status = shoal_yaml_slurp(path, bytes, message);
    return status == SHOAL_OK ? shoal_policy_parse((const char *)bytes->bytes, bytes->size, path,
                                                   policy, message)
                              : status;
}

static enum shoal_status open_file(struct shoal_policies *policies, const struct shoal_log *log,
                                   struct shoal_message *message)
{
    struct shoal_buffer bytes = {0};
    struct shoal_message why = {.text = ""};
    struct shoal_policy *policy;
    shoal_file_changes_begin(&policies->changes, policies->path);
    enum shoal_status status = read_policy(policies->path, &bytes, &policy, message);
    if (status == SHOAL_OK && keep(policies, policy->id, &bytes, &why) != SHOAL_OK)
        shoal_log_write(log, SHOAL_WARNING,
                        "policy %s cannot be kept for a recovery after it has changed: %s; set "
                        "promotions.history to a folder that can be written",
                        policy->version, why.text);
    shoal_buffer_finish(&bytes);
    if (status != SHOAL_OK)
        return status;
    struct held *held = take_in(policies, policy);
    if (!held)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    set_latest(policies, held);
    return SHOAL_OK;
}

enum shoal_status shoal_policies_open(const struct shoal_policies_options *options,
                                      const struct shoal_log *log, struct shoal_policies **result,
                                      struct shoal_message *message)
{
    *result = NULL;
    struct shoal_policies *policies = calloc(1, sizeof *policies);
    if (!policies)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    pthread_mutex_init(&policies->lock, NULL);
    policies->keep = options->keep;
    char history[PATH_BYTES];
    snprintf(history, sizeof history, "%s%s", options->history[0] ? options->history : options->path,
             options->history[0] ? "" : ".history");
    policies->history = strdup(history);
    policies->path = options->path[0] ? strdup(options->path) : NULL;
    enum shoal_status status = SHOAL_OK;
    if (!policies->history || (options->path[0] && !policies->path))
        status = shoal_fail(message, SHOAL_NOMEM, "out of memory");
    else if (policies->path)
        status = open_file(policies, log, message);
    if (status != SHOAL_OK) {
        shoal_policies_close(policies);
        return status;
    }
    *result = policies;
    return SHOAL_OK;
}

void shoal_policies_close(struct shoal_policies *policies)
{
    if (!policies)
        return;
    while (policies->held) {
        struct held *next = policies->held->next;
        shoal_policy_destroy(policies->held->policy);
        free(policies->held);
        policies->held = next;
    }
    pthread_mutex_destroy(&policies->lock);
    free(policies->path);
    free(policies->history);
    free(policies);
}

static bool changed(struct shoal_policies *policies)
{
    pthread_mutex_lock(&policies->lock);
    bool due = shoal_file_changes_look(&policies->changes, policies->path);
    pthread_mutex_unlock(&policies->lock);
    return due;
}

bool shoal_policies_refresh(struct shoal_policies *policies, const struct shoal_log *log)
{
    struct shoal_buffer bytes = {0};
    struct shoal_message message = {.text = ""};
    struct shoal_policy *policy;
    if (!policies || !policies->path || !changed(policies))
        return false;
    enum shoal_status status = read_policy(policies->path, &bytes, &policy, &message);
    bool fresh = status == SHOAL_OK && policy->id != shoal_policies_latest_id(policies);
    if (fresh)
        status = keep(policies, policy->id, &bytes, &message);
    shoal_buffer_finish(&bytes);
    if (status != SHOAL_OK) {
        shoal_policy_destroy(policy);
        shoal_log_write(log, SHOAL_WARNING,
                        "changed promotions are refused: %s; policy %016" PRIx64 " stays in service",
                        message.text, shoal_policies_latest_id(policies));
        return false;
    }
    for (size_t i = 0; fresh && i < policy->warnings_count; i++)
        shoal_log_write(log, SHOAL_WARNING, "%s:%d: %s", policies->path, policy->warnings[i].line,
                        policy->warnings[i].text);
    struct held *held = take_in(policies, policy);
    if (held)
        set_latest(policies, held);
    return held && fresh;
}

/* ---- handing out --------------------------------------------------------------------------- */

const struct shoal_policy *shoal_policies_latest(struct shoal_policies *policies)
{
    const struct shoal_policy *policy = NULL;
    if (!policies)
        return NULL;
    pthread_mutex_lock(&policies->lock);
    if (policies->latest) {
        policies->latest->references++;
        policy = policies->latest->policy;
    }
    pthread_mutex_unlock(&policies->lock);
    return policy;
}

uint64_t shoal_policies_latest_id(const struct shoal_policies *policies)
{
    return policies ? atomic_load(&policies->latest_id) : 0;
}

static enum shoal_status load_kept(struct shoal_policies *policies, uint64_t id,
                                   struct held **held, struct shoal_message *message)
{
    char path[PATH_BYTES];
    struct shoal_buffer bytes = {0};
    struct shoal_policy *policy;
    kept_path(policies, id, ".yaml", path);
    enum shoal_status status = read_policy(path, &bytes, &policy, message);
    shoal_buffer_finish(&bytes);
    if (status != SHOAL_OK)
        return status;
    if (policy->id != id) {
        status = shoal_fail(message, SHOAL_DAMAGED, "%s is policy %s", path, policy->version);
        shoal_policy_destroy(policy);
        return status;
    }
    *held = take_in(policies, policy);
    return *held ? SHOAL_OK : shoal_fail(message, SHOAL_NOMEM, "out of memory");
}

enum shoal_status shoal_policies_find(struct shoal_policies *policies, uint64_t id,
                                      const struct shoal_policy **policy,
                                      struct shoal_message *message)
{
    *policy = NULL;
    if (id == 0)
        return SHOAL_OK;
    if (!policies)
        return shoal_fail(message, SHOAL_NOT_FOUND, "policy %016" PRIx64 ": no promotions are set",
                          id);
    pthread_mutex_lock(&policies->lock);
    struct held *held = find_held(policies, id);
    if (held)
        held->references++;
    pthread_mutex_unlock(&policies->lock);
    enum shoal_status status = held ? SHOAL_OK : load_kept(policies, id, &held, message);
    if (status == SHOAL_OK)
        *policy = held->policy;
    return status;
}

size_t shoal_policies_count(struct shoal_policies *policies)
{
    size_t count = 0;
    pthread_mutex_lock(&policies->lock);
    for (const struct held *at = policies->held; at; at = at->next)
        count++;
    pthread_mutex_unlock(&policies->lock);
    return count;
}

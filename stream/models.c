/* SPDX-License-Identifier: Apache-2.0 */
/* The process's models; see models.h. */
#include "stream/models.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "model/models_dir.h"
#include "stream/swaps.h"

struct held {
    struct held *next;
    struct shoal_model *model;
    size_t references; /* the latest model has one of the registry's own */
};

struct shoal_models {
    pthread_mutex_t lock; /* guards held, latest and refused */
    struct held *held;
    struct held *latest;
    atomic_uint_fast64_t latest_id;
    char *folder;        /* to find models in; NULL: none */
    bool follows;        /* the folder says which is the latest */
    char refused[17];    /* version that was last logged as not to be taken */
    bool link_refused;   /* the same for a folder that names no version */
};

/* The one of that id; call with the lock. */
static struct held *find_held(const struct shoal_models *models, uint64_t id)
{
    for (struct held *at = models->held; at; at = at->next) {
        if (at->model->id == id)
            return at;
    }
    return NULL;
}

/* Takes `model` in with one reference more, or frees it if it is there already. */
static struct held *take_in(struct shoal_models *models, struct shoal_model *model)
{
    struct held *made = calloc(1, sizeof *made);
    pthread_mutex_lock(&models->lock);
    struct held *held = find_held(models, model->id);
    if (!held && made) {
        *made = (struct held){.next = models->held, .model = model};
        models->held = held = made;
        made = NULL;
        model = NULL;
    }
    if (held)
        held->references++;
    pthread_mutex_unlock(&models->lock);
    free(made);
    shoal_model_destroy(model);
    return held;
}

void shoal_models_release(struct shoal_models *models, const struct shoal_model *model)
{
    if (!model)
        return;
    struct held *gone = NULL;
    pthread_mutex_lock(&models->lock);
    for (struct held **at = &models->held; *at; at = &(*at)->next) {
        if ((*at)->model != model)
            continue;
        if (--(*at)->references == 0) {
            gone = *at;
            *at = gone->next;
        }
        break;
    }
    pthread_mutex_unlock(&models->lock);
    if (gone)
        shoal_model_destroy(gone->model);
    free(gone);
}

/* `held` comes with a reference, which is the registry's from now on. */
static void set_latest(struct shoal_models *models, struct held *held)
{
    pthread_mutex_lock(&models->lock);
    struct held *before = models->latest;
    models->latest = held;
    atomic_store(&models->latest_id, held->model->id);
    models->refused[0] = '\0';
    models->link_refused = false;
    pthread_mutex_unlock(&models->lock);
    if (before)
        shoal_models_release(models, before->model);
}

static enum shoal_status open_folder(struct shoal_models *models, struct shoal_model **model,
                                     struct shoal_message *message)
{
    char version[17];
    enum shoal_status status = shoal_models_current(models->folder, version, message);
    return status == SHOAL_OK ? shoal_models_load(models->folder, version, model, message) : status;
}

enum shoal_status shoal_models_open(const char *path, struct shoal_models **result,
                                    struct shoal_message *message)
{
    struct stat about;
    struct shoal_model *model = NULL;
    *result = NULL;
    struct shoal_models *models = calloc(1, sizeof *models);
    if (!models)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    pthread_mutex_init(&models->lock, NULL);
    models->follows = stat(path, &about) == 0 && S_ISDIR(about.st_mode);
    enum shoal_status status = SHOAL_OK;
    if (models->follows) {
        status = shoal_models_search(models, path, message);
        if (status == SHOAL_OK)
            status = open_folder(models, &model, message);
    } else {
        status = shoal_model_load(path, &model, message);
    }
    if (status == SHOAL_OK) {
        struct held *held = take_in(models, model);
        if (held)
            set_latest(models, held);
        else
            status = shoal_fail(message, SHOAL_NOMEM, "out of memory");
    }
    if (status != SHOAL_OK) {
        shoal_models_close(models);
        return status;
    }
    *result = models;
    return SHOAL_OK;
}

enum shoal_status shoal_models_search(struct shoal_models *models, const char *folder,
                                      struct shoal_message *message)
{
    char *copy = strdup(folder);
    if (!copy)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    free(models->folder);
    models->folder = copy;
    return SHOAL_OK;
}

void shoal_models_close(struct shoal_models *models)
{
    if (!models)
        return;
    while (models->held) {
        struct held *next = models->held->next;
        shoal_model_destroy(models->held->model);
        free(models->held);
        models->held = next;
    }
    pthread_mutex_destroy(&models->lock);
    free(models->folder);
    free(models);
}

/* Is this the first time that `version` (NULL: the link itself) is refused, since something was not? */
static bool first_refusal(struct shoal_models *models, const char *version)
{
    pthread_mutex_lock(&models->lock);
    bool known = version ? strcmp(models->refused, version) == 0 : models->link_refused;
    if (version)
        memcpy(models->refused, version, sizeof models->refused);
    models->link_refused = version == NULL;
    pthread_mutex_unlock(&models->lock);
    return !known;
}

bool shoal_models_refresh(struct shoal_models *models, const struct shoal_log *log)
{
    char version[17], latest[17];
    uint64_t id = shoal_models_latest_id(models);
    struct shoal_message message = {.text = ""};
    const struct shoal_model *model;
    if (!models->follows)
        return false;
    shoal_swaps_version(id, latest);
    enum shoal_status status = shoal_models_current(models->folder, version, &message);
    if (status != SHOAL_OK) {
        if (first_refusal(models, NULL))
            shoal_log_write(log, SHOAL_WARNING, "%s; model %s stays in service", message.text,
                            latest);
        return false;
    }
    if (strcmp(version, latest) == 0)
        return false;
    if (!shoal_swaps_id(version, strlen(version), &id))
        return false;
    status = shoal_models_find(models, id, &model, &message);
    if (status != SHOAL_OK) {
        if (first_refusal(models, version))
            shoal_log_write(log, SHOAL_WARNING,
                            "published model %s is refused: %s; model %s stays in service", version,
                            message.text, latest);
        return false;
    }
    pthread_mutex_lock(&models->lock);
    struct held *held = find_held(models, id);
    pthread_mutex_unlock(&models->lock);
    set_latest(models, held);
    return true;
}

const struct shoal_model *shoal_models_latest(struct shoal_models *models)
{
    pthread_mutex_lock(&models->lock);
    models->latest->references++;
    const struct shoal_model *model = models->latest->model;
    pthread_mutex_unlock(&models->lock);
    return model;
}

uint64_t shoal_models_latest_id(const struct shoal_models *models)
{
    return atomic_load(&models->latest_id);
}

enum shoal_status shoal_models_find(struct shoal_models *models, uint64_t id,
                                    const struct shoal_model **model, struct shoal_message *message)
{
    char version[17];
    *model = NULL;
    pthread_mutex_lock(&models->lock);
    struct held *held = find_held(models, id);
    if (held)
        held->references++;
    pthread_mutex_unlock(&models->lock);
    if (!held) {
        struct shoal_model *loaded;
        shoal_swaps_version(id, version);
        if (!models->folder)
            return shoal_fail(message, SHOAL_NOT_FOUND,
                              "model %s: not the one that is served, and there is no folder of "
                              "models to find it in (model.path is a file)",
                              version);
        enum shoal_status status = shoal_models_load(models->folder, version, &loaded, message);
        if (status != SHOAL_OK)
            return status;
        held = take_in(models, loaded);
        if (!held)
            return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    }
    *model = held->model;
    return SHOAL_OK;
}

size_t shoal_models_count(struct shoal_models *models)
{
    size_t count = 0;
    pthread_mutex_lock(&models->lock);
    for (const struct held *at = models->held; at; at = at->next)
        count++;
    pthread_mutex_unlock(&models->lock);
    return count;
}

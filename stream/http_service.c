/* SPDX-License-Identifier: Apache-2.0 */
/* What serves: the models that there are, and how each came about. */
#include <string.h>

#include "model/models_dir.h"
#include "stream/http_internal.h"
#include "stream/model_runs.h"

enum { RUNS_SHOWN = 20 };

struct listing {
    struct shoal_put *put;
    const char *current;
};

static enum shoal_status put_version(void *opaque, const char *version, int64_t written_ms)
{
    struct listing *listing = opaque;
    shoal_put_open(listing->put, NULL, '{');
    shoal_put_text(listing->put, "version", version);
    shoal_put_time(listing->put, "written_at", written_ms);
    shoal_put_text(listing->put, "state", strcmp(version, listing->current) == 0 ? "in_service" : "kept");
    shoal_put_close(listing->put, '}');
    return SHOAL_OK;
}

static void put_origin(struct shoal_put *put, const struct shoal_model *model)
{
    const struct shoal_model_origin *origin = &model->origin;
    shoal_put_open(put, "trained", '{');
    shoal_put_time(put, "from", origin->train_from_ms);
    shoal_put_time(put, "until", origin->train_until_ms);
    shoal_put_count(put, "events", origin->events_count);
    shoal_put_count(put, "users", origin->users_count);
    shoal_put_real(put, "roc_auc", origin->roc_auc);
    shoal_put_real(put, "log_loss", origin->log_loss);
    shoal_put_real(put, "base_rate", origin->base_rate);
    shoal_put_close(put, '}');
}

static void put_runs(struct shoal_put *put, const struct shoal_model_runs *runs)
{
    shoal_put_open(put, "retrains", '[');
    for (size_t i = 0; i < runs->count && i < RUNS_SHOWN; i++)
        shoal_put_raw(put, NULL, runs->lines[runs->count - 1 - i]);
    shoal_put_close(put, ']');
}

void http_models(struct http_request *r)
{
    const struct shoal_http_options *o = &r->http->options;
    const char *dir = o->config->model_path;
    struct shoal_message message = {.text = ""};
    struct shoal_model_runs runs = {0};
    char current[17] = "";
    const struct shoal_model *model = shoal_models_latest(o->models);
    bool folder = shoal_models_current(dir, current, &message) == SHOAL_OK;
    if (folder && shoal_model_runs_read(dir, &runs, &message) != SHOAL_OK) {
        shoal_model_runs_finish(&runs);
        runs = (struct shoal_model_runs){0};
    }
    struct shoal_put *put = http_json(r);
    shoal_put_open(put, NULL, '{');
    shoal_put_text(put, "in_service", model->version);
    put_origin(put, model);
    shoal_put_open(put, "models", '[');
    struct listing listing = {put, model->version};
    enum shoal_status listed = SHOAL_OK;
    if (folder) {
        listed = shoal_models_list(dir, put_version, &listing, &message);
    } else {
        shoal_put_open(put, NULL, '{');
        shoal_put_text(put, "version", model->version);
        shoal_put_null(put, "written_at");
        shoal_put_text(put, "state", "in_service");
        shoal_put_close(put, '}');
    }
    shoal_put_close(put, ']');
    put_runs(put, &runs);
    shoal_put_close(put, '}');
    if (listed != SHOAL_OK)
        http_failed(r, listed, &message);
    shoal_model_runs_finish(&runs);
    shoal_models_release(o->models, model);
}

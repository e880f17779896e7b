/* SPDX-License-Identifier: Apache-2.0 */
/* The models of a process: the one in service, and those of the past that a recovery asks for.
 *
 * The model comes from a file (one model, for good) or from a folder of models (model/models_dir.h),
 * which is looked at now and then: the version that it names becomes the latest one once it has been
 * loaded and has passed its self-test; until then, and for good if it does not, the one before stays.
 *
 * Models are counted: each one handed out is given back with shoal_models_release, and what nobody
 * holds any more is freed. Shared by all threads of the process; loading is done without the lock, so
 * that it delays nobody but who asked for it. */
#ifndef SHOAL_MODELS_H
#define SHOAL_MODELS_H

#include "model/model.h"
#include "stream/log.h"

struct shoal_models;

/* `path`: a file, or a folder with a model in service. As shoal_model_load and shoal_models_current. */
enum shoal_status shoal_models_open(const char *path, struct shoal_models **models,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
/* Where shoal_models_find also looks; used with a file. */
enum shoal_status shoal_models_search(struct shoal_models *models, const char *folder,
                                      struct shoal_message *message) SHOAL_MUST_CHECK;
/* Everything must have been given back. */
void shoal_models_close(struct shoal_models *models);
/* Takes the folder's present choice as the latest model. Nothing to do: cheap. What cannot be taken is
 * logged once, and tried again with the next call. True if there is a new one. */
bool shoal_models_refresh(struct shoal_models *models, const struct shoal_log *log);
/* The latest model; to be given back. */
const struct shoal_model *shoal_models_latest(struct shoal_models *models);
/* Its id, without taking it. */
uint64_t shoal_models_latest_id(const struct shoal_models *models);
/* The model of an id, from memory or from the folder; to be given back. NOT_FOUND, or as
 * shoal_models_load. */
enum shoal_status shoal_models_find(struct shoal_models *models, uint64_t id,
                                    const struct shoal_model **model,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
/* NULL is allowed. */
void shoal_models_release(struct shoal_models *models, const struct shoal_model *model);
/* Models in memory, for tests. */
size_t shoal_models_count(struct shoal_models *models);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of models: every version that was ever published, and which one is in service.
 *
 *   DIR/<version>.shoal   a model, never changed once it is there (version: 16 hex digits, model.h)
 *   DIR/current           a symbolic link to the one in service: "<version>.shoal"
 *   DIR/runs.jsonl        one line a training run, appended (tools/cmd_retrain.c)
 *   DIR/lock              held (flock) by whoever trains
 *
 * Invariant: a reader sees a folder before or after a change, never within: files are written
 * beside, synced and renamed. A model that `current` names is whole. */
#ifndef SHOAL_MODELS_DIR_H
#define SHOAL_MODELS_DIR_H

#include "model/model.h"

/* Sets `version` from the link. NOT_FOUND: no model is in service (or no folder); IO; DAMAGED: the
 * link names something that is no version. Cheap: one readlink, to be asked every second. */
enum shoal_status shoal_models_current(const char *dir, char version[17],
                                       struct shoal_message *message) SHOAL_MUST_CHECK;
/* Loads a version; the file's identity must be the version of its name. As shoal_model_load. */
enum shoal_status shoal_models_load(const char *dir, const char *version,
                                    struct shoal_model **model,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
/* Writes the model as DIR/<version>.shoal (creating the folder) without putting it in service; sets
 * its id and version. IO with the reason. */
enum shoal_status shoal_models_add(const char *dir, struct shoal_model *model,
                                   struct shoal_message *message) SHOAL_MUST_CHECK;
/* Removes a version's file, if it is there. INVALID for the one in service; NOT_FOUND for no
 * version; IO. */
enum shoal_status shoal_models_remove(const char *dir, const char *version,
                                      struct shoal_message *message) SHOAL_MUST_CHECK;
/* Puts a version that is there into service (publish, or roll back). NOT_FOUND, IO; the file is
 * loaded and checked first. */
enum shoal_status shoal_models_select(const char *dir, const char *version,
                                      struct shoal_message *message) SHOAL_MUST_CHECK;
/* The same, unless the model in service is another than `expected` ("": none can be read from the
 * link): FENCED with what it has become. So a publisher does not overrule a rollback that happened
 * while it trained. */
enum shoal_status shoal_models_replace(const char *dir, const char *expected, const char *version,
                                       struct shoal_message *message) SHOAL_MUST_CHECK;
/* Visits the versions in the folder, oldest file first. What visit returns ends it unless OK. */
enum shoal_status shoal_models_list(const char *dir,
                                    enum shoal_status (*visit)(void *opaque, const char *version,
                                                               int64_t written_ms),
                                    void *opaque, struct shoal_message *message) SHOAL_MUST_CHECK;
/* When a model was written, in ms since 1970; 0: it is gone. `path`: a folder, or the one file itself. */
int64_t shoal_models_written_ms(const char *path, const char *version);
/* Takes the folder's lock (creating the folder) without waiting; BUSY, with who holds it since
 * when, when another process has it. Removes what killed writers left behind. The lock ends with
 * the process, however it ends. *lock_fd is the caller's to shoal_models_unlock. */
enum shoal_status shoal_models_lock(const char *dir, int *lock_fd,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_models_unlock(int lock_fd);

#endif

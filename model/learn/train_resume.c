/* SPDX-License-Identifier: Apache-2.0 */
/* A training that was interrupted goes on from its last whole epoch, to the same bits as one that never
 * was. What the file does not hold (data, regressions, calibration) is computed again.
 *
 * One MessagePack array, behind it 8 bytes of XXH3 over it:
 *   ["shoal-training", 1, key, refitting, epoch, best_epoch, share, least_loss, least_losses, best,
 *    pretrained, refit_epoch, trainer]
 * key: hash of the events and the options; a file of another training is refused. Floats and doubles as they
 * lie in memory: the file is for this machine and this program. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "model/base/hash.h"
#include "model/base/whole_file.h"
#include "model/learn/course.h"

enum { VERSION = 1, FIELDS = 13, CHECKSUM_BYTES = 8 };

#define NAME "shoal-training"
#define FILE_BYTES_MAX ((size_t)1 << 33)

static void add_real(struct shoal_buffer *out, double value)
{
    shoal_pack_double(out, value);
}

static void add_objectives(struct shoal_buffer *out, const struct shoal_objective_options *options)
{
    for (size_t i = 0; i < SHOAL_OBJECTIVES; i++)
        add_real(out, (double)options->weights[i]);
    shoal_pack_uint(out, options->negatives);
    add_real(out, (double)options->alpha);
}

/* Everything that the result depends on. */
static uint64_t key_of(const struct shoal_course *course)
{
    const struct shoal_train_options *o = &course->options;
    const double reals[] = {
        (double)o->learning_rate,  (double)o->embedding_rate,    (double)o->weight_decay,
        (double)o->dropout_inputs, (double)o->dropout_hidden,    (double)o->dropout_recurrent,
        (double)o->l2,             (double)o->random_starts,     (double)o->clip,
        (double)o->averaging,      (double)o->user_balance,      (double)o->teacher_weight,
    };
    const uint64_t naturals[] = {
        o->seed,        o->batch,         o->steps,        o->epochs,          o->patience,
        o->glorot,      o->weekday_days,  o->balanced,     o->refit,           o->pretrain_epochs,
        o->dims.hidden, o->dims.ring,     o->dims.item_buckets, o->dims.item_width,
        o->dims.category_buckets,         o->dims.category_width, o->dims.behavior_width,
        course->dataset->fingerprint,     course->dataset->events_count,
        (uint64_t)course->end_ms,         o->pretrain ? o->pretrain->fingerprint : 0,
        o->teacher ? o->teacher->id : 0,
    };
    struct shoal_buffer text = {0};
    for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++)
        add_real(&text, reals[i]);
    for (size_t i = 0; i < sizeof naturals / sizeof naturals[0]; i++)
        shoal_pack_uint(&text, naturals[i]);
    for (size_t i = 0; i < SHOAL_TASKS; i++)
        add_real(&text, (double)o->mix.share[i]);
    add_objectives(&text, &o->objectives);
    add_objectives(&text, &o->pretrain_objectives);
    uint64_t key = text.failed ? 0 : shoal_hash(text.bytes, text.size);
    shoal_buffer_finish(&text);
    return key;
}

enum shoal_status shoal_course_save(const struct shoal_course *course,
                                    struct shoal_message *message)
{
    struct shoal_buffer out = {0};
    size_t params = course->model->params.count * sizeof(float);
    size_t losses = course->split.valid_count * sizeof *course->least_losses;
    if (!course->options.checkpoint || shoal_ranks_index(course->options.ranks) > 0)
        return SHOAL_OK;
    shoal_pack_array(&out, FIELDS);
    shoal_pack_text(&out, NAME);
    shoal_pack_uint(&out, VERSION);
    shoal_pack_uint(&out, course->key);
    shoal_pack_bool(&out, course->refit);
    shoal_pack_uint(&out, course->refit ? course->searched : course->epoch);
    shoal_pack_uint(&out, course->best_epoch);
    shoal_pack_double(&out, course->share);
    shoal_pack_double(&out, course->least_loss);
    shoal_pack_bin(&out, course->least_losses, losses);
    shoal_pack_bin(&out, course->best, params);
    shoal_pack_bin(&out, course->pretrained.block ? (const void *)course->pretrained.block : "",
                   course->pretrained.block ? params : 0);
    shoal_pack_uint(&out, course->refit ? course->epoch : 0);
    shoal_trainer_pack(&course->trainer, &out);
    uint64_t sum = out.failed ? 0 : shoal_hash(out.bytes, out.size);
    shoal_buffer_append(&out, &sum, sizeof sum);
    enum shoal_status status =
        out.failed ? shoal_fail(message, SHOAL_NOMEM, "out of memory for a checkpoint of the training")
                   : shoal_file_replace(course->options.checkpoint, &out, message);
    shoal_buffer_finish(&out);
    return status;
}

/* The next binary into `to`, if it has just this size. */
static void read_into(struct shoal_unpack *in, void *to, size_t size)
{
    size_t found;
    const void *bytes = shoal_unpack_bin(in, &found);
    if (bytes && found == size)
        memcpy(to, bytes, size);
    else
        shoal_unpack_fail(in);
}

static void read_pretrained(struct shoal_course *course, struct shoal_unpack *in)
{
    size_t size;
    const void *bytes = shoal_unpack_bin(in, &size);
    if (!bytes || size == 0)
        return;
    if (size != course->model->params.count * sizeof(float) ||
        shoal_params_init(&course->pretrained, &course->options.dims) != SHOAL_OK)
        shoal_unpack_fail(in);
    else
        memcpy(course->pretrained.block, bytes, size);
}

static enum shoal_status read_course(struct shoal_course *course, struct shoal_message *message)
{
    struct shoal_resume *resume = &course->resume;
    const char *path = course->options.checkpoint;
    size_t size = resume->file.size, text_size = 0;
    uint64_t sum = 0;
    if (size > CHECKSUM_BYTES)
        memcpy(&sum, resume->file.bytes + size - CHECKSUM_BYTES, sizeof sum);
    if (size <= CHECKSUM_BYTES || sum != shoal_hash(resume->file.bytes, size - CHECKSUM_BYTES))
        return shoal_fail(message, SHOAL_DAMAGED,
                          "%s: no checkpoint of a training, or damaged; delete it to begin anew", path);
    struct shoal_unpack *in = &resume->trainer;
    shoal_unpack_init(in, resume->file.bytes, size - CHECKSUM_BYTES);
    uint32_t fields = shoal_unpack_array(in, FIELDS);
    const char *text = shoal_unpack_str(in, &text_size);
    uint64_t version = shoal_unpack_uint(in, UINT64_MAX), key = shoal_unpack_uint(in, UINT64_MAX);
    if (fields != FIELDS || !text || text_size != strlen(NAME) || memcmp(text, NAME, text_size) != 0 ||
        version != VERSION)
        return shoal_fail(message, SHOAL_VERSION,
                          "%s: no checkpoint of this program; delete it to begin anew", path);
    if (key != course->key)
        return shoal_fail(message, SHOAL_CONFIG,
                          "%s: the checkpoint of another training (other events or other options); "
                          "delete it to begin anew, or name another file",
                          path);
    resume->refit = shoal_unpack_bool(in);
    resume->epoch = (uint32_t)shoal_unpack_uint(in, UINT32_MAX);
    course->best_epoch = (uint32_t)shoal_unpack_uint(in, UINT32_MAX);
    course->share = shoal_unpack_double(in);
    course->least_loss = shoal_unpack_double(in);
    read_into(in, course->least_losses, course->split.valid_count * sizeof *course->least_losses);
    read_into(in, course->best, course->model->params.count * sizeof(float));
    read_pretrained(course, in);
    resume->refit_epoch = (uint32_t)shoal_unpack_uint(in, UINT32_MAX);
    resume->there = in->status == SHOAL_OK;
    return resume->there ? SHOAL_OK
                         : shoal_fail(message, SHOAL_DAMAGED, "%s: damaged; delete it to begin anew", path);
}

enum shoal_status shoal_course_find(struct shoal_course *course, struct shoal_message *message)
{
    if (!course->options.checkpoint)
        return SHOAL_OK;
    course->key = key_of(course);
    enum shoal_status status = shoal_file_read(course->options.checkpoint, FILE_BYTES_MAX,
                                               &course->resume.file, message);
    if (status == SHOAL_NOT_FOUND)
        return SHOAL_OK;
    return status == SHOAL_OK ? read_course(course, message) : status;
}

enum shoal_status shoal_course_agree(const struct shoal_course *course,
                                     struct shoal_message *message)
{
    const struct shoal_train_options *o = &course->options;
    uint64_t start = key_of(course);
    if (course->resume.there)
        start = shoal_hash(course->resume.file.bytes, course->resume.file.size);
    if (!shoal_ranks_agree(o->ranks, start))
        return shoal_fail(message, SHOAL_CONFIG,
                          "the ranks do not have the same events, options and checkpoint: each needs all "
                          "files, under the same paths");
    size_t ranks = (size_t)shoal_ranks_count(o->ranks), shards = shoal_trainer_shards(o->batch);
    if (ranks > shards)
        return shoal_fail(message, SHOAL_CONFIG,
                          "%zu ranks, but a batch of %u streams is cut into %zu parts: start fewer, or "
                          "give a larger --batch",
                          ranks, o->batch, shards);
    return SHOAL_OK;
}

enum shoal_status shoal_course_resume(struct shoal_course *course, struct shoal_message *message)
{
    shoal_trainer_unpack(&course->trainer, &course->resume.trainer);
    return course->resume.trainer.status == SHOAL_OK
               ? SHOAL_OK
               : shoal_fail(message, SHOAL_DAMAGED, "%s: damaged; delete it to begin anew",
                            course->options.checkpoint);
}

void shoal_course_forget(const struct shoal_course *course)
{
    if (course->options.checkpoint && shoal_ranks_index(course->options.ranks) == 0)
        (void)unlink(course->options.checkpoint);
}

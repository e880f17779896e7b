/* SPDX-License-Identifier: Apache-2.0 */
/* A model's bytes on disk. */
#include "model/base/whole_file.h"
#include "model/model_format.h"

#define FILE_BYTES_MAX ((size_t)1 << 30)

enum shoal_status shoal_model_load(const char *path, struct shoal_model **model,
                                   struct shoal_message *message)
{
    struct shoal_buffer bytes = {0};
    struct shoal_message reason = {{0}};
    *model = NULL;
    enum shoal_status status = shoal_file_read(path, FILE_BYTES_MAX, &bytes, message);
    if (status == SHOAL_OK) {
        status = shoal_model_parse(bytes.bytes, bytes.size, model, &reason);
        if (status != SHOAL_OK)
            (void)shoal_fail(message, status, "%s: %s", path, reason.text);
    }
    shoal_buffer_finish(&bytes);
    return status;
}

enum shoal_status shoal_model_save(struct shoal_model *model, const char *path,
                                   struct shoal_message *message)
{
    struct shoal_buffer bytes = {0};
    enum shoal_status status = shoal_model_serialize(model, &bytes);
    if (status == SHOAL_INVALID) {
        struct shoal_message why = {.text = "its states are not finite"};
        status = shoal_model_check(model, &why) == SHOAL_OK ? status : SHOAL_INVALID;
        (void)shoal_fail(message, status, "%s: not saved, for the model is broken: %s", path,
                         why.text);
    } else if (status != SHOAL_OK) {
        (void)shoal_fail(message, status, "%s: out of memory", path);
    } else {
        status = shoal_file_replace(path, &bytes, message);
    }
    shoal_buffer_finish(&bytes);
    return status;
}

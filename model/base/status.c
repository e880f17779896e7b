/* SPDX-License-Identifier: Apache-2.0 */
/* Names, texts and classes of the status codes, from the list in status.h. */
#include "model/base/status.h"

#include <stdio.h>

static const struct {
    enum shoal_status_class class;
    const char *code;
    const char *text;
} entries[] = {
#define X(name, class, code, text) [SHOAL_##name] = {SHOAL_CLASS_##class, code, text},
    SHOAL_STATUS_LIST(X)
#undef X
};

const char *shoal_status_code(enum shoal_status status)
{
    return (unsigned)status < SHOAL_STATUS_COUNT ? entries[status].code : "unknown";
}

const char *shoal_status_text(enum shoal_status status)
{
    return (unsigned)status < SHOAL_STATUS_COUNT ? entries[status].text : "unknown status";
}

enum shoal_status_class shoal_status_class(enum shoal_status status)
{
    return (unsigned)status < SHOAL_STATUS_COUNT ? entries[status].class : SHOAL_CLASS_STOP;
}

enum shoal_status shoal_fail(struct shoal_message *message, enum shoal_status status,
                             const char *format, ...)
{
    if (message) {
        va_list args;
        va_start(args, format);
        vsnprintf(message->text, sizeof message->text, format, args);
        va_end(args);
    }
    return status;
}

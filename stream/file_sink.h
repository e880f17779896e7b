/* SPDX-License-Identifier: Apache-2.0 */
/* Outputs as files of a folder, a line each: segments.jsonl, decisions.jsonl, and deadletter.jsonl
 * (the refused messages byte for byte) with deadletter.errors.jsonl beside it (what the headers of the
 * topic would say). */
#ifndef SHOAL_FILE_SINK_H
#define SHOAL_FILE_SINK_H

#include "stream/sink.h"

/* Makes the folder if needed and truncates the files. IO with the reason. */
enum shoal_status shoal_file_sink_create(const char *folder, const char *topic,
                                         struct shoal_sink **sink,
                                         struct shoal_message *message) SHOAL_MUST_CHECK;
/* Flushes; IO if anything could not be written (a full disk shows here at the latest). */
enum shoal_status shoal_file_sink_flush(struct shoal_sink *sink,
                                        struct shoal_message *message) SHOAL_MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Reads an events file line by line as the messages that a producer keyed by user id would send:
 * JSON lines as they are, CSV rows turned into JSON events. Plain, gzip or zstd, told apart by their
 * first bytes; format by content (a line starting with '{' is JSON; otherwise CSV, with a header if
 * the first row names columns; without one the five Taobao columns user, item, category, behaviour,
 * seconds; four numeric-first columns user, item, behaviour, time).
 *
 * Columns known in a header (any order, any case, the first alias there is taken; others are ignored):
 *   user_id user userid visitorid visitor_id session    item_id item itemid product_id product
 *   category_id category categoryid item_category       price    quantity    event_id
 *   behavior behaviour behavior_type event_type event   promotion_id         exposure
 *   timestamp event_time time ts
 * Cells may be quoted; a line break within quotes is not supported. A byte order mark is dropped.
 *
 * Both `shoal replay` and `shoal send` read through here, so that a file means the same messages,
 * partitions and offsets in both. */
#ifndef SHOAL_READER_H
#define SHOAL_READER_H

#include "stream/event.h"

struct shoal_reader;

/* `path` "-" is standard input. partition_count > 0. NOT_FOUND, IO, CONFIG (a header without the
 * required columns) with the reason. */
enum shoal_status shoal_reader_open(const char *path, int32_t partition_count,
                                    struct shoal_reader **reader,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_reader_close(struct shoal_reader *reader);
/* From now on a line that has a user forgotten (forget.h) comes once for each partition: with pseudonyms it does not
 * tell in which one the user's events are. */
void shoal_reader_tell_all(struct shoal_reader *reader);
/* Next message; valid until the next call. key = user id where one can be read from the line (even
 * if other fields are bad); without one the partition is 0 and key NULL. Offsets count up in each
 * partition. A row that is not CSV of the right shape is passed on raw, for the decoder to refuse.
 * Empty lines are skipped; a line over 1 MiB comes cut to
 * one byte more than that, for the decoder to call too large. timestamp_ms is −1. SHOAL_END at the end; IO when the file is damaged
 * (message names the line). */
enum shoal_status shoal_reader_next(struct shoal_reader *reader, struct shoal_input *input,
                                    struct shoal_message *message);
/* For progress: compressed bytes read so far and the file's size (0 if unknown), lines so far. */
void shoal_reader_position(const struct shoal_reader *reader, uint64_t *bytes, uint64_t *size,
                           uint64_t *lines);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Status codes of every Shoal function that can fail, generated from one list.
 *
 * Each code has a class that says what a caller may do about it:
 *   skip   this one event or record is bad; dead-letter it and go on
 *   retry  a peer is away; back off, commit nothing, try again
 *   stop   misconfigured, damaged or fenced; end with the reason, nothing lost
 *   none   not an error
 */
#ifndef SHOAL_BASE_STATUS_H
#define SHOAL_BASE_STATUS_H

#include <stdarg.h>
#include <stddef.h>

/*  X(NAME, class, "code used in headers and metrics", "text for people") */
#define SHOAL_STATUS_LIST(X)                                                                       \
    X(OK, NONE, "ok", "success")                                                                   \
    X(EMPTY, NONE, "empty", "nothing there at the moment")                                         \
    X(END, NONE, "end", "end of the input")                                                        \
    X(BAD_FORMAT, SKIP, "bad_format", "neither a JSON object nor a MessagePack map")               \
    X(BAD_JSON, SKIP, "bad_json", "not well-formed JSON")                                          \
    X(BAD_MSGPACK, SKIP, "bad_msgpack", "not well-formed MessagePack")                             \
    X(BAD_CSV, SKIP, "bad_csv", "not a row of the expected columns")                               \
    X(MISSING_FIELD, SKIP, "missing_field", "a required field is missing")                         \
    X(BAD_FIELD, SKIP, "bad_field", "a field has the wrong type or range")                         \
    X(BAD_BEHAVIOR, SKIP, "bad_behavior", "unknown behavior")                                      \
    X(BAD_TIMESTAMP, SKIP, "bad_timestamp", "timestamp cannot be read")                            \
    X(BAD_USER, SKIP, "bad_user", "user id must be 1 to 64 bytes of UTF-8")                        \
    X(KEY_MISMATCH, SKIP, "key_mismatch", "message key differs from user_id")                      \
    X(FUTURE_EVENT, SKIP, "future_event", "event is dated after its record by more than "          \
                                          "event.max_future")                                      \
    X(TOO_LARGE, SKIP, "too_large", "message is larger than allowed")                              \
    X(UNAVAILABLE, RETRY, "unavailable", "a peer cannot be reached")                               \
    X(TIMED_OUT, RETRY, "timed_out", "a peer did not answer in time")                              \
    X(INTERRUPTED, RETRY, "interrupted", "asked to stop")                                          \
    X(NOMEM, STOP, "out_of_memory", "out of memory")                                               \
    X(IO, STOP, "io", "input or output failed")                                                    \
    X(INVALID, STOP, "invalid", "invalid argument")                                                \
    X(CONFIG, STOP, "config", "configuration is wrong")                                            \
    X(NOT_FOUND, STOP, "not_found", "not found")                                                   \
    X(DAMAGED, STOP, "damaged", "data is damaged")                                                 \
    X(VERSION, STOP, "version", "format version is not supported")                                 \
    X(SELF_TEST, STOP, "self_test", "model fails its self-test")                                   \
    X(FENCED, STOP, "fenced", "another owner has taken over")                                      \
    X(PARTITIONS_CHANGED, STOP, "partitions_changed", "topic has another number of partitions")    \
    X(OFFSETS_MOVED, STOP, "offsets_moved", "group offsets lie behind the saved states")           \
    X(EVENTS_GONE, STOP, "events_gone", "events needed for recovery are past retention")           \
    X(BUSY, STOP, "busy", "in use by another process")                                             \
    X(TOO_FEW, STOP, "too_few", "too little data")                                                 \
    X(INTERNAL, STOP, "internal", "internal error")

enum shoal_status {
#define X(name, class, code, text) SHOAL_##name,
    SHOAL_STATUS_LIST(X)
#undef X
        SHOAL_STATUS_COUNT
};

enum shoal_status_class {
    SHOAL_CLASS_NONE,
    SHOAL_CLASS_SKIP,
    SHOAL_CLASS_RETRY,
    SHOAL_CLASS_STOP,
};

#if defined(__GNUC__)
#define SHOAL_MUST_CHECK __attribute__((warn_unused_result))
#define SHOAL_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#else
#define SHOAL_MUST_CHECK
#define SHOAL_PRINTF(fmt, first)
#endif

/* Stable identifier of a status, as it stands in headers and metrics. Static. */
const char *shoal_status_code(enum shoal_status status);
/* One sentence for people. Static. */
const char *shoal_status_text(enum shoal_status status);
enum shoal_status_class shoal_status_class(enum shoal_status status);

/* What went wrong in words: the detail that a status alone cannot carry.
 * In the caller's memory; functions that take one accept NULL. */
struct shoal_message {
    char text[512];
};

/* Formats into `message` (if any) and returns `status`, so that a failing
 * function can end with `return shoal_fail(message, SHOAL_CONFIG, "…", …)`. */
enum shoal_status shoal_fail(struct shoal_message *message, enum shoal_status status,
                             const char *format, ...) SHOAL_PRINTF(3, 4);

#endif

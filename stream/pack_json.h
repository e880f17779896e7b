/* SPDX-License-Identifier: Apache-2.0 */
/* MessagePack as JSON: outputs that are written as the one, for who reads the other. */
#ifndef SHOAL_PACK_JSON_H
#define SHOAL_PACK_JSON_H

#include "model/base/pack.h"

/* Appends the one value that the bytes are, on one line: of an output in MessagePack the bytes that it would be in JSON.
 * Extensions and binaries become null. BAD_MSGPACK for anything else, and for more than 16 levels; what was appended
 * is worthless then. NOMEM. */
enum shoal_status shoal_pack_json(const void *bytes, size_t size, struct shoal_buffer *out) SHOAL_MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Slots of a Redis Cluster: which of the 16384 a key belongs to (CRC16 of what stands between the
 * key's first braces, or of the whole key). Redis Cluster specification, "Key distribution model". */
#ifndef SHOAL_REDIS_SLOTS_H
#define SHOAL_REDIS_SLOTS_H

#include <stddef.h>
#include <stdint.h>

enum { SHOAL_REDIS_SLOTS = 16384 };

uint16_t shoal_redis_slot(const char *key, size_t size);

#endif

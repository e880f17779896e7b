/* SPDX-License-Identifier: Apache-2.0 */
/* The one hash of the project (XXH3, 64 bits) and what is derived from it.
 *
 * Values end up in model files, in Redis and in outputs, so they must never change with the
 * platform or the library's version: XXH3 is stable since xxhash 0.8.0. */
#ifndef SHOAL_BASE_HASH_H
#define SHOAL_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t shoal_hash(const void *bytes, size_t size);
uint64_t shoal_hash_seeded(const void *bytes, size_t size, uint64_t seed);

#endif

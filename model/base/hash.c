/* SPDX-License-Identifier: Apache-2.0 */
/* The only file that sees xxhash. */
#include "model/base/hash.h"

#include <xxhash.h>

uint64_t shoal_hash(const void *bytes, size_t size)
{
    return XXH3_64bits(bytes, size);
}

uint64_t shoal_hash_seeded(const void *bytes, size_t size, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes, size, seed);
}

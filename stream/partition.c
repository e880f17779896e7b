/* SPDX-License-Identifier: Apache-2.0 */
/* The partition of a key, as Kafka's Java client computes it (Utils.murmur2 and toPositive), and
 * librdkafka's partitioner `murmur2_random` with it: a replay from a file has to put each user
 * where a producer would have put it. */
#include "stream/event.h"

static uint32_t murmur2(const unsigned char *bytes, size_t size)
{
    const uint32_t seed = 0x9747b28c, m = 0x5bd1e995;
    uint32_t hash = seed ^ (uint32_t)size;
    while (size >= 4) {
        uint32_t k = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
                     (uint32_t)bytes[3] << 24;
        k *= m;
        k ^= k >> 24;
        k *= m;
        hash = hash * m ^ k;
        bytes += 4;
        size -= 4;
    }
    if (size == 3)
        hash ^= (uint32_t)bytes[2] << 16;
    if (size >= 2)
        hash ^= (uint32_t)bytes[1] << 8;
    if (size >= 1) {
        hash ^= bytes[0];
        hash *= m;
    }
    hash ^= hash >> 13;
    hash *= m;
    return hash ^ hash >> 15;
}

int32_t shoal_partition_of(const void *key, size_t size, int32_t partition_count)
{
    if (partition_count <= 0)
        return 0;
    return (int32_t)(murmur2(key, size) & 0x7fffffff) % partition_count;
}

/* CRC-32 of ISO 3309, bit by bit: ids are short, and this is done once a user and move. */
static uint32_t crc32_of(const unsigned char *bytes, size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

const char *shoal_partitioner_name(enum shoal_partitioner partitioner)
{
    static const char *const names[SHOAL_PARTITIONERS] = {"murmur2", "consistent"};
    return names[partitioner];
}

int32_t shoal_partitioner_of(enum shoal_partitioner partitioner, const void *key, size_t size,
                             int32_t partition_count)
{
    if (partitioner == SHOAL_MURMUR2 || partition_count <= 0)
        return shoal_partition_of(key, size, partition_count);
    return (int32_t)(crc32_of(key, size) % (uint32_t)partition_count);
}

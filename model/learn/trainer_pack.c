/* SPDX-License-Identifier: Apache-2.0 */
/* A trainer's memory as bytes, between two epochs: whoever reads it into a trainer of the same options and
 * events goes on to the same bits. Floats as they lie in memory, for this machine and this program. */
#include <string.h>

#include "model/learn/trainer.h"

enum { FIELDS = 12 };

/* The blocks of floats, in their order. */
static size_t blocks_of(struct shoal_trainer *trainer, float *blocks[7], size_t counts[7])
{
    struct shoal_objectives *own = &trainer->objectives;
    float *const all[7] = {trainer->params.block,  trainer->mean.block,
                           trainer->adamw.m.block, trainer->adamw.v.block,
                           own->tables.block,      own->m.block,
                           own->v.block};
    const size_t sizes[7] = {trainer->params.count,  trainer->mean.count, trainer->adamw.m.count,
                             trainer->adamw.v.count, own->tables.count,   own->m.count,
                             own->v.count};
    memcpy(blocks, all, sizeof all);
    memcpy(counts, sizes, sizeof sizes);
    return 7;
}

void shoal_trainer_pack(const struct shoal_trainer *trainer, struct shoal_buffer *out)
{
    struct shoal_trainer readable = *trainer;
    float *blocks[7];
    size_t counts[7], count = blocks_of(&readable, blocks, counts);
    shoal_pack_array(out, FIELDS);
    shoal_pack_uint(out, trainer->chunk);
    shoal_pack_uint(out, trainer->updates);
    shoal_pack_uint(out, trainer->epoch);
    shoal_pack_uint(out, trainer->adamw.step);
    shoal_pack_uint(out, trainer->objectives.step);
    for (size_t i = 0; i < count; i++)
        shoal_pack_bin(out, counts[i] ? (const void *)blocks[i] : "", counts[i] * sizeof(float));
}

void shoal_trainer_unpack(struct shoal_trainer *trainer, struct shoal_unpack *in)
{
    float *blocks[7];
    size_t counts[7], count = blocks_of(trainer, blocks, counts);
    if (shoal_unpack_array(in, FIELDS) != FIELDS)
        shoal_unpack_fail(in);
    trainer->chunk = shoal_unpack_uint(in, UINT64_MAX);
    trainer->updates = shoal_unpack_uint(in, UINT64_MAX);
    trainer->epoch = shoal_unpack_uint(in, UINT64_MAX);
    trainer->adamw.step = shoal_unpack_uint(in, UINT64_MAX);
    trainer->objectives.step = shoal_unpack_uint(in, UINT64_MAX);
    for (size_t i = 0; i < count; i++) {
        size_t size = 0;
        const void *bytes = shoal_unpack_bin(in, &size);
        if (size != counts[i] * sizeof(float))
            shoal_unpack_fail(in);
        else if (size)
            memcpy(blocks[i], bytes, size);
    }
}

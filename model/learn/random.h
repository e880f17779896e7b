/* SPDX-License-Identifier: Apache-2.0 */
/* Counter-based random numbers: a number is a function of (seed, stream, index), so that nothing has
 * to be carried along, and the order of asking changes nothing. The mixing function is SplitMix64's
 * (Steele, Lea, Flood 2014). For training and for resampling, not for secrets. */
#ifndef SHOAL_LEARN_RANDOM_H
#define SHOAL_LEARN_RANDOM_H

#include <stdint.h>

/* What a number is for; numbers of different streams are independent. */
enum shoal_random_stream {
    SHOAL_RANDOM_INIT,        /* first values of the parameters */
    SHOAL_RANDOM_SHUFFLE,     /* order of the users in an epoch */
    SHOAL_RANDOM_DROP_INPUTS, /* dropout of x */
    SHOAL_RANDOM_DROP_HIDDEN, /* dropout of h before the head */
    SHOAL_RANDOM_BOOTSTRAP,   /* users of a resample */
    SHOAL_RANDOM_DROP_RECURRENT, /* dropout of h_{t−1} into the gates */
    SHOAL_RANDOM_NEGATIVES,   /* items that did not follow */
    SHOAL_RANDOM_OBJECTIVES,  /* first values of the objectives' tables */
    SHOAL_RANDOM_STARTS,      /* where in a user's history an epoch begins */
    SHOAL_RANDOM_PERMUTE,     /* which event gets whose input */
    SHOAL_RANDOM_KMEANS,      /* first centroids */
    SHOAL_RANDOM_AUTOENCODER, /* first values of an autoencoder, and the order of its batches */
    SHOAL_RANDOM_RESAMPLES,   /* seeds of a clustering's resamples */
    SHOAL_RANDOM_DRAWS,       /* which of several repetitions a resample sees */
    SHOAL_RANDOM_ITEMS,       /* of what is learnt of items: which targets, what is dropped, first values */
    SHOAL_RANDOM_PROMPTS,     /* first values of the prompts' generators, and the order of their batches */
    SHOAL_RANDOM_FOLDS = 64,  /* which users judge what others have taught */
};

static inline uint64_t shoal_random_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* The key of a stream, to be computed once outside a loop. */
static inline uint64_t shoal_random_key(uint64_t seed, enum shoal_random_stream stream)
{
    uint64_t start = seed + UINT64_C(0x9e3779b97f4a7c15);
    return shoal_random_mix(shoal_random_mix(start) ^ ((uint64_t)stream << 56));
}

static inline uint64_t shoal_random_at(uint64_t key, uint64_t index)
{
    return shoal_random_mix(key + (index + 1) * UINT64_C(0x9e3779b97f4a7c15));
}

/* Uniform in [0, 1), 24 bits. */
static inline float shoal_random_uniform(uint64_t key, uint64_t index)
{
    return (float)(shoal_random_at(key, index) >> 40) * 0x1p-24f;
}

/* Uniform in 0 … bound − 1 (multiply and shift; the bias is below bound/2^32). bound < 2^32. */
static inline uint32_t shoal_random_below(uint64_t key, uint64_t index, uint32_t bound)
{
    return (uint32_t)(((shoal_random_at(key, index) >> 32) * bound) >> 32);
}

#endif

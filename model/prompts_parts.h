/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of struct shoal_prompts, for those who make it (prompts_file.c, learn/prompt_tune.c), use it
 * (prompts.c) and nobody else. */
#ifndef SHOAL_PROMPTS_PARTS_H
#define SHOAL_PROMPTS_PARTS_H

#include "model/prompts.h"

/* What a generator says, in units of H: where each part begins, and how many there are. */
enum {
    SHOAL_PROMPT_AT_START_H = 0, /* s */
    SHOAL_PROMPT_AT_GATE_H = 1,  /* g */
    SHOAL_PROMPT_AT_START_C = 2, /* s' */
    SHOAL_PROMPT_AT_GATE_C = 3,  /* g' */
    SHOAL_PROMPT_AT_GATES = 4,   /* p, four of them */
    SHOAL_PROMPT_AT_STATE = 8,   /* r */
    SHOAL_PROMPT_OUTPUTS = 9,
};

/* Into one block of a goal. */
struct shoal_prompt_generator {
    float *inner;      /* W1: R×Z */
    float *inner_bias; /* b1: R */
    float *outer;      /* W2: 9H×R */
    float *outer_bias; /* b2: 9H */
};

struct shoal_prompts {
    size_t hidden;                    /* H */
    unsigned parts[SHOAL_ITEM_GOALS]; /* bits of enum shoal_prompt_part; 0: this goal has no prompts */
    float *blocks[SHOAL_ITEM_GOALS];  /* owned; shoal_prompt_block floats each, on 64 bytes */
};

/* Floats of a block: a multiple of 16, zeros at its end. */
size_t shoal_prompt_block(size_t hidden);
struct shoal_prompt_generator shoal_prompt_generator_in(float *block, size_t hidden);
/* Zeros, no parts. NULL without memory. */
struct shoal_prompts *shoal_prompts_create(size_t hidden);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Prompts with weights from a seed, for tests: nothing tuned, but every part of them at work. */
#ifndef TEST_TINY_PROMPTS_H
#define TEST_TINY_PROMPTS_H

#include "model/prompts_parts.h"
#include "tests/model/tiny_model.h"

/* scale: of what is generated; 0: zeros, which are run all the same. NULL when out of memory. */
static inline struct shoal_prompts *tiny_prompts(size_t hidden, float scale)
{
    struct shoal_prompts *prompts = shoal_prompts_create(hidden);
    uint64_t state = 5;
    for (int g = 0; prompts && g < SHOAL_ITEM_GOALS; g++) {
        struct shoal_prompt_generator generator =
            shoal_prompt_generator_in(prompts->blocks[g], hidden);
        size_t inner = SHOAL_PROMPT_UNITS * (SHOAL_PROMPT_STATISTICS + 1);
        size_t outer = SHOAL_PROMPT_OUTPUTS * hidden * (SHOAL_PROMPT_UNITS + 1);
        prompts->parts[g] = SHOAL_PROMPT_PARTS;
        for (size_t i = 0; i < inner; i++)
            generator.inner[i] = 0.3f * tiny_random(&state);
        for (size_t i = 0; i < outer; i++)
            generator.outer[i] = scale * tiny_random(&state);
    }
    return prompts;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Prompts in a model file: nil, or the map
 *
 *   {"statistics": 25, "units": 32, "goals": [any, buy], each
 *     {"parts": bits: 1 start, 2 gates, 4 state; 0: none of this goal,
 *      "generator": W1 (32×25) | b1 (32) | W2 (9H×32) | b2 (9H), or empty if parts is 0}}
 *
 * float32, row-major; the order of the 9H is that of prompts.h. Weights of parts that are not there are zero. */
#include <math.h>
#include <string.h>

#include "model/fields.h"
#include "model/prompts_parts.h"

enum { FIELDS = 3, GOAL_FIELDS = 2 };

/* Far beyond what training comes to; sums of a row stay finite. */
static const float WEIGHT_MAX = 1e6f;

static size_t used_floats(size_t hidden)
{
    return SHOAL_PROMPT_UNITS * (SHOAL_PROMPT_STATISTICS + 1) +
           SHOAL_PROMPT_OUTPUTS * hidden * (SHOAL_PROMPT_UNITS + 1);
}

void shoal_prompts_pack(const struct shoal_prompts *prompts, struct shoal_buffer *out)
{
    if (!prompts) {
        shoal_pack_nil(out);
        return;
    }
    shoal_pack_map(out, FIELDS);
    shoal_fields_pack_uint(out, "statistics", SHOAL_PROMPT_STATISTICS);
    shoal_fields_pack_uint(out, "units", SHOAL_PROMPT_UNITS);
    shoal_pack_text(out, "goals");
    shoal_pack_array(out, SHOAL_ITEM_GOALS);
    for (int g = 0; g < SHOAL_ITEM_GOALS; g++) {
        shoal_pack_map(out, GOAL_FIELDS);
        shoal_fields_pack_uint(out, "parts", prompts->parts[g]);
        shoal_fields_pack_floats(out, "generator", prompts->blocks[g],
                                 prompts->parts[g] ? used_floats(prompts->hidden) : 0);
    }
}

static bool sound(const float *block, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(block[i]) <= WEIGHT_MAX))
            return false;
    return true;
}

/* The rows of W2 and b2 of a part that is not there, [from, to) in units of H, say nothing. */
static bool silent(const struct shoal_prompts *prompts, int goal, size_t from, size_t to)
{
    size_t hidden = prompts->hidden;
    struct shoal_prompt_generator generator =
        shoal_prompt_generator_in(prompts->blocks[goal], hidden);
    for (size_t i = from * hidden; i < to * hidden; i++) {
        if (generator.outer_bias[i] != 0)
            return false;
        for (size_t r = 0; r < SHOAL_PROMPT_UNITS; r++)
            if (generator.outer[i * SHOAL_PROMPT_UNITS + r] != 0)
                return false;
    }
    return true;
}

static bool sound_goal(const struct shoal_prompts *prompts, int goal)
{
    unsigned parts = prompts->parts[goal];
    return sound(prompts->blocks[goal], used_floats(prompts->hidden)) &&
           ((parts & SHOAL_PROMPT_START) || silent(prompts, goal, 0, SHOAL_PROMPT_AT_GATES)) &&
           ((parts & SHOAL_PROMPT_GATES) ||
            silent(prompts, goal, SHOAL_PROMPT_AT_GATES, SHOAL_PROMPT_AT_STATE)) &&
           ((parts & SHOAL_PROMPT_STATE) ||
            silent(prompts, goal, SHOAL_PROMPT_AT_STATE, SHOAL_PROMPT_OUTPUTS));
}

static bool expect_uint(struct shoal_unpack *in, const char *name, uint64_t value)
{
    shoal_fields_expect(in, name);
    return shoal_unpack_uint(in, value) == value && in->status == SHOAL_OK;
}

static bool read_map(struct shoal_unpack *in, struct shoal_prompts *prompts)
{
    if (shoal_unpack_map(in, FIELDS) != FIELDS ||
        !expect_uint(in, "statistics", SHOAL_PROMPT_STATISTICS) ||
        !expect_uint(in, "units", SHOAL_PROMPT_UNITS))
        return false;
    shoal_fields_expect(in, "goals");
    if (shoal_unpack_array(in, SHOAL_ITEM_GOALS) != SHOAL_ITEM_GOALS)
        return false;
    for (int g = 0; g < SHOAL_ITEM_GOALS; g++) {
        if (shoal_unpack_map(in, GOAL_FIELDS) != GOAL_FIELDS)
            return false;
        shoal_fields_expect(in, "parts");
        prompts->parts[g] = (unsigned)shoal_unpack_uint(in, SHOAL_PROMPT_PARTS);
        shoal_fields_floats(in, "generator", prompts->blocks[g],
                            prompts->parts[g] ? used_floats(prompts->hidden) : 0);
        if (in->status != SHOAL_OK || !sound_goal(prompts, g))
            return false;
    }
    return true;
}

enum shoal_status shoal_prompts_unpack(struct shoal_unpack *in, size_t hidden,
                                       struct shoal_prompts **prompts,
                                       struct shoal_message *message)
{
    *prompts = NULL;
    if (shoal_fields_absent(in))
        return SHOAL_OK;
    struct shoal_prompts *made = shoal_prompts_create(hidden);
    if (!made)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory for the prompts");
    if (!read_map(in, made)) {
        shoal_prompts_destroy(made);
        return shoal_fail(message, SHOAL_DAMAGED, "damaged (prompts)");
    }
    *prompts = made;
    return SHOAL_OK;
}

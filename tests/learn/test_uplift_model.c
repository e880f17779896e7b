/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a table model: back as it was written, and refused once a byte of it is another. */
#include <criterion/criterion.h>
#include <string.h>

#include "model/base/hash.h"
#include "model/learn/random.h"
#include "model/learn/uplift_model.h"

enum { ROWS = 2000, WIDTH = 2 };

static struct shoal_uplift_model model;

static void learn(void)
{
    struct shoal_uplift_rows rows;
    cr_assert_eq(shoal_uplift_rows_make(ROWS, WIDTH, &rows), SHOAL_OK);
    for (size_t i = 0; i < ROWS; i++) {
        rows.x[2 * i] = 2 * (double)shoal_random_uniform(1, i) - 1;
        rows.x[2 * i + 1] = 2 * (double)shoal_random_uniform(2, i) - 1;
        rows.treated[i] = shoal_random_uniform(3, i) < 0.5f;
        rows.outcome[i] = (double)shoal_random_uniform(4, i) < 0.3 + 0.2 * rows.treated[i] * rows.x[2 * i];
        rows.stage[i] = (uint8_t)(rows.outcome[i] ? 1 + (i & 1) : 0);
    }
    strcpy(model.treatment, "arm");
    strcpy(model.treated, "yes");
    strcpy(model.control, "no");
    strcpy(model.outcome, "bought");
    model.width = WIDTH;
    for (size_t k = 0; k < WIDTH; k++)
        model.inputs[k] = (struct shoal_input_column){.column = "x", .kind = SHOAL_INPUT_LEVEL, .level = "a", .deviation = 1};
    strcpy(model.rfm.column[0], "recency");
    cr_assert_eq(shoal_uplift_model_learn(&rows, 3, &model, NULL), SHOAL_OK);
    shoal_uplift_rows_finish(&rows);
}

Test(uplift_model, comes_back_from_its_bytes_with_the_same_scores)
{
    static struct shoal_uplift_model again;
    struct shoal_buffer first = {0}, second = {0};
    struct shoal_message message;
    const double x[WIDTH] = {0.4, -0.7};
    learn();
    shoal_uplift_model_pack(&model, &first);
    cr_assert_eq(shoal_uplift_model_unpack(first.bytes, first.size, &again, &message), SHOAL_OK, "%s", message.text);
    shoal_uplift_model_pack(&again, &second);
    cr_assert_eq(first.size, second.size);
    cr_expect_eq(memcmp(first.bytes, second.bytes, first.size), 0);
    cr_expect_eq(again.choice.picked, model.choice.picked);
    for (int learner = 0; learner < SHOAL_LEARNERS; learner++) {
        double was = shoal_uplift_score(&model.heads[learner], x), is = shoal_uplift_score(&again.heads[learner], x);
        cr_expect(was <= is && was >= is);
    }
    shoal_buffer_finish(&first);
    shoal_buffer_finish(&second);
    shoal_uplift_model_finish(&again);
    shoal_uplift_model_finish(&model);
}

static enum shoal_status parse(const uint8_t *bytes, size_t size)
{
    static struct shoal_uplift_model tried;
    tried = (struct shoal_uplift_model){0};
    enum shoal_status status = shoal_uplift_model_unpack(bytes, size, &tried, NULL);
    shoal_uplift_model_finish(&tried);
    return status;
}

/* Once with the checksum that betrays it, once with one made to fit, when only the contents can. */
Test(uplift_model, a_damaged_or_cut_off_file_is_refused)
{
    struct shoal_buffer bytes = {0};
    learn();
    shoal_uplift_model_pack(&model, &bytes);
    size_t body = bytes.size - 8, accepted = 0;
    for (size_t i = 0; i < bytes.size; i += 3) {
        bytes.bytes[i] ^= 0x41;
        cr_expect_neq(parse(bytes.bytes, bytes.size), SHOAL_OK, "byte %zu", i);
        bytes.bytes[i] ^= 0x41;
    }
    for (size_t size = 0; size < bytes.size; size += 7)
        cr_expect_neq(parse(bytes.bytes, size), SHOAL_OK, "size %zu", size);
    for (size_t i = 0; i < body; i++) {
        uint8_t was = bytes.bytes[i];
        bytes.bytes[i] = 0xff;
        uint64_t sum = shoal_hash(bytes.bytes, body);
        memcpy(bytes.bytes + body, &sum, sizeof sum);
        accepted += parse(bytes.bytes, bytes.size) == SHOAL_OK;
        bytes.bytes[i] = was;
    }
    cr_expect_gt(accepted, 0); /* another number is no damage that could be seen … */
    cr_expect_lt(accepted, body); /* … another structure is */
    shoal_buffer_finish(&bytes);
    shoal_uplift_model_finish(&model);
}

Test(uplift_model, another_version_and_another_format_are_told_apart)
{
    struct shoal_buffer bytes = {0};
    struct shoal_message message;
    static struct shoal_uplift_model tried;
    shoal_pack_map(&bytes, 14);
    shoal_pack_text(&bytes, "format");
    shoal_pack_text(&bytes, "shoal-uplift");
    shoal_pack_text(&bytes, "version");
    shoal_pack_uint(&bytes, 9);
    cr_expect_eq(shoal_uplift_model_unpack(bytes.bytes, bytes.size, &tried, &message), SHOAL_VERSION);
    cr_expect(strstr(message.text, "version 9"));
    shoal_buffer_finish(&bytes);
    cr_expect_eq(shoal_uplift_model_unpack("hello", 5, &tried, &message), SHOAL_DAMAGED);
}

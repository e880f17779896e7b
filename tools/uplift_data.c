/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a randomised test out of a table; see uplift_data.h. */
#include "tools/uplift_data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/random.h"

void shoal_uplift_data_finish(struct shoal_uplift_data *data)
{
    free(data->rows);
    free(data->treated);
    free(data->outcome);
    free(data->stage);
    *data = (struct shoal_uplift_data){0};
}

static enum shoal_status make_room(struct shoal_uplift_data *data, size_t count)
{
    data->rows = malloc((count + 1) * sizeof *data->rows);
    data->treated = malloc(count + 1);
    data->outcome = malloc(count + 1);
    data->stage = malloc(count + 1);
    return data->rows && data->treated && data->outcome && data->stage ? SHOAL_OK : SHOAL_NOMEM;
}

/* "'a' (12), 'b' (7)": the values of a column, the first few. */
static void list_values(const struct shoal_table *table, size_t column, char *text, size_t size)
{
    enum { MOST = 8 };
    const char *values[MOST];
    size_t counts[MOST] = {0}, found = 0, used = 0;
    for (size_t i = 0; i < shoal_table_rows(table); i++) {
        const char *cell = shoal_table_text(table, i, column);
        size_t k = 0;
        while (k < found && strcmp(values[k], cell) != 0)
            k++;
        if (k == found && found < MOST)
            values[found++] = cell;
        if (k < found)
            counts[k]++;
    }
    text[0] = '\0';
    for (size_t k = 0; k < found && used < size; k++)
        used += (size_t)snprintf(text + used, size - used, "%s'%.40s' (%zu)", k ? ", " : "", values[k], counts[k]);
}

static enum shoal_status check_arms(const struct shoal_uplift_data *data, struct shoal_message *message)
{
    size_t counts[2] = {0};
    char values[400];
    for (size_t i = 0; i < data->count; i++)
        counts[data->treated[i]]++;
    if (counts[0] && counts[1])
        return SHOAL_OK;
    list_values(data->table, data->treatment_column, values, sizeof values);
    return shoal_fail(message, SHOAL_TOO_FEW, "%.80s: no row has %.40s '%.40s'; its values are %.300s",
                      shoal_table_path(data->table), data->ask->treatment,
                      counts[1] ? data->ask->control : data->ask->treated, values);
}

static enum shoal_status read_flag(const struct shoal_table *table, size_t row, size_t column, int8_t *flag,
                                   struct shoal_message *message)
{
    double number;
    enum shoal_status status = shoal_table_number(table, row, column, &number, message);
    if (status != SHOAL_OK)
        return status;
    if (number < 0 || number > 1 || (number > 0 && number < 1))
        return shoal_table_refuse(table, row, column, "is not 0 or 1", message);
    *flag = number > 0;
    return SHOAL_OK;
}

static enum shoal_status read_row(struct shoal_uplift_data *data, size_t row, size_t engaged,
                                  struct shoal_message *message)
{
    const struct shoal_table *table = data->table;
    const char *arm = shoal_table_text(table, row, data->treatment_column);
    size_t at = data->count;
    int8_t flag = 1;
    bool treated = strcmp(arm, data->ask->treated) == 0;
    if (!treated && strcmp(arm, data->ask->control) != 0) {
        data->others++;
        return SHOAL_OK;
    }
    enum shoal_status status = read_flag(table, row, data->outcome_column, &data->outcome[at], message);
    if (status == SHOAL_OK && data->ask->engaged)
        status = read_flag(table, row, engaged, &flag, message);
    data->treated[at] = treated;
    data->stage[at] = (uint8_t)(!data->outcome[at] ? SHOAL_STAGE_INACTIVE
                                : flag             ? SHOAL_STAGE_ENGAGED
                                                   : SHOAL_STAGE_UNENGAGED);
    data->rows[at] = row;
    data->count += status == SHOAL_OK;
    return status;
}

enum shoal_status shoal_uplift_data_read(const struct shoal_table *table, const struct shoal_uplift_ask *ask,
                                         struct shoal_uplift_data *data, struct shoal_message *message)
{
    size_t engaged = 0;
    *data = (struct shoal_uplift_data){.table = table, .ask = ask};
    enum shoal_status status = make_room(data, shoal_table_rows(table));
    if (status != SHOAL_OK)
        (void)shoal_fail(message, status, "out of memory with %zu rows", shoal_table_rows(table));
    else
        status = shoal_table_column_of(table, ask->treatment, &data->treatment_column, message);
    if (status == SHOAL_OK)
        status = shoal_table_column_of(table, ask->outcome, &data->outcome_column, message);
    if (status == SHOAL_OK && ask->engaged)
        status = shoal_table_column_of(table, ask->engaged, &engaged, message);
    if (status == SHOAL_OK && strcmp(ask->treated, ask->control) == 0)
        status = shoal_fail(message, SHOAL_CONFIG, "treated and control are the same value, '%.80s'", ask->treated);
    for (size_t row = 0; status == SHOAL_OK && row < shoal_table_rows(table); row++)
        status = read_row(data, row, engaged, message);
    if (status == SHOAL_OK)
        status = check_arms(data, message);
    if (status != SHOAL_OK)
        shoal_uplift_data_finish(data);
    return status;
}

enum shoal_status shoal_uplift_data_part(const struct shoal_uplift_data *data, const uint8_t *halves,
                                         uint8_t wanted, struct shoal_uplift_data *part)
{
    *part = *data;
    part->count = 0;
    if (make_room(part, data->count) != SHOAL_OK) {
        shoal_uplift_data_finish(part);
        return SHOAL_NOMEM;
    }
    for (size_t i = 0; i < data->count; i++)
        if (halves[i] == wanted) {
            part->rows[part->count] = data->rows[i];
            part->treated[part->count] = data->treated[i];
            part->outcome[part->count] = data->outcome[i];
            part->stage[part->count++] = data->stage[i];
        }
    return SHOAL_OK;
}

/* ---- learning -------------------------------------------------------------------------------- */

static const char *cell(const void *opaque, size_t row, size_t column)
{
    const struct shoal_uplift_data *data = opaque;
    return shoal_table_text(data->table, data->rows[row], column);
}

/* Whether "a,b" names the column. */
static bool listed(const char *list, const char *name)
{
    for (size_t size; list && *list; list += size + (list[size] == ',')) {
        size = strcspn(list, ",");
        if (size == strlen(name) && memcmp(list, name, size) == 0)
            return true;
    }
    return false;
}

static enum shoal_status describe(const struct shoal_uplift_data *data, shoal_column_left *left, void *context,
                                  struct shoal_uplift_model *model)
{
    struct shoal_cells cells = {data, cell, data->count};
    enum shoal_status status = SHOAL_OK;
    for (size_t c = 0; status == SHOAL_OK && c < shoal_table_columns(data->table); c++) {
        const char *name = shoal_table_name(data->table, c);
        size_t before = model->width;
        if (c == data->treatment_column || c == data->outcome_column)
            continue;
        if (listed(data->ask->exclude, name) ||
            (data->ask->engaged && strcmp(data->ask->engaged, name) == 0)) {
            if (left)
                left(context, name, "as asked");
            continue;
        }
        shoal_columns_describe(&cells, c, name, data->outcome, model->inputs, SHOAL_UPLIFT_WIDTH,
                               &model->width, left, context);
        int which = shoal_rfm_of(name);
        if (model->width > before && which >= 0 && !model->rfm.column[which][0])
            status = shoal_rfm_cut(&cells, c, name, which, &model->rfm);
    }
    return status;
}

/* The rows as inputs of the model. */
static enum shoal_status encode(const struct shoal_uplift_data *data, const struct shoal_uplift_model *model,
                                struct shoal_uplift_rows *rows, struct shoal_message *message)
{
    enum shoal_status status = shoal_uplift_rows_make(data->count, model->width, rows);
    if (status != SHOAL_OK)
        return shoal_fail(message, status, "out of memory with %zu rows", data->count);
    for (size_t k = 0; status == SHOAL_OK && k < model->width; k++) {
        size_t column;
        status = shoal_table_column_of(data->table, model->inputs[k].column, &column, message);
        for (size_t i = 0; status == SHOAL_OK && i < data->count; i++)
            rows->x[i * model->width + k] = shoal_columns_value(&model->inputs[k], cell(data, i, column));
    }
    memcpy(rows->treated, data->treated, data->count);
    memcpy(rows->outcome, data->outcome, data->count);
    memcpy(rows->stage, data->stage, data->count);
    if (status != SHOAL_OK)
        shoal_uplift_rows_finish(rows);
    return status;
}

static enum shoal_status name(const char *text, char to[SHOAL_COLUMN_NAME], struct shoal_message *message)
{
    if (strlen(text) >= SHOAL_COLUMN_NAME)
        return shoal_fail(message, SHOAL_CONFIG, "'%.100s' is longer than 63 bytes", text);
    strcpy(to, text);
    return SHOAL_OK;
}

enum shoal_status shoal_uplift_data_learn(const struct shoal_uplift_data *data, uint64_t seed,
                                          shoal_column_left *left, void *context,
                                          struct shoal_uplift_model *model, struct shoal_message *message)
{
    struct shoal_uplift_rows rows;
    *model = (struct shoal_uplift_model){0};
    enum shoal_status status = name(data->ask->treatment, model->treatment, message);
    if (status == SHOAL_OK)
        status = name(data->ask->treated, model->treated, message);
    if (status == SHOAL_OK)
        status = name(data->ask->control, model->control, message);
    if (status == SHOAL_OK)
        status = name(data->ask->outcome, model->outcome, message);
    if (status != SHOAL_OK)
        return status;
    if (describe(data, left, context, model) != SHOAL_OK)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory with %zu rows", data->count);
    if (model->width == 0)
        return shoal_fail(message, SHOAL_TOO_FEW, "%s: no column is left to learn from",
                          shoal_table_path(data->table));
    status = encode(data, model, &rows, message);
    if (status == SHOAL_OK) {
        status = shoal_uplift_model_learn(&rows, seed, model, message);
        shoal_uplift_rows_finish(&rows);
    }
    return status;
}

/* ---- judging --------------------------------------------------------------------------------- */

const char *shoal_uplift_way_name(int way)
{
    if (way >= SHOAL_WAY_LEARNERS && way < SHOAL_WAY_RFM)
        return shoal_uplift_learner_name((enum shoal_uplift_learner)(way - SHOAL_WAY_LEARNERS));
    return way == SHOAL_WAY_PICKED ? "picked" : way == SHOAL_WAY_RFM ? "rfm" : "random";
}

/* Points of every row, and how many rows the three highest sums have. */
static enum shoal_status rank_by_rfm(const struct shoal_uplift_data *data, const struct shoal_uplift_model *model,
                                     double *scores, size_t *top, struct shoal_message *message)
{
    enum { SUMS = SHOAL_RFM * SHOAL_RFM_PARTS + 1, TOP = 3 };
    size_t counts[SUMS] = {0};
    memset(scores, 0, data->count * sizeof *scores);
    for (int d = 0; d < SHOAL_RFM; d++) {
        size_t column;
        if (!model->rfm.column[d][0])
            continue;
        enum shoal_status status = shoal_table_column_of(data->table, model->rfm.column[d], &column, message);
        if (status != SHOAL_OK)
            return status;
        for (size_t i = 0; i < data->count; i++)
            scores[i] += shoal_rfm_points(&model->rfm, d, cell(data, i, column));
    }
    for (size_t i = 0; i < data->count; i++)
        counts[(size_t)scores[i]]++;
    *top = 0;
    for (int sum = SUMS - 1, segments = 0; sum > 0 && segments < TOP; sum--) {
        segments += counts[sum] > 0;
        *top += counts[sum];
    }
    return SHOAL_OK;
}

static void rank(const struct shoal_uplift_rows *rows, const struct shoal_uplift_model *model, int way,
                 uint64_t seed, double *scores)
{
    enum shoal_uplift_learner learner = way == SHOAL_WAY_PICKED
                                            ? shoal_uplift_model_picked(model)
                                            : (enum shoal_uplift_learner)(way - SHOAL_WAY_LEARNERS);
    uint64_t key = shoal_random_key(seed, SHOAL_RANDOM_PERMUTE);
    for (size_t i = 0; i < rows->count; i++)
        scores[i] = way == SHOAL_WAY_RANDOM
                        ? (double)(shoal_random_at(key, i) >> 11)
                        : shoal_uplift_score(&model->heads[learner], rows->x + i * rows->width);
}

static enum shoal_status judge(const struct shoal_uplift_data *data, const struct shoal_uplift_model *model,
                               const struct shoal_uplift_rows *rows, uint64_t seed, double *scores,
                               struct shoal_uplift_judgement *judgement, struct shoal_message *message)
{
    size_t top = 0;
    enum shoal_status status = rank_by_rfm(data, model, scores, &top, message);
    for (int d = 0; d < SHOAL_RFM; d++)
        judgement->rfm |= model->rfm.column[d][0] != '\0';
    if (!judgement->rfm)
        top = data->count * 3 / 10;
    /* RFM first: its scores are there. */
    for (int step = 0; status == SHOAL_OK && step < SHOAL_WAYS; step++) {
        int way = (SHOAL_WAY_RFM + step) % SHOAL_WAYS;
        if (way != SHOAL_WAY_RFM)
            rank(rows, model, way, seed, scores);
        struct shoal_uplift_sample sample = {scores, data->treated, data->outcome, data->count};
        status = shoal_uplift_measure(&sample, &judgement->figures[way]);
        if (status == SHOAL_OK)
            status = shoal_uplift_classify(&sample, top, &judgement->classes[way]);
        if (status != SHOAL_OK)
            (void)shoal_fail(message, status, "out of memory with %zu rows", data->count);
    }
    return status;
}

enum shoal_status shoal_uplift_data_judge(const struct shoal_uplift_data *data,
                                          const struct shoal_uplift_model *model, uint64_t seed,
                                          struct shoal_uplift_judgement *judgement,
                                          struct shoal_message *message)
{
    struct shoal_uplift_rows rows;
    *judgement = (struct shoal_uplift_judgement){0};
    enum shoal_status status = encode(data, model, &rows, message);
    if (status != SHOAL_OK)
        return status;
    double *scores = malloc((data->count + 1) * sizeof *scores);
    status = scores ? judge(data, model, &rows, seed, scores, judgement, message)
                    : shoal_fail(message, SHOAL_NOMEM, "out of memory with %zu rows", data->count);
    free(scores);
    shoal_uplift_rows_finish(&rows);
    return status;
}

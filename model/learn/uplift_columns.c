/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs from a table's columns; see uplift_columns.h. */
#include "model/learn/uplift_columns.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const double SKEWED = 2; /* skewness from which the logarithm is taken */
static const double LOG_LEAST = 10; /* and the largest value */
enum { AFTER_LEAST = 50 };      /* outcomes without which nothing is said to come after them */

/* What a column is like, over all its rows. */
struct profile {
    size_t numbers, missing, texts;
    double mean, deviation, skewness, least, most;
    size_t zero_without;  /* rows with the number 0 and no outcome, */
    size_t zero_with;     /* with one */
    size_t without, with;
};

static bool missing(const char *cell)
{
    return !*cell || !strcasecmp(cell, "na") || !strcasecmp(cell, "nan") || !strcasecmp(cell, "null");
}

bool shoal_columns_number(const char *cell, double *number)
{
    char *end;
    if (missing(cell))
        return false;
    *number = strtod(cell, &end);
    while (isspace((unsigned char)*end))
        end++;
    return end != cell && !*end && isfinite(*number);
}

static void count_cell(struct profile *profile, const char *cell, int8_t outcome)
{
    double number;
    *(outcome ? &profile->with : &profile->without) += 1;
    if (missing(cell)) {
        profile->missing++;
    } else if (!shoal_columns_number(cell, &number)) {
        profile->texts++;
    } else {
        profile->numbers++;
        profile->mean += number;
        profile->least = fmin(profile->least, number);
        profile->most = fmax(profile->most, number);
        if (fabs(number) <= 0)
            *(outcome ? &profile->zero_with : &profile->zero_without) += 1;
    }
}

static struct profile describe(const struct shoal_cells *cells, size_t column, const int8_t *outcome)
{
    struct profile profile = {.least = INFINITY, .most = -INFINITY};
    double squares = 0, cubes = 0, number, count;
    for (size_t i = 0; i < cells->rows; i++)
        count_cell(&profile, cells->text(cells->table, i, column), outcome[i]);
    count = profile.numbers ? (double)profile.numbers : 1;
    profile.mean /= count;
    for (size_t i = 0; i < cells->rows; i++)
        if (shoal_columns_number(cells->text(cells->table, i, column), &number)) {
            squares += pow(number - profile.mean, 2);
            cubes += pow(number - profile.mean, 3);
        }
    profile.deviation = sqrt(squares / count);
    profile.skewness = profile.deviation > 0 ? cubes / count / pow(profile.deviation, 3) : 0;
    return profile;
}

/* NULL: nothing speaks against it. */
static const char *why_not_number(const struct profile *profile)
{
    if (!(profile->deviation > 0))
        return "the same everywhere";
    if (profile->with < AFTER_LEAST || profile->numbers < profile->with + profile->without)
        return NULL;
    if (profile->zero_without == profile->without && profile->zero_with < profile->with)
        return "0 wherever the outcome is 0: known only afterwards";
    if (profile->zero_with == 0 && profile->zero_without > profile->without / 2)
        return "never 0 where the outcome is 1, mostly 0 elsewhere: known only afterwards";
    return NULL;
}

static double transform(const struct shoal_input_column *input, double number)
{
    return input->kind == SHOAL_INPUT_LOG ? log1p(fmax(number, 0)) : number;
}

/* The value before it is standardised. */
static double raw(const struct shoal_input_column *input, const char *cell)
{
    double number;
    if (input->kind == SHOAL_INPUT_LEVEL)
        return strcmp(cell, input->level) == 0;
    bool there = shoal_columns_number(cell, &number);
    if (input->kind == SHOAL_INPUT_MISSING)
        return !there;
    return there ? transform(input, number) : input->fill;
}

double shoal_columns_value(const struct shoal_input_column *input, const char *cell)
{
    return (raw(input, cell) - input->mean) / input->deviation;
}

static void standardise(const struct shoal_cells *cells, size_t column, struct shoal_input_column *input)
{
    double sum = 0, squares = 0, count = cells->rows ? (double)cells->rows : 1;
    for (size_t i = 0; i < cells->rows; i++)
        sum += raw(input, cells->text(cells->table, i, column));
    input->mean = sum / count;
    for (size_t i = 0; i < cells->rows; i++)
        squares += pow(raw(input, cells->text(cells->table, i, column)) - input->mean, 2);
    input->deviation = squares > 0 ? sqrt(squares / count) : 1;
}

static void fill_in(const struct shoal_cells *cells, size_t column, struct shoal_input_column *input)
{
    double sum = 0, number;
    size_t count = 0;
    for (size_t i = 0; i < cells->rows; i++)
        if (shoal_columns_number(cells->text(cells->table, i, column), &number)) {
            sum += transform(input, number);
            count++;
        }
    input->fill = count ? sum / (double)count : 0;
}

/* One more input; false if there is no room. */
static bool add(const struct shoal_cells *cells, size_t column, const char *name, enum shoal_input_kind kind,
                const char *level, struct shoal_input_column *inputs, size_t most, size_t *count)
{
    if (*count == most)
        return false;
    struct shoal_input_column *input = &inputs[(*count)++];
    *input = (struct shoal_input_column){.kind = kind};
    memcpy(input->column, name, strlen(name));
    memcpy(input->level, level, strlen(level));
    if (kind == SHOAL_INPUT_NUMBER || kind == SHOAL_INPUT_LOG)
        fill_in(cells, column, input);
    standardise(cells, column, input);
    return true;
}

/* The different texts in order of their first appearance; more than SHOAL_COLUMN_LEVELS: one too many, or one
 * that is too long. */
static size_t find_levels(const struct shoal_cells *cells, size_t column,
                          const char *levels[SHOAL_COLUMN_LEVELS + 1])
{
    size_t count = 0;
    for (size_t i = 0; i < cells->rows; i++) {
        const char *cell = cells->text(cells->table, i, column);
        size_t k = 0;
        while (k < count && strcmp(levels[k], cell) != 0)
            k++;
        if (strlen(cell) >= SHOAL_COLUMN_NAME)
            return SHOAL_COLUMN_LEVELS + 1;
        if (k < count)
            continue;
        levels[count++] = cell;
        if (count > SHOAL_COLUMN_LEVELS)
            return count;
    }
    return count;
}

static const char *add_levels(const struct shoal_cells *cells, size_t column, const char *name,
                              struct shoal_input_column *inputs, size_t most, size_t *count)
{
    const char *levels[SHOAL_COLUMN_LEVELS + 1];
    size_t levels_count = find_levels(cells, column, levels);
    if (levels_count > SHOAL_COLUMN_LEVELS)
        return "text with more than 24 different values";
    if (levels_count < 2)
        return "the same everywhere";
    for (size_t k = 0; k < levels_count; k++)
        if (!add(cells, column, name, SHOAL_INPUT_LEVEL, levels[k], inputs, most, count))
            return "too many inputs";
    return NULL;
}

void shoal_columns_describe(const struct shoal_cells *cells, size_t column, const char *name,
                            const int8_t *outcome, struct shoal_input_column *inputs, size_t most,
                            size_t *count, shoal_column_left *left, void *context)
{
    size_t before = *count;
    const char *why = NULL;
    struct profile profile = describe(cells, column, outcome);
    if (strlen(name) >= SHOAL_COLUMN_NAME) {
        why = "its name is longer than 63 bytes";
    } else if (profile.texts > 0) {
        why = add_levels(cells, column, name, inputs, most, count);
    } else if (!(why = why_not_number(&profile))) {
        bool skewed = profile.least >= 0 && profile.skewness > SKEWED && profile.most > LOG_LEAST;
        if (!add(cells, column, name, skewed ? SHOAL_INPUT_LOG : SHOAL_INPUT_NUMBER, "", inputs, most, count) ||
            (profile.missing &&
             !add(cells, column, name, SHOAL_INPUT_MISSING, "", inputs, most, count)))
            why = "too many inputs";
    }
    if (why)
        *count = before;
    if (why && left)
        left(context, name, why);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One walk over each user's events and changes; see report_periods.h. */
#include "tools/report_periods.h"

#include <stdlib.h>
#include <string.h>

#include "stream/event.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define WEEK_MS (7 * DAY_MS)

/* 1970-01-01 was a Thursday: the week began three days before. */
#define MONDAY_MS (3 * DAY_MS)

struct walking {
    const struct shoal_dataset *dataset;
    const struct shoal_changes *changes;
    const struct shoal_report_rows *rows;
    struct shoal_periods *periods;
};

/* One user in one period. */
struct stay {
    size_t period; /* SIZE_MAX: none so far */
    uint16_t rows[1 + SHOAL_REPORT_DIMENSIONS];
    size_t rows_count;
    bool bought;
};

/* What is remembered of a user over the periods. */
struct history {
    int64_t cart_ms;  /* when the open cart was begun */
    struct stay cart; /* in which stay; period SIZE_MAX: no cart is open */
    int64_t last_buy_day;
    uint64_t buy_days;
};

void shoal_periods_finish(struct shoal_periods *periods)
{
    free(periods->cells);
    free(periods->transitions);
    *periods = (struct shoal_periods){0};
}

int64_t shoal_period_start(const struct shoal_periods *periods, size_t period)
{
    return periods->first_ms + (int64_t)period * periods->length_ms;
}

void shoal_period_date(const struct shoal_periods *periods, size_t period, char date[11])
{
    char time[25];
    shoal_time_print(shoal_period_start(periods, period) + periods->offset_ms, time);
    memcpy(date, time, 10);
    date[10] = '\0';
}

bool shoal_period_is_whole(const struct shoal_periods *periods, size_t period)
{
    int64_t slack_ms = periods->length_ms / 20;
    return periods->data_first_ms <= shoal_period_start(periods, period) + slack_ms &&
           periods->data_last_ms >= shoal_period_start(periods, period + 1) - slack_ms;
}

const struct shoal_period_cell *shoal_period_cell(const struct shoal_periods *periods,
                                                  size_t period, size_t row)
{
    return &periods->cells[period * periods->rows_count + row];
}

/* A time beyond the events counts at the nearest end. */
static size_t period_of(const struct shoal_periods *periods, int64_t time_ms)
{
    if (time_ms < periods->first_ms)
        return 0;
    size_t period = (size_t)((time_ms - periods->first_ms) / periods->length_ms);
    return period < periods->count ? period : periods->count - 1;
}

/* ---- events --------------------------------------------------------------------------------- */

/* The i-th of the cells that a stay counts in. */
static struct shoal_period_cell *cell_of(const struct shoal_periods *periods,
                                         const struct stay *stay, size_t i)
{
    return &periods->cells[stay->period * periods->rows_count + stay->rows[i]];
}

static void enter(const struct walking *walking, struct shoal_standings *standings, int64_t time_ms,
                  size_t period, struct stay *stay)
{
    shoal_standings_advance(standings, time_ms);
    *stay = (struct stay){.period = period, .rows_count = 1};
    for (uint16_t d = 0; d < SHOAL_REPORT_DIMENSIONS; d++) {
        uint16_t row = shoal_report_row_of(walking->rows, d, standings->levels[d]);
        if (row != SHOAL_NAME_NONE)
            stay->rows[stay->rows_count++] = row;
    }
}

static void close_cart(struct shoal_periods *periods, struct history *history, bool bought)
{
    /* A cart of the last 24 hours may still be bought: those that were are left out as well, or else the
     * share would fall towards the end. */
    bool counts =
        history->cart.period != SIZE_MAX && history->cart_ms + DAY_MS <= periods->data_last_ms;
    for (size_t i = 0; counts && i < history->cart.rows_count; i++) {
        struct shoal_period_cell *cell = cell_of(periods, &history->cart, i);
        cell->carts++;
        cell->abandoned += !bought;
    }
    history->cart.period = SIZE_MAX;
}

static void count_purchase(struct shoal_periods *periods, const struct stay *stay, bool is_first,
                           bool repeats, double amount)
{
    for (size_t i = 0; i < stay->rows_count; i++) {
        struct shoal_period_cell *cell = cell_of(periods, stay, i);
        cell->purchases++;
        cell->buyers += is_first;
        cell->repeaters += repeats;
        cell->sales += amount > 0 ? amount : 0;
    }
}

/* A buyer counts as repeating once a period: at the first purchase if there was a day before, else at that of
 * the second day. */
static void buy(const struct walking *walking, size_t event, struct stay *stay,
                struct history *history, bool *repeated)
{
    const struct shoal_dataset *dataset = walking->dataset;
    int64_t day = (dataset->touches[event].time_ms + walking->periods->offset_ms) / DAY_MS;
    if (history->buy_days == 0 || day != history->last_buy_day)
        history->buy_days++;
    history->last_buy_day = day;
    bool repeats = !*repeated && history->buy_days >= 2;
    count_purchase(walking->periods, stay, !stay->bought, repeats,
                   dataset->amounts ? (double)dataset->amounts[event] : 0);
    *repeated = *repeated || repeats;
    stay->bought = true;
    close_cart(walking->periods, history, true);
}

static void walk_events(const struct walking *walking, uint32_t user)
{
    const struct shoal_dataset *dataset = walking->dataset;
    struct shoal_periods *periods = walking->periods;
    struct shoal_standings standings;
    struct stay stay = {.period = SIZE_MAX};
    struct history history = {.cart = {.period = SIZE_MAX}};
    bool repeated = false;
    shoal_standings_begin(walking->changes, user, &standings);
    for (size_t i = dataset->first[user]; i < dataset->first[user + 1]; i++) {
        const struct shoal_touch *touch = &dataset->touches[i];
        size_t period = period_of(periods, touch->time_ms);
        if (period != stay.period) {
            bool stayed = stay.period != SIZE_MAX && period == stay.period + 1;
            for (size_t j = 0; stayed && j < stay.rows_count; j++)
                cell_of(periods, &stay, j)->retained++;
            enter(walking, &standings, touch->time_ms, period, &stay);
            for (size_t j = 0; j < stay.rows_count; j++)
                cell_of(periods, &stay, j)->active++;
            repeated = false;
        }
        if (history.cart.period != SIZE_MAX && touch->time_ms > history.cart_ms + DAY_MS)
            close_cart(periods, &history, false);
        if (touch->behavior == SHOAL_BUY) {
            buy(walking, i, &stay, &history, &repeated);
        } else if (touch->behavior == SHOAL_CART && history.cart.period == SIZE_MAX) {
            history.cart = stay;
            history.cart_ms = touch->time_ms;
        }
    }
    close_cart(periods, &history, false);
}

/* ---- segment changes ------------------------------------------------------------------------ */

/* Sizes are first written as what is added in a period. */
static void walk_changes(const struct walking *walking, uint32_t user)
{
    const struct shoal_changes *changes = walking->changes;
    struct shoal_periods *periods = walking->periods;
    struct shoal_standings standings;
    bool counted = false;
    shoal_standings_begin(changes, user, &standings);
    for (size_t i = standings.next; i < standings.end; i++) {
        const struct shoal_segment_change *change = &changes->changes[i];
        uint16_t *level = &standings.levels[change->dimension];
        uint16_t left = shoal_report_row_of(walking->rows, change->dimension, *level);
        uint16_t from = shoal_report_row_of(walking->rows, change->dimension, change->from);
        uint16_t to = shoal_report_row_of(walking->rows, change->dimension, change->to);
        size_t period = period_of(periods, change->time_ms);
        struct shoal_period_cell *cells = periods->cells + period * periods->rows_count;
        periods->outside +=
            change->time_ms < periods->data_first_ms || change->time_ms > periods->data_last_ms;
        if (from != SHOAL_NAME_NONE || to != SHOAL_NAME_NONE)
            periods->transitions[(from == SHOAL_NAME_NONE ? 0 : from) * periods->rows_count +
                                 (to == SHOAL_NAME_NONE ? 0 : to)]++;
        if (left != SHOAL_NAME_NONE)
            cells[left].size--;
        if (to != SHOAL_NAME_NONE)
            cells[to].size++;
        cells[0].size += !counted;
        counted = true;
        *level = change->to;
    }
}

static void add_up_sizes(struct shoal_periods *periods)
{
    size_t rows = periods->rows_count;
    for (size_t i = rows; i < periods->count * rows; i++)
        periods->cells[i].size += periods->cells[i - rows].size;
}

/* ---- all ------------------------------------------------------------------------------------ */

enum shoal_status shoal_periods_make(const struct shoal_dataset *dataset,
                                     const struct shoal_changes *changes,
                                     const struct shoal_report_rows *rows, int64_t length_ms,
                                     int64_t offset_ms, struct shoal_periods *periods,
                                     struct shoal_message *message)
{
    /* To numbers of periods; a week more keeps them from below 0 in 1970. */
    int64_t shift_ms = (length_ms == WEEK_MS ? MONDAY_MS : 0) + offset_ms + WEEK_MS;
    int64_t first = (dataset->first_ms + shift_ms) / length_ms;
    int64_t last = (dataset->last_ms + shift_ms) / length_ms;
    *periods = (struct shoal_periods){
        .first_ms = first * length_ms - shift_ms,
        .length_ms = length_ms,
        .offset_ms = offset_ms,
        .data_first_ms = dataset->first_ms,
        .data_last_ms = dataset->last_ms,
        .rows_count = rows->count,
    };
    if (last - first >= SHOAL_PERIODS_MAX)
        return shoal_fail(message, SHOAL_INVALID,
                          "the events span %lld periods, more than %d: some times may be wrong, or "
                          "--period week will do",
                          (long long)(last - first + 1), SHOAL_PERIODS_MAX);
    periods->count = (size_t)(last - first + 1);
    periods->cells = calloc(periods->count * rows->count, sizeof *periods->cells);
    periods->transitions = calloc(rows->count * rows->count, sizeof *periods->transitions);
    if (!periods->cells || !periods->transitions)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    struct walking walking = {dataset, changes, rows, periods};
    for (uint32_t user = 0; user < dataset->users_count; user++) {
        walk_events(&walking, user);
        walk_changes(&walking, user);
    }
    add_up_sizes(periods);
    return SHOAL_OK;
}

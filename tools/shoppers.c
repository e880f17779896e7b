/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The population: shoppers in a binary heap by the time of their next event, and the lines.
 *
 * Events come out in time order without sorting: the shopper on top of the heap takes one step
 * and sinks to its new place. Equal times go by the shopper's number, so the order is total and
 * the bytes are fixed. Numbers are formatted by hand: no locale, and half the time of printf.
 */
#include "tools/shoppers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/catalogue.h"
#include "tools/shopper.h"

enum {
    PROGRESS_EVENTS = 1 << 16,
    LINE_BYTES_MAX = 320,
    USERS_MAX = 100000000,
    ITEMS_MAX = 100000000,
    DAYS_MAX = 3650,
};

#define START_MS_MAX INT64_C(100000000000000)

struct heap_entry {
    int64_t time_ms;
    uint32_t user;
};

struct population {
    struct shoal_shop shop;
    struct shoal_catalogue *catalogue;
    struct shoal_shopper *shoppers; /* [users] */
    struct heap_entry *heap;        /* [heap_count], the earliest on top */
    size_t heap_count;
};

struct shoal_shoppers_options shoal_shoppers_options_default(void)
{
    return (struct shoal_shoppers_options){
        .users = 1000,
        .days = 9,
        .seed = 1,
        .start_ms = INT64_C(1740960000000),
        .items = 200000,
        .campaigns = true,
    };
}

static bool options_are_valid(const struct shoal_shoppers_options *options)
{
    return options->users <= USERS_MAX && options->days >= 0 && options->days <= DAYS_MAX &&
           options->start_ms >= 0 && options->start_ms <= START_MS_MAX && options->items >= 1 &&
           options->items <= ITEMS_MAX;
}

static bool is_before(struct heap_entry a, struct heap_entry b)
{
    return a.time_ms < b.time_ms || (a.time_ms == b.time_ms && a.user < b.user);
}

static void sift_down(struct population *population, size_t place)
{
    struct heap_entry *heap = population->heap;
    struct heap_entry sinking = heap[place];

    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= population->heap_count)
            break;
        if (child + 1 < population->heap_count && is_before(heap[child + 1], heap[child]))
            child++;
        if (!is_before(heap[child], sinking))
            break;
        heap[place] = heap[child];
        place = child;
    }
    heap[place] = sinking;
}

static void population_finish(struct population *population)
{
    free(population->heap);
    free(population->shoppers);
    shoal_catalogue_destroy(population->catalogue);
    memset(population, 0, sizeof(*population));
}

static int population_init(struct population *population,
                           const struct shoal_shoppers_options *options)
{
    int64_t seconds = (int64_t)(options->days * 86400);

    memset(population, 0, sizeof(*population));
    population->catalogue = shoal_catalogue_create(options->seed, (uint32_t)options->items);
    population->shoppers = calloc(options->users + 1, sizeof(*population->shoppers));
    population->heap = calloc(options->users + 1, sizeof(*population->heap));
    if (population->catalogue == NULL || population->shoppers == NULL || population->heap == NULL)
        return ENOMEM;
    population->shop = (struct shoal_shop){
        .catalogue = population->catalogue,
        .seed = options->seed,
        .start_ms = options->start_ms,
        .end_ms = options->start_ms + seconds * 1000,
        .campaigns = options->campaigns,
        .kinds = options->kinds,
    };
    for (uint32_t user = 0; user < options->users; user++) {
        struct shoal_shopper *shopper = &population->shoppers[user];
        shoal_shopper_init(shopper, &population->shop, user);
        if (shopper->next_ms < population->shop.end_ms)
            population->heap[population->heap_count++] =
                (struct heap_entry){shopper->next_ms, user};
    }
    for (size_t place = population->heap_count / 2; place-- > 0;)
        sift_down(population, place);
    return 0;
}

/* Steps the earliest shopper; the caller has seen that the heap is not empty. */
static uint32_t population_step(struct population *population, struct shoal_shopper_event *event)
{
    uint32_t user = population->heap[0].user;
    struct shoal_shopper *shopper = &population->shoppers[user];

    shoal_shopper_step(shopper, &population->shop, event);
    if (shopper->next_ms < population->shop.end_ms)
        population->heap[0].time_ms = shopper->next_ms;
    else
        population->heap[0] = population->heap[--population->heap_count];
    if (population->heap_count > 0)
        sift_down(population, 0);
    return user;
}

static char *put_text(char *at, const char *text)
{
    size_t length = strlen(text);

    memcpy(at, text, length);
    return at + length;
}

/* Decimal, padded with zeros to at least this many digits. */
static char *put_number(char *at, uint64_t number, int digits_min)
{
    char digits[20];
    int count = 0;

    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count < digits_min)
        digits[count++] = '0';
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

/* At most LINE_BYTES_MAX bytes, by the widths of the numbers. */
static size_t format_line(char *line, uint32_t user, const struct shoal_shopper_event *event)
{
    static const char *const BEHAVIOR[] = {"pv", "cart", "fav", "buy", "pv", "pv"};
    char *at = line;

    at = put_number(put_text(at, "{\"user_id\":\"u"), user, 6);
    at = put_text(put_text(at, "\",\"behavior\":\""), BEHAVIOR[event->action]);
    at = put_number(put_text(at, "\",\"item_id\":\"i"), event->item, 1);
    at = put_number(put_text(at, "\",\"category_id\":\"c"), event->category, 1);
    at = put_number(put_text(at, "\",\"timestamp\":"), (uint64_t)event->time_ms, 1);
    at = put_number(put_text(at, ",\"price\":"), event->price_cents / 100, 1);
    at = put_number(put_text(at, "."), event->price_cents % 100, 2);
    if (event->quantity > 0)
        at = put_number(put_text(at, ",\"quantity\":"), event->quantity, 1);
    if (event->promotion > 0) {
        at = put_number(put_text(at, ",\"promotion_id\":\"p"), event->promotion, 3);
        at = put_text(at, "\",\"exposure\":\"");
        at = put_text(at, event->action == SHOAL_SHOPPER_BUY       ? "redeemed\""
                          : event->action == SHOAL_SHOPPER_CLICKED ? "clicked\""
                                                                   : "shown\"");
    }
    at = put_text(at, "}\n");
    return (size_t)(at - line);
}

static int write_error(void)
{
    return errno != 0 ? errno : EIO;
}

static int write_events(struct population *population, const struct shoal_shoppers_options *options,
                        FILE *out, uint64_t *events_count)
{
    const struct shoal_shop *shop = &population->shop;
    uint64_t total_ms = (uint64_t)(shop->end_ms - shop->start_ms);
    struct shoal_shopper_event event;
    char line[LINE_BYTES_MAX];

    errno = 0;
    while (population->heap_count > 0) {
        uint32_t user = population_step(population, &event);
        size_t length = format_line(line, user, &event);
        if (fwrite(line, 1, length, out) != length)
            return write_error();
        (*events_count)++;
        if (options->progress != NULL && *events_count % PROGRESS_EVENTS == 0)
            options->progress(options->opaque, (uint64_t)(event.time_ms - shop->start_ms),
                              total_ms);
    }
    if (fflush(out) != 0)
        return write_error();
    if (options->progress != NULL)
        options->progress(options->opaque, total_ms, total_ms);
    return 0;
}

int shoal_shoppers_write(const struct shoal_shoppers_options *options, FILE *out,
                         uint64_t *events_count)
{
    struct population population;
    uint64_t count = 0;
    int result = EINVAL;

    if (options_are_valid(options)) {
        result = population_init(&population, options);
        if (result == 0)
            result = write_events(&population, options, out, &count);
        population_finish(&population);
    }
    if (events_count != NULL)
        *events_count = count;
    return result;
}

int shoal_shoppers_write_kinds(const struct shoal_shoppers_options *options, FILE *out)
{
    struct population population;

    if (!options_are_valid(options) || !options->kinds)
        return EINVAL;
    int result = population_init(&population, options);
    if (result == 0)
        fputs("user_id,kind\n", out);
    for (uint64_t user = 0; result == 0 && user < options->users; user++)
        fprintf(out, "u%06u,%s\n", (unsigned)user,
                shoal_shopper_kind_name(population.shoppers[user].kind));
    population_finish(&population);
    if (result == 0 && (fflush(out) != 0 || ferror(out)))
        result = errno ? errno : EIO;
    return result;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Synthetic shoppers: a population whose events are written in time order, one JSON event a line.
 *
 * The bytes are a function of the options alone: same options, same bytes, on every machine.
 * A shopper's events depend on the seed, the shop (items, start, days) and the shopper's number,
 * not on how many others there are. Memory is about 200 bytes a user, whatever the days.
 *
 * A line, as the event decoder reads it:
 *
 *   {"user_id":"u000123","behavior":"pv","item_id":"i123","category_id":"c45",
 *    "timestamp":1740960000000,"price":19.90}
 *
 * A purchase also carries "quantity". Campaigns follow one another, two days each; at the first
 * session within one, each shopper is assigned by a fair coin. Who is to be contacted gets a "pv"
 * with "promotion_id" and "exposure":"shown", perhaps another with "clicked"; a purchase in the
 * promoted category before the campaign's end carries "redeemed". The others of the same days
 * are the control group and leave no trace of it.
 */
#ifndef SHOAL_TOOLS_SHOPPERS_H
#define SHOAL_TOOLS_SHOPPERS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct shoal_shoppers_options {
    uint64_t users;   /* 0 to 100,000,000; default 1,000 */
    double days;      /* 0 to 3,650, in steps of a second; default 9 */
    uint64_t seed;    /* default 1 */
    int64_t start_ms; /* ms since 1970, 0 to the year 5138; default 2025-03-03T00:00Z, a Monday */
    uint64_t items;   /* in the catalogue, 1 to 100,000,000; default 200,000 */
    bool campaigns;   /* default true */
    bool kinds;       /* contacts work by the shopper's kind (shopper.h); default false */
    /* Called now and then and once at the end, from the writing thread; may be NULL. `done` and
     * `total` are simulated milliseconds. */
    void (*progress)(void *opaque, uint64_t done, uint64_t total);
    void *opaque;
};

struct shoal_shoppers_options shoal_shoppers_options_default(void);

/*
 * Writes the events to `out` and flushes it; the caller keeps the stream. Days are counted from
 * midnight to midnight UTC if the start is one.
 *
 * Gives 0; EINVAL for an option out of range (nothing is written), ENOMEM, or the errno of the
 * write that failed (EIO if it gave none). events_count, if not NULL, is always set: to the lines
 * handed to the stream.
 */
__attribute__((warn_unused_result)) int
shoal_shoppers_write(const struct shoal_shoppers_options *options, FILE *out,
                     uint64_t *events_count);

/* Writes what no event tells, as CSV: "user_id,kind" and a line a shopper. 0, EINVAL, ENOMEM, or the errno of the
 * write that failed. */
__attribute__((warn_unused_result)) int
shoal_shoppers_write_kinds(const struct shoal_shoppers_options *options, FILE *out);

#endif

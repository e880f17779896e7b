/* SPDX-License-Identifier: Apache-2.0 */
/* The whole report, and how it is told: JSON, a page, a table for the terminal. */
#ifndef SHOAL_REPORT_PUT_H
#define SHOAL_REPORT_PUT_H

#include "tools/load_events.h"
#include "tools/report_effects.h"
#include "tools/report_periods.h"

struct shoal_report {
    const struct shoal_dataset *dataset;
    const struct shoal_load *load;
    const char *window, *period, *utc_offset; /* as given: "24h", "day", "+08:00" */
    bool has_segments;           /* a file of segment changes was read */
    bool has_policy;
    struct shoal_report_names names;
    struct shoal_offers offers;
    struct shoal_changes changes;
    struct shoal_report_rows rows;
    struct shoal_effects effects;
    struct shoal_periods periods;
};

/* One JSON object (deploy/formats.md). Whatever cannot be told is null. */
void shoal_report_put(const struct shoal_report *report, FILE *out);
/* The page with everything in it; the data as JSON in which nothing can end the script element. NOMEM. */
enum shoal_status shoal_report_put_page(const struct shoal_report *report, FILE *out,
                                        struct shoal_message *message) SHOAL_MUST_CHECK;
/* A summary for people. */
void shoal_report_print(const struct shoal_report *report, FILE *out);

/* What the figures of a promotion say, in words, as page and table show it. */
enum { SHOAL_VERDICT_BYTES = 160 };
void shoal_report_verdict(const struct shoal_promotion_effect *effect,
                          char words[SHOAL_VERDICT_BYTES]);
/* Whether the split of a promotion is so improbable that no difference means anything. */
bool shoal_report_split_is_broken(const struct shoal_promotion_effect *effect);
/* What the reader has to know of the data, one sentence each: calls `take` for every one that applies. */
void shoal_report_notes(const struct shoal_report *report,
                        void (*take)(void *context, const char *note), void *context);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The offers of a decisions file: each user's first of each promotion, which is the unit of analysis. Later
 * offers and repeated answers of the same promotion follow from it and are not units of their own.
 *
 * Dimensions, levels, promotions and scores are whatever the lines name. */
#ifndef SHOAL_REPORT_OFFERS_H
#define SHOAL_REPORT_OFFERS_H

#include "model/learn/dataset.h"
#include "tools/report_lines.h"
#include "tools/report_names.h"

enum {
    SHOAL_REPORT_PROMOTIONS = 256,
    SHOAL_REPORT_DIMENSIONS = 16,
    SHOAL_REPORT_LEVELS = 512, /* different names, over all dimensions */
    SHOAL_REPORT_SCORES = 8,
};

/* Shared by offers and segment changes. */
struct shoal_report_names {
    struct shoal_names promotions, dimensions, levels, scores;
};

struct shoal_offer {
    int64_t time_ms;
    uint32_t user;      /* of the data set */
    uint16_t promotion;
    bool control;
    uint16_t levels[SHOAL_REPORT_DIMENSIONS]; /* SHOAL_NAME_NONE: none */
    float scores[SHOAL_REPORT_SCORES];        /* NaN: none */
};

struct shoal_offers {
    struct shoal_offer *offers; /* owned */
    size_t count, capacity;
    uint32_t *table; /* while reading: (user, promotion) → number + 1, open addressing */
    size_t table_size;
    struct shoal_lines lines;
    uint64_t answers;  /* lines with eligible = true */
    uint64_t strangers; /* lines of users who are not in the events; left out */
    char stranger[65];  /* the first of them who was not forgotten, cut; "": none */
    uint64_t crossed;   /* lines whose variant is not that of the user's earlier offer */
};

void shoal_report_names_finish(struct shoal_report_names *names);
void shoal_offers_finish(struct shoal_offers *offers);
/* Reads decisions (deploy/formats.md) from files; `offers` is zeroed, and finished by the caller also after a
 * failure. Lines may come in any order. What shoal_lines_each fails with; BAD_FIELD. */
enum shoal_status shoal_offers_read(const char *files, const struct shoal_dataset *dataset,
                                    struct shoal_report_names *names, struct shoal_offers *offers,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;

/* For the readers of lines: the user under user_id; not `known`: not in the events. MISSING_FIELD. */
enum shoal_status shoal_report_user(struct shoal_json_tree *tree,
                                    const struct shoal_dataset *dataset, uint32_t *user,
                                    bool *known, struct shoal_json_slice *id,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
/* The time under event_time. BAD_TIMESTAMP. */
enum shoal_status shoal_report_time(struct shoal_json_tree *tree, int64_t *time_ms,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Engagement, and prompted or organic, at the end of a training: learnt where --engagement says so, and told in
 * two lines. */
#ifndef SHOAL_ENGAGEMENT_SHOW_H
#define SHOAL_ENGAGEMENT_SHOW_H

#include "model/learn/train_uplift.h"
#include "tools/cli.h"

/* For the options' table of a command that trains. */
#define SHOAL_ENGAGEMENT_OPTIONS                                                                       \
    {"engagement",                                                                                     \
     "auto|off",                                                                                       \
     "auto",                                                                                           \
     "engaged, unengaged or inactive, and who buys only if prompted, where the log suffices; or not",  \
     false,                                                                                            \
     false},                                                                                           \
    {                                                                                                  \
        "decisions", "FILE", NULL,                                                                     \
            "the processor's decisions (JSON lines): who buys only if prompted is learnt from their randomised " \
            "variants instead of from the contacts that the log observed",                             \
            false, false                                                                               \
    }

struct shoal_engagement_ask {
    bool wanted;
    const char *decisions; /* NULL: none */
};

/* False after a usage error. */
bool shoal_engagement_read(const struct shoal_cli_args *args, struct shoal_engagement_ask *ask);
/* Learns as asked. NOMEM, IO, NOT_FOUND (decisions), with the reason. */
enum shoal_status shoal_engagement_learn(const struct shoal_engagement_ask *ask, struct shoal_model *model,
                                         const struct shoal_dataset *dataset, int64_t end_ms, uint64_t seed,
                                         struct shoal_train_uplift_report *report,
                                         struct shoal_message *message) SHOAL_MUST_CHECK;
/* Two lines; none if it was not wanted. */
void shoal_engagement_show(const struct shoal_engagement_ask *ask, const struct shoal_train_uplift_report *report,
                           FILE *out);

#endif

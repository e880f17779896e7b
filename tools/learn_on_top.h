/* SPDX-License-Identifier: Apache-2.0 */
/* What `shoal train` and `shoal retrain` learn on top of the finished network, on its user vectors: customer
 * value, clusters, engagement, next items. Each is left out, with a line that says why, where the log does not suffice. */
#ifndef SHOAL_LEARN_ON_TOP_H
#define SHOAL_LEARN_ON_TOP_H

#include "tools/add_clusters.h"
#include "tools/engagement_show.h"
#include "tools/items_show.h"
#include "tools/prompts_show.h"
#include "tools/value_show.h"

/* For the options' table of a command that trains. */
#define SHOAL_ON_TOP_OPTIONS                                                                       \
    SHOAL_VALUE_OPTION, SHOAL_CLUSTERS_OPTION, SHOAL_ENGAGEMENT_OPTIONS, SHOAL_ITEMS_OPTION,   \
        SHOAL_PROMPTS_OPTIONS

/* What is asked. */
struct shoal_on_top {
    bool value;
    int64_t value_horizon_ms; /* 0: auto */
    int clusters;
    struct shoal_engagement_ask engagement;
    bool items;
    size_t items_most; /* 0: auto */
    bool prompts, prompts_each;
    const char *prompts_path; /* with prompts_each: variants go to this and a name; NULL: nowhere; set by the caller */
    struct shoal_prompt_options prompt_options; /* its seed is that of the training */
    const struct shoal_item_names *item_names; /* set by the caller if items are wanted; not owned */
};

/* How it went. */
struct shoal_on_top_report {
    struct shoal_train_value_report value;
    struct shoal_train_clusters_report clusters;
    struct shoal_train_uplift_report engagement;
    struct shoal_train_items_report items;
};

/* False after a usage error. */
bool shoal_on_top_read(const struct shoal_cli_args *args, struct shoal_on_top *ask);
/* Learns as asked from grouped events up to end_ms. `before`: the model whose clusters keep their ids; NULL:
 * none. NOMEM, IO, NOT_FOUND, with the reason. */
enum shoal_status shoal_on_top_learn(const struct shoal_on_top *ask, struct shoal_model *model,
                                     const struct shoal_dataset *dataset, int64_t end_ms,
                                     uint64_t seed, const struct shoal_model *before,
                                     struct shoal_on_top_report *report,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;
/* Some lines of each that was asked for. */
void shoal_on_top_show(const struct shoal_on_top *ask, const struct shoal_on_top_report *report,
                       FILE *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A training as one JSON file: what was asked, what was read, each epoch, what came out. tools/report
 * draws the learning curves from it. */
#ifndef SHOAL_TRAIN_LOG_H
#define SHOAL_TRAIN_LOG_H

#include <stdint.h>

#include "model/learn/preparation.h"
#include "model/learn/train.h"
#include "tools/cli.h"
#include "tools/load_events.h"

struct shoal_train_log {
    struct shoal_train_epoch *epochs; /* owned */
    size_t count, capacity;
    bool failed;                      /* out of memory: epochs are missing */
};

/* What the file is of; nothing is owned. */
struct shoal_train_run {
    const struct shoal_cli_args *args;
    const struct shoal_cli_option *options; /* the command's table */
    const struct shoal_dataset *dataset;
    const struct shoal_load *load;
    const struct shoal_preparation *preparation;
    const struct shoal_model *model;
    const struct shoal_train_summary *summary;
    double seconds;
};

void shoal_train_log_add(struct shoal_train_log *log, const struct shoal_train_epoch *epoch);
/* Writes the file, whole or not at all:
 *   options {name: value as given or by default}, seconds, data (describe_data.h), left_out {unbought,
 *   few_users, few} (records of items never bought; users with too few records, and theirs), model
 *   (describe_model.h), train_count, train_base_rate, valid_count, best_epoch, batch, ridge,
 *   valid and valid_regression {n, users, base_rate, measures},
 *   calibration {kind, positives, users, isotonic_less_line (log loss on users that neither has seen),
 *   standard_error}, epochs [{epoch, pretraining, refit, best, train_loss, valid_loss, valid_auc,
 *   network_share, objectives {name: loss}}]; epoch 0 is the regression
 * IO with the reason. */
enum shoal_status shoal_train_log_write(const struct shoal_train_log *log, const char *path,
                                        const struct shoal_train_run *run,
                                        struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_train_log_finish(struct shoal_train_log *log);

#endif

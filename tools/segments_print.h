/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles of a model's segments, for people and as JSON. */
#ifndef SHOAL_SEGMENTS_PRINT_H
#define SHOAL_SEGMENTS_PRINT_H

#include <stdio.h>

#include "model/learn/cluster_compare.h"
#include "model/model.h"
#include "stream/put_json.h"

enum { SHOAL_SEGMENT_TITLE = 96 };

/* A short name made by rule: what most sets the cluster apart from everybody, and what does so next, of the traits that
 * lie at least half a standard deviation off; "like everybody" if none does. */
void shoal_segment_title(const struct shoal_clusters *clusters, size_t index,
                         char title[SHOAL_SEGMENT_TITLE]);

/* Of a model with clusters. */
void shoal_segments_print(const struct shoal_model *model, FILE *out);
void shoal_segments_put(const struct shoal_model *model, FILE *out);
/* The comparison of cluster_compare.h. */
void shoal_segments_table_print(const struct shoal_cluster_table *table, FILE *out);
void shoal_segments_table_put(const struct shoal_cluster_table *table, FILE *out);

#endif

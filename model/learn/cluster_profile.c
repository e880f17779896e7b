/* SPDX-License-Identifier: Apache-2.0 */
/* Means by cluster; see cluster_profile.h. */
#include "model/learn/cluster_profile.h"

#include <math.h>
#include <stdbool.h>

/* Of cluster j's points, or of all. An empty cluster has zeros. */
static void average(const struct shoal_cluster_points *points, const uint8_t *labels, bool all,
                    size_t j, struct shoal_cluster_profile *profile)
{
    double bought = 0, mix[SHOAL_BEHAVIOR_COUNT] = {0}, traits[SHOAL_CLUSTER_TRAITS] = {0};
    size_t members = 0;
    for (size_t i = 0; i < points->count; i++) {
        if (!all && labels[i] != j)
            continue;
        members++;
        bought += points->outcomes[i];
        for (size_t b = 0; b < SHOAL_BEHAVIOR_COUNT; b++)
            mix[b] += (double)points->mix[i * SHOAL_BEHAVIOR_COUNT + b];
        for (size_t t = 0; t < SHOAL_CLUSTER_TRAITS; t++)
            traits[t] += (double)points->traits[i * SHOAL_CLUSTER_TRAITS + t];
    }
    double n = members ? (double)members : 1;
    profile->share = (float)((double)members / (double)points->count);
    profile->conversion = (float)(bought / n);
    for (size_t b = 0; b < SHOAL_BEHAVIOR_COUNT; b++)
        profile->mix[b] = fminf((float)(mix[b] / n), 1);
    for (size_t t = 0; t < SHOAL_CLUSTER_TRAITS; t++)
        profile->traits[t] = (float)(traits[t] / n);
}

void shoal_cluster_profiles(const struct shoal_cluster_points *points, const uint8_t *labels,
                            size_t clusters, struct shoal_cluster_profile *profiles,
                            struct shoal_cluster_summary *summary)
{
    summary->states = (uint32_t)points->count;
    summary->users = (uint32_t)points->users;
    average(points, labels, true, 0, &summary->everybody);
    for (size_t j = 0; j < clusters; j++)
        average(points, labels, false, j, &profiles[j]);
    for (size_t t = 0; t < SHOAL_CLUSTER_TRAITS; t++) {
        double sum = 0;
        for (size_t i = 0; i < points->count; i++) {
            double gap = (double)points->traits[i * SHOAL_CLUSTER_TRAITS + t] -
                         (double)summary->everybody.traits[t];
            sum += gap * gap;
        }
        double deviation = sqrt(sum / (double)points->count);
        summary->deviation[t] = deviation > 1e-6 ? (float)deviation : 1; /* all the same */
    }
}

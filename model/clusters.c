/* SPDX-License-Identifier: Apache-2.0 */
/* Clusters as they are served; see clusters.h. */
#include "model/clusters.h"

void shoal_clusters_assign(const struct shoal_clusters *clusters, const float *vector,
                           struct shoal_cluster_choice *choice)
{
    *choice = (struct shoal_cluster_choice){0};
}

uint8_t shoal_clusters_successor(const struct shoal_clusters *clusters, uint8_t id)
{
    return id;
}

void shoal_clusters_pack(const struct shoal_clusters *clusters, struct shoal_buffer *out)
{
    shoal_pack_nil(out);
}

enum shoal_status shoal_clusters_unpack(struct shoal_unpack *in, size_t vector,
                                        struct shoal_clusters **clusters, struct shoal_message *message)
{
    *clusters = NULL;
    shoal_unpack_skip(in);
    return SHOAL_OK;
}

void shoal_clusters_destroy(struct shoal_clusters *clusters)
{
}

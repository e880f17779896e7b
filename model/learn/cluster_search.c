/* SPDX-License-Identifier: Apache-2.0 */
/* Trying numbers of clusters; see cluster_search.h. */
#include "model/learn/cluster_search.h"

#include <stdlib.h>
#include <string.h>

enum { CODE = SHOAL_CLUSTER_CODE, CHOICE_POINTS = 5000, FINAL_POINTS = 20000 };

struct search {
    const struct shoal_cluster_samples *samples;
    const struct shoal_cluster_search_options *options;
    struct shoal_autoencoder *coder;
    float *pretrained; /* the coder's values before joint training */
    float *codes;
    uint8_t *labels;
};

/* The codes of the first whole users of about `most` points. */
static struct shoal_cluster_samples coded(const struct search *search, size_t most)
{
    const struct shoal_cluster_samples *all = search->samples;
    size_t used = all->count < most ? all->count : most;
    while (used < all->count && all->owners[used] == all->owners[used - 1])
        used++;
    shoal_autoencoder_encode(search->coder, all->points, used, search->codes);
    return (struct shoal_cluster_samples){search->codes, all->owners, used, CODE};
}

/* Joint training with K clusters from the pretrained coder, and how stable they are. */
static enum shoal_status try(struct search *search, size_t clusters,
                             struct shoal_cluster_found *found)
{
    const struct shoal_cluster_samples *samples = search->samples;
    memcpy(search->coder->values, search->pretrained, search->coder->count * sizeof(float));
    found->clusters = clusters;
    enum shoal_status status =
        shoal_idec_cluster(search->coder, samples->points, samples->count, clusters,
                           &search->options->idec, search->labels, &found->idec);
    if (status != SHOAL_OK)
        return status;
    struct shoal_cluster_samples some = coded(search, FINAL_POINTS);
    status = shoal_cluster_stability(&some, search->labels, clusters, search->options->resamples,
                                     search->options->idec.seed, &found->stability);
    found->stable = shoal_cluster_is_stable(&found->stability);
    return status;
}

static enum shoal_status choose(struct search *search, struct shoal_cluster_found *found)
{
    struct shoal_cluster_choice_of_k choice;
    struct shoal_cluster_samples some = coded(search, CHOICE_POINTS);
    size_t best = 0;
    double greatest = -1;
    enum shoal_status status =
        shoal_cluster_choose(&some, SHOAL_CLUSTERS_AUTO_MAX, search->options->resamples,
                             search->options->idec.seed, &choice);
    for (size_t k = choice.clusters; k >= 2 && status == SHOAL_OK; k--) {
        status = try(search, k, found);
        if (status != SHOAL_OK || found->stable)
            return status;
        if (found->stability.mean > greatest) {
            greatest = found->stability.mean;
            best = k;
        }
    }
    return status == SHOAL_OK ? try(search, best, found) : status;
}

enum shoal_status shoal_cluster_search(const struct shoal_cluster_samples *samples,
                                       const struct shoal_cluster_search_options *options,
                                       struct shoal_autoencoder *coder, uint8_t *labels,
                                       struct shoal_cluster_found *found)
{
    struct search search = {samples, options, coder, NULL, NULL, labels};
    *found = (struct shoal_cluster_found){.chosen = options->clusters == 0};
    enum shoal_status status = shoal_idec_pretrain(samples->points, samples->count, samples->size,
                                                   &options->idec, coder, &found->reconstruction);
    if (status != SHOAL_OK)
        return status;
    search.pretrained = malloc(coder->count * sizeof(float));
    search.codes = malloc((samples->count + 1) * CODE * sizeof(float));
    status = search.pretrained && search.codes ? SHOAL_OK : SHOAL_NOMEM;
    if (status == SHOAL_OK) {
        memcpy(search.pretrained, coder->values, coder->count * sizeof(float));
        status = options->clusters ? try(&search, options->clusters, found) : choose(&search, found);
    }
    free(search.pretrained);
    free(search.codes);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Trying numbers of clusters; see cluster_search.h. */
#include "model/learn/cluster_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/cluster_methods.h"
#include "model/learn/cluster_quality.h"

enum { CODE = SHOAL_CLUSTER_CODE, CHOICE_POINTS = 5000 };

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

/* The whole training on resampled users, and where it puts all points: averages the Jaccard indices. */
static enum shoal_status repeat(struct search *search, size_t clusters,
                                struct shoal_cluster_stability *stability)
{
    const struct shoal_cluster_samples *samples = search->samples;
    size_t count = samples->count, members[SHOAL_CLUSTERS_MAX] = {0};
    struct shoal_cluster_states states = {samples->points, NULL, count, samples->size};
    struct shoal_cluster_result result = {.labels = malloc(count), .space = search->codes};
    struct shoal_idec_options idec = search->options->idec;
    uint32_t *rows = malloc(2 * count * sizeof *rows);
    enum shoal_status status = result.labels && rows ? SHOAL_OK : SHOAL_NOMEM;
    *stability = (struct shoal_cluster_stability){0};
    idec.progress = NULL;
    for (unsigned r = 0; r < search->options->repeats && status == SHOAL_OK; r++) {
        double jaccards[SHOAL_CLUSTERS_MAX];
        size_t drawn = shoal_cluster_resample(samples, idec.seed + 1 + r, rows, 2 * count);
        status = drawn ? shoal_cluster_method_run(SHOAL_METHOD_idec, &states, rows, drawn, clusters,
                                                  &idec, &states, &result)
                       : SHOAL_NOMEM;
        if (status == SHOAL_OK)
            shoal_cluster_jaccards(search->labels, clusters, result.labels, clusters, count, jaccards);
        for (size_t j = 0; j < clusters && status == SHOAL_OK; j++)
            stability->each[j] += jaccards[j] / search->options->repeats;
    }
    for (size_t i = 0; i < count; i++)
        members[search->labels[i]]++;
    stability->least = stability->smallest = 1;
    for (size_t j = 0; j < clusters; j++) {
        stability->mean += stability->each[j] / (double)clusters;
        stability->least = fmin(stability->least, stability->each[j]);
        stability->smallest = fmin(stability->smallest, (double)members[j] / (double)count);
    }
    free(result.labels);
    free(rows);
    return status;
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
    status = repeat(search, clusters, &found->stability);
    found->stable = shoal_cluster_is_stable(&found->stability);
    return status;
}

static enum shoal_status choose(struct search *search, struct shoal_cluster_found *found)
{
    struct shoal_cluster_choice_of_k choice;
    struct shoal_cluster_samples some;
    size_t best = 0, preferred = search->options->preferred;
    double greatest = -1;
    enum shoal_status status = preferred ? try(search, preferred, found) : SHOAL_OK;
    if (status != SHOAL_OK || (preferred && found->stable))
        return status;
    memcpy(search->coder->values, search->pretrained, search->coder->count * sizeof(float));
    some = coded(search, CHOICE_POINTS);
    status =
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

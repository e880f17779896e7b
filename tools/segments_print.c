/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles of segments in words; see segments_print.h. */
#include "tools/segments_print.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { BAR = 30, NAMED = 2, TOLD = 3 };

/* From so many standard deviations on a trait is told, or gives a name. */
static const float TELL = 0.25f, NAME = 0.5f;

static const struct {
    const char *more, *less;
} names[SHOAL_CLUSTER_TRAITS] = {
    [SHOAL_TRAIT_events_1h] = {"busy visits", "brief visits"},
    [SHOAL_TRAIT_views_1d] = {"heavy viewers", "light viewers"},
    [SHOAL_TRAIT_carts_7d] = {"cart fillers", "empty carts"},
    [SHOAL_TRAIT_favs_7d] = {"collectors of favourites", "no favourites"},
    [SHOAL_TRAIT_buys_7d] = {"recent buyers", "no recent purchase"},
    [SHOAL_TRAIT_days_7d] = {"frequent visitors", "rare visitors"},
    [SHOAL_TRAIT_categories_7d] = {"wide browsers", "narrow browsers"},
    [SHOAL_TRAIT_repeats_7d] = {"back to the same items", "always new items"},
    [SHOAL_TRAIT_known_days] = {"long known", "newly seen"},
};

static const char *const behaviors[SHOAL_BEHAVIOR_COUNT] = {"views", "cart", "favourites",
                                                            "purchases"};

/* The traits by falling |z|, those of the wanted sign first; 0: either sign. */
static size_t rank(const struct shoal_clusters *clusters, size_t index, int sign, float least,
                   enum shoal_cluster_trait order[SHOAL_CLUSTER_TRAITS])
{
    size_t count = 0;
    for (unsigned t = 0; t < SHOAL_CLUSTER_TRAITS; t++) {
        float z = shoal_clusters_z(clusters, index, (enum shoal_cluster_trait)t);
        if (fabsf(z) < least || (sign > 0 && z < 0) || (sign < 0 && z > 0))
            continue;
        size_t at = count++;
        for (; at > 0 && fabsf(shoal_clusters_z(clusters, index, order[at - 1])) < fabsf(z); at--)
            order[at] = order[at - 1];
        order[at] = (enum shoal_cluster_trait)t;
    }
    return count;
}

void shoal_segment_title(const struct shoal_clusters *clusters, size_t index,
                         char title[SHOAL_SEGMENT_TITLE])
{
    enum shoal_cluster_trait order[SHOAL_CLUSTER_TRAITS];
    size_t count = rank(clusters, index, 0, NAME, order), used = 0;
    snprintf(title, SHOAL_SEGMENT_TITLE, "like everybody");
    for (size_t i = 0; i < count && i < NAMED && used < SHOAL_SEGMENT_TITLE; i++) {
        bool more = shoal_clusters_z(clusters, index, order[i]) > 0;
        used += (size_t)snprintf(title + used, SHOAL_SEGMENT_TITLE - used, "%s%s", i ? ", " : "",
                                 more ? names[order[i]].more : names[order[i]].less);
    }
}

/* ---- text ----------------------------------------------------------------------------------- */

static void print_value(enum shoal_cluster_trait trait, float value, FILE *out)
{
    const char *unit = shoal_cluster_trait_info(trait)->unit;
    if (strcmp(unit, "%") == 0)
        fprintf(out, "%.0f %%", 100 * (double)value);
    else
        fprintf(out, value < 10 ? "%.1f" : "%.0f", (double)value);
    if (*unit && strcmp(unit, "%") != 0)
        fprintf(out, " %s", unit);
}

static void print_side(const struct shoal_clusters *clusters, size_t index, int sign, FILE *out)
{
    enum shoal_cluster_trait order[SHOAL_CLUSTER_TRAITS];
    size_t count = rank(clusters, index, sign, TELL, order);
    for (size_t i = 0; i < count && i < TOLD; i++) {
        fprintf(out, "%s%s ", i ? "; " : sign > 0 ? "  more than others   " : "  less than others   ",
                shoal_cluster_trait_info(order[i])->text);
        print_value(order[i], shoal_clusters_profile(clusters, index)->traits[order[i]], out);
        fputs(" (all: ", out);
        print_value(order[i], shoal_clusters_summary(clusters)->everybody.traits[order[i]], out);
        fputs(")", out);
    }
    if (count)
        fputc('\n', out);
}

static void print_mix(const float *mix, FILE *out)
{
    for (size_t b = 0; b < SHOAL_BEHAVIOR_COUNT; b++)
        fprintf(out, "%s%s %.1f %%", b ? ", " : "", behaviors[b], 100 * (double)mix[b]);
    fputc('\n', out);
}

static void print_profile(const struct shoal_clusters *clusters, size_t index, FILE *out)
{
    const struct shoal_cluster_profile *profile = shoal_clusters_profile(clusters, index);
    const struct shoal_cluster_profile *all = &shoal_clusters_summary(clusters)->everybody;
    char title[SHOAL_SEGMENT_TITLE];
    int filled = (int)lroundf(profile->share * BAR);
    shoal_segment_title(clusters, index, title);
    fprintf(out, "\nc%u: %s\n  size               ", profile->id, title);
    for (int i = 0; i < BAR; i++)
        fputs(i < filled ? "#" : ".", out);
    fprintf(out, " %.1f %%\n  conversion         %.1f %% buy within 24 hours", 100 * (double)profile->share,
            100 * (double)profile->conversion);
    if (all->conversion > 0)
        fprintf(out, ", %.2f times the average", (double)(profile->conversion / all->conversion));
    fputs("\n  behaviour          ", out);
    print_mix(profile->mix, out);
    print_side(clusters, index, 1, out);
    print_side(clusters, index, -1, out);
    fprintf(out, "  stability          %.2f", (double)profile->stability);
    if (profile->from)
        fprintf(out, "; continues c%u of the model before (Jaccard %.2f)", profile->from,
                (double)profile->jaccard);
    fputc('\n', out);
}

void shoal_segments_print(const struct shoal_model *model, FILE *out)
{
    const struct shoal_clusters *clusters = model->clusters;
    const struct shoal_cluster_summary *summary = shoal_clusters_summary(clusters);
    fprintf(out,
            "model %s: %zu segments, learnt from %u states of %u users\n"
            "everybody: %.1f %% buy within 24 hours; ",
            model->version, shoal_clusters_count(clusters), summary->states, summary->users,
            100 * (double)summary->everybody.conversion);
    print_mix(summary->everybody.mix, out);
    for (size_t j = 0; j < shoal_clusters_count(clusters); j++)
        print_profile(clusters, j, out);
    for (size_t i = 0; i < shoal_clusters_retired_count(clusters); i++) {
        uint8_t id = shoal_clusters_retired(clusters, i);
        uint8_t to = shoal_clusters_successor(clusters, id);
        fprintf(out, i ? "" : "\n");
        if (to)
            fprintf(out, "c%u of earlier models goes on as c%u\n", id, to);
        else
            fprintf(out, "c%u of earlier models has no successor\n", id);
    }
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void put_id(struct shoal_put *put, const char *key, uint8_t id)
{
    if (id)
        shoal_put_count(put, key, id);
    else
        shoal_put_null(put, key);
}

static void put_traits(struct shoal_put *put, const struct shoal_clusters *clusters, size_t index)
{
    const struct shoal_cluster_profile *profile = shoal_clusters_profile(clusters, index);
    shoal_put_open(put, "traits", '[');
    for (unsigned t = 0; t < SHOAL_CLUSTER_TRAITS; t++) {
        enum shoal_cluster_trait trait = (enum shoal_cluster_trait)t;
        const struct shoal_cluster_trait_info *info = shoal_cluster_trait_info(trait);
        shoal_put_open(put, NULL, '{');
        shoal_put_text(put, "name", info->name);
        shoal_put_text(put, "text", info->text);
        shoal_put_real(put, "mean", (double)profile->traits[t]);
        shoal_put_real(put, "all", (double)shoal_clusters_summary(clusters)->everybody.traits[t]);
        shoal_put_real(put, "z", (double)shoal_clusters_z(clusters, index, trait));
        shoal_put_close(put, '}');
    }
    shoal_put_close(put, ']');
}

static void put_mix(struct shoal_put *put, const struct shoal_cluster_profile *profile)
{
    shoal_put_open(put, "mix", '{');
    for (unsigned b = 0; b < SHOAL_BEHAVIOR_COUNT; b++)
        shoal_put_real(put, shoal_behavior_name((enum shoal_behavior)b), (double)profile->mix[b]);
    shoal_put_close(put, '}');
}

static void put_profile(struct shoal_put *put, const struct shoal_clusters *clusters, size_t index)
{
    const struct shoal_cluster_profile *profile = shoal_clusters_profile(clusters, index);
    char title[SHOAL_SEGMENT_TITLE];
    shoal_segment_title(clusters, index, title);
    shoal_put_open(put, NULL, '{');
    shoal_put_count(put, "id", profile->id);
    shoal_put_text(put, "title", title);
    put_id(put, "from", profile->from);
    if (profile->from)
        shoal_put_real(put, "jaccard", (double)profile->jaccard);
    else
        shoal_put_null(put, "jaccard");
    shoal_put_real(put, "share", (double)profile->share);
    shoal_put_real(put, "conversion", (double)profile->conversion);
    shoal_put_real(put, "stability", (double)profile->stability);
    put_mix(put, profile);
    put_traits(put, clusters, index);
    shoal_put_close(put, '}');
}

void shoal_segments_put(const struct shoal_model *model, FILE *out)
{
    struct shoal_put put = {.out = out};
    const struct shoal_clusters *clusters = model->clusters;
    const struct shoal_cluster_summary *summary = shoal_clusters_summary(clusters);
    shoal_put_open(&put, NULL, '{');
    shoal_put_text(&put, "model", model->version);
    shoal_put_count(&put, "states", summary->states);
    shoal_put_count(&put, "users", summary->users);
    shoal_put_real(&put, "conversion", (double)summary->everybody.conversion);
    put_mix(&put, &summary->everybody);
    shoal_put_open(&put, "segments", '[');
    for (size_t j = 0; j < shoal_clusters_count(clusters); j++)
        put_profile(&put, clusters, j);
    shoal_put_close(&put, ']');
    shoal_put_open(&put, "retired", '[');
    for (size_t i = 0; i < shoal_clusters_retired_count(clusters); i++) {
        uint8_t id = shoal_clusters_retired(clusters, i);
        shoal_put_open(&put, NULL, '{');
        shoal_put_count(&put, "id", id);
        put_id(&put, "to", shoal_clusters_successor(clusters, id));
        shoal_put_close(&put, '}');
    }
    shoal_put_close(&put, ']');
    shoal_put_close(&put, '}');
    fputc('\n', out);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Ids over retrainings: kept with the users, never given to others. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/cluster_match.h"
#include "model/learn/random.h"

enum { PANEL = 600, VECTOR = 28 };

static struct shoal_clusters *old, *new;
static uint8_t old_ids[PANEL], labels[PANEL];

static struct shoal_clusters *made(size_t count)
{
    struct shoal_clusters *clusters;
    cr_assert_eq(shoal_clusters_create(VECTOR, count, &clusters), SHOAL_OK);
    for (size_t j = 0; j < count; j++)
        clusters->centroids[j * SHOAL_CLUSTER_CODE] = (float)j;
    return clusters;
}

/* An old model with these ids; panel user i is in the (i mod count)-th. */
static void begin(const uint8_t *ids, size_t old_count, size_t new_count)
{
    old = made(old_count);
    new = made(new_count);
    for (size_t j = 0; j < old_count; j++)
        old->profiles[j].id = ids[j];
    for (size_t i = 0; i < PANEL; i++) {
        old_ids[i] = ids[i % old_count];
        labels[i] = (uint8_t)(i % new_count);
    }
}

static void end(void)
{
    shoal_clusters_destroy(old);
    shoal_clusters_destroy(new);
}

/* What holds whatever happens: ids differ, are not 0, belong to nobody else, and lead somewhere. */
static void check_promises(void)
{
    bool given[SHOAL_CLUSTER_IDS + 1] = {false};
    for (size_t j = 0; j < new->count; j++) {
        const struct shoal_cluster_profile *profile = &new->profiles[j];
        cr_assert_neq(profile->id, 0);
        cr_assert_not(given[profile->id]);
        given[profile->id] = true;
        cr_assert(profile->from == 0 || profile->from == profile->id);
        cr_assert_eq(profile->from != 0, profile->jaccard >= 0.5f);
        for (size_t i = 0; i < old->count; i++)
            cr_assert(old->profiles[i].id != profile->id || profile->from, "an id means another cluster");
        for (size_t i = 0; i < old->retired_count; i++)
            cr_assert_neq(old->retired[i], profile->id, "a retired id comes back");
    }
    for (size_t i = 0; i < new->retired_count; i++) {
        cr_assert_not(given[new->retired[i]]);
        cr_assert(new->successors[i] == 0 || given[new->successors[i]]);
        cr_assert(i == 0 || new->retired[i] > new->retired[i - 1]);
    }
    for (size_t i = 0; i < old->count; i++) {
        uint8_t id = old->profiles[i].id;
        bool retired = false;
        for (size_t k = 0; k < new->retired_count; k++)
            retired |= new->retired[k] == id;
        cr_assert(given[id] != retired, "id %u is neither served nor retired", id);
    }
}

Test(cluster_match, a_first_model_numbers_its_clusters)
{
    new = made(3);
    shoal_cluster_match(NULL, NULL, NULL, 0, new);
    for (uint8_t j = 0; j < 3; j++) {
        cr_assert_eq(new->profiles[j].id, j + 1);
        cr_assert_eq(new->profiles[j].from, 0);
    }
    cr_assert_eq(new->retired_count, 0);
    shoal_clusters_destroy(new);
}

Test(cluster_match, a_permutation_keeps_every_id)
{
    const uint8_t ids[] = {2, 3, 7, 200}, permuted[] = {2, 0, 3, 1};
    begin(ids, 4, 4);
    for (size_t i = 0; i < PANEL; i++)
        labels[i] = permuted[i % 4];
    shoal_cluster_match(old, old_ids, labels, PANEL, new);
    for (size_t k = 0; k < 4; k++) {
        cr_assert_eq(new->profiles[permuted[k]].id, ids[k]);
        cr_assert_eq(new->profiles[permuted[k]].jaccard, 1);
    }
    cr_assert_eq(new->retired_count, 0);
    check_promises();
    end();
}

Test(cluster_match, a_cluster_that_falls_apart_retires_and_new_ids_are_unused_ones)
{
    const uint8_t ids[] = {1, 2};
    begin(ids, 2, 4); /* user i: old i mod 2, new i mod 4: each old one is halved */
    for (size_t i = 0; i < PANEL; i++)
        if (i % 20 == 2)
            labels[i] = 0; /* now 0 has more than half of the first */
    old->retired_count = 1;
    old->retired[0] = 3;
    old->successors[0] = 1;
    shoal_cluster_match(old, old_ids, labels, PANEL, new);
    check_promises();
    cr_assert_eq(new->profiles[0].id, 1, "more than half of the users are still together");
    cr_assert_eq(new->profiles[2].id, 4, "3 has been used");
    cr_assert_eq(shoal_clusters_successor(new, 3), 1, "what was retired long ago still leads on");
    end();
}

Test(cluster_match, clusters_that_merge_lead_to_what_has_become_of_them)
{
    const uint8_t ids[] = {5, 6, 9};
    begin(ids, 3, 2);
    for (size_t i = 0; i < PANEL; i++)
        labels[i] = i % 3 == 2; /* 5 and 6 are one now */
    shoal_cluster_match(old, old_ids, labels, PANEL, new);
    check_promises();
    cr_assert_eq(new->profiles[1].id, 9);
    uint8_t kept = new->profiles[0].id, gone = kept == 5 ? 6 : 5;
    cr_assert(kept == 5 || kept == 6);
    cr_assert_eq(shoal_clusters_successor(new, gone), kept);
    cr_assert_float_eq(new->profiles[0].jaccard, 0.5f, 1e-6f);
    end();
}

Test(cluster_match, users_that_scatter_have_no_successor)
{
    const uint8_t ids[] = {1, 2};
    begin(ids, 2, 3);
    shoal_cluster_match(old, old_ids, labels, PANEL, new); /* thirds */
    check_promises();
    for (size_t j = 0; j < 3; j++)
        cr_assert_eq(new->profiles[j].id, 3 + j);
    cr_assert_eq(shoal_clusters_successor(new, 1), 0);
    cr_assert_eq(shoal_clusters_successor(new, 2), 0);
    end();
}

Test(cluster_match, the_promises_hold_over_many_retrainings)
{
    uint8_t order[SHOAL_CLUSTERS_MAX];
    old = made(6);
    shoal_cluster_match(NULL, NULL, NULL, 0, old);
    for (size_t i = 0; i < PANEL; i++)
        labels[i] = (uint8_t)(i % 6);
    for (uint64_t round = 0; round < 400; round++) {
        size_t count = 2 + shoal_random_mix(round) % 9;
        for (size_t i = 0; i < PANEL; i++)
            old_ids[i] = old->profiles[labels[i]].id;
        for (size_t i = 0; i < PANEL; i++) /* some move, and some clusters are folded */
            labels[i] = (uint8_t)((shoal_random_mix(round * PANEL + i) % 4 ? labels[i] : i) % count);
        new = made(count);
        shoal_cluster_match(old, old_ids, labels, PANEL, new);
        bool fresh = old->retired_count + old->count + count <= SHOAL_CLUSTER_IDS;
        if (fresh)
            check_promises(); /* later on, ids that were retired come back */
        shoal_cluster_sort(new, order);
        for (size_t i = 0; i < PANEL; i++)
            labels[i] = order[labels[i]];
        for (size_t j = 0; j < count; j++) {
            cr_assert_neq(new->profiles[j].id, 0);
            cr_assert(j == 0 || new->profiles[j].id > new->profiles[j - 1].id);
        }
        shoal_clusters_destroy(old);
        old = new;
    }
    shoal_clusters_destroy(old);
}

Test(cluster_match, sorting_keeps_centroids_with_their_profiles)
{
    uint8_t order[SHOAL_CLUSTERS_MAX];
    new = made(3);
    new->profiles[0].id = 9;
    new->profiles[1].id = 2;
    new->profiles[2].id = 5;
    shoal_cluster_sort(new, order);
    const uint8_t places[] = {2, 0, 1}, ids[] = {2, 5, 9};
    cr_assert_eq(memcmp(order, places, 3), 0);
    for (size_t j = 0; j < 3; j++) {
        cr_assert_eq(new->profiles[j].id, ids[j]);
        cr_assert_eq(new->centroids[places[j] * SHOAL_CLUSTER_CODE], (float)j);
    }
    shoal_clusters_destroy(new);
}

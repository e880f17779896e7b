/* SPDX-License-Identifier: Apache-2.0 */
/* The section "clusters" of a model file: nil, or one map with these keys, in this order.
 *
 *   vector      V                    count     K
 *   mean, deviation   V floats each
 *   inner       V × 32               inner_bias   32
 *   outer       32 × 8               outer_bias   8
 *   centroids   K × 8
 *   states, users     integers: what clusters were learnt from
 *   deviations  of the traits, float32 each
 *   profiles    K + 1 maps {"id", "from", "jaccard", "share", "stability", "conversion", "mix": binary,
 *               "traits": binary}; the first is everybody's (id 0), the others' ids rise
 *   retired     [[id, successor or 0] …], ids rise
 *
 * Binaries are little-endian float32, row-major. Nothing is allocated before the bytes are known to be
 * there. */
#include "model/cluster_parts.h"
#include "model/fields.h"
#include "model/user_vector.h"

enum { FIELDS = 14, PROFILE_FIELDS = 8 };

/* ---- check ---------------------------------------------------------------------------------- */

static bool is_share(float value)
{
    return value >= 0 && value <= 1;
}

static bool sound_profile(const struct shoal_cluster_profile *profile)
{
    for (size_t b = 0; b < SHOAL_BEHAVIOR_COUNT; b++)
        if (!is_share(profile->mix[b]))
            return false;
    return is_share(profile->jaccard) && is_share(profile->share) &&
           is_share(profile->stability) && is_share(profile->conversion) &&
           shoal_fields_finite(profile->traits, SHOAL_CLUSTER_TRAITS);
}

static bool is_served(const struct shoal_clusters *clusters, uint8_t id)
{
    for (size_t j = 0; j < clusters->count; j++)
        if (clusters->profiles[j].id == id)
            return true;
    return false;
}

/* Ids rise from 1 on; what is retired is not there, and goes to something that is. */
static bool sound_ids(const struct shoal_clusters *clusters)
{
    for (size_t j = 0; j < clusters->count; j++)
        if (clusters->profiles[j].id <= (j ? clusters->profiles[j - 1].id : 0))
            return false;
    for (size_t i = 0; i < clusters->retired_count; i++) {
        uint8_t id = clusters->retired[i], successor = clusters->successors[i];
        if (id <= (i ? clusters->retired[i - 1] : 0) || is_served(clusters, id) ||
            (successor && !is_served(clusters, successor)))
            return false;
    }
    return true;
}

static bool sound_parts(const struct shoal_clusters *clusters)
{
    for (size_t i = 0; i < clusters->vector; i++)
        if (!(clusters->deviation[i] >= 1e-6f))
            return false;
    for (size_t t = 0; t < SHOAL_CLUSTER_TRAITS; t++)
        if (!(clusters->summary.deviation[t] > 0))
            return false;
    return shoal_fields_finite(clusters->mean, clusters->vector) &&
           shoal_fields_finite(clusters->deviation, clusters->vector) &&
           shoal_fields_finite(clusters->inner, clusters->vector * SHOAL_CLUSTER_INNER) &&
           shoal_fields_finite(clusters->inner_bias, SHOAL_CLUSTER_INNER) &&
           shoal_fields_finite(clusters->outer, SHOAL_CLUSTER_INNER * SHOAL_CLUSTER_CODE) &&
           shoal_fields_finite(clusters->outer_bias, SHOAL_CLUSTER_CODE) &&
           shoal_fields_finite(clusters->centroids, clusters->count * SHOAL_CLUSTER_CODE) &&
           shoal_fields_finite(clusters->summary.deviation, SHOAL_CLUSTER_TRAITS);
}

enum shoal_status shoal_clusters_check(const struct shoal_clusters *clusters,
                                       struct shoal_message *message)
{
    if (!sound_parts(clusters))
        return shoal_fail(message, SHOAL_DAMAGED, "damaged (clusters: a number is out of range)");
    bool sound = sound_profile(&clusters->summary.everybody) && !clusters->summary.everybody.id;
    for (size_t j = 0; j < clusters->count; j++)
        sound = sound && sound_profile(&clusters->profiles[j]);
    if (!sound)
        return shoal_fail(message, SHOAL_DAMAGED, "damaged (clusters: a profile)");
    if (!sound_ids(clusters))
        return shoal_fail(message, SHOAL_DAMAGED, "damaged (clusters: the ids)");
    return SHOAL_OK;
}

/* ---- write ---------------------------------------------------------------------------------- */

static void pack_profile(struct shoal_buffer *out, const struct shoal_cluster_profile *profile)
{
    shoal_pack_map(out, PROFILE_FIELDS);
    shoal_fields_pack_uint(out, "id", profile->id);
    shoal_fields_pack_uint(out, "from", profile->from);
    shoal_fields_pack_float(out, "jaccard", profile->jaccard);
    shoal_fields_pack_float(out, "share", profile->share);
    shoal_fields_pack_float(out, "stability", profile->stability);
    shoal_fields_pack_float(out, "conversion", profile->conversion);
    shoal_fields_pack_floats(out, "mix", profile->mix, SHOAL_BEHAVIOR_COUNT);
    shoal_fields_pack_floats(out, "traits", profile->traits, SHOAL_CLUSTER_TRAITS);
}

void shoal_clusters_pack(const struct shoal_clusters *clusters, struct shoal_buffer *out)
{
    if (!clusters) {
        shoal_pack_nil(out);
        return;
    }
    shoal_pack_map(out, FIELDS);
    shoal_fields_pack_uint(out, "vector", clusters->vector);
    shoal_fields_pack_uint(out, "count", clusters->count);
    shoal_fields_pack_floats(out, "mean", clusters->mean, clusters->vector);
    shoal_fields_pack_floats(out, "deviation", clusters->deviation, clusters->vector);
    shoal_fields_pack_floats(out, "inner", clusters->inner, clusters->vector * SHOAL_CLUSTER_INNER);
    shoal_fields_pack_floats(out, "inner_bias", clusters->inner_bias, SHOAL_CLUSTER_INNER);
    shoal_fields_pack_floats(out, "outer", clusters->outer,
                             SHOAL_CLUSTER_INNER * SHOAL_CLUSTER_CODE);
    shoal_fields_pack_floats(out, "outer_bias", clusters->outer_bias, SHOAL_CLUSTER_CODE);
    shoal_fields_pack_floats(out, "centroids", clusters->centroids,
                             clusters->count * SHOAL_CLUSTER_CODE);
    shoal_fields_pack_uint(out, "states", clusters->summary.states);
    shoal_fields_pack_uint(out, "users", clusters->summary.users);
    shoal_fields_pack_floats(out, "deviations", clusters->summary.deviation, SHOAL_CLUSTER_TRAITS);
    shoal_pack_text(out, "profiles");
    shoal_pack_array(out, (uint32_t)clusters->count + 1);
    pack_profile(out, &clusters->summary.everybody);
    for (size_t j = 0; j < clusters->count; j++)
        pack_profile(out, &clusters->profiles[j]);
    shoal_pack_text(out, "retired");
    shoal_pack_array(out, (uint32_t)clusters->retired_count);
    for (size_t i = 0; i < clusters->retired_count; i++) {
        shoal_pack_array(out, 2);
        shoal_pack_uint(out, clusters->retired[i]);
        shoal_pack_uint(out, clusters->successors[i]);
    }
}

/* ---- read ----------------------------------------------------------------------------------- */

static void read_profile(struct shoal_unpack *in, struct shoal_cluster_profile *profile)
{
    if (shoal_unpack_map(in, PROFILE_FIELDS) != PROFILE_FIELDS)
        shoal_unpack_fail(in);
    profile->id = (uint8_t)shoal_fields_uint(in, "id", SHOAL_CLUSTER_IDS);
    profile->from = (uint8_t)shoal_fields_uint(in, "from", SHOAL_CLUSTER_IDS);
    profile->jaccard = shoal_fields_float(in, "jaccard");
    profile->share = shoal_fields_float(in, "share");
    profile->stability = shoal_fields_float(in, "stability");
    profile->conversion = shoal_fields_float(in, "conversion");
    shoal_fields_floats(in, "mix", profile->mix, SHOAL_BEHAVIOR_COUNT);
    shoal_fields_floats(in, "traits", profile->traits, SHOAL_CLUSTER_TRAITS);
}

static void read_retired(struct shoal_unpack *in, struct shoal_clusters *clusters)
{
    shoal_fields_expect(in, "retired");
    uint32_t count = shoal_unpack_array(in, SHOAL_CLUSTER_IDS);
    for (uint32_t i = 0; i < count && in->status == SHOAL_OK; i++) {
        if (shoal_unpack_array(in, 2) != 2)
            shoal_unpack_fail(in);
        clusters->retired[i] = (uint8_t)shoal_unpack_uint(in, SHOAL_CLUSTER_IDS);
        clusters->successors[i] = (uint8_t)shoal_unpack_uint(in, SHOAL_CLUSTER_IDS);
    }
    clusters->retired_count = in->status == SHOAL_OK ? count : 0;
}

static void read_parts(struct shoal_unpack *in, struct shoal_clusters *clusters)
{
    struct shoal_cluster_summary *summary = &clusters->summary;
    shoal_fields_floats(in, "mean", clusters->mean, clusters->vector);
    shoal_fields_floats(in, "deviation", clusters->deviation, clusters->vector);
    shoal_fields_floats(in, "inner", clusters->inner, clusters->vector * SHOAL_CLUSTER_INNER);
    shoal_fields_floats(in, "inner_bias", clusters->inner_bias, SHOAL_CLUSTER_INNER);
    shoal_fields_floats(in, "outer", clusters->outer, SHOAL_CLUSTER_INNER * SHOAL_CLUSTER_CODE);
    shoal_fields_floats(in, "outer_bias", clusters->outer_bias, SHOAL_CLUSTER_CODE);
    shoal_fields_floats(in, "centroids", clusters->centroids, clusters->count * SHOAL_CLUSTER_CODE);
    summary->states = (uint32_t)shoal_fields_uint(in, "states", UINT32_MAX);
    summary->users = (uint32_t)shoal_fields_uint(in, "users", UINT32_MAX);
    shoal_fields_floats(in, "deviations", summary->deviation, SHOAL_CLUSTER_TRAITS);
    shoal_fields_expect(in, "profiles");
    if (shoal_unpack_array(in, SHOAL_CLUSTERS_MAX + 1) != clusters->count + 1)
        shoal_unpack_fail(in);
    read_profile(in, &summary->everybody);
    for (size_t j = 0; j < clusters->count && in->status == SHOAL_OK; j++)
        read_profile(in, &clusters->profiles[j]);
    read_retired(in, clusters);
}

enum shoal_status shoal_clusters_unpack(struct shoal_unpack *in, size_t vector,
                                        struct shoal_clusters **clusters,
                                        struct shoal_message *message)
{
    struct shoal_clusters *made;
    *clusters = NULL;
    if (shoal_fields_absent(in))
        return SHOAL_OK;
    if (shoal_unpack_map(in, FIELDS) != FIELDS || shoal_fields_uint(in, "vector", SHOAL_VECTOR_MAX) != vector)
        shoal_unpack_fail(in);
    size_t count = (size_t)shoal_fields_uint(in, "count", SHOAL_CLUSTERS_MAX);
    if (in->status != SHOAL_OK || count < 1 ||
        vector * SHOAL_CLUSTER_INNER * sizeof(float) > in->size - in->position)
        return shoal_fail(message, SHOAL_DAMAGED, "damaged (clusters)");
    if (shoal_clusters_create(vector, count, &made) != SHOAL_OK)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory for the clusters");
    read_parts(in, made);
    enum shoal_status status = in->status == SHOAL_OK
                                   ? shoal_clusters_check(made, message)
                                   : shoal_fail(message, SHOAL_DAMAGED, "damaged (clusters)");
    if (status != SHOAL_OK) {
        shoal_clusters_destroy(made);
        return status;
    }
    shoal_clusters_ready(made);
    *clusters = made;
    return SHOAL_OK;
}

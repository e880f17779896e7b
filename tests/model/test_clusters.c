/* SPDX-License-Identifier: Apache-2.0 */
/* Clusters as they are served: the arithmetic against double precision, ids, and their bytes. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "model/user_vector.h"
#include "tests/model/tiny_clusters.h"

enum { VECTOR = 28, COUNT = 5 };

static struct shoal_clusters *clusters;
static struct shoal_buffer bytes;

static void setup(void)
{
    clusters = tiny_clusters(VECTOR, COUNT, 3);
    cr_assert_not_null(clusters);
    shoal_clusters_pack(clusters, &bytes);
}

static void teardown(void)
{
    shoal_clusters_destroy(clusters);
    shoal_buffer_finish(&bytes);
}

TestSuite(clusters, .init = setup, .fini = teardown);

static void random_vector(float *vector, size_t size, uint64_t seed)
{
    uint64_t state = seed * 77 + 5;
    for (size_t i = 0; i < size; i++)
        vector[i] = 2 * tiny_random(&state);
}

/* The equations of cluster_parts.h, in double. */
static void shares_in_double(const struct shoal_clusters *c, const float *u, double *shares)
{
    double inner[SHOAL_CLUSTER_INNER], code[SHOAL_CLUSTER_CODE], sum = 0;
    for (size_t e = 0; e < SHOAL_CLUSTER_INNER; e++) {
        inner[e] = (double)c->inner_bias[e];
        for (size_t i = 0; i < c->vector; i++)
            inner[e] += ((double)u[i] - (double)c->mean[i]) / (double)c->deviation[i] *
                        (double)c->inner[i * SHOAL_CLUSTER_INNER + e];
        inner[e] = fmax(inner[e], 0);
    }
    for (size_t d = 0; d < SHOAL_CLUSTER_CODE; d++) {
        code[d] = (double)c->outer_bias[d];
        for (size_t e = 0; e < SHOAL_CLUSTER_INNER; e++)
            code[d] += inner[e] * (double)c->outer[e * SHOAL_CLUSTER_CODE + d];
    }
    for (size_t j = 0; j < c->count; j++) {
        double square = 0;
        for (size_t d = 0; d < SHOAL_CLUSTER_CODE; d++)
            square += pow(code[d] - (double)c->centroids[j * SHOAL_CLUSTER_CODE + d], 2);
        shares[j] = 1 / (1 + square);
        sum += shares[j];
    }
    for (size_t j = 0; j < c->count; j++)
        shares[j] /= sum;
}

static void check_assignment(const struct shoal_clusters *c, const float *vector)
{
    double shares[SHOAL_CLUSTERS_MAX], next = 0;
    struct shoal_cluster_choice choice;
    size_t best = 0;
    shares_in_double(c, vector, shares);
    for (size_t j = 1; j < c->count; j++)
        best = shares[j] > shares[best] ? j : best;
    for (size_t j = 0; j < c->count; j++)
        next = j != best ? fmax(next, shares[j]) : next;
    shoal_clusters_assign(c, vector, &choice);
    cr_assert_float_eq((double)choice.margin, shares[best] - next, 1e-5);
    if (shares[best] - next > 1e-4)
        cr_assert_eq(choice.id, c->profiles[best].id);
}

Test(clusters, a_vector_goes_to_the_nearest_centroid_of_its_code)
{
    float vector[SHOAL_VECTOR_MAX];
    bool met[SHOAL_CLUSTER_IDS + 1] = {false};
    for (uint64_t seed = 0; seed < 500; seed++) {
        struct shoal_cluster_choice choice;
        random_vector(vector, VECTOR, seed);
        check_assignment(clusters, vector);
        shoal_clusters_assign(clusters, vector, &choice);
        met[choice.id] = true;
    }
    cr_assert(met[2] + met[4] + met[6] + met[8] + met[10] > 2, "the vectors tell clusters apart");
}

Test(clusters, vectors_of_every_size_and_any_number_of_clusters_are_served)
{
    const size_t sizes[] = {28, 29, 76, 77, 140, SHOAL_VECTOR_MAX};
    const size_t counts[] = {1, 2, 7, 8, 9, SHOAL_CLUSTERS_MAX};
    float vector[SHOAL_VECTOR_MAX];
    for (size_t s = 0; s < 6; s++)
        for (size_t k = 0; k < 6; k++) {
            struct shoal_clusters *other = tiny_clusters(sizes[s], counts[k], s + 10 * k);
            cr_assert_not_null(other);
            random_vector(vector, sizes[s], s + k);
            check_assignment(other, vector);
            shoal_clusters_destroy(other);
        }
}

Test(clusters, the_same_vector_has_the_same_bits_wherever_it_lies)
{
    float room[VECTOR + 16], vector[VECTOR];
    struct shoal_cluster_choice first, other;
    random_vector(vector, VECTOR, 9);
    shoal_clusters_assign(clusters, vector, &first);
    for (size_t offset = 0; offset < 16; offset++) {
        random_vector(room, VECTOR + 16, offset);
        memcpy(room + offset, vector, sizeof vector);
        shoal_clusters_assign(clusters, room + offset, &other);
        cr_assert_eq(first.id, other.id);
        cr_assert_eq(memcmp(&first.margin, &other.margin, sizeof first.margin), 0);
    }
}

Test(clusters, weights_without_bounds_still_give_an_id)
{
    float vector[VECTOR];
    struct shoal_cluster_choice choice;
    random_vector(vector, VECTOR, 1);
    for (size_t i = 0; i < VECTOR * SHOAL_CLUSTER_INNER; i++)
        clusters->inner[i] = i % 2 ? 3e38f : -3e38f;
    shoal_clusters_assign(clusters, vector, &choice);
    cr_expect(choice.id >= 2 && choice.id <= 10 && choice.margin >= 0);
}

Test(clusters, ids_of_earlier_models_go_where_the_table_says)
{
    cr_expect_eq(shoal_clusters_successor(clusters, 4), 4, "it is served");
    cr_expect_eq(shoal_clusters_successor(clusters, 1), 2, "taken over");
    cr_expect_eq(shoal_clusters_successor(clusters, 3), 0, "without a successor");
    cr_expect_eq(shoal_clusters_successor(clusters, 99), 0, "never known");
    cr_expect_eq(shoal_clusters_count(clusters), COUNT);
    cr_expect_eq(shoal_clusters_profile(clusters, 1)->from, 4);
    cr_expect_eq(shoal_clusters_retired_count(clusters), 2);
    cr_expect_eq(shoal_clusters_retired(clusters, 1), 3);
    cr_expect_float_eq((double)shoal_clusters_z(clusters, 1, SHOAL_TRAIT_views_1d), 1, 1e-6);
}

/* ---- bytes ---------------------------------------------------------------------------------- */

static enum shoal_status read_back(struct shoal_clusters **read, struct shoal_message *message)
{
    struct shoal_unpack in;
    shoal_unpack_init(&in, bytes.bytes, bytes.size);
    enum shoal_status status = shoal_clusters_unpack(&in, VECTOR, read, message);
    if (status == SHOAL_OK)
        cr_assert_eq(in.position, bytes.size);
    return status;
}

Test(clusters, they_come_back_as_they_were_written)
{
    struct shoal_clusters *read;
    struct shoal_message message = {""};
    struct shoal_buffer again = {0};
    struct shoal_cluster_choice was, is;
    float vector[VECTOR];
    cr_assert_eq(read_back(&read, &message), SHOAL_OK, "%s", message.text);
    shoal_clusters_pack(read, &again);
    cr_assert_eq(again.size, bytes.size);
    cr_assert_eq(memcmp(again.bytes, bytes.bytes, bytes.size), 0);
    random_vector(vector, VECTOR, 4);
    shoal_clusters_assign(clusters, vector, &was);
    shoal_clusters_assign(read, vector, &is);
    cr_assert_eq(was.id, is.id);
    cr_assert_eq(was.margin, is.margin);
    cr_assert_eq(shoal_clusters_successor(read, 1), 2);
    cr_assert_eq(read->summary.users, 300);
    shoal_buffer_finish(&again);
    shoal_clusters_destroy(read);
}

Test(clusters, none_is_written_as_nil)
{
    struct shoal_clusters *read = clusters;
    shoal_buffer_clear(&bytes);
    shoal_clusters_pack(NULL, &bytes);
    cr_assert_eq(bytes.size, 1);
    cr_assert_eq(read_back(&read, NULL), SHOAL_OK);
    cr_assert_null(read);
}

Test(clusters, every_truncation_is_refused)
{
    size_t size = bytes.size;
    for (bytes.size = 0; bytes.size < size; bytes.size++) {
        struct shoal_clusters *read;
        cr_assert_eq(read_back(&read, NULL), SHOAL_DAMAGED, "%zu bytes", bytes.size);
        cr_assert_null(read);
    }
}

Test(clusters, vectors_of_another_size_are_refused)
{
    struct shoal_clusters *read;
    struct shoal_unpack in;
    shoal_unpack_init(&in, bytes.bytes, bytes.size);
    cr_assert_eq(shoal_clusters_unpack(&in, VECTOR + 1, &read, NULL), SHOAL_DAMAGED);
}

/* Packs the changed clusters, reads them, puts the parts right again. */
static void expect_refusal(const char *what)
{
    struct shoal_clusters *read;
    struct shoal_message message = {""};
    shoal_buffer_clear(&bytes);
    shoal_clusters_pack(clusters, &bytes);
    cr_expect_eq(read_back(&read, &message), SHOAL_DAMAGED, "%s", what);
    cr_expect(strstr(message.text, "damaged (clusters"), "%s: %s", what, message.text);
    shoal_clusters_destroy(clusters);
    clusters = tiny_clusters(VECTOR, COUNT, 3);
}

#define REFUSES(change)                                                                            \
    do {                                                                                           \
        change;                                                                                    \
        expect_refusal(#change);                                                                   \
    } while (0)

Test(clusters, parts_that_cannot_be_are_refused)
{
    REFUSES(clusters->mean[3] = NAN);
    REFUSES(clusters->deviation[2] = 0);
    REFUSES(clusters->deviation[2] = -1);
    REFUSES(clusters->deviation[2] = INFINITY);
    REFUSES(clusters->inner[7] = INFINITY);
    REFUSES(clusters->inner_bias[7] = NAN);
    REFUSES(clusters->outer[7] = NAN);
    REFUSES(clusters->outer_bias[1] = -INFINITY);
    REFUSES(clusters->centroids[9] = NAN);
    REFUSES(clusters->summary.deviation[0] = 0);
    REFUSES(clusters->summary.everybody.id = 1);
    REFUSES(clusters->summary.everybody.traits[0] = NAN);
    REFUSES(clusters->profiles[1].share = 1.5f);
    REFUSES(clusters->profiles[1].conversion = -0.5f);
    REFUSES(clusters->profiles[1].jaccard = NAN);
    REFUSES(clusters->profiles[1].stability = 2);
    REFUSES(clusters->profiles[1].mix[2] = -1);
    REFUSES(clusters->profiles[1].traits[2] = INFINITY);
}

Test(clusters, ids_that_cannot_be_are_refused)
{
    REFUSES(clusters->profiles[0].id = 0);
    REFUSES(clusters->profiles[1].id = 2);
    REFUSES(clusters->profiles[1].id = 7);
    REFUSES(clusters->retired[0] = 4);
    REFUSES(clusters->retired[0] = 0);
    REFUSES(clusters->retired[1] = 1);
    REFUSES(clusters->successors[0] = 3);
    REFUSES(clusters->successors[0] = 77);
}

Test(clusters, damaged_bytes_never_make_clusters_that_break_a_promise)
{
    float vector[VECTOR];
    random_vector(vector, VECTOR, 2);
    for (size_t i = 0; i < bytes.size; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            struct shoal_clusters *read;
            struct shoal_cluster_choice choice;
            bytes.bytes[i] ^= (uint8_t)(1u << bit);
            struct shoal_unpack in;
            shoal_unpack_init(&in, bytes.bytes, bytes.size);
            enum shoal_status status = shoal_clusters_unpack(&in, VECTOR, &read, NULL);
            cr_assert(status == SHOAL_OK || status == SHOAL_DAMAGED);
            if (read) {
                cr_assert_eq(shoal_clusters_check(read, NULL), SHOAL_OK);
                shoal_clusters_assign(read, vector, &choice);
                cr_assert(choice.id > 0 && choice.margin >= 0 && choice.margin <= 1);
            }
            shoal_clusters_destroy(read);
            bytes.bytes[i] ^= (uint8_t)(1u << bit);
        }
}

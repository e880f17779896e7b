#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes golden_clusters.txt: what scikit-learn computes of clusterings.

Points and labels are made by the same integer formula here and in test_golden_clusters.c; stored are the
results only.

  kmeans        inertia of the best of many starts of KMeans, for several K
  silhouette, davies_bouldin, ari   of made-up labels
  principal     variance along the first components of PCA

Run it with scikit-learn:  python3 make_golden_clusters.py > golden_clusters.txt
"""

import argparse

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, davies_bouldin_score, silhouette_score

COUNT, SIZE = 300, 7


def mix(stream, index):
    """A 32-bit number from two; the same in test_golden_clusters.c."""
    x = (stream * 0x9E3779B1 + index * 0x85EBCA77 + 0x165667B1) & 0xFFFFFFFF
    x ^= x >> 15
    x = (x * 0xC2B2AE3D) & 0xFFFFFFFF
    x ^= x >> 13
    x = (x * 0x27D4EB2F) & 0xFFFFFFFF
    return x ^ (x >> 16)


def points():
    """Uniform noise around five centres, exact in float32."""
    rows = []
    for i in range(COUNT):
        centre = i % 5
        rows.append([(mix(1, i * SIZE + d) >> 8) * 2.0**-24 +
                     (mix(2, centre * SIZE + d) >> 30) for d in range(SIZE)])
    return np.array(rows)


def labels(stream, clusters):
    """Near to the centres: one in four is somewhere else."""
    return np.array([mix(stream, i) % clusters if mix(stream + 1, i) % 4 == 0 else i % 5 % clusters
                     for i in range(COUNT)])


def show(name, *values):
    print(name, *(f"{value:.9g}" for value in values))


def main():
    argparse.ArgumentParser(description=__doc__,
                            formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    data = points()
    for clusters in (2, 3, 5, 8):
        best = KMeans(clusters, n_init=200, random_state=0, tol=0, max_iter=1000).fit(data)
        show(f"kmeans.{clusters}", best.inertia_)
    for clusters in (2, 5, 9):
        made = labels(10 * clusters, clusters)
        show(f"silhouette.{clusters}", silhouette_score(data, made))
        show(f"davies_bouldin.{clusters}", davies_bouldin_score(data, made))
        show(f"ari.{clusters}", adjusted_rand_score(made, labels(77, 6)))
    centred = data - data.mean(axis=0)
    show("principal", *(PCA(4).fit(centred).explained_variance_ * (COUNT - 1) / COUNT))


if __name__ == "__main__":
    main()

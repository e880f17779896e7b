#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""deploy/kubernetes and the Helm chart, without a cluster and without Helm: sound YAML, current, shut in, and in
step with the program. (tools/manifests --check renders the chart.) Prints TAP. SHOAL_PROGRAM is `shoal`,
SHOAL_SOURCE the source tree."""

import glob
import hashlib
import os
import re
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import Skip, main, need, run  # noqa: E402

try:
    import yaml
except ImportError as missing:
    yaml, why = None, str(missing)

SOURCE = os.environ["SHOAL_SOURCE"]
SHOAL = os.environ["SHOAL_PROGRAM"]
CHART = os.path.join(SOURCE, "deploy", "helm", "shoal")
MANIFESTS = os.path.join(SOURCE, "deploy", "kubernetes")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def documents():
    if not yaml:
        raise Skip(why)
    found = []
    for path in sorted(glob.glob(f"{MANIFESTS}/*.yaml")):
        found += [one for one in yaml.safe_load_all(read(path)) if one]
    return found


def of_kind(kind):
    return [one for one in documents() if one["kind"] == kind]


def pod_specs():
    for one in documents():
        if one["kind"] == "StatefulSet":
            yield one["kind"], one["spec"]["template"]["spec"]
        elif one["kind"] == "CronJob":
            yield one["kind"], one["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def the_manifests_are_of_this_chart():
    """The checksum that tools/manifests wrote is that of the chart as it stands."""
    total = hashlib.sha256()
    paths = [os.path.join(where, name) for where, _, files in os.walk(CHART) for name in files]
    for path in sorted(paths, key=lambda one: os.path.relpath(one, SOURCE).encode()):
        with open(path, "rb") as file:
            total.update(file.read())
    wanted = f"checksum {total.hexdigest()[:16]};"
    for path in glob.glob(f"{MANIFESTS}/*.yaml"):
        assert wanted in read(path), f"{path} is out of date: run tools/manifests"


def yaml_is_tidy():
    need("yamllint")
    rules = "{extends: relaxed, rules: {line-length: disable}}"
    run("yamllint", "--strict", "-d", rules, MANIFESTS, f"{CHART}/Chart.yaml", f"{CHART}/values.yaml",
        os.path.join(SOURCE, "deploy", "docker"), os.path.join(SOURCE, "deploy", "asyncapi.yaml"),
        os.path.join(SOURCE, "deploy", "shoal.yaml"), os.path.join(SOURCE, "deploy", "promotions.yaml"))


def all_kinds_are_there_and_named_alike():
    kinds = {(one["kind"], one["metadata"]["name"]) for one in documents()}
    assert kinds == {("ConfigMap", "shoal"), ("PersistentVolumeClaim", "shoal-state"), ("Service", "shoal"),
                     ("StatefulSet", "shoal"), ("PodDisruptionBudget", "shoal"), ("NetworkPolicy", "shoal"),
                     ("NetworkPolicy", "shoal-retrain"), ("CronJob", "shoal-retrain"), ("ScaledObject", "shoal"),
                     ("ServiceMonitor", "shoal")}, kinds


def selectors_find_the_pods_they_mean():
    labels = of_kind("StatefulSet")[0]["spec"]["template"]["metadata"]["labels"]
    retrain = of_kind("CronJob")[0]["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"]
    def matches(selector, has):
        return selector.items() <= has.items()
    spec = {one["kind"] + one["metadata"]["name"]: one["spec"] for one in documents() if "spec" in one}
    for selector in (spec["StatefulSetshoal"]["selector"]["matchLabels"], spec["Serviceshoal"]["selector"],
                     spec["PodDisruptionBudgetshoal"]["selector"]["matchLabels"],
                     spec["NetworkPolicyshoal"]["podSelector"]["matchLabels"]):
        assert matches(selector, labels) and not matches(selector, retrain), selector
    assert matches(spec["NetworkPolicyshoal-retrain"]["podSelector"]["matchLabels"], retrain)
    service = of_kind("Service")[0]["metadata"]["labels"]
    assert matches(spec["ServiceMonitorshoal"]["selector"]["matchLabels"], service)
    assert spec["ScaledObjectshoal"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "StatefulSet",
                                                           "name": "shoal"}


def pods_may_do_nothing_that_they_need_not():
    seen = 0
    for kind, spec in pod_specs():
        seen += 1
        assert spec["automountServiceAccountToken"] is False, kind
        assert spec["securityContext"]["runAsNonRoot"] is True, kind
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, kind
        assert spec["securityContext"]["runAsUser"] == 10001, kind
        for container in spec["containers"]:
            rights = container["securityContext"]
            assert rights["allowPrivilegeEscalation"] is False and rights["readOnlyRootFilesystem"] is True
            assert rights["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"] and container["resources"]["requests"]["cpu"]
            assert ":latest" not in container["image"] and ":" in container["image"]
            volumes = {volume["name"] for volume in spec["volumes"]}
            assert {mount["name"] for mount in container["volumeMounts"]} == volumes
    assert seen == 2


def versions_are_that_of_the_program():
    version = run(SHOAL, "--version").stdout.split()[1]
    chart = yaml.safe_load(read(f"{CHART}/Chart.yaml")) if yaml else None
    for _, spec in pod_specs():
        assert spec["containers"][0]["image"] == f"shoal:{version}"
    assert chart["version"] == chart["appVersion"] == version


def probes_ask_what_the_program_answers():
    routes = re.findall(r'\{"GET", "(/[a-z]+)", SHOAL_HTTP_PUBLIC', read(f"{SOURCE}/stream/http_routes.c"))
    container = of_kind("StatefulSet")[0]["spec"]["template"]["spec"]["containers"][0]
    asked = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert set(asked.values()) == {"/healthz", "/readyz"} <= set(routes), (asked, routes)
    # A broker that is away makes a processor unready, never dead.
    assert asked["livenessProbe"] == "/healthz" and asked["readinessProbe"] == "/readyz"


def the_configuration_is_accepted():
    data = of_kind("ConfigMap")[0]["data"]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "shoal.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(data["shoal.yaml"])
        assert "fine" in run(SHOAL, "config", "--check", path).stdout


def arguments_are_understood():
    """A command that knows no option would say 2; files that are not there are another matter."""
    (_, processor), (_, retrain) = sorted(pod_specs(), reverse=True)
    assert run(SHOAL, *processor["containers"][0]["args"], code=None).returncode == 3
    done = run(SHOAL, *retrain["containers"][0]["args"], code=None)
    assert done.returncode not in (0, 2), done.stderr


def scaling_ends_where_partitions_do():
    config = yaml.safe_load(of_kind("ConfigMap")[0]["data"]["shoal.yaml"])
    scaled = of_kind("ScaledObject")[0]["spec"]
    assert scaled["maxReplicaCount"] * config["workers"] == config["topics.partitions"]
    trigger = scaled["triggers"][0]["metadata"]
    defaults = dict(re.findall(r"^(\S+): (\S+)$", run(SHOAL, "config").stdout, re.M))
    assert trigger["consumerGroup"] == defaults["group.id"] and trigger["topic"] == defaults["topics.events"]


if __name__ == "__main__":
    sys.exit(main([the_manifests_are_of_this_chart, yaml_is_tidy, all_kinds_are_there_and_named_alike,
                   selectors_find_the_pods_they_mean, pods_may_do_nothing_that_they_need_not,
                   versions_are_that_of_the_program, probes_ask_what_the_program_answers,
                   the_configuration_is_accepted, arguments_are_understood, scaling_ends_where_partitions_do]))

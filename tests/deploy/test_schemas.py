#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""deploy/schemas and deploy/asyncapi.yaml: what a replay writes fits them, what is changed does not, and the
two tell of the same topics. (Real topics are held against them by tests/e2e.) Prints TAP. SHOAL_PROGRAM is
`shoal`, SHOAL_SOURCE the source tree."""

import copy
import glob
import json
import os
import re
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import Skip, main, run  # noqa: E402

try:
    import jsonschema
    import yaml
except ImportError as missing:  # tools/setup installs them
    jsonschema, why = None, str(missing)

SOURCE = os.environ["SHOAL_SOURCE"]
SHOAL = os.environ["SHOAL_PROGRAM"]
SCHEMAS = os.path.join(SOURCE, "deploy", "schemas")
UNTIL = "2025-03-07T00:00:00Z"
DIMENSIONS = ("intent", "lifecycle", "value", "cluster", "engagement", "night_active", "price_sensitive",
              "cart_abandoner", "frequent_buyer", "first_time_buyer")


def validator(name):
    if not jsonschema:
        raise Skip(why)
    with open(os.path.join(SCHEMAS, f"{name}.json"), encoding="utf-8") as file:
        return jsonschema.Draft202012Validator(json.load(file))


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


class World:
    """A small replay; all its outputs."""

    def __init__(self, folder):
        self.folder = folder
        run(SHOAL, "generate", "--users", "300", "--days", "6", "--seed", "4", "--out", f"{folder}/e.jsonl")
        run(SHOAL, "train", "--events", f"{folder}/e.jsonl", "--until", UNTIL, "--epochs", "1", "--hidden", "16",
            "--items", "500", "--out", f"{folder}/m.shoal", timeout=240)
        run(SHOAL, "replay", "--model", f"{folder}/m.shoal", "--events", f"{folder}/e.jsonl", "--promotions",
            os.path.join(SOURCE, "deploy", "promotions.yaml"), "--out", f"{folder}/out", timeout=240)
        self.outputs = {"segment-change": lines(f"{folder}/out/segments.jsonl"),
                        "decision": lines(f"{folder}/out/decisions.jsonl"),
                        "model-swap": lines(f"{folder}/out/models.jsonl")}


def sample(values, most=400):
    step = max(1, len(values) // most)
    return values[::step]


def every_schema_is_one(_):
    paths = glob.glob(f"{SCHEMAS}/*.json")
    assert len(paths) == 6, paths
    for path in paths:
        jsonschema.Draft202012Validator.check_schema(validator(os.path.basename(path)[:-5]).schema)


def what_is_written_fits(world):
    for name, values in world.outputs.items():
        assert values, f"the replay wrote no {name}"
        for value in sample(values):
            error = jsonschema.exceptions.best_match(validator(name).iter_errors(value))
            assert not error, f"{name}: {error.json_path}: {error.message}\n{value}"
    for event in sample(lines(f"{world.folder}/e.jsonl")):
        validator("event").validate(event)


def a_field_more_or_less_or_of_another_kind_does_not_fit(world):
    """Whatever changes in the outputs has to be described."""
    for name, values in world.outputs.items():
        check = validator(name)
        for value in (values[0], values[-1], *(v for v in values if v.get("items"))):
            for key in value:
                less = {k: v for k, v in value.items() if k != key}
                optional = key in ("items", "bundle", "clusters")
                assert optional or not check.is_valid(less), f"{name} without {key} fits"
                assert not check.is_valid({**value, key: {"a": 1}}), f"{name} with another {key} fits"
            assert not check.is_valid({**value, "more": 1}), f"{name} with a field more fits"
    decision = next(v for v in world.outputs["decision"] if v["reasons"])
    for change in ({"condition": "whim"}, {"value": {}}, {"met": "yes"}, {"more": 1}):
        other = copy.deepcopy(decision)
        other["reasons"][0].update(change)
        assert not validator("decision").is_valid(other), f"a reason with {change} fits"
    offer = next(v for v in world.outputs["decision"] if v["eligible"])
    assert not validator("decision").is_valid({**offer, "expires_at": None})
    assert not validator("decision").is_valid({**offer, "segments": {**offer["segments"], "mood": "good"}})


def every_dead_letter_code_is_listed(_):
    with open(os.path.join(SOURCE, "model", "base", "status.h"), encoding="utf-8") as file:
        skipped = re.findall(r'X\([A-Z_]+, SKIP, "([a-z_]+)"', file.read())
    listed = validator("dead-letter-headers").schema["properties"]["error_code"]["enum"]
    assert len(skipped) > 8 and set(skipped) == set(listed), set(skipped) ^ set(listed)


def every_dimension_is_listed(_):
    with open(os.path.join(SOURCE, "deploy", "segments.md"), encoding="utf-8") as file:
        told = re.findall(r"^\| `([a-z_]+)` \| [^|]+\|[^|]+\|[^|]+\| `", file.read(), re.M)
    for name in ("segment-change", "decision"):
        listed = validator(name).schema["$defs"]["segments"]["properties"]
        assert set(told) == set(listed) == set(DIMENSIONS), f"{told} {list(listed)}"


def asyncapi():
    if not jsonschema:
        raise Skip(why)
    with open(os.path.join(SOURCE, "deploy", "asyncapi.yaml"), encoding="utf-8") as file:
        return yaml.safe_load(file)


def references(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for one in node.values():
            yield from references(one)
    elif isinstance(node, list):
        for one in node:
            yield from references(one)


def pointed(document, pointer):
    for part in pointer.strip("/").split("/") if pointer.strip("/") else []:
        document = document[part]
    return document


def every_reference_of_asyncapi_leads_somewhere(_):
    document, used = asyncapi(), set()
    for reference in references(document):
        path, _, pointer = reference.partition("#")
        if path:
            used.add(os.path.basename(path))
            with open(os.path.join(SOURCE, "deploy", path), encoding="utf-8") as file:
                pointed(json.load(file), pointer)
        else:
            pointed(document, pointer)
    assert used == {os.path.basename(path) for path in glob.glob(f"{SCHEMAS}/*.json")}, used


def asyncapi_has_the_topics_of_the_configuration(_):
    topics = dict(re.findall(r"^(topics\.[a-z]+): (\S+)$", run(SHOAL, "config").stdout, re.M))
    topics.pop("topics.partitions")
    document = asyncapi()
    assert {c["address"] for c in document["channels"].values()} == set(topics.values())
    with open(os.path.join(SOURCE, "meson.build"), encoding="utf-8") as file:
        assert f"version: '{document['info']['version']}'" in file.read()


def examples_of_asyncapi_fit_their_schemas(_):
    found = 0
    for name, message in asyncapi()["components"]["messages"].items():
        for example in message.get("examples", []):
            found += 1
            errors = list(validator("event").iter_errors(example["payload"]))
            assert not errors, f"{name}: {errors}"
    assert found >= 4


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="shoal-test-schemas-") as where:
        sys.exit(main([every_schema_is_one, what_is_written_fits,
                       a_field_more_or_less_or_of_another_kind_does_not_fit, every_dead_letter_code_is_listed,
                       every_dimension_is_listed, every_reference_of_asyncapi_leads_somewhere,
                       asyncapi_has_the_topics_of_the_configuration, examples_of_asyncapi_fit_their_schemas],
                      World(where)))

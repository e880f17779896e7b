# SPDX-License-Identifier: Apache-2.0
"""Messages against the JSON Schemas of deploy/schemas, which say what other programs may rely on: every
topic that a scenario reads is checked by World.output.

Validation costs about a millisecond a message, so of messages of one shape (the same keys, kinds of
values and conditions) only the first few are looked at, and of the rest one in a hundred. To find a
shape is dear too, at a hundred thousand messages: it is found once for all texts that differ in digits only."""

import collections
import json
import os

import jsonschema

from processes import check

FEW, ONE_IN = 5, 100
VALUES = {"segments": "segment-change", "decisions": "decision", "models": "model-swap"}


def _shape(value):
    if isinstance(value, dict):
        named = value.get("condition") or value.get("dimension")
        return (named, tuple((key, _shape(one)) for key, one in value.items()))
    if isinstance(value, list):
        return tuple(dict.fromkeys(_shape(one) for one in value))
    return type(value).__name__


def _value(text):
    return text if isinstance(text, dict) else json.loads(text)


class Schemas:
    def __init__(self, source):
        self.folder = os.path.join(source, "deploy", "schemas")
        self.validators, self.seen = {}, collections.Counter()
        self.shapes = {}  # of texts without their digits

    def validator(self, name):
        if name not in self.validators:
            with open(os.path.join(self.folder, f"{name}.json"), encoding="utf-8") as file:
                schema = json.load(file)
            jsonschema.Draft202012Validator.check_schema(schema)
            self.validators[name] = jsonschema.Draft202012Validator(schema)
        return self.validators[name]

    def fits(self, name, text, what):
        """`text`: JSON, or the headers of a message."""
        bare = name, tuple(text) if isinstance(text, dict) else text.translate(None, b"0123456789")
        shape = self.shapes.get(bare)
        if not shape:
            shape = self.shapes[bare] = name, _shape(_value(text))
        self.seen[shape] += 1
        if self.seen[shape] > FEW and self.seen[shape] % ONE_IN:
            return
        value = _value(text)
        error = jsonschema.exceptions.best_match(self.validator(name).iter_errors(value))
        check(not error, f"{what} is not as deploy/schemas/{name}.json says: {error and error.json_path}: "
                         f"{error and error.message[:300]}\n    {str(value)[:600]}")

    def check(self, topic, messages):
        """Values and headers of what was read from an output topic."""
        for message in messages:
            what = f"{topic}/{message.partition}/{message.offset}"
            if topic == "deadletter":
                self.fits("dead-letter-headers", message.headers, f"{what}: the headers")
                continue
            self.fits("cloudevents-headers", message.headers, f"{what}: the headers")
            tombstone = message.headers["ce_type"] == "shoal.user.forgotten"
            check(tombstone == (message.value is None), f"{what}: {message.headers} with {message.value}")
            if tombstone:  # drop all you hold of this user
                check(topic != "models" and message.key, f"{what}: a tombstone without a user")
            elif message.headers.get("content-type") == "application/json":
                self.check_names(topic, message, what)
                self.fits(VALUES[topic], message.value, what)

    def check_names(self, topic, message, what):
        """A value begins with its id and its user: those of the header and of the key."""
        if b'\\' not in message.value and message.value.startswith(
                b'{"id":"%s","user_id":"%s",' % (message.headers["ce_id"].encode(), message.key)):
            return
        value = json.loads(message.value)
        check(value["id"] == message.headers["ce_id"], f"{what}: ce_id is not the id")
        key = str(value["partition"]) if topic == "models" else value["user_id"]
        check(message.key == key.encode(), f"{what}: the key is {message.key}")

    def check_events(self, events, letters):
        """What was applied must be as described; what was refused need not."""
        refused = {(int(one.headers["source_partition"]), int(one.headers["source_offset"])) for one in letters}
        for message in events:
            if (message.partition, message.offset) not in refused and message.value[:1] == b"{":
                self.fits("event", message.value,
                          f"events/{message.partition}/{message.offset}, which was applied,")

# SPDX-License-Identifier: Apache-2.0
"""Requests to a processor's HTTP side, and its answers against its own description."""

import http.client
import json
import re
import ssl
import urllib.parse

from processes import Failure, check, wait_until

ANNOUNCED = re.compile(r"the dashboard and the API are at (https?://\S+)/")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            raise Failure(f"status {self.status}, and no JSON: {self.body[:300]}") from None


class Http:
    """One processor. A connection of its own for each request."""

    def __init__(self, url, token=None, authority=None):
        """`authority`: the certificate that an https:// server must show."""
        self.address = urllib.parse.urlsplit(url)
        self.token = token
        self.tls = ssl.create_default_context(cafile=authority) if authority else None

    @classmethod
    def of(cls, world, name, token=None, authority=None):
        """The address that the processor of this name, as it runs now, has announced in its log. An earlier one's
        may belong to another processor by now."""
        def announced():
            world.wait_running()
            process = world.processors[name]
            with open(process.log, "rb") as file:
                file.seek(process.log_begins)
                return ANNOUNCED.findall(file.read().decode("utf-8", "replace"))
        return cls(wait_until(announced, 30, f"{name} says where its API is")[-1], token, authority)

    def connect(self, timeout=10):
        if self.tls:
            return http.client.HTTPSConnection(self.address.hostname, self.address.port, timeout=timeout,
                                               context=self.tls)
        return http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=timeout)

    def ask(self, path, method="GET", headers=None, timeout=10):
        connection = self.connect(timeout)
        try:
            token = {"Authorization": f"Bearer {self.token}"} if self.token else {}
            connection.request(method, path, headers={**token, **(headers or {})})
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def get(self, path, expect=200):
        answer = self.ask(path)
        check(answer.status == expect, f"GET {path}: {answer.status} instead of {expect}: {answer.body[:500]}")
        return answer

    def user(self, user, what="", expect=200):
        return self.get(f"/v1/users/{urllib.parse.quote(user, safe='')}{what}", expect).json

    def wait_ready(self, seconds=60):
        def ready():
            try:
                return self.ask("/readyz").status == 200
            except OSError:
                return False
        wait_until(ready, seconds, "ready", 0.2)


def differs(description, method, path, answer):
    """None, or how an answer is not what the description says of its call."""
    import jsonschema  # Debian's python3-jsonschema; only here, so that the rest runs without it

    call = description["paths"][path][method]
    response = call["responses"].get(str(answer.status))
    if response is None:
        return f"{method} {path}: status {answer.status} is not described: {answer.body[:300]}"
    while "$ref" in response:
        response = _follow(description, response["$ref"])
    kind = answer.headers.get("Content-Type", "").split(";")[0]
    if "content" not in response:
        return None
    if kind not in response["content"]:
        return f"{method} {path}: {answer.status} is {kind}, described are {list(response['content'])}"
    if not kind.endswith("json"):
        return None
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema",
              "components": description["components"], **response["content"][kind]["schema"]}
    error = jsonschema.exceptions.best_match(
        jsonschema.Draft202012Validator(schema).iter_errors(answer.json))
    return f"{method} {path}: {error.json_path}: {error.message[:300]}" if error else None


def _follow(description, reference):
    at = description
    for part in reference.removeprefix("#/").split("/"):
        at = at[part]
    return at

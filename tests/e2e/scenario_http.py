# SPDX-License-Identifier: Apache-2.0
"""The HTTP side of running processors: every call as it is described, any instance for any user, and no request that
the stream would feel."""

import json
import os
import random
import socket
import ssl
import threading
import time
import urllib.parse

from http_client import Http, differs
from processes import check, run, wait_until


def _users(world, most=200):
    """Some of those whose states are kept: id → number of events."""
    users = sorted((state["user_id"], state["events"]) for state in map(json.loads, world.states()))
    check(len(users) > 100, f"only {len(users)} users are kept")
    return dict(random.Random(1).sample(users, min(most, len(users))))


def _examples(user):
    """Paths to ask for each described call, with what is to come back. A call without one fails the scenario."""
    name = urllib.parse.quote(user, safe="")
    return {
        "/healthz": [("/healthz", 200)],
        "/readyz": [("/readyz", 200)],
        "/metrics": [("/metrics", 200)],
        "/openapi.json": [("/openapi.json", 200)],
        "/v1/users/{id}": [(f"/v1/users/{name}", 200), ("/v1/users/nobody-at-all", 404), ("/v1/users/%00", 400)],
        "/v1/users/{id}/decisions": [(f"/v1/users/{name}/decisions", 200), ("/v1/users/%ff/decisions", 400)],
        "/v1/users/{id}/items": [(f"/v1/users/{name}/items?n=3&goal=buy", 200), ("/v1/users/nobody-at-all/items", 200),
                                 (f"/v1/users/{name}/items?n=0", 400)],
        "/v1/users/{id}/explain": [(f"/v1/users/{name}/explain", 200), (f"/v1/users/{name}/explain?steps=0", 400)],
        "/v1/models": [("/v1/models", 200)],
        "/v1/segments": [("/v1/segments", 200)],
        "/v1/segments/history": [("/v1/segments/history", 200), ("/v1/segments/history?minutes=1440", 200),
                                 ("/v1/segments/history?minutes=x", 400)],
        "/v1/segments/{dimension}/{level}/users": [("/v1/segments/intent/cold/users", 200),
                                                   ("/v1/segments/intent/hot/users?limit=1000", 200),
                                                   ("/v1/segments/intent/tepid/users", 404),
                                                   ("/v1/segments/intent/cold/users?cursor=x", 400)],
        "/v1/promotions": [("/v1/promotions", 200)],
        "/v1/overview": [("/v1/overview", 200)],
        "/v1/stream": [("/v1/stream?types=nothing", 400)],  # the rest is scenario_stream.py's
    }


def every_call_answers_as_described(world):
    """Each call of openapi.json on a running processor: statuses, content types, and bodies by their schemas."""
    world.follow_models()
    world.send(world.bench.short)
    world.start("a")
    http = Http.of(world, "a")
    http.wait_ready()
    ends = sum(world.kafka.ends(world.topic("events")))
    world.wait_saved(ends)
    description = http.get("/openapi.json").json
    users = _users(world, 20)
    problems = []
    for user in users:
        examples = _examples(user)
        for path, calls in description["paths"].items():
            check(path in examples, f"{path} is described, and no example asks for it")
            check(set(calls) <= {"get", "delete"}, f"{path}: {list(calls)}")
            for asked, status in examples[path]:
                answer = http.get(asked, status)
                problems.append(differs(description, "get", path, answer))
    problems = [problem for problem in problems if problem]
    check(not problems, "\n  ".join(problems[:10]))
    # What is looked up is what stands in the states.
    for user, events in users.items():
        found = http.user(user)["events"]
        check(found == events, f"{user} has {found} events instead of {events}")
    world.finish()
    world.compare_swapped(world.bench.short)
    world.start("b")  # what it is to forget is in no file that a replay could read
    http = Http.of(world, "b")
    answer = http.ask(f"/v1/users/{urllib.parse.quote(next(iter(users)), safe='')}", "DELETE")
    problem = differs(description, "delete", "/v1/users/{id}", answer)
    check(answer.status == 202 and not problem, f"DELETE: {answer.status} {answer.body} {problem}")
    world.stop_all()


def deleted_over_http(world):
    """DELETE: the user is gone from Redis, and the outputs' topics say so last; a processor that is killed meanwhile
    does not bring the user back, nor does a loss of all states."""
    world.send(world.bench.short)
    world.start("a")
    http = Http.of(world, "a")
    http.wait_ready()
    ends = sum(world.kafka.ends(world.topic("events")))
    world.wait_saved(ends)
    gone = list(_users(world, 12))
    for user in gone[:6]:
        answer = http.ask(f"/v1/users/{urllib.parse.quote(user, safe='')}", "DELETE")
        check(answer.status == 202 and answer.json["state"] == "accepted", f"DELETE: {answer.status} {answer.body}")
    world.processors.pop("a").kill()
    world.start("a")
    http = Http.of(world, "a")
    http.wait_ready()
    for user in gone[6:]:
        http.ask(f"/v1/users/{urllib.parse.quote(user, safe='')}", "DELETE")
    world.wait_saved(ends + len(gone))
    for user in gone:
        http.user(user, expect=404)
    world.processors.pop("a").kill()
    world.servers.do("wipe-redis")
    world.start("a")
    world.finish()
    left = {json.loads(line)["user_id"] for line in world.states()}
    check(not left & set(gone), f"back are {sorted(left & set(gone))}")
    for topic in ("segments", "decisions"):
        last = {message.key.decode(): message.value for message in world.output(topic)}
        held = [user for user in gone if last.get(user, b"nothing at all") is not None]
        check(not held, f"{topic} still hold {held}")


def tokens_are_asked_for(world):
    """Beyond loopback only with tokens; a wrong token and a role that may not."""
    path = world.path("tokens")
    with open(path, "w", encoding="utf-8") as file:
        file.write("read read-0123456789abcdef\nadmin admin-0123456789abcdef\n")
    code = world.start("open", http__listen="0.0.0.0:0").wait(30)
    check(code == 3 and "http.tokens" in world.log("open"), f"ended with {code}: {world.log('open')}")
    world.processors.pop("open")
    world.send(world.bench.short)
    world.start("a", http__listen="127.0.0.1:0", http__tokens=path)
    reader = Http.of(world, "a", "read-0123456789abcdef")
    reader.wait_ready()
    world.wait_saved(sum(world.kafka.ends(world.topic("events"))))
    user = urllib.parse.quote(next(iter(_users(world, 1))), safe="")
    stranger, liar = (Http(reader.address.geturl(), token) for token in (None, "read-0123456789abcdee"))
    for client, expect, delete in ((reader, 200, 403), (stranger, 401, 401), (liar, 401, 401)):
        client.get(f"/v1/users/{user}", expect)
        check(client.ask(f"/v1/users/{user}", "DELETE").status == delete, "who may not delete did")
    reader.get(f"/v1/users/{user}", 200)
    stranger.get("/healthz")
    check("0123456789" not in world.log("a"), "a token stands in the log")
    world.finish()
    world.compare(world.bench.short)


def tokens_are_exchanged_while_it_runs(world):
    """Another file of tokens is in force within seconds; one that cannot be used is refused, and told."""
    path = world.path("tokens")

    def write(text):
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(path + ".new", path)

    def figures():
        answer = second.ask("/metrics")
        return answer.status == 200 and answer.body.decode()

    write("read read-0123456789abcdef\n")
    world.start("a", http__listen="0.0.0.0:0", http__tokens=path)
    first = Http.of(world, "a", "read-0123456789abcdef")
    first.wait_ready()
    second = Http(first.address.geturl(), "read-fedcba9876543210")
    check(second.ask("/v1/models").status == 401, "a token that is not there yet may")
    write("read read-fedcba9876543210\n")
    wait_until(lambda: first.ask("/v1/models").status == 401, 15, "the first token is no more")
    check("shoal_http_files_refused 0" in figures(), "refused without a reason")
    write("nobody\n")
    wait_until(lambda: "shoal_http_files_refused 1" in figures(), 15, "the file is refused")
    check("changed tokens are refused" in world.log("a"), world.log("a")[-800:])
    check("0123456789" not in world.log("a"), "a token stands in the log")
    write("read read-fedcba9876543210\n")
    wait_until(lambda: "shoal_http_files_refused 0" in figures(), 15, "the file is in force")
    world.stop_all()


def _make_certificate(name, certificate, key):
    run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-addext",
         "subjectAltName=IP:127.0.0.1", "-days", "2", "-keyout", key, "-out", certificate], 60)


def certificates_are_exchanged_while_it_runs(world):
    """A renewed certificate is what new connections get, while the open ones go on, one of them a stream; a key that does
    not fit is refused, and the certificate from before stays."""
    certificate, key, other = (world.path(name) for name in ("cert.pem", "key.pem", "other.pem"))
    _make_certificate("first", certificate, key)
    world.start("a", http__tls__certificate=certificate, http__tls__key=key)
    http = Http.of(world, "a", authority=certificate)
    http.wait_ready()
    address = (http.address.hostname, http.address.port)
    first = ssl.get_server_certificate(address)
    open_connection = http.connect()
    open_connection.request("GET", "/healthz")
    open_connection.getresponse().read()
    stream = http.connect()
    stream.request("GET", "/v1/stream?types=overview")
    following = stream.getresponse()
    following.readline()
    run(["openssl", "genrsa", "-out", other, "2048"], 60)
    fitting = key + ".fits"
    os.rename(key, fitting)
    os.rename(other, key)
    wait_until(lambda: "a changed certificate is refused" in world.log("a"), 15, "the key is refused")
    check(ssl.get_server_certificate(address) == first, "another certificate")
    check("shoal_http_files_refused 1" in Http(http.address.geturl(), authority=certificate).get("/metrics")
          .body.decode(), "the metric says nothing")
    _make_certificate("second", certificate, key)
    wait_until(lambda: ssl.get_server_certificate(address) != first, 15, "the renewed certificate")
    renewed = Http(http.address.geturl(), authority=certificate)
    check(renewed.get("/healthz").json["status"] == "ok", "not ok")
    open_connection.request("GET", "/healthz")
    check(open_connection.getresponse().read(), "the open connection was cut off")
    check(any(b"event: overview" in following.readline() for _ in range(20)), "the stream ended")
    open_connection.close()
    world.stop_all()  # with a stream of the first certificate still open
    stream.close()


def https_with_a_certificate(world):
    """HTTPS with a certificate of one's own; a key that does not fit ends the start with its reason."""
    certificate, key, other = (world.path(name) for name in ("cert.pem", "key.pem", "other.pem"))
    _make_certificate("localhost", certificate, key)
    run(["openssl", "genrsa", "-out", other, "2048"], 60)
    code = world.start("misfit", http__tls__certificate=certificate, http__tls__key=other).wait(30)
    check(code == 3 and "certificate" in world.log("misfit"), f"ended with {code}: {world.log('misfit')}")
    world.processors.pop("misfit")
    world.start("a", http__tls__certificate=certificate, http__tls__key=key)
    http = Http.of(world, "a", authority=certificate)
    check(http.address.scheme == "https", http.address.geturl())
    http.wait_ready()
    check(http.get("/healthz").json["status"] == "ok", "not ok")
    world.stop_all()


def any_instance_answers_while_the_group_rebalances(world):
    """Two processors are asked for all users while one of them is killed and comes back."""
    world.send(world.bench.short)
    world.start("a")
    world.wait_saved(sum(world.kafka.ends(world.topic("events"))))
    counts = _users(world)
    world.start("b")
    one, other = Http.of(world, "a"), Http.of(world, "b")
    other.wait_ready()
    for http in (one, other):
        check(all(http.user(user)["events"] == count for user, count in counts.items()), "other states")
    world.processors.pop("a").kill()
    for user, count in counts.items():  # the group has not noticed yet
        check(other.user(user)["events"] == count, f"{user} has another state")
    world.start("a")
    Http.of(world, "a").wait_ready()
    for user, count in counts.items():
        check(other.user(user)["events"] == count, f"{user} has another state")
    world.finish()
    world.compare(world.bench.short)


def _pester(http, stop, seed, answers):
    """Requests that nobody should send, connections that nobody uses."""
    rng = random.Random(seed)
    idle = []
    while not stop.is_set():
        try:
            connection = socket.create_connection((http.address.hostname, http.address.port), 5)
            kind = rng.randrange(4)
            if kind == 0:
                idle.append(connection)
                if len(idle) > 200:
                    idle.pop(0).close()
                continue
            lines = {1: bytes(rng.randrange(256) for _ in range(rng.randrange(400))),
                     2: b"GET /v1/users/" + b"%41" * rng.randrange(900) + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
                     3: b"DELETE /v1/users/x\r\nContent-Length: -1\r\n\r\n"}
            connection.sendall(lines[kind])
            connection.close()
            answers.append(http.ask("/healthz").status)
        except OSError:
            time.sleep(0.05)  # it may be on its way up or down


def pestering_does_not_reach_the_stream(world):
    """Rubbish, abandoned and idle connections while events are processed: not a bit of the outputs differs."""
    world.start("a", http__timeout="2s")
    http = Http.of(world, "a")
    stop, answers = threading.Event(), []
    threads = [threading.Thread(target=_pester, args=(http, stop, seed, answers)) for seed in range(3)]
    for thread in threads:
        thread.start()
    try:
        world.send(world.bench.short)
        world.wait_saved(sum(world.kafka.ends(world.topic("events"))))
        time.sleep(2)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    check(len(answers) > 50 and set(answers) == {200}, f"{len(answers)} answers: {set(answers)}")
    world.finish()
    world.compare(world.bench.short)

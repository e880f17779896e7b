# SPDX-License-Identifier: Apache-2.0
"""What is followed and counted over HTTP: the stream says nothing that is not in the topics, and costs them nothing; the
sizes of segments are those that a count of all states gives."""

import collections
import json
import signal
import time

from events import read_lines
from http_client import Http
from processes import check, wait_until
from stream_client import Stream, deaf

TOPICS = {"change": "segments", "decision": "decisions"}


def _check_followed(world, stream, what):
    """All that was seen is in the committed topics, under its id, and each user's in order."""
    for event, topic in TOPICS.items():
        committed = {message.headers["ce_id"]: (at, message) for at, message in enumerate(world.output(topic))}
        last = collections.defaultdict(lambda: -1)
        for identity, data in stream.of(event):
            check(identity in committed, f"{what}: {identity} is not in {topic}")
            at, message = committed[identity]
            check(message.value == data, f"{what}: {identity} reads {data[:200]}, committed is {message.value[:200]}")
            # within a partition the order is the log's; a user is in one
            check(at > last[message.key], f"{what}: {identity} came out of order")
            last[message.key] = at


def _run_beside(world, rate, clients, **settings):
    """The short file while clients follow; returns them, stopped, when all is in the states."""
    world.start("a", **settings)
    http = Http.of(world, "a")
    http.wait_ready()
    streams = clients(http)
    time.sleep(2)  # they are at the topics' ends by now
    sender = world.start_send(world.bench.short, rate)
    world.finish_send(sender)
    world.wait_saved(sum(world.kafka.ends(world.topic("events"))))
    time.sleep(1.5)
    return http, streams


def stream_is_a_part_of_the_topics(world):
    """All messages, and filtered ones: a subset of what is committed, each user's in order; what was left out is told."""
    def clients(http):
        return {"all": Stream(http, "rate=1000"),
                "hot": Stream(http, "types=change&dimension=intent&rate=1000"),
                "some": Stream(http, "types=decision&promotion=welcome&rate=1000"),
                "slow": Stream(http, "types=change,decision&rate=2"),
                "overview": Stream(http, "types=overview")}

    http, streams = _run_beside(world, 4000, clients)
    for name, stream in streams.items():
        check(not stream.ended, f"{name} was cut off")
        _check_followed(world, stream, name)
    check({json.loads(data)["promotion"] for _, data in streams["some"].of("decision")} == {"welcome"},
          "decisions of another promotion, or of none")
    check(len(streams["all"].of("change")) > 100, f"{len(streams['all'].of('change'))} changes were seen")
    check(streams["hot"].of("change"), "no change of intent was seen")
    for _, data in streams["hot"].of("change"):
        check(json.loads(data)["dimension"] == "intent", f"not of intent: {data[:200]}")
    check({name for name, _, _ in streams["overview"].events} == {"overview"}, "other events beside overviews")
    seen = len(streams["slow"].of("change")) + len(streams["slow"].of("decision"))
    check(0 < seen < 120 and streams["slow"].skipped() > 0, f"slow saw {seen}, {streams['slow'].skipped()} skipped")
    world.finish()
    for name, stream in streams.items():
        wait_until(lambda stream=stream: stream.ended, 10, f"the stream of {name} ends with the processor")
        stream.stop()
    world.compare(world.bench.short)


def one_user_is_followed(world):
    """Only this user's, and of a busy log all of them."""
    world.start("a")
    http = Http.of(world, "a")
    http.wait_ready()
    user = collections.Counter(json.loads(line).get("user_id") for line in read_lines(world.bench.short)
                               if line.startswith(b'{"user_id":"')).most_common(1)[0][0]
    stream = Stream(http, f"types=change,decision&user={user}&rate=1000")
    time.sleep(2)
    world.finish_send(world.start_send(world.bench.short, 2000))
    world.wait_saved(sum(world.kafka.ends(world.topic("events"))))
    time.sleep(1.5)
    _check_followed(world, stream, user)
    for event, _, data in stream.events:
        check(event == "skipped" or json.loads(data)["user_id"] == user, f"of another user: {data[:200]}")
    for event, topic in TOPICS.items():
        told = [message.value for message in world.output(topic) if message.key == user.encode()]
        seen = [data for _, data in stream.of(event)]
        check(told and seen == told, f"{len(seen)} of {len(told)} messages in {topic} were seen")
    stream.stop()
    world.finish()
    world.compare(world.bench.short)


def slow_and_idle_clients_have_no_effect(world):
    """Two hundred that follow and do nothing, some that never read: outputs and states are those of a replay."""
    def clients(http):
        return [deaf(http) for _ in range(20)] + [deaf(http, "types=forgotten") for _ in range(180)]

    http, sockets = _run_beside(world, None, clients)
    check(http.get("/v1/overview").json["stream_clients"] > 100, "they are not there")
    for client in sockets:
        client.close()
    world.finish()
    world.compare(world.bench.short)


def stream_survives_a_broken_broker(world):
    """The broker is killed and comes back: the client stays, is told that it lives, and sees what comes then."""
    world.start("a")
    http = Http.of(world, "a")
    http.wait_ready()
    stream = Stream(http, "types=change,decision&rate=1000")
    time.sleep(2)
    world.servers.do("kill-kafka")
    time.sleep(3)
    world.servers.do("start-kafka")
    world.finish_send(world.start_send(world.bench.short, 2000))
    world.wait_saved(sum(world.kafka.ends(world.topic("events"))), 120)
    wait_until(lambda: stream.of("change"), 30, "a change is seen")
    check(not stream.ended, "the client was cut off")
    _check_followed(world, stream, "all")
    stream.stop()
    world.finish()
    world.compare(world.bench.short)


def _count(states):
    """Users by dimension and level, from the lines of states.jsonl (standings are [level, since] by dimension)."""
    users, levels = 0, collections.Counter()
    for state in map(json.loads, states):
        users += state["events"] > 0
        for dimension, (level, _) in enumerate(state["standings"]):
            if level:
                levels[dimension, level] += 1
    return users, levels


def segment_sizes_are_those_of_a_scan(world):
    """After a crash in the middle: /v1/segments is what counting every state gives, and a level's users, page by page,
    are those that the states say."""
    world.start("a", crash="commit.after:5")
    world.send(world.bench.short)
    code = world.processors.pop("a").wait(60, "killed")
    check(code == -signal.SIGKILL, f"a was to die but ended with {code}")
    world.start("b")
    http = Http.of(world, "b")
    http.wait_ready()
    world.wait_saved(sum(world.kafka.ends(world.topic("events"))))
    time.sleep(1.2)
    states = world.states()
    users, levels = _count(states)
    segments = http.get("/v1/segments").json
    check(segments["users"] == users, f"{segments['users']} users instead of {users}")
    found = {(d, level["level"]): level["users"] for d, dimension in enumerate(segments["dimensions"])
             for level in dimension["levels"]}
    for d, dimension in enumerate(segments["dimensions"]):
        counts = [n for (where, _), n in sorted(levels.items()) if where == d]
        shown = [level["users"] for level in dimension["levels"] if level["users"]]
        check(shown == counts, f"{dimension['dimension']}: {shown} instead of {counts}")
        for level in dimension["levels"]:
            came = sum(move["count"] for move in dimension["transitions"] if move["to"] == level["level"])
            left = sum(move["count"] for move in dimension["transitions"] if move["from"] == level["level"])
            check(came - left == level["users"], f"{dimension['dimension']}: {level}: {came} came, {left} left")
    hot, cursor = set(), ""
    while cursor is not None:
        page = http.get(f"/v1/segments/intent/hot/users?limit=7{cursor and '&cursor=' + cursor}").json
        check(len(page["users"]) <= 7, "more than asked for")
        hot |= {user["user_id"] for user in page["users"]}
        cursor = page["next"]
    wanted = {state["user_id"] for state in map(json.loads, states) if state["standings"][:1] and
              state["standings"][0][0] == 3}
    check(hot == wanted and len(hot) == found[0, "hot"], f"{len(hot)} hot users instead of {len(wanted)}")
    offers = sum(variant["offers"] for one in http.get("/v1/promotions").json["promotions"]
                 for variant in (one["treatment"], one["control"]))
    check(offers > 0, "no offer was counted")
    world.finish()
    world.compare(world.bench.short)

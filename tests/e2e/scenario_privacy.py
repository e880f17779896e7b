# SPDX-License-Identifier: Apache-2.0
"""What is kept of people, and what is not: users who are forgotten while processors die and Redis loses
everything, users who decline to be processed, ids that nobody may see, and a broker that wants a password."""

import json
import os
import signal

from events import read_lines, write_forgetting, write_named
from load import Feed, split
from processes import check, wait_until
from scenario_crash import QUICK
from world import PARTITIONS

RATE = 3000
MESSAGES = 40000
HIDDEN = b"@example.org"
WRONG = "certainly-not-it"


def _slots(world):
    return [f"{{{world.topic('events')}/{p}}}".encode() for p in range(PARTITIONS)]


def _known(world):
    """Users of whom something is known."""
    return {json.loads(line)["user_id"] for line in world.states() if b'"events":0,' not in line}


def _declined(world):
    """Users of whom only the refusal is kept."""
    return {json.loads(line)["user_id"] for line in world.states() if b'"events":0,' in line}


def _last_values(messages):
    """What a compacted topic keeps: the last value of each key."""
    return {message.key.decode(): message.value for message in messages}


def _check_gone(world, users, refused=()):
    """Nowhere in Redis but as a refusal, and what a compacted topic keeps of them is nothing."""
    segments = _last_values(world.output("segments"))
    decisions = _last_values(world.output("decisions"))
    with world.servers.redis() as redis:
        for slot in _slots(world):
            timers = set(redis("ZRANGE", slot + b"#timers", "0", "-1"))
            for user in [*users, *refused]:
                check(redis("EXISTS", slot + b":" + user.encode()) == 0 or user in refused,
                      f"Redis has a state of {user}")
                check(user.encode() not in timers, f"{user} has a timer")
    check(set(refused) <= _declined(world), "a refusal was forgotten")
    for user in [*users, *refused]:
        check(user in segments and segments[user] is None, f"segments keeps something of {user}")
        check(user in decisions and decisions[user] is None, f"the last decision of {user} is no tombstone")


def forgotten_under_crashes(world):
    """Users are forgotten and decline while a processor dies at every point of commit, save and recovery, and Redis
    loses everything; then others by command. Bit for bit what a replay says, and nothing of them anywhere."""
    world.settings.update(QUICK)
    pieces = split(write_forgetting(world.path("forgetting.jsonl"), world.bench.data, MESSAGES, seed=9))
    world.start("b", state__flush__interval="1s")
    feed = Feed(world, RATE, pieces)
    world.wait_saved(1)
    for crash in ("produce.after:5", "commit.before:4", "save.inside:2", "save.after:3", "commit.after:6",
                  "recovery.inside:150"):
        code = world.start("a", crash=crash, state__flush__interval="1s").wait(60, f"killed at {crash}")
        check(code == -signal.SIGKILL, f"a was to die at {crash} but ended with {code}")
        if crash == "commit.after:6":
            with world.servers.redis() as redis:
                redis("FLUSHALL")
    world.start("a", state__flush__interval="1s")
    path = feed.finish()
    world.finish()
    world.compare(path)

    # And by command, those of whom something is known, and some of whom only that they declined, while another
    # processor runs. The refusal stays: what they do later is not looked at.
    chosen, refused = sorted(_known(world))[:180], sorted(_declined(world))[:20]
    listed, final = world.path("users.txt"), world.path("final.jsonl")
    with open(listed, "w", encoding="utf-8") as file:
        file.writelines(user + "\n" for user in chosen + refused)
    with open(final, "w", encoding="utf-8") as file:
        file.writelines(json.dumps({"shoal_forget": user}, separators=(",", ":")) + "\n" for user in chosen + refused)
    world.start("c")
    said = world.shoal("forget", "--file", listed, "--wait")[2]
    check("200 users forgotten, 0 of them not known" in said, f"shoal forget said: {said}")
    check(not set(chosen) & _known(world), "some are known still")
    later = _write_users(world, "later.jsonl", refused)
    world.send(later)
    world.finish()
    final = f"{final},{later}"
    world.compare(f"{path},{final}")
    _check_gone(world, chosen, refused)

    words = [json.loads(line) for piece in path.split(",") for line in read_lines(piece) if b"shoal_forget" in line
             or b"consent_processing" in line]
    declined = [json.loads(line) for line in world.states() if b'"events":0,' in line]
    said = world.shoal("inspect", declined[0]["user_id"])[1]
    check(b"declined" in said, f"shoal inspect says {said}")
    said = world.shoal("recommend", declined[0]["user_id"])[1]
    check(b"is not known" in said, f"shoal recommend says {said}")
    code = world.shoal("explain", declined[0]["user_id"], expect=None)[0]
    check(code == 5, f"shoal explain ended with {code}")
    check(len(words) > 500 and len(declined) > 20, f"{len(words)} words, {len(declined)} declined")
    # Whatever happens to Redis now, a recovery from the log brings nobody back.
    with world.servers.redis() as redis:
        redis("FLUSHALL")
    world.start("d")
    world.finish()
    world.compare(f"{path},{final}")
    _check_gone(world, chosen, refused)


def forgotten_at_least_once(world):
    """The same guarantee about states with delivery at least once: killed at random points, outputs may repeat."""
    world.settings.update(QUICK | {"delivery": "at_least_once"})
    pieces = split(write_forgetting(world.path("forgetting.jsonl"), world.bench.data, MESSAGES // 2, seed=10))
    world.start("b")
    feed = Feed(world, RATE, pieces)
    world.wait_saved(1)
    for crash in ("save.inside:2", "save.after:3"):
        code = world.start("a", crash=crash).wait(60, f"killed at {crash}")
        check(code == -signal.SIGKILL, f"a was to die at {crash} but ended with {code}")
    world.start("a")
    path = feed.finish()
    world.finish()
    world.compare(path, repeats_allowed=True)


def _write_users(world, name, users):
    path = world.path(name)
    with open(path, "w", encoding="utf-8") as file:
        for user in users:
            for number, behavior in enumerate(("pv", "cart")):
                file.write(json.dumps({"user_id": user, "item_id": 1, "behavior": behavior,
                                       "timestamp": 1512000000 + number}) + "\n")
    return path


def forget_command(world):
    """A user who is in the log and not in Redis is forgotten in every partition; what the command says and how it
    ends; a dry run does nothing."""
    world.send(_write_users(world, "one.jsonl", ["one \"quoted\""]))
    check(b"not in Redis, all partitions told" in world.shoal("forget", "one \"quoted\"")[1], "of an unknown user")
    world.send(_write_users(world, "two.jsonl", ["two"]))
    world.start("a")
    world.wait_saved(4 + PARTITIONS)
    check(_known(world) == {"two"}, f"known are {_known(world)}")
    _check_gone(world, ["one \"quoted\""])
    said = world.shoal("forget", "--dry-run", "two")[1]
    check(said.startswith(b"two: partition "), f"a dry run said {said}")
    world.stop("a")
    code, _, said = world.shoal("forget", "--wait", "--timeout", "1", "two", expect=None)
    check(code == 1 and "is a processor running?" in said, f"without a processor: {code} {said}")
    world.start("a")
    world.shoal("forget", "--wait", "two")
    check(not _known(world), "two is known still")
    for arguments, wanted in ((["x" * 65], 5), ([], 2), (["--file", world.path("none")], 5)):
        code = world.shoal("forget", *arguments, expect=None)[0]
        check(code == wanted, f"shoal forget {arguments}: {code}")
    world.finish()


def _forget_some(world, path):
    """Puts messages that have users forgotten into the last quarter of a file, as they stand in a log with
    pseudonyms; returns these."""
    lines = read_lines(path)
    users = sorted({json.loads(line).get("user_id") or "" for line in lines[:2000] if line.endswith(b"}")} - {""})[:40]
    stored = world.shoal("pseudonym", *users)[1].decode().split()
    for number, user in enumerate(stored):
        lines.insert(len(lines) * 3 // 4 + 50 * number, b'{"shoal_forget":"%s"}' % user.encode())
    with open(path, "wb") as file:
        file.writelines(line + b"\n" for line in lines)
    return set(stored)


def pseudonyms(world):
    """With a key, no original id is in Redis, in any output, dead letters included, or in a log; look-ups take it all
    the same; another key, or none, is refused."""
    key, other = world.path("key"), world.path("other")
    for path in (key, other):
        world.shoal("pseudonym", "--new-key", path)
    world.settings.update(QUICK | {"privacy.pseudonym_key": key})
    path = write_named(world.path("named.jsonl"), world.bench.data, MESSAGES // 2, 11,
                       lambda user: f"user-{user}{HIDDEN.decode()}")
    forgotten = _forget_some(world, path)
    sender = world.start_send(path, RATE)
    world.start("b")
    code = world.start("a", crash="commit.after:4").wait(60, "killed")
    check(code == -signal.SIGKILL, f"a was to die but ended with {code}")
    world.start("a")
    world.finish_send(sender)
    user = json.loads(read_lines(path)[0])["user_id"]
    world.finish()
    world.compare(path)
    check(forgotten - _known(world), "all who were forgotten came back")
    check(len(world.output("deadletter")) > 50, "too few dead letters to say anything")
    for name in ("segments", "decisions", "deadletter", "models"):
        for message in world.output(name, "read_uncommitted"):
            text = b"%s %s %s" % (message.key or b"", message.value or b"", repr(message.headers).encode())
            check(HIDDEN not in text, f"{name} holds an original id: {text}")
    with world.servers.redis() as redis:
        for slot in _slots(world):
            check(not any(HIDDEN in member for member in redis("ZRANGE", slot + b"#timers", "0", "-1")), "a timer")
        for found in redis("KEYS", "*"):
            check(HIDDEN not in found, f"a key: {found}")
            if redis("TYPE", found) == b"string":
                check(HIDDEN not in redis("GET", found), f"the value of {found}")
    for name in "ab":
        check(HIDDEN.decode() not in world.log(name), f"the log of {name}")

    stored = world.shoal("pseudonym", user)[1].decode().strip()
    check(len(stored) == 26 and stored in _known(world), f"{user} is {stored}")
    check(json.loads(world.shoal("inspect", "--json", user)[1])["user_id"] == stored, "inspect finds another user")
    for wrong in (other, ""):
        code = world.start("c", privacy__pseudonym_key=wrong).wait(60)
        check(code == 3 and "pseudonym" in world.log("c"), f"another key: {code} {world.log('c')[-800:]}")
        world.processors.pop("c")
    world.start("d")
    world.shoal("forget", "--wait", user)
    check(stored not in _known(world), f"{user} is known still")
    world.finish()
    _check_gone(world, [stored])


def _secrets(world, secure):
    """Files with the right password and with a wrong one, and the settings of a login."""
    right, wrong = world.path("right"), world.path("wrong")
    for path, text in ((right, secure["password"]), (wrong, WRONG)):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text + "\n")
    return right, wrong, {
        "kafka.bootstrap.servers": secure["address"], "kafka.security.protocol": "sasl_ssl",
        "kafka.sasl.mechanisms": "SCRAM-SHA-512", "kafka.sasl.username": "shoal",
        "kafka.sasl.password_file": right, "kafka.ssl.ca.location": secure["ca"]}


def _readable(pid):
    """What the system tells others of a process."""
    found = b""
    for name in ("cmdline", "environ", "status"):
        try:
            with open(f"/proc/{pid}/{name}", "rb") as file:
                found += file.read()
        except OSError:
            pass
    return found.decode("utf-8", "replace")


def tls_and_passwords(world):
    """Exactly once over SASL_SSL, with SCRAM-SHA-512 and PLAIN in one group, passwords from a file and a process that
    dies; a wrong password, or a certificate of somebody else, is refused with a clear word, and no secret is in any
    log, however much librdkafka says."""
    secure = world.servers.secure()
    right, wrong, login = _secrets(world, secure)
    plain = dict(world.settings)
    world.settings.update(QUICK | login)
    path = world.bench.short
    sender = world.start_send(path, RATE)
    chatty = {"kafka__debug": "all", "log__level": "debug"}
    world.start("b", kafka__sasl__mechanisms="PLAIN", **chatty)
    code = world.start("a", crash="commit.after:4", **chatty).wait(60, "killed")
    check(code == -signal.SIGKILL, f"a was to die but ended with {code}")
    told = _readable(world.start("a").pid)
    world.finish_send(sender)
    world.finish()
    world.settings = plain
    world.compare(path)
    world.settings = plain | login
    for name, changed, word in (("v", {"kafka__sasl__password_file": wrong}, "uthentication"),
                                ("w", {"kafka__sasl__password_file": wrong, "kafka__sasl__mechanisms": "PLAIN"},
                                 "uthentication"),
                                ("x", {"kafka__ssl__ca__location": secure["other_ca"]}, "SSL handshake failed")):
        for more in ({}, chatty):
            code = world.start(name, **changed, **more).wait(60)
            check(code == 3 and word in world.log(name), f"{word}: {code} {world.log(name)[-800:]}")
            world.processors.pop(name)
    code, _, said = world.shoal("forget", "somebody", kafka__sasl__password_file=wrong, expect=None)
    check(code == 3 and "uthentication" in said, f"shoal forget with a wrong password: {code} {said}")
    told += said + world.shoal("config", "--show")[1].decode()
    check("kafka.sasl.password: ***" in told, f"shoal config --show says {told[-600:]}")
    check("SCRAM" in world.log("a") and len(world.log("a")) > 100000, "librdkafka had nothing to say")
    for text in [told, *(world.log(name) for name in "abvwx")]:
        for secret in (secure["password"], WRONG):
            check(secret not in text, f"a password is in a log, or in what is told of a process: {text[:300]}")
    check(os.path.exists(right), "the file with the password is read, not moved")

# SPDX-License-Identifier: Apache-2.0
"""What a running processor says of itself, beside what is in the topics."""

import re
import shutil
import subprocess
import time

from http_client import Http
from processes import Unable, check, run, wait_until


def _figures(http):
    """{series: value}, and the text."""
    answer = http.get("/metrics")
    text = answer.body.decode()
    check(answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"), str(answer.headers))
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
            for line in text.splitlines() if line and line[0] != "#"}, text


def _sum(figures, name, *labels):
    """Of all series of a name that have these labels."""
    return sum(value for series, value in figures.items()
               if series.split("{")[0] == name and all(label in series for label in labels))


def _differences(world, figures):
    """Counters beside the topics: exactly once also means that each output is counted once."""
    counted = {"segments": "shoal_segment_changes_total", "decisions": "shoal_decisions_total",
               "deadletter": "shoal_dead_letters_total"}
    pairs = [(name, len(world.output(name)), _sum(figures, metric)) for name, metric in counted.items()]
    pairs.append(("lag", 0, _sum(figures, "shoal_lag_messages")))
    return [f"{name}: {wanted} expected, {found} counted" for name, wanted, found in pairs if wanted != found]


def _settle(world, http, more=lambda figures: True):
    """Figures once all that was sent is committed and nothing differs any more."""
    ends = sum(world.kafka.ends(world.topic("events")))
    world.wait_saved(ends)
    found = {}

    def same():
        found["figures"], found["text"] = _figures(http)
        found["differences"] = _differences(world, found["figures"])
        return not found["differences"] and more(found["figures"])
    try:
        wait_until(same, 20, "the figures agree with the topics", 0.5)
    finally:
        check(not found["differences"], "\n  ".join(found["differences"]))
    return found["figures"], found["text"]


def metrics_agree_with_the_topics(world):
    """Every output is counted once, by result, dimension and promotion; delay, lag, commits; librdkafka's own."""
    began = time.time()
    world.send(world.bench.short)
    world.start("a")
    http = Http.of(world, "a")
    http.wait_ready()
    # The statistics of librdkafka come every five seconds.
    figures, text = _settle(
        world, http, lambda figures: figures['shoal_kafka_received_messages_total{client="consumer"}'] > 0)
    messages = figures["shoal_messages_total"]
    ends = sum(world.kafka.ends(world.topic("events")))
    check(messages == ends, f"{messages} messages of {ends}")
    check(_sum(figures, "shoal_events_total") >= messages, "a message has one event or more, or is a dead letter")
    check(figures["shoal_delay_seconds_count"] == messages, "each message has a delay")
    check(figures['shoal_events_total{result="recovered"}'] == 0, "nothing was recovered")
    check(figures["shoal_commit_duration_seconds_count"] > 0, "commits are timed")
    check(figures["shoal_redis_save_duration_seconds_count"] > 0, "saves are timed")
    check(figures["shoal_cache_misses_total"] > 0 and figures["shoal_cached_users"] > 0, "the cache is counted")
    check(figures['shoal_kafka_rtt_seconds{client="consumer"}'] > 0, "round trips are timed")
    check(figures['shoal_partitions_moved_total{kind="assigned"}'] == 4, "four partitions came")
    check(began < figures['shoal_last_commit_timestamp_seconds{worker="0"}'] <= time.time(), "it commits")
    check(re.search(r'shoal_model_info\{version="[0-9a-f]{16}"\} 1', text), "the model is named")
    check(figures['shoal_http_requests_total{code="200"}'] > 0, "requests are counted")
    promtool = shutil.which("promtool")
    if promtool:
        said = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True,
                              timeout=60, check=False)
        check(said.returncode == 0 and not said.stdout + said.stderr, said.stdout + said.stderr)
    shown = run([world.bench.program, "top", "--once", "--url", http.address.geturl()], 30, 0)[1].decode()
    check("1 of 1 processes" in shown and "events" in shown, shown)
    world.finish()
    world.compare(world.bench.short)
    if not promtool:
        raise Unable("no promtool to check the figures' form: run tools/setup")


def counters_go_on_over_sessions(world):
    """Redis goes and comes back, twice, and loses what it had: counters never fall, and count each output once."""
    world.start("a")
    http = Http.of(world, "a")
    http.wait_ready()
    sender = world.start_send(world.bench.short, 2000)
    before = 0
    for _ in range(2):
        time.sleep(1.5)
        world.servers.do("kill-redis")
        time.sleep(2)
        figures, _ = _figures(http)
        check(figures["shoal_messages_total"] >= before, "a counter fell")
        before = figures["shoal_messages_total"]
        world.servers.do("wipe-redis")
    world.finish_send(sender)
    figures, _ = _settle(world, http)
    check(figures["shoal_redis_failures_total"] > 0, "Redis was away")
    ended = _sum(figures, "shoal_sessions_ended_total")
    check(ended >= 2, f"{ended} sessions ended")
    check(figures['shoal_events_total{result="recovered"}'] > 0, "states were recovered")
    check(figures['shoal_partitions_moved_total{kind="assigned"}'] >= 12, "partitions came again")
    world.finish()
    world.compare(world.bench.short)

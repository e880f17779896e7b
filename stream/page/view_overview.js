/* SPDX-License-Identifier: Apache-2.0 */
/* Everything at a glance: is it running, how fast, who stands where, what is decided. */
import { el, keyed, scroller, select, setText, table, tableRow } from "./dom.js";
import { brief, duration, nothing, number, time, timeText, version, words } from "./format.js";
import { onPast, past } from "./history.js";
import { live, on, retryNow } from "./live.js";
import { decisionsCard, sizesCard, throughputCard } from "./overview_charts.js";
import { intentBar, sizesNow } from "./segment_bars.js";
import { failed, loading } from "./states.js";

function pair(seconds) {
  return seconds ? [duration(seconds.p50_seconds), duration(seconds.p99_seconds)] : [nothing, nothing];
}

function lagText(lag) {
  return lag?.seconds === null || lag?.seconds === undefined ? "" : `${duration(lag.seconds)} behind`;
}

/** What a tile shows: [title, what it means, figure, beside it]. */
const tiles = [
  [
    "Throughput",
    "Events a second, of all instances together",
    (o) => `${brief(o.events_per_second)} /s`,
    (o) => `${number(o.events_total)} events in all`,
  ],
  [
    "Lag",
    "Events in Kafka that are not processed yet",
    (o) => number(o.lag?.messages ?? null),
    (o) => lagText(o.lag),
  ],
  [
    "Delay p50",
    "From an event's arrival to its committed outputs, median",
    (o) => pair(o.delay)[0],
    (o) => `p99 ${pair(o.delay)[1]}`,
  ],
  [
    "Users",
    "Users of whom there is a state",
    (o) => number(o.users),
    (o) => `in ${number(o.partitions?.length ?? 0)} partitions`,
  ],
  [
    "Model",
    "The model and the policy in service",
    (o) => (o.model ? o.model.slice(0, 8) : nothing),
    (o) => (o.policy ? `policy ${o.policy.slice(0, 8)}` : "no promotions"),
  ],
  [
    "Dead letters",
    "Messages refused since the states began",
    (o) => number(o.deadletters_total),
    (o) => `${number(o.stream_clients)} ${o.stream_clients === 1 ? "reader" : "readers"} of the live stream`,
  ],
  [
    "Instance",
    "The process that answers you",
    (o) => (o.ready ? "ready" : "not ready"),
    (o) => `${o.instance}, up ${duration(o.uptime_seconds)}`,
  ],
];

function tileRow() {
  const cells = tiles.map(([title, meaning, figure, beside]) => {
    const value = el("dd", { class: "figure" });
    const more = el("dd", { class: "beside" });
    return {
      root: el("div", { class: "tile", title: meaning }, el("dt", null, title), value, more),
      update: (overview) => {
        setText(value, figure(overview));
        setText(more, beside(overview));
        if (title === "Instance") value.classList.toggle("bad", !overview.ready);
      },
    };
  });
  return {
    root: el(
      "dl",
      { class: "tiles" },
      cells.map((cell) => cell.root),
    ),
    update: (o) => cells.forEach((cell) => cell.update(o)),
  };
}

function partitions() {
  const rows = table(["Partition", "Next offset", "Lag", "Event time"], []);
  const names = el("p", { class: "note" });
  const root = el(
    "section",
    { class: "card wide", "aria-label": "Partitions" },
    el(
      "details",
      null,
      el("summary", null, el("h2", null, "Partitions, model and policy")),
      names,
      scroller("Partitions", rows),
    ),
  );
  return {
    root,
    update: (overview) => {
      names.replaceChildren("Model ", version(overview.model), ", policy ", version(overview.policy), ".");
      keyed(
        rows.tBodies[0],
        overview.partitions ?? [],
        (one) => one.partition,
        (one) => tableRow([String(one.partition), "", "", ""]),
        (row, one) => {
          setText(row.children[1], number(one.next_offset));
          setText(row.children[2], number(one.lag));
          if (row.children[3].firstChild?.textContent !== timeText(one.watermark))
            row.children[3].replaceChildren(time(one.watermark));
        },
      );
    },
  };
}

function dimensionChoice(onchange) {
  const box = select("Dimension", [["intent", "intent"]], "intent", onchange);
  return {
    root: box,
    update: (names, chosen) =>
      box.setOptions(
        names.map((name) => [name, words(name)]),
        chosen,
      ),
  };
}

export function showOverview(root) {
  let dimension = "intent";
  const tilesNow = tileRow();
  const intent = intentBar();
  const sizes = sizesNow();
  const table = partitions();
  const choice = dimensionChoice((name) => {
    dimension = name;
    drawPast();
  });
  const charts = { throughput: throughputCard(), sizes: sizesCard(choice.root), decisions: decisionsCard() };
  const body = el(
    "div",
    { class: "grid" },
    intent.root,
    charts.sizes.root,
    sizes.root,
    charts.throughput.root,
    charts.decisions.root,
    table.root,
  );
  const first = el("div");
  root.append(el("h1", null, "Overview"), first);

  function drawPast() {
    const { data } = past;
    const names = Object.keys(data.dimensions);
    if (names.length && !names.includes(dimension)) dimension = names[0];
    if (names.length) choice.update(names, dimension);
    const order = live.overview?.segments
      ?.find((one) => one.dimension === dimension)
      ?.levels.map((one) => one.level);
    charts.throughput.update(data);
    charts.sizes.update({ times: data.times, dimension, levels: data.dimensions[dimension] ?? {}, order });
    charts.decisions.update({ times: data.times, promotions: data.promotions, overview: live.overview });
  }

  function draw() {
    const { overview } = live;
    if (!overview) {
      const bad = live.state === "stale" || live.state === "refused";
      first.replaceChildren(bad && live.why ? failed(live.why, retryNow) : loading("figures"));
      return;
    }
    if (first.isConnected) {
      first.replaceWith(tilesNow.root, body);
      drawPast();
    }
    tilesNow.update(overview);
    intent.update(overview);
    sizes.update(overview);
    table.update(overview);
  }

  const ends = [on("overview", draw), on("state", draw), onPast(drawPast)];
  draw();
  drawPast();
  return () => {
    ends.forEach((end) => end());
    Object.values(charts).forEach((chart) => chart.stop());
  };
}

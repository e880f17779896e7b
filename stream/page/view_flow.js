/* SPDX-License-Identifier: Apache-2.0 */
/* Who moves where: flows between the levels of a dimension in the last minutes, and the latest single moves. */
import { baseOption, chartCard, plain } from "./charts.js";
import { el, freshId, select, setText } from "./dom.js";
import { decimal, levelName, number, time, words } from "./format.js";
import { flowOf } from "./flow.js";
import { follow, live, on, retryNow } from "./live.js";
import { failed, loading } from "./states.js";
import { colour, levelColour } from "./theme.js";

const windows = [
  ["5", "last 5 minutes"],
  ["15", "last 15 minutes"],
  ["60", "last hour"],
  ["0", "since the states began"],
];
const most_moves = 40;

function levelsOf(dimension) {
  return (
    live.overview?.segments?.find((one) => one.dimension === dimension)?.levels.map((one) => one.level) ?? []
  );
}

function nodeColour(level, levels) {
  const i = levels.indexOf(level);
  return level === null || i < 0 ? colour("c7") : levelColour(i, levels.length);
}

function sankey(data) {
  const node = (side, level) => ({
    name: `${side}${level === null ? "" : `=${level}`}`,
    itemStyle: { color: nodeColour(level, data.levels) },
    label: { position: side === "a" ? "right" : "left" },
    shown: plain(levelName(level)),
    depth: side === "a" ? 0 : 1,
  });
  // In the order of the levels on both sides, so that the eye finds them where they were.
  // Moves may name a level that nobody is counted at now ("other": clusters of models before).
  const order = [...new Set([null, ...data.levels, ...data.moves.flatMap((move) => [move.from, move.to])])];
  const side = (name, key) =>
    order.filter((level) => data.moves.some((move) => move[key] === level)).map((level) => node(name, level));
  return {
    tooltip: {
      ...baseOption().tooltip,
      trigger: "item",
      formatter: ({ data: one, dataType, value }) =>
        dataType === "edge" ? `${one.says}: ${number(value)} moves` : `${one.shown}: ${number(value)} moves`,
    },
    series: [
      {
        type: "sankey",
        left: 4,
        right: 4,
        top: 8,
        bottom: 8,
        nodeGap: 14,
        nodeWidth: 14,
        draggable: false,
        emphasis: { focus: "adjacency" },
        layoutIterations: 0,
        data: [...side("a", "from"), ...side("b", "to")],
        links: data.moves.map(({ from, to, count }) => ({
          source: node("a", from).name,
          target: node("b", to).name,
          value: count,
          says: `${plain(levelName(from))} → ${plain(levelName(to))}`,
        })),
        lineStyle: { color: "source", opacity: 0.35, curveness: 0.5 },
        label: {
          color: colour("ink"),
          fontSize: 12,
          formatter: ({ data: one, value }) => `${one.shown}  ${number(value)}`,
        },
      },
    ],
  };
}

function matrix(data) {
  const froms = [...new Set(data.moves.map((one) => one.from))];
  const tos = [...new Set(data.moves.map((one) => one.to))];
  const count = (from, to) => data.moves.find((one) => one.from === from && one.to === to)?.count;
  return {
    caption: `Moves of ${words(data.dimension)}, ${data.span}`,
    head: ["from \\ to", ...tos.map(levelName)],
    rows: froms.map((from) => [levelName(from), ...tos.map((to) => number(count(from, to)))]),
  };
}

/** The latest moves, newest first; may be held still while somebody reads. */
function ticker() {
  const id = freshId("ticker");
  const list = el("ol", { class: "moves", tabindex: "0", "aria-labelledby": id });
  const note = el("p", { class: "empty" }, "Moves appear here as they are committed.");
  const skipped = el("p", { class: "note", hidden: true });
  let held = false;
  let missed = 0;
  const hold = el(
    "button",
    {
      type: "button",
      class: "quiet",
      "aria-pressed": "false",
      onclick: () => {
        held = !held;
        hold.setAttribute("aria-pressed", String(held));
        setText(hold, held ? "Go on" : "Hold");
      },
    },
    "Hold",
  );
  const root = el(
    "section",
    { class: "card", "aria-labelledby": id },
    el("div", { class: "head" }, el("h2", { id }, "Latest moves"), hold),
    skipped,
    note,
    list,
  );
  return {
    root,
    add(change) {
      if (held) return;
      note.hidden = true;
      list.prepend(
        el(
          "li",
          null,
          time(change.event_time),
          " ",
          el("a", { href: `#/user/${encodeURIComponent(change.user_id)}`, class: "id" }, change.user_id),
          " ",
          el(
            "span",
            null,
            words(change.dimension),
            " ",
            levelName(change.from),
            " → ",
            el("b", null, levelName(change.to)),
            typeof change.score === "number"
              ? [" ", el("em", { class: "soft" }, `score ${decimal(change.score, 3)}`)]
              : null,
          ),
        ),
      );
      while (list.children.length > most_moves) list.lastElementChild.remove();
    },
    skip(count) {
      missed += count;
      skipped.hidden = false;
      setText(
        skipped,
        `${number(missed)} more came than can be read: they are counted in the flow, not listed.`,
      );
    },
  };
}

export function showFlow(root) {
  let dimension = "intent";
  let minutes = 15;
  const redraw = () => draw();
  const choice = select("Dimension", [["intent", "intent"]], dimension, (name) => {
    dimension = name;
    redraw();
  });
  const span = select("Moves of the", windows, String(minutes), (value) => {
    minutes = Number(value);
    redraw();
  });
  const card = chartCard({
    title: "Moves between levels",
    class: "span2",
    height: "high",
    controls: [choice, span],
    empty: (data) =>
      data.moves.length
        ? ""
        : minutes
          ? `Nobody moved ${data.span}. “Since the states began” shows all moves so far.`
          : "Nobody has moved yet.",
    says: (data) => `${number(data.total)} moves of ${words(data.dimension)} ${data.span}; most of them
      ${data.moves
        .slice(0, 3)
        .map((one) => `${levelName(one.from)} to ${levelName(one.to)} (${number(one.count)})`)
        .join(", ")}.`,
    rows: matrix,
    option: sankey,
  });
  const note = el("p", { class: "note" });
  const moves = ticker();
  const body = el("div", { class: "grid" }, card.root, moves.root);
  const first = el("div");
  root.append(el("h1", null, "Flow between segments"), first);

  function draw() {
    if (!live.overview) {
      const bad = live.state === "stale" || live.state === "refused";
      first.replaceChildren(bad && live.why ? failed(live.why, retryNow) : loading("segments"));
      return;
    }
    if (first.isConnected) first.replaceWith(note, body);
    const names = live.overview.segments.map((one) => one.dimension);
    if (!names.includes(dimension)) dimension = names[0] ?? dimension;
    choice.setOptions(
      names.map((name) => [name, words(name)]),
      dimension,
    );
    const flow = flowOf(live.overview, dimension, minutes);
    setText(
      note,
      `${number(flow.total)} moves of ${words(dimension)} ${flow.span}. Left: the level that was left, right: the one that was entered; “none” is not seen before, or in no segment.`,
    );
    card.update({ ...flow, dimension, levels: levelsOf(dimension) });
  }

  const end = on("overview", draw);
  const end_state = on("state", () => live.overview || draw());
  const unfollow = follow("types=change", ({ type, data }) => {
    if (type === "change") moves.add(data);
    else if (type === "skipped") moves.skip(data.messages);
  });
  draw();
  return () => {
    end();
    end_state();
    unfollow();
    card.stop();
  };
}

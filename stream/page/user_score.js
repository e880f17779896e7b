/* SPDX-License-Identifier: Apache-2.0 */
/* How the score came to be what it is: the probability after each recent event, and the changes of segment among
 * them. Events stand side by side, not on a scale of time: a score is of an event and stays until the next, and
 * a visit is minutes long with days between two. */
import { axisStyle, baseOption, chartCard, plain } from "./charts.js";
import { axisTime, levelName, number, percent, time, timeText, words } from "./format.js";
import { colour } from "./theme.js";
import { behavior_words } from "./user_standing.js";

const last = (list) => list[list.length - 1];
const behaviorName = (one) => behavior_words[one.behavior] ?? one.behavior;

/** Changes at their place among the events: 2 is with the third event, 2.5 between it and the next. Events have
 * whole seconds. */
function placed(events, changes) {
  const second = (iso) => Math.floor(Date.parse(iso) / 1000);
  return changes.map((one) => {
    const before = events.findLastIndex((event) => second(event.time) <= second(one.at));
    return { ...one, x: second(events[before]?.time) === second(one.at) ? before : before + 0.5 };
  });
}

function changeText(one) {
  const from = one.from === undefined ? "" : `${levelName(one.from)} → `;
  return `${words(one.dimension)} ${from}${levelName(one.to)}`;
}

/** [{x, says}]: one mark for all changes of a place. */
function marks(data) {
  const places = new Map();
  for (const one of data.changes) places.set(one.x, [...(places.get(one.x) ?? []), changeText(one)]);
  return [...places].map(([x, texts]) => ({ x, says: texts.join(", ") }));
}

function scoreLine(data) {
  const lines = [
    ...(typeof data.served === "number"
      ? [{ yAxis: data.served, lineStyle: { color: colour("soft"), type: "dotted", width: 1.5 } }]
      : []),
    ...marks(data).map(({ x }) => ({ xAxis: x, lineStyle: { color: colour("c3"), type: "dashed" } })),
  ];
  return {
    type: "line",
    step: "end",
    symbol: "circle",
    symbolSize: 8,
    color: colour("c0"),
    data: data.events.map((one, i) => ({
      value: [i, one.score_after],
      says: `${percent(one.score_after)} after ${behaviorName(one)}, ${timeText(one.time)}`,
    })),
    markLine: { symbol: "none", silent: true, label: { show: false }, data: lines },
  };
}

/** Along the top, with as many of their names as there is room for. */
function changeMarks(data) {
  const left = (x) => x > data.events.length / 2;
  return {
    type: "scatter",
    yAxisIndex: 1,
    symbol: "diamond",
    symbolSize: 10,
    color: colour("c3"),
    labelLayout: { hideOverlap: true },
    data: marks(data).map(({ x, says }) => ({
      value: [x, 1],
      says,
      label: { position: left(x) ? "left" : "right" },
    })),
    label: {
      show: true,
      color: colour("ink"),
      fontSize: 11,
      width: 150,
      overflow: "truncate",
      formatter: ({ data: one }) => plain(one.says),
    },
  };
}

function option(data) {
  const { events, served } = data;
  const style = axisStyle();
  const places = events.map((_, i) => i);
  return {
    legend: { show: false },
    grid: { left: 4, right: 16, top: 16, bottom: 4, containLabel: true },
    xAxis: {
      type: "value",
      min: -0.5,
      max: events.length - 0.5,
      ...style,
      splitLine: { show: false },
      axisTick: { ...style.axisTick, customValues: places },
      axisLabel: {
        ...style.axisLabel,
        customValues: places,
        hideOverlap: true,
        formatter: (x) => axisTime(events[x]?.time),
      },
    },
    yAxis: [
      {
        type: "value",
        min: 0,
        max: ({ max }) => (served > max ? served * 1.1 : null),
        splitNumber: 3,
        ...style,
        axisLine: { show: false },
        axisTick: { show: false },
        axisLabel: { ...style.axisLabel, showMaxLabel: false, formatter: (value) => percent(value, 0) },
      },
      { type: "value", min: 0, max: 1, show: false },
    ],
    tooltip: { ...baseOption().tooltip, trigger: "item", formatter: ({ data: one }) => plain(one.says) },
    series: [scoreLine(data), changeMarks(data)],
  };
}

function rows(data) {
  const changes = (i) =>
    data.changes.filter((one) => one.x === i || one.x === i + 0.5).map((one) => changeText(one));
  return {
    caption:
      "Probability of a purchase after each event, and changes of segment until the next; newest first",
    head: ["Time", "Event", "Probability", "Segments"],
    rows: data.events
      .map((one, i) => [
        time(one.time),
        behaviorName(one),
        percent(one.score_after, 2),
        changes(i).join(", "),
      ])
      .reverse(),
  };
}

/** What the lines are, and what they are not. */
function note({ older }) {
  return [
    `Computed anew from the ${older > 0 ? "recent " : ""}events by the model in service: where another model, another correction or times within a second were at work, what was emitted then was a little different.`,
    older > 0
      ? ` What ${number(older)} older events left in the state is not in it: the first points know least, and the last one may differ from the score now (dotted).`
      : "",
    " Of each dimension only the last change is on record; earlier ones are seen while this page is open.",
  ].join("");
}

export function scoreCard() {
  return chartCard({
    title: "Score after each recent event",
    class: "wide",
    key: [
      ["probability", "c0", "solid"],
      ["change of segment", "c3", "dashed"],
      ["score now", "soft", "dotted"],
    ],
    empty: (data) => (data.events.length ? "" : data.why),
    says: ({ events, served, ...data }) => {
      const changes = marks(data).map((one) => one.says);
      return `Over ${events.length} events from ${percent(events[0].score_after)} to ${percent(last(events).score_after)}; the score now is ${percent(served)}. Changes of segment: ${changes.join("; ") || "none"}.`;
    },
    rows,
    option,
    note,
  });
}

/** What the card is told: the explanation's events, and changes as {at, dimension, from, to}. */
export function scoreData(explained, changes, why) {
  const events = explained?.events ?? [];
  return {
    events,
    served: explained?.scores.served,
    older: explained ? explained.events_known - explained.events_explained : 0,
    changes: placed(events, changes),
    why,
  };
}

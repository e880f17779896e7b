/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of the overview: throughput, segment sizes, decisions of each promotion, over the last hour. */
import { axisStyle, baseOption, chartCard, plain } from "./charts.js";
import { brief, clockText, decimal, levelName, number, words } from "./format.js";
import { colour, levelColour } from "./theme.js";

const waiting = (data) => (data.times.length < 2 ? "Not two samples yet: lines begin in a few seconds." : "");
const hour_ms = 3600000;
const shorter = (times) => Date.parse(times.at(-1)) - Date.parse(times[0]) < hour_ms - 60000;
const begin = (times) => clockText(new Date(times[0]));
/** The time that lines are of, in words. */
const span = (times) => (shorter(times) ? `since ${begin(times)}` : "over the last hour");
/** Nobody keeps what was before an instance's start. */
const note = ({ times }) =>
  shorter(times) ? `Lines begin at ${begin(times)}: each instance keeps them from its own start on.` : "";
const last = (line) => line?.at(-1) ?? null;
const known = (line) => line.filter((value) => value !== null);
const short_ms = 5 * 60000;

/** Hours and minutes; seconds too where minutes would be the same at several ticks. */
function timeAxis(times, more) {
  const seconds = Date.parse(times.at(-1)) - Date.parse(times[0]) < short_ms;
  const formatter = (value) => clockText(new Date(value)).slice(0, seconds ? 8 : 5);
  return {
    type: "time",
    ...axisStyle(),
    splitLine: { show: false },
    axisLabel: { ...axisStyle().axisLabel, hideOverlap: true, formatter },
    ...more,
  };
}

function valueAxis(name, more) {
  return {
    type: "value",
    name,
    min: 0,
    splitNumber: 3,
    ...axisStyle(),
    nameGap: 10,
    nameTextStyle: { ...axisStyle().nameTextStyle, align: "left" },
    axisLabel: { ...axisStyle().axisLabel, formatter: brief },
    ...more,
  };
}

function points(times, line) {
  return times.map((at, i) => [Date.parse(at), line[i] ?? null]);
}

function line(name, data, look) {
  return {
    type: "line",
    name: plain(name),
    data,
    showSymbol: false,
    symbol: "circle",
    symbolSize: 5,
    lineStyle: { width: 1.5, ...look.line },
    itemStyle: { color: look.colour },
    ...look.more,
  };
}

/** The rows of a table over time: the newest first, at most as many as a person reads. */
function rowsOf(times, lines, show) {
  const most = 60;
  return times
    .map((at, i) => [clockText(new Date(at)), ...lines.map((one) => show(one[i] ?? null))])
    .reverse()
    .slice(0, most);
}

export function throughputCard() {
  return chartCard({
    title: "Throughput",
    empty: waiting,
    says: (data) => `${brief(last(data.events_per_second))} events a second now, ${span(data.times)} between
      ${brief(Math.min(...known(data.events_per_second)))} and ${brief(Math.max(...known(data.events_per_second)))}.`,
    note,
    rows: (data) => ({
      caption: "Events a second, newest first",
      head: ["Time", "Events /s"],
      rows: rowsOf(data.times, [data.events_per_second], number),
    }),
    option: (data) => ({
      legend: { show: false },
      grid: { left: 4, right: 12, top: 24, bottom: 4, containLabel: true },
      xAxis: timeAxis(data.times),
      yAxis: valueAxis("events /s"),
      series: [
        line("events /s", points(data.times, data.events_per_second), {
          colour: colour("c0"),
          more: { areaStyle: { opacity: 0.15 } },
        }),
      ],
      tooltip: { ...baseOption().tooltip, valueFormatter: number },
    }),
  });
}

function levelsOf(data) {
  const names = Object.keys(data.levels);
  const known = (data.order ?? []).filter((name) => names.includes(name));
  return [...known, ...names.filter((name) => !known.includes(name))];
}

export function sizesCard(choice) {
  return chartCard({
    title: "Segment sizes over time",
    controls: choice,
    class: "most",
    empty: (data) => (Object.keys(data.levels).length ? waiting(data) : "Nobody is in a segment yet."),
    says: (data) => `Users by level of ${words(data.dimension)} ${span(data.times)}; now
      ${levelsOf(data)
        .map((name) => `${levelName(name)} ${number(last(data.levels[name]))}`)
        .join(", ")}.`,
    note,
    rows: (data) => ({
      caption: `Users by level of ${words(data.dimension)}, newest first`,
      head: ["Time", ...levelsOf(data)],
      rows: rowsOf(
        data.times,
        levelsOf(data).map((name) => data.levels[name]),
        number,
      ),
    }),
    option: (data) => ({
      xAxis: timeAxis(data.times),
      yAxis: valueAxis(""),
      tooltip: { ...baseOption().tooltip, valueFormatter: number },
      series: levelsOf(data).map((name, i, all) =>
        line(name, points(data.times, data.levels[name]), {
          colour: levelColour(i, all.length),
          line: { width: 1, color: colour("ground") },
          more: { stack: "users", areaStyle: { opacity: 0.85, color: levelColour(i, all.length) } },
        }),
      ),
    }),
  });
}

/* ---- decisions: one small chart a promotion, so that none hides another ---- */

const most_charts = 12;

function promotionsOf(data) {
  const sum = (id) =>
    [...data.promotions[id].treatment, ...data.promotions[id].control].reduce((a, b) => a + (b ?? 0), 0);
  return Object.keys(data.promotions)
    .sort((a, b) => sum(b) - sum(a) || a.localeCompare(b))
    .slice(0, most_charts);
}

function cells(count, width) {
  const columns = Math.max(1, Math.min(count, Math.floor(width / 210)));
  const rows = Math.ceil(count / columns);
  const gap = 24;
  const cell = (width - gap * (columns - 1)) / columns;
  const row = 100;
  return (i) => ({
    left: (i % columns) * (cell + gap),
    top: Math.floor(i / columns) * row,
    width: cell,
    height: row,
    last: Math.floor(i / columns) === rows - 1,
  });
}

function smallCharts(data, width) {
  const ids = promotionsOf(data);
  const place = cells(ids.length, width);
  // Each on its own scale, which it names: one burst would flatten all the others.
  const most = ids.map((id) =>
    Math.max(
      1,
      ...[...data.promotions[id].treatment, ...data.promotions[id].control].map((value) =>
        Math.ceil(value ?? 0),
      ),
    ),
  );
  const look = {
    treatment: { colour: colour("c0") },
    control: { colour: colour("c1"), line: { type: "dashed" } },
  };
  return {
    legend: { ...baseOption().legend, show: false },
    title: ids.map((id, i) => ({
      text: plain(id.length > 26 ? `${id.slice(0, 25)}…` : id),
      left: place(i).left,
      top: place(i).top + 2,
      padding: 0,
      textStyle: { fontSize: 12, fontWeight: 600, color: colour("ink") },
    })),
    grid: ids.map((_, i) => ({
      left: place(i).left + 30,
      top: place(i).top + 22,
      width: place(i).width - 38,
      height: 50,
    })),
    xAxis: ids.map((_, i) =>
      timeAxis(data.times, { gridIndex: i, splitNumber: 2, axisTick: { show: false } }),
    ),
    yAxis: ids.map((_, i) =>
      valueAxis("", {
        gridIndex: i,
        max: most[i],
        splitNumber: 1,
        interval: most[i],
        axisLine: { show: false },
      }),
    ),
    series: ids.flatMap((id, i) =>
      ["treatment", "control"].map((arm) => ({
        ...line(arm, points(data.times, data.promotions[id][arm]), look[arm]),
        xAxisIndex: i,
        yAxisIndex: i,
      })),
    ),
    tooltip: { ...baseOption().tooltip, valueFormatter: (value) => `${decimal(value, 1)} /min` },
  };
}

export function decisionsCard() {
  const now = (data, id, arm) => decimal(last(data.promotions[id][arm]), 1);
  return chartCard({
    title: "Offers a minute by promotion",
    class: "most",
    height: "cells",
    key: [
      ["treatment", "c0", "solid"],
      ["control (only watched)", "c1", "dashed"],
    ],
    empty: (data) => (promotionsOf(data).length ? waiting(data) : "No promotion has been offered yet."),
    lines: (data, width) =>
      Math.ceil(
        promotionsOf(data).length / Math.max(1, Math.min(promotionsOf(data).length, Math.floor(width / 210))),
      ),
    says: (data) =>
      `Offers a minute now: ${promotionsOf(data)
        .map(
          (id) => `${id} ${now(data, id, "treatment")} to treatment, ${now(data, id, "control")} to control`,
        )
        .join("; ")}.`,
    rows: (data) => ({
      caption: "Offers a minute, newest sample",
      head: ["Promotion", "Treatment", "Control"],
      rows: promotionsOf(data).map((id) => [id, now(data, id, "treatment"), now(data, id, "control")]),
    }),
    note: ({ promotions }) => {
      const all = Object.keys(promotions).length;
      return all > most_charts
        ? `The ${most_charts} with the most offers of ${all}; “Promotions” has all.`
        : "";
    },
    option: smallCharts,
  });
}

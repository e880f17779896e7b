/* SPDX-License-Identifier: Apache-2.0 */
/* A user's recent events and changes of segment, the newest first, with the score after each event and what
 * the event does to the score of now. */
import { el } from "./dom.js";
import { duration, levelName, number, percent, points, time, words } from "./format.js";
import { behavior_words } from "./user_standing.js";

/** What the explanation says of each event: both lists end with the same one. */
function told(events, explained) {
  const list = explained?.events ?? [];
  return events.map((one, i) => {
    const other = list[list.length - events.length + i];
    return other && other.time === one.event_time && other.behavior === one.behavior ? other : null;
  });
}

function eventItem(one) {
  return el(
    "li",
    { class: "event" },
    el(
      "span",
      { class: `tag ${one.event.behavior}` },
      behavior_words[one.event.behavior] ?? one.event.behavior,
    ),
    " ",
    el("span", { class: "id" }, `item ${one.event.item}`),
    one.told
      ? el(
          "span",
          {
            class: `effect ${one.told.probability < 0 ? "takes" : "adds"}`,
            title: "What it does to the probability of a purchase now",
          },
          points(one.told.probability, 2),
        )
      : null,
    el(
      "span",
      { class: "when" },
      [
        typeof one.told?.score_after === "number" ? `score ${percent(one.told.score_after)}` : null,
        one.event.category ? `category ${one.event.category}` : null,
        typeof one.event.price_level === "number" ? `price level ${number(one.event.price_level)}` : null,
      ]
        .filter(Boolean)
        .join(", "),
    ),
    el(
      "span",
      { class: "when" },
      time(one.at),
      one.gap_s ? `, ${duration(one.gap_s)} after the one before` : null,
    ),
  );
}

function moveItem(one) {
  return el(
    "li",
    { class: "change" },
    el("span", { class: "tag segment" }, words(one.dimension)),
    " ",
    one.from === undefined ? null : `${levelName(one.from)} → `,
    el("b", null, levelName(one.to)),
    one.score === undefined ? null : el("span", { class: "soft" }, ` score ${percent(one.score)}`),
    el("span", { class: "when" }, time(one.at)),
  );
}

/** Changes that came while the page was open tell more than the record, which knows since when only. */
export function moves(answer, changes) {
  const from_ms = Date.parse(answer.recent_events?.[0]?.event_time ?? NaN);
  const seen = new Set(changes.map((one) => `${one.dimension} ${one.event_time}`));
  const of_record = Object.entries(answer.segments ?? {})
    .filter(([dimension, one]) => Date.parse(one.since) >= from_ms && !seen.has(`${dimension} ${one.since}`))
    .map(([dimension, one]) => ({ at: one.since, dimension, to: one.level }));
  return [
    ...changes.map((one) => ({
      at: one.event_time,
      dimension: one.dimension,
      from: one.from,
      to: one.to,
      score: one.score,
    })),
    ...of_record,
  ];
}

export function timeline(answer, explained, changes) {
  const events = answer.recent_events ?? [];
  if (!events.length) return el("p", { class: "empty" }, "No recent event is known.");
  const effects = told(events, explained);
  const list = [
    ...events.map((event, i) => ({
      at: event.event_time,
      event,
      told: effects[i],
      gap_s: i ? (Date.parse(event.event_time) - Date.parse(events[i - 1].event_time)) / 1000 : 0,
    })),
    ...moves(answer, changes),
  ].map((one, i) => ({ ...one, i, ms: Date.parse(one.at) }));
  list.sort((a, b) => b.ms - a.ms || Boolean(a.event) - Boolean(b.event) || b.i - a.i);
  return el(
    "div",
    null,
    el(
      "ol",
      { class: "timeline" },
      list.map((one) => (one.event ? eventItem(one) : moveItem(one))),
    ),
    answer.events > events.length
      ? el(
          "p",
          { class: "note" },
          `The last ${events.length} of ${answer.events} events: so many are kept. What the older ones left is in the state.`,
        )
      : null,
  );
}

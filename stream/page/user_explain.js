/* SPDX-License-Identifier: Apache-2.0 */
/* What moved a score: contributions by integrated gradients as bars to either side, by event, by input and by
 * counter, and how far their sum is from what they explain. */
import { el, table, tabs } from "./dom.js";
import { decimal, percent, points, signed, time, version, words } from "./format.js";
import { behavior_words } from "./user_standing.js";

function half(value, most) {
  const fill = el("i", { class: value < 0 ? "takes" : "adds" });
  fill.style.width = `${((50 * Math.abs(value)) / most).toFixed(2)}%`;
  return el("span", { class: "diverging", "aria-hidden": "true" }, fill);
}

function bars(label, rows) {
  if (!rows.length) return el("p", { class: "empty" }, "None.");
  const most = Math.max(1e-12, ...rows.map((row) => Math.abs(row.probability)));
  return table(
    [label, "", "Probability", "Logit"],
    rows.map((row) => [
      row.name,
      half(row.probability, most),
      el("td", { class: row.probability < 0 ? "takes-text" : "adds-text" }, points(row.probability, 2)),
      el("td", { class: "soft" }, signed(row.logit, 3)),
    ]),
    { class: "contributions" },
  );
}

function named(object, name) {
  return Object.entries(object ?? {})
    .map(([key, value]) => ({ ...value, name: name(key, value) }))
    .sort((a, b) => Math.abs(b.probability) - Math.abs(a.probability));
}

function counterName(key, value) {
  const [behavior, span] = key.split("_");
  return `${behavior_words[behavior] ?? behavior} in ${span}: ${decimal(value.rate, 2)}`;
}

function eventName(one) {
  return [
    el("span", { class: `tag ${one.behavior}` }, behavior_words[one.behavior] ?? one.behavior),
    " ",
    el("span", { class: "id" }, one.item_id ?? `#${one.item}`),
    " ",
    el("span", { class: "soft" }, time(one.time)),
  ];
}

function summary(answer) {
  const { scores, completeness } = answer;
  const error = completeness.relative_error;
  return el(
    "div",
    null,
    el(
      "p",
      null,
      el("b", null, percent(scores.explained)),
      " by the events explained, from a base of ",
      el("b", null, percent(scores.base)),
      ": events ",
      el("b", null, points(answer.events_total?.probability, 2)),
      ", counters ",
      el("b", null, points(answer.counters_total?.probability, 2)),
      ".",
    ),
    el(
      "p",
      { class: "note" },
      `Completeness: the contributions sum to ${signed(completeness.sum, 4)}, the difference of the logits is ${signed(completeness.difference, 4)}; error ${completeness.error.toExponential(1)}`,
      typeof error === "number" ? ` (${percent(error, 4)})` : "",
      ` with ${completeness.steps} steps. Served: ${percent(scores.served)} by model `,
      version(scores.served_by),
      ". ",
      answer.events_explained < answer.events_known
        ? `Explained are the last ${answer.events_explained} of ${answer.events_known} events.`
        : "",
    ),
  );
}

/** Puts the explanation into `place`; a tab that was chosen stays chosen. */
export function explanation(place, answer) {
  const before = [...place.querySelectorAll("[role=tab]")].findIndex(
    (tab) => tab.getAttribute("aria-selected") === "true",
  );
  const had_focus =
    place.contains(document.activeElement) && document.activeElement.getAttribute("role") === "tab";
  const events = [...answer.events].reverse().map((one) => ({ ...one, name: eventName(one) }));
  const box = tabs("What moved the score", [
    ["Events", el("div", null, bars("Event, newest first", events))],
    [
      "Inputs",
      el(
        "div",
        null,
        bars(
          "Input, over all events",
          named(answer.inputs, (key) => words(key)),
        ),
      ),
    ],
    ["Counters", el("div", null, bars("Counter", named(answer.counters, counterName)))],
  ]);
  place.replaceChildren(summary(answer), box);
  const chosen = box.querySelectorAll("[role=tab]")[before];
  if (before > 0) chosen.click();
  if (had_focus) chosen?.focus();
}

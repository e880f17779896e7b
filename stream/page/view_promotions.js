/* SPDX-License-Identifier: Apache-2.0 */
/* What each promotion does: offers and purchases of both arms, the lift so far, what is left of its budget. */
import { el, freshId } from "./dom.js";
import { decimal, nothing, number, percent, points, time, version, words } from "./format.js";
import { onPast, past } from "./history.js";
import { interval, scaleOf, spark } from "./interval.js";
import { live, on, retryNow } from "./live.js";
import { setBar } from "./segment_bars.js";
import { empty, failed, loading } from "./states.js";

const heads = ["Promotion", "Treatment", "Control", "Lift so far", "Budget of the day", "Offers a minute"];

function stack(...lines) {
  return el(
    "div",
    { class: "stack" },
    lines.map((line) => el("span", null, line)),
  );
}

function arm(one) {
  return stack(
    el("b", null, percent(one.rate, 2)),
    el("span", { class: "soft" }, `${number(one.conversions)} of ${number(one.offers)}`),
  );
}

function validity(one) {
  if (!one.valid_from && !one.valid_until) return null;
  return el(
    "span",
    { class: "soft" },
    "valid ",
    one.valid_from ? ["from ", time(one.valid_from), " "] : null,
    one.valid_until ? ["until ", time(one.valid_until)] : null,
  );
}

function name(one) {
  return stack(
    el("b", { class: "id" }, one.promotion),
    el(
      "span",
      { class: "soft" },
      [
        words(one.kind),
        one.group ? `group ${one.group}` : null,
        one.priority ? `priority ${one.priority}` : null,
        `control ${percent(one.control_share, 0)}`,
      ]
        .filter(Boolean)
        .join(", "),
    ),
    validity(one),
  );
}

function verdict(lift) {
  if (lift.low > 0) return "more purchases";
  if (lift.high < 0) return "fewer purchases";
  return "not told apart yet";
}

function lift(one, scale) {
  if (!one.lift)
    return el(
      "span",
      { class: "soft" },
      one.control_share > 0 ? "no offers in both arms yet" : "no control group",
    );
  const range = `${points(one.lift.low)} to ${points(one.lift.high)}`;
  return stack(
    [interval(one.lift, scale, `Lift ${points(one.lift.difference)}, 95 % interval ${range}`)],
    [el("b", null, points(one.lift.difference)), " ", el("span", { class: "soft" }, range)],
    el("span", { class: "soft" }, verdict(one.lift)),
  );
}

function budget(one) {
  if (!one.budget) return el("span", { class: "soft" }, "no limit");
  const fill = el("i", { class: "fill-c0" });
  setBar(fill, one.budget.per_day ? one.budget.left / one.budget.per_day : 0);
  return stack(
    el("span", { class: "bar", "aria-hidden": "true" }, fill),
    `${number(one.budget.left)} left of ${number(one.budget.per_day)}`,
  );
}

function rateOf(one) {
  const lines = past.data.promotions[one.promotion];
  const last = (line) => decimal(line?.at(-1) ?? null, 1);
  const says = `${last(lines?.treatment)} to treatment, ${last(lines?.control)} to control`;
  const drawn = lines && lines.treatment.length > 1;
  return stack(
    drawn
      ? [
          spark(
            [
              ["line-c1 dashed", lines.control],
              ["line-c0", lines.treatment],
            ],
            `Offers a minute over the last hour, now ${says}`,
          ),
        ]
      : nothing,
    el("span", { class: "soft" }, says),
  );
}

function row(one, scale) {
  const cells = [arm(one.treatment), arm(one.control), lift(one, scale), budget(one), rateOf(one)];
  return el(
    "tr",
    { role: "row" },
    el("th", { scope: "row", role: "rowheader" }, name(one)),
    cells.map((cell, i) => el("td", { role: "cell", "data-head": heads[i + 1] }, cell)),
  );
}

export function showPromotions(root) {
  const id = freshId("promotions");
  const place = el("div");
  const policy = el("p", { class: "note", hidden: true });
  const legend = el(
    "p",
    { class: "note" },
    "Rate: share of the offers after which the user bought within the offer's window, or 24 hours if that is longer. Control users are chosen by a hash, get the same answers, and are only watched; lift is the difference of the two rates in percentage points (pp) with Newcombe's 95 % interval, for one look. ",
    el("code", null, "shoal report"),
    " says more, and adjusts for what users did before.",
  );
  root.append(el("h1", { id }, "Promotions"), policy, place, legend);

  let drawn = "";

  function draw() {
    const { overview } = live;
    if (!overview) {
      const bad = live.state === "stale" || live.state === "refused";
      place.replaceChildren(bad && live.why ? failed(live.why, retryNow) : loading("promotions"));
      return;
    }
    const list = overview.promotions ?? [];
    policy.hidden = legend.hidden = !list.length;
    policy.replaceChildren("Policy ", version(overview.policy), ".");
    if (!list.length) {
      drawn = "";
      place.replaceChildren(
        empty(
          "There are no promotions. Name a file of them in the configuration (promotions.path); deploy/promotions.yaml is an example.",
        ),
      );
      return;
    }
    const now = JSON.stringify([list, past.data.times.at(-1)]);
    if (now === drawn) return; // so that a selection stays
    drawn = now;
    const scale = scaleOf(list.map((one) => one.lift));
    // The roles are said because a phone's style sheet lays the rows out as blocks, which would take them away.
    const table = el(
      "table",
      { class: "cards promotions", role: "table", "aria-labelledby": id },
      el(
        "thead",
        { role: "rowgroup" },
        el(
          "tr",
          { role: "row" },
          heads.map((text) => el("th", { scope: "col", role: "columnheader" }, text)),
        ),
      ),
      el(
        "tbody",
        { role: "rowgroup" },
        list.map((one) => row(one, scale)),
      ),
    );
    place.replaceChildren(el("div", { class: "card flat" }, table));
  }

  const ends = [on("overview", draw), on("state", () => live.overview || draw()), onPast(draw)];
  draw();
  return () => ends.forEach((end) => end());
}

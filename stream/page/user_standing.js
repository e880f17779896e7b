/* SPDX-License-Identifier: Apache-2.0 */
/* Where a user stands: score, segments with since when, counters, consent, promotions. */
import { el, scroller, setText, table } from "./dom.js";
import { decimal, duration, number, percent, time, version, words } from "./format.js";
import { levelLink } from "./segment_bars.js";

const spans = ["1h", "1d", "7d"];
const behaviors = ["pv", "cart", "fav", "buy"];
export const behavior_words = { pv: "view", cart: "cart", fav: "favourite", buy: "buy" };
const score_words = { purchase_24h: "Purchase within 24 h", prompted: "Buys only if prompted" };

function ago(answer) {
  return typeof answer.freshness_seconds === "number"
    ? `${duration(answer.freshness_seconds)} ago`
    : "none yet";
}

function scores(answer) {
  return Object.entries(answer.scores ?? {}).map(([name, value]) =>
    el(
      "div",
      { class: "tile" },
      el("dt", null, score_words[name] ?? words(name)),
      el("dd", { class: "figure" }, percent(value)),
    ),
  );
}

function head(answer) {
  return el(
    "dl",
    { class: "tiles" },
    scores(answer),
    el(
      "div",
      { class: "tile" },
      el("dt", null, "Events"),
      el("dd", { class: "figure" }, number(answer.events)),
      answer.first_event_time ? el("dd", { class: "beside" }, "first ", time(answer.first_event_time)) : null,
    ),
    el(
      "div",
      { class: "tile" },
      el("dt", null, "Last event"),
      el("dd", { class: "figure freshness" }, ago(answer)),
      answer.last_event_time ? el("dd", { class: "beside" }, time(answer.last_event_time)) : null,
    ),
    el(
      "div",
      { class: "tile" },
      el("dt", null, "Next look"),
      el("dd", { class: "figure small" }, time(answer.next_look_at)),
      el(
        "dd",
        { class: "beside" },
        "partition ",
        number(answer.partition),
        ", model ",
        version(answer.model),
      ),
    ),
  );
}

function segments(answer) {
  const list = Object.entries(answer.segments ?? {});
  return el(
    "section",
    { class: "card", "aria-label": "Segments" },
    el("div", { class: "head" }, el("h2", null, "Segments")),
    list.length
      ? el(
          "dl",
          { class: "facts" },
          list.map(([dimension, { level, since }]) => [
            el("dt", null, words(dimension)),
            el(
              "dd",
              null,
              el("a", { href: levelLink(dimension, level) }, el("b", null, level)),
              el("span", { class: "soft" }, " since ", time(since)),
            ),
          ]),
        )
      : el("p", { class: "empty" }, "In no segment yet."),
  );
}

function counters(answer) {
  const row = (behavior) => [
    behavior_words[behavior],
    ...spans.map((span) => decimal(answer.counters?.[behavior]?.[span], 2)),
  ];
  return el(
    "section",
    { class: "card", "aria-label": "Counters" },
    el("div", { class: "head" }, el("h2", null, "Decayed counters")),
    table(["", ...spans], behaviors.map(row)),
    el("p", { class: "note" }, "Events, each of which counts half as much after an hour, a day, seven days."),
    answer.purchases
      ? el(
          "p",
          null,
          `Bought on ${number(answer.purchases.days)} ${answer.purchases.days === 1 ? "day" : "days"}, the last one `,
          time(answer.purchases.last_time),
          answer.purchases.spent_after_first_day
            ? `, ${decimal(answer.purchases.spent_after_first_day)} spent after the first day`
            : "",
          ".",
        )
      : null,
  );
}

function said(value) {
  return value === true ? "given" : value === false ? "withdrawn" : "never said";
}

function promotion(one) {
  const facts = [one.variant, `${number(one.offers)} ${one.offers === 1 ? "offer" : "offers"}`]
    .filter(Boolean)
    .join(", ");
  return el(
    "li",
    null,
    el("b", { class: "id" }, one.promotion),
    " ",
    one.eligible ? el("span", { class: "tag yes" }, "stands") : null,
    el(
      "span",
      { class: "soft" },
      facts,
      one.last_offer_time ? [", the last one ", time(one.last_offer_time)] : null,
      one.expires_at ? [", until ", time(one.expires_at)] : null,
    ),
  );
}

function promotions(answer) {
  // What stands first, then the latest; both orders are of texts that sort as times do.
  const list = [...(answer.promotions ?? [])].sort(
    (a, b) => b.eligible - a.eligible || (b.last_offer_time ?? "").localeCompare(a.last_offer_time ?? ""),
  );
  const offers = el("ul", { class: "offers" }, list.map(promotion));
  return el(
    "section",
    { class: "card", "aria-label": "Offers and consent" },
    el("div", { class: "head" }, el("h2", null, "Offers and consent")),
    list.length
      ? list.length > 5
        ? scroller("Offers", offers)
        : offers
      : el("p", { class: "empty" }, "No promotion was offered yet."),
    el(
      "p",
      { class: "note" },
      Object.entries(answer.consent ?? {}).map(
        ([name, value]) => `Consent to ${words(name)}: ${said(value)}. `,
      ),
    ),
  );
}

export function standing(answer) {
  return el(
    "div",
    null,
    head(answer),
    el("div", { class: "grid" }, segments(answer), counters(answer), promotions(answer)),
  );
}

/** Only time went by. */
export function setFreshness(root, answer) {
  const figure = root.querySelector(".freshness");
  if (figure) setText(figure, ago(answer));
}

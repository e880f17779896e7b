/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions with their reasons, each condition as a line to read: met or not, what was found, what is asked for. */
import { el, keyed } from "./dom.js";
import { decimal, nothing, percent, time, version, words } from "./format.js";

const names = {
  validity: "Within its dates", "score.min": "Score at least", "score.max": "Score at most", "prompted.min": "Buys only if prompted, at least",
  bundle: "Something of the bundle is left", "bundle.item": "Looked at an item of the bundle", cooldown: "Long enough after the last offer", limit: "Offers so far below the limit",
  quiet: "Outside quiet hours", active_hours: "At a time of day when the user is active", budget: "Budget of the day", exclusion: "No other offer of the group stands",
  priority: "No other of the group comes first", offer: "The offer stands",
};

function conditionName(condition) {
  if (Object.hasOwn(names, condition)) return names[condition];
  if (condition.startsWith("segment.")) return `Segment ${words(condition.slice(8))}`;
  if (condition.startsWith("consent.")) return `Consent to ${words(condition.slice(8))}`;
  return words(condition);
}

function isTime(value) {
  return typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value);
}

function value(condition, it) {
  if (it === null || it === undefined) return condition.startsWith("consent.") ? "never said" : condition.startsWith("segment.") ? "none" : nothing;
  if (Array.isArray(it)) {
    return it.flatMap((one, i) => [i ? (condition.startsWith("segment.") ? " or " : " – ") : "", one === null ? "open" : value(condition, one)]);
  }
  if (isTime(it)) return time(it);
  if (typeof it === "number") return /^(score|prompted)\./.test(condition) ? percent(it) : decimal(it, Number.isInteger(it) ? 0 : 3);
  if (typeof it === "boolean") return it ? "given" : "withdrawn";
  return String(it);
}

function reason(one) {
  const found = el("span", { class: "found" }, value(one.condition, one.value));
  return el("li", { class: one.met ? "met" : "unmet" },
    el("span", { class: "mark" }, one.met ? "met" : "not met"), " ", conditionName(one.condition), ": ", found,
    one.limit === null || one.limit === undefined ? null : el("span", { class: "soft" }, " (asked: ", value(one.condition, one.limit), ")"));
}

function verdict(one) {
  if (one.standing) return ["An offer stands", "yes"];
  if (one.would_offer) return ["Would be offered now", "yes"];
  return one.eligible ? ["Eligible", "yes"] : ["Not now", "no"];
}

function key(one) {
  return one.promotion;
}

function block(one) {
  const [text, state] = verdict(one);
  const unmet = one.reasons.filter((each) => !each.met);
  return el("details", { class: "decision" },
    el("summary", null, el("span", { class: `tag ${state}` }, text), " ", el("b", { class: "id" }, one.promotion), " ",
      el("span", { class: "soft" }, [one.kind && words(one.kind), one.variant, !unmet.length && "all conditions met"].filter(Boolean).join(", ")),
      unmet.length ? el("span", { class: "short" }, "not met: ", unmet.map((each) => conditionName(each.condition)).join(", ")) : null),
    el("ul", { class: "reasons" }, one.reasons.map(reason)),
    one.items?.length ? el("p", null, "Items: ", one.items.map((each, i) => [i ? ", " : "", el("span", { class: "id" }, each.item)])) : null,
    one.expires_at ? el("p", { class: "note" }, "Until ", time(one.expires_at), ".") : null);
}

/** Puts the decisions into `place`; what a person has opened stays open. */
export function decisionList(place, answer) {
  const list = answer.decisions ?? [];
  if (!list.length) {
    place.replaceChildren(el("p", { class: "empty" }, "There are no promotions to decide about."));
    return;
  }
  let box = place.querySelector(".decisions");
  const head = el("p", { class: "note" }, "Evaluated ", time(answer.evaluated_at), " under policy ", version(answer.policy), " and model ", version(answer.model), ".");
  if (!box) {
    box = el("div", { class: "decisions" });
    place.replaceChildren(head, box);
  } else {
    place.firstElementChild.replaceWith(head);
  }
  keyed(box, list, key, (one) => block(one), (node, one) => {
    const now = JSON.stringify(one);
    if (node.shoalSaid === undefined || node.shoalSaid !== now) {
      const fresh = block(one);
      const focused = node.firstElementChild === document.activeElement;
      node.replaceChildren(...fresh.childNodes);
      if (focused) node.firstElementChild.focus();
    }
    node.shoalSaid = now;
  });
}

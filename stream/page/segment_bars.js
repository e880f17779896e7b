/* SPDX-License-Identifier: Apache-2.0 */
/* Where users stand now: the intent of all of them as one bar, and every dimension's levels as rows. Bars are
 * elements with their figures beside them, so they are their own text. */
import { el, freshId, keyed, setText } from "./dom.js";
import { brief, number, percent, words } from "./format.js";
import { levelClass } from "./theme.js";

/** The address of the list of users at a level. */
export function levelLink(dimension, level) {
  return `#/segment/${encodeURIComponent(dimension)}/${encodeURIComponent(level)}`;
}

function share(part, all) {
  return all > 0 ? part / all : 0;
}

/** Sets a bar's length; styles set by script are what the content security policy allows. */
export function setBar(bar, fraction) {
  bar.style.width = `${(100 * Math.max(0, Math.min(1, fraction))).toFixed(2)}%`;
}

export function intentBar() {
  const id = freshId("intent");
  const bar = el("div", { class: "stacked", "aria-hidden": "true" });
  const list = el("ul", { class: "levels" });
  const note = el("p", { class: "note" });
  const root = el(
    "section",
    { class: "card", "aria-labelledby": id },
    el("div", { class: "head" }, el("h2", { id }, "Intent")),
    bar,
    list,
    note,
  );
  return {
    root,
    update: (overview) => {
      const levels = overview.segments?.find((one) => one.dimension === "intent")?.levels ?? [];
      const all = levels.reduce((sum, one) => sum + one.users, 0);
      const items = levels.map((one, i) => ({
        ...one,
        fill: levelClass(i, levels.length),
        share: share(one.users, all),
      }));
      keyed(
        bar,
        items,
        (one) => one.level,
        (one) => el("div", { class: one.fill }),
        (node, one) => setBar(node, one.share),
      );
      keyed(
        list,
        items,
        (one) => one.level,
        (one) =>
          el(
            "li",
            null,
            el("i", { class: `swatch ${one.fill}` }),
            el("a", { href: levelLink("intent", one.level) }, one.level),
            el("b"),
            el("span", { class: "soft" }),
          ),
        (node, one) => {
          setText(node.children[2], percent(one.share));
          setText(node.children[3], `${number(one.users)} users`);
        },
      );
      setText(
        note,
        levels.length
          ? "Probability of a purchase within 24 hours, against the model's two thresholds."
          : "Nobody has an intent yet: it comes with a user's first event under a model.",
      );
    },
  };
}

function dimensionBlock(dimension) {
  return el("div", { class: "dimension" }, el("h3", null, words(dimension)), el("ul", { class: "bars" }));
}

function levelRow(dimension, { level, fill }) {
  return el(
    "li",
    null,
    el("a", { href: levelLink(dimension, level) }, level),
    el("span", { class: "bar", "aria-hidden": "true" }, el("i", { class: fill })),
    el("b"),
    el("span", { class: "soft" }),
  );
}

export function sizesNow() {
  const id = freshId("sizes");
  const blocks = el("div", { class: "dimensions" });
  const root = el(
    "section",
    { class: "card wide", "aria-labelledby": id },
    el("div", { class: "head" }, el("h2", { id }, "Segment sizes now")),
    blocks,
  );
  return {
    root,
    update: (overview) => {
      keyed(
        blocks,
        (overview.segments ?? []).filter((one) => one.levels.length), // of clusters there may be none
        (one) => one.dimension,
        (one) => dimensionBlock(one.dimension),
        (node, { dimension, levels }) => {
          const items = levels.map((one, i) => ({
            ...one,
            fill: levelClass(i, levels.length),
            share: share(one.users, overview.users),
          }));
          keyed(
            node.lastElementChild,
            items,
            (one) => one.level,
            (one) => levelRow(dimension, one),
            (row, one) => {
              setBar(row.children[1].firstElementChild, one.share);
              setText(row.children[2], brief(one.users));
              setText(row.children[3], percent(one.share));
            },
          );
        },
      );
    },
  };
}

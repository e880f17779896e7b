// SPDX-License-Identifier: Apache-2.0
// The parts of the dashboard that need no browser, and rules about its sources. Prints TAP. SHOAL_SOURCE: the tree.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const folder = path.join(process.env.SHOAL_SOURCE, "stream", "page");
const module = (name) => import(pathToFileURL(path.join(folder, name)));
const { eventReader } = await module("sse.js");
const { flowOf, forgetAll, remember } = await module("flow.js");
const { duration, number, percent, points, signed, levelName } = await module("format.js");
const { joined } = await module("history.js");
const { waitBefore } = await module("stream.js");

const STREAM = `: heartbeat\n\nid: 7\nevent: change\ndata: {"a":1}\n\ndata: one\ndata: two\r\n\r\nevent: empty\n\ndata:last\r\r`;
const EVENTS = [
  { type: "change", data: '{"a":1}', id: "7" },
  { type: "message", data: "one\ntwo", id: "7" },
  { type: "message", data: "last", id: "7" },
];

function overview(at_s, transitions) {
  return {
    as_of: new Date(at_s * 1000).toISOString(),
    segments: [{ dimension: "intent", levels: [], transitions }],
  };
}

const tests = {
  events_are_the_same_wherever_the_text_is_cut() {
    for (let cut = 0; cut <= STREAM.length; cut += 1) {
      const read = eventReader();
      assert.deepEqual([...read(STREAM.slice(0, cut)), ...read(STREAM.slice(cut))], EVENTS, `cut at ${cut}`);
    }
    const read = eventReader();
    assert.deepEqual(
      [...STREAM].flatMap((letter) => read(letter)),
      EVENTS,
    );
  },

  moves_of_a_window_are_differences_of_counts() {
    forgetAll();
    for (let s = 0; s <= 600; s += 10)
      remember(
        overview(s, [
          { from: "cold", to: "warm", count: s },
          { from: null, to: "cold", count: 5 },
        ]),
      );
    const now = overview(600, [
      { from: "cold", to: "warm", count: 600 },
      { from: null, to: "cold", count: 5 },
    ]);
    assert.deepEqual(flowOf(now, "intent", 5), {
      moves: [{ from: "cold", to: "warm", count: 300 }],
      total: 300,
      span: "in the last 5 minutes",
    });
    assert.equal(flowOf(now, "intent", 0).total, 605);
    assert.match(flowOf(now, "intent", 60).span, /when this page was opened/);
    assert.equal(flowOf(now, "intent", 60).total, 600);
    assert.deepEqual(flowOf(now, "lifecycle", 5).moves, []);
  },

  counts_that_began_anew_make_no_negative_moves() {
    forgetAll();
    remember(overview(0, [{ from: "cold", to: "warm", count: 900 }]));
    const now = overview(20, [{ from: "cold", to: "warm", count: 3 }]);
    remember(now);
    assert.deepEqual(flowOf(now, "intent", 5).moves, []);
    const later = overview(30, [{ from: "cold", to: "warm", count: 8 }]);
    remember(later);
    assert.equal(flowOf(later, "intent", 5).total, 5);
  },

  lines_from_before_a_restart_stay_with_a_gap() {
    const at = (s) => new Date(s * 1000).toISOString();
    const old = {
      interval_seconds: 10,
      times: [at(10), at(20), at(30)],
      events_per_second: [1, 2, 3],
      dimensions: { intent: { hot: [7, 8, 9] }, cluster: { c1: [4, 5, 6] } },
      promotions: { welcome: { treatment: [1, 1, 1], control: [0] } },
    };
    const fresh = {
      interval_seconds: 10,
      times: [at(25), at(35)],
      events_per_second: [5, 6],
      dimensions: { intent: { hot: [1, 2], cold: [3, 3] } },
      promotions: {},
    };
    const both = joined(old, fresh);
    assert.deepEqual(
      both.times.map((one) => Date.parse(one) / 1000),
      [10, 20, 20.001, 25, 35],
    );
    assert.deepEqual(both.events_per_second, [1, 2, null, 5, 6]);
    assert.deepEqual(both.dimensions.intent, { hot: [7, 8, null, 1, 2], cold: [null, null, null, 3, 3] });
    assert.deepEqual(both.dimensions.cluster.c1, [4, 5, null, null, null]);
    assert.deepEqual(both.promotions.welcome.control, [0, null, null, null, null]);
    assert.equal(joined(old, { ...fresh, times: [at(5)] }).times.length, 1); // the server knows all of it
    const none = joined(old, { ...fresh, times: [], events_per_second: [], dimensions: {} });
    assert.deepEqual(none.events_per_second, [1, 2, 3, null]);
  },

  waits_grow_to_half_a_minute() {
    assert.equal(waitBefore(0, 1), 1000);
    assert.equal(waitBefore(0, 0), 800);
    assert.equal(waitBefore(3, 1), 8000);
    assert.equal(waitBefore(50, 1), 30000);
  },

  figures_have_their_units_and_what_is_unknown_is_a_dash() {
    assert.equal(duration(0.0234), "23 ms");
    assert.equal(duration(4.25), "4.3 s");
    assert.equal(duration(190), "3 min 10 s");
    assert.equal(duration(7200), "2 h");
    assert.equal(duration(90000), "1 d 1 h");
    assert.equal(duration(null), "–");
    assert.equal(number(undefined), "–");
    assert.equal(number(NaN), "–");
    assert.equal(number(1234567), "1,234,567");
    assert.equal(percent(0.0625), "6.3%");
    assert.equal(points(-0.0004), "±0.0 pp");
    assert.equal(points(0.024), "+2.4 pp");
    assert.equal(signed(-1.25, 2), "−1.25");
    assert.equal(levelName(null), "none");
  },

  data_becomes_text_and_never_markup() {
    const forbidden =
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|createContextualFragment|DOMParser|\bstyle: ["`]|setAttribute\("style"|EventSource\(|localStorage\.setItem\("shoal\.token/;
    const sources = readdirSync(folder).filter((name) => /\.(js|html)$/.test(name));
    assert.ok(sources.length > 25);
    for (const name of sources) {
      const text = readFileSync(path.join(folder, name), "utf8");
      assert.doesNotMatch(text, forbidden, name);
      assert.match(text.split("\n").slice(0, 2).join("\n"), /SPDX-License-Identifier: Apache-2\.0/, name);
      if (name !== "dom.js")
        assert.doesNotMatch(text, /createElement/, `${name}: elements are made in dom.js`);
      if (name !== "charts.js")
        assert.doesNotMatch(text, /library\.js"/, `${name}: the library is known to charts.js only`);
      if (name === "index.html")
        assert.doesNotMatch(text, /<script(?![^>]*src=)|<style| style=| on[a-z]+=/, "nothing inline");
    }
  },

  what_is_imported_is_built_in() {
    const built = readFileSync(path.join(folder, "meson.build"), "utf8");
    for (const name of readdirSync(folder).filter((one) => /\.(js|css|html|svg)$/.test(one)))
      assert.ok(built.includes(`'${name}'`), `${name} is not in meson.build`);
  },

  locks_name_no_host() {
    for (const name of [
      path.join(folder, "package-lock.json"),
      path.join(process.env.SHOAL_SOURCE, "tests", "page", "package-lock.json"),
    ]) {
      assert.doesNotMatch(readFileSync(name, "utf8"), /https?:/, name);
    }
  },
};

console.log(`1..${Object.keys(tests).length}`);
let bad = 0;
for (const [name, test] of Object.entries(tests)) {
  try {
    test();
    console.log(`ok - ${name}`);
  } catch (error) {
    bad += 1;
    console.error(error);
    console.log(`not ok - ${name}`);
  }
}
process.exit(bad ? 1 : 0);

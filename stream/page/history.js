/* SPDX-License-Identifier: Apache-2.0 */
/* The last hour as lines: what the server has sampled (/v1/segments/history), carried on from each overview that
 * comes, and asked for anew after a break so that no gap stays. Times are of the server. */
import { get } from "./api.js";
import { live, on } from "./live.js";

const minutes = 60;
const watchers = new Set();
const empty = () => ({
  interval_seconds: 10,
  times: [],
  dimensions: {},
  events_per_second: [],
  promotions: {},
});

export const past = { data: empty(), problem: null, loaded: false };
let last_offers = null; // {at_ms, of: {id: [treatment, control]}} at the last sample

export function onPast(watcher) {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

function tell() {
  for (const watcher of [...watchers]) watcher(past.data);
}

function offersOf(overview) {
  return Object.fromEntries(
    (overview.promotions ?? []).map((one) => [one.promotion, [one.treatment.offers, one.control.offers]]),
  );
}

/** A line is as long as the times, also where its level or promotion came up later. */
function put(lines, name, value, length) {
  const line = (lines[name] ??= []);
  while (line.length < length - 1) line.push(null);
  line.push(value);
}

function ratePerMinute(now, before, seconds) {
  return before === undefined || now < before || seconds <= 0 ? null : ((now - before) * 60) / seconds;
}

function addOffers(data, offers, now_ms) {
  const seconds = last_offers ? (now_ms - last_offers.at_ms) / 1000 : 0;
  const length = data.times.length;
  for (const [id, [treatment, control]] of Object.entries(offers)) {
    const arms = (data.promotions[id] ??= { treatment: [], control: [] });
    const before = last_offers?.of[id];
    put(arms, "treatment", ratePerMinute(treatment, before?.[0], seconds), length);
    put(arms, "control", ratePerMinute(control, before?.[1], seconds), length);
  }
}

function trim(data) {
  const extra = data.times.length - (minutes * 60) / data.interval_seconds;
  if (extra <= 0) return;
  const cut = (line) => line.splice(0, extra);
  cut(data.times);
  cut(data.events_per_second);
  for (const levels of Object.values(data.dimensions)) Object.values(levels).forEach(cut);
  for (const arms of Object.values(data.promotions)) Object.values(arms).forEach(cut);
}

function add(overview) {
  const { data } = past;
  const now_ms = Date.parse(overview.as_of);
  const previous_ms = Date.parse(data.times.at(-1) ?? 0);
  last_offers ??= { at_ms: now_ms, of: offersOf(overview) };
  if (now_ms - previous_ms < data.interval_seconds * 1000) return;
  data.times.push(overview.as_of);
  data.events_per_second.push(overview.events_per_second);
  for (const { dimension, levels } of overview.segments ?? []) {
    const lines = (data.dimensions[dimension] ??= {});
    for (const { level, users } of levels) put(lines, level, users, data.times.length);
  }
  const offers = offersOf(overview);
  addOffers(data, offers, now_ms);
  last_offers = { at_ms: now_ms, of: offers };
  trim(data);
  tell();
}

/** Every instance keeps its samples since its own start: what the page has from before the first of `fresh` stays in
 * front of them, with a gap between. */
export function joined(old, fresh) {
  const from_ms = fresh.times.length ? Date.parse(fresh.times[0]) : Infinity;
  const count = old.times.filter((at) => Date.parse(at) < from_ms).length;
  if (!count) return fresh;
  const gap = new Date(Math.min(from_ms, Date.parse(old.times[count - 1]) + 2) - 1).toISOString();
  const line = (before = [], after = []) => [
    ...Array.from({ length: count }, (_, i) => before[i] ?? null),
    null,
    ...Array.from({ length: fresh.times.length }, (_, i) => after[i] ?? null),
  ];
  const lines = (before = {}, after = {}) =>
    Object.fromEntries(
      Object.keys({ ...before, ...after }).map((name) => [name, line(before[name], after[name])]),
    );
  const groups = (before, after) =>
    Object.fromEntries(
      Object.keys({ ...before, ...after }).map((name) => [name, lines(before[name], after[name])]),
    );
  return {
    ...fresh,
    times: [...old.times.slice(0, count), gap, ...fresh.times],
    events_per_second: line(old.events_per_second, fresh.events_per_second),
    dimensions: groups(old.dimensions, fresh.dimensions),
    promotions: groups(old.promotions, fresh.promotions),
  };
}

async function load() {
  try {
    const fresh = { ...empty(), ...(await get(`v1/segments/history?minutes=${minutes}`)) };
    past.data = joined(past.data, fresh);
    trim(past.data);
    past.problem = null;
    last_offers = null;
  } catch (problem) {
    past.problem = problem; // the lines begin with what comes now
  }
  past.loaded = true;
  tell();
}

export function start() {
  load();
  on("back", load);
  on("overview", ({ overview }) => past.loaded && add(overview));
  on("state", () => live.state === "live" && past.problem && load());
}

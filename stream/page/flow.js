/* SPDX-License-Identifier: Apache-2.0 */
/* Moves of a span of time from counts that only grow: what they are now less what they were then. The page keeps
 * the counts of the last hour, a set every ten seconds, from the moment it was opened. */
import { clockText } from "./format.js";

const every_ms = 10000;
const keep_ms = 3600000 + every_ms;

let snapshots = []; // [{at_ms, counts: {dimension: Map of key → count}}], oldest first

function keyOf({ from, to }) {
  return JSON.stringify([from, to]);
}

function countsOf(overview) {
  return Object.fromEntries((overview.segments ?? []).map(({ dimension, transitions }) =>
    [dimension, new Map(transitions.map((one) => [keyOf(one), one.count]))]));
}

/** A count that fell belongs to states that began anew: what was counted before does not bear on it. */
function begunAnew(before, now) {
  return Object.entries(before).some(([dimension, counts]) =>
    [...counts].some(([key, count]) => (now[dimension]?.get(key) ?? 0) < count));
}

/** Takes the counts of an overview into account. */
export function remember(overview) {
  const at_ms = Date.parse(overview.as_of);
  const newest = snapshots.at(-1);
  if (newest && at_ms - newest.at_ms < every_ms) return;
  const counts = countsOf(overview);
  if (newest && begunAnew(newest.counts, counts)) snapshots = [];
  snapshots.push({ at_ms, counts });
  while (snapshots[0].at_ms < at_ms - keep_ms) snapshots.shift();
}

export function forgetAll() {
  snapshots = [];
}

function movesSince(overview, dimension, then) {
  const now = overview.segments.find((one) => one.dimension === dimension)?.transitions ?? [];
  return now
    .map(({ from, to, count }) => ({ from, to, count: count - (then?.get(keyOf({ from, to })) ?? 0) }))
    .filter((one) => one.count > 0)
    .sort((a, b) => b.count - a.count);
}

/** {moves: [{from, to, count}], the most first, total, span: the time they are of, in words}; 0 minutes: all that
 * were ever counted. */
export function flowOf(overview, dimension, minutes) {
  const from_ms = Date.parse(overview.as_of) - minutes * 60000;
  // The newest set that is at least that old; else the oldest there is.
  const then = minutes ? snapshots.findLast((one) => one.at_ms <= from_ms) ?? snapshots[0] : null;
  const moves = movesSince(overview, dimension, then?.counts[dimension]);
  const whole = then && then.at_ms <= from_ms;
  const span = !minutes ? "since the states began"
    : whole ? `in the last ${minutes} minutes`
    : `since ${clockText(new Date(then?.at_ms ?? Date.now()))}, when this page was opened`;
  return { moves, total: moves.reduce((sum, one) => sum + one.count, 0), span };
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the whole page knows of the server at this moment: the last overview, and how fresh it can be.
 *
 *   live      the stream is open
 *   polling   the stream broke off; /v1/overview is asked every few seconds instead
 *   stale     that does not answer either: what is on screen is old, and stays
 *   refused   a token is missing, or may not
 *
 * It goes on by itself: the stream is tried again whatever the state. */
import { askAgain, get } from "./api.js";
import { openStream } from "./stream.js";

const poll_ms = 5000;
const grace_ms = 1500;
const overview_idle_ms = 15000;
const quiet_idle_ms = 40000; // a heartbeat comes every 15 s
const unseen_ms = 30000;

export const live = {
  overview: null,
  at: null, // Date of the last overview
  state: "connecting",
  since: new Date(), // of the state; through polling and stale: of the break
  next: null,
  why: null,
};

const watchers = { overview: new Set(), state: new Set(), back: new Set() };
const followers = new Set();
let stream = null;
let poll_timer = null;
let asking = false;
let open = false;
let paused = false;

/** Calls `watcher` with what = "overview", "state" or "back" (the stream is open again: what came in between is
 * missing); returns what ends that. */
export function on(what, watcher) {
  watchers[what].add(watcher);
  return () => watchers[what].delete(watcher);
}

function tell(what) {
  for (const watcher of [...watchers[what]]) watcher(live);
}

function enter(state) {
  const broken = ["polling", "stale"];
  if (state !== live.state && !(broken.includes(state) && broken.includes(live.state))) live.since = new Date();
  live.state = state;
  tell("state");
}

function take(overview) {
  live.overview = overview;
  live.at = new Date();
  tell("overview");
}

async function poll() {
  clearTimeout(poll_timer);
  if (open || asking || paused || live.state === "refused") return;
  asking = true;
  try {
    const overview = await get("v1/overview");
    if (!open) {
      enter("polling");
      take(overview);
    }
  } catch (problem) {
    if (!open) {
      live.why = problem;
      enter(problem.status === 401 || problem.status === 403 ? "refused" : "stale");
    }
  } finally {
    asking = false;
  }
  if (!open && !paused && live.state !== "refused") poll_timer = setTimeout(poll, poll_ms);
}

function onState({ state, why, next }) {
  if (state === "open") {
    const first = live.overview === null;
    open = true;
    live.why = live.next = null;
    clearTimeout(poll_timer);
    enter("live");
    if (!first) tell("back");
  } else if (state === "refused") {
    open = false;
    live.why = why;
    enter("refused");
  } else if (state === "waiting") {
    live.next = next;
    live.why = why;
    if (open || poll_timer === null) poll_timer = setTimeout(poll, grace_ms);
    if (open) enter("polling");
    else tell("state");
    open = false;
  } else {
    live.next = null;
    tell("state");
  }
}

/* A page that nobody sees holds no connection: a browser has six for a server, in all its tabs together. */
function watchVisibility() {
  let timer = null;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) {
      timer = setTimeout(pause, unseen_ms);
    } else if (paused) {
      paused = false;
      reconnect();
    }
  });
}

function pause() {
  paused = true;
  open = false;
  clearTimeout(poll_timer);
  stream.pause();
  for (const follower of followers) follower.pause();
}

function reconnect() {
  stream.retry();
  for (const follower of followers) follower.retry();
  poll_timer = setTimeout(poll, grace_ms);
}

export function start() {
  watchVisibility();
  stream = openStream({
    query: "types=overview",
    idle_ms: overview_idle_ms,
    onEvent: ({ type, data }) => type === "overview" && take(data),
    onState,
  });
}

/** A person does not want to wait. */
export function retryNow() {
  askAgain();
  if (live.state === "refused") enter("connecting");
  reconnect();
}

/** Follows some messages for a view: onEvent as in openStream; onBack after a break. Returns what ends it. */
export function follow(query, onEvent, onBack) {
  let broke = false;
  const follower = openStream({
    query,
    idle_ms: quiet_idle_ms,
    onEvent,
    onState: ({ state }) => {
      if (state === "waiting") broke = true;
      if (state === "open" && broke) {
        broke = false;
        onBack?.();
      }
    },
  });
  followers.add(follower);
  return () => {
    followers.delete(follower);
    follower.close();
  };
}

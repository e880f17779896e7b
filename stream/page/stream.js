/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to /v1/stream that stays: read by fetch() so that the token can go in a header (EventSource
 * cannot), begun anew after a break, a little later after each try that failed. */
import { Problem, authorised, problemFrom } from "./api.js";
import { eventReader } from "./sse.js";
import { headers, token } from "./token.js";

const first_wait_ms = 1000;
const longest_wait_ms = 30000;

/** The wait before try `n` (0 is the first after a break), with up to a fifth at random so that a hundred pages
 * do not return in the same instant. */
export function waitBefore(n, random) {
  return Math.min(longest_wait_ms, first_wait_ms * 2 ** n) * (0.8 + 0.2 * random);
}

/** Opens the stream of `query` and keeps it open until close().
 *
 * onEvent({type, data, id}) gets each event, its data parsed; onState({state, why, next}) is told "connecting",
 * "open" (the first bytes are there), "waiting" (it broke; `next`: Date of the next try) and "refused" (a token is
 * missing, or the role may not). Where nothing comes for idle_ms the connection counts as broken. */
export function openStream({ query, idle_ms, onEvent, onState }) {
  let controller = null;
  let timer = null;
  let closed = false;
  let tries = 0;

  async function read(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const events = eventReader();
    const dead = () => controller?.abort();
    let watchdog = setTimeout(dead, idle_ms);
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) throw new Problem(0, "The server has ended the stream", "");
        clearTimeout(watchdog);
        watchdog = setTimeout(dead, idle_ms);
        if (tries >= 0) {
          tries = -1; // from now on a break is a new one
          onState({ state: "open" });
        }
        for (const event of events(value)) deliver(event);
      }
    } finally {
      clearTimeout(watchdog);
    }
  }

  function deliver(event) {
    let data;
    try {
      data = JSON.parse(event.data);
    } catch {
      return; // of a version that says something else: nothing to show
    }
    onEvent({ type: event.type, id: event.id, data });
  }

  async function connect(used = token()) {
    const mine = (controller = new AbortController());
    const limit = setTimeout(() => mine.abort(), idle_ms);
    onState({ state: "connecting" });
    try {
      const response = await fetch(`v1/stream?${query}`, { headers: headers(), cache: "no-store", signal: mine.signal });
      clearTimeout(limit);
      if (await authorised(response, used)) return connect(token());
      if (!response.ok) throw await problemFrom(response);
      await read(response);
    } catch (error) {
      if (!closed && mine === controller) fail(error);
    } finally {
      clearTimeout(limit);
    }
  }

  function fail(error) {
    const problem = error instanceof Problem ? error : new Problem(0, "The stream broke off", "");
    if (problem.status === 401 || problem.status === 403) {
      onState({ state: "refused", why: problem });
      return;
    }
    tries = Math.max(tries, 0);
    const wait_ms = Math.max(waitBefore(tries, Math.random()), (problem.wait_s ?? 0) * 1000);
    tries += 1;
    onState({ state: "waiting", why: problem, next: new Date(Date.now() + wait_ms) });
    timer = setTimeout(connect, wait_ms);
  }

  connect();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      controller?.abort();
    },
    /** Ends the connection without a word, until retry(). */
    pause() {
      clearTimeout(timer);
      const old = controller;
      controller = null;
      old?.abort();
    },
    retry() {
      this.pause();
      connect();
    },
  };
}

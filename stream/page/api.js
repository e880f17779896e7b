/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the HTTP API. What goes wrong is a Problem (RFC 9457) with the words of the server, or with ours where
 * no server answered. */
import { askToken, headers, token } from "./token.js";

const patience_ms = 15000;
let declined = false;

export class Problem extends Error {
  constructor(status, title, detail, wait_s) {
    super(title);
    this.status = status; // 0: no answer
    this.detail = detail;
    this.wait_s = wait_s; // Retry-After
  }
}

/** A token that was not given is not asked for again by itself, only by a person. */
export function askAgain() {
  declined = false;
}

async function problemOf(response) {
  let said = {};
  try {
    said = await response.json();
  } catch {
    /* a proxy in between, perhaps: its words are not for people */
  }
  const wait = Number(response.headers.get("retry-after"));
  return new Problem(response.status, said.title ?? `The server answered ${response.status}`, said.detail ?? "",
    Number.isFinite(wait) && wait > 0 ? wait : null);
}

function unanswered(error, timed_out) {
  if (error instanceof Problem) return error;
  if (timed_out) return new Problem(0, "The server takes too long to answer", `No answer within ${patience_ms / 1000} s.`);
  return new Problem(0, "The server does not answer", "It may be restarting, or the network is away.");
}

/** Waits for a token after a 401; throws where there will be none. */
export async function authorised(response, used) {
  if (response.status !== 401) return false;
  if (!declined && (await askToken(used))) return true;
  declined = true;
  throw new Problem(401, "The server wants a token", "Without one it shows nothing.");
}

async function once(path, options, signal) {
  const limit = AbortSignal.timeout(patience_ms);
  const controller = new AbortController();
  const abort = () => controller.abort();
  limit.addEventListener("abort", abort);
  signal?.addEventListener("abort", abort);
  try {
    const response = await fetch(path, { ...options, headers: headers(), cache: "no-store", signal: controller.signal });
    const used = options.used;
    if (await authorised(response, used)) return once(path, { ...options, used: token() }, signal);
    if (!response.ok) throw await problemOf(response);
    return await response.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw unanswered(error, limit.aborted);
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

export function get(path, signal) {
  return once(path, { method: "GET", used: token() }, signal);
}

export function remove(path, signal) {
  return once(path, { method: "DELETE", used: token() }, signal);
}

export const problemFrom = problemOf;

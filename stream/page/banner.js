/* SPDX-License-Identifier: Apache-2.0 */
/* Says whether what is on screen is of now: one word at the top, and a banner since when it is not. */
import { el, setText } from "./dom.js";
import { duration, timeText } from "./format.js";
import { live, on, retryNow } from "./live.js";

const words = { connecting: "connecting", live: "live", polling: "polling", stale: "stale", refused: "no access" };

function sentence() {
  const since = timeText(live.since);
  if (live.state === "polling") return `The live stream broke off at ${since}. Figures are fetched every 5 s until it is back.`;
  if (live.state === "stale") {
    const old = live.at ? ` What you see is of ${timeText(live.at)}.` : "";
    return `No answer since ${since}: ${(live.why?.message ?? "").toLowerCase()}.${old}`;
  }
  return live.why?.status === 403 ? "Your token may not read this server." : "The server wants a token.";
}

function waitText() {
  if (!live.next) return live.state === "refused" ? "" : "Trying now …";
  const left_s = (live.next - Date.now()) / 1000;
  return left_s > 0.5 ? `Next try in ${duration(Math.ceil(left_s))}.` : "Trying now …";
}

export function setUpBanner(banner, connection, main) {
  const text = el("span");
  const wait = el("span", { class: "wait", "aria-live": "off" });
  const again = el("button", { type: "button", onclick: retryNow }, "Try now");
  banner.append(text, " ", wait, " ", again);

  const show = () => {
    const bad = ["polling", "stale", "refused"].includes(live.state);
    setText(connection, words[live.state]);
    connection.className = live.state;
    connection.title = live.at ? `Last figures ${timeText(live.at)}` : "";
    main.classList.toggle("stale", live.state === "stale" || live.state === "refused");
    banner.hidden = !bad;
    banner.className = live.state;
    if (!bad) return;
    setText(text, sentence());
    setText(wait, waitText());
    setText(again, live.state === "refused" ? "Enter a token" : "Try now");
  };
  on("state", show);
  on("overview", show);
  setInterval(() => banner.hidden || setText(wait, waitText()), 1000);
  show();
}

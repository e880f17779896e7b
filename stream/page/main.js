/* SPDX-License-Identifier: Apache-2.0 */
/* The page: which view the address names, what holds for all of them (connection, keys, theme), and their coming
 * and going. */
import { el, setText } from "./dom.js";
import { clockText } from "./format.js";
import { setUpHelp } from "./help.js";
import { remember } from "./flow.js";
import * as history from "./history.js";
import * as live from "./live.js";
import { setUpBanner } from "./banner.js";
import { setUpTheme } from "./theme.js";
import { showFlow } from "./view_flow.js";
import { showModels } from "./view_models.js";
import { showOverview } from "./view_overview.js";
import { showPromotions } from "./view_promotions.js";
import { showSegment } from "./view_segment.js";
import { showUser } from "./view_user.js";

const views = {
  overview: ["Overview", showOverview],
  flow: ["Flow", showFlow],
  promotions: ["Promotions", showPromotions],
  models: ["Models", showModels],
  user: ["User", showUser],
  segment: ["Segment", showSegment],
};
const main = document.getElementById("main");
let stop = null;
let begun = false;

/** "#/user/a%2Fb" is {name: "user", rest: ["a/b"]}; what is no address of ours is the overview. */
function route() {
  const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("/");
  if (!Object.hasOwn(views, name)) return { name: "overview", rest: [] };
  try {
    return { name, rest: rest.map(decodeURIComponent) };
  } catch {
    return { name, rest: [] };
  }
}

function show() {
  const { name, rest } = route();
  const [title, view] = views[name];
  stop?.();
  document.title = `${title}${rest.length ? ` · ${rest.join(" · ")}` : ""} · Shoal`;
  for (const link of document.querySelectorAll("#nav a")) {
    if (link.getAttribute("href") === `#/${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const root = el("div", { class: `view ${name}` });
  main.replaceChildren(root);
  stop = view(root, rest);
  if (begun) {
    // A reader of the screen hears where it is; the eye sees the top.
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
  begun = true;
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the hash is the view's
  main.focus();
});
setUpTheme(document.getElementById("theme"));
setUpHelp(document.getElementById("help-button"));
setUpBanner(document.getElementById("banner"), document.getElementById("connection"), main);
live.on("overview", ({ overview, at }) => {
  setText(document.getElementById("as-of"), `${overview.instance} · last figures ${clockText(at)} ·`);
});
addEventListener("hashchange", show);
live.on("overview", ({ overview }) => remember(overview));
live.start();
history.start();
show();

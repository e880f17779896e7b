/* SPDX-License-Identifier: Apache-2.0 */
/* Which model answers, since when, and how the last trainings did against the one before. */
import { get } from "./api.js";
import { el, scroller, table } from "./dom.js";
import { decimal, duration, nothing, number, percent, signed, time, version, words } from "./format.js";
import { live, on } from "./live.js";
import { ask, empty } from "./states.js";

const measures = [
  ["roc_auc", "ROC-AUC", 1],
  ["pr_auc", "PR-AUC", 1],
  ["log_loss", "Log loss", -1],
  ["ece", "ECE", -1],
];
const states = { in_service: "in service", kept: "kept", rejected: "rejected" };

function servedSince(answer) {
  const run = (answer.retrains ?? []).find(
    (one) => one.in_service === answer.in_service && ["published", "rolled_back"].includes(one.decision),
  );
  return run?.time ?? null;
}

function inService(answer) {
  const model = answer.models?.find((one) => one.version === answer.in_service);
  const { trained } = answer;
  const since = servedSince(answer);
  return el(
    "section",
    { class: "card", "aria-label": "In service" },
    el("div", { class: "head" }, el("h2", null, "In service")),
    answer.in_service
      ? el(
          "dl",
          { class: "facts" },
          el("dt", null, "Version"),
          el("dd", null, el("code", { class: "id" }, answer.in_service)),
          el("dt", null, "Since"),
          el("dd", null, since ? time(since) : el("span", { class: "soft" }, "not on record")),
          el("dt", null, "Written"),
          el("dd", null, time(model?.written_at)),
          trained
            ? [
                el("dt", null, "Learnt from"),
                el("dd", null, `${number(trained.events)} events of ${number(trained.users)} users`),
                el("dt", null, "From, until"),
                el("dd", null, time(trained.from), " – ", time(trained.until)),
                measures
                  .filter(([key]) => typeof trained[key] === "number")
                  .map(([key, title]) => [
                    el("dt", null, `${title} (validation)`),
                    el("dd", null, decimal(trained[key], 4)),
                  ]),
                el("dt", null, "Base rate"),
                el("dd", null, percent(trained.base_rate)),
              ]
            : null,
        )
      : empty("No model is in service."),
  );
}

function models(answer) {
  const row = (one) => [
    version(one.version),
    one.version === answer.in_service ? el("b", null, states.in_service) : (states[one.state] ?? one.state),
    time(one.written_at),
  ];
  return el(
    "section",
    { class: "card span2", "aria-label": "Models in the folder" },
    el("div", { class: "head" }, el("h2", null, "In the folder")),
    answer.models?.length
      ? scroller("Models in the folder", table(["Version", "State", "Written"], answer.models.map(row)))
      : empty("The folder of models is empty."),
  );
}

function compared(run) {
  const { challenger, incumbent, challenger_minus_incumbent: less } = run.sealed ?? {};
  if (!challenger) return el("p", { class: "soft" }, "It was not compared.");
  const row = ([key, title, better]) => {
    const range = less?.[`${key}_ci`];
    const sure = range && (range[0] > 0 || range[1] < 0);
    const good = sure && Math.sign(less[key]) === better;
    return [
      title,
      decimal(challenger[key], 4),
      incumbent ? decimal(incumbent[key], 4) : nothing,
      el(
        "td",
        { class: sure ? (good ? "good" : "bad") : "" },
        less ? signed(less[key], 4) : nothing,
        range ? el("span", { class: "soft" }, ` [${signed(range[0], 4)}, ${signed(range[1], 4)}]`) : null,
        sure ? (good ? " better" : " worse") : null,
      ),
    ];
  };
  const heads = ["Sealed window", "Challenger", "Incumbent", "Difference [95 %]"];
  return scroller("Challenger against incumbent", table(heads, measures.map(row)));
}

function retrain(run) {
  const facts = [
    run.trigger && `asked for by ${run.trigger}`,
    run.seconds && `took ${duration(run.seconds)}`,
    run.training &&
      `learnt from ${number(run.training.events)} events of ${number(run.training.users)} users`,
    run.sealed?.challenger?.n && `judged on ${number(run.sealed.challenger.n)} events`,
  ].filter(Boolean);
  return el(
    "li",
    null,
    el(
      "p",
      { class: "run" },
      time(run.time),
      " ",
      el("b", { class: `tag ${run.decision}` }, words(run.decision)),
      " ",
      run.challenger ? ["challenger ", version(run.challenger)] : null,
      run.incumbent ? [" against ", version(run.incumbent)] : null,
      run.command === "models --use" ? [" by hand, now ", version(run.in_service)] : null,
    ),
    run.reason ? el("p", null, run.reason) : null,
    facts.length ? el("p", { class: "soft" }, facts.join("; ")) : null,
    run.command === "retrain" && run.decision !== "skipped" ? compared(run) : null,
  );
}

function retrains(answer) {
  return el(
    "section",
    { class: "card wide", "aria-label": "Last retrains" },
    el("div", { class: "head" }, el("h2", null, "Last retrains")),
    answer.retrains?.length
      ? el("ol", { class: "runs" }, answer.retrains.map(retrain))
      : empty(
          "No retrain is on record. shoal retrain trains a challenger, compares it with the one in service on days that neither has seen, and publishes it if it does no harm.",
        ),
  );
}

export function showModels(root) {
  const place = el("div");
  root.append(el("h1", null, "Models"), place);
  const asked = ask(
    place,
    "models",
    (signal) => get("v1/models", signal),
    (answer) => {
      place.replaceChildren(
        el("div", { class: "grid" }, inService(answer), models(answer), retrains(answer)),
      );
    },
  );
  // Models change seldom; when the one in service does, the rest is asked for again.
  let model = live.overview?.model;
  const ends = [
    on("back", asked.again),
    on("overview", ({ overview }) => {
      if (model !== undefined && overview.model !== model) asked.again();
      model = overview.model;
    }),
  ];
  return () => {
    ends.forEach((end) => end());
    asked.stop();
  };
}

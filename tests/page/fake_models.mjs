// SPDX-License-Identifier: Apache-2.0
// Made-up models and retrains, in the shape of GET /v1/models.
export const MODEL = "5e0f3a2b11c0d9e8";
const BEFORE = "0035d1367cb6474c";
const iso = (ms) => new Date(ms).toISOString();
const round = (value) => Number(value.toFixed(6));

export function models(now_ms) {
  const judged = (shift) => ({
    n: 48211,
    users: 4120,
    base_rate: 0.058,
    roc_auc: round(0.871 + shift),
    roc_auc_ci: [0.864, 0.878],
    pr_auc: round(0.342 + shift),
    pr_auc_ci: [0.33, 0.354],
    log_loss: round(0.1631 - shift),
    log_loss_ci: [0.159, 0.167],
    ece: round(0.0041 - shift / 10),
    ece_ci: [0.003, 0.006],
  });
  const run = (hours, decision, challenger, incumbent, reason, shift) => ({
    command: "retrain",
    time: iso(now_ms - hours * 3600e3),
    seconds: 412.3,
    decision,
    reason,
    challenger,
    incumbent,
    in_service: MODEL,
    trigger: "drift of hour",
    training: { events: 1204311, users: 18211 },
    sealed: {
      challenger: judged(shift),
      incumbent: judged(0),
      challenger_minus_incumbent: {
        roc_auc: shift,
        roc_auc_ci: [shift - 0.002, shift + 0.002],
        pr_auc: shift,
        pr_auc_ci: [shift - 0.003, shift + 0.003],
        log_loss: -shift / 2,
        log_loss_ci: [-shift / 2 - 0.001, -shift / 2 + 0.001],
        ece: 0,
        ece_ci: [-0.001, 0.001],
      },
    },
  });
  return {
    in_service: MODEL,
    trained: {
      from: iso(now_ms - 30 * 864e5),
      until: iso(now_ms - 864e5),
      events: 1204311,
      users: 18211,
      roc_auc: 0.8712,
      log_loss: 0.1629,
      base_rate: 0.058,
    },
    models: [
      { version: MODEL, written_at: iso(now_ms - 7.2 * 3600e3), state: "in_service" },
      { version: BEFORE, written_at: iso(now_ms - 31 * 3600e3), state: "kept" },
    ],
    retrains: [
      run(2, "refused", "aa11bb22cc33dd44", MODEL, "log loss is surely worse", -0.009),
      run(7, "published", MODEL, BEFORE, "no harm is seen", 0.006),
      {
        command: "retrain",
        time: iso(now_ms - 20 * 3600e3),
        seconds: 3.1,
        decision: "skipped",
        reason: "no distribution has drifted",
        challenger: null,
        incumbent: BEFORE,
        in_service: BEFORE,
      },
      {
        command: "models --use",
        time: iso(now_ms - 40 * 3600e3),
        decision: "rolled_back",
        reason: "by hand",
        challenger: null,
        incumbent: MODEL,
        in_service: BEFORE,
      },
    ],
  };
}

// SPDX-License-Identifier: Apache-2.0
// Made-up users, segments and promotions that change with every step, in the shapes of the HTTP API. Random
// numbers come from a seed, so a step is the same each time.

import { MODEL, models } from "./fake_models.mjs";

export const XSS = `<img src=x onerror="window.pwned=1">`;
const POLICY = "870ba20886b3e65a";
const LEVELS = {
  intent: ["cold", "warm", "hot"],
  lifecycle: ["new", "active", "returning", "lapsing", "inactive"],
  value: ["low", "middle", "high"],
  cluster: ["c1", "c2", "c3", "c4", "c5"],
  engagement: ["inactive", "unengaged", "engaged"],
  night_active: ["yes"],
  price_sensitive: ["yes"],
  cart_abandoner: ["yes"],
  frequent_buyer: ["yes"],
  first_time_buyer: ["yes"],
};
const PROMOTIONS = [
  ["checkout-reminder", "checkout_reminder", 20, "nudges", 0.1, null],
  ["flash-sale", "limited_time_offer", 10, "nudges", 0.2, 500],
  ["welcome", "recommendation", 0, null, 0.1, null],
  ["we-miss-you", "recommendation", 0, null, 0.1, null],
  ["goes-well-with", "recommendation", 0, null, 0.1, null],
  ["regulars-gift", "member_reward", 0, null, 0.1, 100],
  ["share-it", "social", 0, null, 0, null],
];

export function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const round = (value, digits = 6) => Number(value.toFixed(digits));
const iso = (ms) => new Date(ms).toISOString();

/** Newcombe's interval of a difference of two shares. */
function lift(a, b) {
  if (!a.offers || !b.offers) return null;
  const z = 1.959964;
  const wilson = ({ conversions: k, offers: n }) => {
    const p = k / n,
      half = z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n)),
      mid = p + (z * z) / (2 * n),
      scale = 1 + (z * z) / n;
    return [p, (mid - half) / scale, (mid + half) / scale];
  };
  const [p, pl, pu] = wilson(a),
    [q, ql, qu] = wilson(b);
  return {
    difference: round(p - q),
    low: round(p - q - Math.hypot(p - pl, qu - q)),
    high: round(p - q + Math.hypot(pu - p, q - ql)),
  };
}

export class World {
  constructor({ seed = 1, now_ms = Date.now(), xss = false } = {}) {
    this.random = random(seed);
    this.began_ms = now_ms - 5 * 3600e3;
    this.now_ms = this.opened_ms = now_ms;
    this.users = 18432;
    this.events_total = 4211873;
    this.offset = 351200;
    this.xss = xss;
    this.forgotten = new Set();
    this.changes = [];
    this.sizes = Object.fromEntries(
      Object.entries(LEVELS).map(([dimension, levels]) => [dimension, this.part(levels, dimension)]),
    );
    this.transitions = Object.fromEntries(Object.keys(LEVELS).map((dimension) => [dimension, new Map()]));
    for (let i = 0; i < 400; i += 1) this.move(Math.floor(this.random() * 80) + 1, false);
    this.transitions.cluster.set('["other","c2"]', 12);
    this.promotions = PROMOTIONS.map(([promotion, ...rest], i) => this.promotion(promotion, rest, i));
    if (xss) this.promotions.push(this.promotion(XSS, ["recommendation", 0, XSS, 0.1, null], 0));
    this.past = { times: [], dimensions: {}, events_per_second: [], promotions: {} };
    for (let i = 90; i > 0; i -= 1) {
      this.work();
      this.sample(now_ms - i * 10000);
    }
  }

  pick(list) {
    return list[Math.floor(this.random() * list.length)];
  }

  part(levels, dimension) {
    if (levels.length === 1) return { yes: Math.floor(this.users * (0.03 + 0.12 * this.random())) };
    const weights = dimension === "intent" ? [0.71, 0.22, 0.07] : levels.map(() => 0.2 + this.random());
    const sum = weights.reduce((a, b) => a + b);
    return Object.fromEntries(levels.map((level, i) => [level, Math.floor((this.users * weights[i]) / sum)]));
  }

  promotion(promotion, [kind, priority, group, control_share, per_day], i) {
    const offers = 900 + 2400 * (i % 4);
    const arm = (share, rate) => ({
      offers: Math.round(offers * share),
      conversions: Math.round(offers * share * rate),
    });
    return {
      promotion,
      kind,
      priority,
      valid_from: i === 1 ? iso(this.now_ms - 6 * 864e5) : null,
      valid_until: i === 1 ? iso(this.now_ms + 864e5) : null,
      control_share,
      group,
      budget: per_day ? { per_day, left: Math.round(per_day * 0.62) } : null,
      treatment: arm(1 - control_share, 0.062 + 0.004 * i),
      control: arm(control_share, 0.05),
    };
  }

  /** One batch of moves; the changes that came of it, for the stream. */
  move(count, listed) {
    const dimension = this.pick(Object.keys(LEVELS));
    const levels = [
      ...LEVELS[dimension],
      ...(LEVELS[dimension].length === 1 ? [null] : this.random() < 0.15 ? [null] : []),
    ];
    const from = this.pick(levels),
      to = this.pick(levels.filter((level) => level !== from && level !== null));
    if (to === undefined && from === null) return;
    const key = JSON.stringify([from, to ?? null]);
    this.transitions[dimension].set(key, (this.transitions[dimension].get(key) ?? 0) + count);
    const sizes = this.sizes[dimension];
    const moved = from === null ? count : Math.min(count, sizes[from]);
    if (from !== null) sizes[from] -= moved;
    if (to) sizes[to] += moved;
    if (listed)
      this.changes.push(
        this.change(this.userId(Math.floor(this.random() * 90000)), dimension, from, to ?? null),
      );
  }

  userId(n) {
    return this.xss && n % 3 === 0 ? `${XSS}${n % 10}` : String(500000 + n);
  }

  change(user_id, dimension, from, to) {
    this.offset += 1;
    return {
      id: `shoal.events/1/${this.offset}/${dimension}`,
      user_id,
      dimension,
      from,
      to,
      score: round(this.random()),
      segments: { [dimension]: to },
      event_time: iso(this.now_ms),
      model: MODEL,
    };
  }

  work() {
    this.rate = 15000 + 4000 * Math.sin(this.events_total / 9e5) + 1500 * this.random();
    this.events_total += Math.round(this.rate * 2);
    for (let i = 0; i < 4; i += 1) this.move(1 + Math.floor(this.random() * 6), true);
    for (const one of this.promotions) {
      const offers = Math.floor(this.random() * 5);
      one.treatment.offers += offers;
      one.control.offers += one.control_share && this.random() < 0.3 ? 1 : 0;
      one.treatment.conversions += this.random() < 0.12 ? 1 : 0;
      if (one.budget) one.budget.left = Math.max(0, one.budget.left - (offers > 3 ? 1 : 0));
    }
  }

  step(now_ms) {
    this.now_ms = now_ms;
    this.work();
    const last = this.past.times.at(-1);
    if (!last || now_ms - Date.parse(last) >= 10000) this.sample(now_ms);
  }

  sample(at_ms) {
    const { past } = this;
    past.times.push(iso(at_ms));
    past.events_per_second.push(round(this.rate, 1));
    for (const [dimension, sizes] of Object.entries(this.sizes)) {
      for (const [level, users] of Object.entries(sizes))
        ((past.dimensions[dimension] ??= {})[level] ??= []).push(users);
    }
    for (const one of this.promotions) {
      const arms = (past.promotions[one.promotion] ??= { treatment: [], control: [] });
      arms.treatment.push(Math.floor(this.random() * 14));
      arms.control.push(one.control_share ? Math.floor(this.random() * 3) : 0);
    }
  }

  segments() {
    return Object.entries(LEVELS).map(([dimension, levels]) => ({
      dimension,
      levels: levels.map((level) => ({ level, users: this.sizes[dimension][level] })),
      transitions: [...this.transitions[dimension]].map(([key, count]) => ({
        from: JSON.parse(key)[0],
        to: JSON.parse(key)[1],
        count,
      })),
    }));
  }

  promotionList() {
    const rated = (arm) => ({ ...arm, rate: arm.offers ? round(arm.conversions / arm.offers) : null });
    return this.promotions.map((one) => ({
      ...one,
      treatment: rated(one.treatment),
      control: rated(one.control),
      lift: lift(one.treatment, one.control),
    }));
  }

  overview() {
    return {
      as_of: iso(this.now_ms),
      instance: "fake-1",
      uptime_seconds: Math.round((this.now_ms - this.began_ms) / 1000),
      ready: true,
      users: this.users,
      events_per_second: round(this.rate, 1),
      events_total: this.events_total,
      lag: { messages: Math.floor(this.random() * 900), seconds: round(0.05 + 0.2 * this.random(), 3) },
      delay: {
        p50_seconds: round(0.041 + 0.01 * this.random()),
        p99_seconds: round(0.118 + 0.03 * this.random()),
      },
      partitions: [0, 1, 2, 3].map((partition) => ({
        partition,
        next_offset: 1000000 + this.offset + partition,
        lag: Math.floor(this.random() * 300),
        watermark: iso(this.now_ms - 900),
      })),
      model: MODEL,
      policy: POLICY,
      segments: this.segments(),
      promotions: this.promotionList(),
      deadletters_total: 17,
      stream_clients: 3,
    };
  }

  history() {
    return { interval_seconds: 10, ...this.past };
  }

  user(user_id) {
    const now = this.opened_ms;
    const at = (minutes) => iso(now - minutes * 60000);
    const behaviors = ["pv", "pv", "fav", "pv", "cart", "pv", "pv", "buy", "pv", "pv", "cart", "pv"];
    const recent_events = behaviors.map((behavior, i) => ({
      event_time: at(200 - 17 * i),
      behavior,
      item:
        this.xss && i % 2
          ? XSS
          : i % 3
            ? `#${(0xa1b2c30 + i * 4129).toString(16).padStart(8, "0")}`
            : String(3131062 + i),
      category: i % 4 ? `#${(0x1e40 + i).toString(16)}` : null,
      ...(i % 2 ? { price_level: i % 9 } : {}),
    }));
    return {
      user_id,
      partition: 1,
      offset: this.offset,
      events: 143,
      first_event_time: at(9000),
      last_event_time: recent_events.at(-1).event_time,
      model: MODEL,
      freshness_seconds: round((this.now_ms - Date.parse(recent_events.at(-1).event_time)) / 1000, 1),
      scores: { purchase_24h: 0.231, prompted: 0.064 },
      segments: {
        intent: { level: "hot", since: at(44) },
        lifecycle: { level: "active", since: at(4000) },
        value: { level: "high", since: at(700) },
        night_active: { level: "yes", since: at(900) },
      },
      counters: Object.fromEntries(
        ["pv", "cart", "fav", "buy"].map((name, i) => [
          name,
          {
            "1h": round(3.2 / (i + 1), 3),
            "1d": round(14.8 / (i * 2 + 1), 3),
            "7d": round(61.2 / (i * 3 + 1), 3),
          },
        ]),
      ),
      purchases: { days: 4, first_time: at(90000), last_time: at(81), spent_after_first_day: 211.5 },
      consent: { marketing: true, personalization: null },
      promotions: [
        {
          promotion: "goes-well-with",
          eligible: true,
          variant: "treatment",
          offers: 2,
          last_offer_time: at(81),
          expires_at: at(-279),
        },
        {
          promotion: this.xss ? XSS : "welcome",
          eligible: false,
          variant: "control",
          offers: 1,
          last_offer_time: at(8990),
          expires_at: null,
        },
      ],
      recent_events,
      next_look_at: at(-25),
    };
  }

  decisions(user_id) {
    const decision = (promotion, eligible, variant, reasons, more) => ({
      user_id,
      promotion,
      kind: "recommendation",
      eligible,
      variant,
      trigger: null,
      reasons,
      scores: { purchase_24h: 0.231 },
      segments: { intent: "hot", lifecycle: "active" },
      model: MODEL,
      policy: POLICY,
      expires_at: null,
      standing: false,
      would_offer: false,
      ...more,
    });
    const reason = (condition, value, limit, met) => ({ condition, value, limit, met });
    return {
      user_id,
      evaluated_at: iso(this.now_ms),
      model: MODEL,
      policy: POLICY,
      decisions: [
        decision(
          "goes-well-with",
          true,
          "treatment",
          [
            reason("score.min", 0.231, 0.05, true),
            reason("cooldown", iso(this.now_ms - 4860000), "1d", true),
            reason("offer", "1h21m", "6h", true),
          ],
          {
            standing: true,
            expires_at: iso(this.now_ms + 16740000),
            items: [
              { item: this.xss ? XSS : "3131062", score: -3.26 },
              { item: "482255", score: -3.31 },
            ],
          },
        ),
        decision("checkout-reminder", false, "treatment", [
          reason("segment.intent", "hot", ["cold", "warm"], false),
          reason("active_hours", "25m", "1h", true),
          reason("limit", 1, 5, true),
          reason("exclusion", null, "nudges", true),
        ]),
        decision("flash-sale", false, "control", [
          reason("segment.intent", "hot", ["warm", "hot"], true),
          reason("segment.price_sensitive", "no", ["yes"], false),
          reason("budget", "left", null, true),
          reason("quiet", "14:25", ["22:30", "08:00"], true),
        ]),
        decision(this.xss ? XSS : "we-miss-you", false, "treatment", [
          reason("consent.marketing", true, true, true),
          reason("validity", iso(this.now_ms), [null, iso(this.now_ms + 864e5)], true),
          reason("segment.lifecycle", "active", ["lapsing"], false),
        ]),
        decision("regulars-gift", true, "treatment", [reason("budget", "left", null, true)], {
          would_offer: true,
        }),
      ],
    };
  }

  explain(user_id, steps = 64) {
    const user = this.user(user_id);
    const inputs = ["behavior", "item", "category", "gap", "hour", "weekday", "price", "repeats"];
    const slope = 0.142;
    const both = (logit) => ({ logit: round(logit), probability: round(logit * slope) });
    const own = random(7);
    const events = user.recent_events.map((one, i, all) => {
      const parts = Object.fromEntries(
        inputs.map((name) => [name, round((own() - 0.42) * (one.behavior === "pv" ? 0.08 : 0.3))]),
      );
      return {
        time: one.event_time,
        behavior: one.behavior,
        item: "0a1b2c3d",
        item_id: one.item.startsWith("#") ? null : one.item,
        category: one.category?.slice(1) ?? null,
        score_after: i === all.length - 1 ? 0.2271 : round(0.03 + 0.2 * own() + 0.01 * i),
        ...both(Object.values(parts).reduce((a, b) => a + b, 0)),
        inputs: parts,
      };
    });
    const total = (name) => events.reduce((sum, one) => sum + one.inputs[name], 0);
    const counters = Object.fromEntries(
      ["pv", "cart", "fav", "buy"].flatMap((b) =>
        ["1h", "1d", "7d"].map((span) => [
          `${b}_${span}`,
          { rate: user.counters[b][span], standardised: round(own() * 2), ...both((own() - 0.4) * 0.2) },
        ]),
      ),
    );
    const events_total = events.reduce((sum, one) => sum + one.logit, 0),
      counters_total = Object.values(counters).reduce((sum, one) => sum + one.logit, 0);
    return {
      user_id,
      model: MODEL,
      task: "buy_24h",
      source: "record",
      as_of: user.last_event_time,
      events_known: 143,
      events_explained: events.length,
      scores: {
        explained: 0.2284,
        base: 0.061,
        served: 0.231,
        served_by: MODEL,
        state: 0.2299,
        correction: 0.0062,
        difference: -0.0026,
      },
      logits: { explained: -1.21, base: -2.73, probability_per_logit: slope },
      completeness: {
        rule: "gauss_legendre",
        steps,
        sum: round(events_total + counters_total),
        difference: round(events_total + counters_total + 2.1e-6),
        error: -2.1e-6,
        relative_error: 1.4e-6,
      },
      events_total: both(events_total),
      counters_total: both(counters_total),
      events,
      inputs: Object.fromEntries(inputs.map((name) => [name, both(total(name))])),
      counters,
    };
  }

  models() {
    return models(this.now_ms);
  }

  members(dimension, level, cursor, limit) {
    if (!cursor) return { users: [], next: "0" }; // a piece of the scan that holds nobody
    const from = Number(cursor);
    const end = Math.min(from + limit, 130);
    return {
      users: Array.from({ length: end - from }, (_, i) => ({
        user_id: this.userId(from + i),
        since: iso(this.now_ms - (from + i) * 61000),
        score: round(1 / (i + 2)),
      })),
      next: end < 130 ? String(end) : null,
    };
  }
}

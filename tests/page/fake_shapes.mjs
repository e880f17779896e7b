// SPDX-License-Identifier: Apache-2.0
// Worlds at their limits: nothing has happened yet, or as much as there can be.
import { World } from "./fake_world.mjs";

export const LONG_ID = "customer/".padEnd(64, "0123456789abcdef");
const promotions_most = 32; // of a policy
const clusters = 12;

class EmptyWorld extends World {
  constructor(options) {
    super(options);
    this.users = this.events_total = 0;
    this.promotions = [];
    this.past = { times: [], dimensions: {}, events_per_second: [], promotions: {} };
  }

  step(now_ms) {
    this.now_ms = now_ms;
    this.rate = 0;
  }

  segments() {
    return super.segments().map((one) => ({
      ...one,
      levels: one.dimension === "cluster" ? [] : one.levels.map(({ level }) => ({ level, users: 0 })),
      transitions: [],
    }));
  }

  overview() {
    const none = { lag: { messages: null, seconds: null }, delay: null, policy: null, deadletters_total: 0 };
    const partitions = [0, 1].map((partition) => ({ partition, next_offset: 0, lag: null, watermark: null }));
    return { ...super.overview(), ...none, partitions };
  }

  models() {
    const { in_service, trained, models } = super.models();
    return { in_service, trained, models: models.slice(0, 1), retrains: [] };
  }

  members() {
    return { users: [], next: null };
  }

  /** Who did nothing but see a promotion, and is in no segment. */
  user(user_id) {
    const counters = Object.fromEntries(
      ["pv", "cart", "fav", "buy"].map((name) => [name, { "1h": 0, "1d": 0, "7d": 0 }]),
    );
    const times = {
      first_event_time: null,
      last_event_time: null,
      freshness_seconds: null,
      next_look_at: null,
    };
    const nothing = { segments: {}, purchases: null, promotions: [], recent_events: [] };
    const consent = { marketing: null, personalization: null, processing: null };
    return { ...super.user(user_id), ...times, ...nothing, events: 0, counters, consent };
  }

  decisions(user_id) {
    return { ...super.decisions(user_id), policy: null, decisions: [] };
  }

  explain() {
    return null; // 409
  }
}

class LargeWorld extends World {
  constructor(options) {
    super(options);
    this.users = 98765432;
    this.sizes.cluster = Object.fromEntries(
      Array.from({ length: clusters }, (_, i) => [`c${i + 1}`, 1234567 * (clusters - i)]),
    );
    for (let i = 0; i < clusters; i += 1)
      this.transitions.cluster.set(JSON.stringify([`c${i + 1}`, `c${((i * 5) % clusters) + 1}`]), 90 + i);
    for (let i = this.promotions.length; i < promotions_most; i += 1)
      this.promotions.push(
        this.promotion(
          i % 3 ? `autumn-campaign-${i}` : `a-promotion-whose-name-goes-on-and-on-${i}`,
          ["limited_time_offer", 100 - i, i % 4 ? "a-group-with-a-long-name" : null, 0.1, i % 2 ? 1e6 : null],
          i,
        ),
      );
    this.past = { times: [], dimensions: {}, events_per_second: [], promotions: {} };
    for (let i = 90; i > 0; i -= 1) {
      this.work();
      this.sample(this.opened_ms - i * 10000);
    }
  }

  segments() {
    const cluster = Object.entries(this.sizes.cluster).map(([level, users]) => ({ level, users }));
    return super.segments().map((one) => (one.dimension === "cluster" ? { ...one, levels: cluster } : one));
  }

  userId(n) {
    return n % 2 ? LONG_ID : super.userId(n);
  }

  user(user_id) {
    const user = super.user(user_id);
    const since = user.recent_events[4].event_time;
    const all = this.segments().map(({ dimension, levels }) => [
      dimension,
      { level: levels.at(-1).level, since },
    ]);
    const promotions = this.promotions.map(({ promotion }, i) => ({
      ...user.promotions[i % 2],
      promotion,
    }));
    return { ...user, segments: Object.fromEntries(all), promotions };
  }

  decisions(user_id) {
    const answer = super.decisions(user_id);
    const decisions = this.promotions.map(({ promotion }, i) => ({
      ...answer.decisions[i % answer.decisions.length],
      promotion,
    }));
    return { ...answer, decisions };
  }
}

const shapes = { usual: World, empty: EmptyWorld, large: LargeWorld };

export function makeWorld(shape, options) {
  return new shapes[shape](options);
}

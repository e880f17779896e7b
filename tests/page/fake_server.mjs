#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// A server of the dashboard's API without Kafka, Redis or Shoal: it serves a built page and made-up data that
// change, under the content security policy of the real one, and does what goes wrong in the world when it is told.
import { createReadStream, existsSync, realpathSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { makeWorld } from "./fake_shapes.mjs";

const usage = `Usage: node tests/page/fake_server.mjs --page FOLDER [--port N] [--seed N] [--xss] [--shape NAME]

Serves the dashboard with made-up data on 127.0.0.1 (port: 8700; 0: a free one).

  --page FOLDER  as it was built: build/stream/page/page
  --xss          ids that try to be markup
  --shape NAME   usual; empty (nothing has happened yet); large (as much as there can be)

POST /__control with a JSON object tells it what goes wrong:
  mode     "ok"; "away" (connections are cut), "slow" (answers after delay_ms), "silent"
           (streams stay open and say nothing), "no-stream" (503 for streams only), "unready"
  token    wanted from now on, "" for none; admin: false answers 403 to DELETE
  break    true: ends the streams that are open
  push     {type, data}: an event for the streams
`;

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
};
const POLICY =
  "default-src 'self'; img-src 'self' data:; style-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export class FakeServer {
  constructor({ page, xss = false, seed = 1, interval_ms = 2000, shape = "usual" }) {
    Object.assign(this, {
      page: realpathSync(page),
      interval_ms,
      mode: "ok",
      delay_ms: 3000,
      token: "",
      admin: true,
      streams: new Set(),
      asked: [],
      deleted: [],
    });
    this.world = makeWorld(shape, { seed, xss });
    this.server = http.createServer((request, response) => this.answer(request, response));
  }

  listen(port = 0) {
    this.timer = setInterval(() => this.tick(), this.interval_ms);
    return new Promise((resolve) =>
      this.server.listen(port, "127.0.0.1", () =>
        resolve((this.url = `http://127.0.0.1:${this.server.address().port}`)),
      ),
    );
  }

  close() {
    clearInterval(this.timer);
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  tick() {
    this.world.step(Date.now());
    for (const change of this.world.changes.splice(0)) this.push("change", change);
    this.push("overview", this.overview());
  }

  overview() {
    return { ...this.world.overview(), ready: this.mode !== "unready" };
  }

  push(type, data) {
    if (this.mode === "silent" || this.mode === "away") return;
    for (const { response, types, user } of this.streams) {
      if (types && !types.includes(type)) continue;
      if (user && data.user_id !== undefined && data.user_id !== user) continue;
      if (user && data.user_id === undefined) continue;
      response.write(`${data.id ? `id: ${data.id}\n` : ""}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
    }
  }

  cut() {
    for (const { response } of this.streams) response.destroy();
    this.streams.clear();
  }

  control(said) {
    for (const key of ["mode", "token", "admin", "delay_ms"]) if (key in said) this[key] = said[key];
    if (said.break || this.mode === "away") this.cut();
    if (said.push) this.push(said.push.type, said.push.data);
  }

  problem(response, status, type, title, detail, headers = {}) {
    response.writeHead(status, {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      ...headers,
    });
    response.end(JSON.stringify({ type: `urn:shoal:problem:${type}`, title, status, detail }));
  }

  json(response, body, status = 200) {
    response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
    response.end(JSON.stringify(body));
  }

  async answer(request, response) {
    const url = new URL(request.url, "http://localhost");
    if (url.pathname === "/__control") {
      let text = "";
      for await (const piece of request) text += piece;
      this.control(JSON.parse(text || "{}"));
      return this.json(response, { mode: this.mode });
    }
    this.asked.push(`${request.method} ${request.url}`);
    if (this.mode === "away") return request.socket.destroy();
    if (!url.pathname.startsWith("/v1/")) return this.file(url.pathname, response);
    if (this.mode === "slow") await new Promise((resolve) => setTimeout(resolve, this.delay_ms));
    if (this.token && request.headers.authorization !== `Bearer ${this.token}`) {
      return this.problem(
        response,
        401,
        "unauthorized",
        "A token is needed",
        "Send Authorization: Bearer TOKEN.",
        { "www-authenticate": "Bearer" },
      );
    }
    return this.api(request, url, response);
  }

  file(name, response) {
    const file = path.join(this.page, name === "/" ? "index.html" : name);
    if (!file.startsWith(this.page) || !existsSync(file))
      return this.problem(response, 404, "not-found", "There is no such thing", name);
    response.writeHead(200, {
      "content-type": TYPES[path.extname(file)] ?? "application/octet-stream",
      "content-security-policy": POLICY,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cache-control": "no-cache",
    });
    return createReadStream(file).pipe(response);
  }

  stream(request, url, response) {
    if (this.mode === "no-stream")
      return this.problem(
        response,
        503,
        "too-many-streams",
        "Too many read the stream already",
        "Ask again later.",
        { "retry-after": "1" },
      );
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    const entry = {
      response,
      types: url.searchParams.get("types")?.split(","),
      user: url.searchParams.get("user"),
    };
    this.streams.add(entry);
    response.on("close", () => this.streams.delete(entry));
    response.write(": welcome\n\n");
    if (entry.types?.includes("overview") && this.mode !== "silent")
      response.write(`event: overview\ndata: ${JSON.stringify(this.overview())}\n\n`);
    return undefined;
  }

  api(request, url, response) {
    const parts = url.pathname.split("/").slice(2).map(decodeURIComponent);
    const { world } = this;
    if (parts[0] === "stream") return this.stream(request, url, response);
    if (parts[0] === "overview") return this.json(response, this.overview());
    if (parts[0] === "models") return this.json(response, world.models());
    if (parts[0] === "promotions")
      return this.json(response, { policy: world.overview().policy, promotions: world.promotionList() });
    if (parts[0] === "segments" && parts[1] === "history") return this.json(response, world.history());
    if (parts[0] === "segments" && parts[3] === "users")
      return this.json(
        response,
        world.members(
          parts[1],
          parts[2],
          url.searchParams.get("cursor"),
          Number(url.searchParams.get("limit") ?? 100),
        ),
      );
    if (parts[0] === "users") return this.person(request, parts, response);
    return this.problem(response, 404, "unknown-path", "There is no such path", url.pathname);
  }

  person(request, [, user, what], response) {
    const { world } = this;
    if (request.method === "DELETE") {
      if (!this.admin)
        return this.problem(
          response,
          403,
          "forbidden",
          "Your role may not do this",
          "Only admin may forget a user.",
        );
      this.deleted.push(user);
      world.forgotten.add(user);
      setTimeout(() => this.push("forgotten", { user_id: user }), 200);
      return this.json(response, { user_id: user, partitions: [1], state: "accepted" }, 202);
    }
    if (user === "nobody" || world.forgotten.has(user))
      return this.problem(response, 404, "unknown-user", "No such user", `There is no state of ${user}.`);
    if (what === "decisions") return this.json(response, world.decisions(user));
    const explained = what === "explain" ? world.explain(user) : undefined;
    if (explained === null)
      return this.problem(
        response,
        409,
        "no-events",
        "There is nothing to explain yet",
        `user '${user}' has no events`,
      );
    if (explained) return this.json(response, explained);
    return this.json(response, world.user(user));
  }
}

async function main() {
  const value = (name, other) =>
    process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : other;
  if (process.argv.includes("--help") || !value("--page")) {
    process.stdout.write(usage);
    process.exit(process.argv.includes("--help") ? 0 : 2);
  }
  const server = new FakeServer({
    page: value("--page"),
    xss: process.argv.includes("--xss"),
    seed: Number(value("--seed", 1)),
    shape: value("--shape", "usual"),
  });
  console.log(await server.listen(Number(value("--port", 8700))));
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await main();

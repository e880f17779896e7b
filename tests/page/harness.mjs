// SPDX-License-Identifier: Apache-2.0
// What the tests in Chromium share: a server and a page for each, waiting, and judging.
import assert from "node:assert/strict";
import { axeSource, launch, missing } from "./browser.mjs";
import { FakeServer } from "./fake_server.mjs";

const axe = missing() ? "" : axeSource();
let browser;

/** A server and a page of their own; everything that the browser complains of is collected. */
export async function open({ hash = "", server: server_options, expect = [], ...context_options } = {}) {
  const server = new FakeServer({ page: process.env.SHOAL_PAGE, interval_ms: 400, ...server_options });
  await server.listen();
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    reducedMotion: "reduce",
    ...context_options,
  });
  const page = await context.newPage();
  const complaints = [];
  page.on(
    "console",
    (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()),
  );
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.addInitScript(() => {
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) =>
      window.violations.push(`${event.violatedDirective} ${event.blockedURI}`),
    );
  });
  await page.goto(`${server.url}/${hash}`);
  return {
    server,
    page,
    context,
    async end() {
      assert.deepEqual(await page.evaluate(() => window.violations), [], "content security policy");
      const unexpected = complaints.filter((text) => !expect.some((one) => one.test(text)));
      assert.deepEqual(unexpected, [], "the console");
      await context.close();
      await server.close();
    },
  };
}

// What Chromium itself says of answers that a test asks for.
export const REFUSED = [/Failed to load resource/, /net::ERR_/];

export async function text(page, selector) {
  return (await page.locator(selector).first().innerText()).trim();
}

export async function until(what, check, limit_ms = 12000) {
  const deadline = Date.now() + limit_ms;
  for (;;) {
    const value = await check();
    if (value) return value;
    assert.ok(Date.now() < deadline, `not within ${limit_ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function seriousViolations(page) {
  await page.evaluate(axe); // not by a script element: the policy forbids it
  return page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    return violations
      .filter((one) => ["serious", "critical"].includes(one.impact))
      .map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" | ")}`);
  });
}

export async function sidewaysScroll(page) {
  return page.evaluate(() => {
    const wide = [...document.querySelectorAll("main *")].filter(
      (node) => node.getBoundingClientRect().right > innerWidth + 1 && !node.closest(".scroll, nav, .moves"),
    );
    return {
      over: document.documentElement.scrollWidth - innerWidth,
      wide: wide.slice(0, 3).map((node) => node.outerHTML.slice(0, 120)),
    };
  });
}

/** A few at a time: most of a test is waiting. */
async function runAll(list) {
  browser = await launch();
  let bad = 0;
  const work = async () => {
    for (let next = list.shift(); next; next = list.shift()) {
      const [name, test] = next;
      const began = Date.now();
      try {
        await test();
        console.log(`ok - ${name} (${((Date.now() - began) / 1000).toFixed(2)}s)`);
      } catch (error) {
        bad += 1;
        console.error(error);
        console.log(`not ok - ${name}`);
      }
    }
  };
  await Promise.all([work(), work(), work()]);
  await browser.close();
  return bad;
}

/** Runs {name: test} as TAP, or those whose names hold the argument; what the process is to exit with. */
export async function main(tests) {
  const why = process.env.SHOAL_PAGE ? missing() : "the page was not built (meson option dashboard)";
  if (why) {
    console.log(
      `1..1\n${process.env.CI ? "not ok" : "ok"} - page${process.env.CI ? ` (${why})` : ` # SKIP ${why}`}`,
    );
    return process.env.CI ? 1 : 77;
  }
  const chosen = Object.entries(tests).filter(([name]) => !process.argv[2] || name.includes(process.argv[2]));
  console.log(`1..${chosen.length}`);
  return (await runAll(chosen)) ? 1 : 0;
}

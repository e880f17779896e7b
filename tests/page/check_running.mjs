// SPDX-License-Identifier: Apache-2.0
// The dashboard as a running processor serves it: every view, a user who is there, live moves, and nothing that the
// browser complains of. Prints TAP.
//   node tests/page/check_running.mjs URL USER
import assert from "node:assert/strict";
import { launch, missing } from "./browser.mjs";

const [url, user] = process.argv.slice(2);
if (!user || process.argv.includes("--help")) {
  console.log("Usage: node tests/page/check_running.mjs URL USER");
  process.exit(user ? 0 : 2);
}
if (missing()) {
  console.log(`1..1\n${process.env.CI ? "not ok" : "ok"} - the dashboard ${process.env.CI ? `(${missing()})` : `# SKIP ${missing()}`}`);
  process.exit(process.env.CI ? 1 : 77);
}

const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce" });
const page = await context.newPage();
const complaints = [];
page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
page.on("pageerror", (error) => complaints.push(String(error)));
page.on("response", (response) => response.status() >= 400 && complaints.push(`${response.status()} ${response.url()}`));

const steps = {
  async "the overview is live, with charts"() {
    await page.goto(`${url}/#/overview`);
    await page.waitForSelector("#connection.live");
    await page.locator(".tile .figure").first().waitFor();
    await page.locator(".drawing canvas").first().waitFor({ timeout: 40000 }); // two samples of the history
    assert.match(await page.locator(".levels").innerText(), /cold[\s\S]*warm[\s\S]*hot/);
  },
  async "moves since the states began are drawn"() {
    await page.goto(`${url}/#/flow`);
    await page.getByLabel("Moves of the").selectOption("0");
    await page.locator(".drawing canvas").waitFor();
  },
  async "promotions are listed"() {
    await page.goto(`${url}/#/promotions`);
    await page.locator("tbody tr").first().waitFor();
  },
  async "the model in service is named"() {
    await page.goto(`${url}/#/models`);
    assert.match(await page.locator(".facts .id").innerText(), /^[0-9a-f]{16}$/);
  },
  async "a user is explained"() {
    await page.goto(`${url}/#/user/${encodeURIComponent(user)}`);
    await page.locator(".timeline .event").first().waitFor();
    await page.locator(".contributions tbody tr").first().waitFor();
    await page.locator(".decision").first().waitFor();
    assert.equal(await page.locator(".failed").count(), 0);
  },
  async "the users of a level are listed"() {
    await page.goto(`${url}/#/segment/intent/cold`);
    await page.locator("tbody a").first().waitFor();
  },
  async "the browser complains of nothing"() {
    assert.deepEqual(complaints, []);
  },
};

let bad = 0;
console.log(`1..${Object.keys(steps).length}`);
for (const [name, step] of Object.entries(steps)) {
  try {
    await step();
    console.log(`ok - ${name}`);
  } catch (error) {
    bad += 1;
    console.error(error);
    console.log(`not ok - ${name}`);
  }
}
await context.close();
await browser.close();
process.exit(bad ? 1 : 0);

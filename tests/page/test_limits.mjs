// SPDX-License-Identifier: Apache-2.0
// The dashboard with nothing to show and with as much as there can be, on paper, and after a restart of the server, in
// a real Chromium. Prints TAP. SHOAL_PAGE: the page as it was built.
import assert from "node:assert/strict";
import { LONG_ID } from "./fake_shapes.mjs";
import { REFUSED, main, open, seriousViolations, sidewaysScroll, text, until } from "./harness.mjs";

const VIEWS = ["overview", "flow", "promotions", "models", "user", `user/${encodeURIComponent(LONG_ID)}`];

/** Every view of a world of this shape on a phone in the dark and on a desk by day: nothing is wider than the screen, bad
 * to read, or no figure. */
async function inEveryView(shape, views) {
  for (const [width, colorScheme] of [
    [390, "dark"],
    [1280, "light"],
  ]) {
    const viewport = { width, height: 844 };
    const { server, page, end } = await open({ server: { shape }, viewport, colorScheme, expect: REFUSED });
    for (const hash of views) {
      await page.goto(`${server.url}/#/${hash}`);
      await page.waitForFunction(() => !document.querySelector(".loading") && document.querySelector("h1"));
      await page.waitForTimeout(300); // charts are drawn
      const { over, wide } = await sidewaysScroll(page);
      assert.ok(over <= 0 && wide.length === 0, `${hash} at ${width}: ${over} px, ${wide}`);
      assert.deepEqual(await seriousViolations(page), [], `${hash} ${colorScheme}`);
      assert.equal(await page.locator(".failed").count(), 0, hash);
      assert.doesNotMatch(await page.locator("main").innerText(), /NaN|Infinity|undefined|\[object/, hash);
    }
    await end();
  }
}

const tests = {
  async where_nothing_has_happened_every_view_says_so() {
    await inEveryView("empty", [...VIEWS, "segment/intent/hot"]);
  },

  async as_much_as_there_can_be_is_shown() {
    await inEveryView("large", [...VIEWS, "segment/cluster/c12"]);
  },

  async what_is_empty_has_no_buttons_that_do_nothing() {
    const { page, end } = await open({ server: { shape: "empty" } });
    await page.locator(".empty", { hasText: "No promotion has been offered yet" }).waitFor();
    await page.waitForTimeout(500);
    assert.equal(await page.getByRole("button", { name: "Table" }).count(), 0);
    assert.equal(await page.locator("h3", { hasText: "cluster" }).count(), 0);
    await end();
  },

  async promotions_that_are_not_drawn_are_said_to_be_left_out() {
    const { page, end } = await open({ server: { shape: "large" } });
    await page.locator(".note", { hasText: "The 12 with the most offers of 32" }).waitFor();
    await end();
  },

  async lines_say_since_when_and_outlive_a_restart_of_the_server() {
    const { server, page, end } = await open({ expect: REFUSED });
    const sizes = page.locator("section.card", { hasText: "Segment sizes over time" });
    await sizes.locator(".note", { hasText: /Lines begin at \d\d:\d\d:\d\d/ }).waitFor();
    await sizes.getByRole("button", { name: "Table" }).click();
    const rows = () => sizes.locator("tbody tr").count();
    const before = await rows();
    assert.ok(before > 20);
    const since = await text(page, ".note >> text=Lines begin");
    // It begins anew: its history is of the last sample only.
    const { past } = server.world;
    server.world.history = () => ({
      interval_seconds: 10,
      times: past.times.slice(-1),
      events_per_second: past.events_per_second.slice(-1),
      dimensions: { intent: { hot: [1], warm: [2], cold: [3] } },
      promotions: {},
    });
    const asked = () => server.asked.filter((one) => one.includes("segments/history")).length;
    const once = asked();
    server.control({ break: true });
    await until("the history is asked for", () => asked() > once);
    await sizes.locator("tbody tr", { hasText: "–" }).first().waitFor(); // the gap
    assert.ok((await rows()) >= before);
    assert.equal(await text(page, ".note >> text=Lines begin"), since);
    await end();
  },

  async paper_is_light_and_has_no_buttons() {
    const { page, end } = await open({ hash: "#/user/543210", colorScheme: "dark" });
    await page.locator(".drawing canvas").waitFor();
    const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    assert.equal(await theme(), "light");
    await page.emulateMedia({ media: "print" });
    for (const gone of ["nav", "footer", ".search", "button"])
      assert.equal(await page.locator(gone).first().isVisible(), false, gone);
    assert.ok(await page.locator(".drawing canvas").isVisible());
    await page.emulateMedia({ media: "screen" });
    await page.evaluate(() => dispatchEvent(new Event("afterprint")));
    assert.equal(await theme(), undefined);
    await end();
  },
};

process.exit(await main(tests));

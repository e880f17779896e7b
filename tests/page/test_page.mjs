// SPDX-License-Identifier: Apache-2.0
// The dashboard in a real Chromium, against a server that does what goes wrong in the world: clicks, live updates,
// a broken connection, tokens, keys, small screens, the dark, markup in ids. Prints TAP. SHOAL_PAGE: the page as
// it was built.
import assert from "node:assert/strict";
import { REFUSED, main, open, seriousViolations, sidewaysScroll, text, until } from "./harness.mjs";

const VIEWS = [
  ["Overview", "#/overview"],
  ["Flow", "#/flow"],
  ["Promotions", "#/promotions"],
  ["Models", "#/models"],
  ["User", "#/user"],
];

const tests = {
  async every_view_opens_by_a_click() {
    const { page, end } = await open();
    for (const [name, hash] of VIEWS) {
      await page.click(`nav a[href="${hash}"]`);
      await page.waitForSelector(`nav a[aria-current="page"] >> text=${name}`);
      assert.ok(await page.locator("h1").count());
      await page.waitForFunction(() => !document.querySelector(".loading"));
      assert.equal(await page.locator(".failed").count(), 0, name);
    }
    assert.match(await page.title(), /^User · Shoal$/);
    await end();
  },

  async figures_and_charts_follow_the_stream() {
    const { server, page, end } = await open();
    await page.waitForSelector(".tile .figure");
    await page.waitForSelector(".drawing canvas");
    const before = await text(page, ".tile .beside");
    await until("another count of events", async () => (await text(page, ".tile .beside")) !== before);
    assert.equal(await text(page, "#connection"), "live");
    const hot = server.world.sizes.intent.hot;
    server.world.sizes.intent.hot += 4000;
    await until(
      "the bar of hot grows",
      async () => Number((await text(page, ".levels li:last-child .soft")).replace(/\D/g, "")) > hot + 3000,
    );
    await end();
  },

  async a_chart_is_also_a_table() {
    const { page, end } = await open();
    const card = page.locator("section.card", { hasText: "Offers a minute by promotion" });
    await card.locator("canvas").waitFor();
    assert.match(await card.locator("[role=img]").getAttribute("aria-label"), /flash-sale/);
    await card.getByRole("button", { name: "Table" }).click();
    assert.equal(await card.locator("tbody tr").count(), 7);
    assert.equal(await card.locator("canvas").isVisible(), false);
    await card.getByRole("button", { name: "Table" }).click();
    assert.equal(await card.locator("canvas").isVisible(), true);
    await end();
  },

  async moves_are_listed_and_counted() {
    const { server, page, end } = await open({ hash: "#/flow" });
    await page.getByLabel("Moves of the").selectOption("0");
    await page.locator(".drawing canvas").waitFor();
    server.control({ push: { type: "change", data: server.world.change("4711", "intent", "warm", "hot") } });
    await page.locator(".moves a", { hasText: "4711" }).waitFor();
    await page.getByLabel("Dimension").selectOption("lifecycle");
    await page.getByRole("button", { name: "Table" }).click();
    await page.locator("caption", { hasText: "Moves of lifecycle, since the states began" }).waitFor();
    const cell = () =>
      page
        .locator("tbody tr", { has: page.locator("th", { hasText: /^new$/ }) })
        .locator("td")
        .allInnerTexts();
    const sum = async () =>
      (await cell()).reduce((all, one) => all + (Number(one.replace(/\D/g, "")) || 0), 0);
    const before = await sum();
    server.world.transitions.lifecycle.set(
      '["new","active"]',
      (server.world.transitions.lifecycle.get('["new","active"]') ?? 0) + 500,
    );
    await until("500 moves more", async () => (await sum()) >= before + 500);
    await page.getByLabel("Moves of the").selectOption("5");
    await page.locator("caption, .empty", { hasText: "when this page was opened" }).first().waitFor();
    await page.getByRole("button", { name: "Hold" }).click();
    const count = await page.locator(".moves li").count();
    server.control({ push: { type: "change", data: server.world.change("4712", "intent", "warm", "hot") } });
    await page.waitForTimeout(600);
    assert.equal(await page.locator(".moves li").count(), count);
    await end();
  },

  async promotions_show_rates_lift_and_budget() {
    const { page, end } = await open({ hash: "#/promotions" });
    const row = page.locator("tbody tr", { hasText: "we-miss-you" });
    await row.waitFor();
    assert.match(await row.innerText(), /\d\.\d\d%[\s\S]*pp[\s\S]*no limit/);
    assert.match(await row.locator("svg.interval").getAttribute("aria-label"), /95 % interval/);
    assert.match(await page.locator("tbody tr", { hasText: "flash-sale" }).innerText(), /left of 500/);
    assert.match(await page.locator("tbody tr", { hasText: "share-it" }).innerText(), /no control group/);
    await end();
  },

  async models_show_the_last_retrains() {
    const { page, end } = await open({ hash: "#/models" });
    await page.locator(".runs > li").first().waitFor();
    assert.match(await text(page, ".facts"), /5e0f3a2b11c0d9e8/);
    assert.match(await text(page, ".runs > li:nth-child(1)"), /refused[\s\S]*worse/);
    assert.match(await text(page, ".runs > li:nth-child(2)"), /published[\s\S]*better/);
    await end();
  },

  async a_user_is_found_explained_and_followed() {
    const { server, page, end } = await open({ hash: "#/user" });
    await page.fill("#user-search", "543210");
    await page.keyboard.press("Enter");
    await page.locator(".timeline .event").first().waitFor();
    assert.match(await text(page, "h1"), /543210/);
    assert.match(await text(page, ".tiles"), /23\.1%/);
    await page.locator(".timeline .effect").first().waitFor();
    assert.match(
      await page.locator("section", { hasText: "What moved the score" }).last().innerText(),
      /Completeness/,
    );
    await page.locator(".decision summary", { hasText: "checkout-reminder" }).click();
    assert.match(
      await page.locator(".decision[open] .unmet").innerText(),
      /not met\s*Segment intent: hot\s*\(asked: cold or warm\)/,
    );
    const decisions = server.world.decisions.bind(server.world);
    server.world.decisions = (user) => {
      const answer = decisions(user);
      answer.decisions[1].reasons[2].value = 4711;
      return answer;
    };
    const change = server.world.change("543210", "intent", "hot", "cold");
    await until("the stream of this user", () => [...server.streams].some((one) => one.user === "543210"));
    server.control({ push: { type: "change", data: change } });
    await page.locator(".timeline .change", { hasText: "hot → cold" }).waitFor();
    await page.locator(".decision[open] .met", { hasText: "4,711" }).waitFor(); // anew, and still open
    await end();
  },

  async a_view_that_was_left_asks_for_nothing_more() {
    const { server, page, end } = await open({ hash: "#/user/543210" });
    await page.locator(".timeline .event").first().waitFor();
    const asked = () => server.asked.filter((one) => one.includes("/v1/users/")).length;
    const before = asked();
    await until("it is asked for again", () => asked() > before);
    server.control({
      push: { type: "change", data: server.world.change("543210", "intent", "hot", "cold") },
    });
    server.control({ mode: "slow", delay_ms: 400 });
    await page.waitForTimeout(350); // an answer is on its way
    await page.click('nav a[href="#/models"]');
    await page.waitForTimeout(500);
    const left = asked();
    await page.waitForTimeout(6000);
    assert.equal(asked(), left);
    assert.equal(server.streams.size, 1);
    await end();
  },

  async an_unknown_user_is_said_to_be_unknown() {
    const { page, end } = await open({ hash: "#/user/nobody", expect: REFUSED });
    await page.locator(".empty", { hasText: "nobody" }).waitFor();
    await end();
  },

  async a_segment_lists_its_users_page_by_page() {
    const { page, end } = await open();
    await page.locator(".levels a", { hasText: "hot" }).click();
    await page.locator("tbody tr").nth(49).waitFor();
    await page.getByRole("button", { name: "More" }).click();
    await page.locator("tbody tr").nth(99).waitFor();
    await page.locator("tbody a").first().click();
    await page.locator(".timeline").waitFor();
    await end();
  },

  async a_broken_stream_is_said_polled_and_taken_up_again() {
    const { server, page, end } = await open({ expect: REFUSED });
    await page.waitForSelector("#connection.live");
    server.control({ mode: "no-stream", break: true });
    await page.locator("#banner.polling", { hasText: "live stream broke off at" }).waitFor();
    const before = await text(page, ".tile .beside");
    await until("figures by polling", async () => (await text(page, ".tile .beside")) !== before);
    server.control({ mode: "ok" });
    await page.waitForSelector("#connection.live", { timeout: 20000 });
    assert.equal(await page.locator("#banner").isVisible(), false);
    await end();
  },

  async a_server_that_is_away_leaves_old_figures_marked_stale() {
    const { server, page, end } = await open({ expect: REFUSED });
    await page.waitForSelector("#connection.live");
    server.control({ mode: "away" });
    await page.locator("#banner.stale", { hasText: "No answer since" }).waitFor();
    assert.match(await text(page, "#banner"), /What you see is of/);
    assert.ok(await page.locator("main.stale .tile").count());
    const shown = await text(page, ".tile .figure");
    await page.waitForTimeout(500);
    assert.equal(await text(page, ".tile .figure"), shown);
    const history = () => server.asked.filter((one) => one.includes("segments/history")).length;
    const asked = history();
    server.control({ mode: "ok" });
    await page.getByRole("button", { name: "Try now" }).click();
    await page.waitForSelector("#connection.live");
    await until("the gap is asked for", () => history() > asked);
    assert.equal(await page.locator("main.stale").count(), 0);
    await end();
  },

  async a_view_that_cannot_be_had_is_an_error_with_a_way_out() {
    const { server, page, end } = await open({ hash: "#/models", expect: REFUSED });
    server.control({ mode: "away" });
    await page.locator('nav a[href="#/overview"]').click();
    await page.locator('nav a[href="#/models"]').click();
    await page.locator(".failed", { hasText: "does not answer" }).waitFor();
    server.control({ mode: "ok" });
    await page.locator(".failed button").click();
    await page.locator(".runs").waitFor();
    await end();
  },

  async a_token_is_asked_for_and_kept_out_of_the_address() {
    const { server, page, end } = await open({ hash: "#/models", server: {}, expect: REFUSED });
    server.control({ token: "sesame", break: true });
    await page.locator("#token-dialog").waitFor();
    await page.fill("#token-dialog input", "wrong");
    await page.keyboard.press("Enter");
    await page.locator("#token-dialog", { hasText: "does not know this token" }).waitFor();
    await page.fill("#token-dialog input", "sesame");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#connection.live");
    await page.locator("dialog").waitFor({ state: "detached" });
    assert.ok(server.asked.every((one) => !one.includes("sesame")));
    assert.ok(!page.url().includes("sesame"));
    await page.reload();
    await page.waitForSelector("#connection.live");
    assert.equal(await page.locator("dialog").count(), 0);
    await end();
  },

  async without_a_token_the_page_says_so_and_asks_again_on_demand() {
    const { server, page, end } = await open({ expect: REFUSED });
    await page.waitForSelector("#connection.live");
    server.control({ token: "sesame", break: true });
    await page.locator("#token-dialog").getByRole("button", { name: "Not now" }).click();
    await page.locator("#banner.refused").waitFor();
    await page.waitForTimeout(1500);
    assert.equal(await page.locator("dialog").count(), 0);
    await page.locator("#banner button").click();
    await page.fill("#token-dialog input", "sesame");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#connection.live");
    await end();
  },

  async forgetting_needs_the_id_and_the_role() {
    const { server, page, end } = await open({ hash: "#/user/543210", expect: REFUSED });
    server.control({ admin: false });
    const forget = async () => {
      await page.getByRole("button", { name: "Forget this user …" }).click();
      const confirm = page.getByRole("button", { name: "Forget for ever" });
      assert.ok(await confirm.isDisabled());
      await page.fill("#forget-dialog input", "54321");
      assert.ok(await confirm.isDisabled());
      await page.fill("#forget-dialog input", "543210");
      await confirm.click();
    };
    await forget();
    await page.getByText("only the role admin may forget").waitFor();
    assert.deepEqual(server.deleted, []);
    server.control({ admin: true });
    await forget();
    await page
      .getByText(/Accepted|has been forgotten/)
      .first()
      .waitFor();
    assert.deepEqual(server.deleted, ["543210"]);
    await page.locator(".empty", { hasText: "just been forgotten" }).waitFor();
    assert.equal(await page.locator(".timeline").count(), 0); // nothing of theirs stays on screen
    await end();
  },

  async keys_alone_reach_everything() {
    const { page, end } = await open();
    await page.waitForSelector(".tile");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    assert.match(page.url(), /\/$|#\/overview$/);
    await page.keyboard.press("5");
    await page.waitForSelector("#user-search");
    await page.keyboard.press("/");
    await until("the search has the focus", () =>
      page.evaluate(() => document.activeElement.id === "user-search"),
    );
    await page.keyboard.type("5?1"); // typed, not taken as keys
    assert.equal(await page.inputValue("#user-search"), "5?1");
    await page.keyboard.press("Enter");
    const tab = page.getByRole("tab", { name: "Events" });
    await tab.waitFor();
    await tab.focus();
    await page.keyboard.press("ArrowRight");
    assert.equal(await page.getByRole("tab", { name: "Inputs" }).getAttribute("aria-selected"), "true");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Inputs");
    assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), "none");
    await page.keyboard.press("?");
    await page.locator("#help").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("#help").waitFor({ state: "detached" });
    await page.keyboard.press("2");
    await page.waitForSelector('nav a[aria-current="page"] >> text=Flow');
    await page.keyboard.press("t");
    await until("another theme", () =>
      page.evaluate(() => document.documentElement.dataset.theme === "light"),
    );
    await end();
  },

  async no_width_scrolls_sideways() {
    const { page, end } = await open({ viewport: { width: 360, height: 740 }, server: { xss: true } });
    for (const width of [360, 768, 1280, 1920]) {
      await page.setViewportSize({ width, height: 800 });
      for (const hash of [
        "#/overview",
        "#/flow",
        "#/promotions",
        "#/models",
        "#/user/543210",
        "#/segment/intent/hot",
      ]) {
        await page.goto(page.url().replace(/#.*|$/, "") + hash);
        await page.waitForFunction(
          () => !document.querySelector(".loading") && document.querySelector(".card"),
        );
        const { over, wide } = await sidewaysScroll(page);
        assert.ok(over <= 0 && wide.length === 0, `${hash} at ${width}: ${over} px, ${wide}`);
      }
    }
    await end();
  },

  async the_dark_follows_the_system_and_the_choice() {
    const { page, end } = await open({ colorScheme: "dark" });
    await page.waitForSelector(".tile");
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(await ground(), "rgb(17, 21, 26)");
    await page.click("#theme");
    assert.equal(await ground(), "rgb(246, 247, 249)");
    await page.reload();
    assert.equal(await ground(), "rgb(246, 247, 249)");
    await page.click("#theme");
    assert.equal(await ground(), "rgb(17, 21, 26)");
    await end();
  },

  async markup_in_ids_stays_text() {
    const { server, page, end } = await open({ server: { xss: true }, hash: "#/flow", expect: REFUSED });
    await until("a move of such an id", () => page.locator(".moves a", { hasText: "<img" }).count());
    await page.locator(".moves a", { hasText: "<img" }).first().click();
    await page.locator(".timeline .id", { hasText: "<img" }).first().waitFor();
    await page.locator(".decision", { hasText: "<img" }).first().waitFor();
    for (const hash of [
      "#/overview",
      "#/promotions",
      "#/segment/intent/hot",
      "#/segment/%3Cimg%20src%3Dx%3E/%3Cimg%3E",
      "#/%E0%A4%A",
      "#/constructor",
    ]) {
      await page.goto(server.url + "/" + hash);
      await page.waitForTimeout(400);
    }
    assert.equal(await page.locator("img").count(), 0);
    assert.equal(await page.evaluate(() => window.pwned), undefined);
    await end();
  },

  async axe_finds_nothing_serious_in_either_scheme() {
    for (const colorScheme of ["light", "dark"]) {
      const { page, end } = await open({ colorScheme });
      for (const hash of ["#/overview", "#/flow", "#/promotions", "#/models", "#/user/543210"]) {
        await page.goto(page.url().replace(/#.*|$/, "") + hash);
        await page.waitForFunction(
          () => !document.querySelector(".loading") && document.querySelector(".card"),
        );
        assert.deepEqual(await seriousViolations(page), [], `${hash} ${colorScheme}`);
      }
      await page.keyboard.press("?");
      await page.locator("#help").waitFor();
      assert.deepEqual(await seriousViolations(page), [], `help ${colorScheme}`);
      await end();
    }
  },

  async a_tab_that_nobody_sees_holds_no_connection() {
    const { server, page, end } = await open({ hash: "#/models" });
    await page.addInitScript(() => {
      const wait = window.setTimeout; // half a minute is long for a test
      window.setTimeout = (then, ms, ...rest) => wait(then, ms === 30000 ? 300 : ms, ...rest);
    });
    await page.reload();
    await page.waitForSelector("#connection.live");
    const show = (hidden) =>
      page.evaluate((it) => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => it });
        document.dispatchEvent(new Event("visibilitychange"));
      }, hidden);
    await until("one stream", () => server.streams.size === 1);
    await show(true);
    await until("no stream", () => server.streams.size === 0);
    await page.waitForTimeout(2500);
    assert.equal(server.streams.size, 0);
    assert.equal(await page.locator("#banner").isVisible(), false);
    await show(false);
    await until("a stream again", () => server.streams.size === 1);
    await end();
  },

  async without_the_chart_library_there_are_tables() {
    const { page, context, server, end } = await open({ hash: "#/models", expect: REFUSED });
    await context.route("**/library.js", (route) => route.abort());
    await page.goto(`${server.url}/#/overview`);
    await page.reload();
    await page.locator("table caption", { hasText: "Events a second" }).waitFor();
    await end();
  },
};

process.exit(await main(tests));

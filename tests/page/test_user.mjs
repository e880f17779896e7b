// SPDX-License-Identifier: Apache-2.0
// One user's page in a real Chromium: the score after each event, slow answers, where the focus goes. Prints TAP.
// SHOAL_PAGE: the page as it was built.
import assert from "node:assert/strict";
import { REFUSED, main, open, until } from "./harness.mjs";

const card = (page, title) => page.locator("section.card", { has: page.locator("h2", { hasText: title }) });
const focused = (page) => page.evaluate(() => document.activeElement.textContent.trim());

/** The table of the score card as texts, newest first. */
async function scoreRows(page) {
  const score = card(page, "Score after each recent event");
  await score.getByRole("button", { name: "Table" }).click();
  await score.locator("tbody tr").first().waitFor();
  const rows = await score.locator("tbody tr").all();
  return Promise.all(rows.map((row) => row.locator("th, td").allInnerTexts()));
}

const tests = {
  async the_score_after_each_event_is_drawn_and_told() {
    const { server, page, end } = await open({ hash: "#/user/543210" });
    const score = card(page, "Score after each recent event");
    await score.locator("canvas").waitFor();
    const wanted = server.world.explain("543210").events;
    assert.match(
      await score.locator("[role=img]").getAttribute("aria-label"),
      /12 events.*22\.7%.*intent hot/,
    );
    assert.match(await score.locator(".note").innerText(), /Computed anew.*131 older events/);
    const rows = await scoreRows(page);
    assert.equal(rows.length, wanted.length);
    wanted.reverse().forEach((one, i) => {
      assert.equal(rows[i][2], `${(100 * one.score_after).toFixed(2)}%`);
    });
    // 44 minutes ago; events were 47 and 30 minutes ago.
    assert.deepEqual(rows.map((row) => row[3]).filter(Boolean), ["intent hot"]);
    assert.equal(rows[2][3], "intent hot");
    assert.match(await page.locator(".timeline .event").first().innerText(), /score 22\.7%/);
    await end();
  },

  async a_change_is_drawn_at_the_event_that_made_it() {
    const { server, page, end } = await open({ hash: "#/user/543210" });
    await page.locator(".timeline .effect").first().waitFor();
    await until("the stream of this user", () => [...server.streams].some((one) => one.user === "543210"));
    const change = server.world.change("543210", "intent", "hot", "cold");
    const last = server.world.user("543210").last_event_time;
    server.control({ push: { type: "change", data: { ...change, event_time: last } } });
    await page.locator(".timeline .change", { hasText: "hot → cold" }).waitFor();
    const rows = await scoreRows(page);
    assert.match(rows[0][3], /intent hot → cold/);
    await end();
  },

  async the_whole_of_a_history_is_said_to_be_whole() {
    const { server, page, end } = await open({ hash: "#/models" });
    const explain = server.world.explain.bind(server.world);
    server.world.explain = (user) => ({ ...explain(user), events_known: 12 });
    await page.goto(`${server.url}/#/user/543210`);
    const note = card(page, "Score after each recent event").locator(".note");
    await note.waitFor();
    assert.doesNotMatch(await note.innerText(), /older events/);
    await end();
  },

  async with_no_event_there_is_nothing_to_explain_and_nothing_failed() {
    const { page, end } = await open({ hash: "#/user/543210", server: { shape: "empty" }, expect: REFUSED });
    await card(page, "What moved the score").getByText("There is nothing to explain yet").waitFor();
    await card(page, "Score after each recent event").getByText("nothing to explain").waitFor();
    assert.equal(await page.locator(".failed").count(), 0);
    assert.match(await page.locator(".tiles").innerText(), /none yet/);
    assert.doesNotMatch(await page.locator("main").innerText(), /– ago|NaN|Infinity|undefined|null/);
    await end();
  },

  // The page asks again every five seconds.
  async answers_that_take_longer_than_the_questions_come_are_shown() {
    const { server, page, end } = await open({ hash: "#/models" });
    server.control({ mode: "slow", delay_ms: 6500 });
    await page.goto(`${server.url}/#/user/543210`);
    const asked = (path) => server.asked.filter((one) => one === `GET /v1/users/543210${path}`).length;
    await until("the first question", () => asked("") === 1);
    const happening = setInterval(() => server.push("decision", { user_id: "543210" }), 1000);
    await page.locator(".tiles").waitFor({ timeout: 40000 });
    assert.equal(asked(""), 1); // not given up for another one
    await page.locator(".contributions tbody tr").first().waitFor({ timeout: 40000 });
    assert.equal(asked("/explain"), 1);
    clearInterval(happening);
    await end();
  },

  async the_focus_stays_where_it_was_when_something_happens() {
    const { server, page, end } = await open({ hash: "#/user/543210" });
    const link = card(page, "Segments").locator("a").nth(1);
    await link.focus();
    const before = await focused(page);
    assert.equal(before, "active");
    const user = server.world.user.bind(server.world);
    server.world.user = (id) => ({ ...user(id), events: 144, offset: 1 });
    await until("the stream of this user", () => [...server.streams].some((one) => one.user === "543210"));
    server.control({ push: { type: "change", data: server.world.change("543210", "value", "low", "high") } });
    await page.locator(".tile", { hasText: "144" }).waitFor();
    assert.equal(await focused(page), before);
    await end();
  },

  async the_focus_goes_to_what_is_left_when_a_user_is_forgotten() {
    const { page, end } = await open({ hash: "#/user/543210", expect: REFUSED });
    const button = page.getByRole("button", { name: "Forget this user …" });
    await button.click();
    await page.getByRole("button", { name: "Cancel" }).click();
    assert.equal(await focused(page), "Forget this user …");
    await button.click();
    await page.fill("#forget-dialog input", "543210");
    await page.keyboard.press("Enter");
    await page.locator(".gone").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    await end();
  },

  async dialogs_give_the_focus_back() {
    const { page, end } = await open({ hash: "#/user/543210" });
    const help = page.locator("#help-button");
    await help.focus();
    await page.keyboard.press("Enter");
    await page.locator("#help").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("#help").waitFor({ state: "detached" });
    assert.equal(await page.evaluate(() => document.activeElement.id), "help-button");
    await end();
  },
};

process.exit(await main(tests));

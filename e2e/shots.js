// The screenshots of the documentation: a fresh start on the shipped sample telemetry, as a reader of the README sees it.
import { launch, signIn, visitor } from './lib/browser.js';
import { start } from './lib/server.js';
import { shot } from './lib/shot.js';

process.env.OUT ??= '../docs';
const server = await start({ quiet: true });
const browser = await launch();
const { page } = await visitor(browser, { viewport: { width: 1440, height: 860 }, colorScheme: 'light' });
await signIn(page, server);
for (let tries = 0; tries < 60; tries += 1) {
  // The samples are through once the theft of weights among them has raised its alert.
  await page.goto(`${server.url}?text=weights+read`);
  if (await page.locator('[data-row]').count()) break;
  await page.waitForTimeout(3000);
}
await page.waitForTimeout(8000);
await page.goto(server.url);
for (let n = 0; n < 4; n += 1) await page.keyboard.press('j');
await page.keyboard.press('x');
await page.keyboard.press('a');
await page.waitForTimeout(1500);
await page.keyboard.press('k');
await page.waitForTimeout(6000);
await shot(page, 'console');
await page.goto(`${server.url}?text=weights+read`);
await page.locator('a.title').first().click();
await page.waitForURL(/alerts/);
await page.waitForTimeout(300);
await shot(page, 'console-alert');
await browser.close();
await server.stop();

// Debian's Chromium, driven as a person would: pages with their errors gathered, and signing in.
import { chromium } from 'playwright-core';

export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--font-render-hinting=none'],
  });
}

// A fresh context and page. `errors` fills with everything the browser complains of, broken content policy included.
export async function visitor(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const errors = [];
  const expected = options.expected ?? [];
  page.on('console', (message) => {
    const text = `${message.text()} ${message.location().url ?? ''}`;
    if (['error', 'warning'].includes(message.type()) && !expected.some((pattern) => pattern.test(text))) errors.push(text);
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  return { context, page, errors };
}

export async function signIn(page, server, user = 'R. Okafor') {
  await page.goto(`${server.url}login`);
  await page.getByLabel(/your name/i).fill(user);
  await page.getByLabel(/^token/i).fill(server.token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((url) => !url.pathname.startsWith('/login'));
}

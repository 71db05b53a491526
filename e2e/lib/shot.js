// Screenshots into the folder that OUT names; none when nobody asks.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

export async function shot(page, name, options = {}) {
  if (!process.env.OUT) return;
  await mkdir(process.env.OUT, { recursive: true });
  await page.screenshot({ path: join(process.env.OUT, `${name}.png`), ...options });
}

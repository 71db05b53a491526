// What is tested: the real binary when WATCHKEEP_BIN names it, else the console's demo over a seeded store.
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(fileURLToPath(import.meta.url), '../../..');

// An address that is free now on this machine.
async function freeAddress() {
  const server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return `127.0.0.1:${port}`;
}

// A record that raises an alert in which everything that a sender controls tries to break a page.
function hostileRecord() {
  const bad = '<script>alert(1)</script>"><img src=x onerror=alert(1)></textarea></title><h1 id=broken>';
  return {
    eventVersion: '1.09', eventID: 'e2e-hostile-1', eventTime: new Date().toISOString().replace(/\.\d+Z/, 'Z'),
    eventSource: 'iam.amazonaws.com', eventName: 'CreateAccessKey', awsRegion: 'eu-west-2', sourceIPAddress: '203.0.113.9',
    userAgent: bad, eventType: 'AwsApiCall', eventCategory: 'Management', managementEvent: true, readOnly: false,
    recipientAccountId: '111122223333', requestParameters: { userName: `victim ${bad}` },
    responseElements: { accessKey: { accessKeyId: 'AKIAEXAMPLEHOSTILE', status: 'Active', userName: `victim ${bad}` } },
    userIdentity: { type: 'IAMUser', arn: 'arn:aws:iam::111122223333:user/mallory', accountId: '111122223333', userName: 'mallory', accessKeyId: 'AKIAEXAMPLEMALLORY' },
  };
}

// Waits for the address and the token on standard output.
function started(child) {
  return new Promise((done, fail) => {
    let out = '';
    let errors = '';
    const late = setTimeout(() => fail(new Error(`not started in time:\n${out}\n${errors}`)), 120_000);
    child.stderr.on('data', (data) => { errors = (errors + data).slice(-4000); });
    child.on('exit', (code) => { clearTimeout(late); fail(new Error(`ended with ${code} before it served:\n${out}\n${errors}`)); });
    child.stdout.on('data', (data) => {
      out += data;
      const url = out.match(/console\s+(http:\/\/\S+\/)/)?.[1];
      const token = out.match(/\bwk_[0-9a-f]{64}\b/)?.[0];
      if (url && token) { clearTimeout(late); done({ url, token }); }
    });
  });
}

// Starts the server; `stop` ends it and removes what it wrote. `quiet`: nothing but the shipped samples comes in.
export async function start({ quiet = false } = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'watchkeep-e2e-'));
  const bin = process.env.WATCHKEEP_BIN;
  const input = await freeAddress();
  const flags = quiet ? ['--sample'] : ['--sample', '--hostile'];
  let command = ['cargo', ['run', '--quiet', '-p', 'watchkeep-console', '--example', 'demo', '--', ...flags]];
  if (process.env.WATCHKEEP_DEMO) command = [process.env.WATCHKEEP_DEMO, flags];
  if (bin) {
    const config = join(dir, 'watchkeep.toml');
    await writeFile(config, configuration(join(dir, 'data'), input));
    command = [bin, ['run', '--config', config]];
  }
  const child = spawn(...command, { cwd: bin ? dir : ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((done) => child.on('exit', done));
  const { url, token } = await started(child);
  child.removeAllListeners('exit');
  child.on('exit', () => {});
  if (bin && !quiet) await send(`http://${input}/v1/records`, hostileRecord());
  return {
    url, token,
    async stop() {
      child.kill('SIGTERM');
      const hard = setTimeout(() => child.kill('SIGKILL'), 10_000);
      if (child.exitCode === null && child.signalCode === null) await ended;
      clearTimeout(hard);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function send(url, record) {
  for (let tries = 0; ; tries += 1) {
    try {
      const answer = await fetch(url, { method: 'POST', body: `${JSON.stringify(record)}\n`, headers: { 'content-type': 'application/x-ndjson' } });
      if (answer.ok) return;
      throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
    } catch (error) {
      if (tries === 20) throw error;
      await new Promise((done) => setTimeout(done, 250));
    }
  }
}

function configuration(data, input) {
  return `data_dir = ${JSON.stringify(data)}

[console]
listen = "127.0.0.1:0"

[[inputs]]
name = "samples"
kind = "samples"

[[inputs]]
name = "push"
kind = "http"
listen = "${input}"

[[routes]]
name = "file"
kind = "ndjson_file"
path = "alerts.ndjson"
`;
}

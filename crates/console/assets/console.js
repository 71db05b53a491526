// Keys, refreshing in place, drawings. Every page works without this file; nothing here decides anything.
'use strict';
document.documentElement.classList.add('scripted');

const $ = (query, root = document) => root.querySelector(query);
const $$ = (query, root = document) => [...root.querySelectorAll(query)];
const csrf = () => $('input[name=csrf]')?.value ?? '';

// What a person should hear and see, once.
let toastEnds;
function say(text, quiet = false) {
  // One line each, so that what comes next does not take the place of what was not yet heard.
  const line = document.createElement('span');
  line.textContent = `${text} `;
  $('#said').append(line);
  setTimeout(() => line.remove(), 8000);
  if (quiet) return;
  const toast = $('#toast');
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(toastEnds);
  toastEnds = setTimeout(() => { toast.hidden = true; }, 6000);
}

// Rows: one is current, some are selected.
const rows = () => $$('[data-row]');
let current = null;
const rowOf = (element) => element?.closest?.('[data-row]') ?? null;
const currentRow = () => rowOf(document.activeElement) ?? (current && document.getElementById(current));

function focusRow(row) {
  if (!row) return;
  const link = $('a.title', row);
  link.focus({ preventScroll: true });
  row.scrollIntoView({ block: 'nearest' });
}

function move(step) {
  const all = rows();
  if (!all.length) return neighbour(step);
  const at = all.indexOf(currentRow());
  focusRow(all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step))]);
}

// On an alert's page j and k go on in the list that it was opened from.
function neighbour(step) {
  const list = JSON.parse(sessionStorage.getItem('list') ?? '{"ids":[]}');
  const at = list.ids.indexOf(document.body.dataset.alert);
  const next = at < 0 ? undefined : list.ids[at + step];
  if (next) location.href = '/alerts/' + next;
  else if (document.body.dataset.alert) say(step > 0 ? 'That was the last alert of the list' : 'That was the first alert of the list');
}

function remember() {
  if ($('#alerts')) {
    sessionStorage.setItem('list', JSON.stringify({ url: location.pathname + location.search, ids: rows().map((row) => row.dataset.row) }));
  }
}

const picked = () => $$('[data-row] input[name=id]:checked').map((box) => box.value);
function chosenIds() {
  const ids = picked();
  if (ids.length) return ids;
  const row = currentRow();
  return row && $('input[name=id]', row) ? [row.dataset.row] : [];
}
function showPicked() {
  const out = $('#selected');
  if (out) out.textContent = picked().length ? `${picked().length} selected` : '';
}

// Acts. The server decides; its sentence is what is said.
async function acknowledge(ids) {
  if (!ids.length) return say('Choose an alert first: j moves to one, x selects');
  const body = new URLSearchParams([['csrf', csrf()], ...ids.map((id) => ['id', id])]);
  try {
    const answer = await fetch('/alerts/acknowledge', { method: 'POST', body, headers: { Accept: 'text/plain' } });
    if (answer.status === 401) return stale('Signed out. Sign in again to go on.');
    const plain = (answer.headers.get('content-type') ?? '').startsWith('text/plain');
    say(plain ? await answer.text() : `Not acknowledged: the server answered ${answer.status}`);
  } catch {
    say('Not acknowledged: the server did not answer');
  }
  for (const box of $$('[data-row] input[name=id]:checked')) box.checked = false;
  showPicked();
  refresh();
}

function open(id) {
  const dialog = document.getElementById(id);
  if (!dialog || dialog.open) return Boolean(dialog);
  dialog.showModal();
  return true;
}

function closeAlerts() {
  if (document.body.dataset.alert) return void (open('closing') || say('It is closed already'));
  const ids = chosenIds();
  if (!ids.length) return say('Choose an alert first: j moves to one, x selects');
  const rowsChosen = ids.map((id) => document.getElementById('a-' + id)).filter(Boolean);
  const waiting = rowsChosen.filter((row) => !['acknowledged', 'closed'].includes(row.dataset.state)).length;
  const names = rowsChosen.slice(0, 3).map((row) => $('a.title', row).textContent).join('; ');
  $('#closing-what').textContent = `${ids.length} alert${ids.length === 1 ? '' : 's'}: ${names}${ids.length > 3 ? '; …' : ''}.`
    + (waiting ? ` ${waiting} nobody has acknowledged: closing does that first, in your name.` : '');
  $('#closing [data-ids]').replaceChildren(...ids.map((id) => Object.assign(document.createElement('input'), { type: 'hidden', name: 'id', value: id })));
  open('closing');
}

function silence() {
  if (document.body.dataset.alert) return void open('silencing');
  const row = currentRow();
  if (!row || !$('input[name=id]', row)) return say('Choose an alert first: j moves to one');
  location.href = `/alerts/${row.dataset.row}/silence?next=${encodeURIComponent(location.pathname + location.search)}`;
}

// Keys.
const places = { q: '/', s: '/sources', l: '/ledger', r: '/rules', o: '/outbox', i: '/silences' };
let going = 0;
const keys = {
  j: () => move(1),
  k: () => move(-1),
  o: () => $('a.title', currentRow() ?? document.createElement('i'))?.click(),
  x: () => { const box = $('input[name=id]', currentRow() ?? document.createElement('i')); if (box) { box.checked = !box.checked; showPicked(); say(box.checked ? 'Selected' : 'Not selected', true); } },
  a: () => { const form = $('#acknowledge'); if (form) form.requestSubmit(); else if ($('#alerts')) acknowledge(chosenIds()); else if (document.body.dataset.alert) say('Somebody has acknowledged it already'); },
  d: () => closeAlerts(),
  s: () => silence(),
  u: () => { if (document.body.dataset.alert) location.href = JSON.parse(sessionStorage.getItem('list') ?? '{}').url ?? '/'; },
  g: () => { going = Date.now(); },
  '/': () => { $('#search')?.focus(); $('#search')?.select(); },
  '?': () => open('keys'),
  Escape: () => { for (const box of $$('[data-row] input[name=id]:checked')) box.checked = false; showPicked(); },
};

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if ($('dialog[open]')) return;
  const typing = event.target.matches?.('input:not([type=checkbox]):not([type=radio]), textarea, select');
  if (typing) {
    if (event.key === 'Escape') event.target.blur();
    return;
  }
  if (Date.now() - going < 1500 && places[event.key]) {
    event.preventDefault();
    location.href = places[event.key];
    return;
  }
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

document.addEventListener('click', (event) => {
  const opener = event.target.closest('[data-opens]');
  if (opener && open(opener.dataset.opens)) event.preventDefault();
  const closer = event.target.closest('[data-closes]');
  if (closer) closer.closest('dialog').close();
  const act = event.target.closest('[data-act]');
  if (act) {
    event.preventDefault();
    if (act.dataset.act === 'close') closeAlerts(); else acknowledge(chosenIds());
  }
  const back = event.target.closest('[data-back]');
  const list = back && JSON.parse(sessionStorage.getItem('list') ?? '{}').url;
  if (list) back.href = list;
});
document.addEventListener('change', showPicked);
document.addEventListener('focusin', (event) => { const row = rowOf(event.target); if (row) current = row.id; });

// Refreshing in place: quiet while nobody looks or a dialog is open; what is new is said.
function refresh() { $('#list')?.dispatchEvent(new Event('refresh')); }
function stale(text) {
  const note = $('#stale');
  if (!note) return;
  note.textContent = text;
  note.hidden = !text;
}
let known = null;
const ids = () => new Set(rows().map((row) => row.dataset.row));
document.addEventListener('htmx:before:request', (event) => {
  if (document.hidden || $('dialog[open]')) event.preventDefault();
});
document.addEventListener('htmx:after:request', (event) => {
  const status = event.detail?.ctx?.response?.raw?.status ?? event.detail?.ctx?.response?.status;
  if (status === 401) stale('Signed out. Sign in again to go on.');
  else if (status >= 400) stale('The list is not fresh: the server could not give it.');
  else stale('');
});
document.addEventListener('htmx:error', () => stale('The list is not fresh: the server does not answer.'));
document.addEventListener('htmx:after:swap', () => {
  const now = ids();
  const fresh = known ? [...now].filter((id) => !known.has(id)).length : 0;
  if (fresh) say(`${fresh} new alert${fresh === 1 ? '' : 's'} in the list`);
  known = now;
  remember();
  showPicked();
});
document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh(); });

// Times: UTC on the page, local under the pointer.
document.addEventListener('pointerover', (event) => {
  const time = event.target.closest?.('time[datetime]');
  if (time && !time.dataset.local) {
    time.dataset.local = '1';
    time.title = `${time.dateTime} (local: ${new Date(time.dateTime).toLocaleString()})`;
  }
});

document.addEventListener('DOMContentLoaded', () => {
  known = $('#alerts') ? ids() : null;
  remember();
  showPicked();
});

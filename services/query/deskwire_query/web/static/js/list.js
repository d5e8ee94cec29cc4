// The list: which row is chosen, more rows while scrolling, changes in place without jumping.
import { find, findAll, morph, parse, speak } from "./dom.js";
import { fetchJson, fetchPart } from "./requests.js";
import { go, isReading, openTicketId } from "./router.js";

const MOST_ROWS = 200;
const READ_AHEAD = "600px";

let held = [];

const rows = () => findAll("#rows > .row");
const chosen = () => find("#rows > .row[data-chosen]");
const linkOf = (row) => find(".row-link", row);

export function choose(row, { focus = true } = {}) {
  for (const other of findAll("#rows > .row[data-chosen]")) other.removeAttribute("data-chosen");
  if (!row) return rove();
  row.setAttribute("data-chosen", "");
  rove();
  if (focus) linkOf(row).focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

/** Keep one row in the order of Tab. */
function rove() {
  const stop = chosen() ?? rows()[0];
  for (const row of rows()) linkOf(row).tabIndex = row === stop ? 0 : -1;
}

let opening = null;

export function step(by) {
  const all = rows();
  const from = all.indexOf(chosen());
  const next = all[from < 0 ? 0 : Math.min(Math.max(from + by, 0), all.length - 1)];
  if (!next) return;
  choose(next);
  if (!isReading()) return;
  clearTimeout(opening);
  opening = setTimeout(() => { if (openTicketId() !== next.dataset.ticket) openRow(next); }, 60);
}

export const openChosen = () => { if (chosen()) openRow(chosen()); };

const openRow = (row) => go(address(linkOf(row).href));

/** A row's address with the order and search of the list it stands in. */
function address(href) {
  const url = new URL(href);
  const here = new URL(location.href);
  for (const name of ["view", "sort", "descending", "q"]) {
    if (here.searchParams.has(name)) url.searchParams.set(name, here.searchParams.get(name));
  }
  return url;
}

export function closeTicket() {
  const url = address(new URL("/", location.href));
  const row = chosen();
  return go(url).then(() => { if (row) choose(row); });
}

/** The address of the list as it is shown. */
function listAddress(more = {}) {
  const url = address(new URL("/", location.href));
  const { view } = find("#list").dataset;
  url.searchParams.set("view", view);
  for (const [name, value] of Object.entries(more)) url.searchParams.set(name, value);
  return url;
}

export function sortBy(sort, descending) {
  const url = listAddress();
  url.pathname = location.pathname;
  url.searchParams.set("sort", sort);
  if (descending == null) url.searchParams.delete("descending");
  else url.searchParams.set("descending", descending);
  return go(url);
}

async function loadMore(more) {
  const answer = await fetchPart(listAddress({ cursor: more.dataset.cursor }), "rows");
  if (!answer.ok || !more.isConnected) return;
  const incoming = await parse(answer.text);
  for (const row of findAll(".row", incoming)) if (document.getElementById(row.id)) row.remove();
  more.replaceWith(...incoming.children);
  watchEnd();
  rove();
}

let watcher = null;

function watchEnd() {
  watcher?.disconnect();
  const more = find("#more");
  if (!more) return;
  watcher = new IntersectionObserver((seen) => { if (seen.some((entry) => entry.isIntersecting)) { watcher.disconnect(); loadMore(more); } },
    { root: find("#list-scroll"), rootMargin: READ_AHEAD });
  watcher.observe(more);
}

/** Bring the rows up to date: they change where they stand, new ones wait unless the list is at its top. */
export async function refreshList(after) {
  const list = find("#list");
  if (!list) return;
  const shown = rows();
  const answer = await fetchPart(listAddress({ rows: Math.min(Math.max(shown.length + 20, 50), MOST_ROWS), after }), "list");
  if (!answer.ok || find("#list") !== list) return;
  const incoming = await parse(answer.text);
  const current = new Map(findAll(".row", incoming).map((row) => [row.id, row]));
  if (!shown.length) return void (current.size && await replaceList(answer.text));
  for (const row of shown) {
    const now = current.get(row.id);
    if (now) { if (now.dataset.version !== row.dataset.version) await morph(row, now.outerHTML); }
    else if (shown.length < MOST_ROWS) leave(row);
  }
  held = [...current.values()].filter((row) => !document.getElementById(row.id) && isAbove(row, current));
  if (held.length && find("#list-scroll").scrollTop < 4) showNew();
  else showPill();
  rove();
}

/** Whether a row belongs above the last shown one; others come with scrolling. */
function isAbove(row, current) {
  const order = [...current.keys()];
  return order.slice(order.indexOf(row.id) + 1).some((id) => document.getElementById(id)) || !find("#more");
}

async function replaceList(text) {
  await morph(find("#list"), text);
  watchEnd();
  rove();
}

function leave(row) {
  if (row.hasAttribute("data-chosen") || row.dataset.ticket === openTicketId()) row.classList.add("row-gone");
  else row.remove();
  if (!rows().length) refreshWhole();
}

async function refreshWhole() {
  const answer = await fetchPart(listAddress(), "list");
  if (answer.ok) await replaceList(answer.text);
}

function showPill() {
  const pill = find("#list .pill");
  pill.hidden = held.length === 0;
  pill.textContent = held.length === 1 ? "1 new ticket" : `${held.length} new tickets`;
  if (held.length) speak(pill.textContent);
}

export function showNew() {
  for (const row of held.reverse()) {
    row.classList.add("row-fresh");
    place(row);
  }
  if (held.length) speak(held.length === 1 ? "1 new ticket" : `${held.length} new tickets`);
  held = [];
  showPill();
  find("#list-scroll").scrollTop = 0;
  rove();
}

const place = (row) => find("#rows").prepend(row);

export async function refreshCounts() {
  const counts = await fetchJson("/counts");
  for (const badge of findAll("[data-count]")) badge.textContent = counts[badge.dataset.count] || "";
}

/** Choose the row of the ticket that is open. */
function follow() {
  const open = openTicketId();
  const row = open && document.getElementById(`t-${open}`);
  if (row) choose(row, { focus: document.activeElement === document.body || document.activeElement?.closest("#rows") != null });
  else rove();
}

export function startList() {
  const arrive = () => { held = []; watchEnd(); follow(); };
  document.addEventListener("desk:moved", arrive);
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest("#rows > .row");
    if (row && !row.hasAttribute("data-chosen") && event.target.matches(":focus-visible")) choose(row, { focus: false });
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".row-link");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    choose(link.closest(".row"), { focus: false });
    go(address(link.href));
  }, true);
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-sort-choice]")) sortBy(event.target.value, null);
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-search]")) return;
    event.preventDefault();
    const words = new FormData(event.target).get("q").trim();
    go(words ? `/?q=${encodeURIComponent(words)}` : `/?view=${find("#list").dataset.view}`, { focus: "#rows .row-link" });
  });
  if (find("#list")) arrive();
}

export const turnSort = () => {
  const { sort, descending } = find("#list").dataset;
  return sortBy(sort, descending !== "true");
};

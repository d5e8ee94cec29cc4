// The list: which row is chosen, more rows while scrolling, changes in place without jumping.
import { find, findAll, morph, parse, speak } from "./dom.js";
import { fetchPart } from "./requests.js";
import { go, isReading, openTicketId } from "./router.js";
import { select } from "./selection.js";

const MOST_ROWS = 200;
const SETTLED = 400;
const READ_AHEAD = "600px";

/** New rows that wait until they can be shown without moving others. */
const held = new Map();

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
  for (const row of rows()) {
    const order = row === stop ? 0 : -1;
    if (linkOf(row).tabIndex !== order) linkOf(row).tabIndex = order;
  }
}

/** Rows have come or gone. */
function drawn() {
  rove();
  document.dispatchEvent(new CustomEvent("desk:drawn"));
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

/** Select the chosen row and go on, so that several are selected by one key. */
export function selectChosen() {
  const row = chosen() ?? rows()[0];
  if (!row) return;
  choose(row);
  select(row);
}

export const openChosen = () => { if (chosen()) openRow(chosen()); };

const openRow = (row) => go(address(linkOf(row).href));

/** A row's address with the order and search of the list it stands in. */
function address(href) {
  const url = new URL(href);
  const here = new URL(location.href);
  url.searchParams.set("view", find("#list").dataset.view);
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

function sortBy(sort, descending) {
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
  drawn();
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

/** Read the whole list again, when too much was missed to change it line by line. */
export async function refreshList(after) {
  const list = find("#list");
  if (!list) return;
  const answer = await fetchPart(listAddress({ rows: Math.min(Math.max(rows().length + 20, 50), MOST_ROWS), after }), "list");
  if (!answer.ok || find("#list") !== list) return;
  const incoming = await parse(answer.text);
  const lines = new Map(rows().map((row) => [row.dataset.ticket, null]));
  for (const row of findAll(".row", incoming)) lines.set(row.dataset.ticket, row);
  if (list.dataset.q || !rows().length || !lines.size) return void await replaceList(answer.text);
  await take(lines);
}

/** Change some lines in place: what is not on this list any more leaves it. */
export async function changeRows(changes) {
  if (!find("#list") || !changes.size) return;
  const incoming = await parse([...changes.values()].filter(Boolean).join(""));
  const lines = new Map([...changes.keys()].map((id) => [id, null]));
  for (const row of findAll(".row", incoming)) lines.set(row.dataset.ticket, row);
  await take(lines);
}

async function take(lines) {
  const wasEmpty = !rows().length;
  const moving = mayMove(); // asked before anything is written: it needs the layout
  for (const [id, now] of lines) {
    const row = document.getElementById(`t-${id}`);
    held.delete(id);
    if (row && now) redraw(row, now);
    else if (row) leave(row);
    else if (now) held.set(id, now);
  }
  if (wasEmpty ? held.size : !rows().length) return void await refreshWhole(); // the words of an empty list come or go
  for (const [id, row] of held) if (isFurtherDown(row)) held.delete(id);
  if (moving) settle();
  else showPill();
  drawn();
}

/** Let a row say what is true now; it keeps its place, focus and selection. */
function redraw(row, now) {
  if (Number(now.dataset.version) < Number(row.dataset.version)) return;
  const link = linkOf(row);
  link.replaceChildren(...linkOf(now).childNodes);
  if (row.className !== now.className) row.className = now.className;
  for (const [name, value] of Object.entries(now.dataset)) if (row.dataset[name] !== value) row.dataset[name] = value;
}

/** Rows hold still while somebody has scrolled or points at them: nobody is to click on what moved in between. */
const mayMove = () => find("#list-scroll").scrollTop < 4 && !find("#rows").matches(":hover");

/** Give rows in the order of the list. */
function ordered(some) {
  const { sort, descending } = find("#list").dataset;
  const sign = descending === "true" ? -1 : 1;
  return some.map((row) => ({ row, at: Number(row.dataset[sort]), number: Number(row.dataset.number) }))
    .sort((one, other) => sign * (one.at - other.at || one.number - other.number))
    .map(({ row }) => row);
}

/** Whether a row comes only with scrolling. */
function isFurtherDown(row) {
  const last = rows().at(-1);
  return find("#more") && last && ordered([row, last])[0] === last;
}

/** Put every row where it belongs, the new ones among them; only those that moved are touched. */
function settle() {
  if (find("#list").dataset.q) return;
  const fresh = [...held.values()];
  held.clear();
  for (const row of fresh) {
    row.classList.add("row-fresh");
    linkOf(row).href = address(linkOf(row).href);
  }
  const focused = document.activeElement?.closest("#rows .row-link");
  let behind = find("#more");
  for (const row of ordered([...rows(), ...fresh]).reverse()) {
    if (row.nextElementSibling !== behind || !row.isConnected) find("#rows").insertBefore(row, behind);
    behind = row;
  }
  if (focused && document.activeElement !== focused) focused.focus({ preventScroll: true });
  if (fresh.length) speak(fresh.length === 1 ? "1 new ticket" : `${fresh.length} new tickets`);
  showPill();
  if (rows().length > 2 * MOST_ROWS) refreshWhole();
}

async function replaceList(text) {
  await morph(find("#list"), text);
  for (const [id, row] of held) {
    const shown = document.getElementById(row.id);
    if (shown) redraw(shown, row); // it came with the whole list, and must not come twice
    if (shown) held.delete(id);
  }
  watchEnd();
  showPill();
  drawn();
}

function leave(row) {
  if (row.hasAttribute("data-chosen") || row.dataset.ticket === openTicketId()) row.classList.add("row-gone");
  else row.remove();
}

async function refreshWhole() {
  const answer = await fetchPart(listAddress(), "list");
  if (answer.ok) await replaceList(answer.text);
}

function showPill() {
  const pill = find("#list .pill");
  const words = held.size === 1 ? "1 new ticket" : `${held.size} new tickets`;
  pill.hidden = held.size === 0;
  if (pill.textContent === words) return;
  pill.textContent = words;
  if (held.size) speak(words);
}

export function showNew() {
  find("#list-scroll").scrollTop = 0;
  settle();
  drawn();
}

export function showCounts(counts) {
  for (const badge of findAll("[data-count]")) badge.textContent = counts[badge.dataset.count] || "";
}

/** Choose the row of the ticket that is open. */
function follow() {
  const open = openTicketId();
  const row = open && document.getElementById(`t-${open}`);
  if (!row) return rove();
  choose(row, { focus: document.activeElement === document.body || document.activeElement?.closest("#rows") != null });
  const grown = new ResizeObserver(() => row.scrollIntoView({ block: "nearest" })); // rows get taller when the list gets narrow
  grown.observe(find("#rows"));
  setTimeout(() => grown.disconnect(), SETTLED);
}

export function startList() {
  const arrive = () => { held.clear(); watchEnd(); follow(); };
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
  document.addEventListener("pointerout", (event) => {
    if (event.target.closest?.("#rows") && !event.relatedTarget?.closest?.("#rows") && mayMove()) settle();
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

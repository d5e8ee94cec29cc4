// Which rows are selected, by ticket, while rows come and go.
import { find, findAll, speak } from "./dom.js";

const MOST_SELECTED = 200;

/** Selected tickets by id, with the words they are named by. */
const selected = new Map();
let last = null;

export const selection = () => [...selected.keys()];
export const nameOf = (id) => selected.get(id) ?? id;
export const isSelecting = () => find("#list")?.classList.contains("selecting") ?? false;

const rows = () => findAll("#rows > .row");
const boxOf = (row) => find("[data-select]", row);
const named = (row) => `#${row.dataset.number} ${find(".row-subject", row).textContent}`;

function mark(row, on) {
  if (on && selected.size >= MOST_SELECTED) return;
  if (on) selected.set(row.dataset.ticket, named(row));
  else selected.delete(row.dataset.ticket);
}

export function select(row, on = !selected.has(row.dataset.ticket)) {
  mark(row, on);
  last = row.dataset.ticket;
  show(true);
}

export function selectAll(on = true) {
  for (const row of rows()) mark(row, on);
  show(on);
}

/** Keep selected only what is named; an end of selecting when nothing is left. */
export function keepSelected(ids) {
  for (const id of selection()) if (!ids.includes(id)) selected.delete(id);
  show(selected.size > 0);
}

export function stopSelecting() {
  selected.clear();
  show(false);
}

/** Select from the row that was selected last up to this one. */
function selectUpTo(row) {
  const all = rows();
  const [from, to] = [all.findIndex((each) => each.dataset.ticket === last), all.indexOf(row)];
  if (from < 0) return select(row, true);
  for (const each of all.slice(Math.min(from, to), Math.max(from, to) + 1)) mark(each, true);
  show(true);
}

/** Show what is selected, also on rows that have just come. */
export function show(selecting = isSelecting()) {
  const list = find("#list");
  if (!list || (!selecting && !selected.size && !isSelecting())) return;
  list.classList.toggle("selecting", selecting);
  find('[data-do="select"]')?.setAttribute("aria-pressed", String(selecting));
  for (const row of rows()) boxOf(row).checked = selected.has(row.dataset.ticket);
  const bar = find("#bulk");
  const words = selected.size ? `${selected.size} selected` : "None selected";
  bar.hidden = !selecting;
  if (find("[data-selected]", bar).textContent !== words && selecting) speak(words);
  find("[data-selected]", bar).textContent = words;
  find("[data-select-all]", bar).checked = rows().length > 0 && rows().every((row) => selected.has(row.dataset.ticket));
  for (const button of findAll("[data-bulk]", bar)) button.disabled = !selected.size;
}

export function startSelection() {
  let view = find("#list")?.dataset.view;
  document.addEventListener("click", (event) => {
    const box = event.target.closest("[data-select]");
    if (!box) return;
    const row = box.closest(".row");
    if (event.shiftKey) selectUpTo(row);
    else select(row, box.checked);
  });
  document.addEventListener("change", (event) => { if (event.target.matches("[data-select-all]")) selectAll(event.target.checked); });
  document.addEventListener("desk:drawn", () => show());
  document.addEventListener("desk:moved", () => {
    if (find("#list")?.dataset.view !== view) selected.clear();
    view = find("#list")?.dataset.view;
    show(selected.size > 0);
  });
}

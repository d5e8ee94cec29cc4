// One stream per page brings the lines of its list that changed, and the counts of its rail.
import { find } from "./dom.js";
import { changeRows, refreshList, showCounts } from "./list.js";
import { showPeople, TAB } from "./presence.js";
import { openTicketId, refreshTicket } from "./router.js";

const STREAM = "/live";
const FRAME = 16;
const PAUSE = 80;
const SEARCH_PAUSE = 1000;
const PATIENCE = 2;
const LINES_PATIENCE = 1;
const RETRY = 5000;
const TYPING_SHOWN = 5000;

let source = null;
let retry = null;
let watched = null;
let position = 0;

/** Run work at once, then after a pause, never twice at a time; a desk that answers slowly is asked less often. */
function paced(work, pause, patience = PATIENCE) {
  let running = false;
  let again = false;
  return async function run() {
    again = true;
    if (running) return;
    running = true;
    try {
      while (again) {
        again = false;
        const began = performance.now();
        await work();
        const rest = Math.max(pause, patience * (performance.now() - began));
        await new Promise((resolve) => { setTimeout(resolve, rest); });
      }
    } finally {
      running = false;
    }
  };
}

const ticket = paced(() => refreshTicket(position), PAUSE);
const found = paced(() => refreshList(position), SEARCH_PAUSE);

/** What changed since the rows were last drawn: a ticket's line, or null where it is not on this list. */
let changes = new Map();
const rows = paced(async () => {
  const taken = changes;
  changes = new Map();
  await changeRows(taken);
}, FRAME, LINES_PATIENCE);

function changed(event) {
  const { sequence, changed: ids, lines } = JSON.parse(event.data);
  position = Math.max(position, sequence);
  if (ids.includes(openTicketId())) ticket();
  if (watched === "") return void (ids.some((id) => document.getElementById(`t-${id}`)) && found());
  for (const id of ids) changes.set(id, lines[id] ?? null);
  rows();
}

/** Too much was missed to be told one by one, or time has moved the bounds of the list. */
function missed(event) {
  position = JSON.parse(event.data).sequence;
  changes.clear();
  found();
  ticket();
}

let typingEnds = null;

/** The customer of the open chat writes at this moment. */
function typing(event) {
  if (JSON.parse(event.data).ticket_id !== openTicketId()) return;
  const words = find("[data-typing]");
  if (!words) return;
  words.hidden = false;
  clearTimeout(typingEnds);
  typingEnds = setTimeout(() => { words.hidden = true; }, TYPING_SHOWN);
}

/** The view whose list is shown; a search lists what it found, whatever becomes of it. */
const viewShown = () => (find("#list").dataset.q ? "" : find("#list").dataset.view);

/** Listen behind what is known; a browser gives up by itself when the desk refuses, so ask again later. */
function listen() {
  clearTimeout(retry);
  source?.close();
  watched = viewShown();
  source = new EventSource(`${STREAM}?${new URLSearchParams({ view: watched, tab: TAB, after: position })}`);
  source.addEventListener("rows", changed);
  source.addEventListener("counts", (event) => showCounts(JSON.parse(event.data)));
  source.addEventListener("reset", missed);
  source.addEventListener("typing", typing);
  source.addEventListener("presence", (event) => showPeople(JSON.parse(event.data)));
  source.addEventListener("open", () => {
    document.body.classList.remove("offline");
    document.dispatchEvent(new CustomEvent("desk:listening"));
  });
  source.addEventListener("error", () => {
    document.body.classList.add("offline");
    if (source.readyState === EventSource.CLOSED) retry = setTimeout(listen, RETRY);
  });
}

/** Another list is shown: hear of its changes, behind what it shows already. */
function moved() {
  if (!find("#list") || viewShown() === watched) return;
  changes.clear();
  position = Number(find("#list").dataset.position);
  listen();
}

export function startLive() {
  if (!find("#list")) return;
  position = Number(find("#list").dataset.position);
  listen();
  document.addEventListener("desk:moved", moved);
  window.addEventListener("pagehide", () => source.close());
  window.addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
}

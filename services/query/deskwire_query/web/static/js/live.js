// One stream per page tells which tickets changed; what changed is then asked for, many changes at once.
import { find } from "./dom.js";
import { refreshCounts, refreshList } from "./list.js";
import { openTicketId, refreshTicket } from "./router.js";

const STREAM = "/v1/stream";
const PAUSE = 80;
const COUNTS_PAUSE = 1500;
const PATIENCE = 2;
const RETRY = 5000;
const TYPING_SHOWN = 5000;

let source = null;
let position = 0;

/** Run work at once, then after a pause, never twice at a time; a desk that answers slowly is asked less often. */
function paced(work, pause) {
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
        const rest = Math.max(pause, PATIENCE * (performance.now() - began));
        await new Promise((resolve) => { setTimeout(resolve, rest); });
      }
    } finally {
      running = false;
    }
  };
}

const list = paced(() => refreshList(position), PAUSE);
const ticket = paced(() => refreshTicket(position), PAUSE);
const counts = paced(refreshCounts, COUNTS_PAUSE);

function heard(event) {
  const { sequence, ticket_id: ticketId } = JSON.parse(event.data);
  position = Math.max(position, sequence);
  list();
  counts();
  if (ticketId === openTicketId()) ticket();
}

/** Too much was missed to be told one by one. */
function missed(event) {
  position = JSON.parse(event.data).sequence;
  list();
  counts();
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

/** Listen behind what is known; a browser gives up by itself when the desk refuses, so ask again later. */
function listen() {
  source = new EventSource(`${STREAM}?after=${position}`);
  source.addEventListener("commit", heard);
  source.addEventListener("reset", missed);
  source.addEventListener("typing", typing);
  source.addEventListener("open", () => document.body.classList.remove("offline"));
  source.addEventListener("error", () => {
    document.body.classList.add("offline");
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, RETRY);
  });
}

export function startLive() {
  const start = find("#list")?.dataset.position;
  if (start == null) return;
  position = Number(start);
  listen();
  window.addEventListener("pagehide", () => source.close());
  window.addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
}

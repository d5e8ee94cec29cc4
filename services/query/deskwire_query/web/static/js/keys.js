// The keyboard: single keys outside text fields (and only where they are switched on), chords after g.
import { more } from "./acts.js";
import { write } from "./composer.js";
import { find, isTyping } from "./dom.js";
import { closeTicket, openChosen, selectChosen, showNew, step } from "./list.js";
import { useMacro } from "./macros.js";
import { openPalette } from "./palette.js";
import { assignToMe, changeProperty } from "./properties.js";
import { go, isReading } from "./router.js";
import { isSelecting, selectAll, stopSelecting } from "./selection.js";
import { snooze } from "./snoozing.js";

const CHORD_TIME = 1200;

const SINGLE = {
  j: () => step(1),
  k: () => step(-1),
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  Enter: () => openChosen(),
  o: () => openChosen(),
  ".": () => showNew(),
  r: () => write("reply"),
  n: () => write("note"),
  s: () => changeProperty("status"),
  p: () => changeProperty("priority"),
  a: () => changeProperty("assignee"),
  i: () => assignToMe(),
  t: () => changeProperty("team"),
  l: () => changeProperty("tags"),
  m: () => useMacro(),
  z: () => snooze(),
  "+": () => more(),
  x: () => selectChosen(),
  X: () => selectAll(),
  "/": () => focusSearch(),
  "?": () => find("#keys").showModal(),
};

/** Keys that mean what they always mean when something is focused that uses them itself. */
const OWN = { Enter: "a, button, summary, [role=button]", ArrowDown: ".conversation-scroll, .side, [role=radio], input", ArrowUp: ".conversation-scroll, .side, [role=radio], input" };

let chordUntil = 0;

function focusSearch() {
  const search = find("#search");
  if (search?.checkVisibility()) {
    search.focus();
    search.select();
  } else openPalette();
}

function pressed(event) {
  if (event.isComposing) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || find("dialog[open]")) return;
  if (event.key === "Escape" && isSelecting() && !isTyping(event.target)) return void stopSelecting();
  if (event.key === "Escape" && isReading() && !isTyping(event.target)) return void closeTicket();
  if (event.key === "Escape" && event.target.id === "search") return void find("#rows .row-link")?.focus();
  if (isTyping(event.target) || !document.body.classList.contains("single-keys")) return;
  if (Date.now() < chordUntil) {
    chordUntil = 0;
    const place = find(`[data-chord="${CSS.escape(event.key)}"]`);
    if (place) { event.preventDefault(); go(place.href); }
    return;
  }
  if (event.key === "g") { chordUntil = Date.now() + CHORD_TIME; return; }
  if (OWN[event.key] && event.target.closest?.(OWN[event.key]) && !event.target.closest("#rows")) return;
  const act = SINGLE[event.key];
  if (!act || !find("#list")) return;
  if (event.key === "Enter" && event.target.closest("#rows")) return;
  event.preventDefault();
  act();
}

export function startKeys() {
  document.addEventListener("keydown", pressed);
}

// Starts the workspace. Every module listens on the document, so parts of the page can come and go.
import { startActs } from "./acts.js";
import { changeAttendance, showAttendance } from "./attendance.js";
import { startBulk } from "./bulk.js";
import { startComposer } from "./composer.js";
import { find } from "./dom.js";
import { startFrames } from "./frames.js";
import { startKeys } from "./keys.js";
import { closeTicket, showNew, startList, turnSort } from "./list.js";
import { startLive } from "./live.js";
import { openPalette } from "./palette.js";
import { startPreferences } from "./preferences.js";
import { startPresence } from "./presence.js";
import { changeProperty } from "./properties.js";
import { startRouter } from "./router.js";
import { isSelecting, show as showSelection, startSelection, stopSelecting } from "./selection.js";
import { startTimes } from "./times.js";
import { say } from "./toasts.js";
import { startWhy } from "./why.js";
import { startWork } from "./work.js";

const ACTIONS = {
  palette: () => openPalette(),
  keys: () => find("#keys").showModal(),
  rail: (button) => button.setAttribute("aria-expanded", String(document.body.classList.toggle("rail-open"))),
  "show-new": () => showNew(),
  "turn-sort": () => turnSort(),
  "close-ticket": () => closeTicket(),
  select: () => (isSelecting() ? stopSelecting() : showSelection(true)),
  attendance: () => changeAttendance(),
  "close-dialog": (button) => button.closest("dialog").close(),
  copy: async (button) => {
    await navigator.clipboard.writeText(button.dataset.copy);
    say("Copied");
  },
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button) {
    event.preventDefault();
    ACTIONS[button.dataset.do](button);
    return;
  }
  const property = event.target.closest("[data-pick]");
  if (property) changeProperty(property.dataset.pick);
  else if (document.body.classList.contains("rail-open") && !event.target.closest(".rail")) document.body.classList.remove("rail-open");
});

/** A conversation is read from its end. */
function toTheEnd() {
  const scroll = find(".conversation-scroll");
  if (!scroll) return;
  scroll.scrollTop = scroll.scrollHeight;
  scroll.dataset.atEnd = "true";
  scroll.addEventListener("wheel", () => { delete scroll.dataset.atEnd; }, { once: true, passive: true });
  scroll.addEventListener("keydown", () => { delete scroll.dataset.atEnd; }, { once: true });
}

document.addEventListener("desk:moved", toTheEnd);
startRouter();
startList();
startTimes();
startFrames();
startWhy();
startComposer();
startActs();
startWork();
startSelection();
startBulk();
startKeys();
startPreferences();
startPresence();
startLive();
showAttendance();
toTheEnd();

// Who else looks at the open ticket or writes on it: said by every page, kept nowhere.
import { find } from "./dom.js";
import { post } from "./requests.js";
import { openTicketId } from "./router.js";

export const TAB = crypto.randomUUID();

const AGAIN = 20_000;
const TYPING_AGAIN = 3_000;

let toldTyping = 0;

/** Say what this page shows; a page that nobody sees shows nothing. */
function tell({ typing = false, gone = false } = {}) {
  const looking = { tab: TAB, ticket_id: gone || document.hidden ? null : openTicketId(), typing };
  post("/presence", looking, { keepalive: gone }).catch((error) => console.debug(error.message));
}

export function showPeople({ ticket_id: ticketId, people }) {
  const line = find("[data-presence]");
  if (!line || ticketId !== openTicketId()) return;
  const typing = people.filter((each) => each.typing);
  const shown = typing.length ? typing : people;
  line.textContent = shown.length ? `${names(shown)} ${shown.length === 1 ? "is" : "are"} ${typing.length ? "writing on this ticket" : "looking at this ticket"}` : "";
  line.classList.toggle("presence-typing", typing.length > 0);
  line.hidden = !shown.length;
}

function names(people) {
  const all = people.map((each) => each.name);
  if (all.length > 3) return `${all.slice(0, 2).join(", ")} and ${all.length - 2} others`;
  return all.length > 1 ? `${all.slice(0, -1).join(", ")} and ${all.at(-1)}` : all[0];
}

export function startPresence() {
  let shown = null;
  document.addEventListener("desk:listening", () => tell());
  document.addEventListener("desk:moved", () => {
    if (openTicketId() === shown) return;
    shown = openTicketId();
    tell();
  });
  document.addEventListener("input", (event) => {
    if (!event.target.closest("[data-composer]") || Date.now() - toldTyping < TYPING_AGAIN) return;
    toldTyping = Date.now();
    tell({ typing: true });
  });
  document.addEventListener("visibilitychange", () => tell());
  window.addEventListener("pagehide", () => tell({ gone: true }));
  setInterval(() => { if (openTicketId() && !document.hidden && Date.now() - toldTyping > AGAIN / 2) tell(); }, AGAIN);
}

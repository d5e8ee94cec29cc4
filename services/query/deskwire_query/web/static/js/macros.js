// Macros: found by their name, looked at, used.
import { choices, may, openTicket } from "./changing.js";
import { insert } from "./composer.js";
import { unlessChanged } from "./conflicts.js";
import { build, find } from "./dom.js";
import { pick } from "./picker.js";
import { ask, command } from "./requests.js";
import { openTicketId, refreshTicket } from "./router.js";
import { openSheet } from "./sheets.js";
import { say } from "./toasts.js";

export const macroOptions = () => choices().macros.map((each) => ({ id: each.id, name: each.name, icon: "zap" }));

export async function useMacro() {
  const anchor = find('[data-act="macro"]');
  if (!anchor || !may("write")) return;
  if (!choices().macros.length) return void say("There is no macro yet. An administrator can write one.");
  const choice = await pick(anchor, "Use a macro", macroOptions());
  if (!choice) return void anchor.focus();
  const { ticket } = openTicket();
  try {
    await look(ticket, choice, await ask(`/tickets/${ticket}/macros/${choice.id}`));
  } catch (error) {
    say(error.message, { bad: true });
  }
}

async function look(ticket, macro, preview) {
  const path = `/tickets/${ticket}/macros/${macro.id}`;
  const key = crypto.randomUUID();
  const done = await openSheet({
    title: preview.name,
    body: draw(preview),
    submit: preview.replies.length ? "Send and apply" : "Apply",
    version: preview.version,
    run: (_, version) => unlessChanged((at) => command("POST", path, {}, { version: at, key: `${key}-${at}` }), version),
    other: preview.replies.length && may("reply") ? { words: "Only take the words", run: () => insert(preview.replies.join("\n\n")) } : null,
  });
  if (!done) return;
  if (openTicketId() === ticket) await refreshTicket(done.sequence);
  say(`${preview.name} applied`);
}

function draw({ replies, notes, changes }) {
  const words = (title, className, text) => build("div", { class: `sheet-words ${className}` }, build("h3", {}, title), build("p", {}, text));
  const nothing = !replies.length && !notes.length && !changes.length;
  return [
    ...replies.map((text) => words("Reply to the customer", "sheet-reply", text)),
    ...notes.map((text) => words("Internal note", "sheet-note", text)),
    changes.length && build("ul", { class: "sheet-changes", "aria-label": "Changes" }, ...changes.map((each) => build("li", {}, each.charAt(0).toUpperCase() + each.slice(1)))),
    nothing && build("p", { class: "hint" }, "It changes nothing on this ticket."),
  ].filter(Boolean);
}

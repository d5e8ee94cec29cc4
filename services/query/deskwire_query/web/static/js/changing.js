// Wishes about the open ticket: carried out, and shown when they are.
import { find } from "./dom.js";
import { command } from "./requests.js";
import { openTicketId, refreshTicket } from "./router.js";
import { say } from "./toasts.js";

export const choices = () => JSON.parse(find("#choices").textContent);
export const openTicket = () => find(".ticket")?.dataset ?? null;
export const may = (wish) => (openTicket()?.may ?? "").split(" ").includes(wish);

/** Carry out a wish on the open ticket and wait until the page shows it; gives what was done, or null. */
export async function change(method, path, body, words = null) {
  const { ticket } = openTicket();
  try {
    const done = await command(method, `/tickets/${ticket}${path}`, body);
    if (openTicketId() === ticket) await refreshTicket(done.sequence);
    if (words) say(words);
    return done;
  } catch (error) {
    say(error.message, { bad: true });
    return null;
  }
}

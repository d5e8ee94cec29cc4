// Ctrl+K: every command and every ticket behind one text field.
import { find, findAll } from "./dom.js";
import { Chooser, matching } from "./picker.js";
import { acts } from "./acts.js";
import { may, openTicket } from "./changing.js";
import { useMacro } from "./macros.js";
import { changeProperty, assignToMe } from "./properties.js";
import { fetchJson } from "./requests.js";
import { write } from "./composer.js";
import { go } from "./router.js";
import { snooze } from "./snoozing.js";

const SEARCH_PAUSE = 120;

function commands() {
  const list = findAll(".rail-item[data-view]").map((item) => ({
    name: `Go to ${find("span", item).textContent}`, icon: "arrow-right", key: item.dataset.chord && `g ${item.dataset.chord}`,
    run: () => go(item.href),
  }));
  const pages = findAll(".rail-foot a.rail-item, .rail-scroll a.rail-item:not([data-view])").map((item) => ({
    name: `Go to ${item.textContent.trim()}`, icon: "arrow-right", run: () => { location.href = item.href; },
  }));
  const ticket = openTicket() ? [
    { name: "Reply", icon: "reply", key: "r", run: () => write("reply") },
    { name: "Leave an internal note", icon: "lock", key: "n", run: () => write("note") },
    { name: "Assign to me", icon: "user", key: "i", run: assignToMe },
    { name: "Assign to …", icon: "user-plus", key: "a", run: () => changeProperty("assignee") },
    { name: "Set the status", icon: "circle-dot", key: "s", run: () => changeProperty("status") },
    { name: "Set the priority", icon: "flag", key: "p", run: () => changeProperty("priority") },
    { name: "Move to a team", icon: "users", key: "t", run: () => changeProperty("team") },
    { name: "Add or remove a tag", icon: "tag", key: "l", run: () => changeProperty("tags") },
    ...(may("write") ? [{ name: "Use a macro …", icon: "zap", key: "m", run: useMacro }, { name: "Snooze …", icon: "moon", key: "z", run: snooze }] : []),
    ...acts(),
  ] : [];
  return [...ticket, ...list, ...pages, { name: "Show the keys", icon: "keyboard", key: "?", run: () => find("#keys").showModal() }];
}

let pending = null;

async function options(text) {
  const known = matching(commands(), text);
  if (text.length < 2) return known;
  pending?.abort();
  pending = new AbortController();
  await new Promise((resolve) => { setTimeout(resolve, SEARCH_PAUSE); });
  try {
    const found = await fetchJson(`/palette?q=${encodeURIComponent(text)}`, { signal: pending.signal });
    const tickets = found.map((ticket) => ({
      name: `#${ticket.number} ${ticket.subject || "No subject"}`, more: ticket.requester, icon: "mail", run: () => go(`/tickets/${ticket.number}?view=${find("#list")?.dataset.view ?? "mine"}`),
    }));
    const all = { name: `Search for “${text}”`, icon: "search", run: () => go(`/?q=${encodeURIComponent(text)}`) };
    return [...known.slice(0, 4), ...tickets, all];
  } catch (error) {
    if (error.name === "AbortError") return [];
    throw error;
  }
}

export function openPalette() {
  const dialog = find("#palette");
  if (dialog.open) return;
  const input = find("#palette-input");
  input.value = "";
  const chooser = new Chooser(input, find("#palette-list"), {
    options,
    chosen: (choice) => { dialog.close(); choice.run(); },
  });
  dialog.onclick = (event) => { if (event.target === dialog) dialog.close(); };
  dialog.showModal();
  chooser.fill();
}

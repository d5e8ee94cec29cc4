// The work on a ticket: tasks, time, who follows.
import { change, choices, may, openTicket } from "./changing.js";
import { find } from "./dom.js";
import { pick } from "./picker.js";

const MINUTES = [5, 10, 15, 30, 45, 60, 90, 120];
const MOST_MINUTES = 24 * 60;

const named = (minutes) => (minutes % 60 ? `${minutes >= 60 ? `${Math.floor(minutes / 60)} h ` : ""}${minutes % 60} min` : `${minutes / 60} h`);

/** Understand `25`, `1:30`, `1h 20m`; null is none of these. */
function minutesIn(text) {
  const [, hours, rest] = text.match(/^(\d{1,2}):(\d{2})$/) ?? text.match(/^(\d{1,2})\s*h\s*(?:(\d{1,2})\s*m?(?:in)?)?$/i) ?? [];
  const minutes = hours ? Number(hours) * 60 + Number(rest ?? 0) : Number(text.match(/^(\d{1,4})\s*(?:m|min)?$/i)?.[1] ?? 0);
  return minutes > 0 && minutes <= MOST_MINUTES ? minutes : null;
}

export async function logTime(anchor) {
  if (!may("write")) return;
  const options = (text) => {
    const typed = minutesIn(text);
    if (typed) return [{ name: named(typed), minutes: typed, icon: "hourglass" }];
    return text ? [] : MINUTES.map((minutes) => ({ name: named(minutes), minutes, icon: "hourglass" }));
  };
  const choice = await pick(anchor, "Worked, such as 25 or 1:30", options);
  anchor.focus();
  if (choice) await change("POST", "/time", { seconds: choice.minutes * 60 }, `${choice.name} logged`);
}

export const follows = () => openTicket().followers.split(",").includes(choices().me);

export const follow = () => (follows() ? change("POST", "/followers", { remove: [choices().me] }, "You no longer follow it")
  : change("POST", "/followers", { add: [choices().me] }, "You follow it"));

export const addTask = () => find("[data-new-task] input")?.focus();

export function startWork() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-complete]");
    if (button) change("POST", `/tasks/${button.dataset.complete}/complete`, {});
  });
  document.addEventListener("submit", async (event) => {
    if (!event.target.matches("[data-new-task]")) return;
    event.preventDefault();
    const field = find("input", event.target);
    const title = field.value.trim();
    if (title && await change("POST", "/tasks", { title })) field.value = "";
  });
}

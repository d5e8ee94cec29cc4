// Whether the agent takes tickets: online, away, offline, or out until a moment.
import { find } from "./dom.js";
import { momentOptions, tell } from "./moments.js";
import { matching, pick } from "./picker.js";
import { command } from "./requests.js";
import { chooseMoment } from "./snoozing.js";
import { say } from "./toasts.js";

const WORDS = { online: "Online", away: "Away", offline: "Offline" };
const MEANING = { online: "takes new tickets", away: "for a moment", offline: "takes none" };
const OUT = { name: "Out until …", icon: "calendar", out: true };

const button = () => find('[data-do="attendance"]');

export async function changeAttendance() {
  const { availability, outUntil } = button().dataset;
  const plain = Object.entries(WORDS).map(([id, name]) => ({ id, name, more: MEANING[id], icon: id === "online" ? "circle-check" : id === "away" ? "circle-pause" : "moon", on: !outUntil && id === availability }));
  const choice = await pick(button(), "Are you there?", [...plain, OUT]);
  button().focus();
  if (!choice) return;
  if (choice.out) return void await goOut(availability);
  await put(choice.id, null);
}

async function goOut(availability) {
  const choice = await pick(button(), "Out until, such as monday or 2027-01-07", (text) => momentOptions(text, matching, [{ name: "Choose a date and time …", icon: "calendar", choose: true }]));
  const moment = choice?.choose ? await chooseMoment("Out of office until", "Go out") : choice?.moment;
  if (moment) await put(availability, moment);
}

async function put(availability, until) {
  try {
    await command("PUT", "/me/availability", { availability, out_until: until?.toISOString() ?? null });
    button().dataset.availability = availability;
    button().dataset.outUntil = until?.toISOString() ?? "";
    showAttendance();
    say(until ? `Out of office until ${tell(until)}` : `You are ${WORDS[availability].toLowerCase()}`);
  } catch (error) {
    say(error.message, { bad: true });
  }
}

/** Say until when somebody is out, in their own time. */
export function showAttendance() {
  if (!button()) return;
  const { availability, outUntil } = button().dataset;
  find("[data-attendance-words]", button()).textContent = outUntil ? `Out until ${tell(new Date(outUntil))}` : WORDS[availability];
}

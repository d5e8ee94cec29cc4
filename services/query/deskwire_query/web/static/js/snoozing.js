// Out of sight until a moment.
import { change, may, openTicket } from "./changing.js";
import { build, find } from "./dom.js";
import { momentOptions, tell } from "./moments.js";
import { matching, pick } from "./picker.js";
import { openSheet } from "./sheets.js";

const CHOOSE = { name: "Choose a date and time …", icon: "calendar", choose: true };
const WAKE = { name: "Wake it now", icon: "sun", wake: true };

export async function snooze() {
  const anchor = find('[data-act="snooze"]');
  if (!anchor || !may("write")) return;
  const more = openTicket().snoozed ? [CHOOSE, WAKE] : [CHOOSE];
  const choice = await pick(anchor, "Snooze until, such as 2h or friday", (text) => momentOptions(text, matching, more));
  anchor.focus();
  if (!choice) return;
  if (choice.wake) return void await wake();
  const moment = choice.choose ? await chooseMoment("Snooze until", "Snooze") : choice.moment;
  if (moment) await change("POST", "/snooze", { until: moment.toISOString() }, `Snoozed until ${tell(moment)}`);
}

export const wake = () => change("POST", "/wake", {}, "Back in sight");

/** Let somebody choose a moment in a calendar. */
export function chooseMoment(title, submit) {
  const local = (moment) => new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  const field = build("input", { type: "datetime-local", name: "moment", required: true, autofocus: true,
    min: local(new Date()), value: local(new Date(Date.now() + 24 * 3_600_000)), id: "sheet-moment" });
  return openSheet({
    title, submit, body: [build("label", { for: "sheet-moment", class: "field" }, "Date and time", field)],
    run: async () => {
      const moment = new Date(field.value);
      if (!(moment > new Date())) throw new Error("Choose a moment that is still to come.");
      return moment;
    },
  });
}

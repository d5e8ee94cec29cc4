// Moments in the future, as people name them.
const MINUTE = 60_000;
const DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const UNITS = { m: MINUTE, min: MINUTE, h: 60 * MINUTE, d: 24 * 60 * MINUTE, w: 7 * 24 * 60 * MINUTE };
const MORNING = 9;

const shown = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

export const tell = (moment) => shown.format(moment);

function morning(now, days) {
  const day = new Date(now);
  day.setDate(day.getDate() + days);
  day.setHours(MORNING, 0, 0, 0);
  return day;
}

/** Days until the next such day of the week. */
const until = (now, day) => ((day - now.getDay() + 6) % 7) + 1;

function presets(now = new Date()) {
  const named = [
    ["In 1 hour", new Date(now.getTime() + 60 * MINUTE)],
    ["In 3 hours", new Date(now.getTime() + 180 * MINUTE)],
    ["Tomorrow morning", morning(now, 1)],
    ["Monday morning", morning(now, until(now, 1))],
    ["In a week", morning(now, 7)],
  ];
  return named.map(([name, moment]) => ({ name, more: tell(moment), moment, icon: "clock" }));
}

/** Understand `2h`, `3d`, `friday`, `tomorrow 14:30`, `2027-01-31 8:00`; null is none of these, or past. */
function understand(text, now = new Date()) {
  const words = text.trim().toLowerCase();
  const [, amount, unit] = words.match(/^(\d{1,4})\s*(m|min|h|d|w)$/) ?? [];
  if (amount) return new Date(now.getTime() + Number(amount) * UNITS[unit]);
  const [, day, hour, minute] = words.match(/^(.+?)(?:\s+(?:at\s+)?(\d{1,2}):(\d{2}))?$/) ?? [];
  const found = dayOf(day ?? "", now);
  if (!found) return null;
  if (hour) found.setHours(Number(hour), Number(minute), 0, 0);
  return found > now && !Number.isNaN(found.getTime()) ? found : null;
}

function dayOf(word, now) {
  if (word === "today") return morning(now, 0);
  if (word === "tomorrow") return morning(now, 1);
  const weekday = word.length > 2 ? DAYS.findIndex((day) => day.startsWith(word)) : -1;
  if (weekday >= 0) return morning(now, until(now, weekday));
  const [, year, month, date] = word.match(/^(\d{4})-(\d{1,2})-(\d{1,2})$/) ?? [];
  return year ? new Date(Number(year), Number(month) - 1, Number(date), MORNING) : null;
}

/** Options for a picker: what was typed, when it is a moment, before the usual ones. */
export function momentOptions(text, matching, more = []) {
  const moment = understand(text);
  const typed = moment ? [{ name: `Until ${tell(moment)}`, moment, icon: "calendar" }] : [];
  return [...typed, ...matching([...presets(), ...more], text)];
}

// Keeps times in words true while the page stands: how long ago, how long until a promise is due.
import { find, findAll, icon, whenever } from "./dom.js";

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
const EVERY = 10_000;

export function span(seconds) {
  const length = Math.abs(seconds);
  if (length < MINUTE) return `${Math.round(length)} s`;
  if (length < HOUR) return `${Math.floor(length / MINUTE)} min`;
  if (length < DAY) {
    const hours = Math.floor(length / HOUR);
    const minutes = Math.floor((length % HOUR) / MINUTE);
    return hours < 3 && minutes ? `${hours} h ${minutes} min` : `${hours} h`;
  }
  const days = Math.floor(length / DAY);
  const hours = Math.floor((length % DAY) / HOUR);
  return days < 3 && hours ? `${days} d ${hours} h` : `${days} d`;
}

function ago(moment, now) {
  const seconds = Math.max((now - moment) / 1000, 0);
  if (seconds < MINUTE) return "now";
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)} h`;
  if (seconds < 14 * DAY) return `${Math.floor(seconds / DAY)} d`;
  return null;
}

const ICONS = { late: "siren", soon: "alarm-clock", fine: "timer" };

function tick() {
  const now = Date.now();
  for (const time of findAll("time[data-ago]")) {
    const words = ago(Date.parse(time.dateTime), now);
    if (words && time.textContent !== words) time.textContent = words;
  }
  for (const clock of findAll(".clock[data-due]")) countDown(clock, now);
}

function countDown(clock, now) {
  const left = (Date.parse(clock.dataset.due) - now) / 1000;
  const warned = clock.classList.contains("clock-soon") || Date.parse(clock.dataset.warn) <= now;
  const tone = left < 0 ? "late" : warned ? "soon" : "fine";
  const words = left < 0 ? `${span(left)} late` : `in ${span(left)}`;
  const shown = find(".clock-words", clock);
  if (shown.textContent !== words) shown.textContent = words;
  if (clock.classList.contains(`clock-${tone}`)) return;
  clock.classList.remove("clock-late", "clock-soon", "clock-fine");
  clock.classList.add(`clock-${tone}`);
  find(".icon", clock).replaceWith(icon(ICONS[tone]));
}

const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const short = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export function startTimes() {
  whenever("time[datetime]", (time) => {
    time.title = full.format(new Date(time.dateTime));
    if (time.hasAttribute("data-at")) time.textContent = short.format(new Date(time.dateTime));
  });
  setInterval(tick, EVERY);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) tick(); });
}

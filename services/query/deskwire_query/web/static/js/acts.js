// What can be done with the open ticket beside changing its properties: the buttons in its head, and what is behind "More".
import { may } from "./changing.js";
import { find } from "./dom.js";
import { link, merge, split } from "./joining.js";
import { useMacro } from "./macros.js";
import { pick } from "./picker.js";
import { snooze, wake } from "./snoozing.js";
import { addTask, follow, follows, logTime } from "./work.js";

const anchor = () => find('[data-act="more"]');

export const acts = () => [
  may("merge") && { name: "Merge into another ticket …", icon: "git-merge", run: () => merge(anchor()) },
  may("merge") && { name: "Split messages off …", icon: "split", run: () => split() },
  may("write") && { name: "Link with another ticket …", icon: "link", run: () => link(anchor()) },
  may("write") && { name: follows() ? "Stop following" : "Follow", icon: "star", run: () => follow() },
  may("write") && { name: "Add a task", icon: "list-checks", run: () => { about(true); addTask(); } },
  may("write") && { name: "Log time …", icon: "hourglass", run: () => logTime(anchor()) },
].filter(Boolean);

export async function more() {
  if (!anchor()) return;
  const choice = await pick(anchor(), "What is to be done", acts());
  if (choice) choice.run();
  else anchor()?.focus();
}

/** Where there is no room beside the conversation, what is known of the ticket takes its place. */
export const about = (open = !document.body.classList.contains("about-open")) => document.body.classList.toggle("about-open", open);

const ACTS = { about: () => about(), macro: useMacro, snooze, wake, more, time: (button) => logTime(button) };

export function startActs() {
  document.addEventListener("desk:moved", () => about(false));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act]");
    if (button) ACTS[button.dataset.act](button);
  });
}

// Short words at the bottom of the page about what was done or went wrong.
import { build, find, icon } from "./dom.js";

const SHOWN_FOR = 4000;
const PROBLEM_SHOWN_FOR = 9000;

/** Say something; `link` leads on, `undo` takes back what was done for as long as the words are shown. */
export function say(words, { bad = false, link = null, undo = null, shownFor = bad ? PROBLEM_SHOWN_FOR : SHOWN_FOR } = {}) {
  const toast = build("div", { class: bad ? "toast toast-bad" : "toast" }, bad ? icon("circle-alert") : icon("check"),
    build("span", {}, words), link && build("a", { href: link.href }, link.words));
  if (undo) {
    const button = build("button", { type: "button", class: "toast-undo" }, "Undo");
    button.addEventListener("click", () => { toast.remove(); undo(); });
    toast.append(button);
  }
  find(".toasts").append(toast);
  setTimeout(() => toast.remove(), shownFor);
}

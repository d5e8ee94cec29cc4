// Choosing by type-ahead: the small list under a property, and the listbox behind the palette.
import { build, find, findAll, icon } from "./dom.js";

const MOST_SHOWN = 50;

/** A text field that steers a listbox (WAI-ARIA combobox); `options(text)` may be asynchronous. */
export class Chooser {
  constructor(input, list, { options, chosen }) {
    this.input = input;
    this.list = list;
    this.options = options;
    this.chosen = chosen;
    this.shown = [];
    this.turn = 0;
    this.filled = Promise.resolve();
    input.oninput = () => this.fill();
    input.onkeydown = (event) => this.steer(event);
    list.onclick = (event) => this.take(findAll("[role=option]", list).indexOf(event.target.closest("[role=option]")));
    list.onmousemove = (event) => {
      const at = findAll("[role=option]", list).indexOf(event.target.closest("[role=option]"));
      if (at >= 0) this.mark(at, false);
    };
  }

  fill() {
    this.filled = this.refill();
  }

  async refill() {
    const turn = ++this.turn;
    const found = (await this.options(this.input.value.trim())).slice(0, MOST_SHOWN);
    if (turn !== this.turn) return;
    this.shown = found;
    this.list.replaceChildren(...(found.length ? found.map((each, at) => this.draw(each, at)) :
      [build("li", { class: "option-none" }, "Nothing matches")]));
    this.mark(Math.max(found.findIndex((each) => each.on), 0));
  }

  draw(each, at) {
    return build("li", { class: each.on ? "option option-on" : "option", role: "option", id: `${this.list.id}-${at}`, "aria-selected": "false" },
      each.icon && icon(each.icon), build("span", { class: "option-words" }, each.name),
      each.more && build("span", { class: "option-more" }, each.more),
      each.key && build("kbd", {}, each.key), each.on && icon("check", "option-check"));
  }

  mark(at, scroll = true) {
    this.at = at;
    const all = findAll("[role=option]", this.list);
    all.forEach((option, index) => option.setAttribute("aria-selected", String(index === at)));
    if (all[at]) this.input.setAttribute("aria-activedescendant", all[at].id);
    else this.input.removeAttribute("aria-activedescendant");
    if (scroll) all[at]?.scrollIntoView({ block: "nearest" });
  }

  steer(event) {
    if (event.isComposing) return;
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) this.mark((this.at + move + this.shown.length) % Math.max(this.shown.length, 1));
    else if (event.key === "Enter") this.takeWhenFilled();
    else return;
    event.preventDefault();
  }

  /** Fast fingers press Enter before the choices for their words are there. */
  async takeWhenFilled() {
    await this.filled;
    this.take(this.at);
  }

  take(at) {
    if (this.shown[at]) this.chosen(this.shown[at]);
  }
}

export const matching = (options, text) => {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return options.filter((each) => words.every((word) => `${each.name} ${each.more ?? ""}`.toLowerCase().includes(word)));
};

let close = () => {};

/** Open the small list under an element; gives the choice, or null when it was left. */
export function pick(anchor, label, options) {
  close();
  const dialog = find("#picker");
  const input = find("#picker-input");
  return new Promise((resolve) => {
    const finish = (choice) => {
      dialog.onclose = null;
      if (dialog.open) dialog.close();
      anchor.removeAttribute("aria-expanded");
      resolve(choice);
    };
    close = () => finish(null);
    input.value = "";
    input.placeholder = label;
    input.setAttribute("aria-label", label);
    const chooser = new Chooser(input, find("#picker-list"), {
      options: async (text) => (typeof options === "function" ? options(text) : matching(options, text)),
      chosen: finish,
    });
    anchor.setAttribute("aria-expanded", "true");
    dialog.onclose = () => { if (!dialog.open) finish(null); }; // the list before this one may have closed just now
    dialog.onclick = (event) => { if (event.target === dialog) finish(null); };
    dialog.showModal();
    stand(dialog, anchor);
    chooser.fill();
    input.focus();
  });
}

function stand(dialog, anchor) {
  const at = anchor.getBoundingClientRect();
  const width = dialog.offsetWidth;
  dialog.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
  dialog.style.top = `${Math.min(at.bottom + 4, innerHeight - 360)}px`;
}

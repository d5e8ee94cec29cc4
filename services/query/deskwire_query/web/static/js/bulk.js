// One change for all selected tickets, each answered for by itself.
import { build, find } from "./dom.js";
import { macroOptions } from "./macros.js";
import { matching, pick } from "./picker.js";
import { PROPERTIES } from "./properties.js";
import { command } from "./requests.js";
import { keepSelected, nameOf, selection } from "./selection.js";
import { openSheet } from "./sheets.js";
import { say } from "./toasts.js";

const NO_TICKET = { tags: "" };

const plain = (name, wish) => ({ label: PROPERTIES[name].label, options: () => PROPERTIES[name].options(NO_TICKET).map((each) => ({ ...each, on: false })), wish: (choice) => ({ change: wish(choice.id) }) });

const CHANGES = {
  status: plain("status", (id) => ({ status: id })),
  priority: plain("priority", (id) => ({ priority: id })),
  assignee: plain("assignee", (id) => ({ agent_id: id })),
  team: plain("team", (id) => ({ team_id: id })),
  tags: {
    label: "Add or remove a tag",
    options: () => (text) => (text ? [{ id: text.toLowerCase(), name: text.toLowerCase(), more: "add", icon: "plus" }, { id: text.toLowerCase(), name: text.toLowerCase(), more: "remove", icon: "minus", remove: true }] : []),
    wish: (choice) => ({ change: choice.remove ? { remove_tags: [choice.id] } : { add_tags: [choice.id] } }),
  },
  macro: { label: "Use a macro", options: () => (text) => matching(macroOptions(), text), wish: (choice) => ({ macro_id: choice.id }) },
};

async function changeSelected(button) {
  const change = CHANGES[button.dataset.bulk];
  const ids = selection();
  const choice = await pick(button, change.label, change.options());
  button.focus();
  if (!choice || !ids.length) return;
  if (button.dataset.bulk === "macro" && !await isMeant(choice, ids)) return;
  try {
    tellResults(await command("POST", "/bulk", { ticket_ids: ids, ...change.wish(choice) }));
  } catch (error) {
    say(error.message, { bad: true });
  }
}

/** A macro may write to every customer: say so before. */
const isMeant = (macro, ids) => openSheet({
  title: macro.name, submit: "Apply", run: async () => true,
  body: [build("p", {}, `Use this macro on ${ids.length === 1 ? "one ticket" : `${ids.length} tickets`}? If it has a reply, each customer gets it.`)],
});

function tellResults(answers) {
  const refused = answers.filter((answer) => answer.problem);
  const done = answers.length - refused.length;
  const failures = refused.map((answer) => build("li", {}, build("strong", {}, nameOf(answer.ticket_id)), ` ${answer.problem.detail ?? answer.problem.title}`));
  keepSelected(refused.map((answer) => answer.ticket_id));
  if (done) say(done === 1 ? "1 ticket changed" : `${done} tickets changed`);
  if (!refused.length) return;
  openSheet({
    title: refused.length === 1 ? "1 ticket was not changed" : `${refused.length} tickets were not changed`,
    body: [build("ul", { class: "sheet-failures" }, ...failures)], submit: "All right", run: async () => true,
  });
}

export function startBulk() {
  find("#list")?.dispatchEvent(new CustomEvent("desk:drawn", { bubbles: true }));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-bulk]");
    if (button) changeSelected(button);
  });
}

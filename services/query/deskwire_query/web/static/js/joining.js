// Tickets that belong together or apart: merge, link, split.
import { may, openTicket } from "./changing.js";
import { unlessChanged } from "./conflicts.js";
import { build, find, findAll, parse } from "./dom.js";
import { pick } from "./picker.js";
import { command, fetchJson, fetchPart } from "./requests.js";
import { go, openTicketId, refreshTicket } from "./router.js";
import { openSheet } from "./sheets.js";
import { say } from "./toasts.js";

const KINDS = [
  { id: "related", name: "Related to it" },
  { id: "parent", name: "The parent of it" },
  { id: "child", name: "A part of it" },
  { id: "duplicate", name: "A duplicate of it" },
];

/** Choose another ticket by its number or words; before anything is typed, the customer's own are offered. */
async function pickTicket(anchor, label) {
  const here = openTicket().number;
  const known = findAll(".side [data-open]").filter((link) => link.closest("section")?.querySelector(".customer"));
  const own = known.map((link) => ({ name: `#${link.dataset.open} ${link.querySelector(".last-subject").textContent}`, number: link.dataset.open, more: "same customer", icon: "mail" }));
  return pick(anchor, label, async (text) => {
    if (!text) return own;
    const found = await fetchJson(`/palette?q=${encodeURIComponent(text)}`);
    return found.filter((each) => String(each.number) !== here)
      .map((each) => ({ name: `#${each.number} ${each.subject || "No subject"}`, number: each.number, more: each.requester, icon: "mail" }));
  });
}

/** Enough of a ticket to tell whether it is the right one. */
async function glance(number) {
  const { ok, text } = await fetchPart(`/tickets/${number}/glance`, "glance");
  if (!ok) throw new Error("That ticket cannot be read at the moment.");
  return [...(await parse(text)).children];
}

const idOf = async (number) => (await fetchJson(`/v1/tickets/${number}`)).id;

export async function merge(anchor) {
  if (!may("merge")) return;
  const choice = await pickTicket(anchor, "Merge into: a number, or words");
  if (!choice) return void anchor.focus();
  const { ticket, number, version } = openTicket();
  const key = crypto.randomUUID();
  await attempt(async () => {
    const [into, body] = await Promise.all([idOf(choice.number), glance(choice.number)]);
    const done = await openSheet({
      title: `Merge #${number} into #${choice.number}`,
      body: [...body, build("p", { class: "hint" }, `What was said on #${number} stays readable there, and what the customer writes to it goes on in #${choice.number}. A merge cannot be undone.`)],
      submit: "Merge", version, careful: true,
      run: (_, asOf) => unlessChanged((at) => command("POST", `/tickets/${ticket}/merge`, { into }, { version: at, key: `${key}-${at}` }), asOf),
    });
    if (!done) return;
    say(`Merged into #${choice.number}`);
    await go(`/tickets/${choice.number}?view=${find("#list").dataset.view}&after=${done.sequence}`);
  });
}

export async function link(anchor) {
  if (!may("write")) return;
  const choice = await pickTicket(anchor, "Link with: a number, or words");
  const kind = choice && await pick(anchor, `This ticket is, to #${choice.number}`, KINDS);
  anchor.focus();
  if (!kind) return;
  const { ticket } = openTicket();
  await attempt(async () => {
    const done = await command("POST", `/tickets/${ticket}/links`, { ticket_id: await idOf(choice.number), kind: kind.id });
    if (openTicketId() === ticket) await refreshTicket(done.sequence);
    say(`Linked with #${choice.number}`);
  });
}

export async function split() {
  if (!may("merge")) return;
  const { ticket, version } = openTicket();
  const messages = findAll(".ticket [data-splittable]");
  if (messages.length < 2) return void say("There is only one message of the customer; nothing can be split off.");
  const key = crypto.randomUUID();
  const subject = build("input", { name: "subject", maxlength: 500, placeholder: "Subject, if it is to be another one", "aria-label": "Subject of the new ticket" });
  const done = await openSheet({
    title: "Split messages off to a new ticket",
    body: [build("ul", { class: "sheet-choices" }, ...messages.map(drawMessage)), subject],
    submit: "Split", version,
    run: (form, asOf) => {
      const chosen = findAll("input:checked", form).map((box) => box.value);
      if (!chosen.length) throw new Error("Choose the messages that are to become a ticket of their own.");
      const body = { message_ids: chosen, ...(subject.value.trim() ? { subject: subject.value.trim() } : {}) };
      return unlessChanged((at) => command("POST", `/tickets/${ticket}/split`, body, { version: at, key: `${key}-${at}-${chosen.length}` }), asOf);
    },
  });
  if (!done) return;
  say("Split off");
  await go(`/tickets/${done.split_off}?view=${find("#list").dataset.view}&after=${done.sequence}`);
}

function drawMessage(message) {
  const words = find(".words, .long > summary", message)?.textContent ?? "A message with a layout of its own";
  const author = find(".message-author", message).textContent;
  return build("li", {}, build("label", {}, build("input", { type: "checkbox", value: message.dataset.splittable }),
    build("span", {}, build("strong", {}, author), ` ${words.trim().slice(0, 160)}`)));
}

async function attempt(work) {
  try {
    await work();
  } catch (error) {
    say(error.message, { bad: true });
  }
}

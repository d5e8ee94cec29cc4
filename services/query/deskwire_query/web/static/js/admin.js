// The forms of the administration work without scripts; this draws them again in place, and asks what takes a while.
import { build, find, findAll, parse } from "./dom.js";
import { command } from "./requests.js";
import { say } from "./toasts.js";

const PATIENCE_MS = 250;

let drawing = null;
let waiting = 0;

/** Send the whole form with an edit, and put the form that comes back in its place. */
async function redraw(form, edit) {
  drawing?.abort();
  drawing = new AbortController();
  const body = new FormData(form);
  body.set("edit", edit);
  let answer;
  try {
    answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(body), headers: { "Deskwire-Part": "editor" }, signal: drawing.signal });
  } catch (error) {
    if (error.name === "AbortError") return;
    throw error;
  }
  if (!answer.ok) return say(`The desk answered ${answer.status}. Nothing was changed; load the page again.`, { bad: true });
  const drawn = find("#editor", await parse(await answer.text()));
  const focused = document.activeElement?.id;
  const open = new Set(findAll("details[open]", form).map((part) => part.id));
  for (const part of findAll("details[id]", drawn)) part.open ||= open.has(part.id);
  find("#editor").replaceWith(drawn);
  settle(edit, focused);
}

/** Keep the focus where it was, or bring it to what is new. */
function settle(edit, focused) {
  const fresh = findAll("[data-fresh]").at(-1);
  const path = edit.slice(edit.indexOf(":") + 1);
  const parent = path.slice(0, path.lastIndexOf("."));
  const target =
    (fresh && find("select, input:not([type=hidden]), textarea", fresh)) ||
    (focused && document.getElementById(focused)) ||
    find(`button[value="${CSS.escape(edit)}"]`) ||
    (parent ? find(`button[value="${CSS.escape(`add:${parent}`)}"]`) : null);
  target?.focus();
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches(".admin-form") || event.submitter?.name !== "edit") return;
  event.preventDefault();
  redraw(event.target, event.submitter.value);
});

document.addEventListener("change", (event) => {
  const form = event.target.closest(".admin-form");
  if (form && (event.target.matches("[data-shape]") || "lives" in form.dataset)) redraw(form, "shape:");
});

document.addEventListener("input", (event) => {
  const form = event.target.closest(".admin-form[data-lives]");
  if (!form || !event.target.matches("textarea")) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => refreshBeside(form), PATIENCE_MS);
});

/** Bring what stands beside the form up to date, without touching what is being typed. */
async function refreshBeside(form) {
  const body = new FormData(form);
  body.set("edit", "shape:");
  const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(body), headers: { "Deskwire-Part": "editor" } });
  if (!answer.ok) return;
  const beside = find(".beside", await parse(await answer.text()));
  if (beside) find(".beside").replaceWith(beside);
}

document.addEventListener("click", (event) => {
  const check = event.target.closest("[data-check]");
  if (check) checkConnection(check);
  const sign = event.target.closest("[data-sign]");
  if (sign) makeSigningSecret(sign);
  const rehearse = event.target.closest("[data-rehearse]");
  if (rehearse) rehearseOn(rehearse, rehearse.dataset.rehearse);
});

async function checkConnection(button) {
  const said = find("#checked");
  await busy(button, async () => {
    said.textContent = "Signing in …";
    try {
      const { waiting: mails } = await command("POST", `/channels/${button.dataset.check}/check`, {});
      said.textContent = `It can be fetched from; ${mails} ${mails === 1 ? "mail waits" : "mails wait"}.`;
    } catch (error) {
      said.textContent = `It cannot be fetched from: ${error.message}`;
    }
  });
}

async function makeSigningSecret(button) {
  await busy(button, async () => {
    try {
      const { secret } = await command("POST", `/webhooks/${button.dataset.sign}/signing-secret`, {});
      find("#signing").replaceChildren(build("pre", { class: "copy" }, secret), build("button", { class: "button button-small", type: "button", "data-do": "copy", "data-copy": secret }, "Copy"));
    } catch (error) {
      find("#signing").textContent = error.message;
    }
  });
}

async function rehearseOn(button, address) {
  const form = find("#admin-form");
  const shown = find("#rehearsal");
  await busy(button, async () => {
    shown.replaceChildren(build("p", {}, "Rehearsing …"));
    const draft = await fetch(`${form.getAttribute("action")}/draft`, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    const asked = await draft.json().catch(() => ({}));
    if (!draft.ok) return shown.replaceChildren(trouble(asked));
    const headers = { "X-CSRF-Token": find("meta[name=csrf]").content, "Content-Type": "application/json", Accept: "application/json" };
    const answer = await fetch(address, { method: "POST", headers, body: JSON.stringify(asked) });
    const told = await answer.json().catch(() => ({ detail: "Rehearsals are not served at this address." }));
    shown.replaceChildren(...(answer.ok ? report(told) : [trouble(told)]));
    shown.scrollIntoView({ block: "nearest" });
  });
}

async function busy(button, work) {
  button.setAttribute("aria-busy", "true");
  try {
    await work();
  } finally {
    button.removeAttribute("aria-busy");
  }
}

/** The names behind the ids that a report tells. */
let names = {};
const HOLD_IDS = new Set(["team", "assignee", "followers"]);

const trouble = (told) => build("p", { class: "wrong" }, told.detail || told.title || "This did not work.");
const words = (value) => (value == null || value === "" ? "nothing" : Array.isArray(value) ? value.map(words).join(", ") || "nothing" : String(value).replaceAll("_", " "));
const named = (value) => (Array.isArray(value) ? value.map(named).join(", ") || "nothing" : (names[value] ?? words(value)));
const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
const ticket = (one) => build("a", { href: `/tickets/${one.number}` }, `#${one.number}`);

/** A report of rehearsed rules, or of rehearsed promises. */
function report(told) {
  names = JSON.parse(find("#rehearsal").dataset.names);
  return told.rules ? ofRules(told) : ofPromises(told);
}

function ofRules(told) {
  const heading = build("h2", {}, "What it would have changed");
  const summary = build("p", {}, `${count(told.tickets, "ticket")}, ${count(told.occasions, "occasion")}; ${told.changed} would have ended otherwise, on ${count(told.changed_tickets, "ticket")}.`);
  const figures = table(["Rule", "Acted", "As drafted", "Stopped"], told.rules.map((rule) => [rule.name || rule.rule_id, rule.recorded, rule.draft, rule.stopped]));
  const rows = told.first_changed.flatMap((one) =>
    one.differences.map((each) => {
      const say = HOLD_IDS.has(each.what) ? named : words;
      return [ticket(one), words(one.occasion), words(each.what), say(each.recorded), say(each.draft)];
    }),
  );
  const troubles = told.troubles.map((each) => build("p", { class: "wrong" }, each));
  return [heading, summary, figures, ...(rows.length ? [table(["Ticket", "Occasion", "What", "Was", "As drafted"], rows)] : []), ...troubles];
}

function ofPromises(told) {
  const heading = build("h2", {}, "What it would have changed");
  const summary = build("p", {}, `${count(told.tickets, "ticket")}; ${count(told.changed, "promise")} would have ended otherwise.`);
  const figures = table(
    ["Team", "Promise", "Priority", "Kept", "Missed", "Kept as drafted", "Missed as drafted"],
    told.figures.map((each) => [each.team_id ? named(each.team_id) : "No team", words(each.metric), words(each.priority), each.kept, each.missed, each.draft_kept, each.draft_missed]),
  );
  const rows = told.first_changed.map((one) => [ticket(one), words(one.metric), words(one.recorded), words(one.draft)]);
  return [heading, summary, figures, ...(rows.length ? [table(["Ticket", "Promise", "Was", "As drafted"], rows)] : [])];
}

function table(heads, rows) {
  const head = build("thead", {}, build("tr", {}, ...heads.map((each) => build("th", { scope: "col" }, each))));
  const body = build("tbody", {}, ...rows.map((row) => build("tr", {}, ...row.map((cell) => build("td", {}, cell instanceof Node ? cell : String(cell))))));
  return build("div", { class: "promise-scroll" }, build("table", {}, head, body));
}

// Writing: replies and notes, drafts that survive the tab, files, sending with a status, and conflicts.
import { drawConflict, isConflict, unlessChanged } from "./conflicts.js";
import { build, find, findAll, icon, whenever } from "./dom.js";
import { command } from "./requests.js";
import { openTicketId, refreshTicket } from "./router.js";
import { say } from "./toasts.js";

const UNDO_SECONDS = 10;
const DRAFT_PAUSE = 300;
const TYPING_PAUSE = 3_000;

let toldTyping = 0;
const files = new WeakMap();
const keys = new WeakMap();

export const composer = () => find("[data-composer]");
const ticketOf = (form) => form.closest(".ticket").dataset;
/** In a chat the customer waits for every word: answers leave at once, and nobody has to have read the last line. */
const isChat = (form) => ticketOf(form).channel === "chat";
const textOf = (form) => find("textarea", form);
const draftName = (form, mode = form.dataset.mode) => `deskwire-draft:${ticketOf(form).ticket}:${mode}`;

export function write(mode) {
  const form = composer();
  const choice = form && find(`[data-mode-choice="${mode}"]`, form);
  if (!choice) return;
  if (form.dataset.mode !== mode) {
    keepDraft(form);
    setMode(form, mode);
  }
  textOf(form).focus();
}

/** Put words into the answer, behind what is there. */
export function insert(words) {
  write("reply");
  const form = composer();
  const text = textOf(form);
  text.value = text.value.trim() ? `${text.value.trimEnd()}\n\n${words}` : words;
  keepDraft(form);
  text.focus();
}

/** Show what was begun before, in the mode it was begun in. */
function restore(form) {
  const begun = (mode) => find(`[data-mode-choice="${mode}"]`, form) && localStorage.getItem(draftName(form, mode));
  setMode(form, !begun("reply") && begun("note") ? "note" : form.dataset.mode);
}

function setMode(form, mode) {
  form.dataset.mode = mode;
  for (const choice of findAll("[data-mode-choice]", form)) choice.setAttribute("aria-pressed", String(choice.dataset.modeChoice === mode));
  const isNote = mode === "note";
  textOf(form).placeholder = isNote ? "Leave a note for your colleagues" : "Write a reply";
  find("[data-send-words]", form).textContent = isNote ? "Add note" : "Send";
  find("[data-to]", form).hidden = isNote;
  find("[data-to-note]", form).hidden = !isNote;
  for (const button of findAll("[data-only=reply]", form)) button.hidden = isNote;
  textOf(form).value = localStorage.getItem(draftName(form)) ?? "";
  find("[data-kept]", form).hidden = !textOf(form).value;
}

function keepDraft(form) {
  const text = textOf(form).value;
  if (text.trim()) localStorage.setItem(draftName(form), text);
  else localStorage.removeItem(draftName(form));
  find("[data-kept]", form).hidden = !text.trim();
}

/** Upload files at once, so that sending does not wait for them. */
async function addFiles(form, added) {
  const { ticket } = ticketOf(form);
  for (const file of added) {
    const entry = { name: file.name, stored: null };
    files.set(form, [...attachedTo(form), entry]);
    drawFiles(form);
    try {
      const body = new FormData();
      body.append("file", file, file.name);
      entry.stored = await command("POST", "/attachments", body);
    } catch (error) {
      files.set(form, attachedTo(form).filter((each) => each !== entry));
      say(`${file.name}: ${error.message}`, { bad: true });
    }
    if (form.isConnected && ticketOf(form).ticket === ticket) drawFiles(form);
  }
}

const attachedTo = (form) => files.get(form) ?? [];

function drawFiles(form) {
  find("[data-files]", form).replaceChildren(...attachedTo(form).map((file, at) => build("li", { class: "file" },
    icon("paperclip"), build("span", { class: "file-name" }, file.name), !file.stored && build("span", { class: "file-size" }, "uploading"),
    build("button", { type: "button", class: "icon-button", "data-drop-file": at, "aria-label": `Remove ${file.name}` }, icon("x")))));
}

async function send(form, status) {
  const text = textOf(form).value.trim();
  if (!text && !attachedTo(form).length) return void textOf(form).focus();
  if (attachedTo(form).some((file) => !file.stored)) return void say("A file is still on its way.", { bad: true });
  if (form.dataset.sending) return;
  const wish = { ticket: ticketOf(form).ticket, mode: form.dataset.mode, text, status, attachments: attachedTo(form).map((file) => file.stored) };
  busy(form, true);
  try {
    await (wish.mode === "note" ? addNote(form, wish) : reply(form, wish));
  } catch (error) {
    if (isConflict(error)) await showConflict(form, error);
    else say(error.message, { bad: true });
  } finally {
    busy(form, false);
  }
}

/** The key of a wish: the same words sent again after a lost answer are sent once. */
function keyOf(form, wish) {
  const words = JSON.stringify(wish);
  if (keys.get(form)?.words !== words) keys.set(form, { words, key: crypto.randomUUID() });
  return keys.get(form).key;
}

async function addNote(form, wish) {
  const done = await command("POST", `/tickets/${wish.ticket}/notes`, { text: wish.text, attachments: wish.attachments }, { key: keyOf(form, wish) });
  await sent(form, wish, done);
  say("Note added");
}

async function reply(form, wish) {
  const body = { text: wish.text, attachments: wish.attachments, undo_seconds: isChat(form) ? 0 : UNDO_SECONDS };
  if (wish.status) body.status = wish.status;
  const done = await replyUnlessChanged(form, wish, body);
  toldTyping = 0;
  await sent(form, wish, done);
  const undo = { undo: () => takeBack(wish, done.message_id), shownFor: UNDO_SECONDS * 1000 };
  say(wish.status ? `Sent, and ${wish.status}` : "Sent", body.undo_seconds ? undo : {});
}

function replyUnlessChanged(form, wish, body) {
  const version = isChat(form) ? null : ticketOf(form).version;
  return unlessChanged((at) => command("POST", `/tickets/${wish.ticket}/replies`, body, { version: at, key: keyOf(form, { ...wish, at }) }), version);
}

async function sent(form, wish, done) {
  localStorage.removeItem(`deskwire-draft:${wish.ticket}:${wish.mode}`);
  clear(form);
  if (openTicketId() !== wish.ticket) return;
  await refreshTicket(done.sequence);
  toTheEnd();
}

async function takeBack(wish, messageId) {
  try {
    const done = await command("DELETE", `/tickets/${wish.ticket}/replies/${messageId}`, {});
    localStorage.setItem(`deskwire-draft:${wish.ticket}:reply`, wish.text);
    say("Taken back; it did not leave the desk");
    if (openTicketId() !== wish.ticket) return;
    await refreshTicket(done.sequence);
    setMode(composer(), "reply");
    textOf(composer()).focus();
  } catch (error) {
    say(error.message, { bad: true });
  }
}

function toTheEnd() {
  const scroll = find(".conversation-scroll");
  scroll.scrollTop = scroll.scrollHeight;
}

function clear(form) {
  textOf(form).value = "";
  files.delete(form);
  keys.delete(form);
  drawFiles(form);
  find("[data-conflict]", form).hidden = true;
  find("[data-kept]", form).hidden = true;
}

function busy(form, is) {
  if (is) form.dataset.sending = "true";
  else delete form.dataset.sending;
  for (const button of findAll("[data-send]", form)) button.setAttribute("aria-busy", String(is));
}

/** Somebody was faster: show what happened in between, and let the agent decide again. */
async function showConflict(form, error) {
  const box = find("[data-conflict]", form);
  box.replaceChildren(...drawConflict(error, "The ticket changed while you were writing.", "It is shown above. Sending again sends your text as it is."));
  box.hidden = false;
  await refreshTicket();
  toTheEnd();
}

/** Let the customer of a chat see that somebody writes. */
function tellTyping(form) {
  if (!isChat(form) || form.dataset.mode !== "reply" || Date.now() - toldTyping < TYPING_PAUSE) return;
  toldTyping = Date.now();
  command("POST", `/tickets/${ticketOf(form).ticket}/typing`, {}).catch((error) => console.debug(error.message));
}

export function startComposer() {
  let waiting = null;
  whenever("[data-composer]", (form) => { restore(form); });
  document.addEventListener("input", (event) => {
    const form = event.target.closest("[data-composer]");
    if (!form || event.target.tagName !== "TEXTAREA") return;
    clearTimeout(waiting);
    waiting = setTimeout(() => keepDraft(form), DRAFT_PAUSE);
    tellTyping(form);
  });
  document.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-mode-choice]");
    if (choice) write(choice.dataset.modeChoice);
    const drop = event.target.closest("[data-drop-file]");
    if (drop) {
      const form = drop.closest("[data-composer]");
      files.set(form, attachedTo(form).filter((_, at) => at !== Number(drop.dataset.dropFile)));
      drawFiles(form);
    }
  });
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-attach]")) return;
    addFiles(event.target.closest("[data-composer]"), [...event.target.files]);
    event.target.value = "";
  });
  document.addEventListener("paste", (event) => {
    const form = event.target.closest?.("[data-composer]");
    if (form && event.clipboardData.files.length) addFiles(form, [...event.clipboardData.files]);
  });
  for (const name of ["dragover", "drop"]) {
    document.addEventListener(name, (event) => {
      const form = event.target.closest?.(".ticket") && composer();
      if (!form || ![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      form.classList.toggle("dropping", name === "dragover");
      if (name === "drop") addFiles(form, [...event.dataTransfer.files]);
    });
  }
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget?.closest?.(".ticket")) composer()?.classList.remove("dropping"); });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-composer]")) return;
    event.preventDefault();
    send(event.target, event.submitter?.value ?? "");
  });
  document.addEventListener("keydown", (event) => {
    const form = event.target.closest?.("[data-composer]");
    if (!form) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      send(form, event.shiftKey && find("[data-send][value=solved]", form) ? "solved" : "");
    } else if (event.key === "Escape") {
      event.stopPropagation();
      event.target.blur();
      find(".conversation-scroll")?.focus();
    }
  });
}

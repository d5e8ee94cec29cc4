/* What the customer sees of a chat: a button in the corner, and the panel behind it. */

import { ICONS, element, fill, icon, linked, shownTime } from "./chat_texts.js";

const LONGEST = 4_000;
const TOGETHER = 120_000;
/** Messages of one person within that time stand together under one name. */
const TYPING_EVERY = 2_500;
const TYPING_SHOWN = 6_000;

export class Panel {
  #words;
  #settings;
  #line;
  #parts = {};
  #messages = new Map();
  #pending = new Map();
  #chat = { state: "ready" };
  #lineState = "";
  #isIntroduced = false;
  #isLeaving = false;
  #unread = 0;
  #typedAt = 0;
  #typingEnds = 0;
  #isPage;

  constructor(root, settings, connection, { isPage }) {
    this.#words = settings.words;
    this.#settings = settings;
    this.#line = connection;
    this.#isPage = isPage;
    this.#chat = { state: settings.is_open ? "ready" : "away" };
    this.#build(root);
  }

  /** Show the button, once it looks as it should; whoever was in a chat before is in it again. */
  appear() {
    this.#parts.host.hidden = false;
    for (const { id, text } of this.#line.waiting) this.#showPending(id, text);
    if (this.#line.hasSession) this.#line.open();
    if (this.#isPage) this.#open();
    this.#tellState();
  }

  hear(frame) {
    const answers = {
      line: () => this.#lineChanged(frame.state),
      welcome: () => this.#welcomed(frame),
      state: () => this.#stateChanged(frame),
      message: () => this.#show(frame.message, true),
      said: () => this.#kept(frame),
      refused: () => this.#refused(frame),
      removed: () => this.#removed(frame.id),
      typing: () => this.#showTyping(frame.name),
    };
    answers[frame.type]?.();
  }

  #build(root) {
    const words = this.#words;
    const parts = this.#parts;
    parts.badge = element("span", { class: "badge", hidden: true });
    parts.launcher = element("button", { class: "launcher", type: "button", "aria-expanded": "false", "aria-label": words.open, click: () => this.#toggle() }, icon(ICONS.chat, "when-closed"), icon(ICONS.down, "when-open"), parts.badge);
    parts.dot = element("span", { class: "dot" });
    parts.status = element("span", { class: "status", role: "status" });
    parts.leave = element("button", { class: "plain", type: "button", title: words.leave, "aria-label": words.leave, hidden: true, click: () => this.#askToLeave() }, icon(ICONS.leave));
    parts.close = element("button", { class: "plain", type: "button", title: words.close, "aria-label": words.close, hidden: this.#isPage, click: () => this.#close() }, icon(ICONS.down));
    parts.log = element("div", { class: "log", role: "log", tabindex: "0", "aria-label": words.title });
    parts.typing = element("p", { class: "typing", hidden: true });
    parts.foot = element("div", { class: "foot" });
    parts.composer = this.#composer();
    parts.start = this.#startForm();
    parts.panel = element(
      "section",
      { class: "panel", role: "dialog", "aria-label": words.title, hidden: true, keydown: (event) => event.key === "Escape" && !this.#isPage && this.#close() },
      element("header", {}, element("div", { class: "who" }, element("h2", {}, words.title), element("p", { class: "state" }, parts.dot, parts.status)), parts.leave, parts.close),
      parts.log,
      parts.typing,
      parts.foot,
    );
    parts.host = element("div", { class: `chat${this.#isPage ? " page" : ""}`, lang: this.#settings.locale, hidden: true }, parts.panel, parts.launcher);
    parts.greeting = this.#bubble({ by: "agent", name: words.team, text: this.#settings.is_open ? words.greeting : words.away });
    parts.log.append(parts.greeting);
    root.append(parts.host);
    this.#showFoot();
  }

  #composer() {
    const words = this.#words;
    const text = element("textarea", { rows: "1", placeholder: words.write, "aria-label": words.write, input: () => this.#typed(), keydown: (event) => this.#keyed(event) });
    const problem = element("p", { class: "problem", role: "alert", hidden: true });
    const send = element("button", { class: "send", type: "submit", "aria-label": words.send, title: words.send }, icon(ICONS.send));
    const form = element("form", { class: "composer", submit: (event) => this.#submit(event) }, problem, element("div", { class: "writing" }, text, send));
    Object.assign(this.#parts, { text, problem });
    return form;
  }

  /** Ask who is there, before the first message. */
  #startForm() {
    const words = this.#words;
    return this.#addressForm({ required: true, withName: true, button: words.start, done: () => this.#showFoot() });
  }

  #addressForm({ required, withName, button, done }) {
    const words = this.#words;
    const name = element("input", { autocomplete: "name", maxlength: "200", id: "name" });
    const address = element("input", { autocomplete: "email", maxlength: "254", type: "email", id: "address", required });
    const submit = (event) => {
      event.preventDefault();
      this.#isIntroduced = true;
      this.#line.open();
      this.#line.introduce(name.value, address.value);
      done();
    };
    const optional = element("span", { class: "optional" }, words.optional);
    return element(
      "form",
      { class: "ask", submit },
      ...(withName ? [element("label", { for: "name" }, words.name, " ", optional), name] : []),
      element("label", { for: "address" }, words.address),
      address,
      element("button", { class: "main", type: "submit" }, button),
    );
  }

  #toggle() {
    if (this.#parts.panel.hidden) this.#open();
    else this.#close();
  }

  #open() {
    this.#parts.panel.hidden = false;
    this.#parts.launcher.setAttribute("aria-expanded", "true");
    this.#parts.launcher.setAttribute("aria-label", this.#words.close);
    this.#parts.host.classList.add("open");
    this.#read();
    this.#toEnd();
    (this.#parts.foot.querySelector("input, textarea, button") ?? this.#parts.log).focus();
  }

  #close() {
    this.#parts.panel.hidden = true;
    this.#parts.launcher.setAttribute("aria-expanded", "false");
    this.#parts.launcher.setAttribute("aria-label", this.#words.open);
    this.#parts.host.classList.remove("open");
    this.#parts.launcher.focus();
  }

  #read() {
    this.#unread = 0;
    this.#parts.badge.hidden = true;
  }

  #lineChanged(state) {
    this.#lineState = state === "connecting" && this.#lineState === "lost" ? "lost" : state;
    this.#tellState();
  }

  #welcomed(frame) {
    this.#lineState = "";
    if (!frame.is_replay) {
      for (const [id, shown] of this.#messages) if (!frame.messages.some((message) => message.id === id)) this.#drop(id, shown);
    }
    for (const message of frame.messages) this.#show(message, frame.is_replay);
    this.#tellState();
    this.#showFoot();
    this.#toEnd();
  }

  #drop(id, shown) {
    shown.remove();
    this.#messages.delete(id);
  }

  #stateChanged(frame) {
    this.#chat = frame;
    this.#lineState = "";
    if (frame.address) this.#isIntroduced = true;
    if (frame.address && this.#isLeaving) {
      this.#left();
      return;
    }
    this.#tellState();
    this.#showFoot();
  }

  #tellState() {
    const { state, position, agent } = this.#chat;
    const words = this.#words;
    const told = {
      ready: words.ready,
      away: words.is_away,
      queued: position > 1 ? fill(words.queued, { ahead: position - 1 }) : words.next,
      with_agent: fill(words.with_agent, { name: agent || words.team }),
      solved: words.solved,
      ended: words.ended,
    };
    const shown = this.#lineState || state;
    this.#parts.dot.dataset.state = shown;
    this.#parts.status.textContent = this.#lineState ? words[this.#lineState] : told[state];
    this.#parts.host.dataset.state = shown;
    this.#parts.leave.hidden = !this.#line.hasSession || !this.#messages.size || state === "ended";
  }

  /** Put below the messages what can be done now. */
  #showFoot() {
    const parts = this.#parts;
    const asked = !this.#isIntroduced && !this.#messages.size && !this.#pending.size;
    const mustAsk = this.#settings.asks_address === "first" || this.#chat.state === "away";
    const shown = this.#chat.state === "ended" ? this.#endedFoot() : asked && mustAsk ? parts.start : parts.composer;
    if (parts.foot.firstChild === shown || parts.foot.querySelector(".leaving")) return;
    const hadFocus = parts.foot.contains(parts.foot.getRootNode().activeElement);
    parts.foot.replaceChildren(shown);
    if (hadFocus) shown.querySelector("input, textarea, button")?.focus();
  }

  #endedFoot() {
    this.#parts.ended ??= element("div", { class: "ask" }, element("p", {}, this.#words.ended), element("button", { class: "main", type: "button", click: () => this.#startAgain() }, this.#words.again));
    return this.#parts.ended;
  }

  #startAgain() {
    this.#line.forget();
    for (const shown of [...this.#messages.values(), ...this.#pending.values()]) shown.remove();
    this.#messages.clear();
    this.#pending.clear();
    this.#isIntroduced = false;
    this.#isLeaving = false;
    this.#chat = { state: this.#settings.is_open ? "ready" : "away" };
    this.#lineState = "";
    this.#parts.foot.replaceChildren();
    this.#showFoot();
    this.#tellState();
    this.#parts.foot.querySelector("input, textarea").focus();
  }

  /** Before somebody goes: where does a late answer reach them? */
  #askToLeave() {
    const words = this.#words;
    const address = this.#chat.address;
    const stay = element("button", { class: "link", type: "button", click: () => this.#stay() }, words.stay);
    const without = element("button", { class: address ? "main" : "link", type: "button", click: () => this.#left() }, address ? words.leave : words.leave_without);
    const form = this.#addressForm({ required: true, withName: false, button: words.leave_send, done: () => { this.#isLeaving = true; } });
    const asked = address
      ? [element("p", {}, fill(words.leave_known, { address })), without, stay]
      : [element("p", {}, words.leave_text), form, element("div", { class: "links" }, without, stay)];
    this.#parts.foot.replaceChildren(element("div", { class: "ask leaving" }, element("h3", {}, words.leave_title), ...asked));
    this.#parts.foot.querySelector("input, button").focus();
  }

  #stay() {
    this.#isLeaving = false;
    this.#parts.foot.replaceChildren();
    this.#showFoot();
    this.#parts.text.focus();
  }

  #left() {
    this.#startAgain();
    if (!this.#isPage) this.#close();
  }

  #keyed(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#parts.composer.requestSubmit();
  }

  #typed() {
    this.#resize();
    this.#parts.problem.hidden = true;
    if (this.#parts.text.value && Date.now() - this.#typedAt > TYPING_EVERY) {
      this.#typedAt = Date.now();
      this.#line.typing();
    }
  }

  #resize() {
    const { text } = this.#parts;
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight + 2, 140)}px`;
  }

  #submit(event) {
    event.preventDefault();
    const { text, problem } = this.#parts;
    const written = text.value.trim();
    if (!written) return;
    if ([...written].length > LONGEST) {
      problem.textContent = fill(this.#words.too_long, { most: LONGEST });
      problem.hidden = false;
      return;
    }
    text.value = "";
    this.#resize();
    this.#typedAt = 0;
    this.#line.open();
    this.#showPending(this.#line.say(written), written);
    this.#toEnd();
  }

  #showPending(id, text) {
    const shown = this.#bubble({ by: "customer", text });
    shown.dataset.delivery = "sending";
    shown.querySelector(".meta").replaceChildren(icon(ICONS.clock), this.#words.sending);
    this.#pending.set(id, shown);
    this.#place(shown);
  }

  #kept({ id, message_id: messageId, at }) {
    const shown = this.#pending.get(id);
    this.#pending.delete(id);
    if (!shown) return;
    if (this.#messages.has(messageId)) {
      shown.remove();
      return;
    }
    this.#messages.set(messageId, shown);
    shown.dataset.delivery = "sent";
    shown.dataset.at = at;
    shown.querySelector(".meta").replaceChildren(shownTime(at, this.#settings.locale), icon(ICONS.tick), element("span", { class: "hidden" }, this.#words.sent));
    this.#group();
    this.#tellState();
  }

  #refused({ id, code, wait }) {
    const { problem } = this.#parts;
    if (code === "no_address") {
      this.#askAddressAgain();
      return;
    }
    const shown = this.#pending.get(id);
    if (!shown || wait) return;
    this.#pending.delete(id);
    shown.dataset.delivery = "refused";
    shown.querySelector(".meta").textContent = this.#words.not_sent;
    problem.textContent = code === "ended" ? this.#words.ended : this.#words.not_sent;
    problem.hidden = false;
  }

  #askAddressAgain() {
    this.#isIntroduced = false;
    this.#isLeaving = false;
    if (!this.#parts.foot.querySelector("[type=email]")) this.#parts.foot.replaceChildren(this.#parts.start);
    const address = this.#parts.foot.querySelector("[type=email]");
    address.setCustomValidity(this.#words.no_address);
    address.reportValidity();
    address.addEventListener("input", () => address.setCustomValidity(""), { once: true });
  }

  #show(message, isNew) {
    if (this.#messages.has(message.id)) return;
    const shown = this.#bubble(message);
    this.#messages.set(message.id, shown);
    this.#place(shown);
    if (message.by === "agent") this.#hideTyping();
    if (isNew && message.by === "agent" && this.#parts.panel.hidden) {
      this.#unread += 1;
      this.#parts.badge.textContent = this.#unread > 9 ? "9+" : `${this.#unread}`;
      this.#parts.badge.hidden = false;
      this.#parts.launcher.setAttribute("aria-label", fill(this.#words.new_message, { name: message.name || this.#words.team }));
    }
    this.#tellState();
  }

  #removed(id) {
    const shown = this.#messages.get(id);
    if (!shown) return;
    shown.classList.add("removed");
    shown.querySelector(".text").textContent = this.#words.removed;
  }

  #bubble({ by, name = "", text, at = "", files = [] }) {
    const meta = element("p", { class: "meta" }, at && shownTime(at, this.#settings.locale));
    const attached = files.map((file) => element("a", { class: "file", href: new URL(file.path, import.meta.url).href, target: "_blank", rel: "noopener" }, icon(ICONS.file), file.name));
    const author = element("p", { class: "author" }, by === "agent" ? name || this.#words.team : this.#words.you);
    return element("article", { class: `message ${by}`, "data-by": `${by}:${name}`, "data-at": at }, author, element("div", { class: "text" }, linked(text)), ...attached, meta);
  }

  /** Messages stand in the order they were kept in; what is not kept yet comes last. */
  #place(shown) {
    const { log } = this.#parts;
    const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
    const at = shown.dataset.at;
    const later = at && [...log.children].find((other) => other !== this.#parts.greeting && (!other.dataset.at || other.dataset.at > at));
    log.insertBefore(shown, later || null);
    this.#group();
    if (isAtEnd || shown.dataset.delivery === "sending") this.#toEnd();
  }

  #group() {
    let before = null;
    for (const shown of this.#parts.log.children) {
      const isNear = !shown.dataset.at || !before?.dataset.at || new Date(shown.dataset.at) - new Date(before.dataset.at) < TOGETHER;
      const goesOn = Boolean(before) && before.dataset.by === shown.dataset.by && isNear;
      shown.classList.toggle("goes-on", goesOn);
      before?.classList.toggle("is-followed", goesOn);
      before = shown;
    }
    before?.classList.remove("is-followed");
  }

  #toEnd() {
    this.#parts.log.scrollTop = this.#parts.log.scrollHeight;
  }

  #showTyping(name) {
    const { typing } = this.#parts;
    typing.textContent = fill(this.#words.typing, { name: name || this.#words.somebody });
    typing.append(element("span", { class: "dots", "aria-hidden": "true" }, element("i"), element("i"), element("i")));
    typing.hidden = false;
    clearTimeout(this.#typingEnds);
    this.#typingEnds = setTimeout(() => this.#hideTyping(), TYPING_SHOWN);
  }

  #hideTyping() {
    this.#parts.typing.hidden = true;
  }
}

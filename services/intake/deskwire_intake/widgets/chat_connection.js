/* The line to the desk: one WebSocket, made anew when it is lost. What was not kept by the desk yet is sent again
   under the same id, so that it is kept once. */

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 20_000;
const ACK_WITHIN = 8_000;
/** Close codes after which trying again is of no use. */
const FINAL = new Set([4400, 4403, 4404]);
const STATES_OF_CODES = { 4403: "refused", 4404: "refused", 4429: "cut", 4503: "full" };

export class Connection {
  #address;
  #storage;
  #hear;
  #socket = null;
  #pause = FIRST_PAUSE;
  #retry = 0;
  #lastSeen = "";
  #waiting = new Map();
  #isWanted = false;
  #watch = 0;
  #sentAt = new Map();

  /** `hear(frame)` is told every frame, and `{type: "line", state}` when the line itself changes. */
  constructor(address, storageKey, hear) {
    this.#address = address;
    this.#storage = new Storage(storageKey);
    this.#hear = hear;
    for (const { id, text } of this.#storage.read("waiting") ?? []) this.#waiting.set(id, text);
    addEventListener("online", () => this.#isWanted && this.open());
    addEventListener("offline", () => this.#isWanted && this.#drop());
  }

  get hasSession() {
    return Boolean(this.#storage.read("session"));
  }

  /** What was written before and is not kept by the desk yet. */
  get waiting() {
    return [...this.#waiting].map(([id, text]) => ({ id, text }));
  }

  open() {
    this.#isWanted = true;
    if (this.#socket) return;
    clearTimeout(this.#retry);
    this.#hear({ type: "line", state: "connecting" });
    const socket = new WebSocket(this.#address);
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#send({ type: "hello", session: this.#storage.read("session") ?? "", last_seen: this.#lastSeen });
      this.#introduceAgain();
    });
    socket.addEventListener("message", (event) => this.#take(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => this.#socket === socket && this.#closed(event.code));
  }

  close() {
    this.#isWanted = false;
    clearTimeout(this.#retry);
    clearInterval(this.#watch);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
  }

  /** Leave the chat for good: nobody comes back to it from this browser. */
  forget() {
    this.close();
    this.#storage.clear();
    this.#waiting.clear();
    this.#lastSeen = "";
  }

  say(text) {
    const id = newId();
    this.#waiting.set(id, text);
    this.#keepWaiting();
    this.#sendWaiting(id);
    return id;
  }

  introduce(name, address) {
    this.#storage.write("introduced", { name, address });
    this.#introduceAgain();
  }

  typing() {
    this.#send({ type: "typing" });
  }

  #take(frame) {
    if (frame.type === "welcome") {
      this.#pause = FIRST_PAUSE;
      this.#storage.write("session", frame.session);
      for (const message of frame.messages) this.#seen(message);
    }
    if (frame.type === "said") this.#settled(frame.id);
    if (frame.type === "refused") this.#refused(frame);
    if (frame.type === "message") this.#seen(frame.message);
    if (frame.type === "state" && frame.address) this.#storage.write("introduced", null);
    this.#hear(frame);
    if (frame.type === "welcome") {
      for (const id of this.#waiting.keys()) this.#sendWaiting(id);
      clearInterval(this.#watch);
      this.#watch = setInterval(() => this.#checkOverdue(), ACK_WITHIN / 4);
    }
  }

  #introduceAgain() {
    const introduced = this.#storage.read("introduced");
    if (introduced) this.#send({ type: "introduce", ...introduced });
  }

  #seen(message) {
    this.#lastSeen = message.id;
    if (message.by === "agent") this.#send({ type: "shown", id: message.id });
  }

  #settled(id) {
    this.#waiting.delete(id);
    this.#sentAt.delete(id);
    this.#keepWaiting();
  }

  #refused(frame) {
    if (!frame.id && frame.wait) setTimeout(() => this.#introduceAgain(), frame.wait * 1000);
    if (!this.#waiting.has(frame.id)) return;
    if (!frame.wait) {
      this.#settled(frame.id);
      return;
    }
    this.#sentAt.set(frame.id, Date.now() + frame.wait * 1000);
    setTimeout(() => this.#waiting.has(frame.id) && this.#sendWaiting(frame.id), frame.wait * 1000);
  }

  #sendWaiting(id) {
    this.#sentAt.set(id, Date.now());
    this.#send({ type: "say", id, text: this.#waiting.get(id) });
  }

  /** A line that has gone dead without a word is made anew, and what waits is sent again on it. */
  #checkOverdue() {
    const now = Date.now();
    if ([...this.#waiting.keys()].some((id) => now - (this.#sentAt.get(id) ?? now) > ACK_WITHIN)) this.#drop();
  }

  #drop() {
    const socket = this.#socket;
    if (!socket) return;
    this.#closed(0);
    socket.close();
  }

  #closed(code) {
    this.#socket = null;
    clearInterval(this.#watch);
    this.#hear({ type: "line", state: STATES_OF_CODES[code] ?? "lost" });
    if (FINAL.has(code) || !this.#isWanted) return;
    const pause = this.#pause * (0.5 + Math.random());
    this.#pause = Math.min(LONGEST_PAUSE, this.#pause * 2);
    this.#retry = setTimeout(() => this.open(), pause);
  }

  #send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #keepWaiting() {
    this.#storage.write("waiting", this.waiting);
  }
}

/** What the browser keeps for the host page; where it keeps nothing, a chat lasts as long as the page. */
class Storage {
  #key;
  #values = {};

  constructor(key) {
    this.#key = key;
    try {
      this.#values = JSON.parse(localStorage.getItem(key)) ?? {};
    } catch {
      this.#values = {};
    }
  }

  read(name) {
    return this.#values[name];
  }

  write(name, value) {
    this.#values[name] = value;
    this.#keep(() => localStorage.setItem(this.#key, JSON.stringify(this.#values)));
  }

  clear() {
    this.#values = {};
    this.#keep(() => localStorage.removeItem(this.#key));
  }

  #keep(change) {
    try {
      change();
    } catch {
      /* storage is switched off, or full */
    }
  }
}

function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(15)), (byte) => byte.toString(36).padStart(2, "0")).join("");
}

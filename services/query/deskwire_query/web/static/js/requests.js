// Everything that goes over the wire: parts of pages in, commands out.
import { find } from "./dom.js";
import { say } from "./toasts.js";

const INTAKE = "/intake/v1";

/** What the server refused, in its own words (RFC 9457). */
class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `The desk answered ${status}.`);
    this.status = status;
    this.problem = problem;
  }
}

/** Fetch one part of a page as text; an error's part is shown like any other. */
export async function fetchPart(url, part, { signal } = {}) {
  const answer = await fetch(url, { headers: { "Deskwire-Part": part }, signal });
  if (answer.status === 401) endSession();
  return { ok: answer.ok, status: answer.status, text: await answer.text() };
}

export async function fetchJson(url, { signal } = {}) {
  const answer = await fetch(url, { headers: { Accept: "application/json", "Deskwire-Part": "json" }, signal });
  if (answer.status === 401) endSession();
  if (!answer.ok) throw new Refused(answer.status, {});
  return answer.json();
}

/** Send a command; one key per wish, so that repeating a lost request does nothing twice. */
export async function command(method, path, body, { version = null, key = crypto.randomUUID() } = {}) {
  const headers = { "X-CSRF-Token": find("meta[name=csrf]").content, "Idempotency-Key": key, Accept: "application/json" };
  if (version != null) headers["If-Match"] = `"${version}"`;
  if (!(body instanceof FormData)) headers["Content-Type"] = "application/json";
  const answer = await fetch(INTAKE + path, { method, headers, body: body instanceof FormData ? body : JSON.stringify(body) });
  const said = await answer.json().catch(() => ({}));
  if (answer.status === 401) {
    endSession();
    throw new Refused(401, { title: "Nothing was changed." });
  }
  if (!answer.ok) throw new Refused(answer.status, said);
  return said;
}

/** Ask the desk what a command would do, or how things stand. */
export async function ask(path) {
  const answer = await fetch(INTAKE + path, { headers: { Accept: "application/json" } });
  const said = await answer.json().catch(() => ({}));
  if (answer.status === 401) endSession();
  if (!answer.ok) throw new Refused(answer.status, said);
  return said;
}

/** Tell the pages something about this page, which changes nothing on the desk. */
export async function post(path, body, { keepalive = false } = {}) {
  const headers = { "X-CSRF-Token": find("meta[name=csrf]").content, "Content-Type": "application/json" };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body), keepalive });
  if (!answer.ok) throw new Refused(answer.status, {});
}

let ended = false;

function endSession() {
  if (ended) return;
  ended = true;
  const next = encodeURIComponent(location.pathname + location.search);
  say("Your session has ended. What you wrote is kept.", { bad: true, link: { href: `/signin?next=${next}`, words: "Sign in" } });
  setTimeout(() => { ended = false; }, 10_000);
}

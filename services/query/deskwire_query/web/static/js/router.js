// Moves between views and tickets without leaving the page; every address also works by itself.
import { find, findAll, morph } from "./dom.js";
import { fetchPart } from "./requests.js";

const START = "mine";

let running = null;

export const openTicketId = () => find(".ticket")?.dataset.ticket ?? null;
export const isReading = () => document.body.classList.contains("reading");

/** What of an address decides the list. */
const listOf = (url) => ["view", "sort", "descending", "q"].map((name) => url.searchParams.get(name) || (name === "view" ? START : "")).join("|");

export async function go(address, { push = true, focus = null } = {}) {
  const url = new URL(address, location.href);
  if (url.pathname !== "/" && !url.pathname.startsWith("/tickets/")) {
    location.href = url.href;
    return;
  }
  running?.abort();
  running = new AbortController();
  const here = new URL(location.href);
  const part = listOf(url) === listOf(here) || (url.pathname !== "/" && !url.searchParams.has("view")) ? "pane" : "main";
  try {
    document.body.classList.add("loading");
    if (part === "pane" && url.pathname === "/") await show("pane", '<section class="pane" id="pane" aria-label="Ticket"></section>');
    else {
      const answer = await fetchPart(url, part, { signal: running.signal });
      if (!answer.ok && part === "main") return void location.assign(url);
      await show(part, answer.text);
    }
  } catch (error) {
    if (error.name === "AbortError") return;
    throw error;
  } finally {
    document.body.classList.remove("loading");
  }
  url.searchParams.delete("after");
  if (push) history.pushState({}, "", url);
  settle(url);
  if (focus) find(focus)?.focus();
}

async function show(part, text) {
  if (part === "main") await window.htmx.swap({ text, target: find("#main"), swap: "innerHTML", sourceElement: document.body });
  else if (text.includes('id="pane"')) await window.htmx.swap({ text, target: find("#pane"), swap: "outerHTML", sourceElement: document.body });
  else await window.htmx.swap({ text, target: find("#pane"), swap: "innerHTML", sourceElement: document.body });
}

function settle(url) {
  const list = find("#list");
  document.body.classList.toggle("reading", url.pathname !== "/");
  document.body.classList.remove("rail-open");
  for (const item of findAll(".rail-item[data-view]")) {
    const here = item.dataset.view === list.dataset.view && !list.dataset.q;
    if (here) item.setAttribute("aria-current", "page");
    else item.removeAttribute("aria-current");
  }
  const title = find(".ticket-title h1") ?? find("#list-title");
  document.title = `${title.textContent.trim().replace(/\s+/g, " ")} · Deskwire`;
  document.dispatchEvent(new CustomEvent("desk:moved"));
}

/** Bring the open ticket up to date where it stands. */
export async function refreshTicket(after = 0) {
  const ticket = find(".ticket");
  if (!ticket) return;
  const url = new URL(location.href);
  if (after) url.searchParams.set("after", after);
  const scroll = find(".conversation-scroll", ticket);
  const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60;
  const answer = await fetchPart(url, "ticket");
  if (!answer.ok || openTicketId() !== ticket.dataset.ticket) return;
  await morph(ticket, answer.text);
  if (atEnd) scroll.scrollTop = scroll.scrollHeight;
  document.dispatchEvent(new CustomEvent("desk:refreshed"));
}

export function startRouter() {
  window.addEventListener("popstate", () => go(location.href, { push: false }));
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || link.target || link.hasAttribute("download") || event.defaultPrevented) return;
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || url.hash || !(url.pathname === "/" || url.pathname.startsWith("/tickets/"))) return;
    if (!find("#list")) return;
    event.preventDefault();
    go(url);
  });
}

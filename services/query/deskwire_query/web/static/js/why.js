// "Why?" below a change: what spoke for it is fetched when somebody asks.
import { find, parse } from "./dom.js";
import { fetchPart } from "./requests.js";

async function answer(button) {
  const panel = find(`#${CSS.escape(button.getAttribute("aria-controls"))}`);
  const open = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(open));
  panel.hidden = !open;
  if (!open || panel.childElementCount) return;
  const { ok, text } = await fetchPart(button.dataset.why, "why");
  const found = ok ? [...(await parse(text)).children] : ["The reasons cannot be read at the moment."];
  panel.replaceChildren(...found);
}

export function startWhy() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-why]");
    if (button) answer(button);
  });
}

// Frames of mails grow to the height of what is in them.
import { build, find, findAll, whenever } from "./dom.js";

const SANDBOX = "allow-same-origin allow-popups allow-popups-to-escape-sandbox";
const HIGHEST = 20_000;

function fit(frame) {
  const page = frame.contentDocument;
  if (!page?.body) return;
  frame.style.height = `${Math.min(Math.max(page.documentElement.scrollHeight, 40), HIGHEST)}px`;
}

function watch(frame) {
  const loaded = () => {
    const page = frame.contentDocument;
    if (!page?.body) return;
    fit(frame);
    for (const image of findAll("img", page)) image.addEventListener("load", () => fit(frame));
    new ResizeObserver(() => fit(frame)).observe(page.body);
    keepEnd(frame);
  };
  frame.addEventListener("load", loaded);
  if (frame.contentDocument?.readyState === "complete") loaded();
}

/** A conversation that stood at its end still does when a frame above has grown. */
function keepEnd(frame) {
  const scroll = frame.closest(".conversation-scroll");
  if (scroll?.dataset.atEnd === "true") scroll.scrollTop = scroll.scrollHeight;
}

export function startFrames() {
  whenever("iframe[data-mail]", watch);
  document.addEventListener("toggle", (event) => {
    const original = event.target;
    if (!original.matches?.("[data-original]") || !original.open || find("iframe", original)) return;
    original.append(build("div", { class: "mail", "data-keep": true }, build("iframe", {
      class: "mail-frame", src: original.dataset.original, sandbox: SANDBOX, title: "Original layout", "data-mail": true,
    })));
  }, true);
}

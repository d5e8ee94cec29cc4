// Small tools for the document: find, build, morph.

export const find = (selector, within = document) => within.querySelector(selector);
export const findAll = (selector, within = document) => [...within.querySelectorAll(selector)];

/** Build an element; children are elements or text, never mark-up. */
export function build(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value == null) continue;
    element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

export function icon(name, className = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `icon ${className}`);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  const sprite = find(".icon use").getAttribute("href").split("#")[0];
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

/** Let an element become what the server says, keeping focus, drafts and frames. */
export const morph = (target, text) =>
  window.htmx.swap({ text, target, swap: "outerMorph", sourceElement: document.body });

/** Parse a part of a page apart from the document. */
export async function parse(text) {
  const box = document.createElement("div");
  await window.htmx.swap({ text, target: box, swap: "innerHTML", sourceElement: document.body });
  return box;
}

/** Run work on every element that matches, now and whenever one arrives. */
export function whenever(selector, work) {
  const seen = new WeakSet();
  const look = (element) => {
    if (seen.has(element)) return;
    seen.add(element);
    work(element);
  };
  const lookWithin = (node) => {
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    if (node.matches(selector)) look(node);
    findAll(selector, node).forEach(look);
  };
  new MutationObserver((changes) => { for (const { addedNodes } of changes) addedNodes.forEach(lookWithin); })
    .observe(document.body, { childList: true, subtree: true });
  lookWithin(document.body);
}

export const isTyping = (target) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || ["TEXTAREA", "SELECT"].includes(target.tagName) ||
    (target.tagName === "INPUT" && !["checkbox", "radio", "button", "submit"].includes(target.type)));

export const speak = (words) => { find("#spoken").textContent = words; };

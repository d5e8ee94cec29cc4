/* A form of the desk. On a page of the desk it stands there already and works without this file; on a foreign
   page `<script type="module" src="…/forms/form.js" data-channel="…"></script>` puts it where the script stands. */

const TRIES = 3;
const PAUSE = 1500;

for (const script of document.querySelectorAll("script[data-channel]")) {
  if (script.src === import.meta.url) embed(script);
}
const ours = document.querySelector("body > main.form");
if (ours && !document.querySelector("script[data-channel]")) enliven(ours, document.location.href);

async function embed(script) {
  const host = document.createElement("deskwire-form");
  host.style.display = "block";
  if (script.dataset.theme) host.style.colorScheme = script.dataset.theme;
  script.after(host);
  const root = host.attachShadow({ mode: "open" });
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = new URL("form.css", import.meta.url).href;
  root.append(style);
  const address = new URL(encodeURIComponent(script.dataset.channel), import.meta.url).href;
  const main = await read(await ask(address));
  root.append(main);
  enliven(main, address);
}

/** Send without leaving the page, and put in place whatever the desk answers. */
function enliven(main, address) {
  main.querySelector("form")?.addEventListener("submit", (event) => {
    event.preventDefault();
    send(event.currentTarget, main, address);
  });
  main.querySelector("[data-again]")?.addEventListener("click", async (event) => {
    event.preventDefault();
    replace(main, await read(await ask(address)), address).querySelector("input:not([type=hidden], [tabindex])").focus();
  });
}

async function send(form, main, address) {
  const button = form.querySelector("button");
  if (button.ariaDisabled === "true") return;
  const problem = filesProblem(form);
  if (problem) return tell(form, problem);
  const words = button.textContent;
  button.ariaDisabled = "true";
  button.textContent = form.dataset.sending;
  try {
    const answer = await read(await ask(address, new FormData(form), TRIES));
    const shown = replace(main, answer, address);
    (shown.querySelector("[aria-invalid]") ?? shown.querySelector("[data-focus]"))?.focus();
  } catch {
    button.ariaDisabled = "false";
    button.textContent = words;
    tell(form, form.dataset.unreachable);
  }
}

/** Ask the desk; what is lost on the way is sent again, since the token in the form lets it arrive once. */
async function ask(address, body, tries = 1) {
  try {
    return await fetch(address, { method: body ? "POST" : "GET", body, credentials: "omit", headers: { Accept: "text/html" } });
  } catch (lost) {
    if (tries <= 1) throw lost;
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    return ask(address, body, tries - 1);
  }
}

async function read(answer) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = page.querySelector("main.form");
  if (!main) throw new Error(`the desk answered with ${answer.status}`);
  return document.adoptNode(main);
}

function replace(main, other, address) {
  const [chosen, kept] = [main, other].map((part) => part.querySelector("input[type=file]"));
  if (chosen && kept) kept.files = chosen.files;
  main.replaceWith(other);
  enliven(other, address);
  return other;
}

function filesProblem(form) {
  const files = [...(form.querySelector("input[type=file]")?.files ?? [])];
  if (files.length > Number(form.dataset.mostFiles)) return form.dataset.tooMany;
  const size = files.reduce((sum, file) => sum + file.size, 0);
  return size > Number(form.dataset.mostBytes) ? form.dataset.tooLarge : "";
}

function tell(form, words) {
  const notice = form.querySelector(".notice");
  notice.textContent = words;
  notice.hidden = false;
  notice.focus();
}

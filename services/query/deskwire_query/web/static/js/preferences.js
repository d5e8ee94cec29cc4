// What an agent chooses for this browser: colours, and whether single keys act.
import { find } from "./dom.js";

const YEAR = 31_536_000;

const keep = (name, value) => { document.cookie = `${name}=${value}; path=/; max-age=${value ? YEAR : 0}; samesite=lax`; };

export function startPreferences() {
  document.addEventListener("change", (event) => {
    if (event.target.closest("[data-theme-choice]")) {
      keep("deskwire_theme", event.target.value);
      if (event.target.value) document.documentElement.dataset.theme = event.target.value;
      else delete document.documentElement.dataset.theme;
    }
    if (event.target.matches("[data-single-keys]")) {
      keep("deskwire_keys", event.target.checked ? "" : "off");
      document.body.classList.toggle("single-keys", event.target.checked);
    }
  });
  document.addEventListener("click", (event) => {
    const account = find(".account[open]");
    if (account && !event.target.closest(".account")) account.open = false;
  });
}

// A small dialog in which something is looked at before it is done.
import { find } from "./dom.js";
import { drawConflict, isConflict } from "./conflicts.js";

/**
 * Open the dialog. `run(form, version)` does what it offers; what stands in its way is shown in it, and when the ticket
 * has changed in between, what changed. What cannot be undone is `careful`: one Enter too many leaves it. Gives what `run` gave, or null when the dialog was left.
 */
export function openSheet({ title, body, submit, run, version = null, other = null, careful = false }) {
  const dialog = find("#sheet");
  const form = find("form", dialog);
  const button = find("[data-sheet-submit]", form);
  const trouble = find("[data-sheet-trouble]", form);
  find("#sheet-title").textContent = title;
  find("[data-sheet-body]", form).replaceChildren(...body);
  button.textContent = submit;
  trouble.hidden = true;
  offer(form, other);
  let asOf = version;
  return new Promise((resolve) => {
    let given = null;
    form.onsubmit = async (event) => {
      event.preventDefault();
      if (button.ariaBusy === "true") return;
      button.ariaBusy = "true";
      try {
        given = await run(form, asOf);
        dialog.close();
      } catch (error) {
        if (isConflict(error)) asOf = error.problem.version;
        trouble.replaceChildren(...(isConflict(error) ? drawConflict(error, "The ticket has changed in between.", `${submit} all the same?`) : [error.message]));
        trouble.hidden = false;
      } finally {
        button.ariaBusy = "false";
      }
    };
    dialog.onclose = () => { if (!dialog.open) resolve(given); };
    dialog.onclick = (event) => { if (event.target === dialog) dialog.close(); };
    dialog.showModal();
    (find("[autofocus]", form) ?? (careful ? find("footer [data-do=close-dialog]", form) : button)).focus();
  });
}

/** A second thing that the dialog offers. */
function offer(form, other) {
  const button = find("[data-sheet-other]", form);
  button.hidden = !other;
  button.textContent = other?.words ?? "";
  button.onclick = () => {
    find("#sheet").close();
    other.run();
  };
}

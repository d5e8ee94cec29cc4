// What happened in between when somebody else was faster.
import { build } from "./dom.js";

const BOOKKEEPING = /^ticket\.(sla_|acknowledged|reply_delivered|rule_applied|webhook_)/;

export const isConflict = (error) => Boolean(error.problem?.type?.endsWith("version-conflict"));

/** What people did in between; bookkeeping of the desk does not change what an agent decides. */
const changesBetween = (error) => (error.problem?.since ?? []).filter((fact) => !BOOKKEEPING.test(fact.type));

/** Ask as of a version; when only the desk kept its books since, ask again as of now. */
export async function unlessChanged(ask, version) {
  try {
    return await ask(version);
  } catch (error) {
    if (!isConflict(error) || !error.problem.since?.length || changesBetween(error).length) throw error;
    return ask(error.problem.version);
  }
}

/** Show what happened in between, and what doing it again means. */
export const drawConflict = (error, before, after) => [
  build("strong", {}, before),
  build("ul", {}, ...changesBetween(error).map((fact) => build("li", {}, fact.summary))),
  build("p", {}, after),
];

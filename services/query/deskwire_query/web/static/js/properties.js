// What an agent changes on a ticket by one key: status, priority, assignee, team, tags.
import { change, choices, openTicket } from "./changing.js";
import { find } from "./dom.js";
import { matching, pick } from "./picker.js";

const words = (value) => (value.charAt(0).toUpperCase() + value.slice(1)).replaceAll("_", " ");

const STATUS_ICONS = { open: "circle-dot", pending: "circle-pause", on_hold: "pause", solved: "circle-check", closed: "archive" };
const PRIORITY_ICONS = { low: "arrow-down", normal: "minus", high: "arrow-up", urgent: "chevrons-up" };

/** How each property is chosen and changed. */
export const PROPERTIES = {
  status: {
    label: "Set the status",
    options: (ticket) => choices().statuses.map((each) => ({ id: each, name: words(each), icon: STATUS_ICONS[each], on: each === ticket.status })),
    change: (id) => ["POST", "/status", { status: id }],
  },
  priority: {
    label: "Set the priority",
    options: (ticket) => choices().priorities.map((each) => ({ id: each, name: words(each), icon: PRIORITY_ICONS[each], on: each === ticket.priority })).reverse(),
    change: (id) => ["PATCH", "", { priority: id }],
  },
  assignee: {
    label: "Assign to",
    options: (ticket) => [
      ...choices().agents.map((each) => ({ id: each.id, name: each.name, more: each.id === choices().me ? "you" : "", icon: "user", on: each.id === ticket.assignee })),
      { id: null, name: "Nobody", icon: "user-x", on: !ticket.assignee },
    ],
    change: (id) => ["POST", "/assignment", { agent_id: id }],
  },
  team: {
    label: "Move to a team",
    options: (ticket) => [
      ...choices().teams.map((each) => ({ id: each.id, name: each.name, icon: "users", on: each.id === ticket.team })),
      { id: null, name: "No team", icon: "x", on: !ticket.team },
    ],
    change: (id) => ["POST", "/team", { team_id: id }],
  },
  tags: {
    label: "Add or remove a tag",
    options: (ticket) => (text) => tagOptions(ticket.tags ? ticket.tags.split(",") : [], text),
    change: (id, ticket) => ["PATCH", "", (ticket.tags ? ticket.tags.split(",") : []).includes(id) ? { remove_tags: [id] } : { add_tags: [id] }],
  },
};

function tagOptions(tags, text) {
  const tag = text.toLowerCase();
  const known = matching(tags.map((each) => ({ id: each, name: each, more: "remove", icon: "tag", on: true })), text);
  return tag && !tags.includes(tag) ? [{ id: tag, name: tag, more: "add", icon: "plus" }, ...known] : known;
}

export async function changeProperty(name) {
  const ticket = openTicket();
  const anchor = find(`.property[data-pick="${name}"]:not(:disabled)`);
  if (!ticket || !anchor) return;
  const property = PROPERTIES[name];
  const choice = await pick(anchor, property.label, property.options(ticket));
  find(`.property[data-pick="${name}"]`)?.focus();
  if (choice && !(choice.on && name !== "tags")) await apply(name, choice.id);
}

/** Change a property of the open ticket. */
export const apply = (name, id) => change(...PROPERTIES[name].change(id, openTicket()));

export const assignToMe = () => { if (find('.property[data-pick="assignee"]:not(:disabled)')) apply("assignee", choices().me); };

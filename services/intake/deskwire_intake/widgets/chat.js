/* A chat with the desk, for any page:
   <script type="module" src="https://…/intake/v1/chat/chat.js" data-channel="…"></script> */

import { Connection } from "./chat_connection.js";
import { Panel } from "./chat_panel.js";

for (const script of document.querySelectorAll("script[data-channel]")) {
  if (script.src === import.meta.url) embed(script.dataset);
}
const page = document.querySelector("[data-chat-page]");
if (page) embed({ channel: decodeURIComponent(location.pathname.split("/").pop()), open: "always" }, page);

async function embed({ channel, theme, open }, place = document.body) {
  const address = new URL(encodeURIComponent(channel), import.meta.url);
  const answer = await fetch(address, { credentials: "omit", headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`the chat ${channel} cannot be shown here: ${answer.status}`);
  const settings = await answer.json();

  const host = document.createElement("deskwire-chat");
  if (theme) host.style.colorScheme = theme;
  const root = host.attachShadow({ mode: "open" });
  const socket = new URL(`${address.href}/socket`);
  socket.protocol = socket.protocol === "https:" ? "wss:" : "ws:";
  const connection = new Connection(socket.href, `deskwire-chat:${channel}`, (frame) => panel.hear(frame));
  const panel = new Panel(root, settings, connection, { isPage: open === "always" });

  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = new URL("chat.css", import.meta.url).href;
  style.addEventListener("load", () => panel.appear());
  root.prepend(style);
  place.append(host);
}

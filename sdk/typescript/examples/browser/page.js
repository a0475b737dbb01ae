// One agent in a page. `?agent=NAME` says which of this origin's agents it is, so that two tabs can be two agents;
// an invite comes in the fragment, which no server sees, or is pasted.
import { Agent } from "./sealwire.js";

const $ = (id) => document.getElementById(id);
const name = new URLSearchParams(location.search).get("agent") ?? "alice";
$("name").textContent = document.title = name;

function show(who, text, kind = "") {
  const line = document.createElement("li");
  line.className = kind;
  if (who) line.appendChild(document.createElement("small")).textContent = who;
  // What others wrote is text, never markup.
  line.append(text);
  $("log").append(line);
}

const short = (peer) => peer.name ?? peer.id.slice(0, 14) + "…";

function showPeers(agent) {
  const chosen = $("send").peer.value;
  $("send").peer.replaceChildren(...agent.peers().map((peer) => new Option(short(peer), peer.id)));
  if (chosen) $("send").peer.value = chosen;
}

async function join(invite) {
  const agent = await Agent.create({ name, ...(invite && { invite }) });
  $("id").textContent = agent.id;
  agent.on("message", (message) => {
    showPeers(agent);
    show(short(message.from), message.isText ? message.text : `${message.mediaType}, ${message.data.length} bytes`);
    if (message.kind === "request") return message.reply(`${name} says: ${message.text}`);
  });
  agent.onNotice((notice) => {
    if (notice.type === "connected" || notice.type === "disconnected") $("state").textContent = notice.type;
    else show("", notice.type === "redeemed" ? "an invite was redeemed" : `${notice.type} ${notice.code ?? ""}`, "notice");
    showPeers(agent);
  });
  agent.ended.then((error) => { if (error) show("", error.message, "notice"); });
  await agent.start();
  history.replaceState(null, "", location.pathname + location.search); // the invite is used
  showPeers(agent);

  $("send").onsubmit = async (event) => {
    event.preventDefault();
    const { peer, text } = event.target;
    const said = text.value;
    text.value = "";
    show("", said, "mine");
    await agent.send(peer.value, said).catch((error) => show("", error.message, "notice"));
  };
  $("invite").onsubmit = async (event) => {
    event.preventDefault();
    $("invite-text").textContent = await agent.invite().catch((error) => error.message);
  };
  return agent;
}

$("join").onsubmit = (event) => {
  event.preventDefault();
  $("join").hidden = true;
  join(event.target.invite.value).catch(refused);
};

function refused(error) {
  show("", error.message, "notice");
  $("join").hidden = false;
}

join().catch(refused);

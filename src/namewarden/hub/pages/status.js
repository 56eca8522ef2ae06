// The status page. Names, rules and everything else that others wrote reach the page as text only.
"use strict";

const API = "/api/v1";
const EVERY = 5000;
const at = (id) => document.getElementById(id);
let timer = 0;

class Unauthorized extends Error {}

async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const answer = await fetch(API + path, { credentials: "same-origin", ...options });
  const found = await answer.json();
  if (answer.status === 401) throw new Unauthorized(found.detail);
  if (!answer.ok && answer.status !== 503) throw new Error(found.detail);
  return found;
}

function row(cells) {
  const line = document.createElement("tr");
  for (const cell of cells) {
    const [text, kind] = Array.isArray(cell) ? cell : [cell, ""];
    const field = document.createElement("td");
    field.textContent = text;
    if (kind) field.className = kind;
    line.append(field);
  }
  return line;
}

function fill(id, rows, nothing) {
  at(id).replaceChildren(...(rows.length ? rows : [row([nothing])]));
}

const number = (value) => Number(value).toLocaleString("en");
const sum = (table) => Object.values(table).reduce((a, b) => a + b, 0);

function clock(seconds) {
  const then = new Date(seconds * 1000);
  const day = then.toDateString() === new Date().toDateString() ? "" : then.toLocaleDateString("en-CA") + " ";
  return day + then.toLocaleTimeString("en-GB");
}

function showFigures(statistics) {
  const actions = statistics.by_action;
  at("queries").textContent = number(statistics.queries);
  at("blocked").textContent = number((actions.block || 0) + (actions.redirect || 0));
  at("review").textContent = number(actions.review || 0);
  at("dropped").textContent = number(statistics.dropped_queries);
}

function showSources(status) {
  fill("sources", status.sources.map((source) => row([
    source.source, String(source.worker),
    [`${Math.round(source.age)} s ago`, source.age > 15 ? "error" : "good"],
    number(source.gauges.events_waiting || 0), number(source.counters.events_dropped || 0),
  ])), "no resolver has reported yet");
  const parts = Object.entries(status.parts).filter(([, state]) => state !== "ok");
  at("trouble").textContent = [...parts.map(([part, state]) => `${part}: ${state}`), ...status.problems].join("\n");
}

const KINDS = { up: "good", down: "error", unknown: "" };

function showUpstreams(status) {
  fill("upstreams", status.upstreams.map((server) => row([
    server.server, server.transport, [server.state, KINDS[server.state]],
    server.latency === null ? "" : `${(server.latency * 1000).toFixed(1)} ms`,
    server.age === null ? "not asked yet" : `${Math.round(server.age)} s ago`,
    number(server.queries), number(server.failures), server.problem,
  ])), "no resolver has reported yet");
}

function stateOf(list) {
  const download = list.subscription;
  const copy = download && download.good ? `copy of ${clock(download.good)}` : "last good copy";
  if (list.error) {
    const again = download ? `, again at ${clock(download.next)}` : "";
    return [`${list.stale ? `${copy}: ` : ""}${list.error}${again}`, "error"];
  }
  if (download && download.running) return `downloading: ${number(download.came)} bytes`;
  if (!list.compiled) return "not compiled yet";
  return [download ? `in force, ${copy}` : "in force", "good"];
}

function showLists(lists) {
  fill("lists", lists.lists.map((list) => row([
    list.name, list.kind, number(list.rules), number(list.lines), number(list.skipped_lines), stateOf(list),
  ])), "no lists");
}

function showEvents(page) {
  fill("events", page.queries.map((event) => row([
    clock(event.time), event.client, event.name,
    event.count > 1 ? `${event.qtype} ×${event.count}` : event.qtype, event.status, [event.action, event.action],
    event.reason, event.rule, event.score === null ? "" : event.score.toFixed(4),
    event.family,
  ])), "no query yet");
}

async function refresh() {
  try {
    const [statistics, status, lists, page] = await Promise.all([
      ask("/statistics"), ask("/status"), ask("/lists"), ask("/queries?limit=50"),
    ]);
    showFigures(statistics);
    showSources(status);
    showUpstreams(status);
    showLists(lists);
    showEvents(page);
  } catch (problem) {
    if (problem instanceof Unauthorized) return start();
    at("trouble").textContent = problem.message;
  }
  timer = setTimeout(refresh, EVERY);
}

async function start() {
  clearTimeout(timer);
  let who = null;
  try {
    who = await ask("/session");
  } catch (problem) {
    if (!(problem instanceof Unauthorized)) at("refused").textContent = problem.message;
  }
  at("login").hidden = who !== null;
  at("status").hidden = at("logout").hidden = who === null;
  at("who").textContent = who ? `${who.name} (${who.role})` : "";
  if (who) refresh();
}

at("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  at("refused").textContent = "";
  try {
    await ask("/login", { name: form.elements.namedItem("name").value, password: form.elements.namedItem("password").value });
    form.reset();
    await start();
  } catch (problem) {
    at("refused").textContent = problem.message;
  }
});

at("logout").addEventListener("click", async () => {
  await ask("/logout", {});
  await start();
});

start();

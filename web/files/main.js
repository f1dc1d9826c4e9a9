// The page: it signs in, shows what the API says, and looks again when the
// journal tells that something happened.

import { ask, follow, Refused, token } from "./api.js";
import { Attention, collect } from "./attention.js";
import { Chart, group } from "./chart.js";
import { $, el } from "./dom.js";
import { Journal } from "./journal.js";
import { News } from "./news.js";
import { matcher, tally } from "./search.js";
import { Table } from "./table.js";
import { AT_STATION, here, Zones } from "./time.js";
import { Why } from "./why.js";
import { halt } from "./words.js";

const HOUR = 3600e3;
const PAST = 1 / 12; // of the range lies behind now
const SOON = 1000; // ms from an event to a look at what it changed
const RARELY = 30e3; // between looks when nothing happens
const AS_TABLE = "resctl-table";

const zones = new Zones();
let life = new AbortController(); // of what runs while somebody is signed in
let seen = {}; // of the journal
let shown = null; // the documents of the last look
let shift = 0; // ms by which the range is moved
let pending; // the next look
let looking = false;
let again = false;

const why = new Why(zones);
const open = (x) => why.open(x);
const attention = new Attention(open);
const news = new News();
const chart = new Chart(open);
const table = new Table(open);
const journal = new Journal(zones);

function range() {
  const length = Number($("span").value) * HOUR;
  const from = Math.floor((Date.now() - length * PAST) / (HOUR / 4)) * (HOUR / 4) + shift;
  return { from, until: from + length };
}

/** look asks for all documents and shows them. One look at a time. */
async function look() {
  clearTimeout(pending);
  if (looking) {
    again = true;
    return;
  }
  looking = true;
  const began = performance.now();
  const { signal } = life;
  try {
    const r = range();
    const between = { from: new Date(r.from).toISOString(), until: new Date(r.until).toISOString() };
    const [state, drift, timeline] = await Promise.all([ask("state", {}, signal), ask("drift", {}, signal), ask("timeline", between, signal)]);
    shown = { state, drift, timeline, range: r, at: Date.now() };
    $("house").hidden = false;
    show();
  } catch (e) {
    if (signal.aborted || refused(e)) return; // who has left was told why
    if (e.name !== "AbortError") link("lost", `cannot be read: ${e.message}`);
  } finally {
    looking = false;
    // What took long is not done often.
    if (!life.signal.aborted) later(again ? Math.max(SOON, 5 * (performance.now() - began)) : RARELY);
    again = false;
  }
}

function later(ms) {
  clearTimeout(pending);
  pending = setTimeout(() => (document.hidden ? later(RARELY) : look()), ms);
}

/** soon has a look follow upon what happened, however often it does. */
let soonDue;
function soon() {
  soonDue ??= setTimeout(() => {
    soonDue = undefined;
    look();
  }, SOON);
}

function show() {
  if (!shown) return;
  const { state, drift, timeline } = shown;
  const names = Object.keys(state.workspaces ?? {});
  $("place").textContent = [names.length === 1 ? `workspace ${names[0]}` : `${names.length} workspaces`, state.simulated ? "simulated stations" : ""].filter(Boolean).join(" · ");
  orders(state);
  const amiss = collect(drift, state, Date.now());
  attention.show(amiss);
  news.tell(amiss);
  zones.learn(timeline.rows);
  draw();
}

/** draw shows the windows, as a chart or as a table. */
function draw() {
  if (!shown) return;
  const { state, timeline, range } = shown;
  const query = $("query").value;
  const groups = group(timeline, state, matcher(query));
  const asTable = localStorage.getItem(AS_TABLE) === "yes";
  const empty = !timeline.rows.length;
  $("found").textContent = tally(groups, query);
  $("as-chart").ariaPressed = String(!asTable);
  $("as-table").ariaPressed = String(asTable);
  $("rows").hidden = asTable;
  $("table").hidden = !asTable || empty;
  $("start").hidden = !empty || state.reservations.length + state.stations.length > 0;
  $("rows-none").hidden = !empty || !$("start").hidden;
  for (const id of ["keys", "legend"]) $(id).hidden = asTable || empty;
  if (asTable) table.draw(groups, zones);
  else chart.draw(groups, range, zones);
}

/** orders shows which workspaces somebody has frozen. */
function orders(state) {
  const all = Object.entries(state.workspaces ?? {}).filter(([, { frozen: h }]) => h && !(new Date(h.until) <= Date.now()));
  const until = (h) => (h.until ? ` until ${zones.of().at(h.until)}` : "");
  $("frozen").hidden = !all.length;
  $("frozen").replaceChildren(
    ...all.map(([name, { frozen: h }]) => el("span", {}, el("strong", {}, `${name} is frozen`), `${until(h)}${halt(h)}. No change to it is taken; what was applied is kept up.`)),
  );
}

function link(kind, text) {
  if ($("link").textContent !== text) $("link").textContent = text;
  $("link").dataset.state = kind;
}

/** refused asks for another token when this one is not taken. */
function refused(e) {
  if (!(e instanceof Refused) || (e.status !== 401 && e.status !== 403)) return false;
  leave(e.message);
  return true;
}

/** listen follows the journal until somebody leaves; it comes back by itself. */
async function listen({ signal }) {
  for (let wait = 500; !signal.aborted; wait = Math.min(2 * wait, 30e3)) {
    try {
      for await (const line of follow(seen, signal)) {
        wait = 500;
        link("on", "live");
        if (line) journal.add(line);
        soon();
      }
    } catch (e) {
      if (signal.aborted || refused(e)) return;
    }
    if (signal.aborted) return;
    link("lost", `connection lost; trying again${shown ? `. Seen at ${zones.of().at(shown.at)}` : ""}`);
    await new Promise((done) => setTimeout(done, wait * (0.5 + Math.random())));
  }
}

function enter() {
  life = new AbortController();
  seen = {};
  $("door").hidden = true;
  $("leave").hidden = false;
  $("search").hidden = false;
  link("off", "connecting");
  look();
  listen(life);
}

function leave(says = "") {
  life.abort();
  clearTimeout(pending);
  token.forget();
  shown = null;
  $("why").close();
  journal.clear();
  news.clear();
  zones.forget();
  for (const id of ["why-title", "why-body", "attention-list", "rows", "table-lines", "table-zone", "found", "frozen"]) $(id).replaceChildren();
  $("query").value = "";
  for (const id of ["house", "leave", "search", "frozen"]) $(id).hidden = true;
  $("door").hidden = false;
  $("place").textContent = "";
  link("off", "not connected");
  $("door-says").textContent = says;
  $("token").value = "";
  $("token").focus();
}

function choices() {
  const names = [[AT_STATION, "each station's own"], [here, `${here} (here)`], ["UTC", "UTC"]].filter(([z], i, all) => all.findIndex(([y]) => y === z) === i);
  $("zone").replaceChildren(...names.map(([value, text]) => el("option", { value }, text)));
  $("zone").value = zones.choice;
  $("zone").onchange = () => {
    zones.choose($("zone").value);
    journal.show();
    show();
  };
}

/** shape chooses between chart and table. */
const shape = (asTable) => () => {
  localStorage.setItem(AS_TABLE, asTable ? "yes" : "no");
  draw();
};

function begin() {
  choices();
  $("sign-in").onsubmit = (e) => {
    e.preventDefault();
    token.set($("token").value.trim());
    enter();
  };
  $("leave").onclick = () => leave();
  $("search").onsubmit = (e) => e.preventDefault();
  $("query").oninput = draw;
  $("as-chart").onclick = shape(false);
  $("as-table").onclick = shape(true);
  journal.show();
  $("span").onchange = look;
  const move = (by) => () => {
    shift = by ? shift + by * Number($("span").value) * HOUR * 0.5 : 0;
    look();
  };
  $("earlier").onclick = move(-1);
  $("later").onclick = move(1);
  $("today").onclick = move(0);
  document.addEventListener("keydown", (e) => {
    if (e.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName) && !$("why").open && !$("search").hidden) {
      e.preventDefault();
      $("query").focus();
    }
    if (e.key === "Escape" && e.target === $("query")) {
      $("query").value = "";
      draw();
    }
  });
  document.addEventListener("visibilitychange", () => !document.hidden && shown && look());
  setInterval(() => shown && chart.tick(), 15e3);
  let resized;
  window.addEventListener("resize", () => {
    clearTimeout(resized);
    resized = setTimeout(draw, 150);
  });
  if (token.get()) enter();
  else leave();
}

begin();

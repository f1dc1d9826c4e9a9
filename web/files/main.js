// The page: it signs in, shows what the API says, and looks again when the
// journal tells that something happened.

import { ask, follow, Refused, token } from "./api.js";
import { Attention, collect } from "./attention.js";
import { Chart, group } from "./chart.js";
import { $, el } from "./dom.js";
import { Journal } from "./journal.js";
import { matcher, tally } from "./search.js";
import { Clock, here } from "./time.js";
import { Why } from "./why.js";

const HOUR = 3600e3;
const PAST = 1 / 12; // of the range lies behind now
const SOON = 1000; // ms from an event to a look at what it changed
const RARELY = 30e3; // between looks when nothing happens

let clock = new Clock(here);
let life = new AbortController(); // of what runs while somebody is signed in
let seen = {}; // of the journal
let shown = null; // the documents of the last look
let shift = 0; // ms by which the range is moved
let pending; // the next look
let looking = false;
let again = false;

const why = new Why(() => clock);
const open = (x) => why.open(x);
const attention = new Attention(open);
const chart = new Chart(open);
const journal = new Journal();

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
    shown = { state, drift, timeline, range: r };
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
  $("place").textContent = [names.length === 1 ? names[0] : `${names.length} workspaces`, state.simulated ? "simulated stations" : "", frozen(state)].filter(Boolean).join(" · ");
  attention.show(collect(drift, state, Date.now()));
  const query = $("query").value;
  const groups = group(timeline, state, matcher(query));
  $("found").textContent = tally(groups, query);
  chart.draw(groups, shown.range, clock);
  const empty = !timeline.rows.length;
  $("rows-none").hidden = !empty;
  $("rows-none").textContent = empty ? "Nothing is reserved, and no station is known. Declare both in *.hcl files, and apply them: resctl apply." : "";
  $("keys").hidden = empty;
}

function frozen(state) {
  const names = Object.entries(state.workspaces ?? {}).filter(([, w]) => w.frozen);
  return names.length ? `frozen: ${names.map(([n]) => n).join(", ")}` : "";
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
    link("lost", "connection lost; trying again");
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
  for (const id of ["why-title", "why-body", "attention-list", "rows", "found"]) $(id).replaceChildren();
  $("query").value = "";
  for (const id of ["house", "leave", "search"]) $(id).hidden = true;
  $("door").hidden = false;
  $("place").textContent = "";
  link("off", "not connected");
  $("door-says").textContent = says;
  $("token").value = "";
  $("token").focus();
}

function zones() {
  const names = [...new Set([here, "UTC"])];
  $("zone").replaceChildren(...names.map((z) => el("option", { value: z }, z === here ? `${z} (here)` : z)));
}

function begin() {
  zones();
  $("sign-in").onsubmit = (e) => {
    e.preventDefault();
    token.set($("token").value.trim());
    enter();
  };
  $("leave").onclick = () => leave();
  $("search").onsubmit = (e) => e.preventDefault();
  $("query").oninput = show;
  $("zone").onchange = () => {
    clock = new Clock($("zone").value);
    journal.show(clock);
    show();
  };
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
      show();
    }
  });
  document.addEventListener("visibilitychange", () => !document.hidden && shown && look());
  setInterval(() => shown && chart.tick(), 15e3);
  let resized;
  window.addEventListener("resize", () => {
    clearTimeout(resized);
    resized = setTimeout(show, 150);
  });
  journal.clock = clock;
  if (token.get()) enter();
  else leave();
}

begin();

// What needs somebody, the most pressing first.

import { $, el } from "./dom.js";
import { ago } from "./time.js";
import { count, drift as driftText, phase, shellWord, short, where } from "./words.js";

const FIRST = 12; // shown until more is asked for
const LATEST = 500;
const SOON = 60e3; // ms for which what is due is no news: it is on its way

/** collect makes one list of what is amiss. */
export function collect(drift, state, now) {
  const told = new Set((drift.drift ?? []).map((d) => `${d.workspace} ${d.address}`));
  const items = [
    ...(drift.drift ?? []).map((d) => ({ ...d, what: driftText(d.kind), rank: 0, detail: detail(d) })),
    ...(drift.watches ?? []).map((w) => ({ what: `${w.workspace} is ${w.state}`, rank: 1, detail: w.summary, since: w.since, next: w.next, place: w.directory })),
    ...offline(state, now),
    ...late(state, told, now),
  ];
  return items.sort((a, b) => a.rank - b.rank || new Date(a.since ?? 0) - new Date(b.since ?? 0));
}

function detail(d) {
  if (d.members?.length) return `${d.members.map((m) => short(m.address)).join(", ")} want ${count(d.evse_ids?.length ?? 0, "EVSE")}, and cannot all have one`;
  return [d.phase && phase(d), d.info].filter(Boolean).join("; ");
}

/** away are stations that are not connected. */
const away = (state) => new Map(state.stations.filter((s) => !s.connected).map((s) => [s.id, s]));
const due = (r, now) => ["pending", "unsure", "canceling"].includes(r.phase) && new Date(r.window.start) <= now;

/** offline are stations of which something is wanted, and what waits for them. */
function offline(state, now) {
  const stations = away(state);
  const waits = new Map();
  for (const r of state.reservations) if (r.wanted && stations.has(r.station_id)) waits.set(r.station_id, (waits.get(r.station_id) ?? 0) + due(r, now));
  return [...waits].map(([id, n]) => ({
    what: stations.get(id).offline_at ? "offline" : "never connected",
    rank: 2,
    place: id,
    since: stations.get(id).offline_at,
    detail: n ? `${count(n, "reservation waits", "reservations wait")} for it` : "",
    next: "what is due there is sent when it connects",
  }));
}

/** late are reservations that are due and not settled, and those that their station has dropped, of which nothing else tells yet. */
function late(state, told, now) {
  const stations = away(state);
  const all = state.reservations.filter((r) => !told.has(`${r.workspace} ${r.address}`));
  return [
    ...all.filter((r) => r.phase === "removed" && r.wanted && new Date(r.window.expiry) > now).map((r) => ({ ...r, what: "dropped", rank: 0, detail: "its station dropped it, and on_removed is \"report\"", next: `nothing, until somebody asks for it anew: resctl apply --replace ${shellWord(short(r.address))}` })),
    ...all.filter((r) => due(r, now - SOON) && new Date(r.since ?? 0) <= now - SOON && !stations.has(r.station_id)).map((r) => ({ ...r, what: "not settled", rank: 3, detail: phase(r) })),
  ];
}

/** Attention shows the list. */
export class Attention {
  constructor(open) {
    this.open = open;
    this.all = false;
    $("attention-more").onclick = () => {
      this.all = true;
      this.show(this.items);
    };
  }

  show(items) {
    this.items = items;
    const shown = items.slice(0, this.all ? LATEST : FIRST);
    $("attention").classList.toggle("some", items.length > 0);
    $("attention-title").textContent = items.length ? `Needs somebody: ${items.length}` : "Needs somebody";
    $("attention-none").hidden = items.length > 0;
    $("attention-list").replaceChildren(...shown.map((x) => this.item(x)));
    $("attention-more").hidden = items.length <= shown.length;
    $("attention-more").textContent = `${items.length - shown.length} more`;
  }

  item(x) {
    const name = x.address
      ? el("button", { type: "button", className: "link", onclick: () => this.open(x) }, short(x.address))
      : el("strong", {}, x.place ?? x.station_id ?? "");
    const at = x.address ? where(x) : "";
    return el(
      "li",
      {},
      el("span", {}, name, at && el("span", { className: "faint" }, ` ${at}`)),
      el("span", {}, el("span", { className: "what" }, x.what), x.detail && ` ${x.detail}.`, x.next && el("span", { className: "faint" }, ` Next: ${x.next}`)),
      el("span", { className: "faint" }, x.since ? `for ${ago(x.since)}` : ""),
    );
  }
}

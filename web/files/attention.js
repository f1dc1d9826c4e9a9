// What needs somebody, the most pressing first.

import { $, el } from "./dom.js";
import { ago } from "./time.js";
import { phase, short, where } from "./words.js";

const FIRST = 12; // shown until more is asked for
const LATEST = 500;

/** collect makes one list of what is amiss. */
export function collect(drift, state, now) {
  const told = new Set((drift.drift ?? []).map((d) => `${d.workspace} ${d.address}`));
  const items = [
    ...(drift.drift ?? []).map((d) => ({ ...d, what: d.kind, rank: 0, detail: [phase(d), d.info].filter(Boolean).join("; ") })),
    ...(drift.watches ?? []).map((w) => ({ what: `${w.workspace} is ${w.state}`, rank: 1, detail: w.summary, since: w.since, next: w.next, place: w.directory })),
    ...offline(state),
    ...late(state, told, now),
  ];
  return items.sort((a, b) => a.rank - b.rank || new Date(a.since) - new Date(b.since));
}

/** offline are stations of which something is wanted, and what waits for them. */
function offline(state) {
  const waits = new Map();
  for (const r of state.reservations) if (r.wanted) waits.set(r.station_id, (waits.get(r.station_id) ?? 0) + (waitsForStation(r) ? 1 : 0));
  return state.stations
    .filter((s) => !s.connected && s.offline_at && waits.has(s.id))
    .map((s) => ({ what: "offline", rank: 2, place: s.id, since: s.offline_at, detail: waiting(waits.get(s.id)), next: "What is due there is sent when it connects." }));
}

const waitsForStation = (r) => r.phase === "pending" && r.reason === "offline";
const waiting = (n) => (n ? `${n} ${n === 1 ? "reservation waits" : "reservations wait"} for it` : "");

/** late are reservations that are due and not settled, of which drift does not tell yet. */
function late(state, told, now) {
  return state.reservations
    .filter((r) => ["pending", "unsure", "canceling"].includes(r.phase) && !waitsForStation(r) && new Date(r.window.start) <= now && !told.has(`${r.workspace} ${r.address}`))
    .map((r) => ({ ...r, what: "not settled", rank: 3, detail: phase(r) }));
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
      el("span", {}, el("span", { className: "what" }, x.what), x.detail && ` ${x.detail}. `, x.next && el("span", { className: "faint" }, ` ${x.next}`)),
      el("span", { className: "faint" }, x.since ? `for ${ago(x.since)}` : ""),
    );
  }
}

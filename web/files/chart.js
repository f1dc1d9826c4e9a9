// The chart: stations by EVSE over time. Of a large fleet only what is near the
// visible part is in the page; every station keeps its height.

import { $, el, place } from "./dom.js";
import { ago } from "./time.js";
import { halt, manner, own, short, state, target, where } from "./words.js";

const ROW = 36; // px, as in the style
const HEAD = 30;
const AXIS = 29;
const TICK = 56; // px that a time needs at least
const manners = { wanted: "wanted", held: "held", used: "used", "not as wanted": "amiss" };

/** group gathers rows by station. */
export function group(timeline, state, matches) {
  const about = new Map(state.stations.map((s) => [s.id, s]));
  const groups = new Map();
  for (const row of timeline.rows) {
    const windows = (row.windows ?? []).filter((w) => matches(w, row));
    if (!windows.length && !matches.station(row.station_id)) continue;
    if (!groups.has(row.station_id)) groups.set(row.station_id, { id: row.station_id, about: about.get(row.station_id), rows: [] });
    groups.get(row.station_id).rows.push({ ...row, windows, ...lanes(windows) });
  }
  return [...groups.values()];
}

/** lanes puts windows that overlap, as those of any EVSE may, one below the other. */
function lanes(windows) {
  const ends = [];
  const lane = windows.map((w) => {
    const free = ends.findIndex((end) => end <= w.window.start);
    const n = free < 0 ? ends.length : free;
    ends[n] = w.window.expiry;
    return n;
  });
  return { lane, height: ROW * Math.max(1, ends.length) };
}

/** stands says how a window is now: its phase, and how it is drawn. */
export function stands(w) {
  const m = (w.parts.find((p) => new Date(p.expiry) > Date.now()) ?? w.parts.at(-1))?.manner;
  return [state(w.phase), manner(m, w.phase)].filter(Boolean).join(", ");
}

/** Chart draws groups between two moments. */
export class Chart {
  constructor(open) {
    this.open = open;
    this.focus = null; // the window that the keyboard is at: "workspace address start"
    this.near = new IntersectionObserver((seen) => seen.forEach((x) => this.fill(x.target, x.isIntersecting)), { rootMargin: "800px 0px" });
    $("rows").addEventListener("keydown", (e) => this.key(e));
    window.addEventListener("beforeprint", () => this.sections?.forEach((s) => this.fill(s, true)));
    $("rows").addEventListener("focusin", (e) => this.focused(e.target));
  }

  /** draw shows the groups. Where not all are in one time zone, each station has its own times above it. */
  draw(groups, range, zones) {
    const filled = new Set(this.groups?.filter((_, i) => this.sections[i].hasChildNodes()).map((g) => g.id));
    Object.assign(this, { groups, range, zones });
    this.several = new Set(groups.map((g) => zones.of(g.id).zone)).size > 1;
    const kept = document.activeElement?.classList.contains("bar");
    this.near.disconnect();
    this.sections = groups.map((g, i) => this.section(g, i));
    $("rows").replaceChildren(...(this.several || !groups.length ? [] : [this.axis(zones.of(groups[0].id))]), ...this.sections);
    this.at = this.find(this.focus) ?? this.first();
    this.sections.forEach((s, i) => {
      if (filled.has(groups[i].id)) this.fill(s, true); // at once, lest it flickers
      this.near.observe(s);
    });
    if (kept && this.at) this.go(this.at);
  }

  fraction(t) {
    return (new Date(t) - this.range.from) / (this.range.until - this.range.from);
  }

  axis(clock) {
    const room = Math.max(2, Math.floor(($("rows").clientWidth * 0.75) / TICK));
    const ticks = this.apart(clock.ticks(this.range.from, this.range.until, room), room / 0.75).map((t) => el("span", { className: t.day ? "tick day" : "tick", at: [this.fraction(t.t)] }, t.text));
    return el("div", { className: "axis", ariaHidden: "true" }, el("span", { className: "zone", title: clock.zone }, clock.zone), el("div", { className: "track" }, ...ticks));
  }

  /** apart leaves out what would touch the day before it, or the end. */
  apart(ticks, room) {
    const day = 1.6 / room; // what a day's name needs
    let end = 0; // of the day's name before
    return ticks.filter((t) => {
      const at = this.fraction(t.t);
      if (at >= 1 - (t.day ? day : 0.8 / room) || (!t.day && at < end)) return false;
      if (t.day) end = at + day;
      return true;
    });
  }

  section(g, i) {
    const s = el("section", { className: "station", ariaLabel: this.several ? `${g.id}, times of ${this.zones.of(g.id).zone}` : g.id });
    s.dataset.i = i;
    s.style.minHeight = `${HEAD + (this.several ? AXIS : 0) + g.rows.reduce((h, r) => h + r.height, 0)}px`;
    return s;
  }

  /** fill puts a station into the page, or takes it out of it. */
  fill(section, wanted) {
    if (wanted === section.hasChildNodes()) return;
    if (!wanted && section.contains(document.activeElement)) return;
    const g = this.groups[section.dataset.i];
    section.replaceChildren(...(wanted && g ? [this.head(g), ...(this.several ? [this.axis(this.zones.of(g.id))] : []), ...g.rows.map((r, j) => this.row(g, r, j, +section.dataset.i))] : []));
  }

  head(g) {
    const s = g.about;
    const off = s && !s.connected ? el("span", { className: "off" }, s.offline_at ? `offline for ${ago(s.offline_at)}` : "never connected") : "";
    const paused = s?.paused ? el("span", { className: "off" }, `paused${halt(s.paused)}`) : "";
    const about = s ? [s.vendor, s.model].filter(Boolean).join(" ") : "";
    return el("h3", {}, g.id, off, paused, el("span", { className: "about" }, about));
  }

  row(g, r, j, i) {
    const bars = r.windows.map((w, k) => this.bar(w, r, [i, j, k]));
    const now = this.fraction(Date.now());
    const line = now > 0 && now < 1 ? el("span", { className: "now", at: [now], ariaHidden: "true" }) : "";
    const e = el(
      "div",
      { className: "row", role: "group", ariaLabel: `${g.id} ${target(r)}` },
      el("span", { className: "name", title: target(r) }, target(r)),
      el("div", { className: "track" }, ...bars, line),
    );
    e.style.height = `${r.height}px`;
    return e;
  }

  bar(w, r, at) {
    const [from, to] = [Math.max(0, this.fraction(w.window.start)), Math.min(1, this.fraction(w.window.expiry))];
    const size = Math.max(to - from, 1e-6);
    const parts = w.parts.map((p) => {
      const [a, b] = [(this.fraction(p.start) - from) / size, (this.fraction(p.expiry) - from) / size];
      return el("i", { className: `part ${manners[p.manner] ?? "wanted"}`, at: [Math.max(0, a), Math.min(1, b)] });
    });
    const clock = this.zones.of(r.station_id);
    const says = stands(w);
    const b = el(
      "button",
      {
        type: "button",
        className: "bar",
        at: [from, to],
        tabIndex: this.same(at, this.at) ? 0 : -1,
        title: `${short(w.address)}\n${clock.span(w.window)}\n${says}`,
        ariaLabel: `${where(r)}, ${short(w.address)}, from ${clock.at(w.window.start)} until ${clock.at(w.window.expiry)}, ${says}`,
        onclick: () => this.open({ ...w, station_id: r.station_id }),
      },
      ...parts,
      el("span", { className: "label", ariaHidden: "true" }, el("span", {}, own(w.address))),
    );
    b.style.top = `${ROW * r.lane[at[2]] + 4}px`;
    b.dataset.at = at.join(" ");
    return b;
  }

  same(a, b) {
    return Boolean(a && b) && a.every((x, i) => x === b[i]);
  }

  name([i, j, k]) {
    const w = this.groups[i].rows[j].windows[k];
    return `${w.workspace} ${w.address} ${w.window.start}`;
  }

  /** find looks for a window that was there before. */
  find(name) {
    if (!name) return undefined;
    for (const at of this.all()) if (this.name(at) === name) return at;
    return undefined;
  }

  first() {
    return this.all().next().value;
  }

  *all() {
    for (const [i, g] of this.groups.entries())
      for (const [j, r] of g.rows.entries()) for (const k of r.windows.keys()) yield [i, j, k];
  }

  focused(e) {
    if (!e.classList.contains("bar")) return;
    $("rows").querySelectorAll('.bar[tabindex="0"]').forEach((b) => (b.tabIndex = -1));
    e.tabIndex = 0;
    this.at = e.dataset.at.split(" ").map(Number);
    this.focus = this.name(this.at);
  }

  key(e) {
    const go = { ArrowRight: () => this.beside(1), ArrowLeft: () => this.beside(-1), ArrowDown: () => this.below(1), ArrowUp: () => this.below(-1), Home: () => this.end(0), End: () => this.end(-1) }[e.key];
    if (!go || !this.at || !e.target.classList.contains("bar") || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    const to = go();
    if (to) this.go(to);
  }

  beside(step) {
    const [i, j, k] = this.at;
    return this.groups[i].rows[j].windows[k + step] ? [i, j, k + step] : undefined;
  }

  end(n) {
    const [i, j] = this.at;
    return [i, j, n < 0 ? this.groups[i].rows[j].windows.length - 1 : 0];
  }

  /** below is the next row that has windows, at the one nearest in time. */
  below(step) {
    let [i, j] = this.at;
    const start = new Date(this.groups[i].rows[j].windows[this.at[2]].window.start);
    for (;;) {
      j += step;
      if (j < 0 || j >= this.groups[i].rows.length) {
        i += step;
        if (i < 0 || i >= this.groups.length) return undefined;
        j = step > 0 ? 0 : this.groups[i].rows.length - 1;
      }
      const all = this.groups[i].rows[j].windows;
      if (!all.length) continue;
      const off = all.map((w) => Math.abs(new Date(w.window.start) - start));
      return [i, j, off.indexOf(Math.min(...off))];
    }
  }

  go(at) {
    const section = this.sections[at[0]];
    this.fill(section, true);
    const b = section.querySelector(`[data-at="${at.join(" ")}"]`);
    b?.focus();
  }

  /** tick moves the line of now. */
  tick() {
    const now = this.fraction(Date.now());
    $("rows").querySelectorAll(".now").forEach((n) => place(n, [now]));
  }
}

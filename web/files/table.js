// The windows as a table: the same as the chart has, for who hears the page or
// looks for a line.

import { $, el } from "./dom.js";
import { stands } from "./chart.js";
import { short, target } from "./words.js";

const STEP = 200; // lines that are shown until more are asked for
const HEADS = ["Station", "EVSE", "Reservation", "From", "Until", "State"];

export class Table {
  constructor(open) {
    this.open = open;
    this.most = STEP;
    $("table-more").onclick = () => {
      this.most += STEP;
      this.draw(this.groups, this.zones);
    };
  }

  draw(groups, zones) {
    Object.assign(this, { groups, zones });
    const at = document.activeElement?.dataset.window;
    const lines = groups.flatMap((g) => g.rows.flatMap((r) => (r.windows.length ? r.windows.map((w) => [g, r, w]) : [[g, r]])));
    const names = [...new Set(groups.map((g) => zones.of(g.id).zone))];
    this.several = names.length > 1;
    $("table-zone").textContent = names.join(", ");
    $("table-head").replaceChildren(...[...HEADS, ...(this.several ? ["Time zone"] : [])].map((h) => el("th", { scope: "col" }, h)));
    $("table-lines").replaceChildren(...lines.slice(0, this.most).map(([g, r, w]) => this.line(g, r, w)));
    $("table-more").hidden = lines.length <= this.most;
    $("table-more").textContent = `${lines.length - this.most} more`;
    if (at) $("table-lines").querySelector(`[data-window="${CSS.escape(at)}"]`)?.focus();
  }

  line(g, r, w) {
    const s = g.about;
    const station = el("td", {}, g.id, s && !s.connected ? [" ", el("span", { className: "off" }, "offline")] : "", s?.paused ? [" ", el("span", { className: "off" }, "paused")] : "");
    if (!w) return el("tr", {}, station, el("td", {}, target(r)), el("td", { colSpan: HEADS.length - 2 + this.several, className: "faint" }, "no windows"));
    const clock = this.zones.of(r.station_id);
    const name = el("button", { type: "button", className: "link", onclick: () => this.open({ ...w, station_id: r.station_id }) }, short(w.address));
    name.dataset.window = `${w.workspace} ${w.address} ${w.window.start}`;
    const time = (t) => el("td", {}, el("time", { dateTime: t }, clock.at(t)));
    const zone = this.several ? el("td", {}, clock.zone) : "";
    return el("tr", {}, station, el("td", {}, target(r)), el("th", { scope: "row" }, name), time(w.window.start), time(w.window.expiry), el("td", {}, stands(w)), zone);
  }
}

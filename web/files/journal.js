// The journal, live. Lines come by the thousand when a fleet reconnects, so they
// are shown once in a while, and only the latest.

import { $, el } from "./dom.js";
import { event, short } from "./words.js";

const MOST = 200;
const FRESH = 5000; // ms for which a line is new

export class Journal {
  constructor(zones) {
    this.zones = zones;
    this.lines = []; // the latest first
    this.fresh = 0;
  }

  add(line) {
    if (line.type !== "event") return;
    this.lines.unshift(line.event);
    this.lines.length = Math.min(this.lines.length, MOST);
    if (Date.now() - new Date(line.event.at) < FRESH) this.fresh++;
    this.due ??= setTimeout(() => this.show(), 200);
  }

  /** clear forgets what one token was shown: the next may not see it. */
  clear() {
    this.lines = [];
    this.fresh = 0;
    this.show();
  }

  show() {
    clearTimeout(this.due);
    this.due = undefined;
    $("journal-zone").textContent = this.zones.of().zone;
    $("lines-none").hidden = this.lines.length > 0;
    $("lines").replaceChildren(...this.lines.map((e, i) => this.line(e, i < this.fresh)));
    this.fresh = 0;
  }

  line(e, fresh) {
    const subject = [e.station_id || e.workspace, short(e.address)].filter(Boolean).join(" ");
    const clock = this.zones.of(); // one for all: a line follows upon the other
    return el("li", { className: fresh ? "fresh" : "" }, el("time", { dateTime: e.at }, clock.time(new Date(e.at), clock.hms)), el("b", {}, subject), ` ${event(e, clock)}`);
  }
}

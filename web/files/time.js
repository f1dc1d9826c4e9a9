// Times of one zone, and which zone that is: each station's own, the browser's,
// or UTC.

const HOUR = 3600e3;
const QUARTER = HOUR / 4;
export const here = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

/** Clock writes times of one zone. */
export class Clock {
  constructor(zone) {
    this.zone = zone;
    const f = (o) => new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...o });
    this.hm = f({ hour: "2-digit", minute: "2-digit" });
    this.hms = f({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
    this.date = f({ weekday: "short", day: "numeric", month: "short" });
    this.ymd = f({ year: "numeric", month: "2-digit", day: "2-digit" });
    this.fields = f({ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" });
    this.offset = f({ timeZoneName: "longOffset" });
    this.drawn = {};
  }

  /** at is "22:00" today, and "Mon 23 Nov 22:00" otherwise. */
  at(t) {
    const d = new Date(t);
    if (Number.isNaN(+d)) return "";
    const today = this.ymd.format(d) === this.ymd.format(new Date());
    return today ? this.time(d) : `${this.date.format(d)} ${this.time(d)}`;
  }

  /** time is "02:30", or "02:30 (UTC+01:00)" where clocks are put back and show it twice. */
  time(t, f = this.hm) {
    return f.format(t) + (this.twice(t) ? ` (${this.utc(t)})` : "");
  }

  twice(t) {
    const at = this.fields.format(t);
    return [-HOUR, -HOUR / 2, HOUR / 2, HOUR].some((d) => this.fields.format(+t + d) === at);
  }

  utc(t) {
    const name = this.offset.formatToParts(t).find((p) => p.type === "timeZoneName").value;
    return name.replace("GMT", "UTC");
  }

  span(w) {
    return `${this.at(w.start)} – ${this.at(w.expiry)}`;
  }

  /** sinceMidnight is the time of the day in ms, as clocks show it. */
  sinceMidnight(t) {
    const p = Object.fromEntries(this.fields.formatToParts(t).map((x) => [x.type, +x.value]));
    return (p.hour * 60 + p.minute) * 60e3;
  }

  /**
   * ticks are marks at whole hours of the day, as many as there is room for. A day
   * begins with its first moment, which is not always midnight.
   */
  ticks(from, until, room) {
    const key = `${from} ${until} ${room}`;
    if (this.drawn.key === key) return this.drawn.ticks;
    const hours = [1, 2, 3, 6, 12, 24].find((h) => (until - from) / (h * HOUR) <= room) ?? 24;
    const ticks = [];
    for (let t = Math.ceil(from / QUARTER) * QUARTER; t < until; t += QUARTER) {
      const day = this.ymd.format(t) !== this.ymd.format(t - QUARTER);
      if (day) ticks.push({ t, day, text: this.date.format(t) });
      else if (hours < 24 && this.sinceMidnight(t) % (hours * HOUR) === 0) ticks.push({ t, day, text: this.hm.format(t) });
    }
    this.drawn = { key, ticks };
    return ticks;
  }
}

/** AT_STATION is the choice of each station's own zone. */
export const AT_STATION = "station";
const KEY = "resctl-times";

/** Zones knows the clock of each station, as was chosen. The choice is remembered. */
export class Zones {
  constructor() {
    const kept = localStorage.getItem(KEY);
    this.choice = kept === AT_STATION || kept === "UTC" ? kept : here;
    this.clocks = new Map();
    this.stations = new Map();
  }

  choose(choice) {
    this.choice = choice;
    localStorage.setItem(KEY, choice === here && choice !== "UTC" ? "here" : choice);
  }

  /** learn takes from the rows of a timeline where the stations are. */
  learn(rows) {
    for (const r of rows) if (r.time_zone) this.stations.set(r.station_id, r.time_zone);
  }

  forget() {
    this.stations.clear();
  }

  /** of is the clock for a station; without one, or where its zone is not known, that of the browser. */
  of(station) {
    const zone = this.choice === AT_STATION ? (this.stations.get(station) ?? here) : this.choice;
    if (!this.clocks.has(zone)) this.clocks.set(zone, clockOf(zone));
    return this.clocks.get(zone);
  }
}

/** clockOf makes a clock; a zone that this browser has not heard of is shown as the browser's. */
function clockOf(zone) {
  try {
    return new Clock(zone);
  } catch {
    return new Clock(here);
  }
}

/** ago is a distance to now in words: "3 h 12 min". */
export function ago(t, now = Date.now()) {
  const m = Math.round(Math.abs(now - new Date(t)) / 60e3);
  if (m < 1) return "less than 1 min";
  if (m < 60) return `${m} min`;
  const h = Math.floor(m / 60);
  return h < 48 ? `${h} h ${m % 60} min` : `${Math.floor(h / 24)} d ${h % 24} h`;
}

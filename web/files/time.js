// Times, in the zone that was chosen: the browser's or UTC.

const HOUR = 3600e3;
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
  }

  /** at is "22:00" today, and "Mon 23 Nov 22:00" otherwise. */
  at(t) {
    const d = new Date(t);
    if (Number.isNaN(+d)) return "";
    const today = this.ymd.format(d) === this.ymd.format(new Date());
    return today ? this.hm.format(d) : `${this.date.format(d)} ${this.hm.format(d)}`;
  }

  span(w) {
    return `${this.at(w.start)} – ${this.at(w.expiry)}`;
  }

  /** midnight is 00:00 of the day of a time: zones that are off by a part of an hour included. */
  sinceMidnight(t) {
    const p = Object.fromEntries(this.fields.formatToParts(t).map((x) => [x.type, +x.value]));
    return (p.hour * 60 + p.minute) * 60e3;
  }

  /** ticks are marks at whole hours of the day, as many as there is room for. */
  ticks(from, until, room) {
    const hours = [1, 2, 3, 6, 12, 24].find((h) => (until - from) / (h * HOUR) <= room) ?? 24;
    const ticks = [];
    for (let t = Math.ceil(from / (HOUR / 4)) * (HOUR / 4); t < until; t += HOUR / 4) {
      const since = this.sinceMidnight(t);
      if (since % (hours * HOUR) === 0) ticks.push({ t, day: since === 0, text: since === 0 ? this.date.format(t) : this.hm.format(t) });
    }
    return ticks;
  }
}

/** ago is a distance to now in words: "3 h 12 m". */
export function ago(t, now = Date.now()) {
  const m = Math.round(Math.abs(now - new Date(t)) / 60e3);
  if (m < 60) return `${m} m`;
  const h = Math.floor(m / 60);
  return h < 48 ? `${h} h ${m % 60} m` : `${Math.floor(h / 24)} d ${h % 24} h`;
}

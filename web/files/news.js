// What is new of that which needs somebody, for who hears the page: one sentence
// in a polite region, and never more than one in a while.

import { $ } from "./dom.js";
import { count, short } from "./words.js";

const GAP = 5000; // ms between sentences

export class News {
  constructor(now = () => performance.now(), after = (f, ms) => setTimeout(f, ms)) {
    Object.assign(this, { now, after });
    this.clear();
  }

  /** clear forgets what one token was told. */
  clear() {
    clearTimeout(this.due);
    Object.assign(this, { told: null, items: [], due: undefined, last: -GAP });
    $("news").textContent = "";
  }

  /** tell takes the whole list; what has been in it before is no news. */
  tell(items) {
    this.items = items;
    const wait = this.last + GAP - this.now();
    this.due ??= this.after(() => this.say(), Math.max(0, wait));
  }

  say() {
    this.due = undefined;
    const said = sentence(this.items, this.told);
    this.told = new Set(this.items.map(name));
    if (!said) return;
    $("news").textContent = said;
    this.last = this.now();
  }
}

const name = (x) => [x.what, x.workspace, x.address, x.place, x.station_id].join(" ");

/** sentence says what is new; "" where nothing is. */
function sentence(items, told) {
  if (!told) return items.length ? `${count(items.length, "thing needs", "things need")} somebody.` : "";
  const fresh = items.filter((x) => !told.has(name(x)));
  if (!fresh.length) return told.size && !items.length ? "Nothing needs somebody any more." : "";
  if (fresh.length === 1) {
    const [x] = fresh;
    return `New: ${[x.address ? short(x.address) : "", x.station_id ?? x.place].filter(Boolean).join(" at ")}: ${x.what}.`;
  }
  const kinds = new Map();
  for (const x of fresh) kinds.set(x.what, (kinds.get(x.what) ?? 0) + 1);
  return `New: ${count(fresh.length, "thing needs", "things need")} somebody: ${[...kinds].map(([what, n]) => `${n} ${what}`).join(", ")}.`;
}

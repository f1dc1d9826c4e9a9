// What is searched for: a part of an address or of a station's identity, or a
// token's fingerprint.

import { count } from "./words.js";

/** matcher says what matches a query; an empty one matches everything. */
export function matcher(query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (word, ...texts) => texts.some((t) => (t ?? "").toLowerCase().includes(word));
  const matches = (w, row) => words.every((word) => has(word, w.address, row.station_id, w.workspace) || (word.startsWith("#") && w.token?.toLowerCase() === word));
  matches.station = (id) => words.every((word) => has(word, id));
  matches.any = words.length === 0;
  return matches;
}

/** tally says what was found. */
export function tally(groups, query) {
  if (!query.trim()) return "";
  const n = groups.reduce((n, g) => n + g.rows.reduce((m, r) => m + r.windows.length, 0), 0);
  if (!groups.length) return `Nothing matches “${query.trim()}” in this range.`;
  return `${count(n, "window")} at ${count(groups.length, "station")}.`;
}

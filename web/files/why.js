// One reservation's life, on one sheet.

import { ask } from "./api.js";
import { $, el } from "./dom.js";
import { event, phase, schedule, short, target } from "./words.js";

export class Why {
  constructor(zones) {
    this.zones = zones;
    $("why-close").onclick = () => $("why").close();
    $("why").addEventListener("click", (e) => e.target === $("why") && $("why").close());
    $("why").addEventListener("close", () => this.wish?.abort());
  }

  /** open asks, and shows what is known until the answer comes. */
  async open(x) {
    this.wish?.abort();
    this.wish = new AbortController();
    $("why-title").textContent = short(x.address);
    $("why-body").replaceChildren(el("p", { className: "faint" }, "Asking…"));
    if (!$("why").open) $("why").showModal();
    try {
      this.show(await ask("why", { workspace: x.workspace, address: x.address }, this.wish.signal));
    } catch (e) {
      if (e.name !== "AbortError") $("why-body").replaceChildren(el("p", { role: "alert" }, e.message));
    }
  }

  show(s) {
    const clock = this.zones.of(s.station_id);
    const rows = [
      ["Where", `${s.station_id ?? ""} ${target(s)}`],
      ["Window", s.window && `${clock.span(s.window)}, ${clock.zone}`],
      ["State", `${phase(s)}${s.info ? ` (${s.info})` : ""}${s.since ? `, since ${clock.at(s.since)}` : ""}`],
      ["Driver", s.token && `token ${s.token}`],
      ["Reservation", s.reservation_id && `id ${s.reservation_id}${s.past_ids?.length ? `, before: ${s.past_ids.join(", ")}` : ""}`],
      ["Schedule", s.schedule && schedule(s.schedule)],
      ["Declared", s.declared],
      ["Applied", s.applied && `${clock.at(s.applied.at)} by ${s.applied.by || "somebody"}${s.applied.revision ? `, revision ${s.applied.revision}` : ""}`],
      ["Workspace", s.workspace],
    ].filter(([, v]) => v);
    const facts = el("dl", {}, ...rows.flatMap(([k, v]) => [el("dt", {}, k), el("dd", {}, v)]));
    const next = s.next && el("p", { className: "next" }, el("strong", {}, "Next: "), s.next);
    const moved = (s.events ?? []).some((e) => e.station_id && e.station_id !== s.station_id);
    const lines = (s.events ?? []).map((e) => el("tr", {}, el("td", {}, clock.at(e.at)), moved ? el("td", {}, e.station_id ?? "") : "", el("td", {}, event(e, clock))));
    const head = el("tr", {}, ...["When", ...(moved ? ["Where"] : []), "What"].map((t) => el("th", { scope: "col" }, t)));
    const table = lines.length ? el("table", {}, el("caption", { className: "faint" }, "What happened"), el("thead", {}, head), el("tbody", {}, ...lines)) : "";
    $("why-title").textContent = short(s.address);
    $("why-body").replaceChildren(...[next, facts, table].filter(Boolean));
  }
}

// What is shown in words, for people who know vans better than protocols. A
// later version may say what is not known here: that is shown as it is.

/** short is an address without what all of them begin with. */
export const short = (a) => (a ?? "").replace(/(^|\.)reservation\./, "$1");

/** own is an address without the modules that it is in. */
export const own = (a) => short(a).replace(/^(module\.[^.[]+(\["[^"]*"\]|\[\d+\])?\.)+/, "");

/** where is a place: "DEPOT-A-01 EVSE 2". */
export function where(x) {
  return [x.station_id, target(x)].filter(Boolean).join(" ");
}

export function target(x) {
  if (x.evse_id) return `EVSE ${x.evse_id}`;
  return x.connector_type ? `any EVSE with ${x.connector_type}` : "any EVSE";
}

/** shellWord is a text as one word of a command. */
export const shellWord = (s) => (/^[\w.-]+$/.test(s) ? s : `'${s.replaceAll("'", "'\\''")}'`);

/** count is "1 window", "2 windows". */
export const count = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

const known = (table, key) => (Object.hasOwn(table, key) ? table[key] : key);

const phases = {
  scheduled: "not due yet",
  pending: "due, not held",
  reserved: "held",
  unsure: "in doubt",
  canceling: "being canceled",
  fulfilled: "used",
  no_show: "its driver did not come",
  missed: "was never held",
  ended: "over",
  removed: "dropped by its station",
  forgotten: "left at its station",
};

const reasons = {
  offline: "the station is not connected",
  taken: "somebody else is charging there",
  occupied: "it is occupied, by a car or by somebody else’s reservation",
  faulted: "the EVSE is faulted",
  unavailable: "the EVSE is out of service",
  rejected: "the station rejected it",
  refused: "the station refused the request itself",
  removed: "the station dropped it",
  unsupported: "the station takes no reservations",
  booting: "the station is not ready yet",
  "waiting for the one before": "another reservation is still there",
  paused: "the station is paused",
  asked: "the answer is outstanding",
  "no answer": "no answer came",
  boot: "the station has started anew",
  vanished: "the EVSE became available without a word",
  "after a fault": "the EVSE had a fault",
  restored: "the state was restored from a backup",
  "repeat refused": "the station refused to repeat it",
  "update refused": "the station keeps what it was told before",
  "station replaced": "another station has come in its place",
  "by its holder": "its driver has used it",
  "by a group member": "somebody of its driver's group has used it",
  "no show": "the time to come is over",
  overdue: "it is still there after its end",
  moved: "it moved to another station",
  "expired early": "the station ended it too early",
  changed: "it was changed",
  "no longer wanted": "it is no longer wanted",
  renamed: "it has another address now",
  imported: "the station is said to hold it",
  "wanted again": "it was left there, and is wanted again",
};

/** state is a phase in words. */
export const state = (p) => known(phases, p ?? "");

/** phase is where something stands, and why. */
export const phase = (x) => (x.reason ? `${state(x.phase)}: ${known(reasons, x.reason)}` : state(x.phase));

const drifts = {
  refused: "refused",
  removed: "dropped",
  overdue: "overdue",
  unsure: "in doubt",
  "update refused": "change refused",
  "foreign in the way": "taken by somebody else",
  "clock off": "its clock is wrong",
  proof: "does not fit",
};

/** drift names what is amiss. */
export const drift = (kind) => known(drifts, kind);

/** manner is how a window is drawn, where its state does not say so already. */
export function manner(m, p) {
  const obvious = { reserved: "held", fulfilled: "used", missed: "not as wanted", removed: "not as wanted" };
  return m === "wanted" || obvious[p] === m ? "" : m;
}

const actions = {
  "+": "declared",
  "»": "declared, for later",
  "~": "its declaration was changed",
  "-/+": "declared otherwise: canceled, and asked for anew",
  "+/-": "moves to another station",
  "-": "no longer declared",
  ".": "no longer declared, and left at its station",
};

const calls = { ReserveNow: "asked to reserve", CancelReservation: "asked to cancel", "TriggerMessage BootNotification": "asked to report its boot", "TriggerMessage StatusNotification": "asked to report its status" };
const outcomes = { "answered NotSent": "was not sent: the connection had ended", "answered NoAnswer": "no answer came" };
const charging = { Started: "charging began", Updated: "charging goes on", Ended: "charging ended" };

/** kinds tell of events. */
const kinds = {
  connected: (e) => `connected${e.link ? ` (${e.link.protocol})` : ""}`,
  disconnected: () => "connection ended",
  booted: (e) => `started${e.boot?.reason ? ` (${e.boot.reason})` : ""}`,
  status: (e) => `EVSE ${e.status?.evse_id} is ${e.status?.status}`,
  transaction: (e) => `${known(charging, e.transaction?.type ?? "transaction")}${e.transaction?.evse_id ? ` at EVSE ${e.transaction.evse_id}` : ""} (transaction ${e.transaction?.id})`,
  reported: (e) => `its station reports that reservation ${e.reservation_id} is ${e.update}`,
  declared: (e) => (e.change?.forget ? actions["."] : known(actions, e.change?.action ?? "declared")),
  proposed: (e) => `a configuration was applied by ${e.proposal?.by || "somebody"}${e.proposal?.revision ? `, revision ${e.proposal.revision}` : ""} (serial ${e.proposal?.serial})`,
  requested: (e) => `${known(calls, e.call?.kind ?? "")}${e.call?.reason ? `: ${e.call.reason}` : ""} (${call(e)})`,
  answered: (e) => `${known(outcomes, `answered ${e.answer?.outcome}`)}${e.answer?.info ? `: ${e.answer.info}` : ""} (${call(e)})`,
  decided: (e, clock) => [e.decision?.phase && `state: ${phase(e.decision)}`, next(e.decision?.next, clock)].filter(Boolean).join("; ") || "settled by time",
  paused: (e) => `paused${order(e)}`,
  resumed: (e) => `resumed${order(e)}`,
  frozen: (e) => `${e.workspace === "*" ? "all workspaces are " : ""}frozen${order(e)}`,
  unfrozen: (e) => `${e.workspace === "*" ? "all workspaces are " : ""}unfrozen${order(e)}`,
  renamed: (e) => `was ${short(e.from)} until now`,
  restored: () => "the state was restored from a backup",
  erased: (e) => `the token ${e.erasure?.fingerprint ?? ""} was erased`,
  released: () => "may go: the station that it moves to holds it",
  superseded: () => "was used at the other station of its move",
};

const call = (e) => `${e.call?.kind ?? ""}${e.reservation_id ? ` ${e.reservation_id}` : ""}`.trim();
const order = (e) => halt(e.halt ?? {});

/** halt says who ordered something, and why. */
export const halt = (h) => (h.by ? ` by ${h.by}` : "") + (h.reason ? `: ${h.reason}` : "");

/** next is the window that follows; one without a time: none does. */
function next(w, clock) {
  if (!w) return "";
  return new Date(w.start) > 0 ? `its next window: ${clock.span(w)}` : "its schedule is over";
}

/** event is what happened, with times of a clock. */
export function event(e, clock) {
  const tell = Object.hasOwn(kinds, e.kind) ? kinds[e.kind](e, clock) : e.kind;
  return e.queued ? `${tell} (kept while it was offline)` : tell;
}

const days = { MO: "Mon", TU: "Tue", WE: "Wed", TH: "Thu", FR: "Fri", SA: "Sat", SU: "Sun" };

/** schedule is when windows come back, in the zone in which that was declared. */
export function schedule(s) {
  const on = (s.days ?? []).map((d) => known(days, d)).join(", ") || s.rrule || "";
  return `${on} ${s.start_time} – ${s.end_time}, ${s.time_zone}`.trim();
}

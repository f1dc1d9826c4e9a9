// What is shown in words: the same words as in a terminal.

/** short is an address without what all of them begin with. */
export const short = (a) => (a ?? "").replace(/(^|\.)reservation\./, "$1");

/** where is a place: "DEPOT-A-01 EVSE 2". */
export function where(x) {
  return [x.station_id, target(x)].filter(Boolean).join(" ");
}

export function target(x) {
  if (x.evse_id) return `EVSE ${x.evse_id}`;
  return x.connector_type ? `any EVSE with ${x.connector_type}` : "any EVSE";
}

/** phase is where something stands, and why. */
export const phase = (x) => (x.reason ? `${x.phase}: ${x.reason}` : x.phase);

/** kinds tell of events; one that a later version writes is told by its kind. */
const kinds = {
  connected: (e) => `connected${e.link ? `, ${e.link.protocol}` : ""}`,
  disconnected: () => "connection ended",
  booted: (e) => `booted${e.boot?.reason ? ` (${e.boot.reason})` : ""}`,
  status: (e) => `EVSE ${e.status?.evse_id} is ${e.status?.status}`,
  transaction: (e) => `transaction ${e.transaction?.id}: ${(e.transaction?.type ?? "").toLowerCase()}${e.transaction?.evse_id ? ` at EVSE ${e.transaction.evse_id}` : ""}`,
  reported: (e) => `reports that reservation ${e.reservation_id} is ${e.update}`,
  declared: (e) => (e.change?.forget ? "forgotten, left at its station" : `declared: ${e.change?.action ?? ""}`),
  proposed: (e) => `proposal ${e.proposal?.serial} by ${e.proposal?.by || "somebody"}${e.proposal?.revision ? `, revision ${e.proposal.revision}` : ""}`,
  requested: (e) => `asks ${e.call?.kind}${id(e)}${e.call?.reason ? `: ${e.call.reason}` : ""}`,
  answered: (e) => `${e.call?.kind}${id(e)} answered ${e.answer?.outcome}${e.answer?.info ? `: ${e.answer.info}` : ""}`,
  decided: (e) => `now ${phase({ phase: e.decision?.phase, reason: e.decision?.reason })}`,
  paused: (e) => `paused${order(e)}`,
  resumed: (e) => `resumed${order(e)}`,
  frozen: (e) => `${e.workspace === "*" ? "all workspaces are " : ""}frozen${order(e)}`,
  unfrozen: (e) => `${e.workspace === "*" ? "all workspaces are " : ""}unfrozen${order(e)}`,
  renamed: (e) => `was ${short(e.from)} until now`,
  restored: () => "the state was restored from a backup",
  erased: (e) => `token ${e.erasure?.fingerprint ?? ""} was erased`,
  released: () => "may go: its new station has it",
  superseded: () => "was used at the other station of its move",
};

const id = (e) => (e.reservation_id ? ` ${e.reservation_id}` : "");
const order = (e) => (e.halt?.by ? ` by ${e.halt.by}` : "") + (e.halt?.reason ? `: ${e.halt.reason}` : "");

export function event(e) {
  const tell = Object.hasOwn(kinds, e.kind) ? kinds[e.kind](e) : e.kind;
  return e.queued ? `${tell} (kept while it was offline)` : tell;
}

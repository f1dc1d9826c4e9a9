// What the API says, to the token of this tab. The token is in sessionStorage
// and in headers; in no URL, and nowhere else.

const KEY = "resctl-token";

export const token = {
  get: () => sessionStorage.getItem(KEY),
  set: (t) => sessionStorage.setItem(KEY, t),
  forget: () => sessionStorage.removeItem(KEY),
};

/** Refused is an answer that says no. */
export class Refused extends Error {
  constructor(status, code, message) {
    super(code ? `${message} [${code}]` : message);
    this.status = status;
  }
}

async function send(path, params, headers, signal) {
  const url = new URL(`v1/${path}`, document.baseURI);
  for (const [k, v] of Object.entries(params)) if (v) url.searchParams.set(k, v);
  const answer = await fetch(url, {
    signal,
    cache: "no-store",
    credentials: "omit",
    headers: { ...headers, Authorization: `Bearer ${token.get()}` },
  });
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => null);
  throw new Refused(answer.status, said?.error?.code, said?.error?.message ?? `The server answered ${answer.status}.`);
}

/** ask gets a document. */
export async function ask(path, params = {}, signal) {
  return (await send(path, params, {}, signal)).json();
}

/**
 * follow yields lines of the journal as they are written, those of the last
 * while first. It ends when the connection does; `seen.last` is where it was.
 */
export async function* follow(seen, signal) {
  const headers = seen.last ? { "Last-Event-ID": seen.last } : {};
  const answer = await send("events", seen.last ? {} : { since: "1h" }, headers, signal);
  yield null; // it has begun
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ; ) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const line = field(block, "data");
      if (!line) continue; // a sign of life
      seen.last = field(block, "id") || seen.last;
      yield JSON.parse(line);
    }
  }
}

function field(block, name) {
  return block
    .split("\n")
    .filter((l) => l.startsWith(`${name}:`))
    .map((l) => l.slice(name.length + 1).trimStart())
    .join("\n");
}

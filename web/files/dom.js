// Elements are made of values, and text is always text: what a station said is
// never read as markup.

export const $ = (id) => document.getElementById(id);

/** el makes an element. Properties that are not known to it are attributes. */
export function el(name, props = {}, ...children) {
  const e = document.createElement(name);
  for (const [k, v] of Object.entries(props)) {
    if (v === undefined || v === null || v === false) continue;
    if (k === "at") place(e, v);
    else if (k in e) e[k] = v;
    else e.setAttribute(k, v);
  }
  e.append(...children.flat().filter((c) => c !== undefined && c !== null && c !== ""));
  return e;
}

/** place puts an element between two fractions of its parent's width. */
export function place(e, [from, to]) {
  e.style.left = `${(100 * from).toFixed(3)}%`;
  if (to !== undefined) e.style.width = `${(100 * (to - from)).toFixed(3)}%`;
}

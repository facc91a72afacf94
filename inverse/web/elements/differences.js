// In what two runs differ, in words: "steps 100 → 50".
const UNCOMPARED = ["inverse", "schema", "task", "solver"];

const named = (name) => name.replace(/^(task|solver)\./, "").replaceAll("_", " ").replace("sigma y", "σ_y").replace(/^steps$/, "noise levels");
const worded = (value) => {
  if (value == null) return "none";
  if (typeof value === "boolean") return value ? "on" : "off";
  // A seed has up to ten digits, and every one of them counts.
  return typeof value === "number" && !Number.isInteger(value) ? String(Number(value.toPrecision(4))) : String(value);
};

function flat(settings) {
  const entries = Object.entries(settings ?? {}).filter(([name]) => !UNCOMPARED.includes(name));
  for (const part of ["task", "solver"]) {
    entries.push([part, settings?.[part]?.name]);
    for (const [name, value] of Object.entries(settings?.[part]?.parameters ?? {})) entries.push([`${part}.${name}`, value]);
  }
  return new Map(entries);
}

/* Of two tasks or two solvers, only the parameters that both have can differ. */
export function differences(before, after) {
  const [old, now] = [flat(before.settings), flat(after.settings)];
  const found = [];
  for (const [name, value] of now) {
    if (old.has(name) && old.get(name) !== value) found.push(`${named(name)} ${worded(old.get(name))} → ${worded(value)}`);
  }
  const [whence, where] = [before.origin ?? {}, after.origin ?? {}];
  if (whence.photo !== where.photo) found.unshift("another photo");
  else if ((whence.picture || "") !== (where.picture || "") && old.get("task") === now.get("task")) found.push("another mask or kernel");
  return found;
}

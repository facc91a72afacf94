// In what two runs differ, in words: "steps 100 → 50".
const UNCOMPARED = ["inverse", "schema", "task", "solver", "then"];

const named = (name) => name.replace(/^(task|solver)\./, "").replaceAll("_", " ").replace("sigma y", "noise").replace(/^steps$/, "noise levels");
const worded = (value) => {
  if (value == null) return "none";
  if (typeof value === "boolean") return value ? "on" : "off";
  // A seed has up to ten digits, and every one of them counts.
  return typeof value === "number" && !Number.isInteger(value) ? String(Number(value.toPrecision(4))) : String(value);
};

/* Of a prior, its name: without owner, commit and digest, where that tells two apart. */
const short = (prior) => String(prior).replace(/@([0-9a-f]{40}|[a-z]+:[0-9a-f]{64})$/, "").replace(/^.*\//, "");
const both = (name, one, other) => (name === "prior" && short(one) !== short(other) ? [short(one), short(other)] : [worded(one), worded(other)]);

/* Further damages with what was set of each: "jpeg (quality 30)". */
const link = ({ name, parameters }) => {
  const set = Object.entries(parameters ?? {}).map(([key, value]) => `${key.replaceAll("_", " ")} ${worded(value)}`);
  return set.length ? `${name} (${set.join(", ")})` : name;
};

function flat(settings) {
  const entries = Object.entries(settings ?? {}).filter(([name]) => !UNCOMPARED.includes(name));
  entries.push(["then", (settings?.then ?? []).map(link).join(", ") || "nothing"]);
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
    if (old.has(name) && old.get(name) !== value) found.push(`${named(name)} ${both(name, old.get(name), value).join(" → ")}`);
  }
  const [whence, where] = [before.origin ?? {}, after.origin ?? {}];
  if (whence.photo !== where.photo) found.unshift("another photo");
  else if ((whence.picture || "") !== (where.picture || "") && old.get("task") === now.get("task")) found.push("another mask or kernel");
  return found;
}

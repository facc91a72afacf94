// What a reload of the tab finds again. Some browsers forbid frames and private windows to store anything: then nothing.
const PREFIX = "inverse-";

/* Something plain under a name; null takes it away. */
export function keepFor(name, value) {
  try {
    if (value === null) sessionStorage.removeItem(PREFIX + name);
    else sessionStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // A reload starts anew.
  }
}

export function keptAs(name) {
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + name));
  } catch {
    return null;
  }
}

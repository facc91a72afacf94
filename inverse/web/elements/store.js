// Results outlive a reload of their tab in the browser's own database; those of tabs that are gone leave after a day.
const DAY = 24 * 3600 * 1000;

// Some browsers forbid private windows and frames to store anything. Then a reload starts anew.
const tab = (() => {
  try {
    sessionStorage["inverse-tab"] ??= `${Date.now()}-${Math.random()}`;
    return sessionStorage["inverse-tab"];
  } catch {
    return null;
  }
})();

const database = new Promise((resolve) => {
  try {
    if (tab === null) return resolve(null);
    const request = indexedDB.open("inverse-results", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("results", { keyPath: ["tab", "key"] });
    request.onsuccess = () => resolve(request.result);
    request.onerror = (event) => {
      event.preventDefault();
      resolve(null);
    };
  } catch {
    resolve(null);
  }
});

// What goes wrong here, a full disk for one, costs the copy only: the page still has the result.
async function stored(mode, act) {
  const opened = await database;
  if (!opened) return null;
  return new Promise((resolve) => {
    const transaction = opened.transaction("results", mode);
    const request = act(transaction.objectStore("results"));
    transaction.oncomplete = () => resolve(request?.result ?? null);
    transaction.onabort = (event) => {
      event.preventDefault();
      resolve(null);
    };
  });
}

export const keep = (item) => stored("readwrite", (results) => results.put({ ...item, tab }));
export const drop = (keys) => stored("readwrite", (results) => keys.forEach((key) => results.delete([tab, key])));

export async function kept() {
  // Keys are [tab, milliseconds], and an array comes after every number: this is all of this tab, and of no other one.
  const own = (await stored("readonly", (results) => results.getAll(IDBKeyRange.bound([tab], [tab, []])))) ?? [];
  // Pictures of other tabs are not read: the keys tell their age.
  const keys = (await stored("readonly", (results) => results.getAllKeys())) ?? [];
  const old = keys.filter(([whose, at]) => whose !== tab && !(Date.now() - at < DAY));
  if (old.length) await stored("readwrite", (results) => old.forEach((key) => results.delete(key)));
  return own;
}

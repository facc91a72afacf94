// Simple or Lab: the same page, with less or more of it shown. The head knows which before anything is painted.
import { hear, tell } from "./kit.js";

const KEPT = "inverse-view";
const root = document.documentElement;

/* Which of the two is shown. */
export const view = () => root.dataset.view;

/* Shows the other, and remembers it: for this tab, and for the next visit. */
export function choose(chosen) {
  root.dataset.view = chosen;
  try {
    for (const store of [sessionStorage, localStorage]) store.setItem(KEPT, chosen);
  } catch {
    // Private windows may forbid it; then the next visit is Simple again.
  }
  const address = new URL(location);
  if (address.searchParams.has("view")) {
    address.searchParams.delete("view"); // it said what was shown at first
    history.replaceState(null, "", address);
  }
  if (chosen === "simple") document.querySelector("#tabs [role=tab]")?.click(); // the other tabs are the Lab's
  tell("viewed", chosen);
}

export default function switcher({ element }) {
  const show = () => element.querySelectorAll("input").forEach((each) => (each.checked = each.value === view()));
  element.addEventListener("change", (event) => choose(event.target.value));
  hear(element, "viewed", show);
  show();
}

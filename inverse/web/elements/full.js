// An element over the whole window: in the top layer, where nothing of the page is above it. Meanwhile nothing else can
// have the focus, which afterwards is where it was.
import { onPage } from "./kit.js";

const NOTICE = "[data-testid=toast-text]"; // Gradio's

/* `screen`: over the whole screen too, where the browser lets it. `said(words)` hears what Gradio says in a notice, which
   the element covers. */
export function covering({ element, label, screen = false, changed, said }) {
  const root = document.documentElement;
  let [quiet, focused, whole] = [[], null, false];
  const on = () => element.hasAttribute("popover");

  function others() {
    const found = [];
    for (let each = element; each !== document.body; each = each.parentElement) {
      found.push(...[...each.parentElement.children].filter((other) => other !== each && !other.inert));
    }
    return found;
  }
  const notices = new MutationObserver((seen) => {
    const added = seen.flatMap(({ addedNodes }) => [...addedNodes]).filter(({ nodeType }) => nodeType === Node.ELEMENT_NODE);
    for (const each of added) {
      const notice = each.querySelector(NOTICE) ?? each.closest(NOTICE);
      if (notice) said?.(notice.textContent.trim());
    }
  });

  // The document too comes into the top layer, when it has the screen: the element must be above it.
  function raise() {
    const held = document.activeElement;
    element.hidePopover?.();
    element.showPopover?.();
    held?.focus({ preventScroll: true });
  }
  async function ask() {
    try {
      await root.requestFullscreen({ navigationUI: "hide" });
    } catch {
      return; // a frame that may not, or a telephone that cannot: the window is enough
    }
    whole = true;
    if (on()) raise();
    else leave();
  }
  function leave() {
    if (whole && document.fullscreenElement === root) document.exitFullscreen();
    whole = false;
  }

  function set(wanted) {
    if (wanted === on()) return;
    if (wanted) {
      focused = document.activeElement;
      for (const [name, value] of [["popover", "manual"], ["role", "dialog"], ["aria-modal", "true"], ["aria-label", label], ["tabindex", "-1"]]) element.setAttribute(name, value);
      element.showPopover?.();
      quiet = others();
      for (const each of quiet) each.inert = true;
      notices.observe(document.body, { childList: true, subtree: true });
      if (screen && root.requestFullscreen && !document.fullscreenElement) ask();
    } else {
      notices.disconnect();
      element.hidePopover?.();
      for (const name of ["popover", "role", "aria-modal", "aria-label", "tabindex"]) element.removeAttribute(name);
      for (const each of quiet) each.inert = false;
      leave();
      if (focused?.isConnected) focused.focus({ preventScroll: true });
    }
    changed(wanted);
  }

  // The browser's own way out of the full screen is a way out of the element as well.
  onPage(element, "fullscreenchange", () => {
    if (!whole || document.fullscreenElement) return;
    whole = false;
    set(false);
  });
  // Wherever the focus is; page.js sees the dialog, and stops no run.
  onPage(element, "keydown", (event) => {
    if (event.key !== "Escape" || !on()) return;
    event.preventDefault();
    set(false);
  });
  return { set, get on() { return on(); } };
}

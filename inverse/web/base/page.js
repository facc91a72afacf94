// Keys for the whole page: Ctrl+Enter (or Cmd+Enter) starts what its tab offers, Esc stops whatever runs.
const START = ".inv-start";
const STOP = ".inv-stop";
const OPEN = "[role=listbox], [role=menu], [role=dialog], dialog[open]";
// Nothing is started with a value that is marked as wrong, not even before the server knows of it.
document.addEventListener("click", (event) => {
  if (!event.target.closest(START)) return;
  const wrong = [...document.querySelectorAll("[aria-invalid=true]")].find((each) => each.offsetParent);
  if (!wrong) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  wrong.focus();
}, true);
function press(event, buttons, visible) {
  for (const button of document.querySelectorAll(buttons)) {
    if (button.disabled || (visible && !button.offsetParent)) continue;
    event.preventDefault();
    button.click();
    if (visible) return; // of several the first
  }
}
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) press(event, START, true);
});
// Esc stops a run only where it closes nothing: asked before anything else hears the key, what it closes is still open.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = [...document.querySelectorAll(OPEN)].some((each) => each.getClientRects().length);
  if (!open) press(event, STOP, false);
}, true);

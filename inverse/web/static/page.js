// Keys for the whole page: Ctrl+Enter (or Cmd+Enter) starts what its tab offers, Esc stops whatever runs.
const RUN = ["run", "sweep", "compare"];
const STOP = ["stop", "stop-sweep", "stop-compare"];
document.addEventListener("keydown", (event) => {
  const press = (ids, visible) => {
    for (const button of ids.map((id) => document.getElementById(id))) {
      if (!button || button.disabled || (visible && !button.offsetParent)) continue;
      event.preventDefault();
      button.click();
    }
  };
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) press(RUN, true);
  if (event.key === "Escape") press(STOP, false);
});

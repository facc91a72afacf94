// Keys for the whole page: Ctrl+Enter (or Cmd+Enter) restores, Esc stops.
document.addEventListener("keydown", (event) => {
  const press = (id) => {
    const button = document.getElementById(id);
    if (button && !button.disabled) {
      event.preventDefault();
      button.click();
    }
  };
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) press("run");
  if (event.key === "Escape") press("stop");
});

// Saves what the server made: {"name", "data": data URI}.
watch("value", async () => {
  const { name, data } = props.value ?? {};
  if (!data) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await (await fetch(data)).blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
});

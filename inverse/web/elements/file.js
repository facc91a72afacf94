// Saves what the server made: {"name", "data": data URI}.
import { save } from "./kit.js";

export default function file({ props, watch }) {
  watch("value", () => props.value?.data && save(props.value.data, props.value.name));
}

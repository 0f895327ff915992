// One tab stop for a group of buttons.

// Arrow keys, Home and End move among them: `forward` is -1 where text runs from right to left,
// `down` the number of buttons in a row.
export function moveFocus(event, buttons, { down = 1, forward = 1 } = {}) {
  const at = buttons.indexOf(event.target);
  const target = {
    ArrowRight: at + forward, ArrowLeft: at - forward, ArrowDown: at + down, ArrowUp: at - down,
    Home: 0, End: buttons.length - 1,
  }[event.key];
  if (at < 0 || target === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  buttons[target]?.focus();
}

export function keepOneTabStop(button, buttons) {
  for (const other of buttons) other.tabIndex = other === button ? 0 : -1;
}

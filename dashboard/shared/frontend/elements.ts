// What all viewers are made of: elements, buttons with their keys, and the handle of the wipe.

export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Make a button whose title names its key. */
export function makeButton(
  text: string,
  label: string,
  key: string,
  act: () => void,
): HTMLButtonElement {
  const element = make("button", { type: "button", "aria-label": label, title: label }, text);
  if (key) {
    element.title = `${label} (${key})`;
    element.setAttribute("aria-keyshortcuts", key.replace("Ctrl", "Control"));
  }
  element.addEventListener("click", act);
  return element;
}

/** Make the list of keys, closed at first. */
export function makeHelp(keys: [string, string][]): HTMLElement {
  const terms = keys.flatMap(([key, meaning]) => [make("dt", {}, key), make("dd", {}, meaning)]);
  return make("details", {}, make("summary", {}, "Keys"), make("dl", {}, ...terms));
}

/** Make the line between photograph and overlay: dragged, or moved with the arrows. */
export function makeHandle(onMove: (share: number) => void): HTMLElement {
  const handle = make("div", {
    class: "handle",
    role: "slider",
    tabindex: "0",
    "aria-label": "Position of the wipe",
    "aria-valuemin": "0",
    "aria-valuemax": "100",
  });
  const move = (share: number) => onMove(Math.min(Math.max(share, 0), 1));
  handle.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    handle.focus();
    handle.setPointerCapture(event.pointerId);
  });
  handle.addEventListener("pointermove", (event) => {
    if (!handle.hasPointerCapture(event.pointerId)) return;
    const box = handle.parentElement!.getBoundingClientRect();
    move((event.clientX - box.left) / box.width);
  });
  handle.addEventListener("keydown", (event) => {
    const now = Number(handle.getAttribute("aria-valuenow")) / 100;
    const targets: Record<string, number> = {
      ArrowLeft: now - 0.02,
      ArrowDown: now - 0.02,
      ArrowRight: now + 0.02,
      ArrowUp: now + 0.02,
      Home: 0,
      End: 1,
    };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    move(target);
  });
  return handle;
}

export function placeHandle(handle: HTMLElement, share: number | null): void {
  handle.hidden = share === null;
  if (share === null) return;
  const percent = Math.round(100 * share);
  handle.style.left = `${100 * share}%`;
  handle.setAttribute("aria-valuenow", String(percent));
  handle.setAttribute("aria-valuetext", `${handle.dataset.left ?? "Photograph"} on the left ${percent}% of the width`);
}

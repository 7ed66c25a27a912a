// The row of controls above the stage, and the handle of the wipe.

export interface Controls {
  row: HTMLElement;
  zoom: HTMLOutputElement;
  opacity: HTMLInputElement;
  overlay: HTMLButtonElement;
  wipe: HTMLButtonElement;
}

export interface Actions {
  zoomIn(): void;
  zoomOut(): void;
  fit(): void;
  showActualPixels(): void;
  toggleOverlay(): void;
  setOpacity(percent: number): void;
  toggleWipe(): void;
  toggleFullScreen(): void;
}

export const KEYS: [string, string][] = [
  ["+ and −, wheel", "zoom"],
  ["arrows, drag", "move"],
  ["0", "fit"],
  ["1", "actual pixels"],
  ["O", "overlay on or off"],
  ["[ and ]", "opacity"],
  ["W", "wipe"],
  ["F", "full screen"],
];

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

export function makeControls(actions: Actions): Controls {
  const button = (text: string, label: string, key: string, act: () => void) => {
    const element = make(
      "button",
      { type: "button", "aria-label": label, title: `${label} (${key})`, "aria-keyshortcuts": key },
      text,
    );
    element.addEventListener("click", act);
    return element;
  };
  const zoom = make("output", { "aria-label": "Zoom", title: "Screen pixels per image pixel" });
  const opacity = make("input", { type: "range", min: "0", max: "100", step: "5" });
  opacity.addEventListener("input", () => actions.setOpacity(opacity.valueAsNumber));
  const overlay = button("Overlay", "Overlay", "O", actions.toggleOverlay);
  const wipe = button("Wipe", "Wipe", "W", actions.toggleWipe);
  const row = make(
    "div",
    { class: "controls", role: "group", "aria-label": "Controls of the image" },
    overlay,
    make("label", { title: "Opacity of the overlay ([ and ])" }, "Opacity", opacity),
    wipe,
    make("span", { class: "space" }),
    button("−", "Zoom out", "-", actions.zoomOut),
    zoom,
    button("+", "Zoom in", "+", actions.zoomIn),
    button("Fit", "Fit", "0", actions.fit),
    button("1:1", "Actual pixels, 1:1", "1", actions.showActualPixels),
    makeHelp(),
  );
  if (document.fullscreenEnabled) {
    row.append(button("Full screen", "Full screen", "F", actions.toggleFullScreen));
  }
  return { row, zoom, opacity, overlay, wipe };
}

function makeHelp(): HTMLElement {
  const terms = KEYS.flatMap(([key, meaning]) => [make("dt", {}, key), make("dd", {}, meaning)]);
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
  handle.setAttribute("aria-valuetext", `Photograph on the left ${percent}% of the width`);
}

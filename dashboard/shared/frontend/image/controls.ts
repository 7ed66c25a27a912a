// The row of controls above the stage.
import { make, makeButton, makeHelp } from "../elements";

export interface Controls {
  row: HTMLElement;
  zoom: HTMLOutputElement;
  opacity: HTMLInputElement;
  overlay: HTMLButtonElement;
  wipe: HTMLButtonElement;
  /** What is of no use without something over the photograph. */
  ofOverlay: HTMLElement[];
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

const KEYS: [string, string][] = [
  ["+ and −, wheel", "zoom"],
  ["arrows, drag", "move"],
  ["0", "fit"],
  ["1", "actual pixels"],
  ["O", "overlay on or off"],
  ["[ and ]", "opacity"],
  ["W", "wipe"],
  ["F", "full screen"],
];

/** Make the row; a key that is reserved for the page is named nowhere. */
export function makeControls(actions: Actions, reserved: string): Controls {
  const own = (key: string) => (reserved.includes(key.toLowerCase()) ? "" : key);
  const zoom = make("output", { "aria-label": "Zoom", title: "Screen pixels per image pixel" });
  const opacity = make("input", { type: "range", min: "0", max: "100", step: "5" });
  opacity.addEventListener("input", () => actions.setOpacity(opacity.valueAsNumber));
  const overlay = makeButton("Overlay", "Overlay", own("O"), actions.toggleOverlay);
  const wipe = makeButton("Wipe", "Wipe", own("W"), actions.toggleWipe);
  const title = "Opacity of the overlay ([ and ])";
  const strength = make("label", { title }, "Opacity", opacity);
  const row = make(
    "div",
    { class: "controls", role: "group", "aria-label": "Controls of the image" },
    overlay,
    strength,
    wipe,
    make("span", { class: "space" }),
    makeButton("−", "Zoom out", "-", actions.zoomOut),
    zoom,
    makeButton("+", "Zoom in", "+", actions.zoomIn),
    makeButton("Fit", "Fit", "0", actions.fit),
    makeButton("1:1", "Actual pixels, 1:1", own("1"), actions.showActualPixels),
    makeHelp(KEYS.filter(([key]) => own(key))),
  );
  if (document.fullscreenEnabled) {
    row.append(makeButton("Full screen", "Full screen", own("F"), actions.toggleFullScreen));
  }
  return { row, zoom, opacity, overlay, wipe, ofOverlay: [overlay, strength, wipe] };
}

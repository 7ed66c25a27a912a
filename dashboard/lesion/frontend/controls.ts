// The rows above the two photographs: how they are shown, and what is done to an outline.
import { make, makeButton, makeHelp } from "../../shared/frontend/elements";

export type Mode = "side" | "wipe" | "blink";

export const MODES: Record<Mode, { title: string; key: string }> = {
  side: { title: "Side by side", key: "S" },
  wipe: { title: "Wipe", key: "W" },
  blink: { title: "Blink", key: "B" },
};

export interface Actions {
  show(mode: Mode): void;
  toggleOutlines(): void;
  zoomIn(): void;
  zoomOut(): void;
  fit(): void;
  showActualPixels(): void;
  toggleFullScreen(): void;
}

export interface EditActions {
  add(): void;
  remove(): void;
  undo(): void;
  redo(): void;
  thin(): void;
  clear(): void;
  cancel(): void;
  save(): void;
}

const KEYS: [string, string][] = [
  ["S, W", "side by side, wipe"],
  ["B", "blink: one, then the other"],
  ["L", "outlines on or off"],
  ["+ and −, wheel", "zoom"],
  ["arrows, drag", "move"],
  ["0, 1", "fit, actual pixels"],
  ["F", "full screen"],
];
const EDIT_KEYS: [string, string][] = [
  ["click, A", "add a corner"],
  ["drag, arrows", "move the corner; further with Shift"],
  ["N and P", "next and previous corner"],
  ["Delete", "remove the corner"],
  ["Ctrl+Z, Ctrl+Y", "undo, redo"],
  ["Ctrl+Enter", "save"],
  ["Escape", "cancel"],
];

export function makeControls(actions: Actions) {
  const zoom = make("output", { "aria-label": "Zoom", title: "Screen pixels per image pixel" });
  const modes = Object.fromEntries(
    Object.entries(MODES).map(([mode, { title, key }]) => [
      mode,
      makeButton(title, title, key, () => actions.show(mode as Mode)),
    ]),
  ) as Record<Mode, HTMLButtonElement>;
  const outlines = makeButton("Outlines", "Outlines", "L", actions.toggleOutlines);
  const row = make(
    "div",
    { class: "controls", role: "group", "aria-label": "Controls of both photographs" },
    ...Object.values(modes),
    outlines,
    make("span", { class: "space" }),
    makeButton("−", "Zoom out", "-", actions.zoomOut),
    zoom,
    makeButton("+", "Zoom in", "+", actions.zoomIn),
    makeButton("Fit", "Fit", "0", actions.fit),
    makeButton("1:1", "Actual pixels, 1:1", "1", actions.showActualPixels),
    makeHelp(KEYS),
  );
  if (document.fullscreenEnabled) {
    row.append(makeButton("Full screen", "Full screen", "F", actions.toggleFullScreen));
  }
  return { row, zoom, modes, outlines };
}

export function makeEditing(actions: EditActions) {
  const state = make("output", { class: "state", "aria-live": "polite" });
  const undo = makeButton("Undo", "Undo", "Ctrl+Z", actions.undo);
  const redo = makeButton("Redo", "Redo", "Ctrl+Y", actions.redo);
  const remove = makeButton("Remove corner", "Remove corner", "Delete", actions.remove);
  const thin = makeButton("Fewer corners", "Fewer corners", "", actions.thin);
  const clear = makeButton("Clear", "Remove all corners", "", actions.clear);
  const save = makeButton("Save outline", "Save outline", "Ctrl+Enter", actions.save);
  save.classList.add("primary");
  const row = make(
    "div",
    { class: "controls editing", role: "group", "aria-label": "Drawing of the outline" },
    state,
    makeButton("Add corner", "Add corner", "A", actions.add),
    remove,
    undo,
    redo,
    thin,
    clear,
    make("span", { class: "space" }),
    makeButton("Cancel", "Cancel the drawing", "Escape", actions.cancel),
    save,
    makeHelp(EDIT_KEYS),
  );
  return { row, state, undo, redo, remove, thin, clear, save };
}

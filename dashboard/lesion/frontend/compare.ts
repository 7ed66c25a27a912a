// Two photographs of a lesion, side by side or over each other: a component of Streamlit around two
// viewers that show the same place.
import { make, makeHandle, placeHandle } from "../../shared/frontend/elements";
import type { Place, Placement, Viewport } from "../../shared/frontend/stage";
import { makeControls, makeEditing, type Mode } from "./controls";
import { Pane, type Shown } from "./pane";

interface Data {
  earlier: Shown;
  later: Shown;
  placement: Placement | null; // of the later photograph on the earlier one; null if unknown
  note: string; // why they are not laid on each other
  mayEdit: boolean;
}

interface Component {
  parentElement: HTMLElement | ShadowRoot;
  data: Data;
  setTriggerValue(name: string, value: unknown): void;
}

const KEPT = "melanoma-compare"; // how they are shown, for this tab of the browser
const MOST_KEPT = 40; // corners that need no thinning
const comparers = new WeakMap<Component["parentElement"], Comparer>();

/** Show the viewer. Streamlit calls this when the page runs again, too: the viewer stays. */
export default function (component: Component): (() => void) | undefined {
  const { parentElement } = component;
  try {
    const comparer = comparers.get(parentElement) ?? new Comparer(parentElement);
    comparers.set(parentElement, comparer);
    comparer.keep(component);
    return () => comparer.leave(() => comparers.delete(parentElement));
  } catch (error) {
    console.warn("The viewer cannot run here. The plain images stay.", error);
    parentElement.querySelector(".frame")?.remove();
    return undefined;
  }
}

class Comparer {
  private component: Component | null = null;
  private mode: Mode = recall();
  private wipe = 0.5;
  private showsLater = true; // while they blink
  private showsOutlines = true;
  private departure = 0;
  private readonly host: HTMLElement;
  private readonly page: Element;
  private readonly frame: HTMLElement;
  private readonly pair: HTMLElement;
  private readonly note = make("p", { class: "note", role: "note" });
  private readonly handle = makeHandle((share) => this.moveWipe(share));
  private readonly observer = new MutationObserver(() => this.follow());
  private readonly controls = makeControls({
    show: (mode) => this.show(mode),
    toggleOutlines: () => this.toggleOutlines(),
    zoomIn: () => this.leader.stage.zoom(1),
    zoomOut: () => this.leader.stage.zoom(-1),
    fit: () => this.fit(),
    showActualPixels: () => this.leader.stage.showActualPixels(),
    toggleFullScreen: () => this.toggleFullScreen(),
  });
  private readonly editing = makeEditing({
    add: () => this.edited?.addHalfway(),
    remove: () => this.edited?.change((draft) => draft.remove()),
    undo: () => this.edited?.change((draft) => draft.undo()),
    redo: () => this.edited?.change((draft) => draft.redo()),
    thin: () => this.edited?.change((draft) => draft.thin()),
    clear: () => this.edited?.change((draft) => draft.clear()),
    cancel: () => this.cancel(),
    save: () => this.save(),
  });
  private readonly earlier: Pane;
  private readonly later: Pane;
  private leader: Pane; // the photograph that the person moves; the other one follows

  constructor(parent: HTMLElement | ShadowRoot) {
    this.host = parent instanceof ShadowRoot ? (parent.host as HTMLElement) : parent;
    this.page = this.host.closest(".st-key-compare-viewer") ?? document.body;
    const events = {
      moved: (pane: Pane) => this.lead(pane),
      taken: (pane: Pane) => (this.leader = pane),
      shown: (pane: Pane, isShown: boolean) => this.greet(pane, isShown),
      zoomed: (pane: Pane, percent: number) => {
        if (pane === this.leader) this.controls.zoom.value = `${percent}%`;
      },
      edited: () => this.describe(),
      asked: (pane: Pane) => this.edit(pane),
      pointed: (pane: Pane, at: Place | null) => this.point(pane, at),
    };
    this.pair = make("div", { class: "pair" });
    this.frame = make(
      "div",
      { class: "frame" },
      this.controls.row,
      this.editing.row,
      this.note,
      this.pair,
    );
    parent.append(this.frame);
    [this.earlier, this.later] = [new Pane("earlier", events), new Pane("later", events)];
    this.leader = this.earlier;
    const { earlier, later } = this;
    this.pair.append(earlier.caption, later.caption, earlier.element, later.element, this.handle);
    this.handle.dataset.left = "Earlier photograph";
    this.frame.addEventListener("keydown", (event) => this.press(event));
    this.takePlace(true); // at once, so that the page does not jump
    this.observer.observe(this.page, { subtree: true, childList: true, attributeFilter: ["src"] });
  }

  /** Stay, with what the page shows now. */
  keep(component: Component): void {
    clearTimeout(this.departure);
    this.component = component;
    this.follow();
    this.apply();
  }

  /** Go, unless the same place is given back at once. */
  leave(forget: () => void): void {
    this.departure = window.setTimeout(() => {
      forget();
      this.observer.disconnect();
      for (const pane of [this.earlier, this.later]) pane.stage.destroy();
      this.takePlace(false);
      this.frame.remove();
    }, 200);
  }

  private get data(): Data | undefined {
    return this.component?.data;
  }

  private get edited(): Pane | null {
    return [this.earlier, this.later].find((pane) => pane.draft) ?? null;
  }

  private follow(): void {
    if (!this.data) return;
    const { earlier, later, placement, note, mayEdit } = this.data;
    this.earlier.show(earlier, this.page);
    this.later.show(later, this.page, placement ?? undefined);
    this.note.textContent = note;
    this.note.hidden = !note;
    for (const pane of [this.earlier, this.later]) pane.offerEditing(mayEdit);
    this.describe();
  }

  private takePlace(isShown: boolean): void {
    this.host.toggleAttribute("data-viewer-stands", isShown);
    this.frame.classList.toggle("failed", !isShown);
  }

  /** A photograph has come: it shows what the earlier one shows. */
  private greet(pane: Pane, isShown: boolean): void {
    this.takePlace(isShown);
    if (!isShown) return;
    this.leader = this.earlier;
    if (pane === this.later) this.lead(this.earlier);
  }

  /** Let the other photograph show what the leading one shows. */
  private lead(pane: Pane): void {
    if (pane !== this.leader || !this.data) return;
    const other = pane === this.earlier ? this.later : this.earlier;
    other.stage.follow(this.translate(pane, other));
  }

  /** Mark on one photograph the place at which the mouse is on the other one. */
  private point(pane: Pane, at: Place | null): void {
    if (!this.data) return;
    const other = pane === this.earlier ? this.later : this.earlier;
    const isLaid = this.data.placement !== null;
    other.showCursor(at && !isLaid ? other.stage.toStage(pane.stage.toShare(at)) : at);
  }

  /** Return what the other photograph has to show: the same place, or the same relative one. */
  private translate(pane: Pane, other: Pane): Viewport {
    const { x, y, zoom } = pane.stage.viewport;
    if (this.data!.placement) return { x, y, zoom };
    const [from, to] = [pane.stage.fitted, other.stage.fitted];
    return { x, y: (y / from.aspect) * to.aspect, zoom: (zoom / from.zoom) * to.zoom };
  }

  /** Fit the earlier photograph, on whose frame the later one is laid. */
  private fit(): void {
    this.leader = this.earlier;
    this.earlier.stage.fit();
  }

  private show(mode: Mode): void {
    if (mode === "blink") this.showsLater = this.mode === "blink" ? !this.showsLater : true;
    this.mode = mode;
    try {
      sessionStorage.setItem(KEPT, mode);
    } catch {
      // Some browsers forbid it; then nothing is kept.
    }
    this.apply();
  }

  /** Lay the photographs out as the mode says. */
  private apply(): void {
    const { mode, pair } = this;
    for (const each of ["side", "wipe", "blink"] as const) {
      pair.classList.toggle(each, each === mode);
      this.controls.modes[each].setAttribute("aria-pressed", String(each === mode));
    }
    const isHidden = mode === "blink" && !this.showsLater;
    this.later.element.classList.toggle("away", isHidden);
    this.earlier.caption.classList.toggle("seen", isHidden);
    this.later.caption.classList.toggle("seen", mode === "blink" && !isHidden);
    placeHandle(this.handle, mode === "wipe" ? this.wipe : null);
    const left = mode === "wipe" ? `${100 * this.wipe}%` : "0";
    this.later.element.style.clipPath = mode === "side" ? "" : `inset(0 0 0 ${left})`;
    this.controls.outlines.setAttribute("aria-pressed", String(this.showsOutlines));
  }

  private moveWipe(share: number): void {
    this.wipe = share;
    this.apply();
  }

  private toggleOutlines(): void {
    this.showsOutlines = !this.showsOutlines;
    for (const pane of [this.earlier, this.later]) pane.showOutline(this.showsOutlines);
    this.apply();
  }

  private toggleFullScreen(): void {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void this.frame.requestFullscreen();
  }

  private edit(pane: Pane): void {
    if (this.edited && this.edited !== pane) return this.edited.stage.canvas.focus();
    if (this.mode !== "side") this.show("side");
    if (!pane.draft) pane.begin();
    this.leader = pane;
    this.describe();
  }

  private cancel(): void {
    this.edited?.forget();
    this.describe();
  }

  private save(): void {
    const pane = this.edited;
    if (!pane?.draft?.isComplete) return;
    const { corners, version } = pane.draft;
    const photograph = pane.data!.photograph;
    this.component!.setTriggerValue("saved", { photograph, corners, version });
  }

  /** Say how far the drawing is. */
  private describe(): void {
    const { editing, edited } = this;
    const draft = edited?.draft;
    editing.row.hidden = !draft;
    if (!edited || !draft) return;
    const corner = draft.corners[draft.active];
    const place = corner?.map((share) => `${(100 * share).toFixed(1)}%`).join(", ");
    editing.state.value =
      `Outline of the ${edited.name} photograph. ` +
      (corner
        ? `Corner ${draft.active + 1} of ${draft.corners.length}, at ${place}`
        : "Click, or press A, for a corner");
    editing.undo.disabled = !draft.canUndo;
    editing.redo.disabled = !draft.canRedo;
    editing.remove.disabled = editing.clear.disabled = !corner;
    editing.thin.hidden = draft.corners.length <= MOST_KEPT;
    editing.save.disabled = !draft.isComplete;
  }

  private press(event: KeyboardEvent): void {
    const act = this.findEdit(event) ?? this.findAction(event);
    if (!act) return;
    act();
    event.preventDefault();
    event.stopPropagation(); // the page has keys of its own
  }

  private findEdit(event: KeyboardEvent): (() => void) | undefined {
    const { edited: pane } = this;
    if (!pane || event.altKey) return undefined;
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      const redo = () => pane.change((draft) => draft.redo());
      const undo = () => pane.change((draft) => draft.undo());
      return { z: event.shiftKey ? redo : undo, y: redo, enter: () => this.save() }[key];
    }
    if (event.target !== pane.stage.canvas) return key === "escape" ? () => this.cancel() : undefined;
    const move = (x: number, y: number) => () => pane.nudge(x, y, event.shiftKey);
    const remove = () => pane.change((draft) => draft.remove());
    const turn = (step: number) => () => pane.change((draft) => draft.activate(draft.active + step));
    const keys: Record<string, () => void> = {
      arrowleft: move(-1, 0),
      arrowright: move(1, 0),
      arrowup: move(0, -1),
      arrowdown: move(0, 1),
      a: () => pane.addHalfway(),
      n: turn(1),
      p: turn(-1),
      delete: remove,
      backspace: remove,
      escape: () => this.cancel(),
    };
    return keys[key];
  }

  private findAction({ key, ctrlKey, metaKey, altKey }: KeyboardEvent): (() => void) | undefined {
    if (ctrlKey || metaKey || altKey) return undefined;
    const { stage } = this.leader;
    const keys: Record<string, () => void> = {
      arrowleft: () => stage.pan(-1, 0),
      arrowright: () => stage.pan(1, 0),
      arrowup: () => stage.pan(0, -1),
      arrowdown: () => stage.pan(0, 1),
      "+": () => stage.zoom(1),
      "=": () => stage.zoom(1),
      "-": () => stage.zoom(-1),
      "0": () => this.fit(),
      "1": () => stage.showActualPixels(),
      s: () => this.show("side"),
      w: () => this.show("wipe"),
      b: () => this.show("blink"),
      l: () => this.toggleOutlines(),
      f: () => this.toggleFullScreen(),
    };
    return keys[key.toLowerCase()];
  }
}

/** Return how they were shown last in this tab; side by side if that is not known. */
function recall(): Mode {
  try {
    const kept = sessionStorage.getItem(KEPT);
    return kept === "wipe" || kept === "blink" ? kept : "side";
  } catch {
    return "side";
  }
}

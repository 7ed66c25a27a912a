// One of the two photographs: its caption, its stage, and the outline that is shown or drawn on it.
import { make, makeButton } from "../../shared/frontend/elements";
import { readLayers, type Detail } from "../../shared/frontend/layers";
import { Stage, type Place, type Placement } from "../../shared/frontend/stage";
import { Draft, type Corner } from "./draft";
import { Outline } from "./outline";

export interface Shown {
  photograph: string; // id
  title: string;
  detail: Partial<Detail>;
  points: Corner[];
  version: number; // of the kept outline; 0 for none
  drawn: string; // by whom, in words; "" without an outline
  token: string; // another one means that what was typed is forgotten
}

interface Events {
  moved(pane: Pane): void;
  taken(pane: Pane): void;
  shown(pane: Pane, isShown: boolean): void;
  zoomed(pane: Pane, percent: number): void;
  edited(pane: Pane): void;
  asked(pane: Pane): void;
  /** A mouse is over the photograph, in pixels of the screen; null when it has left. */
  pointed(pane: Pane, at: Place | null): void;
}

const DRAFTS = "melanoma-outline-"; // in the tab of the browser, by photograph
const tokens = new Map<string, string>(); // that this page of the browser has seen, by photograph
const FAR = 10; // steps of one key with Shift

export class Pane {
  readonly stage: Stage;
  readonly element: HTMLElement;
  readonly caption: HTMLElement;
  draft: Draft | null = null;
  data: Shown | null = null;
  private showsOutline = true;
  private readonly title = make("span", { class: "title" });
  private readonly edit: HTMLButtonElement;
  private readonly cursor = make("div", { class: "cursor", hidden: "" });
  private readonly outline = new Outline(() => this.stage);

  constructor(
    readonly name: "earlier" | "later",
    private readonly events: Events,
  ) {
    const images = make("div", { class: "images" });
    this.element = make("div", { class: `stage ${name}` }, images, this.outline.element, this.cursor);
    this.element.addEventListener("pointermove", (event) => this.point(event));
    this.element.addEventListener("pointerleave", () => events.pointed(this, null));
    this.edit = makeButton("Outline", "Outline", "", () => events.asked(this));
    this.caption = make("div", { class: `caption ${name}` }, this.title, this.edit);
    this.stage = new Stage(images, {
      zoomed: (percent) => events.zoomed(this, percent),
      shown: (isShown) => events.shown(this, isShown),
      moved: () => this.followStage(),
      taken: () => events.taken(this),
      pressed: (at) => this.press(at),
      dragged: (at) => this.drag(at),
      released: () => this.keep(),
      clicked: (at) => this.click(at),
      keepsClicks: () => this.draft !== null,
    });
    this.stage.canvas.setAttribute("role", "application");
    this.stage.canvas.setAttribute("aria-roledescription", "image viewer");
  }

  /** Show a photograph of the page, and the outline that the record has of it. */
  show(data: Shown, page: Element, placement?: Placement): void {
    const find = (name: string) =>
      name === "photograph"
        ? page.querySelector<HTMLImageElement>(`.st-key-compare-${this.name} img`)
        : null;
    const isOther = this.data?.photograph !== data.photograph;
    this.data = data;
    const layers = readLayers(find, data.detail);
    if (layers) this.stage.show(layers, placement);
    this.title.textContent = data.title;
    this.stage.canvas.setAttribute("aria-label", `Photograph: ${data.title}`);
    if (isOther) this.draft = this.recall();
    // The viewer may be another one by now; what was typed is forgotten all the same.
    const token = tokens.get(data.photograph);
    if (token !== undefined && token !== data.token) this.forget();
    tokens.set(data.photograph, data.token);
    this.redraw();
  }

  offerEditing(isOffered: boolean): void {
    const verb = this.data?.points.length ? "Correct" : "Draw";
    this.edit.hidden = !isOffered;
    this.edit.textContent = `${verb} outline`;
    this.edit.setAttribute("aria-label", `${verb} the outline of the ${this.name} photograph`);
    this.edit.title = this.data?.drawn || "No outline yet";
  }

  begin(): void {
    const { points, version } = this.data!;
    this.draft = new Draft(points.map(([x, y]) => [x, y]), version);
    this.redraw();
    this.stage.canvas.focus();
  }

  /** End the drawing without keeping it. */
  forget(): void {
    this.draft = null;
    this.write(null);
    this.redraw();
  }

  showOutline(isShown: boolean): void {
    this.showsOutline = isShown;
    this.redraw();
  }

  /** Change the draft, and show and keep what came of it. */
  change(change: (draft: Draft) => void): void {
    if (!this.draft) return;
    change(this.draft);
    this.keep();
  }

  addHalfway(): void {
    const box = this.element.getBoundingClientRect();
    const middle = this.stage.toShare({ x: box.width / 2, y: box.height / 2 });
    this.change((draft) => draft.insertHalfway(middle, 0.1));
  }

  /** Move the active corner by pixels of the screen. */
  nudge(horizontal: number, vertical: number, isFar: boolean): void {
    const corner = this.draft?.corners[this.draft.active];
    if (!corner) return;
    const step = isFar ? FAR : 1;
    const { x, y } = this.stage.toStage({ x: corner[0], y: corner[1] });
    const to = this.stage.toShare({ x: x + step * horizontal, y: y + step * vertical });
    this.change((draft) => {
      draft.begin();
      draft.move(to);
    });
  }

  /** Mark where the mouse is on the other photograph. */
  showCursor(at: Place | null): void {
    this.cursor.hidden = at === null;
    if (at) Object.assign(this.cursor.style, { left: `${at.x}px`, top: `${at.y}px` });
  }

  redraw(): void {
    this.outline.show(this.data?.points ?? [], this.draft, this.showsOutline);
  }

  private point({ clientX, clientY, pointerType }: PointerEvent): void {
    if (pointerType !== "mouse") return;
    const { left, top } = this.element.getBoundingClientRect();
    this.events.pointed(this, { x: clientX - left, y: clientY - top });
  }

  private followStage(): void {
    this.outline.draw();
    const { x, y, zoom } = this.stage.viewport;
    this.element.dataset.viewport = [x, y, zoom].map((each) => each.toFixed(3)).join(" ");
    this.events.moved(this);
  }

  private press(at: Place): boolean {
    const hit = this.draft && this.outline.findCorner(at);
    if (hit === null) return false;
    this.draft!.activate(hit);
    this.draft!.begin();
    this.redraw();
    return true;
  }

  private drag(at: Place): void {
    this.draft?.move(this.stage.toShare(at));
    this.redraw();
  }

  private click(at: Place): boolean {
    if (!this.draft) return false;
    if (this.outline.findCorner(at) !== null) return true; // it was pressed, and is active
    const line = this.outline.findLine(at);
    const number = line === null ? undefined : line + 1;
    this.change((draft) => draft.insert(this.stage.toShare(at), number));
    return true;
  }

  private keep(): void {
    if (this.draft) this.write({ corners: this.draft.corners, version: this.draft.version });
    this.redraw();
    this.events.edited(this);
  }

  private write(draft: { corners: readonly Corner[]; version: number } | null): void {
    const name = `${DRAFTS}${this.data?.photograph}`;
    try {
      if (draft) sessionStorage.setItem(name, JSON.stringify(draft));
      else sessionStorage.removeItem(name);
    } catch {
      // Some browsers forbid it; then nothing is kept through a reload.
    }
  }

  /** Return what was drawn before a reload; null if nothing was, or it is damaged or saved. */
  private recall(): Draft | null {
    try {
      const kept = JSON.parse(sessionStorage.getItem(`${DRAFTS}${this.data?.photograph}`) ?? "null");
      const isShare = (each: unknown) => typeof each === "number" && each >= 0 && each <= 1;
      const isCorner = (each: unknown) =>
        Array.isArray(each) && each.length === 2 && each.every(isShare);
      if (!Array.isArray(kept?.corners) || !kept.corners.every(isCorner)) return null;
      if (JSON.stringify(kept.corners) === JSON.stringify(this.data?.points)) return null;
      return Number.isInteger(kept.version) ? new Draft(kept.corners, kept.version) : null;
    } catch {
      return null;
    }
  }
}

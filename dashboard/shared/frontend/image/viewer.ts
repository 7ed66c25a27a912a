// The viewer of one photograph: a component of Streamlit around OpenSeadragon.
import { makeControls, type Controls } from "./controls";
import { make, makeHandle, placeHandle } from "../elements";
import { readLayers, type Detail } from "../layers";
import { Stage, type View } from "../stage";

const KEPT = "melanoma-viewer"; // opacity and whether the overlay is on, for this tab of the browser
const OPACITY_STEP = 5;

interface Component {
  parentElement: HTMLElement | ShadowRoot;
  data: (Partial<Detail> & { reserved?: string }) | null;
}

const viewers = new WeakMap<Component["parentElement"], Viewer>();

/** Show the viewer. Streamlit calls this when the page runs again, too: the viewer stays. */
export default function ({ parentElement, data }: Component): (() => void) | undefined {
  try {
    const viewer = viewers.get(parentElement) ?? new Viewer(parentElement, data?.reserved ?? "");
    viewers.set(parentElement, viewer);
    viewer.keep(data ?? {});
    return () => viewer.leave(() => viewers.delete(parentElement));
  } catch (error) {
    console.warn("The image viewer cannot run here. The plain images stay.", error);
    parentElement.querySelector(".frame")?.remove();
    return undefined;
  }
}

class Viewer {
  private view: View = { isOn: true, opacity: 60, wipe: null, ...recall() };
  private offered: Partial<Detail> = {};
  private departure = 0;
  private readonly host: HTMLElement;
  private readonly page: Element;
  private readonly frame: HTMLElement;
  private readonly stage: Stage;
  private readonly handle = makeHandle((wipe) => this.change({ wipe }));
  private readonly observer = new MutationObserver(() => this.follow());
  private readonly actions = {
    zoomIn: () => this.stage.zoom(1),
    zoomOut: () => this.stage.zoom(-1),
    fit: () => this.stage.fit(),
    showActualPixels: () => this.stage.showActualPixels(),
    toggleOverlay: () => this.change({ isOn: !this.view.isOn }),
    setOpacity: (opacity: number) => this.change({ opacity, isOn: true }),
    toggleWipe: () => this.change({ wipe: this.view.wipe === null ? 0.5 : null, isOn: true }),
    toggleFullScreen: () => this.toggleFullScreen(),
  };
  private readonly controls: Controls;

  /** Reserved are the keys of the page, which it gets although the viewer has the focus. */
  constructor(
    parent: HTMLElement | ShadowRoot,
    private readonly reserved: string,
  ) {
    this.controls = makeControls(this.actions, reserved);
    this.host = parent instanceof ShadowRoot ? (parent.host as HTMLElement) : parent;
    this.page = this.host.closest(".st-key-photograph-viewer") ?? document.body;
    const images = make("div", { class: "images" });
    const stage = make("div", { class: "stage" }, images, this.handle);
    this.frame = make("div", { class: "frame" }, this.controls.row, stage);
    parent.append(this.frame);
    this.stage = new Stage(images, {
      zoomed: (percent) => (this.controls.zoom.value = `${percent}%`),
      shown: (isShown) => this.takePlace(isShown),
    });
    this.stage.canvas.setAttribute("role", "application");
    this.stage.canvas.setAttribute("aria-roledescription", "image viewer");
    this.frame.addEventListener("keydown", (event) => this.press(event));
    this.change({});
    this.takePlace(true); // at once, so that the page does not jump
    this.observer.observe(this.page, {
      subtree: true,
      childList: true,
      attributeFilter: ["src", "alt"],
    });
  }

  /** Stay, with what the page offers of the photograph now. */
  keep(offered: Partial<Detail>): void {
    clearTimeout(this.departure);
    this.offered = offered;
    this.follow();
  }

  /** Go, unless the same place is given back at once. */
  leave(forget: () => void): void {
    this.departure = window.setTimeout(() => {
      forget();
      this.observer.disconnect();
      this.stage.destroy();
      this.takePlace(false);
      this.frame.remove();
    }, 200);
  }

  private follow(): void {
    const find = (name: string) =>
      this.page.querySelector<HTMLImageElement>(`.st-key-layer-${name} img`);
    const layers = readLayers(find, this.offered);
    if (!layers) return;
    this.stage.show(layers);
    const isBare = !layers.addresses.overlay && !layers.addresses.marks;
    this.controls.ofOverlay.forEach((each) => each.toggleAttribute("hidden", isBare));
    this.stage.canvas.setAttribute("aria-label", layers.description);
  }

  /** Stand in for the plain images, or give way to them. */
  private takePlace(isShown: boolean): void {
    this.host.toggleAttribute("data-viewer-stands", isShown);
    this.frame.classList.toggle("failed", !isShown);
  }

  private change(changes: Partial<View>): void {
    this.view = { ...this.view, ...changes };
    const { isOn, opacity, wipe } = this.view;
    this.controls.opacity.value = String(opacity);
    this.controls.overlay.setAttribute("aria-pressed", String(isOn));
    this.controls.wipe.setAttribute("aria-pressed", String(wipe !== null));
    placeHandle(this.handle, isOn ? wipe : null);
    this.stage.apply(this.view);
    keep({ isOn, opacity });
  }

  private toggleFullScreen(): void {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void this.frame.requestFullscreen();
  }

  private press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = this.findAction(event.key, event.target instanceof HTMLInputElement);
    if (!act) return;
    act();
    event.preventDefault();
    event.stopPropagation(); // the page has keys of its own
  }

  private findAction(key: string, isSlider: boolean): (() => void) | undefined {
    const { actions, stage } = this;
    const shift = (step: number) => () =>
      actions.setOpacity(Math.min(Math.max(this.view.opacity + step, 0), 100));
    const moves: Record<string, () => void> = {
      ArrowLeft: () => stage.pan(-1, 0),
      ArrowRight: () => stage.pan(1, 0),
      ArrowUp: () => stage.pan(0, -1),
      ArrowDown: () => stage.pan(0, 1),
    };
    if (this.reserved.includes(key.toLowerCase())) return undefined;
    const keys: Record<string, () => void> = {
      "+": actions.zoomIn,
      "=": actions.zoomIn,
      "-": actions.zoomOut,
      "0": actions.fit,
      "1": actions.showActualPixels,
      o: actions.toggleOverlay,
      w: actions.toggleWipe,
      f: actions.toggleFullScreen,
      "[": shift(-OPACITY_STEP),
      "]": shift(OPACITY_STEP),
    };
    return keys[key.toLowerCase()] ?? (isSlider ? undefined : moves[key]);
  }
}

function keep(view: Partial<View>): void {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(view));
  } catch {
    // Some browsers forbid it; then nothing is kept.
  }
}

/** Return what was kept; nothing if it is damaged, since anything may stand there. */
function recall(): Partial<View> {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
    const isValid = typeof kept.isOn === "boolean" && kept.opacity >= 0 && kept.opacity <= 100;
    return isValid ? { isOn: kept.isOn, opacity: kept.opacity } : {};
  } catch {
    return {};
  }
}

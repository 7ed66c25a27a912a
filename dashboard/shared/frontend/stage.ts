// The images over each other in OpenSeadragon: zoom, pan, opacity and wipe.
import OpenSeadragon from "openseadragon";
import { NAMES, type Detail, type Layers, type Name } from "./layers";

export interface View {
  /** Whether anything is shown over the photograph. */
  isOn: boolean;
  /** Of the overlay, in percent. */
  opacity: number;
  /** The share of the width, from the left, that shows the photograph alone; null without wipe. */
  wipe: number | null;
}

const MOST_ZOOM = 16; // screen pixels per pixel of the image
const LEAST_SHARE = 0.8; // of the stage
const STEP = 1.3;
const PAN = 0.15; // of what is visible

/** Where the photograph lies: its left, its top and its width, and by how much it is turned. */
export interface Placement {
  x: number;
  y: number;
  width: number;
  degrees: number; // about its centre, clockwise
}

export interface Place {
  x: number;
  y: number;
}

/** What is visible: its centre, and the zoom. */
export interface Viewport extends Place {
  zoom: number;
}

export interface Listener {
  zoomed?(percent: number): void;
  /** Whether the photograph can be shown. */
  shown?(isShown: boolean): void;
  /** What is visible has changed. */
  moved?(): void;
  /** A person has begun to use this stage. */
  taken?(): void;
  /** A pointer is pressed, in pixels of the screen; true keeps what it then drags. */
  pressed?(at: Place): boolean;
  dragged?(at: Place): void;
  released?(): void;
  /** A click or a tap; true keeps it. */
  clicked?(at: Place): boolean;
  /** Whether a second click is one more click, and no zoom. */
  keepsClicks?(): boolean;
}

const WHOLE: Placement = { x: 0, y: 0, width: 1, degrees: 0 };

export class Stage {
  private placement = WHOLE;
  private isKept = false; // what is dragged
  private readonly viewer: OpenSeadragon.Viewer;
  private readonly items = new Map<Name, OpenSeadragon.TiledImage>();
  private detail: Detail | null = null;
  private shown: Partial<Record<Name, string | null>> = {};
  private view: View = { isOn: true, opacity: 60, wipe: null };

  constructor(
    element: HTMLElement,
    private readonly listener: Listener,
  ) {
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.viewer = OpenSeadragon({
      element,
      drawer: "canvas",
      showNavigationControl: false,
      animationTime: isCalm ? 0 : 0.25,
      visibilityRatio: 0.5,
      constrainDuringPan: true,
      maxZoomPixelRatio: MOST_ZOOM,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
      gestureSettingsTouch: { flickEnabled: false },
    });
    // The viewer has keys of its own, which buttons and the page around it know too.
    this.viewer.addHandler("canvas-key", (event) => {
      event.preventDefaultAction = true;
    });
    const follow = () => {
      this.clip();
      this.reportZoom();
      this.refine();
      this.listener.moved?.();
    };
    this.viewer.addHandler("viewport-change", follow);
    this.viewer.addHandler("resize", () => requestAnimationFrame(follow));
    this.listen();
  }

  private listen(): void {
    const { viewer, listener } = this;
    const take = () => listener.taken?.();
    viewer.addHandler("canvas-scroll", take);
    this.canvas.addEventListener("focus", take);
    viewer.addHandler("canvas-press", ({ position }) => {
      take();
      this.isKept = listener.pressed?.(position) ?? false;
    });
    viewer.addHandler("canvas-drag", (event) => {
      if (!this.isKept) return;
      event.preventDefaultAction = true;
      listener.dragged?.(event.position);
    });
    viewer.addHandler("canvas-drag-end", (event) => {
      if (this.isKept) event.preventDefaultAction = true;
    });
    viewer.addHandler("canvas-release", () => {
      if (this.isKept) listener.released?.();
    });
    viewer.addHandler("canvas-click", (event) => {
      if (event.quick && listener.clicked?.(event.position)) event.preventDefaultAction = true;
    });
    viewer.addHandler("canvas-double-click", (event) => {
      if (listener.keepsClicks?.()) event.preventDefaultAction = true;
    });
  }

  /** The element that is focused, and that gets the keys. */
  get canvas(): HTMLElement {
    return this.viewer.canvas as HTMLElement;
  }

  /** Show images. The same photograph keeps its place; another one is fitted to the stage. */
  show(layers: Layers, placement = WHOLE): void {
    const isMoved = JSON.stringify(placement) !== JSON.stringify(this.placement);
    const isOther = isMoved || layers.addresses.photograph !== this.shown.photograph;
    this.placement = placement;
    this.detail = layers.detail ?? (isOther ? null : this.detail);
    if (isOther) {
      this.viewer.world.removeAll();
      this.items.clear();
      this.shown = {};
    }
    for (const name of ["photograph", "marks", "overlay"] as const) {
      const address = layers.addresses[name];
      if (this.shown[name] === address) continue;
      this.shown[name] = address;
      if (address) this.load(name, address);
      else this.drop(name);
    }
  }

  apply(view: View): void {
    this.view = view;
    this.clip();
  }

  zoom(direction: 1 | -1): void {
    this.viewer.viewport.zoomBy(STEP ** direction).applyConstraints();
  }

  pan(horizontal: number, vertical: number): void {
    const visible = this.viewer.viewport.getBounds();
    const step = new OpenSeadragon.Point(
      horizontal * PAN * visible.width,
      vertical * PAN * visible.height,
    );
    this.viewer.viewport.panBy(step).applyConstraints();
  }

  fit(isImmediate = false): void {
    this.viewer.viewport.goHome(isImmediate);
  }

  get viewport(): Viewport {
    const { viewport } = this.viewer;
    const { x, y } = viewport.getCenter(true);
    return { x, y, zoom: viewport.getZoom(true) };
  }

  /** Show at once what another stage shows. */
  follow({ x, y, zoom }: Viewport): void {
    this.viewer.viewport.zoomTo(zoom, undefined, true);
    this.viewer.viewport.panTo(new OpenSeadragon.Point(x, y), true);
  }

  /** The zoom at which the whole photograph fits the stage, and its height in widths. */
  get fitted(): { zoom: number; aspect: number } {
    const photograph = this.items.get("photograph");
    const size = photograph?.getContentSize();
    const aspect = size ? size.y / size.x : 1;
    return { zoom: this.viewer.viewport.getHomeZoom(), aspect };
  }

  /** Return where shares of the photograph's sides are on the stage, in pixels of the screen. */
  toStage(share: Place): Place {
    const { viewport } = this.viewer;
    return viewport.viewportToViewerElementCoordinates(this.turn(this.scale(share), 1));
  }

  /** Return which shares of the photograph's sides a place on the stage is. */
  toShare(at: Place): Place {
    const point = new OpenSeadragon.Point(at.x, at.y);
    const { x, y } = this.turn(this.viewer.viewport.viewerElementToViewportCoordinates(point), -1);
    const { placement } = this;
    const height = placement.width * this.fitted.aspect;
    return { x: (x - placement.x) / placement.width, y: (y - placement.y) / height };
  }

  private scale({ x, y }: Place): OpenSeadragon.Point {
    const { placement } = this;
    const height = placement.width * this.fitted.aspect;
    return new OpenSeadragon.Point(placement.x + x * placement.width, placement.y + y * height);
  }

  private turn(point: OpenSeadragon.Point, direction: 1 | -1): OpenSeadragon.Point {
    return point.rotate(direction * this.placement.degrees, this.scale({ x: 0.5, y: 0.5 }));
  }

  /** Show one pixel of the photograph as one pixel of the screen. */
  showActualPixels(): void {
    const photograph = this.items.get("photograph");
    if (!photograph) return;
    this.viewer.viewport.zoomTo(this.findActualZoom(photograph)).applyConstraints();
  }

  destroy(): void {
    this.viewer.destroy();
  }

  private load(name: Name, address: string): void {
    const isWanted = () => this.shown[name] === address;
    this.viewer.addTiledImage({
      tileSource: { type: "image", url: address } as unknown as OpenSeadragon.TileSource,
      opacity: 0,
      ...this.placement,
      success: (event) => {
        const item = (event as unknown as { item: OpenSeadragon.TiledImage }).item;
        if (!isWanted()) return this.viewer.world.removeItem(item);
        this.drop(name);
        this.items.set(name, item);
        this.order();
        this.clip();
        if (name !== "photograph") return;
        this.fit(true);
        // A photograph smaller than the stage is shown in its own pixels, too.
        const least = LEAST_SHARE * this.viewer.viewport.getHomeZoom();
        const viewport = this.viewer.viewport as OpenSeadragon.Viewport & { minZoomLevel: number };
        viewport.minZoomLevel = Math.min(least, this.findActualZoom(item));
        this.reportZoom();
        this.listener.shown?.(true);
        this.listener.moved?.();
      },
      error: () => {
        // The page replaces images while it runs again; the next address is on its way then.
        if (isWanted() && name === "photograph") this.listener.shown?.(false);
        if (isWanted()) this.shown[name] = undefined;
      },
    });
  }

  private drop(name: Name): void {
    const item = this.items.get(name);
    if (item) this.viewer.world.removeItem(item);
    this.items.delete(name);
  }

  private order(): void {
    NAMES.flatMap((name) => this.items.get(name) ?? []).forEach((item, index) =>
      this.viewer.world.setItemIndex(item, index),
    );
  }

  /** Hide and cut what lies over the photograph, as the view says. */
  private clip(): void {
    for (const name of ["photograph", "detail"] as const) this.items.get(name)?.setOpacity(1);
    const strength: Record<string, number> = { marks: 1, overlay: this.view.opacity / 100 };
    for (const name of ["marks", "overlay"] as const) {
      const item = this.items.get(name);
      if (!item) continue;
      const { x: width, y: height } = item.getContentSize();
      const left = this.view.wipe === null ? 0 : this.findEdge(item, width, this.view.wipe);
      item.setOpacity(this.view.isOn && left < width ? strength[name]! : 0);
      if ((item.getClip()?.x ?? 0) !== left) {
        item.setClip(left ? new OpenSeadragon.Rect(left, 0, width - left, height) : null);
      }
    }
  }

  private findEdge(item: OpenSeadragon.TiledImage, width: number, share: number): number {
    const edge = new OpenSeadragon.Point(share * this.viewer.element.clientWidth, 0);
    const { x } = item.viewerElementToImageCoordinates(edge);
    return Math.min(Math.max(x, 0), width);
  }

  private reportZoom(): void {
    const photograph = this.items.get("photograph");
    if (!photograph) return;
    const zoom = this.viewer.viewport.getZoom(true) / this.findActualZoom(photograph);
    this.listener.zoomed?.(Math.round(100 * zoom));
  }

  /** Fetch the photograph's own pixels once the screen has more than the page's picture. */
  private refine(): void {
    const photograph = this.items.get("photograph");
    const address = this.detail?.detail;
    if (!photograph || !address || this.shown.detail === address) return;
    const zoom = photograph.viewportToImageZoom(this.viewer.viewport.getZoom(true));
    if (zoom * window.devicePixelRatio <= 1) return;
    this.shown.detail = address;
    this.load("detail", address);
  }

  /** Return the zoom at which one of the photograph's own pixels is one pixel of the screen. */
  private findActualZoom(photograph: OpenSeadragon.TiledImage): number {
    const { x: width } = photograph.getContentSize();
    const share = (this.detail?.width ?? width) / width;
    return photograph.imageToViewportZoom(share / window.devicePixelRatio);
  }
}

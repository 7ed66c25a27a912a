// An outline over a photograph, as lines that keep their width, with its corners while it is drawn.
import type { Place, Stage } from "../../shared/frontend/stage";
import type { Corner, Draft } from "./draft";

const NAMESPACE = "http://www.w3.org/2000/svg";
const MANY = 40; // corners that would hide the line between them
const REACH = 16; // screen pixels from a corner, and from a line, that a finger still hits

export class Outline {
  readonly element = document.createElementNS(NAMESPACE, "svg");
  private corners: readonly Corner[] = [];
  private draft: Draft | null = null;
  private isShown = true;

  constructor(private readonly stage: () => Stage) {
    this.element.setAttribute("class", "outline");
    this.element.setAttribute("aria-hidden", "true"); // the page says it in words
  }

  show(corners: readonly Corner[], draft: Draft | null, isShown: boolean): void {
    [this.corners, this.draft, this.isShown] = [corners, draft, isShown];
    this.draw();
  }

  /** Draw the lines where the photograph is now. */
  draw(): void {
    const corners = this.draft?.corners ?? (this.isShown ? this.corners : []);
    const places = corners.map(([x, y]) => this.stage().toStage({ x, y }));
    const path = places.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
    const kinds = places.length ? ["under", "over"] : [];
    const lines = kinds.map((kind) => this.make("polygon", { class: kind, points: path }));
    const marks = this.draft ? places.map((place, number) => this.mark(place, number)) : [];
    marks.push(...marks.splice(this.draft?.active ?? 0, 1)); // the active one above the others
    this.element.replaceChildren(...lines, ...marks);
  }

  /** Return the corner that a pointer hits; null for none. */
  findCorner(at: Place): number | null {
    const distances = this.place().map((corner) => Math.hypot(corner.x - at.x, corner.y - at.y));
    const nearest = Math.min(...distances);
    return nearest <= REACH ? distances.indexOf(nearest) : null;
  }

  /** Return the corner after which a line passes that a pointer hits; null for none. */
  findLine(at: Place): number | null {
    const places = this.place();
    if (places.length < 2) return null;
    const distances = places.map((from, number) =>
      measure(at, from, places[(number + 1) % places.length]!),
    );
    const nearest = Math.min(...distances);
    return nearest <= REACH ? distances.indexOf(nearest) : null;
  }

  private place(): Place[] {
    return (this.draft?.corners ?? []).map(([x, y]) => this.stage().toStage({ x, y }));
  }

  private mark({ x, y }: Place, number: number): SVGElement {
    const isActive = number === this.draft!.active;
    return this.make("circle", {
      class: isActive ? "corner active" : "corner",
      cx: x.toFixed(1),
      cy: y.toFixed(1),
      r: isActive ? "9" : this.draft!.corners.length > MANY ? "3" : "5",
    });
  }

  private make(tag: string, attributes: Record<string, string>): SVGElement {
    const element = document.createElementNS(NAMESPACE, tag) as SVGElement;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }
}

/** Return the distance from a place to a line between two others. */
function measure(at: Place, from: Place, to: Place): number {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy;
  const along = length ? ((at.x - from.x) * dx + (at.y - from.y) * dy) / length : 0;
  const share = Math.min(1, Math.max(0, along));
  return Math.hypot(at.x - from.x - share * dx, at.y - from.y - share * dy);
}

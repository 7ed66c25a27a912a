// An outline while a person draws or corrects it: corners, the active one, and what was before.
import type { Place } from "../../shared/frontend/stage";

export type Corner = [number, number]; // shares of the photograph's width and height

const MOST_UNDONE = 200;
const FEWEST = 3; // corners of an outline

export class Draft {
  private before: Corner[][] = [];
  private after: Corner[][] = [];
  private active_ = 0;

  /**
   * @param corners Where it begins.
   * @param version Of the kept outline that it corrects; 0 for a new one.
   */
  constructor(
    private corners_: Corner[],
    readonly version: number,
  ) {}

  get corners(): readonly Corner[] {
    return this.corners_;
  }

  /** The number of the corner that keys move; 0 without corners. */
  get active(): number {
    return Math.max(0, Math.min(this.active_, this.corners_.length - 1));
  }

  get isComplete(): boolean {
    return new Set(this.corners_.map(String)).size >= FEWEST;
  }

  get canUndo(): boolean {
    return this.before.length > 0;
  }

  get canRedo(): boolean {
    return this.after.length > 0;
  }

  /** Keep what is now, so that the next changes can be undone together. */
  begin(): void {
    this.before = [...this.before, copy(this.corners_)].slice(-MOST_UNDONE);
    this.after = [];
  }

  activate(number: number): void {
    const count = this.corners_.length;
    if (count) this.active_ = (number + count) % count;
  }

  /** Add a corner, which becomes the active one. */
  insert(at: Place, number = this.corners_.length ? this.active + 1 : 0): void {
    this.begin();
    this.corners_.splice(number, 0, keepInside(at));
    this.active_ = number;
  }

  /** Add a corner halfway to the next one; the first two are placed for the person to move. */
  insertHalfway(middle: Place, aside: number): void {
    const count = this.corners_.length;
    if (!count) return this.insert(middle);
    const [x, y] = this.corners_[this.active]!;
    if (count === 1) return this.insert({ x: x + aside, y });
    const [nextX, nextY] = this.corners_[(this.active + 1) % count]!;
    this.insert({ x: (x + nextX) / 2, y: (y + nextY) / 2 });
  }

  /** Move the active corner; call `begin` before the first step. */
  move(to: Place): void {
    if (this.corners_.length) this.corners_[this.active] = keepInside(to);
  }

  remove(): void {
    if (!this.corners_.length) return;
    this.begin();
    const number = this.active;
    this.corners_.splice(number, 1);
    this.active_ = Math.max(0, number - 1);
  }

  clear(): void {
    this.begin();
    this.corners_ = [];
  }

  /** Leave out half of the corners: each time the one whose triangle is smallest. */
  thin(): void {
    this.begin();
    const target = Math.max(FEWEST, Math.ceil(this.corners_.length / 2));
    while (this.corners_.length > target) {
      const areas = this.corners_.map((corner, number, all) =>
        measureTriangle(all.at(number - 1)!, corner, all[(number + 1) % all.length]!),
      );
      this.corners_.splice(areas.indexOf(Math.min(...areas)), 1);
    }
  }

  undo(): void {
    this.step(this.before, this.after);
  }

  redo(): void {
    this.step(this.after, this.before);
  }

  private step(from: Corner[][], to: Corner[][]): void {
    const corners = from.pop();
    if (!corners) return;
    to.push(this.corners_);
    this.corners_ = corners;
  }
}

function copy(corners: Corner[]): Corner[] {
  return corners.map(([x, y]) => [x, y]);
}

function keepInside({ x, y }: Place): Corner {
  const keep = (share: number) => Math.min(1, Math.max(0, Math.round(1e5 * share) / 1e5));
  return [keep(x), keep(y)];
}

function measureTriangle([x, y]: Corner, [u, v]: Corner, [w, z]: Corner): number {
  return Math.abs((u - x) * (z - y) - (w - x) * (v - y));
}

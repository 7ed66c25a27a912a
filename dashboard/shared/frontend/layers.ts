// The images that a viewer shows. The page draws them as plain images below the viewer; a style
// sheet hides those while the viewer stands, and they stay where it cannot run.

// From the lowest to the highest. The detail is the photograph in its own pixels.
export const NAMES = ["photograph", "detail", "marks", "overlay"] as const;
const DRAWN = ["photograph", "marks", "overlay"] as const; // by the page
export type Name = (typeof NAMES)[number];

export interface Layers {
  /** The address of each image; null for one that is not there. */
  addresses: Record<(typeof DRAWN)[number], string | null>;
  /** The photograph's own pixels; null if its address has them all. */
  detail: Detail | null;
  /** What the highest one shows, in words. */
  description: string;
}

/** What the server offers of a photograph. Addresses are compared by file name. */
export interface Detail {
  photograph: string;
  detail: string;
  width: number; // in pixels
}

/** Return what the page draws; null before it has drawn the photograph. */
export function readLayers(
  find: (name: Name) => HTMLImageElement | null,
  offered: Partial<Detail>,
): Layers | null {
  const addresses = Object.fromEntries(DRAWN.map((name) => [name, find(name)?.src || null]));
  const description = (find("overlay") ?? find("photograph"))?.alt ?? "";
  if (!addresses.photograph) return null;
  const detail = findDetail(addresses.photograph, offered);
  return { addresses: addresses as Layers["addresses"], detail, description };
}

/** Return the offer with its whole address; null if it is of another photograph. */
function findDetail(photograph: string, offered: Partial<Detail>): Detail | null {
  const { photograph: name, detail, width } = offered;
  if (!name || !detail || !width) return null;
  if (nameFile(name) !== nameFile(photograph)) return null;
  const address = new URL(nameFile(detail), new URL(photograph, document.baseURI)).href;
  return { photograph: name, detail: address, width };
}

function nameFile(address: string): string {
  return address.split("/").at(-1)!;
}

// The images that the viewer shows. The page draws them as plain images below the viewer; a style
// sheet hides those while the viewer stands, and they stay where it cannot run.

export const NAMES = ["photograph", "marks", "overlay"] as const; // from the lowest to the highest
export type Name = (typeof NAMES)[number];

export interface Layers {
  /** The address of each image; null for one that is not there. */
  addresses: Record<Name, string | null>;
  /** What the highest one shows, in words. */
  description: string;
}

export function readLayers(page: ParentNode): Layers | null {
  const find = (name: Name) => page.querySelector<HTMLImageElement>(`.st-key-layer-${name} img`);
  const addresses = Object.fromEntries(NAMES.map((name) => [name, find(name)?.src || null]));
  const description = (find("overlay") ?? find("photograph"))?.alt ?? "";
  if (!addresses.photograph) return null;
  return { addresses: addresses as Layers["addresses"], description };
}

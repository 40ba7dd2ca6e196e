/** What files are called where people read of them. */
import { isAbsolute, relative, sep } from "node:path";

/** The path relative to the root, with slashes, if it is below it; else as it is. */
export function shownFrom(root: string, path: string): string {
  const inside = relative(root, path);
  return inside.startsWith("..") || isAbsolute(inside) ? path : inside.split(sep).join("/");
}

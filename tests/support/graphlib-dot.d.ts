/** The package comes without types. */
declare module "@dagrejs/graphlib-dot" {
  import type { Graph } from "@dagrejs/graphlib";
  /** Throws if the text is no DOT. */
  export function read(text: string): Graph;
}

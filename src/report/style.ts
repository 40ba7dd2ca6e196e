/** Colours, as functions from text to text, so that a report can be made without any. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
}

const same = (text: string) => text;

/** No colours: for files, pipes and tests. */
export const plain: Style = { bold: same, dim: same, good: same, bad: same, warn: same };

/** How a report is laid out. */
export interface Look {
  /** Characters in a line. */
  readonly width: number;
  readonly style: Style;
}

/** Below this width no layout works, and lines are let run over instead. */
export const NARROWEST = 40;

/** Below this one nothing stands beside anything else: what has a column of its own elsewhere gets lines of its own. */
export const NARROW = 64;

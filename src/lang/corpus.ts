/** What a file of suites says of known bugs and of the commits that fixed them. */

/** A bug that somebody has had, and that a model may show again. */
export interface KnownBug {
  /** Its number, by which rows of `switches` name it. */
  readonly id: number;
  /** Short, in words with dashes between them. */
  readonly name: string;
  /** Year in which it was fixed. */
  readonly year: number;
  /** The commits that fixed it. A sha is null where it is not verified, a subject where the design's commits say it. */
  readonly fix: readonly { readonly sha: string | null; readonly subject: string | null }[];
  /** The bug whose fix made this one, or was not enough. */
  readonly follows?: number;
  /** Why no suite shows it: what the model would have to have. */
  readonly leftOut?: string;
}

/** Changes to a suite's design, as on the command line. */
export interface Change {
  readonly revert?: readonly string[];
  readonly apply?: readonly string[];
}

/** A commit whose absence turns a suite red: the suite is run in the two designs that differ by it. */
export interface Switch {
  /** Number of the known bug that it is, if it is one. */
  readonly entry?: number;
  /** The bug in a few words. */
  readonly bug: string;
  /** The commit that is switched, by its first twelve digits. */
  readonly commit: string;
  readonly suite: string;
  /** Property or check that is violated without the commit. */
  readonly red: string;
  readonly without: Change;
  readonly with: Change;
  /** What is red with the commit too, and why it is not enough. */
  readonly left?: { readonly red: string; readonly why: string };
}

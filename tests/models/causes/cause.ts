/** The form in which tests say what turns a property or a check red. */

/** Replaces the one occurrence of a text in a file. */
export interface Edit {
  readonly find: string;
  readonly replace: string;
}

export interface Cause {
  /** As the property's `seenRedBy` names it. */
  readonly name: string;
  /** The property or check that it turns red: violated, or vacuous if it is a witness. */
  readonly red: string;
  /** What turns red by the same step, or by one that is as near. */
  readonly also?: readonly string[];
  /** What turns red in fewer steps, and would end the run there. */
  readonly despite?: readonly string[];
  readonly suite: string;
  /** Properties to ask instead of the suite's, to see one that would be red later. */
  readonly asked?: readonly string[];
  readonly file?: string;
  readonly edits?: readonly Edit[];
  readonly revert?: readonly string[];
  readonly apply?: readonly string[];
  /** Threads of the suite that are left out. */
  readonly withoutThreads?: readonly string[];
}

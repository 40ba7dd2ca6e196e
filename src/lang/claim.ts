/** What somebody has said of designs, as statements that suites and audits decide. */

/** One thing that a claim rests on, as it comes out if the claim is true. */
export type Evidence = CheckEvidence | AuditEvidence;

/** What a suite finds of a property, by its code, or of an always-on check, by its name. `all` is everything that the suite asks. */
export interface CheckEvidence {
  readonly suite: string;
  readonly check: string;
  readonly is: "holds" | "violated";
}

/** How the designs of two suites compare under the scenario that the suites share. `observe` narrows what counts, as on the command line. */
export interface AuditEvidence {
  readonly audit: readonly [a: string, b: string];
  readonly observe?: readonly string[];
  readonly is: "equivalent" | "a-allows-more" | "b-allows-more" | "differ";
}

/** A statement with what it rests on, and what has been found of it. */
export interface Claim {
  /** Its number: `A5`. A statement that has to be split has a letter behind it, `C7a`. */
  readonly id: string;
  /** Why it is split. */
  readonly split?: string;
  /** The thread that it comes from, by its subject. */
  readonly system: string;
  /** The statement in one sentence. */
  readonly says: string;
  /** All of it comes out as it says if the claim is true. */
  readonly evidence: readonly Evidence[];
  /** What the claim is known to be: `iommu-mc claims` fails if it comes out otherwise. The last two are of questions whether designs are equivalent. */
  readonly verdict: "holds" | "refuted" | "equivalent" | "differs";
  /** What was found, what it rests on, and where it goes beyond what was said, or against it. */
  readonly reading: string;
  /** The page, below the folder of the findings, that says what was found against the opinion of those who said it. */
  readonly finding?: string;
}

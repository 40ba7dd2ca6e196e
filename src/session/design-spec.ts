/** Designs as a command line names them: `linux-6.1`, `linux-6.1+dcf40ed3a20d`, `linux-6.1-0286300e6045`. */
import type { Design } from "../lang/design.js";
import type { Suite } from "../lang/suite.js";
import { appliedCommits } from "../step/machine.js";

/** What a text names. */
export interface NamedDesign {
  /** The name without the changes. */
  readonly base: string;
  /** With the changes, called as the text has it; null if there is no design of that name. */
  readonly design: Design | null;
}

/** A name, and commits behind it that are put in (+) and taken out (-). */
const CHANGED = /^(.*?)((?:[+-][0-9a-f]{4,40})*)$/i;

/** The designs of the suites by name, each without commits that a suite of it adds. */
export function designsOf(suites: readonly Suite[]): ReadonlyMap<string, Design> {
  const designs = new Map<string, Design>();
  for (const { design } of suites) {
    const isOriginal = design.added === undefined;
    if (isOriginal || !designs.has(design.name)) designs.set(design.name, design);
  }
  return designs;
}

/** What the text names among the designs. Throws a ModelError if the changes make no sense. */
export function designNamed(text: string, designs: ReadonlyMap<string, Design>): NamedDesign {
  const whole = designs.get(text);
  if (whole !== undefined) return { base: text, design: whole };
  const [, base = text, changes = ""] = CHANGED.exec(text) ?? [];
  const design = designs.get(base);
  if (design === undefined) return { base, design: null };
  const signed = changes.toLowerCase().match(/[+-][0-9a-f]+/g) ?? [];
  const having = (sign: string) => signed.filter((each) => each.startsWith(sign)).map((each) => each.slice(1));
  return { base, design: { ...design, name: text, includes: [...appliedCommits(design, { apply: having("+"), revert: having("-") })] } };
}

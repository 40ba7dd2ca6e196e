/** Designs as a command line names them: `linux-6.1`, `linux-6.1+dcf40ed3a20d`, `linux-6.1-0286300e6045`. */
import type { Design } from "../lang/design.js";
import type { Suite } from "../lang/suite.js";
import { appliedCommits } from "../step/machine.js";

export interface DesignSpec {
  readonly name: string;
  /** Commits added to it. */
  readonly apply: readonly string[];
  /** Commits taken out of it. */
  readonly revert: readonly string[];
}

/** At least this many digits, so that `-6.1` or `-v2` belong to the name. */
const CHANGE = /([+-])([0-9a-f]{7,40})$/i;

export function parseDesignSpec(text: string): DesignSpec {
  const apply: string[] = [];
  const revert: string[] = [];
  let name = text;
  for (let match = CHANGE.exec(name); match !== null; match = CHANGE.exec(name)) {
    (match[1] === "+" ? apply : revert).unshift((match[2] as string).toLowerCase());
    name = name.slice(0, match.index);
  }
  return { name, apply, revert };
}

/** The design itself of each name, without commits that a suite of it adds. */
export function designsOf(suites: readonly Suite[]): ReadonlyMap<string, Design> {
  const designs = new Map<string, Design>();
  for (const { design } of suites) {
    const isOriginal = design.added === undefined;
    if (isOriginal || !designs.has(design.name)) designs.set(design.name, design);
  }
  return designs;
}

/** The design with the changes made to it, called as the text has it. Throws a ModelError if they make no sense. */
export function changedDesign(design: Design, text: string, { apply, revert }: DesignSpec): Design {
  if (apply.length === 0 && revert.length === 0) return design;
  return { ...design, name: text, includes: [...appliedCommits(design, { apply, revert })] };
}

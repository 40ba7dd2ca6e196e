import type { Schema } from "./schema.js";

/** A commit that a model knows how to be with and without. */
export interface Commit {
  readonly subject: string;
  /** First mainline release that has it: `v5.19`. */
  readonly since: string;
  /** Year of that release. */
  readonly year?: number;
  /** Of a commit whose sha is not known: the Message-Id of its patch, whose first twelve digits the design calls it by. */
  readonly messageId?: string;
  /** Commits whose mistake it mends, as its own Fixes: lines say, as far as the model knows them. */
  readonly fixes?: readonly string[];
  /** Commits that must be applied for this one to make sense. */
  readonly needs?: readonly string[];
}

/** A kernel version, or a proposal: a schema and the set of known commits that are applied. */
export interface Design<Sc extends Schema = Schema> {
  readonly name: string;
  /** What exactly is meant: `6.1.176 (Debian 6.1.176-1)`. */
  readonly version: string;
  readonly schema: Sc;
  /** Every commit the model can switch, by abbreviated sha (12 digits). */
  readonly commits: Readonly<Record<string, Commit>>;
  /** Those that are part of the design. */
  readonly includes: readonly string[];
  /** Those that `withCommits` has added. */
  readonly added?: readonly string[];
}

/** Declares a design. Throws if it includes a commit the model does not know. */
export function design<Sc extends Schema>(declaration: Design<Sc>): Design<Sc> {
  for (const sha of declaration.includes) {
    if (!declaration.commits[sha]) throw new Error(`design ${declaration.name} includes ${sha}, which its commits do not describe`);
  }
  return declaration;
}

/**
 * The same design with commits it does not include, for a suite that only says something with them:
 * `withCommits(linux61, "6eb4da8cf545")`. Its version says so. Throws if it knows no such commit, or has it already.
 */
export function withCommits<Sc extends Schema>(base: Design<Sc>, ...shas: readonly string[]): Design<Sc> {
  for (const sha of shas) {
    if (base.includes.includes(sha)) throw new Error(`design ${base.name} includes ${sha} already`);
  }
  return design({
    ...base,
    version: `${base.version} with ${shas.join(" and ")}`,
    includes: [...base.includes, ...shas],
    added: [...(base.added ?? []), ...shas],
  });
}

/** In which direction an abstraction errs. */
export type Errs = "may miss a bug" | "may cry wolf" | "neither";

/** A simplification of a model, stated where it is made and printed by every report of a design that uses it. */
export interface Abstraction {
  readonly what: string;
  readonly errs: Errs;
  /** That of the model that makes it, where several are loaded together. */
  readonly schema?: Schema;
}

const declared: Abstraction[] = [];

/**
 * States a simplification at module level of the model file that makes it:
 * `abstraction("container->group_lock is a mutex: only its write side is modelled", "neither")`.
 * Where several models are loaded together each names its schema, but for one: what it states is printed with its own suites only.
 */
export function abstraction(what: string, errs: Errs, schema?: Schema): void {
  declared.push(schema === undefined ? { what, errs } : { what, errs, schema });
}

/** Takes what has been stated since the last call: the loader calls it around each module. */
export function takeAbstractions(): readonly Abstraction[] {
  return declared.splice(0);
}

/** Which suites a command line means. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { SANITIZERS } from "../explore/outcome.js";
import type { Design } from "../lang/design.js";
import type { Suite } from "../lang/suite.js";
import { defaultCacheDir } from "../load/cache.js";
import { designNamed } from "../session/design-spec.js";
import { bundledSuites, modelLoader, openWith, type Session } from "../session/open.js";
import { VerdictCache } from "../session/verdict-cache.js";
import { appliedCommits, type Variant } from "../step/machine.js";
import { UsageError, unknownName } from "./errors.js";
import type { SelectionOptions } from "./options.js";

export interface Opened {
  readonly session: Session;
  /** The file as given on the command line; null for the bundled suites. */
  readonly file: string | null;
}

/** Opens a file of suites, or the bundled ones. */
export function open(file: string | undefined, loader = modelLoader()): Opened {
  if (file === undefined) return { session: openWith(loader, bundledSuites()), file: null };
  requireFile(file, "Give the path of a .ts file that exports suites.");
  return { session: openWith(loader, file), file };
}

/** Where outcomes are kept for work in this folder. */
export function verdictCache(): VerdictCache {
  return new VerdictCache(join(defaultCacheDir(process.cwd()), "verdicts"));
}

/** Throws a UsageError if there is no such file. */
export function requireFile(path: string, hint: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new UsageError(`there is no file ${path}`, hint);
  if (found.isDirectory()) throw new UsageError(`${path} is a folder`, hint);
}

/** Whether an argument that may be a design's name is a path. */
export function isPath(argument: string): boolean {
  return /\.[mc]?[jt]s$/.test(argument) || /[\\/]/.test(argument);
}

/** The suites that a command line means by its argument and options. `what` is a design's name, or the path of a file of suites. */
export function chosenSuites(
  what: string | undefined,
  { suite, scenario, property, file: named }: SelectionOptions,
  variant: Variant,
  loader = modelLoader(),
): Opened & { readonly suites: Suite[] } {
  const whatIsPath = what !== undefined && isPath(what);
  if (whatIsPath && named !== undefined) throw new UsageError(`two files are named: ${what} and ${named}`, "Give one of them.");
  const { session, file } = open(whatIsPath ? what : named, loader);
  const suites = select(session.suites, {
    ...(what === undefined || whatIsPath ? {} : { design: what }),
    ...(suite === undefined ? {} : { suite }),
    ...(scenario === undefined ? {} : { scenario }),
    ...(property === undefined ? {} : { property }),
  });
  // Said once for a design, and not again by each of its suites.
  for (const design of new Set(suites.map((each) => each.design))) appliedCommits(design, variant);
  return { session, file, suites };
}

export interface Selection {
  readonly design?: string;
  readonly suite?: string;
  readonly scenario?: string;
  readonly property?: string;
}

/** The suites that match everything asked for. Throws a UsageError that lists what there is if a name matches none. */
export function select(suites: readonly Suite[], selection: Selection): Suite[] {
  let chosen = [...suites];
  const { design, suite, scenario, property } = selection;
  const narrow = (kind: string, pattern: string, nameOf: (suite: Suite) => string) => {
    const matching = chosen.filter((candidate) => matches(nameOf(candidate), pattern));
    if (matching.length === 0) throw unknownName(kind, pattern, [...new Set(chosen.map(nameOf))]);
    chosen = matching;
  };
  if (design !== undefined) narrow("design", design, (candidate) => candidate.design.name);
  if (suite !== undefined) narrow("suite", suite, (candidate) => candidate.name);
  if (scenario !== undefined) narrow("scenario", scenario, (candidate) => candidate.scenario.name);
  return property === undefined ? chosen : onlyProperty(chosen, property);
}

/** The suite of that name. */
export function selectOne(suites: readonly Suite[], name: string): Suite {
  const found = suites.find((suite) => suite.name === name);
  if (!found) {
    throw unknownName(
      "suite",
      name,
      suites.map((suite) => suite.name),
    );
  }
  return found;
}

/** The design that a command line names, with its changes, and its name without them. */
export function selectDesign(text: string, designs: ReadonlyMap<string, Design>): { readonly base: string; readonly design: Design } {
  const { base, design } = designNamed(text, designs);
  if (design === null) throw unknownName("design", base, [...designs.keys()]);
  return { base, design };
}

/** `*` stands for anything, `?` for one character. */
export function matches(name: string, pattern: string): boolean {
  const expression = pattern
    .split(/([*?])/)
    .map((part) => (part === "*" ? ".*" : part === "?" ? "." : part.replace(/[\\^$.|+()[\]{}]/g, "\\$&")))
    .join("");
  return new RegExp(`^${expression}$`).test(name);
}

/** The suites that have the property, with no other. The always-on checks stay: they cost nothing and say when the model is wrong. */
function onlyProperty(suites: readonly Suite[], code: string): Suite[] {
  if ((SANITIZERS as readonly string[]).includes(code)) {
    throw new UsageError(`${code} is an always-on check, not a property`, "It is on in every run; leave --property out.");
  }
  const chosen = suites.flatMap((suite) => {
    const properties = suite.properties.filter((property) => property.code === code);
    if (properties.length === 0) return [];
    const kept = [code, ...(SANITIZERS as readonly string[])];
    const expected = Object.fromEntries(Object.entries(suite.expected ?? {}).filter(([check]) => kept.includes(check)));
    return [{ ...suite, properties, expected }];
  });
  if (chosen.length === 0) {
    const known = [...new Set(suites.flatMap(({ properties }) => properties.map((property) => property.code)))].sort();
    throw unknownName("property", code, known, "properties");
  }
  return chosen;
}

/** Opens a file of suites: loads it through the transformer, with the language and the step engine plugged in. */

import { resolve } from "node:path";
import { packageRoot } from "../explore/package-root.js";
import type { Claim } from "../lang/claim.js";
import type { KnownBug, Switch } from "../lang/corpus.js";
import { type Abstraction, takeAbstractions } from "../lang/design.js";
import { type Location, ModelError } from "../lang/errors.js";
import * as lang from "../lang/index.js";
import type { CoveragePoint } from "../lang/runtime.js";
import type { NotExercised, Suite } from "../lang/suite.js";
import type { CallGraph } from "../load/calls.js";
import { createLoader, type Loader, type LoaderOptions } from "../load/loader.js";
import { createRuntime } from "../step/runtime.js";

export type { CallGraph } from "../load/calls.js";
export { packageRoot };

/** The suites of a file, with what is needed to run them and to point into its source. */
export interface Session {
  readonly suites: readonly Suite[];
  /** Simplifications stated by the loaded model files. */
  readonly abstractions: readonly Abstraction[];
  readonly locate: (error: Error) => Location | null;
  /** Which functions of the loaded files call which. */
  readonly calls: () => CallGraph;
  /** Names of the procedures of all loaded files. */
  readonly procedures: ReadonlySet<string>;
  /** Places of the loaded files that a run may exercise or not; empty unless coverage was asked for. */
  readonly points: readonly CoveragePoint[];
  /** What the file says of those that its suites do not exercise. */
  readonly notExercised: readonly NotExercised[];
  /** What the file says of known bugs, and of the commits that fixed them. */
  readonly bugs: readonly KnownBug[];
  readonly switches: readonly Switch[];
  /** What the file says that somebody has claimed. */
  readonly claims: readonly Claim[];
  /** The file that was opened, absolute. */
  readonly file: string;
  /** What the loaded code is, and what of it has been entered. */
  readonly code: Pick<Loader, "entered" | "parts" | "texts">;
  /** Functions that were entered when the files were loaded, by making suites and scenarios. */
  readonly enteredAtLoad: ReadonlySet<string>;
}

/** The bundled suites. */
export function bundledSuites(): string {
  return resolve(packageRoot(), "reports/suites/index.ts");
}

/** A loader for model files. */
export function modelLoader(options: Partial<LoaderOptions> = {}): Loader {
  return createLoader({ lang, runtime: createRuntime, ...options });
}

/** Loads the file and collects the suites it exports (a suite, or an array of them). Throws a ModelError if it has none. */
export function openSuites(path: string, options: Partial<LoaderOptions> = {}): Session {
  return openWith(modelLoader(options), path);
}

/** The same with a loader of the caller's, that has loaded nothing yet. */
export function openWith(loader: Loader, path: string): Session {
  takeAbstractions();
  const { exports } = loader.load(path);
  const suites = Object.values(exports)
    .flatMap((value) => (Array.isArray(value) ? value : [value]))
    .filter(isSuite);
  if (suites.length === 0) {
    throw new ModelError(`${path} exports no suite`, "Export a suite({ … }), or an array of them.", { file: path, line: 1, column: 1 });
  }
  return session([...new Set(suites)], loader, exports);
}

/**
 * A session of suites that come from modules loaded before, and of what their file exports beside them. Throws a ModelError if two
 * suites have the same name.
 */
export function session(suites: readonly Suite[], loader: Loader, beside: Readonly<Record<string, unknown>> = {}): Session {
  const listed = <T>(name: string) => (Array.isArray(beside[name]) ? (beside[name] as readonly T[]) : []);
  const names = suites.map(({ name }) => name);
  const twice = names.find((name, position) => names.indexOf(name) !== position);
  if (twice) throw new ModelError(`two suites are called ${twice}`, "Give every suite a name of its own.");
  const procedures = new Set([...loader.procedures.values()].map(({ name }) => name));
  for (const { name, properties } of suites) {
    for (const { code, window } of properties) {
      if (window.kind === "onReturn" && !procedures.has(window.procedure)) {
        throw new ModelError(
          `property ${code} of suite ${name} watches the return of ${window.procedure}, which no loaded model file has`,
          "Correct the procedure's name in the property's window.",
        );
      }
    }
  }
  return {
    suites,
    abstractions: takeAbstractions(),
    locate: (error) => loader.locate(error) ?? null,
    calls: () => loader.calls(),
    procedures,
    points: loader.points,
    notExercised: listed<NotExercised>("notExercised"),
    bugs: listed<KnownBug>("bugs"),
    switches: listed<Switch>("switches"),
    claims: listed<Claim>("claims"),
    file: loader.files[0] ?? "",
    code: loader,
    enteredAtLoad: new Set(loader.entered),
  };
}

function isSuite(value: unknown): value is Suite {
  return typeof value === "object" && value !== null && "design" in value && "scenario" in value && "properties" in value;
}

/** The same for two threads, or two processes, that have loaded the same code. */
export function fingerprint({ code }: Session): string {
  const { outside, functions } = code.parts();
  return JSON.stringify([outside, ...functions.values()]);
}

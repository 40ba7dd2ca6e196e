/** Loads model files: compiles them (or finds them compiled), checks their types, and runs their top level. */
import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { compileFunction } from "node:vm";
import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { type Location, ModelError } from "../lang/errors.js";
import type { CoveragePoint, ModuleRuntime, ProcedureInfo, RuntimeFactory, Site } from "../lang/runtime.js";
import { type Cache, defaultCacheDir, hashOf, openCache, toolFingerprint } from "./cache.js";
import { type CallGraph, callGraph } from "./calls.js";
import { allSafeguards, type Instrumented, instrument, type Safeguards } from "./instrument.js";
import { ENTERED } from "./parts.js";
import { LoadError } from "./refusals.js";
import { shownFrom } from "./shown.js";
import { contentOf, type TypecheckResult, typecheck } from "./typecheck.js";

export interface LoadedModule {
  readonly exports: Record<string, unknown>;
  /** Absolute. */
  readonly path: string;
}

export interface Loader {
  /**
   * Loads a model file (.ts, or .js written like one) and what it imports; each file is loaded once. The path is
   * absolute, or relative to the working directory. Throws `ModelError`, located, for all that is wrong with it.
   */
  load(path: string): LoadedModule;
  /** The same for a text that need not be in a file; other texts and files may import it by that path. */
  loadSource(text: string, virtualPath: string): LoadedModule;
  /** The first place in model source in an error's stack, if there is one. */
  locate(error: Error): Location | undefined;
  /** Every model file loaded so far, absolute paths, in the order in which their evaluation began. */
  readonly files: readonly string[];
  /** Which functions of the loaded files call which. */
  calls(): CallGraph;
  /** The functions that have been entered, as `file#number`. Whoever wants to know since when empties it. */
  readonly entered: Set<string>;
  /** What the code of the files evaluated so far is, in parts. */
  parts(): CodeParts;
  /** The texts of the files evaluated so far, by their absolute paths. */
  texts(): ReadonlyMap<string, string>;
  /** Every file that was looked for or read so far, absolute paths: what to watch. */
  sources(): readonly string[];
  /** The procedures of all loaded files. The second of a name is found as `name@file`. */
  readonly procedures: ReadonlyMap<string, ProcedureInfo>;
  /** The coverage points of all loaded files; empty unless coverage is asked for. */
  readonly points: readonly CoveragePoint[];
}

export interface CodeParts {
  /** Hash of what stands outside of functions, of all files. */
  readonly outside: string;
  /** Hashes of the functions' bodies, by `file#number`. */
  readonly functions: ReadonlyMap<string, string>;
}

export interface LoaderOptions {
  /** What `import … from "iommu-mc"` gives. */
  readonly lang: Readonly<Record<string, unknown>>;
  /** Makes `$rt` for each module. */
  readonly runtime: RuntimeFactory;
  /** Files below it are shown relative to it in locations. Default: the working directory. */
  readonly root?: string;
  /** Where compiled files are kept; false for nowhere. Default: below `node_modules` of the root, or a temporary directory. */
  readonly cacheDir?: string | false;
  /** Default true. */
  readonly typecheck?: boolean;
  /** Whether it is collected which places of the model files are exercised. Default false. */
  readonly coverage?: boolean;
  /** For tests. */
  readonly safeguards?: Partial<Safeguards>;
}

/** Turns of all loops while one file is loaded, after which they are taken to be endless. */
const LONGEST_EVALUATION_ITERATIONS = 50_000_000;

/** What a file sees as `Math`, by whatever name it calls it. */
const repeatableMath: unknown = Object.freeze(
  Object.defineProperties(Object.create(Object.prototype), {
    ...Object.getOwnPropertyDescriptors(Math),
    random: {
      value: () => {
        throw new ModelError("randomness in a model file", "Use choose(), which tries every alternative.");
      },
    },
  }),
);

/** A file that has been compiled, with what its imports resolve to. */
interface Compiled extends Instrumented {
  readonly path: string;
  readonly imported: ReadonlyMap<string, string>;
}

export function createLoader(options: LoaderOptions): Loader {
  const root = resolve(options.root ?? process.cwd());
  const safeguards = { ...allSafeguards, ...options.safeguards };
  const cache: Cache = openCache(options.cacheDir ?? defaultCacheDir(root));
  const coverage = options.coverage ?? false;
  const keyBase = hashOf(toolFingerprint(), JSON.stringify({ ...safeguards, coverage }));
  const virtual = new Map<string, string>();
  const compiled = new Map<string, Compiled>();
  const modules = new Map<string, LoadedModule>();
  const typechecked = new Set<string>();
  const traceMaps = new Map<string, TraceMap>();
  const files: string[] = [];
  const procedures = new Map<string, ProcedureInfo>();
  const points: CoveragePoint[] = [];
  const entered = new Set<string>();
  const sources = new Set<string>();
  /** How many files are being evaluated, one from within the other, and the turns of their loops so far. */
  let evaluating = 0;
  let iterations = 0;
  /** As they were when so many files had been evaluated. */
  let partsKnown: { readonly of: number; readonly parts: CodeParts } | null = null;

  const shown = (path: string): string => shownFrom(root, path);

  /** The file an import means: `./schema.js` may be `schema.ts`. */
  function resolveImport(specifier: string, from: string): string | undefined {
    return candidatesFor(specifier, from).find((path) => virtual.has(path) || isFile(path));
  }

  function compile(path: string, importedAt?: Location): Compiled {
    const known = compiled.get(path);
    if (known) return known;
    sources.add(path);
    const text = contentOf(path, virtual);
    if (text === undefined) throw new LoadError("missing-import", `there is no file ${shown(path)}`, importedAt);
    const key = hashOf(keyBase, shown(path), text);
    let result = cache.get(key) as Instrumented | undefined;
    if (!result) {
      result = instrument(text, shown(path), { safeguards, coverage });
      cache.set(key, result);
    }
    const imported = new Map<string, string>();
    const own: Compiled = { ...result, path, imported };
    compiled.set(path, own);
    for (const { specifier, line, column, typeOnly } of result.imports) {
      if (!/^\.\.?\//.test(specifier)) continue;
      const location = { file: shown(path), line, column };
      const target = resolveImport(specifier, path);
      // Of what is imported as a type only, the type checker takes care.
      if (target === undefined && typeOnly) continue;
      if (target === undefined) {
        for (const candidate of candidatesFor(specifier, path)) sources.add(candidate);
        throw new LoadError("missing-import", `there is no file ${specifier}`, location);
      }
      imported.set(specifier, target);
      if (!typeOnly) compile(target, location);
    }
    return own;
  }

  function checkTypes(entry: string): void {
    if (options.typecheck === false || typechecked.has(entry)) return;
    const key = hashOf(keyBase, "types", root, entry);
    const before = cache.get(key) as { files: [string, string][] } | undefined;
    const unchanged = before?.files.every(([path, hash]) => {
      const text = contentOf(path, virtual);
      return text !== undefined && hashOf(text) === hash;
    });
    let result: TypecheckResult;
    if (before && unchanged) result = { files: before.files.map(([path]) => path) };
    else {
      result = typecheck({ entry, virtual, shown });
      cache.set(key, { files: result.files.map((path) => [path, hashOf(contentOf(path, virtual) ?? "")]) });
    }
    for (const path of result.files) typechecked.add(path);
  }

  function evaluate(path: string): LoadedModule {
    const known = modules.get(path);
    if (known) return known;
    const { parts, js, sites, procedures: own, points: ownPoints, imported } = compile(path);
    const holder: { exports: Record<string, unknown> } = { exports: {} };
    const loaded: LoadedModule = {
      path,
      get exports() {
        return holder.exports;
      },
    };
    // Before it runs, so that a cycle of imports finds what there is so far.
    modules.set(path, loaded);
    files.push(path);
    for (const procedure of own) {
      procedures.set(procedures.has(procedure.name) ? `${procedure.name}@${shown(path)}` : procedure.name, procedure);
    }
    const firstPoint = points.length;
    points.push(...ownPoints.map((point) => ({ ...point, within: point.within < 0 ? -1 : firstPoint + point.within })));
    const requireFrom = (specifier: string): unknown => {
      if (specifier === "iommu-mc") return options.lang;
      const target = imported.get(specifier);
      if (target === undefined) throw new Error(`"${specifier}" is not an import of ${path}`);
      return evaluate(target).exports;
    };
    const keys = parts.functions.map((_, number) => partKey(path, number));
    const enter = (number: number) => entered.add(keys[number] as string);
    const run = compileFunction(js, ["exports", "require", "module", "$rt", "Math", ENTERED], { filename: path });
    evaluating++;
    try {
      run.call(undefined, holder.exports, requireFrom, holder, runtimeFor(sites, own, firstPoint), repeatableMath, enter);
    } catch (thrown) {
      modules.delete(path);
      throw asModelError(thrown, path);
    } finally {
      evaluating--;
      if (evaluating === 0) iterations = 0;
    }
    return loaded;
  }

  /** The runtime as its maker gives it, but able to count loops while no thread runs yet. */
  function runtimeFor(sites: readonly Site[], own: readonly ProcedureInfo[], firstPoint: number): ModuleRuntime {
    const runtime = options.runtime(sites, own, firstPoint);
    const tick = (location: Location): void => {
      if (evaluating === 0) runtime.tick(location);
      else if (++iterations > LONGEST_EVALUATION_ITERATIONS) throw new LoadError("evaluation", "this loop does not end", location);
    };
    return Object.create(runtime, { tick: { value: tick } }) as ModuleRuntime;
  }

  /** What went wrong at the top level of a model file, at its place in the source. */
  function asModelError(thrown: unknown, path: string): ModelError {
    if (thrown instanceof LoadError || (thrown instanceof ModelError && thrown.location)) return thrown;
    const location = (thrown instanceof Error ? locate(thrown) : undefined) ?? { file: shown(path), line: 1, column: 1 };
    if (thrown instanceof ModelError) return new LoadError("evaluation", thrown.message, location, thrown.hint);
    return new LoadError("evaluation", thrown instanceof Error ? thrown.message : String(thrown), location);
  }

  function locate(error: Error): Location | undefined {
    for (const line of error.stack?.split("\n") ?? []) {
      const frame = /^\s*at (?:.*\()?(.+):(\d+):(\d+)\)?$/.exec(line);
      if (!frame) continue;
      const [, file, row, column] = frame as unknown as [string, string, string, string];
      const module = compiled.get(file);
      if (!module) continue;
      let map = traceMaps.get(file);
      if (!map) {
        map = new TraceMap(module.map);
        traceMaps.set(file, map);
      }
      const position = originalPositionFor(map, { line: Number(row), column: Number(column) - 1 });
      if (position.line !== null) return { file: shown(file), line: position.line, column: position.column + 1 };
    }
    return undefined;
  }

  function partKey(path: string, number: number): string {
    return `${shown(path)}#${number}`;
  }

  function parts(): CodeParts {
    if (partsKnown?.of === files.length) return partsKnown.parts;
    const evaluated = files.map((path) => ({ path, parts: (compiled.get(path) as Compiled).parts }));
    const parts = {
      outside: hashOf(...evaluated.flatMap(({ path, parts: own }) => [shown(path), own.outside])),
      functions: new Map(
        evaluated.flatMap(({ path, parts: own }) => own.functions.map((hash, number) => [partKey(path, number), hash] as const)),
      ),
    };
    partsKnown = { of: files.length, parts };
    return parts;
  }

  function load(path: string): LoadedModule {
    const absolute = resolve(path);
    const known = modules.get(absolute);
    if (known) return known;
    compile(absolute, undefined);
    checkTypes(absolute);
    return evaluate(absolute);
  }

  return {
    load,
    loadSource: (text, virtualPath) => {
      const absolute = resolve(virtualPath);
      if (modules.has(absolute) && virtual.get(absolute) !== text) throw new Error(`${absolute} is already loaded with another text`);
      virtual.set(absolute, text);
      return load(absolute);
    },
    locate,
    files,
    calls: () =>
      callGraph(
        files.map((path) => ({
          shown: shown(path),
          text: contentOf(path, virtual) ?? "",
          imports: new Map([...(compiled.get(path)?.imported ?? [])].map(([specifier, target]) => [specifier, shown(target)])),
        })),
      ),
    entered,
    parts,
    texts: () => new Map(files.map((path) => [path, contentOf(path, virtual) ?? ""])),
    sources: () => [...sources],
    procedures,
    points,
  };
}

/** Where the file of an import may be, the first that is there. TypeScript takes the .ts when both are. */
function candidatesFor(specifier: string, from: string): string[] {
  const plain = resolve(dirname(from), specifier);
  return plain.endsWith(".js") ? [plain.replace(/\.js$/, ".ts"), plain] : [plain, `${plain}.ts`, `${plain}.js`];
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

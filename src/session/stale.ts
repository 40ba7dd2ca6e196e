/** Which procedures of a model are of C functions that have changed since, by fingerprints recorded of the versions they were modelled from. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { type CFunction, functionsOf } from "./c-source.js";

/** A procedure whose docstring says which lines of which versions it is a translation of. */
export interface Modelled {
  /** Model file, below the folder of the models. */
  readonly file: string;
  readonly procedure: string;
  /** Line of the C function by version: `6.1.176 line 1904`. */
  readonly versions: ReadonlyMap<string, number>;
}

/** What is recorded of a C function. */
export interface Source {
  readonly file: string;
  readonly line: number;
  readonly hash: string;
}

/** By version, then by `file:procedure` of the model. No text of the kernel. */
export type Sources = Readonly<Record<string, Readonly<Record<string, Source>>>>;

export const SOURCES = "sources.json";

/** Where functions that are modelled may be. */
const FOLDERS = [
  ...["amba", "acpi", "base", "bus", "iommu", "of", "pci", "vfio", "xen"].map((folder) => `drivers/${folder}`),
  ...["arm/mm", "arm64/mm", "powerpc/kernel", "powerpc/platforms", "powerpc/sysdev", "s390/pci"].map((folder) => `arch/${folder}`),
  "include/linux",
  "kernel/dma",
];

/** The procedures of the models below the folder that say what they are translations of. */
export function modelledIn(folder: string): Modelled[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".ts") && !name.endsWith(".d.ts"),
  );
  return files.sort().flatMap((name) => {
    const text = readFileSync(join(folder, name), "utf8");
    const documented = text.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(?:export )?function\*? (\w+)/g);
    return [...documented].flatMap(([, docs, procedure]): Modelled[] => {
      const places = [...(docs as string).matchAll(/(?:(\w+)\(\) \()?(\d+\.\d+\.\d+)(?: [\w/.-]+\.[ch])? lines? (\d+)/g)];
      // `other() (6.1.176 line 527)` is the place of another; of two places in one version the first is the function's own.
      const own = places.filter(([, other]) => other === undefined || other === procedure);
      const versions = new Map(own.map(([, , version, line]) => [version as string, Number(line)] as const).reverse());
      return versions.size === 0 ? [] : [{ file: name.split(sep).join("/"), procedure: procedure as string, versions }];
    });
  });
}

/** `6.1.176`, from a kernel tree's Makefile; null if it has none. */
export function versionOf(tree: string): string | null {
  const makefile = join(tree, "Makefile");
  if (!existsSync(makefile)) return null;
  const text = readFileSync(makefile, "utf8");
  const numbers = ["VERSION", "PATCHLEVEL", "SUBLEVEL"].map((name) => new RegExp(`^${name} = (\\d+)$`, "m").exec(text)?.[1]);
  return numbers.includes(undefined) ? null : numbers.join(".");
}

export type Definition = CFunction & { readonly file: string };

/** Where the tree defines functions of these names. */
export function definitionsIn(tree: string, names: ReadonlySet<string>): ReadonlyMap<string, readonly Definition[]> {
  const found = new Map<string, Definition[]>();
  for (const folder of FOLDERS.map((each) => join(tree, each)).filter((each) => existsSync(each))) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.[ch]$/.test(entry.name)) continue;
      const path = join(entry.parentPath, entry.name);
      const text = readFileSync(path, "utf8");
      if (![...text.matchAll(/\w+(?=\()/g)].some(([word]) => names.has(word))) continue;
      const file = relative(tree, path).split(sep).join("/");
      for (const each of functionsOf(text)) {
        if (names.has(each.name)) found.set(each.name, [...(found.get(each.name) ?? []), { ...each, file }]);
      }
    }
  }
  return found;
}

export function keyOf({ file, procedure }: Modelled): string {
  return `${file}:${procedure}`;
}

/** The definition that stands where the docstring says, or next to it. */
export function nearestTo(line: number, definitions: readonly Definition[]): Definition | null {
  return [...definitions].sort((one, other) => Math.abs(one.line - line) - Math.abs(other.line - line))[0] ?? null;
}

/**
 * `same`: as in some version it was modelled from. `changed`: it is there, and other than in all of them. `missing`: it is not there.
 * `unrecorded`: no version it was modelled from is recorded.
 */
export type Status = "same" | "changed" | "missing" | "unrecorded";

/** What the tree has of the procedure, and where. */
export function statusOf(
  modelled: Modelled,
  sources: Sources,
  definitions: readonly Definition[],
): { readonly status: Status; readonly at: Definition | null } {
  const recorded = [...modelled.versions.keys()].flatMap((version) => sources[version]?.[keyOf(modelled)] ?? []);
  if (recorded.length === 0) return { status: "unrecorded", at: null };
  const same = definitions.find(({ hash }) => recorded.some((source) => source.hash === hash));
  if (same !== undefined) return { status: "same", at: same };
  // A static function of this name in a file that is none of the modelled ones may be somebody else's.
  const here = definitions.find(({ file }) => recorded.some((source) => source.file === file)) ?? definitions[0] ?? null;
  return { status: here === null ? "missing" : "changed", at: here };
}

/** A tree's fingerprints of what is modelled from its version; `astray` are docstrings whose line is neither in the function nor above it. */
export function recordOf(
  modelled: readonly Modelled[],
  version: string,
  definitions: ReadonlyMap<string, readonly Definition[]>,
): { readonly sources: Readonly<Record<string, Source>>; readonly astray: readonly string[] } {
  const sources: Record<string, Source> = {};
  const astray: string[] = [];
  for (const each of modelled) {
    const line = each.versions.get(version);
    const found = line === undefined ? null : nearestTo(line, definitions.get(each.procedure) ?? []);
    if (line === undefined || found === null) continue;
    if (line <= found.after || line > found.end)
      astray.push(`${keyOf(each)}: ${version} line ${line}, but it is at ${found.file} line ${found.line}`);
    sources[keyOf(each)] = { file: found.file, line: found.line, hash: found.hash };
  }
  return { sources: Object.fromEntries(Object.entries(sources).sort(([one], [other]) => (one < other ? -1 : 1))), astray };
}

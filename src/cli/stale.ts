/** `iommu-mc stale`: which procedures of the models are of C functions that a kernel tree has changed, or has no more. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type JsonStale, staleText } from "../report/stale.js";
import { packageRoot } from "../session/open.js";
import type { ExitCode } from "../session/run-suite.js";
import { definitionsIn, keyOf, type Modelled, modelledIn, recordOf, SOURCES, type Sources, statusOf, versionOf } from "../session/stale.js";
import { UsageError } from "./errors.js";
import { headerOf, jsonText } from "./header.js";
import { lookOfStdout, print } from "./terminal.js";

export interface StaleOptions {
  readonly tree: string;
  readonly models?: string;
  readonly record?: boolean;
  readonly json?: boolean;
}

/** Exit code 1 if a function has changed or is missing, or if a docstring's line is not that of its function. */
export async function stale(options: StaleOptions): Promise<ExitCode> {
  const { tree } = options;
  if (options.models !== undefined) requireFolder(options.models, "Give the folder that the models are in.");
  requireFolder(tree, "Give a kernel's source tree.");
  const version = versionOf(tree);
  if (version === null) throw new UsageError(`${tree} is no kernel tree`, "It has no Makefile that says which version it is.");
  const folders = options.models === undefined ? bundledModels() : [{ name: "", path: options.models }];
  const compared = comparedWith(tree, version, folders, options.record === true);
  const procedures = compared.flatMap((each) => each.procedures);
  if (procedures.every(({ status }) => status === "unrecorded"))
    throw new UsageError(
      `nothing is recorded in ${folders.map(({ path }) => join(path, SOURCES)).join(" or ")}`,
      "Record what the models were made from: --record, with a tree of each version.",
    );
  const astray = compared.flatMap((each) => each.astray);
  const isStale = procedures.some(({ status }) => status === "changed" || status === "missing");
  const exitCode = isStale || astray.length > 0 ? 1 : 0;
  process.exitCode = exitCode;
  const document: JsonStale = {
    ...headerOf("stale"),
    tree,
    treeVersion: version,
    recorded: options.record === true && procedures.some(({ versions }) => versions.includes(version)),
    procedures,
    astray,
    silent: folders.filter((_, position) => compared[position]?.procedures.length === 0).map(({ name, path }) => name || path),
    exitCode,
  };
  await print(options.json ? jsonText(document) : staleText(document, lookOfStdout()));
  return exitCode;
}

/** A folder of models; the names of its files are told with its own before them. */
interface ModelFolder {
  readonly name: string;
  readonly path: string;
}

function bundledModels(): ModelFolder[] {
  const models = resolve(packageRoot(), "models");
  const folders = readdirSync(models, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.map(({ name }) => ({ name, path: join(models, name) })).sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** What the tree has of the procedures of each folder; recorded there if asked for. */
function comparedWith(
  tree: string,
  version: string,
  folders: readonly ModelFolder[],
  records: boolean,
): Pick<JsonStale, "procedures" | "astray">[] {
  const modelledBy = folders.map(({ path }) => modelledIn(path));
  const definitions = definitionsIn(tree, new Set(modelledBy.flat().map(({ procedure }) => procedure)));
  return folders.map(({ name, path: folder }, position) => {
    const modelled = modelledBy[position] as Modelled[];
    const path = join(folder, SOURCES);
    const before: Sources = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Sources) : {};
    const { sources: ofTree, astray } = recordOf(modelled, version, definitions);
    const isNew = records && Object.keys(ofTree).length > 0;
    const sources: Sources = isNew ? { ...before, [version]: ofTree } : before;
    if (isNew) {
      const ordered = Object.entries(sources).sort(([one], [other]) => one.localeCompare(other, "en", { numeric: true }));
      writeFileSync(path, jsonText(Object.fromEntries(ordered)));
    }
    const procedures = modelled.map((each) => {
      const { status, at } = statusOf(each, sources, definitions.get(each.procedure) ?? []);
      return {
        model: join(name, each.file),
        procedure: each.procedure,
        versions: [...each.versions.keys()].filter((known) => sources[known]?.[keyOf(each)] !== undefined),
        status,
        file: at?.file ?? null,
        line: at?.line ?? null,
      };
    });
    return { procedures, astray: astray.map((text) => join(name, text)) };
  });
}

function requireFolder(path: string, hint: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw new UsageError(`there is no folder ${path}`, hint);
}

/** `iommu-mc stale`: which procedures of the models are of C functions that a kernel tree has changed, or has no more. */
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type JsonStale, staleText } from "../report/stale.js";
import { packageRoot } from "../session/open.js";
import type { ExitCode } from "../session/run-suite.js";
import { definitionsIn, modelledIn, recordOf, SOURCES, type Sources, statusOf, versionOf } from "../session/stale.js";
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
  const models = options.models ?? resolve(packageRoot(), "models/linux");
  requireFolder(models, "Give the folder that the models are in.");
  requireFolder(tree, "Give a kernel's source tree.");
  const version = versionOf(tree);
  if (version === null) throw new UsageError(`${tree} is no kernel tree`, "It has no Makefile that says which version it is.");
  const path = join(models, SOURCES);
  const before: Sources = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Sources) : {};
  const modelled = modelledIn(models);
  const definitions = definitionsIn(tree, new Set(modelled.map(({ procedure }) => procedure)));
  const { sources: ofTree, astray } = recordOf(modelled, version, definitions);
  const sources: Sources = options.record ? { ...before, [version]: ofTree } : before;
  if (options.record) {
    const ordered = Object.entries(sources).sort(([one], [other]) => one.localeCompare(other, "en", { numeric: true }));
    writeFileSync(path, jsonText(Object.fromEntries(ordered)));
  }
  if (Object.keys(sources).length === 0)
    throw new UsageError(`${path} is missing`, "Record what the models were made from: --record, with a tree of each version.");
  const procedures = modelled.map((each) => {
    const { status, at } = statusOf(each, sources, definitions.get(each.procedure) ?? []);
    return {
      model: each.file,
      procedure: each.procedure,
      versions: [...each.versions.keys()].filter((known) => sources[known]?.[`${each.file}:${each.procedure}`] !== undefined),
      status,
      file: at?.file ?? null,
      line: at?.line ?? null,
    };
  });
  const isStale = procedures.some(({ status }) => status === "changed" || status === "missing");
  const exitCode = isStale || astray.length > 0 ? 1 : 0;
  process.exitCode = exitCode;
  const document: JsonStale = {
    ...headerOf("stale"),
    tree,
    treeVersion: version,
    recorded: options.record === true,
    procedures,
    astray,
    exitCode,
  };
  await print(options.json ? jsonText(document) : staleText(document, lookOfStdout()));
  return exitCode;
}

function requireFolder(path: string, hint: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw new UsageError(`there is no folder ${path}`, hint);
}

/** What a kernel tree has of the functions that are modelled: as text and as JSON. */
import type { ExitCode } from "../session/run-suite.js";
import type { Status } from "../session/stale.js";
import type { JsonHeader } from "./json.js";
import type { Look } from "./style.js";
import { counted, enumerate, hanging } from "./wrap.js";

export interface JsonStale extends JsonHeader {
  readonly tree: string;
  /** What its Makefile says. */
  readonly treeVersion: string;
  /** Whether its fingerprints were recorded. */
  readonly recorded: boolean;
  readonly procedures: readonly JsonProcedure[];
  /** Docstrings whose line in the tree's version is not that of their function, in words. */
  readonly astray: readonly string[];
  /** Models of which no docstring names a line of a version. */
  readonly silent: readonly string[];
  readonly exitCode: ExitCode;
}

export interface JsonProcedure {
  /** Model file, below the folder of the models. */
  readonly model: string;
  readonly procedure: string;
  /** Recorded versions that it was modelled from. */
  readonly versions: readonly string[];
  readonly status: Status;
  /** Where the tree has it, or null. */
  readonly file: string | null;
  readonly line: number | null;
}

export function staleText({ tree, treeVersion, recorded, procedures, astray, silent }: JsonStale, { style, width }: Look): string {
  const having = (status: Status) => procedures.filter((each) => each.status === status);
  const told = (status: Status) =>
    having(status).flatMap(({ model, procedure, versions, file, line }) => {
      const place = file === null ? "" : `, now at ${file}:${line}`;
      return hanging("  ", `${procedure} (${model}), modelled from ${versions.join(" and ")}${place}`, width);
    });
  const section = (heading: string, lines: readonly string[]) => (lines.length === 0 ? [] : [style.bold(heading), ...lines, ""]);
  const lines = [
    ...(recorded ? [`${treeVersion} is recorded`, ""] : []),
    ...section(`changed in ${treeVersion}`, told("changed")),
    ...section(`missing in ${treeVersion}`, told("missing")),
    ...section(
      "docstrings that are astray",
      astray.flatMap((text) => hanging("  ", text, width)),
    ),
    `${tree} (${treeVersion}): of ${counted(procedures.length, "procedure")} ${having("same").length} as modelled, ${having("changed").length} changed, ${having("missing").length} missing, ${having("unrecorded").length} of no recorded function`,
    ...(silent.length === 0 ? [] : [`nothing can be said of ${enumerate(silent)}: no docstring there names a line of a version`]),
  ];
  return `${lines.join("\n")}\n`;
}

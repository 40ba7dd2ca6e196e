/** `iommu-mc new`: a folder with a design change of one's own, ready to be checked. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { languageEntry } from "../load/typecheck.js";
import type { JsonNew } from "../report/json.js";
import { packageRoot } from "../session/open.js";
import type { ExitCode } from "../session/run-suite.js";
import { UsageError } from "./errors.js";
import { headerOf, jsonText } from "./header.js";
import { print } from "./terminal.js";

export interface NewOptions {
  readonly name?: string;
  readonly json?: boolean;
}

/** What the skeleton is called in its own files. */
const SKELETON = "my-change";

/** Makes the folder, which may not have anything in it. */
export async function makeNew(folder: string, options: NewOptions): Promise<ExitCode> {
  const name = options.name ?? basename(resolve(folder));
  if (!/^[a-zA-Z0-9][\w.-]*$/.test(name)) {
    throw new UsageError(
      `"${name}" is no name for a design`,
      "A name is made of letters, digits, dots, dashes and underscores; give one with --name.",
    );
  }
  refuseUnlessEmpty(folder);
  mkdirSync(folder, { recursive: true });
  const root = packageRoot();
  for (const copied of ["models", "properties"]) cpSync(join(root, copied), join(folder, copied), { recursive: true });
  const text = (file: string) => readFileSync(join(root, "skeleton", file), "utf8").replaceAll(SKELETON, name);
  // In the package the skeleton stands beside the models, in the new folder they stand below it.
  writeFileSync(join(folder, "suite.ts"), text("suite.ts").replaceAll('from "../', 'from "./'));
  writeFileSync(join(folder, "README.md"), text("README.md"));
  writeFileSync(join(folder, "tsconfig.json"), jsonText(forEditors()));
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => statSync(join(folder, file)).isFile())
    .sort();
  const document: JsonNew = { ...headerOf("new"), folder, name, files, exitCode: 0 };
  await print(options.json ? jsonText(document) : made(folder, name, files.length));
  return 0;
}

function refuseUnlessEmpty(folder: string): void {
  if (!existsSync(folder)) return;
  if (!statSync(folder).isDirectory()) throw new UsageError(`${folder} is a file`, "Give a folder that is not there yet, or is empty.");
  if (readdirSync(folder).length > 0) throw new UsageError(`${folder} is not empty`, "Give a folder that is not there yet, or is empty.");
}

/** What the checker does by itself, for editors: where the language is declared. */
function forEditors(): object {
  const compilerOptions = {
    strict: true,
    noEmit: true,
    noUncheckedIndexedAccess: true,
    target: "ES2022",
    module: "ESNext",
    moduleResolution: "Bundler",
    types: [],
    paths: { "iommu-mc": [languageEntry()] },
  };
  return { compilerOptions };
}

function made(folder: string, name: string, files: number): string {
  const shown = /^[\w./-]+$/.test(folder) ? folder : `'${folder}'`;
  return [
    `made ${name}: ${files} files in ${folder}; begin with its README.md`,
    "",
    `  $ iommu-mc check ${shown}/suite.ts`,
    `  $ iommu-mc check ${shown}/suite.ts --watch`,
    "",
  ].join("\n");
}

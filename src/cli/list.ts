/** `iommu-mc list`: designs, suites, properties and commits. */
import { type JsonList, jsonList } from "../report/json-list.js";
import { type ListKind, listText } from "../report/list-text.js";
import type { ExitCode } from "../session/run-suite.js";
import { unknownName } from "./errors.js";
import { headerOf, jsonText } from "./header.js";
import { open } from "./select.js";
import { lookOfStdout, print } from "./terminal.js";

const kinds: readonly ListKind[] = ["designs", "suites", "properties", "commits"];

export async function list(what: string | undefined, options: { readonly file?: string; readonly json?: boolean }): Promise<ExitCode> {
  const kind = kinds.find((known) => known === what);
  if (what !== undefined && kind === undefined) throw unknownName("list of", what, kinds, "lists");
  const { session } = open(options.file);
  const listed = jsonList(session.suites, kind ?? null);
  const document: JsonList = { ...headerOf("list"), ...listed };
  await print(options.json ? jsonText(document) : listText(listed, lookOfStdout()));
  return 0;
}

/** `iommu-mc graph`: draws what a model is made of, in DOT. */
import type { Suite } from "../lang/suite.js";
import { dotText } from "../report/dot.js";
import { type DrawnGraph, lockOrderGraph, proceduresGraph, topologyGraph } from "../report/graphs.js";
import { type JsonGraph, jsonGraph } from "../report/json-graph.js";
import { exitCodeOf } from "../report/verdict.js";
import { type ExitCode, machineOf } from "../session/run-suite.js";
import { runSuitesOnce } from "./drive.js";
import { UsageError } from "./errors.js";
import { headerOf, jsonText } from "./header.js";
import { type LimitOptions, limitsOf, type SelectionOptions, type VariantOptions, variantOf } from "./options.js";
import { chosenSuites } from "./select.js";
import { print } from "./terminal.js";

export const GRAPHS = ["procedures", "lock-order", "topology"] as const;
export type GraphKind = (typeof GRAPHS)[number];

export interface GraphOptions extends SelectionOptions, VariantOptions, LimitOptions {
  readonly json?: boolean;
}

/** `what` is a design's name, or the path of a file of suites. Exit code 3 if a limit ended the run that shows the lock order. */
export async function graph(kind: GraphKind, what: string | undefined, options: GraphOptions): Promise<ExitCode> {
  const variant = variantOf(options);
  const { session, suites } = chosenSuites(what, options, variant);
  let suite: Suite | null = null;
  let drawn: DrawnGraph;
  let exitCode: ExitCode = 0;
  if (kind === "procedures") drawn = proceduresGraph(session.calls());
  else {
    suite = onlyOne(suites, kind);
    if (kind === "topology") drawn = topologyGraph(machineOf(session, suite, variant), suite);
    else {
      const [result] = await runSuitesOnce(session, [suite], { variant, limits: limitsOf(options) });
      if (result?.kind === "error") throw result.error;
      if (result?.kind !== "run") return 3;
      drawn = lockOrderGraph(result.run);
      // What the suite expects is no matter here, but what could not be seen is.
      if (exitCodeOf(result) > 1) exitCode = exitCodeOf(result);
    }
  }
  process.exitCode = exitCode;
  const document: JsonGraph = { ...headerOf("graph"), graph: kind, suite: suite?.name ?? null, ...jsonGraph(drawn), exitCode };
  await print(options.json ? jsonText(document) : dotText(drawn));
  return exitCode;
}

function onlyOne(suites: readonly Suite[], kind: GraphKind): Suite {
  const [first, ...others] = suites;
  if (first !== undefined && others.length === 0) return first;
  throw new UsageError(
    `${kind} is of one suite, and ${suites.length} are meant`,
    `Name one with --suite:\n    ${suites.map(({ name }) => name).join("\n    ")}`,
  );
}

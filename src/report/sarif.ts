/** SARIF 2.1.0, for code scanning: a result for each finding where its last step stands, with the trace as a code flow. */
import type { CodeFlow, Log, Notification, ReportingDescriptor, Result, Location as SarifLocation, ThreadFlowLocation } from "sarif";
import type { Location } from "../lang/errors.js";
import type { Trace } from "../trace/replay.js";
import { boundsOf, boundsText, faultsText } from "./bounds.js";
import { replayCommand } from "./command.js";
import { claimText, reasons } from "./finding-text.js";
import { designText } from "./markdown.js";
import { isLossy, omissionText } from "./omission.js";
import { placeOfFinding, placeOfStep } from "./place.js";
import { type Place, placesOf, UNTRACED } from "./shown.js";
import { stepRows } from "./trace-rows.js";
import { exitCodeOf, type SuiteResult } from "./verdict.js";

const SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/** `version` is the checker's; `file` is where the suites were read from, null for the bundled ones. Ends with a line break. */
export function sarifReport(results: readonly SuiteResult[], file: string | null, version: string): string {
  const runs = results.flatMap((result) => (result.kind === "run" ? [result.run] : []));
  const found = placesOf(runs).flatMap((place) => place.shown.findings.map((finding) => ({ place, ...finding })));
  const rules = rulesOf(results, new Set(found.map(({ finding }) => finding.check)));
  const ruleIndex = new Map(rules.map(({ id }, index) => [id, index]));
  const notifications = results.flatMap(notificationsOf);
  const log: Log = {
    $schema: SCHEMA,
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "iommu-mc", semanticVersion: version, rules } },
        invocations: [
          {
            executionSuccessful: results.every((result) => exitCodeOf(result) < 2),
            ...(notifications.length > 0 ? { toolExecutionNotifications: notifications } : {}),
          },
        ],
        columnKind: "utf16CodeUnits",
        results: found.map(({ place, finding, trace }) => resultOf(place, finding, trace, ruleIndex.get(finding.check) as number, file)),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

/** What was found wrong, with the sentence and the source of each property. */
function rulesOf(results: readonly SuiteResult[], found: ReadonlySet<string>): ReportingDescriptor[] {
  const properties = new Map(
    results.flatMap((result) => (result.kind === "run" ? result.run.suite.properties : [])).map((property) => [property.code, property]),
  );
  return [...found].sort().map((id) => {
    const property = properties.get(id);
    if (property === undefined) return { id, shortDescription: { text: `always-on check ${id}` } };
    return { id, shortDescription: { text: property.sentence }, help: { text: `Source: ${property.source}` } };
  });
}

type Found = Place["shown"]["findings"][number]["finding"];

function resultOf({ run, shown }: Place, finding: Found, trace: Trace, ruleIndex: number, file: string | null): Result {
  const { suite, machine, variant } = run;
  const reason = suite.expected?.[finding.check]?.reason;
  const place = placeOfFinding(finding, trace);
  const bounds = boundsOf(machine);
  const text = [
    claimText(suite, finding),
    `Suite ${suite.name}: ${designText(run)}, ${faultsText(bounds)}, ${boundsText(bounds)}.`,
    ...reasons(machine, finding, trace).map(([head, told]) => `${head}: ${told}`),
    replayCommand(suite.name, shown.path, variant, file),
  ];
  return {
    ruleId: finding.check,
    ruleIndex,
    kind: "fail",
    level: reason === undefined ? "error" : "note",
    message: { text: text.join("\n") },
    locations: place === null ? [] : [locationOf(place)],
    // Not the path, which any edit of the model may change.
    partialFingerprints: { "suiteAndCheck/v1": [suite.name, finding.check, finding.subject ?? ""].join(" ") },
    ...(trace.steps.length > 0 ? { codeFlows: [codeFlowOf(machine, trace)] } : {}),
    ...(reason === undefined ? {} : { suppressions: [{ kind: "external", status: "accepted", justification: reason }] }),
  };
}

/** A thread flow for each thread; the order of the steps among them is in `executionOrder`. */
function codeFlowOf(machine: Place["run"]["machine"], trace: Trace): CodeFlow {
  const rows = stepRows(machine, trace);
  const steps = trace.steps.map((step, position): ThreadFlowLocation => {
    const { rows: own = [], notes = [] } = rows[position] ?? {};
    const place = placeOfStep(step);
    const message = { text: [...own.map(({ text }) => text), ...notes].join("\n") };
    return {
      executionOrder: position + 1,
      nestingLevel: step.openCalls.length,
      location: place === null ? { message } : { ...locationOf(place), message },
    };
  });
  const threads = [...new Set(trace.steps.map(({ thread }) => thread))].sort((one, other) => one - other);
  return {
    threadFlows: threads.map((thread) => ({
      id: machine.names.threads[thread] as string,
      locations: steps.filter((_, position) => trace.steps[position]?.thread === thread),
    })),
  };
}

function locationOf({ file, line, column }: Location): SarifLocation {
  const isAbsolute = file.startsWith("/") || /^[A-Za-z]:[\\/]/.test(file);
  const path = file.replaceAll("\\", "/").split("/").map(encodeURIComponent).join("/");
  const artifactLocation = isAbsolute ? { uri: `file://${path.startsWith("/") ? "" : "/"}${path}` } : { uri: path, uriBaseId: "%SRCROOT%" };
  return { physicalLocation: { artifactLocation, region: { startLine: line, startColumn: column } } };
}

/** What is not as it should be although nothing was found: no result, for it has no place in the source. */
function notificationsOf(result: SuiteResult): Notification[] {
  if (result.kind === "not-run") return [{ level: "warning", message: { text: `${result.suite.name} was not run` } }];
  if (result.kind === "error") {
    const { location } = result.error;
    const text = `${result.suite.name}: ${result.error.message}\n${result.error.hint}`;
    return [{ level: "error", message: { text }, ...(location === undefined ? {} : { locations: [locationOf(location)] }) }];
  }
  const { suite, comparisons, outcome } = result.run;
  const warning = (text: string): Notification => ({ level: "warning", message: { text: `${suite.name}: ${text}` } });
  const off = comparisons.filter(({ asExpected }) => !asExpected);
  const vacuous = off.filter(({ verdict }) => verdict === "vacuous").map(({ check }) => warning(`${check} was never put to the test`));
  const missed = off
    .filter(({ verdict }) => verdict === "holds")
    .map(({ check }) => warning(`${check} held, but was expected to be violated`));
  const untraced = outcome.untraced.map((check) => warning(`${check} ${UNTRACED}`));
  return [
    ...untraced,
    ...vacuous,
    ...missed,
    ...(outcome.end.kind === "limit" ? [warning("a limit was hit; what lies beyond it is not known")] : []),
    ...(outcome.omission !== null && isLossy(result.run) ? [warning(omissionText(outcome.omission))] : []),
  ];
}

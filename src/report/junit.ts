/**
 * JUnit XML, which every CI system reads: a test suite for each suite, a test case for each property and check. What
 * turns the exit code red turns a test case red: a violation is a failure, and what could not be judged (a model at
 * fault, a limit that was hit, a property that was never put to the test) is an error. A violation that was expected
 * passes; what is not decided because another violation ended the run is skipped.
 */
import type { Comparison, SuiteRun } from "../session/run-suite.js";
import { boundsOf, boundsText, changesText, faultsText, objectsText } from "./bounds.js";
import { shownLines } from "./finding-text.js";
import { omissionText } from "./omission.js";
import { byPath, UNTRACED } from "./shown.js";
import { plain } from "./style.js";
import { type SuiteResult, suiteOf } from "./verdict.js";

const WIDTH = 100;

interface Case {
  readonly name: string;
  /** A child of the test case; null if it passes without a word. */
  readonly told: {
    readonly element: "failure" | "error" | "skipped" | "system-out";
    readonly type: string;
    readonly message: string;
    readonly text: string;
  } | null;
}

/** `file` is where the suites were read from, as given on the command line; null for the bundled ones. */
export function junitReport(results: readonly SuiteResult[], file: string | null): string {
  const suites = results.map((result) => ({ result, cases: casesOf(result, file) }));
  const all = suites.flatMap(({ cases }) => cases);
  const seconds = results.map(secondsOf).reduce((sum, each) => sum + each, 0);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="iommu-mc"${countAttributes(all)} time="${seconds.toFixed(3)}">`,
    ...suites.flatMap(({ result, cases }) => suiteElement(result, cases)),
    "</testsuites>",
    "",
  ].join("\n");
}

function suiteElement(result: SuiteResult, cases: readonly Case[]): string[] {
  const name = suiteOf(result).name;
  return [
    `  <testsuite name="${escaped(name)}"${countAttributes(cases)} time="${secondsOf(result).toFixed(3)}">`,
    ...(result.kind === "run" ? propertyElements(result.run) : []),
    ...cases.flatMap((each) => caseElement(name, each)),
    "  </testsuite>",
  ];
}

/** What the verdicts are about: nothing holds without it. */
function propertyElements({ suite, variant, machine, outcome }: SuiteRun): string[] {
  const bounds = boundsOf(machine);
  const changes = changesText(variant);
  const properties: Readonly<Record<string, string>> = {
    design: `${suite.design.name} ${suite.design.version}${changes === "" ? "" : ` ${changes}`}`,
    machine: suite.scenario.setting ?? objectsText(bounds),
    scenario: suite.scenario.describes,
    faults: faultsText(bounds),
    bounds: boundsText(bounds),
    states: String(outcome.states),
    transitions: String(outcome.transitions),
    depth: String(outcome.depth),
  };
  const elements = Object.entries(properties).map(([name, value]) => `      <property name="${name}" value="${escaped(value)}"/>`);
  return ["    <properties>", ...elements, "    </properties>"];
}

function casesOf(result: SuiteResult, file: string | null): Case[] {
  switch (result.kind) {
    case "run":
      return result.run.comparisons.map((comparison) => caseOf(result.run, comparison, file));
    case "error":
      return [
        { name: "the model", told: { element: "error", type: "model", message: result.error.message, text: result.error.describe() } },
      ];
    case "not-run":
      return [{ name: "the suite", told: { element: "skipped", type: "interrupt", message: "interrupted before its turn", text: "" } }];
  }
}

function caseOf(run: SuiteRun, { check, isProperty, verdict, expectedBecause, asExpected }: Comparison, file: string | null): Case {
  const sentence = run.suite.properties.find(({ code }) => isProperty && code === check)?.sentence;
  const name = sentence === undefined ? check : `${check} ${sentence}`;
  const traces = () =>
    byPath(run.traces.filter(({ finding }) => finding.check === check))
      .map((shown) => shownLines(run, shown, file, { width: WIDTH, style: plain }).join("\n"))
      .join("\n\n");
  const message = run.traces.find(({ finding }) => finding.check === check)?.finding.message ?? UNTRACED;
  if (verdict === "holds" && asExpected) return { name, told: null };
  if (verdict === "violated") {
    if (asExpected)
      return {
        name,
        told: { element: "system-out", type: "", message: "", text: `violated, as expected: ${expectedBecause}\n\n${traces()}` },
      };
    return { name, told: { element: check === "model-fault" ? "error" : "failure", type: check, message, text: traces() } };
  }
  if (verdict === "holds") {
    return { name, told: { element: "failure", type: "held", message: `held, but expected to be violated: ${expectedBecause}`, text: "" } };
  }
  if (verdict === "unfinished" && run.outcome.end.kind === "violation") {
    return { name, told: { element: "skipped", type: verdict, message: "not decided: the run stopped at the violation", text: "" } };
  }
  const why = {
    vacuous: "nothing was ever put to the test",
    unfinished: "not decided: the run was not complete",
    "not violated": "not decided: not violated, unless by a state that was omitted",
  }[verdict];
  const { omission } = run.outcome;
  return { name, told: { element: "error", type: verdict, message: why, text: omission === null ? "" : omissionText(omission) } };
}

function caseElement(suite: string, { name, told }: Case): string[] {
  const attributes = `name="${escaped(name)}" classname="${escaped(suite)}"`;
  if (told === null) return [`    <testcase ${attributes}/>`];
  const { element, type, message, text } = told;
  const shown = element === "system-out" ? "" : ` message="${escaped(message)}"${element === "skipped" ? "" : ` type="${escaped(type)}"`}`;
  const child = text === "" ? `<${element}${shown}/>` : `<${element}${shown}>${escaped(text, false)}\n</${element}>`;
  return [`    <testcase ${attributes}>`, child, "    </testcase>"];
}

function countAttributes(cases: readonly Case[]): string {
  const count = (element: string) => cases.filter(({ told }) => told?.element === element).length;
  return ` tests="${cases.length}" failures="${count("failure")}" errors="${count("error")}" skipped="${count("skipped")}"`;
}

function secondsOf(result: SuiteResult): number {
  return result.kind === "run" ? result.run.outcome.statistics.seconds : 0;
}

/** For an attribute or, with its line breaks, for an element's text. Characters that XML 1.0 has no way to write are replaced. */
function escaped(text: string, isAttribute = true): string {
  const legal = text.replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, "\ufffd");
  const marked = legal.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
  return isAttribute ? marked.replace(/[\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`) : marked;
}

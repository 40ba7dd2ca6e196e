/** What `states` prints: what multiplies a suite's states, and what has changed since an earlier run. */
import type { Dimension } from "../explore/cardinality.js";
import type { SuiteCardinality } from "../session/cardinality-suite.js";
import { boundsOf, boundsText, changesText, faultsText } from "./bounds.js";
import type { JsonHeader } from "./json.js";
import type { Look } from "./style.js";
import { counted, grouped, hanging, padEnd } from "./wrap.js";

/** `iommu-mc states --json`. */
export interface JsonStates extends JsonHeader {
  readonly suite: string;
  readonly design: string;
  readonly states: number;
  readonly end: SuiteCardinality["outcome"]["end"]["kind"];
  /** Null if an interrupt or a limit came before they were counted. */
  readonly dimensions: readonly JsonDimension[] | null;
  readonly exitCode: number;
}

export interface JsonDimension extends Dimension {
  /** States by those that would be left without it. */
  readonly factor: number;
}

export function jsonStates(header: JsonHeader, found: SuiteCardinality, exitCode: number): JsonStates {
  const { suite, outcome, dimensions } = found;
  const { states, end } = outcome;
  const factors = dimensions?.map((dimension) => ({ ...dimension, factor: states / dimension.without })) ?? null;
  return { ...header, suite: suite.name, design: suite.design.name, states, end: end.kind, dimensions: factors, exitCode };
}

/** Below this a part of the state follows from the others nearly always. */
const WORTH_TELLING = 1.05;

/** `before` is what an earlier run of the suite said, if the question is what has changed. */
export function statesText(found: SuiteCardinality, now: JsonStates, before: JsonStates | null, look: Look): string {
  const { machine, outcome, variant, suite } = found;
  const { style, width } = look;
  const bounds = boundsOf(machine);
  const lines = [
    ...(outcome.end.kind === "limit"
      ? hanging("unfinished: ", `stopped by a limit after ${counted(now.states, "state")}; only these are counted`, width)
      : []),
    style.bold(`${suite.name} · ${counted(now.states, "state")}${before === null ? "" : `, before ${grouped(before.states)}`}`),
    ...hanging(
      "  ",
      [suite.design.name, changesText(variant), boundsText(bounds), faultsText(bounds)].filter((text) => text !== "").join(" · "),
      width,
    ),
    "",
  ];
  if (now.dimensions === null)
    return ended([...lines, ...hanging("", "The states were not counted: an interrupt or a limit came first.", width)]);
  const rows = before?.dimensions ? comparedRows(now.dimensions, before.dimensions) : plainRows(now.dimensions);
  const names = Math.max(...rows.map(({ name }) => name.length), 4) + 2;
  for (const { name, facts } of rows) lines.push(...hanging(`  ${padEnd(name, names)}`, facts, width));
  const rest = now.dimensions.filter(({ factor }) => factor < WORTH_TELLING).length;
  if (rest > 0 && !before)
    lines.push("", ...hanging("", `${counted(rest, "other part")} of the state change too, and hardly multiply them.`, width));
  return ended(lines);
}

interface RowOfStates {
  readonly name: string;
  readonly facts: string;
}

function plainRows(dimensions: readonly JsonDimension[]): RowOfStates[] {
  return dimensions.filter(({ factor }) => factor >= WORTH_TELLING).map((each) => ({ name: each.name, facts: factsOf(each) }));
}

function factsOf(dimension: JsonDimension): string {
  const { factor, values, without } = dimension;
  const returning = isUsedUp(dimension) ? "; never goes back, so all else is repeated for each value" : "";
  return `×${factor.toFixed(2)}, ${counted(values, "value")}, ${grouped(without)} states without it${returning}`;
}

/** Whether it is like a counter that never repeats. That a thread comes to its end is nothing to wonder at. */
function isUsedUp({ kind, values, neverReturns }: JsonDimension): boolean {
  return neverReturns === true && kind !== "thread" && values > 2;
}

/** Those of which it changed most by how much they multiply. */
function comparedRows(now: readonly JsonDimension[], before: readonly JsonDimension[]): RowOfStates[] {
  const earlier = new Map(before.map((each) => [each.name, each]));
  const later = new Map(now.map((each) => [each.name, each]));
  const change = (name: string) => Math.abs(Math.log((later.get(name)?.factor ?? 1) / (earlier.get(name)?.factor ?? 1)));
  return [...new Set([...later.keys(), ...earlier.keys()])]
    .filter((name) => change(name) >= Math.log(WORTH_TELLING) || later.get(name)?.values !== earlier.get(name)?.values)
    .sort((one, other) => change(other) - change(one))
    .map((name) => ({ name, facts: `${briefly(earlier.get(name))} → ${briefly(later.get(name))}` }));
}

function briefly(dimension: JsonDimension | undefined): string {
  if (dimension === undefined) return "does not change";
  return `×${dimension.factor.toFixed(2)} with ${counted(dimension.values, "value")}${isUsedUp(dimension) ? ", never goes back" : ""}`;
}

function ended(lines: readonly string[]): string {
  return `${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}

/** What `certify` prints: whether a certificate is accepted, what it claims, and where it is wrong if it is. */
import type { Where } from "../certify/verify.js";
import { formatLocation } from "../lang/errors.js";
import type { Certification } from "../session/certify.js";
import type { Comparison } from "../session/run-suite.js";
import { readCell, type State } from "../state/state.js";
import type { Control } from "../step/control.js";
import type { Machine } from "../step/machine.js";
import { type Bounds, boundsOf, boundsText, changesText, faultsText } from "./bounds.js";
import { quoted } from "./command.js";
import type { JsonHeader } from "./json.js";
import type { Look } from "./style.js";
import { holding, marginOf, remark, remarkLines, row } from "./suite-text.js";
import { limits } from "./text.js";
import { counted, hanging } from "./wrap.js";

/** `iommu-mc certify --json`. */
export interface JsonCertification extends JsonHeader {
  readonly suite: string;
  readonly design: string;
  readonly designVersion: string;
  readonly revert: readonly string[];
  readonly apply: readonly string[];
  readonly bounds: Bounds;
  /** The certificate's file; null if it was not kept. */
  readonly file: string | null;
  /** `unfinished`: a limit or an interrupt came first. */
  readonly verdict: "accepted" | "refused" | "unfinished";
  readonly stoppedBy: Certification["stoppedBy"];
  /** Of the certificate; null if there is none, since the states are not all known. */
  readonly checksum: string | null;
  readonly models: string | null;
  readonly states: number | null;
  /** States and steps that were verified, and states that are not known to be reached; null if that did not come to its end. */
  readonly verified: { readonly states: number; readonly steps: number; readonly unreached: number } | null;
  readonly refusal: JsonRefusal | null;
  readonly checks: readonly {
    readonly check: string;
    readonly kind: "property" | "sanitizer";
    readonly verdict: Comparison["verdict"];
    readonly reason: string | null;
    readonly asExpected: boolean;
  }[];
  readonly exitCode: number;
}

export interface JsonRefusal {
  readonly message: string;
  /** Number of the state in the certificate, from 0, and what it is, in words; null of the set as a whole. */
  readonly state: number | null;
  readonly shown: readonly string[];
}

export function jsonCertification(header: JsonHeader, found: Certification, file: string | null): JsonCertification {
  const { suite, variant, machine, certificate, verification, stoppedBy, comparisons, exitCode } = found;
  const refusal = verification?.refusal ?? null;
  const { states, steps, unreached } = verification ?? { states: 0, steps: 0, unreached: 0 };
  return {
    ...header,
    suite: suite.name,
    design: suite.design.name,
    designVersion: suite.design.version,
    revert: variant.revert ?? [],
    apply: variant.apply ?? [],
    bounds: boundsOf(machine),
    file: certificate === null ? null : file,
    verdict: verification === null ? "unfinished" : refusal === null ? "accepted" : "refused",
    stoppedBy,
    checksum: certificate?.checksum ?? null,
    models: certificate?.claims.models ?? null,
    states: certificate?.claims.states ?? null,
    verified: verification === null ? null : { states, steps, unreached },
    refusal: refusal && { message: refusal.message, state: refusal.where?.number ?? null, shown: whereLines(machine, refusal.where) },
    checks: comparisons.map(({ check, isProperty, verdict, expectedBecause, asExpected }) => ({
      check,
      kind: isProperty ? "property" : "sanitizer",
      verdict,
      reason: expectedBecause,
      asExpected,
    })),
    exitCode,
  };
}

/** Where the certificate is (null if it was not kept), and the file that its suite is from (null if that is bundled). */
export interface Files {
  readonly certificate: string | null;
  readonly suites: string | null;
}

export function certificationText(found: Certification, files: Files, look: Look): string {
  return `${linesOf(found, files, look)
    .map((line) => line.trimEnd())
    .join("\n")}\n`;
}

function linesOf(found: Certification, files: Files, look: Look): string[] {
  const { suite, variant, machine, certificate, verification, stoppedBy, isFresh, comparisons } = found;
  const { good, bad, warn } = look.style;
  const bounds = boundsOf(machine);
  const changes = changesText(variant);
  const stopped = stoppedBy === null ? "" : `stopped by ${limits[stoppedBy]}`;
  const subject = [
    `${suite.design.name} ${suite.design.version}${changes === "" ? "" : ` ${changes}`}`,
    faultsText(bounds),
    boundsText(bounds),
  ];
  if (certificate === null) {
    const why = `${stopped} before all states were known, so that there is no certificate`;
    return row("UNFINISHED", [suite.name, why, ...subject], look, warn);
  }
  const kept = keptLines(certificate.checksum, files, look);
  if (verification === null) {
    const why = `${stopped} before all of ${counted(certificate.claims.states, "state")} were verified`;
    return [...row("UNFINISHED", [suite.name, why, ...subject], look, warn), ...kept];
  }
  const { refusal, states, steps, unreached } = verification;
  if (refusal !== null) {
    const margin = " ".repeat(marginOf(look));
    const shown = whereLines(machine, refusal.where).flatMap((line) => {
      const text = line.trimStart();
      return hanging(margin + " ".repeat(line.length - text.length), text, look.width);
    });
    return [
      ...row("REFUSED", [suite.name, refusal.message, ...subject], look, bad),
      ...shown,
      ...(isFresh ? remark(DISAGREEING, look, bad) : []),
      ...kept,
    ];
  }
  const notReached = `${counted(unreached, "state")} of the set ${unreached === 1 ? "is" : "are"} not known to be reached: what holds holds all the same, what is violated or put to the test may be so in ${unreached === 1 ? "it" : "them"} alone`;
  return [
    ...row(
      "CERTIFIED",
      [suite.name, `${counted(states, "state")}, ${counted(steps, "step")}`, ...holding(comparisons), ...subject],
      look,
      good,
    ),
    ...remark("the set holds the initial state, no step leads out of it, and each verdict is what its states and steps show", look),
    ...(unreached === 0 ? [] : remark(notReached, look, warn)),
    ...remarkLines({ comparisons }, look),
    ...kept,
  ];
}

/** What it means if a certificate is refused that has just been made. */
const DISAGREEING =
  "the explorer and the second checker do not agree: look for data that the model keeps outside the state; if there is none, this is a defect of iommu-mc: please report it with the model";

function keptLines(checksum: string, { certificate, suites }: Files, look: Look): string[] {
  if (certificate === null) return [];
  const words = ["iommu-mc", "certify", "--verify", certificate, ...(suites === null ? [] : ["--file", suites])];
  return [
    ...remark(`the certificate is ${certificate}, SHA-256 ${checksum}; to verify it again`, look),
    // Unbroken, so that it can be copied.
    `${" ".repeat(marginOf(look))}  ${words.map(quoted).join(" ")}`,
  ];
}

/** A state in words, and the step out of it that is meant. */
function whereLines(machine: Machine, where: Where | null): string[] {
  if (where === null) return [];
  const { number, state, step } = where;
  const lines = [`state ${number}, and what is not as at the start:`, ...differences(machine, machine.initial, state, (_, now) => now)];
  if (step === null) return lines;
  const who = machine.names.threads[step.thread];
  if (step.to === null) return [...lines, `the step of ${who} ends in a fault`];
  return [...lines, `the step of ${who}:`, ...differences(machine, state, step.to, (before, now) => `${before} → ${now}`)];
}

/** A line for each thread that stands elsewhere, and for each cell that has another value. */
function differences(machine: Machine, from: State, to: State, told: (before: string, now: string) => string): string[] {
  const { layout, names } = machine;
  const threads = names.threads.flatMap((name, thread) => {
    const [before, now] = [machine.control(from, thread), machine.control(to, thread)];
    return before === now ? [] : [`  ${name} ${whereabouts(machine, now)}`];
  });
  const cells = layout.cells.flatMap(({ kind }, cell) => {
    const [before, now] = [readCell(layout, from, cell), readCell(layout, to, cell)];
    // How many mutexes a thread holds follows from who holds which.
    return before === now || kind === "held" ? [] : [`  ${names.cell(cell)} = ${told(names.code(cell, before), names.code(cell, now))}`];
  });
  return [...threads, ...cells];
}

function whereabouts({ names }: Machine, { kind, frames, mutexCell, returned }: Control): string {
  if (kind === "start") return "has not begun";
  if (kind === "finished") return "has ended";
  if (returned !== null) return `has returned from ${returned.procedure}`;
  const site = frames.at(-1)?.site;
  const at = site === undefined ? "" : ` in ${site.procedure} at ${formatLocation(site.location)}`;
  return kind === "lock" ? `waits for ${names.cell(mutexCell)}${at}` : `stands${at}`;
}

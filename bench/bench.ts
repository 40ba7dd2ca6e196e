/**
 * npm run bench: iommu-mc beside SPIN and Rumur on the same models, one run after the other in turn. All have to find
 * the same states and transitions before anything is compared. Exit code 1 if they do not.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { ceiling } from "./ceiling.js";
import { type Checker, type Measured, ours, rumur, spin } from "./checkers.js";
import { isThere } from "./command.js";
import { SIZES, type Size, type Timed, timed } from "./sizes.js";

interface BenchOptions {
  readonly json?: boolean;
  readonly runs: number;
  readonly size?: Size;
  readonly model?: string;
  readonly threads: number;
}

type Peer = "spin" | "rumur";

/** Medians of one model in one size. */
interface Row {
  readonly name: string;
  readonly size: Size;
  readonly constants: Timed["constants"];
  readonly states: number;
  readonly transitions: number;
  readonly bytesPerState: number;
  /** By checker. */
  readonly checkers: Readonly<Record<string, Summary>>;
  /** How many times as long a peer takes, from the model's source to the verdict; null without it. */
  readonly ratio: Readonly<Record<Peer, number | null>>;
  /** The same of exploring alone: how many times as many transitions a second we take. */
  readonly explorationRatio: Readonly<Record<Peer, number | null>>;
  /** How many times as many transitions a second several threads take as one; null if only one was asked for. */
  readonly threadsRatio: number | null;
  /** Inserts a second of a bare loop, and what share of them our transitions a second are, and those that led to a new state. */
  readonly ceiling: { readonly insertsPerSecond: number; readonly share: number; readonly shareOfNew: number };
}

interface Summary {
  readonly seconds: number;
  readonly statesPerSecond: number;
  readonly transitionsPerSecond: number;
  readonly peakBytesPerState: number;
  readonly vectorBytes: number | null;
}

const program = new Command("npm run bench --")
  .addOption(new Option("--size <size>", "only this size").choices(SIZES))
  .option("--model <name>", "only this model")
  .option("--runs <number>", "runs of each checker", atLeastOne, 3)
  .option("--threads <number>", "threads of iommu-mc: it is run on one, and on so many", atLeastOne, 1)
  .option("--json", "print JSON");
await bench(program.parse().opts<BenchOptions>());

function atLeastOne(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("It has to be a whole number from 1.");
  return Number(text);
}

async function bench(options: BenchOptions): Promise<void> {
  const { json = false, runs, size, model, threads } = options;
  const chosen = timed.filter((each) => (size ?? each.size) === each.size && (model ?? each.model) === each.model);
  if (chosen.length === 0)
    program.error(`there is no model ${model}; there are ${[...new Set(timed.map((each) => each.model))].join(", ")}`);
  const hasCompiler = await isThere("gcc");
  const peers = { spin, rumur };
  const checkers: Record<string, Checker> = { "iommu-mc": ours(1) };
  if (threads > 1) checkers[onThreads(threads)] = ours(threads);
  for (const [name, checker] of Object.entries(peers)) {
    if (hasCompiler && (await isThere(name))) checkers[name] = checker;
    else console.error(`${name} or gcc is not here: without it (Debian: apt install spin rumur gcc)`);
  }
  const rows: Row[] = [];
  const folder = mkdtempSync(join(tmpdir(), "iommu-mc-bench-"));
  try {
    for (const each of chosen) {
      const row = await measure(each, checkers, options, folder);
      rows.push(row);
      if (!json) console.log(textOf(row));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  const machine = { processor: cpus()[0]?.model ?? "unknown", cores: availableParallelism(), node: process.version };
  if (json) console.log(JSON.stringify({ machine, runs, models: rows, ceiling: largest(rows).ceiling }, null, 2));
  else console.log(`medians of ${runs} runs on ${machine.processor} (${machine.cores} cores), node ${machine.node}`);
}

function onThreads(threads: number): string {
  return `on ${threads}`;
}

/** Where start-up counts least. */
function largest(rows: readonly Row[]): Row {
  return rows.reduce((one, other) => (other.states > one.states ? other : one));
}

async function measure(
  each: Timed,
  checkers: Readonly<Record<string, Checker>>,
  { runs, threads }: BenchOptions,
  folder: string,
): Promise<Row> {
  const measured = new Map<string, Measured[]>(Object.keys(checkers).map((name) => [name, []]));
  for (let time = 0; time < runs; time++) {
    for (const [name, checker] of Object.entries(checkers)) measured.get(name)?.push(await checker(each, folder));
  }
  const [first] = measured.get("iommu-mc") as [Measured, ...Measured[]];
  for (const [name, all] of measured) {
    const isOff = ({ states, transitions, roundedBy }: Measured) =>
      states !== first.states || Math.abs(transitions - first.transitions) > roundedBy;
    const other = all.find(isOff);
    if (other === undefined) continue;
    throw new Error(
      `${each.model}, ${each.size}: iommu-mc finds ${first.states} states and ${first.transitions} transitions, ${name} ${other.states} and ${other.transitions}: they do not check the same`,
    );
  }
  const summaries = Object.fromEntries([...measured].map(([name, all]) => [name, summaryOf(all)]));
  const mine = summaries["iommu-mc"] as Summary;
  const ratio = (of: (mine: Summary, other: Summary) => number) => {
    const to = (peer: Peer) => (summaries[peer] === undefined ? null : of(mine, summaries[peer]));
    return { spin: to("spin"), rumur: to("rumur") };
  };
  const together = summaries[onThreads(threads)];
  const insertsPerSecond = await ceiling(first.states, folder);
  return {
    name: each.model,
    size: each.size,
    constants: each.constants,
    states: first.states,
    transitions: first.transitions,
    bytesPerState: mine.peakBytesPerState,
    checkers: summaries,
    ratio: ratio((us, other) => other.seconds / us.seconds),
    explorationRatio: ratio((us, other) => us.transitionsPerSecond / other.transitionsPerSecond),
    threadsRatio: together === undefined ? null : together.transitionsPerSecond / mine.transitionsPerSecond,
    ceiling: {
      insertsPerSecond,
      share: mine.transitionsPerSecond / insertsPerSecond,
      shareOfNew: mine.statesPerSecond / insertsPerSecond,
    },
  };
}

function summaryOf(all: readonly Measured[]): Summary {
  return {
    seconds: median(all.map(({ seconds }) => seconds)),
    statesPerSecond: median(all.map(({ states, exploring }) => states / exploring)),
    transitionsPerSecond: median(all.map(({ transitions, exploring }) => transitions / exploring)),
    peakBytesPerState: median(all.map(({ peakBytes, states }) => peakBytes / states)),
    vectorBytes: all[0]?.vectorBytes ?? null,
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] as number) + (sorted[Math.floor(middle)] as number)) / 2;
}

function textOf({ name, size, constants, states, transitions, checkers, ratio, explorationRatio, threadsRatio, ceiling }: Row): string {
  const given = Object.entries(constants).map(([constant, value]) => `${constant}=${value}`);
  const grouped = (number: number) => Math.round(number).toLocaleString("en");
  const times = (number: number | null) => (number === null ? "-" : `${number.toFixed(2)}×`);
  const lines = Object.entries(checkers).map(([checker, summary]) => {
    const { seconds, statesPerSecond, transitionsPerSecond, peakBytesPerState, vectorBytes } = summary;
    return `  ${checker.padEnd(9)}${seconds.toFixed(2).padStart(8)} s to the verdict ${grouped(statesPerSecond).padStart(12)} states/s ${grouped(transitionsPerSecond).padStart(12)} transitions/s ${peakBytesPerState.toFixed(0).padStart(6)} bytes/state at the peak${vectorBytes === null ? "" : `, ${vectorBytes.toFixed(0)} of a state itself`}`;
  });
  return [
    `${name} (${size}: ${given.join(", ")}): ${grouped(states)} states, ${grouped(transitions)} transitions`,
    ...lines,
    `  ahead in time to the verdict: SPIN ${times(ratio.spin)}, Rumur ${times(ratio.rumur)}; in transitions/s: SPIN ${times(explorationRatio.spin)}, Rumur ${times(explorationRatio.rumur)}; several threads to one ${times(threadsRatio)}`,
    `  a bare loop of random inserts: ${grouped(ceiling.insertsPerSecond)}/s, of which our transitions are ${(100 * ceiling.share).toFixed(0)}%, and those to new states ${(100 * ceiling.shareOfNew).toFixed(0)}%\n`,
  ].join("\n");
}

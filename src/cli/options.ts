/** Options that several commands share, and how their values are read. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Limits } from "../explore/outcome.js";
import type { Variant } from "../step/machine.js";

export interface VariantOptions {
  readonly revert?: readonly string[];
  readonly apply?: readonly string[];
  readonly faults?: number;
  readonly faultPolicy?: "contract" | "any";
}

export interface SelectionOptions {
  readonly suite?: string;
  readonly scenario?: string;
  readonly property?: string;
  readonly file?: string;
}

export interface LimitOptions {
  readonly maxStates?: number;
  readonly maxDepth?: number;
  readonly timeout?: number;
  readonly memory?: number;
}

export function addSelectionOptions(command: Command): Command {
  return command
    .argument("[design]", "a design, or the path of a .ts file that exports suites; default: all bundled suites")
    .option("--suite <name>", "only the suite of that name; * stands for anything")
    .option("--scenario <name>", "only suites with that scenario; * stands for anything")
    .option("--property <code>", "only that property (and the always-on checks)");
}

export function addVariantOptions(command: Command): Command {
  return command
    .option("--revert <sha>", "take a commit out of the design (repeatable)", collectSha)
    .option("--apply <sha>", "add a commit to the design (repeatable)", collectSha)
    .option("--faults <n>", "failures that may be injected in one behaviour, instead of the scenario's number", wholeNumber)
    .addOption(
      new Option("--fault-policy <policy>", "which failures: those the kernel's contract allows, or any").choices(["contract", "any"]),
    );
}

export function addLimitOptions(command: Command): Command {
  return addResourceOptions(
    command
      .option("--max-states <n>", "stop a suite after so many states", positiveNumber)
      .option("--max-depth <n>", "look at traces of at most so many steps", positiveNumber),
  );
}

export function addResourceOptions(command: Command): Command {
  return command
    .option("--timeout <seconds>", "stop a suite after so long", positive)
    .option("--memory <mb>", "stop a suite when the process takes so many megabytes (default: 80% of the machine's memory)", positive);
}

export function variantOf({ revert, apply, faults, faultPolicy }: VariantOptions): Variant {
  return {
    ...(revert === undefined ? {} : { revert }),
    ...(apply === undefined ? {} : { apply }),
    ...(faults === undefined ? {} : { faults }),
    ...(faultPolicy === undefined ? {} : { faultPolicy }),
  };
}

export function limitsOf({ maxStates, maxDepth, timeout, memory }: LimitOptions): Limits {
  return {
    ...(maxStates === undefined ? {} : { maxStates }),
    ...(maxDepth === undefined ? {} : { maxDepth }),
    ...(timeout === undefined ? {} : { timeoutSeconds: timeout }),
    ...(memory === undefined ? {} : { memoryBytes: memory * 1_000_000 }),
  };
}

/** Less of a sha is more likely a slip than an abbreviation. */
const LEAST_SHA = 4;

/** For an option that may be given more than once: a commit. */
function collectSha(value: string, before: readonly string[] = []): readonly string[] {
  if (!/^[0-9a-f]+$/i.test(value) || value.length < LEAST_SHA)
    throw new InvalidArgumentError(`It is ${LEAST_SHA} or more digits of a commit's sha.`);
  return [...before, value.toLowerCase()];
}

/** The same for numbers. */
export function collectNumber(value: string, before: readonly number[] = []): readonly number[] {
  return [...before, wholeNumber(value)];
}

/** The same for names. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

export function wholeNumber(value: string): number {
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(Number(value))) throw new InvalidArgumentError("It is a whole number, 0 or more.");
  return Number(value);
}

export function positiveNumber(value: string): number {
  const number = wholeNumber(value);
  if (number === 0) throw new InvalidArgumentError("It is a whole number, 1 or more.");
  return number;
}

export function positive(value: string): number {
  const number = Number(value);
  if (!/^\d*\.?\d+$/.test(value) || !(number > 0)) throw new InvalidArgumentError("It is a number greater than 0.");
  return number;
}

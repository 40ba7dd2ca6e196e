/** What no kernel did is refused: recordings that are changed in one place, by seeds. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { readTrace } from "../../src/ftrace/read.js";
import type { TraceRecord } from "../../src/ftrace/record.js";
import { openRecording, type Recording } from "../../src/ftrace/recording.js";
import { UNDER_MUTEX } from "../../src/ftrace/vocabulary.js";
import { validationOf } from "../../src/session/validate.js";
import { MUTATIONS, type MutationName, mutant } from "./mutants.js";

const names = Object.keys(MUTATIONS) as MutationName[];

function isExplained(recording: Recording, records: readonly TraceRecord[]): boolean {
  const { run, scope } = validationOf(recording, records, { limit: 500 });
  for (;;) {
    const { done, value } = run.next();
    if (done) return value.explained === scope.happenings.length;
  }
}

/** Mutants of the recording by so many seeds: how many there are, and what was done to those that are explained all the same. */
async function explainedMutants(path: string, name: MutationName, seeds: number): Promise<{ made: number; explained: string[] }> {
  const recording = await openRecording(path);
  const records: TraceRecord[] = [];
  for await (const record of readTrace(recording.trace)) records.push(record);
  const { scope } = validationOf(recording, records, { limit: 500 });
  const followed = new Set(scope.happenings.map(({ record }) => record));
  const wholeCalls = new Set(
    scope.happenings.flatMap(({ entry, record }) => (entry !== null && record.kind === "tracepoint" ? [record] : [])),
  );
  const mutations = {
    inScope: (record: TraceRecord) => followed.has(record),
    isWholeCall: (record: TraceRecord) => wholeCalls.has(record),
    underMutex: UNDER_MUTEX,
  };
  const explained: string[] = [];
  let made = 0;
  for (let seed = 0; seed < seeds; seed++) {
    const changed = mutant(records, name, seed, mutations);
    if (changed === null) continue;
    made++;
    if (isExplained(recording, changed.records)) explained.push(`${changed.what}, line ${changed.line}`);
  }
  return { made, explained };
}

describe("of a claim and its release", () => {
  // There is one task, so that none can go on while another holds a mutex, and one group.
  it.each(["swap", "result", "attach"] as const)("no mutant of the kind %s is explained", { timeout: 60_000 }, async (name) => {
    const { made, explained } = await explainedMutants(resolve(import.meta.dirname, "fixtures/claim-6.1"), name, 12);
    expect([made, explained]).toEqual([12, []]);
  });
});

/** Whole recordings, if the folder they are in is given; of each kind so many mutants. */
const folder = process.env.IOMMU_MC_TRACES ?? "";
const mutants = Number(process.env.IOMMU_MC_MUTANTS ?? 10);

describe.runIf(existsSync(folder))("of whole recordings", () => {
  it.each(["6.1-intel-dma", "6.12-pseries-tce", "7.2-intel-dma"].flatMap((recording) => names.map((name) => [recording, name] as const)))(
    "%s: no mutant of the kind %s is explained",
    { timeout: mutants * 30_000 },
    async (recording, name) => {
      const { made, explained } = await explainedMutants(join(folder, recording), name, mutants);
      expect([made, explained]).toEqual([mutants, []]);
    },
  );
});

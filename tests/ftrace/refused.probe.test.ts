import { it } from "vitest";
import { readTrace } from "../../src/ftrace/read.js";
import { openRecording } from "../../src/ftrace/recording.js";
import { UNDER_MUTEX } from "../../src/ftrace/vocabulary.js";
import { validationOf } from "../../src/session/validate.js";
import { MUTATIONS, type MutationName, mutant } from "./mutants.js";
it("x", { timeout: 3e6 }, async () => {
  const recording = await openRecording(process.env.REC as string);
  const records = [];
  for await (const record of readTrace(recording.trace)) records.push(record);
  const base = validationOf(recording, records, { limit: 500 });
  const followed = new Set(base.scope.happenings.map(({ record }) => record));
  for (const name of Object.keys(MUTATIONS) as MutationName[]) {
    let refused = 0, all = 0;
    for (let seed = 0; seed < Number(process.env.SEEDS ?? 8); seed++) {
      const made = mutant(records, name, seed, { inScope: (r) => followed.has(r), underMutex: UNDER_MUTEX });
      if (made === null) continue;
      all++;
      const v = validationOf(recording, made.records, { limit: 500 });
      let step = v.run.next();
      while (!step.done) step = v.run.next();
      const ok = step.value.unexplained !== null || step.value.hitLimit;
      if (ok) refused++;
      else process.stdout.write(`  accepted ${name} ${seed}: ${made.what} line ${made.line}\n`);
    }
    process.stdout.write(`${name}: ${refused} of ${all} refused\n`);
  }
});

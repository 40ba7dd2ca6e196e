/**
 * Kills a run that is kept at random moments, lets it go on, and compares what it counts in the end with what it
 * counts undisturbed: `npm run kill-and-resume [-- CYCLES]`. Exit code 1 if one counts otherwise.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { JsonCheck } from "../src/report/json.js";

const SUITE = "ownership/intel-q35/group16";
const cycles = Number(process.argv[2] ?? 50);

interface Ended {
  /** Null if it was killed. */
  readonly counts: string | null;
  readonly milliseconds: number;
  readonly told: string;
}

function check(words: readonly string[], killAfter: number | null): Promise<Ended> {
  return new Promise((done, failed) => {
    const began = performance.now();
    const child = spawn("node", [resolve("bin/iommu-mc.js"), "check", "--suite", SUITE, "--json", ...words]);
    let [stdout, told] = ["", ""];
    child.stdout.on("data", (text) => {
      stdout += text;
    });
    child.stderr.on("data", (text) => {
      told += text;
    });
    const timer = killAfter === null ? undefined : setTimeout(() => child.kill("SIGKILL"), killAfter);
    child.on("error", failed);
    child.on("close", (code) => {
      clearTimeout(timer);
      const milliseconds = performance.now() - began;
      if (code === null) return done({ counts: null, milliseconds, told });
      if (code !== 0) return failed(new Error(`exit code ${code}: ${told}`));
      const [run] = (JSON.parse(stdout) as JsonCheck).suites;
      done({ counts: JSON.stringify([run?.end, run?.states, run?.transitions, run?.depth, run?.checks]), milliseconds, told });
    });
  });
}

const undisturbed = await check([], null);
const folder = mkdtempSync(join(tmpdir(), "iommu-mc-kill-"));
let [kills, resumed, different] = [0, 0, 0];
try {
  for (let cycle = 0; cycle < cycles; cycle++) {
    const kept = ["--checkpoint", join(folder, String(cycle)), "--every", "0.002"];
    let ended: Ended;
    do {
      // Now and then it may come to its end.
      ended = await check(kept, Math.random() * undisturbed.milliseconds * 1.2);
      if (ended.counts === null) kills++;
      if (/goes on from/.test(ended.told)) resumed++;
    } while (ended.counts === null);
    if (ended.counts !== undisturbed.counts) different++;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(`${cycles} runs, killed ${kills} times, went on ${resumed} times: ${different} counted otherwise\n`);
process.exitCode = different === 0 ? 0 : 1;

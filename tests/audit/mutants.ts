/** Audits of a design against mutants of one file of its model. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Audit, audit } from "../../src/audit/audit.js";
import type { Distinction } from "../../src/audit/inclusion.js";
import { type Design, withCommits } from "../../src/lang/design.js";
import { ModelError } from "../../src/lang/errors.js";
import type { Suite } from "../../src/lang/suite.js";
import { bundledSuites, modelLoader, packageRoot, type Session, session } from "../../src/session/open.js";
import { finish } from "../../src/session/run-suite.js";
import { type Mutant, mutate, sample } from "./mutate.js";

/** A file's mutants, how many of them by which seed, and the suites whose scenarios could show them. */
export interface MutantRun {
  readonly file: string;
  readonly suites: readonly string[];
  readonly count: number;
  readonly seed: number;
}

export type MutantVerdict =
  /** An observer can tell, by this, after events that both show. */
  | { readonly kind: "differs"; readonly suite: string; readonly events: number; readonly original: string; readonly mutant: string }
  | { readonly kind: "equivalent" }
  /** It cannot be run. */
  | { readonly kind: "refused"; readonly why: string };

export interface JudgedMutant {
  readonly mutant: Mutant;
  readonly verdict: MutantVerdict;
}

/** The mutants of the sample, out of those whose place is reached in the suites, each compared with the original. */
export function judgeMutants({ file, suites: names, count, seed }: MutantRun): JudgedMutant[] {
  const path = join(packageRoot(), file);
  const { text, mutants, commits } = mutate(readFileSync(path, "utf8"), file);
  const loader = modelLoader({ cacheDir: false, typecheck: false, root: packageRoot() });
  loader.loadSource(text, path);
  const opened = session(loader.load(bundledSuites()).exports.suites as Suite[], loader);
  const suites = names.map((name) => opened.suites.find((suite) => suite.name === name) as Suite);
  const reached = suites.map((suite) => {
    const original = withSwitches(suite, commits);
    const { verdict, machines } = compare(opened, suite, original, original);
    if (verdict !== "equivalent") throw new Error(`${suite.name} is not equivalent to itself`);
    return { suite, original, asked: machines.a.asked };
  });
  const candidates = mutants.filter(({ sha }) => reached.some(({ asked }) => asked.has(sha)));
  return sample(candidates, count, seed).map((mutant) => {
    const where = reached.filter(({ asked }) => asked.has(mutant.sha));
    return { mutant, verdict: judge(opened, where, mutant) };
  });
}

function withSwitches({ design }: Suite, commits: Design["commits"]): Design {
  return { ...design, commits: { ...design.commits, ...commits } };
}

function judge(opened: Session, where: readonly { readonly suite: Suite; readonly original: Design }[], { sha }: Mutant): MutantVerdict {
  for (const { suite, original } of where) {
    try {
      const found = compare(opened, suite, original, withCommits(original, sha));
      if (found.verdict === "unfinished") throw new Error(`${suite.name} is too large to be compared with a mutant`);
      if (found.verdict !== "equivalent") return { kind: "differs", suite: suite.name, ...parting(found) };
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      return { kind: "refused", why: error.message };
    }
  }
  return { kind: "equivalent" };
}

/** What each shows where they part; of two distinctions the shorter. */
function parting({ onlyA, onlyB }: Audit): { readonly events: number; readonly original: string; readonly mutant: string } {
  const isOfA = onlyB === null || (onlyA !== null && onlyA.trace.length <= onlyB.trace.length);
  const { trace, instead } = (isOfA ? onlyA : onlyB) as Distinction;
  const shown = trace.at(-1) as string;
  const other = instead.length === 0 ? "nothing more" : instead.join(", or ");
  return { events: trace.length - 1, ...(isOfA ? { original: shown, mutant: other } : { original: other, mutant: shown }) };
}

function compare({ locate }: Session, suite: Suite, a: Design, b: Design): Audit {
  return finish(audit(locate, suite, { a, b }, { counts: () => true, limits: { maxStates: 20_000 } }));
}

/** Why an observer cannot tell a mutant from the original, by its name. */
export const judgedEquivalent: Readonly<Record<string, string>> = {
  "__iommu_attach_device: `!ret` negated": "what it guards does something since dd8a25c557e1 only, which the design has not",
  "__iommu_release_dma_ownership: without `group.owner = null;`":
    "no scenario here claims the group again after its release, or adds a device to it, and nobody else looks",
  "__iommu_release_dma_ownership: `1` for `0` in `group.owner_cnt = 0;`":
    "no scenario here claims the group again after its release, and nobody else looks",
  "__iommu_take_dma_ownership: `1` for `0` in `let ret: Errno = 0;`":
    "with 0286300e6045, which the design has, the next statement writes over it",
  "iommu_group_release_dma_owner: without `mutex_unlock(group.mutex);`":
    "nobody takes the mutex after the release here, and that it is held is no event: `check` sees it (lockdep), and `audit` does not",
  "iommu_domain_free: without `domain_free(domain);`":
    "that a domain is freed is no event, and these scenarios do not run out of domains; `check` does not see it here either, since they need not end",
  "iommu_domain_free: without `iommu_put_dma_cookie(domain);`": "the domains that are freed here are a user's, which have no cookie",
  '__iommu_group_alloc_blocking_domain: without `group.blocking_domain = __iommu_group_domain_alloc(group, "BLOCKED");`':
    "neither driver of these scenarios has BLOCKED domains, so that the next line allocates what is used instead",
};

const small = ["vfio-close/intel_iommu", "vfio-detach/arm_smmu_v3", "partial-attach/fault/arm_smmu_v3", "partial-attach/rmrr"];

/** The mutants of which the page of audits tells. */
export const shownMutants: readonly MutantRun[] = [
  { file: "models/linux/iommu/attach.ts", suites: small, count: 15, seed: 1 },
  { file: "models/linux/iommu/ownership.ts", suites: small, count: 15, seed: 1 },
];

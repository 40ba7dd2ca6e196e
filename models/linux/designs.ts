import { type Design, design } from "iommu-mc";
import { commits } from "./commits.js";
import { linux } from "./schema.js";

/** A kernel: all commits that the model knows of the releases up to `release`, and those that its maintainers took early. */
function kernel(name: string, version: string, release: string, backports: readonly string[] = []): Design<typeof linux> {
  const isIn = (since: string) => numberOf(since) <= numberOf(release);
  const mainline = Object.entries(commits).flatMap(([sha, { since }]) => (isIn(since) ? [sha] : []));
  return design({ name, version, schema: linux, commits, includes: [...mainline, ...backports] });
}

/** `v5.10` comes after `v5.9`. */
function numberOf(release: string): number {
  const [major, minor] = release.slice(1).split(".").map(Number) as [number, number];
  return major * 1000 + minor;
}

/** Fixes of bugs that came after v5.15: without them the kernels of before would have what they never had. */
const mendedLater = ["2667ed10d9f0", "a4f124908617"];

/** The longterm kernel that Debian 11 had, of which there is the source, with what its maintainers took of later releases. */
export const linux510 = kernel("linux-5.10", "5.10.223", "v5.10", [...mendedLater, "b54240ad4943"]);

/** v5.15 itself; what was read is its iommu.c with 556f99ac8866, which its maintainers took later, and for the rest 5.10.223 and patches. */
export const linux515 = kernel("linux-5.15", "5.15", "v5.15", mendedLater);

/** The kernel of the recorded traces: Debian 12's 6.1.176. */
export const linux61 = kernel("linux-6.1", "6.1.176 (Debian 6.1.176-1)", "v6.1", [
  "01657bc14a39",
  "229e6ee43d2a",
  "2cc73c5712f9",
  "38e8844005e6",
  "4daa861174d5",
  "a2e7e59a9426",
  "bf8d2dd2ed08",
  "f429378a9bf8",
]);

/** v6.6 itself, of which there is no source here: the forms of 6.12.107 without the commits that are known to have come later. */
export const linux66 = kernel("linux-6.6", "6.6", "v6.6");

/** What the source of Debian's trixie has: 6.12.107, with what its maintainers took of later releases. */
export const linux612 = kernel("linux-6.12", "6.12.107", "v6.12", [
  "1f2557e08a61",
  "229e6ee43d2a",
  "280e5a301005",
  "38e8844005e6",
  "b46064a18810",
]);

export const linux72 = kernel("linux-7.2", "7.2.13", "v7.2");

/**
 * 6.1.176 without some of its commits, under a name of its own: what they rewrote is as it was before, among what is as it is
 * in 6.1. Throws if it has not got one of them.
 */
export function linux61Without(name: string, ...shas: readonly string[]): Design<typeof linux> {
  const missing = shas.find((sha) => !linux61.includes.includes(sha));
  if (missing !== undefined) throw new Error(`linux-6.1 does not include ${missing}`);
  const includes = linux61.includes.filter((sha) => !shas.includes(sha));
  return design({ ...linux61, name, version: `${linux61.version} without ${shas.join(", ")}`, includes });
}

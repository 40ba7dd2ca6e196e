/** Commits of making groups, whose absence turns a suite red. */
import type { Switch } from "iommu-mc";

export const groupsSwitches: readonly Switch[] = [
  {
    entry: 31,
    bug: "a group whose kobject cannot be added is freed without it",
    commit: "7cc31613734c",
    suite: "group-alloc/freed-twice",
    red: "leak",
    without: { revert: ["7cc31613734c"] },
    with: {},
  },
  {
    entry: 32,
    bug: "what 7cc31613734c made of it: the group's id is freed twice, and two groups get the same",
    commit: "bf75eb44e11b",
    suite: "group-alloc/failing",
    red: "warn-on",
    without: { revert: ["bf75eb44e11b"] },
    with: {},
  },
  {
    entry: 33,
    bug: "a group whose files cannot be made is left behind",
    commit: "4daa861174d5",
    suite: "group-alloc/failing",
    red: "leak",
    without: { revert: ["4daa861174d5"] },
    with: {},
  },
];

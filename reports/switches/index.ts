import type { Switch } from "iommu-mc";
import { armSwitches } from "./arm.js";
import { dmaSwitches } from "./dma.js";
import { domainsSwitches } from "./domains.js";
import { driversSwitches } from "./drivers.js";
import { groupsSwitches } from "./groups.js";
import { hotplugSwitches } from "./hotplug.js";
import { powerpcSwitches } from "./powerpc.js";
import { probingSwitches } from "./probing.js";
import { usersSwitches } from "./users.js";
import { vfioSwitches } from "./vfio.js";

/**
 * Commits whose absence turns a suite red: each row is run without its commit and with it, and the two designs differ by nothing
 * else. `iommu-mc corpus` runs the rows of known bugs (corpus/entries.ts), and corpus.md has them all.
 */
export const switches: readonly Switch[] = [
  ...probingSwitches,
  ...groupsSwitches,
  ...domainsSwitches,
  ...hotplugSwitches,
  ...vfioSwitches,
  ...dmaSwitches,
  ...usersSwitches,
  ...driversSwitches,
  ...armSwitches,
  ...powerpcSwitches,
];

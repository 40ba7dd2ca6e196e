/** How the bundled suites are declared: Linux 6.1.176 on a small machine, or on a topology that was recorded. */
import { type Design, type Expectation, type Property, type Suite, suite, withCommits } from "iommu-mc";
import { linux61 } from "../../models/linux/designs.js";
import { type BootDevice, type BootOptions, bootScenario } from "../../models/linux/machine/boot.js";
import { type OwnershipOptions, ownershipScenario, type Topology } from "../../models/linux/machine/topology.js";

/** With the test for a device that is probed already under the lock, without which little else can be said of probing. */
export const rechecked = withCommits(linux61, "6eb4da8cf545");

/** With the release of a device under its group's mutex, without which little else can be said of unplugging. */
export const releasedAtOnce = withCommits(linux61, "dba9ca9d41f5");

/** What a suite says beside its scenario, which is called as the suite is. */
interface Claims {
  /** Default: 6.1.176 as it is. */
  readonly design?: Design;
  readonly properties: readonly Property[];
  readonly expected?: Readonly<Record<string, Expectation>>;
}

/** A small machine, by default with one IOMMU, which has registered. */
export type BootSuite = Claims & Omit<BootOptions, "iommus" | "registered"> & Partial<Pick<BootOptions, "iommus" | "registered">>;

export function bootSuite({ design = linux61, properties, expected = {}, ...options }: BootSuite): Suite {
  const scenario = bootScenario({ iommus: 1, registered: 1, ...options });
  return suite({ name: options.name, design, scenario, properties, expected });
}

export function topologySuite(
  topology: Topology,
  { design = linux61, properties, expected = {}, ...options }: Claims & OwnershipOptions,
): Suite {
  return suite({ name: options.name, design, scenario: ownershipScenario(topology, options), properties, expected });
}

/** A suite of several kernels, with what is expected of each, by the name of its design. */
export type OnEach = Omit<BootSuite, "design" | "expected"> & {
  readonly of?: Readonly<Record<string, Readonly<Record<string, Expectation>>>>;
};

/** The same suite on every one of these kernels. */
export function onEachOf(designs: readonly Design[], { name, of = {}, ...declared }: OnEach): Suite[] {
  return designs.map((design) => bootSuite({ name: `${name}/${design.name}`, design, expected: of[design.name] ?? {}, ...declared }));
}

/** A device that the driver of VFIO has, and a process may open. */
export const lent: BootDevice = { name: "d0", state: "probed", group: "g", driver: "vfio-pci", bound: true };

export function violated(reason: string): Expectation {
  return { verdict: "violated", reason };
}

/** The same expected of several properties or checks. */
export function everything(expectation: Expectation, ...checks: readonly string[]): Record<string, Expectation> {
  return Object.fromEntries(checks.map((check) => [check, expectation]));
}

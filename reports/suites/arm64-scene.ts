/** What the suites of Linux 4.2 and 4.4 have in common: who comes, and in which order. */
import { type Design, type Expectation, type Property, type Suite, suite, type Thread, thread, withCommits } from "iommu-mc";
import {
  type Arm64Iommu,
  type Arm64Objects,
  type Arm64Options,
  arm64Scenario,
  do_initcalls,
  do_initcalls_in_any_order,
} from "../../models/arm64/boot.js";
import { linux42, linux44 } from "../../models/arm64/designs.js";

/** The series that the thread of August 2015 discusses. */
export const posted = withCommits(linux42, "posted-v5");

/** What v4.4 has of it, on a core that groups PCI devices only. */
export const mergedOn42 = withCommits(linux42, "13b8629f6511");

/** That, set up when a driver is bound, which waits for the IOMMU's. The queue stays, which v4.12 has no more: is it needed? */
export const deferred = withCommits(mergedOn42, "09515ef5ddad");
export const deferredOn44 = withCommits(linux44, "09515ef5ddad");

/** IOMMUs by what their drivers do with a device that they have not seen. */
export const smmu: Arm64Iommu = { name: "arm_smmu" };
export const sysmmu: Arm64Iommu = { name: "exynos_sysmmu", ungrouped: "attaches" };
export const rockchip: Arm64Iommu = { name: "rk_iommu", ungrouped: "pretends" };

/** A machine on which much is as usual: one kind of IOMMU, whose driver refuses what it has not seen. */
type Scene = Omit<Arm64Options, "name" | "iommus"> & { readonly iommus?: readonly Arm64Iommu[] };

interface Says {
  readonly name: string;
  readonly design: Design;
  readonly properties: readonly Property[];
  readonly expected?: Readonly<Record<string, Expectation>>;
}

/** A suite of its own scenario. */
export function of42({ name, design, properties, expected = {}, ...scene }: Scene & Says): Suite {
  return underEach({ name, ...scene }, [{ name, design, properties, expected }])[0] as Suite;
}

/** Suites of one scenario, whose designs can be compared. */
export function underEach({ iommus = [smmu], ...scene }: Scene & { readonly name: string }, suites: readonly Says[]): Suite[] {
  const scenario = arm64Scenario({ ...scene, iommus });
  return suites.map((says) => suite({ ...says, scenario }));
}

type Threads = (objects: Arm64Objects) => readonly Thread[];

function booting(calls: typeof do_initcalls, order: string, second?: string): Threads {
  return ({ device, bus, iommu }) => [
    thread("init", calls, bus("platform"), iommu(0), device("d0"), second === undefined ? null : device(second), order),
  ];
}

/** Initcalls in that order, for d0 and, if there is one, a second device. */
export function boot(order: string, second?: string): Threads {
  return booting(do_initcalls, order, second);
}

/** The same in every order. */
export function bootInAnyOrder(calls: string, second?: string): Threads {
  return booting(do_initcalls_in_any_order, calls, second);
}

/** Machines of POWER: PHBs, PEs and their devices, as platform code finds them. */
import { list_add_tail, type Make, type Scenario, scenario, type Thread } from "iommu-mc";
import { type Device, type PciController, platform, ppc64, type TableGroup, type TceContainer } from "./schema.js";

export interface PeDevice {
  readonly name: string;
  /** Its driver sets a 64-bit DMA mask. Default no: it does DMA through its PE's window. */
  readonly dma64?: boolean;
  /** It is plugged in later. */
  readonly absent?: boolean;
}

export interface Pe {
  readonly kind: "ioda2" | "npu_peers" | "pseries";
  /** Devices, of which there are at most two. A PE of powernv with one that is not on a bus of its own is that device's. */
  readonly devices: readonly PeDevice[];
  /** Name of its PHB. Default "phb0". */
  readonly phb?: string;
}

/** The objects a scenario's threads are given. */
export interface Objects {
  readonly container: TceContainer;
  phb(name: string): PciController;
  device(name: string): Device;
}

export interface MachineOptions {
  readonly name: string;
  readonly describes: string;
  readonly pes: readonly Pe[];
  /** PHBs that are plugged in later. */
  readonly absentPhbs?: readonly string[];
  /** The container is one of the second version, as IODA2 needs; pSeries has only the first until v6.11. Default true. */
  readonly v2?: boolean;
  readonly faults?: number;
  readonly terminates?: boolean;
  readonly threads: (objects: Objects) => readonly Thread[];
}

type Ppc64Make = Make<typeof ppc64>;

/** A scenario on such a machine. Throws if a name is not that of a PHB or device. */
export function machineScenario(options: MachineOptions): Scenario {
  const { pes, faults = 0, terminates = false } = options;
  const phbs = new Set(pes.map(({ phb = "phb0" }) => phb)).size;
  return scenario(ppc64, options.name, {
    describes: options.describes,
    setting: settingOf(options),
    faults,
    terminates,
    pools: {
      class_device: phbs,
      // That of the kernel and two windows of a user, and one more while one takes the place of another.
      iommu_table: 3 * pes.length + 1,
      iommu_group: pes.length,
      // Static ones, and those that v6.4 allocates for each group.
      iommu_domain: 2 + pes.length,
      tce_iommu_group: pes.length,
    },
    setup: (make) => options.threads(build(make, options)),
  });
}

function settingOf({ pes }: MachineOptions): string {
  return pes.map(({ kind, devices }) => `${kind} PE of ${devices.length} ${devices.length === 1 ? "device" : "devices"}`).join(", ");
}

function build(make: Ppc64Make, options: MachineOptions): Objects {
  make("iommu_core", "iommu_core");
  make("platform", "platform");
  platform.spapr_tce_iommu_ops = make("iommu_ops", "spapr_tce_iommu_ops");
  platform.spapr_tce_platform_domain = make("iommu_domain", "spapr_tce_platform_domain", { type: "PLATFORM", is_static: true });
  platform.spapr_tce_blocked_domain = make("iommu_domain", "spapr_tce_blocked_domain", { type: "BLOCKED", is_static: true });
  const phbs = new Map<string, PciController>();
  const devices = new Map<string, Device>();
  const entries = Math.min(2, Math.max(...options.pes.map((pe) => pe.devices.length)));
  const tces = Array.from({ length: entries }, (_, number) => make("tce", `tce${number}`, { number }));
  for (const [number, pe] of options.pes.entries()) {
    const { phb: phbName = "phb0", kind } = pe;
    const phb = phbs.get(phbName) ?? makePhb(make, phbName, kind === "pseries" ? "pseries" : "powernv", options);
    phbs.set(phbName, phb);
    const table_group = make("iommu_table_group", `pe${number}`, {
      ops: kind === "pseries" ? "none" : kind,
      has_dynamic_windows: kind !== "pseries",
      is_bus: pe.devices.length > 1,
      phb,
    });
    for (const tce of tces) table_group.window.add(tce);
    for (const declared of pe.devices) devices.set(declared.name, makeDevice(make, declared, phb, table_group));
  }
  const container = make("tce_container", "container", { v2: options.v2 ?? true });
  return { container, phb: (name) => found("PHB", phbs, name), device: (name) => found("device", devices, name) };
}

function makePhb(make: Ppc64Make, name: string, kind: PciController["platform"], { absentPhbs = [] }: MachineOptions): PciController {
  const phb = make("pci_controller", name, { platform: kind, iommu: make("iommu_device", `iommu-${name}`) });
  if (!absentPhbs.includes(name)) list_add_tail(phb, platform.hose_list);
  return phb;
}

function makeDevice(make: Ppc64Make, { name, dma64, absent }: PeDevice, phb: PciController, pe: TableGroup): Device {
  const dev = make("device", name, { phb, pe, can_dma_64: dma64 === true });
  list_add_tail(dev, pe.devices);
  const isAbsent = absent === true || !platform.hose_list.includes(phb);
  if (!isAbsent) list_add_tail(dev, platform.devices);
  return dev;
}

function found<T>(what: string, among: ReadonlyMap<string, T>, name: string): T {
  const object = among.get(name);
  if (object === undefined) throw new Error(`the machine has no ${what} ${name}`);
  return object;
}

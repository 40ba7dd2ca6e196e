/** Machines of a scenario: PHBs, a PE for each, and their devices. */
import { list_add_tail, type Scenario, scenario, type Thread } from "iommu-mc";
import { type BusType, core, type Device, type IommuOps, type PciController, ppc64Ops } from "./schema.js";

export interface Machine {
  readonly name: string;
  readonly describes: string;
  /** Default one. Each has a PE of two devices, of which the second is plugged in later or not at all. */
  readonly phbs?: 1 | 2;
  /** The first PHB has no device_group(), as those of OpenCAPI. */
  readonly withoutDeviceGroup?: boolean;
  /** There is no device before one is plugged in. */
  readonly emptyAtBoot?: boolean;
  /** The second PHB is registered by a thread, not by discover_phbs(). */
  readonly lateSecond?: boolean;
  readonly threads: (objects: Objects) => readonly Thread[];
}

/** What the threads may be given. */
export interface Objects {
  readonly pci: BusType;
  readonly ops: IommuOps;
  /** The second PHB, with a device behind it. */
  readonly late: PciController;
  readonly other: Device;
  /** The devices of the first PHB's PE. */
  readonly first: Device;
  readonly second: Device;
  /** One that is not PCI's. */
  readonly platform: Device;
}

/** A scenario that terminates, without failures. */
export function machineScenario({
  name,
  describes,
  phbs = 1,
  withoutDeviceGroup = false,
  lateSecond = false,
  emptyAtBoot = false,
  threads,
}: Machine): Scenario {
  return scenario(ppc64Ops, name, {
    describes,
    terminates: true,
    pools: { iommu_group: 2, iommu_domain: 2, dev_iommu: 3 },
    setup(make) {
      make("core", "core");
      const platform_bus_type = make("bus_type", "platform_bus_type", { is_registered: true });
      const pci = make("bus_type", "pci_bus_type", { is_pci: true });
      for (const bus of [platform_bus_type, pci]) list_add_tail(bus, core.iommu_buses);
      const ops = make("iommu_ops", "spapr_tce_iommu_ops");
      const made = (number: number, has_device_group: boolean) => {
        const phb = make("pci_controller", `phb${number}`, { iommu: make("iommu_device", `iommu-phb${number}`), has_device_group });
        const pe = make("iommu_table_group", `pe${number}`);
        const device = (slot: number) => make("device", `000${number}:01:00.${slot}`, { bus: pci, phb, pe });
        return { phb, first: device(0), second: device(1) };
      };
      const one = made(0, !withoutDeviceGroup);
      const two = made(1, true);
      const atBoot = lateSecond || phbs === 1 ? [one] : [one, two];
      for (const { phb, first } of atBoot) {
        list_add_tail(phb, core.hose_list);
        if (!emptyAtBoot) list_add_tail(first, core.present);
      }
      const platform = make("device", "serial8250", { bus: platform_bus_type });
      return threads({ pci, ops, late: two.phb, first: one.first, second: one.second, other: two.first, platform });
    },
  });
}

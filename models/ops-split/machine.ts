/** Machines with one driver and one bus, on which the designs are compared. */
import { list_add_tail, type Make, type Scenario, scenario, type Thread } from "iommu-mc";
import { type BusType, type Device, type Driver, driver_module, opsSplit, type Role } from "./schema.js";
import { tableOf } from "./tables.js";

export interface SplitDevice {
  readonly name: string;
  readonly identity?: boolean;
  /** Behind a virtio-iommu; default true. */
  readonly emulated?: boolean;
  readonly resvRegion?: boolean;
  /** It is plugged in later. */
  readonly absent?: boolean;
  /** Default 0: behind which of the two IOMMUs. */
  readonly iommu?: 0 | 1;
}

export interface MachineOptions {
  readonly name: string;
  readonly describes: string;
  readonly driver: Driver;
  readonly devices: readonly SplitDevice[];
  /** A crashed kernel has left the IOMMU translating. */
  readonly kdump?: boolean;
  /** Of Intel's. */
  readonly firstLevel?: boolean;
  /** Of Intel's. Default true. */
  readonly nesting?: boolean;
  readonly faults?: number;
  readonly threads: (bus: BusType, device: (name: string) => Device) => readonly Thread[];
}

/** A scenario on such a machine. */
export function machineScenario(options: MachineOptions): Scenario {
  const { driver, devices, faults = 0 } = options;
  return scenario(opsSplit, options.name, {
    describes: options.describes,
    setting: `${driver} with ${devices.length} ${devices.length === 1 ? "device" : "devices"}${options.kdump ? ", after a crash" : ""}`,
    faults,
    // Default domains, Intel's identity domain, and one of a user and one that is tried.
    pools: { iommu_domain: devices.length + 3 },
    setup: (make) => {
      const bus = build(make, options);
      return options.threads(bus, (name) => deviceNamed(bus, devices, name));
    },
  });
}

function build(
  make: Make<typeof opsSplit>,
  { driver, devices, kdump = false, firstLevel = false, nesting = true }: MachineOptions,
): BusType {
  const table = (role: Role) => {
    const ops = tableOf(driver, role);
    return ops === undefined ? null : make("ops_table", `${driver}.${role}`, { driver, role, can_map: ops.map !== undefined });
  };
  const iommu_ops = table("iommu_ops");
  make("driver_module", driver, { is_kdump: kdump, has_first_level: firstLevel, can_nest: nesting });
  driver_module.domain_ops = table("domain_ops");
  driver_module.identity_ops = table("identity_ops");
  driver_module.sva_ops = table("sva_ops");
  driver_module.fq_ops = table("fq_ops");
  driver_module.stage1_ops = table("stage1_ops");
  driver_module.stage2_ops = table("stage2_ops");
  driver_module.bare_ops = table("bare_ops");
  driver_module.emulated_ops = table("emulated_ops");
  driver_module.physical_ops = table("physical_ops");
  driver_module.stage1 = make("io_pgtable", "stage1", { format: "stage1" });
  driver_module.stage2 = make("io_pgtable", "stage2", { format: "stage2" });
  if (driver === "intel_iommu")
    driver_module.si_domain = make("iommu_domain", "si_domain", { type: "IDENTITY", embedded_in: "paging_domain" });
  const iommus = [make("iommu_device", "iommu0"), make("iommu_device", "iommu1")];
  const bus = make("bus_type", "bus", { iommu_ops });
  for (const declared of devices) {
    const dev = make("device", declared.name, {
      bus,
      iommu: iommus[declared.iommu ?? 0]!,
      needs_identity: declared.identity ?? false,
      emulated: driver === "virtio_iommu" && (declared.emulated ?? true),
      has_resv_region: declared.resvRegion ?? false,
      on_bus: !(declared.absent ?? false),
    });
    list_add_tail(dev, bus.devices);
  }
  return bus;
}

function deviceNamed(bus: BusType, devices: readonly SplitDevice[], name: string): Device {
  return bus.devices.at(devices.findIndex((dev) => dev.name === name))!;
}

/**
 * Registration by bus, in drivers/iommu/iommu.c of 5.10.223 until 57365a04c921 (v6.1): when its IOMMUs are listed, an IOMMU's driver
 * gives its operations to each bus that it serves, and that walks its devices.
 */
import { abstraction, EBUSY, ENOMEM, type Errno, fault, type Proc } from "iommu-mc";
import { type BusType, type IommuOps, iommu_core } from "../schema.js";
import { bus_iommu_probe, iommu_release_device } from "./probe.js";

abstraction("of the buses that IOMMU drivers of before v6.1 serve, PCI and the platform bus are there, in that order", "may miss a bug");

/** 5.10.223 line 1839. One driver a bus; to take it back leaves the notifier there. */
function* bus_set_iommu(bus: BusType, ops: IommuOps | null): Proc<Errno> {
  if (ops === null) {
    bus.iommu_ops = null;
    return 0;
  }
  const current = bus.iommu_ops;
  if (current !== null) return -EBUSY;
  yield;
  bus.iommu_ops = ops;
  yield;
  const err = yield* iommu_bus_init(bus);
  if (!err) return 0;
  yield;
  bus.iommu_ops = null;
  return err;
}

/** 5.10.223 line 1793. The notifier is there before the walk, which its events may overtake; an error releases whatever is on the bus. */
function* iommu_bus_init(bus: BusType): Proc<Errno> {
  if (fault("kzalloc(notifier_block)")) return -ENOMEM;
  bus.has_iommu_notifier = true;
  yield;
  const err = yield* bus_iommu_probe(bus);
  if (!err) return 0;
  for (const dev of bus.klist_devices) {
    yield;
    const isOnBus = dev.on_bus;
    yield;
    if (isOnBus) yield* iommu_release_device(dev);
    yield;
  }
  bus.has_iommu_notifier = false;
  return err;
}

/**
 * What the IOMMU's driver does for its buses: Intel's (intel/iommu.c of 5.10.223 line 5085) knows PCI only, and does not look at what
 * becomes of it; AMD's (amd/iommu.c line 2348) stops at an error; an SMMU's (arm-smmu-v3.c line 3446) leaves a bus alone that an
 * earlier SMMU has set, and takes back what it has set itself when it fails.
 */
export function* set_bus_ops(ops: IommuOps): Proc<Errno> {
  const isIntel = ops.driver === "intel_iommu";
  const isSmmu = ops.driver === "arm_smmu_v3";
  let err: Errno = 0;
  for (const kind of isIntel ? (["pci"] as const) : (["pci", "platform"] as const)) {
    const bus = bus_of(kind);
    if (bus === null) continue;
    yield;
    const isSet = isSmmu && bus.iommu_ops === ops;
    yield;
    if (!isSet) err = yield* bus_set_iommu(bus, ops);
    if (err) break;
  }
  if (isIntel) return 0;
  if (!err || !isSmmu) return err;
  const pci = bus_of("pci");
  yield;
  if (pci !== null) yield* bus_set_iommu(pci, null);
  return err;
}

function bus_of(kind: BusType["kind"]): BusType | null {
  for (const bus of iommu_core.buses) if (bus.kind === kind) return bus;
  return null;
}

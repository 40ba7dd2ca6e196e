/** drivers/iommu/arm/arm-smmu/arm-smmu.c of 6.1.176: the SMMU before SMMUv3. */
import { abstraction, applied, EINVAL, ENODEV, ENOMEM, EPROBE_DEFER, type Errno, fault, type Proc } from "iommu-mc";
import type { Device, IommuDevice, IommuOps } from "../schema.js";
import { arm_smmu_ops as arm_smmu_v3_ops } from "./arm-smmu-v3.js";
import type { Driver } from "./driver.js";
import { alloc_priv, bus_find_device_by_fwnode, dev_iommu_fwspec_get, driver_find_device_by_fwnode } from "./hardware.js";

abstraction("an SMMU before SMMUv3 is one in all but how it is found", "may miss a bug");

/**
 * Line 1352, 6.12.107 line 1420. An SMMU that is only registering is not found before 7d835134d4e1 (v6.15), and nobody asks whether it was
 * before its mask of stream ids is used, for which its operations stand here; 229e6ee43d2a (v6.13) lets the device wait.
 */
function* arm_smmu_probe_device(ops: IommuOps, dev: Device): Proc<IommuDevice | Errno> {
  const fwspec = yield* dev_iommu_fwspec_get(dev);
  if (fwspec === null) return -ENODEV;
  yield;
  if (fwspec.ops !== ops) return -ENODEV;
  yield;
  const smmu = applied("7d835134d4e1") ? bus_find_device_by_fwnode(dev) : driver_find_device_by_fwnode(dev);
  if (smmu === null && applied("229e6ee43d2a")) return -EPROBE_DEFER;
  yield;
  if (smmu!.ops !== ops) return -EINVAL;
  yield;
  if (fault("probe_device")) return -ENOMEM;
  yield* alloc_priv(dev);
  return smmu!;
}

/** Line 1583. */
export const arm_smmu_v2_ops: Driver = { ...arm_smmu_v3_ops, probe_device: arm_smmu_probe_device };

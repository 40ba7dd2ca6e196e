/** drivers/iommu/intel/iommu.c of 6.1.176. Has `detach_dev`; finds a device's IOMMU by the DMAR table. */
import { atomic, ENODEV, ENOMEM, EPERM, type Errno, fault, type Proc } from "iommu-mc";
import { type Device, type IommuDevice, type IommuDomain, iommu_core } from "../schema.js";
import { alloc_priv, dev_iommu_priv_get, free_priv, privOf, put_on_domain, take_off_domain } from "./hardware.js";

/** Line 4537. A unit that is not registered yet leaves its devices to its own walk (c919739ce472). */
export function* intel_iommu_probe_device(dev: Device): Proc<IommuDevice | Errno> {
  const iommu = dev.scope;
  if (iommu === null) return -ENODEV;
  const isRegistered = iommu.ops !== null;
  if (!isRegistered) return -ENODEV;
  yield;
  if (fault("probe_device")) return -ENOMEM;
  yield* alloc_priv(dev);
  return iommu;
}

/** Line 4601, with dmar_remove_one_dev_info(), which takes for granted that the device is on a domain. */
export function* intel_iommu_release_device(dev: Device): Proc {
  const info = (yield* dev_iommu_priv_get(dev))!;
  yield;
  atomic("taking one device off its domain is one step");
  take_off_domain(dev, info);
  yield;
  yield* free_priv(dev, info);
  yield;
  dev.has_iommu_dma_ops = false;
}

/** Line 4771: tables of a crashed kernel are in use, and none of this kernel's domains is attached. */
export function intel_iommu_is_attach_deferred(dev: Device): boolean {
  return iommu_core.is_kdump_kernel && privOf(dev).domain === null;
}

/**
 * Line 4296. A device locked by an RMRR is refused before anything is done to it. Any other is blocked first
 * (`device_block_translation`), so that a failure leaves it without any translation.
 */
export function intel_iommu_attach_device(domain: IommuDomain, dev: Device): Errno {
  if (dev.rmrr_locked && domain.type === "UNMANAGED") return -EPERM;
  const info = privOf(dev);
  if (info.domain !== null) take_off_domain(dev, info);
  if (fault("attach_dev", !domain.attached_before.has(dev))) return -ENOMEM;
  put_on_domain(domain, dev, info);
  return 0;
}

/** Line 4322, with dmar_remove_one_dev_info(): whatever the device is on, not what the caller names. */
export function intel_iommu_detach_device(_domain: IommuDomain, dev: Device): void {
  take_off_domain(dev, privOf(dev));
}

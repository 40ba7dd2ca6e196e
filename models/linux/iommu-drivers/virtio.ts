/** drivers/iommu/virtio-iommu.c of 6.1.176, on x86. Has no `detach_dev`; finds a device's IOMMU by its fwspec. */
import { abstraction, applied, atomic, ENODEV, ENOMEM, ENOSPC, type Errno, fault, kfree, type Proc } from "iommu-mc";
import type { DevIommuPriv, Device, DomainType, IommuDevice, IommuDomain, IommuOps } from "../schema.js";
import type { Driver } from "./driver.js";
import {
  alloc_domain,
  alloc_priv,
  bus_find_device_by_fwnode,
  dev_iommu_fwspec_get,
  dev_iommu_priv_get,
  driver_find_device_by_fwnode,
  free_priv,
  privOf,
  put_on_domain,
  take_off_domain,
} from "./hardware.js";

abstraction("a virtio-iommu's identity domain is one flag (VIRTIO_IOMMU_F_BYPASS_CONFIG), not a page table", "may miss a bug");
abstraction("viommu_replay_mappings() does not fail, and map and unmap do not ask how many endpoints a domain has", "may miss a bug");

/** Line 640: knows no DMA_FQ. Since 07107e74444b (v6.16) the core asks it for a domain with a page table, of whatever type. */
function viommu_domain_alloc(ops: IommuOps, type: DomainType): IommuDomain | null {
  if (type === "BLOCKED" || (type === "DMA_FQ" && !applied("07107e74444b")) || fault("domain_alloc")) return null;
  return alloc_domain(ops);
}

/** Line 707. */
function viommu_domain_free(domain: IommuDomain): void {
  kfree(domain);
}

/** Line 966. An IOMMU that is only registering is not found before 72b6f7cd89ce (v6.17), which sets its `priv` early. */
function* viommu_probe_device(ops: IommuOps, dev: Device): Proc<IommuDevice | Errno> {
  const fwspec = yield* dev_iommu_fwspec_get(dev);
  if (fwspec === null) return -ENODEV;
  yield;
  if (fwspec.ops !== ops) return -ENODEV;
  yield;
  const viommu = applied("72b6f7cd89ce") ? bus_find_device_by_fwnode(dev) : driver_find_device_by_fwnode(dev);
  if (viommu === null) return -ENODEV;
  yield;
  if (fault("probe_device")) return -ENOMEM;
  yield* alloc_priv(dev);
  return viommu;
}

/** Line 1014. Leaves its pointer to what it has freed, in a structure that the core frees next. DMA ops stay as they are. */
function* viommu_release_device(dev: Device): Proc {
  const vdev = (yield* dev_iommu_priv_get(dev))!;
  yield;
  atomic("taking one device off its domain is one step");
  viommu_detach_dev(dev, vdev);
  yield;
  yield* free_priv(dev, vdev);
}

/**
 * Line 720. What can fail first is viommu_domain_finalise() of a domain that nothing was attached to yet, which changes
 * nothing; then the request, when the old domain has already lost one of its count. In both cases the device stays on the
 * old domain.
 */
function viommu_attach_dev(domain: IommuDomain, dev: Device): Errno {
  const vdev = privOf(dev);
  const isNew = domain.attached_before.size === 0;
  if (isNew && fault("viommu_domain_finalise")) return -ENOSPC;
  if (vdev.domain !== null) count(vdev.domain, -1);
  if (fault("attach_dev", !domain.attached_before.has(dev))) return -ENOMEM;
  put_on_domain(domain, dev, vdev);
  count(domain, 1);
  return 0;
}

/** Line 792. */
function viommu_detach_dev(dev: Device, vdev: DevIommuPriv): void {
  if (vdev.domain === null) return;
  count(vdev.domain, -1);
  take_off_domain(dev, vdev);
}

/** `nr_endpoints`, an unsigned long. */
function count(domain: IommuDomain, change: 1 | -1): void {
  domain.nr_endpoints = (domain.nr_endpoints + 16 + change) % 16;
}

/** Line 1046. */
export const viommu_ops: Driver = {
  domain_alloc: viommu_domain_alloc,
  probe_device: viommu_probe_device,
  release_device: viommu_release_device,
  attach_dev: viommu_attach_dev,
  free: viommu_domain_free,
};

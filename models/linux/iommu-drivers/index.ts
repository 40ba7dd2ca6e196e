/** Operations of the IOMMU drivers as the core calls them: each goes to the driver whose `struct iommu_ops` it is. */
import { abstraction, applied, atomic, type Errno, observe, operations, type Proc } from "iommu-mc";
import { type Device, type DomainType, type IommuDevice, type IommuDomain, type IommuOps, iommu_core, linux } from "../schema.js";
import { amd_iommu_ops } from "./amd.js";
import { arm_smmu_v2_ops } from "./arm-smmu.js";
import { arm_smmu_ops } from "./arm-smmu-v3.js";
import type { Driver } from "./driver.js";
import { dev_iommu_fwspec_get } from "./hardware.js";
import { intel_iommu_ops } from "./intel.js";
import { intel_requesters_ops } from "./intel-requesters.js";
import { mtk_iommu_ops } from "./mtk.js";
import { mtk_iommu_v1_ops } from "./mtk-v1.js";
import { omap_iommu_ops } from "./omap.js";
import { s390_iommu_ops } from "./s390.js";
import { spapr_tce_iommu_ops } from "./spapr-tce.js";
import { viommu_ops } from "./virtio.js";

abstraction("struct iommu_ops and its default_domain_ops are one object", "neither");

export const drivers: Readonly<Record<IommuOps["driver"], Driver>> = operations(linux, {
  intel_iommu: intel_iommu_ops,
  intel_legacy: intel_requesters_ops,
  intel_scalable: intel_requesters_ops,
  arm_smmu_v3: arm_smmu_ops,
  amd_iommu: amd_iommu_ops,
  virtio_iommu: viommu_ops,
  s390_iommu: s390_iommu_ops,
  mtk_iommu: mtk_iommu_ops,
  arm_smmu: arm_smmu_v2_ops,
  omap_iommu: omap_iommu_ops,
  mtk_iommu_v1: mtk_iommu_v1_ops,
  spapr_tce: spapr_tce_iommu_ops,
});

/**
 * include/linux/iommu.h line 427: the operations of a device that was probed; of one that was not, a NULL dereference. Before
 * 3f6634d997db (v5.18) those of its bus, as long as that has any.
 */
export function* dev_iommu_ops(dev: Device): Proc<IommuOps> {
  if (!applied("3f6634d997db")) return dev.bus!.iommu_ops!;
  const param = dev.iommu!;
  yield;
  const iommu_dev = param.iommu_dev!;
  yield;
  return iommu_dev.ops!;
}

/** The same for what is one step with the use of it. */
export function opsOf(dev: Device): IommuOps {
  return applied("3f6634d997db") ? dev.iommu!.iommu_dev!.ops! : dev.bus!.iommu_ops!;
}

/** Which driver's `ops->device_group` is asked. */
export function driverOf(dev: Device): IommuOps["driver"] {
  atomic("the operations of a device that is being probed are its probe's alone");
  return opsOf(dev).driver;
}

/** `ops->probe_device`. */
export function* probe_device(ops: IommuOps, dev: Device): Proc<IommuDevice | Errno | null> {
  const ret = yield* drivers[ops.driver].probe_device(ops, dev);
  observe("probe_device", dev, ret);
  return ret;
}

/** `ops->release_device`. Before 4d26ba671e3d (v6.0) drivers that find devices by their fwspec looked whether it is one of theirs. */
export function* release_device(dev: Device): Proc {
  const ops = yield* dev_iommu_ops(dev);
  yield;
  const { driver } = ops;
  if (!applied("4d26ba671e3d") && iommu_core.has_fwspecs) {
    const fwspec = yield* dev_iommu_fwspec_get(dev);
    if (fwspec === null) return;
    yield;
    const isKnown = fwspec.ops === ops;
    yield;
    if (!isKnown) return;
  }
  yield* drivers[driver].release_device(dev);
  observe("release_device", dev);
}

/** `ops->is_attach_deferred`, or what the core remembers of it since dd8a25c557e1 (v6.3). */
export function is_attach_deferred(dev: Device): boolean {
  atomic("asking whether a device's attach is deferred is one step with what comes before and after");
  if (applied("dd8a25c557e1")) return iommu_core.is_kdump_kernel && dev.iommu!.attach_deferred;
  return is_attach_deferred_now(dev);
}

/** What the driver says at the moment. */
export function is_attach_deferred_now(dev: Device): boolean {
  const driver = drivers[opsOf(dev).driver];
  if (driver.is_attach_deferred === undefined) return false;
  return driver.is_attach_deferred(dev);
}

/** What the device needs, null if anything will do: `ops->def_domain_type`, or the type of the one domain that the driver has for it. */
export function def_domain_type(dev: Device): DomainType | null {
  atomic("asking what domain a device needs is one step with what comes before and after");
  const ops = opsOf(dev);
  if (ops.default_domain !== null) return ops.default_domain.type;
  const driver = drivers[ops.driver];
  if (driver.def_domain_type === undefined) return null;
  return driver.def_domain_type(ops, dev);
}

/** `ops->domain_alloc`. */
export function domain_alloc(ops: IommuOps, type: DomainType): IommuDomain | null {
  if (ops.no_default_domains && type !== "UNMANAGED") return null;
  if (drivers[ops.driver].domain_alloc === undefined) return null;
  return drivers[ops.driver].domain_alloc!(ops, type);
}

/** `domain->ops->free`. */
export function domain_free(domain: IommuDomain): void {
  atomic("freeing a domain is one step");
  if (drivers[domain.ops!.driver].free === undefined) return;
  drivers[domain.ops!.driver].free!(domain);
}

/** include/linux/iommu.h line 668: drivers without the operation have nothing to flush. */
export function* iommu_flush_iotlb_all(domain: IommuDomain): Proc {
  if (drivers[domain.ops!.driver].flush_iotlb_all === undefined) return;
  observe("flush_iotlb_all", domain);
  yield* flush_iotlb_all(domain);
}

/** `domain->ops->flush_iotlb_all`. */
export function* flush_iotlb_all(domain: IommuDomain): Proc {
  yield* drivers[domain.ops!.driver].flush_iotlb_all!(domain);
}

/** `domain->ops->attach_dev`. */
export function* attach_dev(domain: IommuDomain, dev: Device): Proc<Errno> {
  atomic("attaching one device is one step");
  const { driver } = domain.ops!;
  const isTold = drivers[driver].attach_dev_calls !== undefined;
  const ret = isTold ? yield* drivers[driver].attach_dev_calls!(domain, dev) : drivers[driver].attach_dev!(domain, dev);
  observe("attach_dev", domain, dev, ret);
  return ret;
}

/** The same where the group's mutex, which drivers rely on, is not held. */
export function* attach_dev_unlocked(domain: IommuDomain, dev: Device): Proc<Errno> {
  if (drivers[domain.ops!.driver].attach_dev_unlocked === undefined) return yield* attach_dev(domain, dev);
  yield;
  return yield* drivers[domain.ops!.driver].attach_dev_unlocked!(domain, dev);
}

/** `domain->ops->detach_dev`: the core asks for it first; without one, a call of NULL. */
export function* detach_dev(domain: IommuDomain, dev: Device): Proc {
  atomic("detaching one device is one step");
  drivers[domain.ops!.driver].detach_dev!(dev, domain);
  observe("detach_dev", domain, dev);
}

/** `domain->ops->set_dev_pasid`. */
export function* set_dev_pasid(domain: IommuDomain, dev: Device, old: IommuDomain | null): Proc<Errno> {
  atomic("attaching one device's PASID is one step");
  const ret = drivers[domain.ops!.driver].set_dev_pasid!(domain, dev, old);
  observe("set_dev_pasid", domain, dev, ret);
  return ret;
}

/** `ops->remove_dev_pasid`, or `set_dev_pasid` of the blocked domain. */
export function* remove_dev_pasid(domain: IommuDomain, dev: Device): Proc {
  atomic("blocking one device's PASID is one step");
  drivers[domain.ops!.driver].remove_dev_pasid!(domain, dev);
  observe("remove_dev_pasid", domain, dev);
}

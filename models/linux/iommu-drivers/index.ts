/** `struct iommu_ops` and `struct iommu_domain_ops` of the modelled IOMMU drivers: which driver an operation goes to. */
import { abstraction, atomic, type Errno, fault, observe, type Proc } from "iommu-mc";
import type { Device, DomainType, IommuDevice, IommuDomain, IommuOps } from "../schema.js";
import { arm_smmu_attach_dev, arm_smmu_domain_free, arm_smmu_probe_device, arm_smmu_release_device } from "./arm-smmu-v3.js";
import { alloc_domain } from "./hardware.js";
import {
  intel_iommu_attach_device,
  intel_iommu_attach_device_unlocked,
  intel_iommu_detach_device,
  intel_iommu_domain_free,
  intel_iommu_is_attach_deferred,
  intel_iommu_probe_device,
  intel_iommu_release_device,
} from "./intel.js";

abstraction("struct iommu_ops and its default_domain_ops are one object", "neither");
abstraction("a domain that Intel's driver keeps, with a warning, because a device is still on it counts as freed", "may cry wolf");

/** include/linux/iommu.h line 427: the operations of a device that was probed; of one that was not, a NULL dereference. */
function* dev_iommu_ops(dev: Device): Proc<IommuOps> {
  const param = dev.iommu!;
  yield;
  const iommu_dev = param.iommu_dev!;
  yield;
  return iommu_dev.ops!;
}

/** `ops->probe_device`. */
export function* probe_device(ops: IommuOps, dev: Device): Proc<IommuDevice | Errno> {
  const ret = ops.driver === "intel_iommu" ? yield* intel_iommu_probe_device(dev) : yield* arm_smmu_probe_device(ops, dev);
  observe("probe_device", dev, ret);
  return ret;
}

/** `ops->release_device`. */
export function* release_device(dev: Device): Proc {
  const ops = yield* dev_iommu_ops(dev);
  yield;
  if (ops.driver === "intel_iommu") yield* intel_iommu_release_device(dev);
  else yield* arm_smmu_release_device(dev);
  observe("release_device", dev);
}

/** `ops->is_attach_deferred`. */
export function is_attach_deferred(dev: Device): boolean {
  atomic("asking whether a device's attach is deferred is one step with what comes before and after");
  const { driver } = dev.iommu!.iommu_dev!.ops!;
  return driver === "intel_iommu" && intel_iommu_is_attach_deferred(dev);
}

/** `ops->def_domain_type`: what the device needs; null if anything will do. */
export function def_domain_type(_dev: Device): DomainType | null {
  return null;
}

/** `ops->domain_alloc`: in 6.1.176 no driver knows IOMMU_DOMAIN_BLOCKED. */
export function domain_alloc(ops: IommuOps, type: DomainType): IommuDomain | null {
  if (type === "BLOCKED") return null;
  if (ops.no_default_domains && type !== "UNMANAGED") return null;
  if (fault("domain_alloc")) return null;
  return alloc_domain(ops);
}

/**
 * `domain->ops->free`. Intel's `domain_exit` warns and keeps the structure if a device is still attached, but
 * has freed the page tables by then, so that it counts as freed here; the SMMU's frees everything and does not look.
 */
export function domain_free(domain: IommuDomain): void {
  atomic("freeing a domain is one step");
  if (domain.ops!.driver === "intel_iommu") intel_iommu_domain_free(domain);
  else arm_smmu_domain_free(domain);
}

/** `domain->ops->attach_dev`. */
export function* attach_dev(domain: IommuDomain, dev: Device): Proc<Errno> {
  atomic("attaching one device is one step");
  const ret = domain.ops!.driver === "intel_iommu" ? intel_iommu_attach_device(domain, dev) : arm_smmu_attach_dev(domain, dev);
  observe("attach_dev", domain, dev, ret);
  return ret;
}

/** The same where the group's mutex, which drivers rely on, is not held. */
export function* attach_dev_unlocked(domain: IommuDomain, dev: Device): Proc<Errno> {
  if (domain.ops!.driver !== "intel_iommu") return yield* attach_dev(domain, dev);
  yield;
  return yield* intel_iommu_attach_device_unlocked(domain, dev);
}

/** `domain->ops->detach_dev`, where there is one. */
export function* detach_dev(domain: IommuDomain, dev: Device): Proc {
  atomic("detaching one device is one step");
  intel_iommu_detach_device(domain, dev);
  observe("detach_dev", domain, dev);
}

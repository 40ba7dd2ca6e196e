/** What the core asks of an IOMMU's driver: add_device(), attach_dev() and the like, as drivers of v4.2 to v4.4 had them. */
import { abstraction, atomic, EINVAL, ENODEV, ENOSPC, type Errno, fault, kfree, kzalloc, observe, operations, type Proc } from "iommu-mc";
import { arm64, type Device, type DomainType, type IommuDomain, type IommuOps, type Smmu } from "./schema.js";

abstraction("attaching or detaching one device, and freeing a domain, is one step each", "may miss a bug", arm64);
abstraction(
  "an IOMMU's driver is none in particular: it does what the core asks of add_device(), and may or may not know DMA domains, which drivers learned one by one",
  "neither",
  arm64,
);

function allocDomain(ops: IommuOps, type: DomainType): IommuDomain | null {
  if (type === "DMA" && !ops.has_dma_domains) return null;
  if (ops.can_run_out && fault("domain_alloc")) return null;
  const domain = kzalloc(arm64, "iommu_domain");
  domain.type = type;
  return domain;
}

function freeDomain(domain: IommuDomain): void {
  if (domain.smmu !== null) domain.smmu.contexts++;
  kfree(domain);
}

/**
 * In the order of arm_smmu_attach_dev(): what refuses the device last has given the domain a context before. A failure leaves the device
 * on nothing, as where an IOMMU has no context bank left.
 */
function attachOne(domain: IommuDomain, dev: Device): Errno {
  const { ungrouped } = domain.ops!;
  // Of a device of another kind of IOMMU the driver knows nothing.
  if (dev.iommus !== domain.ops) return ungrouped === "pretends" ? 0 : -ENODEV;
  const err = init_domain_context(domain, dev.smmu);
  if (err) return err;
  if (domain.smmu !== dev.smmu) return -EINVAL;
  if (dev.iommu_group === null && ungrouped !== "attaches") return ungrouped === "pretends" ? 0 : -ENODEV;
  translate(dev, null);
  if (fault("attach_dev", !domain.attached_before.has(dev))) return -EINVAL;
  translate(dev, domain);
  domain.attached_before.add(dev);
  return 0;
}

/** arm_smmu_init_domain_context(), which does something for the first device only. */
function init_domain_context(domain: IommuDomain, smmu: Smmu | null): Errno {
  if (domain.smmu !== null || smmu === null) return 0;
  if (smmu.contexts === 0) return -ENOSPC;
  smmu.contexts--;
  domain.smmu = smmu;
  return 0;
}

/** What is written for a device is written for its id, whoever else has that. */
function translate(dev: Device, domain: IommuDomain | null): void {
  dev.hw = domain;
  if (dev.twin !== null) dev.twin.hw = domain;
}

function detachOne(domain: IommuDomain, dev: Device): void {
  if (dev.hw === domain) translate(dev, null);
}

const { iommu_driver } = operations(arm64, {
  iommu_driver: { domain_alloc: allocDomain, domain_free: freeDomain, attach_dev: attachOne, detach_dev: detachOne },
});

/** `ops->domain_alloc`. */
export function domain_alloc(ops: IommuOps, type: DomainType): IommuDomain | null {
  return iommu_driver.domain_alloc(ops, type);
}

/** `ops->domain_free`. */
export function domain_free(domain: IommuDomain): void {
  iommu_driver.domain_free(domain);
}

/** `ops->attach_dev`. */
export function* attach_dev(domain: IommuDomain, dev: Device): Proc<Errno> {
  atomic("attaching one device is one step");
  const ret = iommu_driver.attach_dev(domain, dev);
  observe("attach_dev", domain, dev, ret);
  return ret;
}

/** `ops->detach_dev`. */
export function* detach_dev(domain: IommuDomain, dev: Device): Proc {
  atomic("detaching one device is one step");
  iommu_driver.detach_dev(domain, dev);
  observe("detach_dev", domain, dev);
}

/** Whether add_device() of this driver takes the device for one of its own. */
export function isMaster(ops: IommuOps, dev: Device): boolean {
  return dev.iommus === ops;
}

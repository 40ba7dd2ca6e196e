/**
 * Two IOMMU drivers: drivers/iommu/intel/iommu.c, which has `detach_dev`, and
 * drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c, which has none. Both as in 6.1.176.
 */
import { abstraction, choose, EINVAL, ENOMEM, EPERM, type Errno, fault, kfree, kzalloc, observe, type Proc, WARN_ON } from "iommu-mc";
import { type Device, type DomainType, type IommuDomain, type IommuOps, linux } from "./schema.js";

abstraction("attaching one device is one step: DMA in the middle of a driver's attach_dev is not seen", "may miss a bug");
abstraction("struct iommu_ops and its default_domain_ops are one object", "neither");
abstraction(
  "all IOMMUs of a scenario are of one kind and take each other's domains: no refusal for address width, snoop control or another SMMU",
  "may miss a bug",
);
abstraction("a domain that Intel's driver keeps, with a warning, because a device is still on it counts as freed", "may cry wolf");
abstraction("a device on no domain is blocked: arm-smmu-v3.disable_bypass is on, its default", "may miss a bug");
abstraction("an SMMU attach that fails may leave the old domain, as only the refusal for SVA really does", "may cry wolf");

/** `ops->domain_alloc`: in 6.1.176 neither driver knows IOMMU_DOMAIN_BLOCKED. */
export function domain_alloc(ops: IommuOps, type: DomainType): IommuDomain | null {
  if (type === "BLOCKED") return null;
  if (fault("domain_alloc")) return null;
  const domain = kzalloc(linux, "iommu_domain");
  domain.ops = ops;
  return domain;
}

/**
 * `domain->ops->free`. Intel's `domain_exit` warns and keeps the structure if a device is still attached, but
 * has freed the page tables by then, so that it counts as freed here; the SMMU's frees everything and does not look.
 */
export function domain_free(domain: IommuDomain): void {
  kfree(domain);
}

/** `domain->ops->attach_dev`. */
export function* attach_dev(domain: IommuDomain, dev: Device): Proc<Errno> {
  let ret: Errno;
  if (domain.ops!.driver === "intel_iommu") ret = intel_iommu_attach_device(domain, dev);
  else ret = arm_smmu_attach_dev(domain, dev);
  observe("attach_dev", domain, dev, ret);
  return ret;
}

/** `domain->ops->detach_dev`, where there is one. */
export function* detach_dev(domain: IommuDomain, dev: Device): Proc {
  intel_iommu_detach_device(domain, dev);
  observe("detach_dev", domain, dev);
}

/**
 * 6.1.176 line 4296. A device locked by an RMRR is refused before anything is done to it. Any other is blocked first
 * (`device_block_translation`), so that a failure leaves it without any translation.
 */
function intel_iommu_attach_device(domain: IommuDomain, dev: Device): Errno {
  if (dev.rmrr_locked && domain.type === "UNMANAGED") return -EPERM;
  take_off_domain(dev);
  if (fault("attach_dev", !domain.attached_before.has(dev))) return -ENOMEM;
  put_on_domain(domain, dev);
  return 0;
}

/**
 * 6.1.176 line 4322, with `dmar_remove_one_dev_info`: clears the context entry; whatever the device is on, not what
 * the caller names. Unlike `device_block_translation` it takes for granted that the device is on a domain.
 */
function intel_iommu_detach_device(_domain: IommuDomain, dev: Device): void {
  unlink(dev.hw!);
  dev.hw = null;
}

/** Takes the device off its old domain (`arm_smmu_detach_dev`) before anything can fail but the test for SVA. */
function arm_smmu_attach_dev(domain: IommuDomain, dev: Device): Errno {
  if (fault("attach_dev", !domain.attached_before.has(dev))) {
    if (choose("a failed attach leaves the device on", ["its old domain", "nothing"]) === "nothing") take_off_domain(dev);
    return -EINVAL;
  }
  take_off_domain(dev);
  put_on_domain(domain, dev);
  return 0;
}

/** `device_block_translation` and `arm_smmu_detach_dev`. Both drivers link a device into a list of its domain, under the domain's own lock. */
function take_off_domain(dev: Device): void {
  const old = dev.hw;
  if (old === null) return;
  unlink(old);
  dev.hw = null;
}

/** Takes a device off the domain's list of devices: touches the domain's memory. */
function unlink(domain: IommuDomain): void {
  WARN_ON(domain.ops === null, "the domain the device is on was never initialised");
}

function put_on_domain(domain: IommuDomain, dev: Device): void {
  dev.hw = domain;
  domain.attached_before.add(dev);
}

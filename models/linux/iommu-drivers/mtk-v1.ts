/**
 * drivers/iommu/mtk_iommu_v1.c of 6.1.176, on 32-bit ARM. All its devices share one domain, that of a mapping of ARM's own DMA API,
 * which probe_finalize() attaches; finds a device's IOMMU by the device tree.
 */
import { abstraction, atomic, ENODEV, ENOMEM, type Errno, fault, kfree, type Proc } from "iommu-mc";
import type { Device, DomainType, IommuDevice, IommuDomain, IommuOps } from "../schema.js";
import type { Driver } from "./driver.js";
import { alloc_domain, alloc_priv, dev_iommu_priv_get, free_priv, privOf, put_on_domain, take_off_domain } from "./hardware.js";

abstraction("fwspecs that MediaTek's driver makes for itself, and the DMA ops of 32-bit ARM, are left out", "may miss a bug");

/** Line 273. */
function mtk_iommu_v1_domain_alloc(ops: IommuOps, type: DomainType): IommuDomain | null {
  if (type !== "UNMANAGED" || fault("domain_alloc")) return null;
  return alloc_domain(ops);
}

/** Line 284. */
function mtk_iommu_v1_domain_free(domain: IommuDomain): void {
  kfree(domain);
}

/** Line 453, with mtk_iommu_v1_create_mapping() of line 395: the first device makes the mapping, with its domain. */
function* mtk_iommu_v1_probe_device(ops: IommuOps, dev: Device): Proc<IommuDevice | Errno> {
  const iommu = dev.scope;
  if (iommu === null) return -ENODEV;
  yield;
  atomic("the probe lock: who finds no mapping makes it");
  if (iommu.mapping === null) {
    const domain = mtk_iommu_v1_domain_alloc(ops, "UNMANAGED");
    if (domain === null) return -ENOMEM;
    domain.type = "UNMANAGED";
    iommu.mapping = domain;
  }
  yield;
  yield* alloc_priv(dev);
  return iommu;
}

/** Line 530. */
function* mtk_iommu_v1_release_device(dev: Device): Proc {
  const data = yield* dev_iommu_priv_get(dev);
  if (data === null) return;
  yield;
  yield* free_priv(dev, data);
}

/** Line 448: so that the default domain is one that nobody can be on. */
function mtk_iommu_v1_def_domain_type(): DomainType {
  return "UNMANAGED";
}

/** Line 297: any domain but the mapping's is attached in name only. */
function mtk_iommu_v1_attach_device(domain: IommuDomain, dev: Device): Errno {
  if (dev.scope!.mapping !== domain) return 0;
  put_on_domain(domain, dev, privOf(dev));
  return 0;
}

/** Line 322. */
function mtk_iommu_v1_detach_device(dev: Device): void {
  const data = privOf(dev);
  if (data.domain !== null) take_off_domain(dev, data);
}

/** Line 584. */
export const mtk_iommu_v1_ops: Driver = {
  domain_alloc: mtk_iommu_v1_domain_alloc,
  probe_device: mtk_iommu_v1_probe_device,
  release_device: mtk_iommu_v1_release_device,
  def_domain_type: mtk_iommu_v1_def_domain_type,
  attach_dev: mtk_iommu_v1_attach_device,
  detach_dev: mtk_iommu_v1_detach_device,
  free: mtk_iommu_v1_domain_free,
};

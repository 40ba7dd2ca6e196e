/** drivers/iommu/mtk_iommu.c of 7.2.13, on arm64. Finds a device's IOMMU by its fwspec, which names the IOMMU's own data. */
import { abstraction, ENODEV, ENOMEM, type Errno, fault, kfree, type Proc } from "iommu-mc";
import type { Device, DomainType, IommuDevice, IommuDomain, IommuOps } from "../schema.js";
import type { Driver } from "./driver.js";
import {
  alloc_domain,
  alloc_priv,
  dev_iommu_fwspec_get,
  dev_iommu_priv_get,
  free_priv,
  privOf,
  put_on_domain,
  take_off_domain,
} from "./hardware.js";
import { flush_asid } from "./page-table.js";

abstraction("a MediaTek IOMMU has a group for each device, one bank, and no links to its memory interface", "may miss a bug");

/** Line 700, mtk_iommu_domain_alloc_paging(), and the static identity domain. */
function mtk_iommu_domain_alloc(ops: IommuOps, type: DomainType): IommuDomain | null {
  if (type === "BLOCKED" || fault("domain_alloc")) return null;
  return alloc_domain(ops);
}

/** Line 716. */
function mtk_iommu_domain_free(domain: IommuDomain): void {
  kfree(domain);
}

/** Line 876. The fwspec was looked up, with the IOMMU's data, when it was made. */
function* mtk_iommu_probe_device(_ops: IommuOps, dev: Device): Proc<IommuDevice | Errno> {
  const fwspec = yield* dev_iommu_fwspec_get(dev);
  if (fwspec === null) return -ENODEV;
  yield;
  if (fault("probe_device")) return -ENOMEM;
  yield* alloc_priv(dev);
  return dev.iommus!;
}

/** Line 936. */
function* mtk_iommu_release_device(dev: Device): Proc {
  const data = (yield* dev_iommu_priv_get(dev))!;
  yield;
  if (data.domain !== null) take_off_domain(dev, data);
  yield;
  yield* free_priv(dev, data);
}

/** Line 974, mtk_iommu_device_group(), as far as it uses the list: the first IOMMU on it has the groups. */
export function* mtk_iommu_get_frst_data(dev: Device): Proc<IommuDevice> {
  const { hw_list } = dev.iommus!;
  yield;
  return hw_list!.hw_list!;
}

/** Line 721. */
function mtk_iommu_attach_device(domain: IommuDomain, dev: Device): Errno {
  if (fault("attach_dev", !domain.attached_before.has(dev))) return -ENODEV;
  const data = privOf(dev);
  if (data.domain !== null) take_off_domain(dev, data);
  put_on_domain(domain, dev, data);
  return 0;
}

/** Line 1054. */
export const mtk_iommu_ops: Driver = {
  domain_alloc: mtk_iommu_domain_alloc,
  probe_device: mtk_iommu_probe_device,
  release_device: mtk_iommu_release_device,
  attach_dev: mtk_iommu_attach_device,
  flush_iotlb_all: flush_asid,
  free: mtk_iommu_domain_free,
};

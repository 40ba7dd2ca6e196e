/**
 * `spapr_tce_iommu_ops` of arch/powerpc/kernel/iommu.c, with the table groups of a pSeries (platforms/pseries/iommu.c), of 6.12.107; 7.2.13
 * does the same. Its two domains stand for who has a table group: the platform, whose DMA API maps into the table of the default
 * window, or a user, whom VFIO lets make windows of his own. All devices of a table group go through the same window.
 */
import { abstraction, ENODEV, EPERM, type Errno, fault, type Proc } from "iommu-mc";
import type { Device, IommuDevice, IommuDomain, IommuOps, IommuTableGroup } from "../schema.js";
import type { Driver } from "./driver.js";

abstraction(
  "of a pSeries' table group all that is there is whether the platform's default window is: TCE tables and VFIO's windows are in models/ppc64",
  "may miss a bug",
);
abstraction(
  "a table group of a pSeries can have a window beside the default one, as all but those of SR-IOV functions can",
  "may miss a bug",
);

/** 6.12.107 line 1229, 7.2.13 line 1232: whether or not the device's PHB has registered. */
function* spapr_tce_iommu_probe_device(_ops: IommuOps, dev: Device): Proc<IommuDevice | Errno> {
  return dev.bus!.kind === "pci" ? dev.scope! : -ENODEV;
}

/** 6.12.107 line 1243, 7.2.13 line 1246: there is nothing to do, and the device goes on through the window of its table group. */
function* spapr_tce_iommu_release_device(_dev: Device): Proc {}

/** `domain->ops->attach_dev` of the one or the other. */
function* spapr_tce_attach_dev(domain: IommuDomain, dev: Device): Proc<Errno> {
  const attach = domain.type === "BLOCKED" ? spapr_tce_blocked_iommu_attach_dev : spapr_tce_platform_iommu_attach_dev;
  const ret = yield* attach(domain, dev);
  if (ret) return ret;
  domain.attached_before.add(dev);
  go_through_window(dev.table_group!);
  return 0;
}

/** 6.12.107 line 1157, 7.2.13 line 1159. At the first attach of a group the table group is the platform's already. */
function* spapr_tce_platform_iommu_attach_dev(_domain: IommuDomain, dev: Device): Proc<Errno> {
  if (dev.iommu_group!.domain === null) return 0;
  yield* spapr_tce_release_ownership(dev.table_group!, dev);
  return 0;
}

/** 6.12.107 line 1190, 7.2.13 line 1193. */
function* spapr_tce_blocked_iommu_attach_dev(_domain: IommuDomain, dev: Device): Proc<Errno> {
  return yield* spapr_tce_take_ownership(dev.table_group!, dev);
}

/** 6.12.107 line 2339, 7.2.13 line 2338: the default window goes, unless it is gone already. It fails if there is no node with a window. */
function* spapr_tce_take_ownership(table_group: IommuTableGroup, _dev: Device): Proc<Errno> {
  if (!table_group.has_default_window) return 0;
  if (fault("pci_dma_find")) return -EPERM;
  table_group.has_default_window = false;
  return 0;
}

/** 6.12.107 line 2391, 7.2.13 line 2390: the default window is made anew, unless it is there. Nobody is told if that fails. */
function* spapr_tce_release_ownership(table_group: IommuTableGroup, _dev: Device): Proc {
  if (table_group.has_default_window || fault("iommu_pseries_alloc_table")) return;
  table_group.has_default_window = true;
}

/** What the hardware translates the DMA of all devices of the table group with. */
function go_through_window({ group, has_default_window }: IommuTableGroup): void {
  for (const { dev } of group!.devices) {
    const { default_domain, blocked_domain } = dev!.scope!.ops!;
    dev!.hw = has_default_window ? default_domain : blocked_domain;
  }
}

/** 6.12.107 line 1261, 7.2.13 line 1264. It makes no domains, and has none that could be freed. */
export const spapr_tce_iommu_ops: Driver = {
  probe_device: spapr_tce_iommu_probe_device,
  release_device: spapr_tce_iommu_release_device,
  attach_dev_calls: spapr_tce_attach_dev,
};

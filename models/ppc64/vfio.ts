/** VFIO as far as it is not the container's driver: 6.1.176's vfio_main.c and container.c, and 5.10.223's vfio.c before v5.19. */
import { abstraction, applied, EINVAL, type Errno, mutex_lock, mutex_unlock, type Proc } from "iommu-mc";
import { iommu_group_claim_dma_owner, iommu_group_release_dma_owner } from "./core.js";
import { spapr_tce_iommu_ops } from "./iommu-ops.js";
import { type Device, type IommuGroup, ppc64, type TceContainer } from "./schema.js";
import { tce_iommu_attach_group, tce_iommu_detach_group } from "./spapr-tce.js";

abstraction(
  "a VFIO group is its iommu_group, a vfio_container its tce_container; each is one process's own, whose calls do not overlap",
  "may miss a bug",
  ppc64,
);
abstraction(
  "a group without drivers other than VFIO's stays so while it is in a container: before v5.19 the notifier's BUG_ON for others is left out",
  "may miss a bug",
  ppc64,
);

/** vfio_register_group_dev() with vfio_group_find_or_alloc() (vfio_main.c, 6.1.176 lines 584 and 484): with the device's lock held. */
export function* vfio_register_group_dev(dev: Device): Proc<Errno> {
  yield;
  if (dev.iommu_group === null) return -EINVAL;
  yield;
  if (applied("e8ae0e140c05") && !(yield* device_iommu_capable(dev))) return -EINVAL;
  dev.is_vfio_device = true;
  return 0;
}

/** drivers/iommu/iommu.c, 6.1.176 line 1866, asked for IOMMU_CAP_CACHE_COHERENCY. */
function* device_iommu_capable(dev: Device): Proc<boolean> {
  const iommu_dev = dev.iommu_dev;
  yield;
  return iommu_dev !== null && iommu_dev.ops !== null && spapr_tce_iommu_ops.capable(dev, "CACHE_COHERENCY");
}

/** container.c, 6.1.176 line 427. Before 70693f470848 (v5.19; vfio.c, 5.10.223) nobody is asked. */
export function* vfio_container_attach_group(container: TceContainer, group: IommuGroup): Proc<Errno> {
  if (applied("70693f470848")) {
    const claimed = yield* iommu_group_claim_dma_owner(group, container);
    if (claimed) return claimed;
    yield;
  }
  const ret = yield* tce_iommu_attach_group(container, group);
  if (ret && applied("70693f470848")) yield* iommu_group_release_dma_owner(group);
  return ret;
}

/** container.c, 6.1.176 line 479. */
export function* vfio_group_detach_container(container: TceContainer, group: IommuGroup): Proc {
  yield* tce_iommu_detach_group(container, group);
  yield;
  if (applied("70693f470848")) yield* iommu_group_release_dma_owner(group);
}

/** vfio_dev_viable() (vfio.c, 5.10.223 line 600) of every device, as the notifier keeps it. */
export function* isViable(group: IommuGroup): Proc<boolean> {
  yield* mutex_lock(group.mutex);
  const devices = [...group.devices];
  mutex_unlock(group.mutex);
  for (const dev of devices) {
    yield* mutex_lock(dev.lock);
    const isOthers = dev.driver === "native";
    mutex_unlock(dev.lock);
    if (isOthers) return false;
    yield;
  }
  return true;
}

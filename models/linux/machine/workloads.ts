/** Who does what: administrators that bind and unbind, user processes that call VFIO. */
import { atomic, choose, data_race, idle, kref_get, type Proc, refcount_read } from "iommu-mc";
import { device_driver_attach, device_driver_detach } from "../driver-core/dd.js";
import {
  iommu_attach_device,
  iommu_attach_group,
  iommu_detach_device,
  iommu_detach_group,
  iommu_domain_alloc,
  iommu_domain_free,
} from "../iommu/attach.js";
import type { Cpu } from "../iommu/dma-map.js";
import { iommu_group_alloc, iommu_group_put } from "../iommu/group.js";
import { iommu_group_claim_dma_owner, iommu_group_release_dma_owner } from "../iommu/ownership.js";
import {
  type Device,
  type DeviceDriver,
  type IommuGroup,
  type Page,
  type VfioContainer,
  type VfioDevice,
  type VfioGroup,
  vfio,
} from "../schema.js";
import { vfio_fops_open, vfio_fops_release, vfio_fops_unl_ioctl, vfio_ioctl_set_iommu } from "../vfio/container.js";
import { attach_emulated_group, map_dma_for_later, unmap_all } from "../vfio/replay.js";
import {
  vfio_dma_do_map,
  vfio_dma_do_unmap,
  vfio_iommu_type1_attach_group,
  vfio_iommu_type1_detach_group,
  vfio_iommu_type1_open,
  vfio_iommu_type1_release,
} from "../vfio/type1.js";
import {
  vfio_device_fops_release,
  vfio_group_fops_open,
  vfio_group_fput,
  vfio_group_ioctl_get_device_fd,
  vfio_group_ioctl_set_container,
  vfio_group_ioctl_unset_container,
} from "../vfio/vfio-main.js";
import { hold_group } from "./events.js";
import { send } from "./native.js";

/** Unbinds the device from whatever it is bound to and binds it to the driver, again and again, at any time. */
export function* rebind(dev: Device, drv: DeviceDriver): Proc {
  for (;;) {
    yield idle();
    yield* device_driver_detach(dev);
    yield idle();
    yield* device_driver_attach(drv, dev);
  }
}

/** Unbinds the device and binds it to one driver or the other. */
export function* rebind_either(dev: Device, one: DeviceDriver, other: DeviceDriver): Proc {
  for (;;) {
    yield idle();
    yield* device_driver_detach(dev);
    yield idle();
    const drv = choose("bind to", [one, other]);
    yield* device_driver_attach(drv, dev);
  }
}

/** Binds the device once. */
export function* bind(dev: Device, drv: DeviceDriver): Proc {
  yield idle();
  yield* device_driver_attach(drv, dev);
}

/** Binds the device and unbinds it. */
export function* bind_and_unbind(dev: Device, drv: DeviceDriver): Proc {
  yield* device_driver_attach(drv, dev);
  yield;
  yield* device_driver_detach(dev);
}

/** Unbinds the device from whatever it is bound to, and binds it to the driver. */
export function* unbind_and_bind(dev: Device, drv: DeviceDriver): Proc {
  yield* device_driver_detach(dev);
  yield;
  yield* device_driver_attach(drv, dev);
}

/** Unbinds the device once. */
export function* unbind(dev: Device): Proc {
  yield idle();
  yield* device_driver_detach(dev);
}

/** A process that uses one group through VFIO as it pleases: any call its open descriptors allow, at any time, for ever. */
export function* vfio_user(iommu_group: IommuGroup, dev: Device): Proc {
  let container: VfioContainer | null = null;
  let group: VfioGroup | null = null;
  let device: VfioDevice | null = null;
  for (;;) {
    yield idle();
    const call = choose("user calls", calls(container !== null, group !== null, device !== null));
    if (call === "open container") container = yield* vfio_fops_open();
    else if (call === "open group") group = yield* vfio_group_fops_open(iommu_group);
    else if (call === "SET_CONTAINER") yield* vfio_group_ioctl_set_container(group!, container!);
    else if (call === "UNSET_CONTAINER") yield* vfio_group_ioctl_unset_container(group!);
    else if (call === "SET_IOMMU") yield* vfio_ioctl_set_iommu(container!);
    else if (call === "MAP_DMA") yield* vfio_fops_unl_ioctl(container!, "VFIO_IOMMU_MAP_DMA");
    else if (call === "UNMAP_DMA") yield* vfio_fops_unl_ioctl(container!, "VFIO_IOMMU_UNMAP_DMA");
    else if (call === "GET_DEVICE_FD") device = yield* vfio_group_ioctl_get_device_fd(group!, dev);
    else if (call === "close device") {
      yield* vfio_device_fops_release(device!);
      device = null;
    } else if (call === "close group") {
      yield* vfio_group_fput(group!);
      group = null;
    } else {
      yield* vfio_fops_release(container!);
      container = null;
    }
  }
}

type UserCall =
  | "open container"
  | "open group"
  | "SET_CONTAINER"
  | "UNSET_CONTAINER"
  | "SET_IOMMU"
  | "MAP_DMA"
  | "UNMAP_DMA"
  | "GET_DEVICE_FD"
  | "close device"
  | "close group"
  | "close container";

/** What a process can call with the descriptors it has. */
function calls(container: boolean, group: boolean, device: boolean): UserCall[] {
  const possible: UserCall[] = [];
  possible.push(container ? "close container" : "open container");
  possible.push(group ? "close group" : "open group");
  if (container && group) possible.push("SET_CONTAINER");
  if (container) possible.push("SET_IOMMU", "MAP_DMA", "UNMAP_DMA");
  if (group) possible.push("UNSET_CONTAINER");
  if (device) possible.push("close device");
  else if (group) possible.push("GET_DEVICE_FD");
  return possible;
}

/** A process that attaches one group, maps its memory if it `maps`, and goes away; it goes on as far as the calls succeed. */
export function* vfio_user_once(iommu_group: IommuGroup, maps: boolean): Proc {
  yield idle();
  const container = yield* vfio_fops_open();
  if (container === null) return;
  yield;
  const group = yield* vfio_group_fops_open(iommu_group);
  yield;
  if (group !== null) {
    const ret = yield* vfio_group_ioctl_set_container(group, container);
    yield;
    if (ret === 0) {
      yield* vfio_ioctl_set_iommu(container);
      yield;
      if (maps) yield* vfio_fops_unl_ioctl(container, "VFIO_IOMMU_MAP_DMA");
      yield;
    }
    yield* vfio_group_fput(group);
    yield;
  }
  yield* vfio_fops_release(container);
}

/** A process that attaches one group and closes nothing, neither the group nor the container: for ever, or until a device has left the group. */
export function* vfio_user_that_stays(iommu_group: IommuGroup, leaving: Device | null): Proc {
  const container = yield* vfio_fops_open();
  if (container === null) return;
  yield;
  const group = yield* vfio_group_fops_open(iommu_group);
  yield;
  if (group !== null) {
    yield* vfio_group_ioctl_set_container(group, container);
    yield;
    yield* vfio_ioctl_set_iommu(container);
  }
  yield idle(() => leaving !== null && leaving.iommu_group === null);
  if (group !== null) yield* vfio_group_fput(group);
  yield* vfio_fops_release(container);
}

/** A process that attaches one group, takes it out of its container again, and closes everything. */
export function* vfio_user_that_unsets(iommu_group: IommuGroup): Proc {
  const container = yield* vfio_fops_open();
  if (container === null) return;
  yield;
  const group = yield* vfio_group_fops_open(iommu_group);
  yield;
  if (group !== null) {
    yield* vfio_group_ioctl_set_container(group, container);
    yield;
    yield* vfio_ioctl_set_iommu(container);
    yield;
    yield* vfio_group_ioctl_unset_container(group);
    yield;
    yield* vfio_group_fput(group);
    yield;
  }
  yield* vfio_fops_release(container);
}

/** Another thread of that process: opens the group's device while the group is open, and closes it. */
export function* open_device_of(iommu_group: IommuGroup, dev: Device): Proc {
  const group = yield* fdget(iommu_group);
  yield;
  const device = yield* vfio_group_ioctl_get_device_fd(group, dev);
  yield;
  yield* vfio_group_fput(group);
  yield idle();
  if (device !== null) yield* vfio_device_fops_release(device);
}

/** Or: puts the group, while it is open, into a container of its own, and closes that. */
export function* set_container_of(iommu_group: IommuGroup): Proc {
  const container = yield* vfio_fops_open();
  if (container === null) return;
  const group = yield* fdget(iommu_group);
  yield;
  yield* vfio_group_ioctl_set_container(group, container);
  yield;
  yield* vfio_group_fput(group);
  yield;
  yield* vfio_fops_release(container);
}

/** The file of a VFIO group as soon as the process has it open, which a system call keeps for so long. */
function* fdget(iommu_group: IommuGroup): Proc<VfioGroup> {
  yield idle(() => opened(iommu_group) !== null);
  atomic("fdget() finds a file and takes its reference");
  const group = opened(iommu_group)!;
  kref_get(group.file);
  return group;
}

function opened(iommu_group: IommuGroup): VfioGroup | null {
  return data_race(() => {
    for (const group of vfio.group_list) if (group.iommu_group === iommu_group && refcount_read(group.file) > 0) return group;
    return null;
  });
}

/** A process that attaches one group, opens its device, and closes the device first. */
export function* vfio_user_of_device(iommu_group: IommuGroup, dev: Device): Proc {
  const container = yield* vfio_fops_open();
  if (container === null) return;
  yield;
  const group = yield* vfio_group_fops_open(iommu_group);
  yield;
  if (group !== null) {
    yield* vfio_group_ioctl_set_container(group, container);
    yield;
    yield* vfio_ioctl_set_iommu(container);
    yield;
    const device = yield* vfio_group_ioctl_get_device_fd(group, dev);
    yield;
    if (device !== null) {
      yield* vfio_device_fops_release(device);
      yield;
    }
    yield* vfio_group_fput(group);
    yield;
  }
  yield* vfio_fops_release(container);
}

/** `vfio_user_once()`, again and again. */
export function* vfio_user_again(iommu_group: IommuGroup, maps: boolean): Proc {
  for (;;) yield* vfio_user_once(iommu_group, maps);
}

/** A process with two groups in one container: the second joins at any time, and either may leave first. */
export function* vfio_user_of_two(one: IommuGroup, other: IommuGroup): Proc {
  const container = yield* vfio_fops_open();
  if (container === null) return;
  yield;
  const first = yield* vfio_group_fops_open(one);
  yield;
  const second = yield* vfio_group_fops_open(other);
  if (first === null || second === null) return;
  for (;;) {
    yield idle();
    const call = choose("user calls", [
      "SET_CONTAINER first",
      "SET_CONTAINER second",
      "SET_IOMMU",
      "MAP_DMA",
      "UNMAP_DMA",
      "UNSET_CONTAINER first",
      "UNSET_CONTAINER second",
    ]);
    if (call === "SET_CONTAINER first") yield* vfio_group_ioctl_set_container(first, container);
    else if (call === "SET_CONTAINER second") yield* vfio_group_ioctl_set_container(second, container);
    else if (call === "SET_IOMMU") yield* vfio_ioctl_set_iommu(container);
    else if (call === "MAP_DMA") yield* vfio_fops_unl_ioctl(container, "VFIO_IOMMU_MAP_DMA");
    else if (call === "UNMAP_DMA") yield* vfio_fops_unl_ioctl(container, "VFIO_IOMMU_UNMAP_DMA");
    else if (call === "UNSET_CONTAINER first") yield* vfio_group_ioctl_unset_container(first);
    else yield* vfio_group_ioctl_unset_container(second);
  }
}

/** One thread of a process: puts the group into the process's container and takes it out again. */
export function* attach_and_detach(iommu_group: IommuGroup, container: VfioContainer): Proc {
  const group = yield* vfio_group_fops_open(iommu_group);
  if (group === null) return;
  for (;;) {
    yield idle();
    yield* vfio_group_ioctl_set_container(group, container);
    yield;
    yield* vfio_ioctl_set_iommu(container);
    yield idle();
    yield* vfio_group_ioctl_unset_container(group);
  }
}

/** Another thread of the same process: maps and unmaps. */
export function* map_and_unmap(container: VfioContainer): Proc {
  for (;;) {
    yield idle();
    yield* vfio_fops_unl_ioctl(container, "VFIO_IOMMU_MAP_DMA");
    yield idle();
    yield* vfio_fops_unl_ioctl(container, "VFIO_IOMMU_UNMAP_DMA");
  }
}

/**
 * A user of the ownership interface other than VFIO, with nothing but the interface to keep it from others: claims
 * the group for `owner`, attaches a domain of its own, takes it off, and releases the group.
 */
export function* claim_and_release(dev: Device, owner: VfioGroup): Proc {
  const group = dev.iommu_group!;
  for (;;) {
    yield idle();
    const claimed = yield* iommu_group_claim_dma_owner(group, owner);
    yield;
    if (claimed === 0) {
      yield* attach_own_domain(dev, "group");
      yield;
      yield* iommu_group_release_dma_owner(group);
    }
  }
}

/**
 * A user of the ownership interface that keeps nothing but a reference to the group: claims it once and releases it. VFIO, the
 * only user in 6.1, keeps a driver bound too.
 */
export function* claim_with_reference(dev: Device, owner: VfioGroup): Proc {
  const group = hold_group(dev);
  if (group === null) return;
  yield;
  const claimed = yield* iommu_group_claim_dma_owner(group, owner);
  yield;
  if (claimed === 0) {
    yield* iommu_group_release_dma_owner(group);
    yield;
  }
  iommu_group_put(group);
}

/** Makes two groups for devices without an IOMMU, as VFIO does in its no-IOMMU mode, and gives them up. */
export function* make_two_groups(): Proc {
  const one = yield* iommu_group_alloc();
  yield;
  const other = yield* iommu_group_alloc();
  yield;
  if (typeof one !== "number") iommu_group_put(one);
  yield;
  if (typeof other !== "number") iommu_group_put(other);
}

/**
 * What VFIO does for a process that uses one group: claims it, attaches a domain, maps a page, and goes away, so that the
 * domain is detached first and what is mapped is unmapped after.
 */
export function* type1_user(group: IommuGroup, owner: VfioGroup): Proc {
  for (;;) {
    yield idle();
    const claimed = yield* iommu_group_claim_dma_owner(group, owner);
    yield;
    if (claimed) continue;
    const iommu = vfio_iommu_type1_open();
    if (iommu !== null) {
      yield;
      const attached = yield* vfio_iommu_type1_attach_group(iommu, group);
      yield;
      if (attached === 0) {
        yield* vfio_dma_do_map(iommu);
        yield idle();
        if (choose("the user", ["unmaps", "leaves"]) === "unmaps") yield* vfio_dma_do_unmap(iommu);
        yield;
        yield* vfio_iommu_type1_detach_group(iommu, group);
        yield;
      }
      yield* vfio_iommu_type1_release(iommu);
      yield;
    }
    yield* iommu_group_release_dma_owner(group);
  }
}

/**
 * A process with a mediated device in its container, and two ranges mapped for that, adds a group with an IOMMU, once more if that
 * fails, and takes everything away.
 */
export function* mediated_user(group: IommuGroup, owner: VfioGroup): Proc {
  const iommu = vfio_iommu_type1_open();
  if (iommu === null) return;
  yield;
  yield* attach_emulated_group(iommu);
  yield;
  yield* map_dma_for_later(iommu);
  yield;
  yield* map_dma_for_later(iommu);
  yield;
  const claimed = yield* iommu_group_claim_dma_owner(group, owner);
  yield;
  if (claimed === 0) {
    let attached = yield* vfio_iommu_type1_attach_group(iommu, group);
    yield;
    if (attached) attached = yield* vfio_iommu_type1_attach_group(iommu, group);
    yield;
    if (attached === 0) yield* vfio_iommu_type1_detach_group(iommu, group);
    yield;
    yield* iommu_group_release_dma_owner(group);
    yield;
  }
  yield* unmap_all(iommu);
  yield;
  yield* vfio_iommu_type1_release(iommu);
}

/** A driver is bound, transfers a page, and is unbound again. */
export function* bind_and_stream(dev: Device, drv: DeviceDriver, page: Page, cpu: Cpu): Proc {
  for (;;) {
    yield idle();
    const bound = yield* device_driver_attach(drv, dev);
    yield;
    if (bound) continue;
    if (dev.has_iommu_dma_ops) yield* send(dev, page, null, cpu);
    yield;
    yield* device_driver_detach(dev);
  }
}

/** A driver that uses the DMA API and at times puts its device on a domain of its own, as some graphics and video drivers do. */
export function* driver_with_own_domain(dev: Device, drv: DeviceDriver, whole: Whole): Proc {
  for (;;) {
    yield idle();
    const bound = yield* device_driver_attach(drv, dev);
    yield;
    if (bound === 0) {
      yield* attach_own_domain(dev, whole);
      yield;
      yield* device_driver_detach(dev);
    }
  }
}

/** What is put on a domain: the device's whole group, or through the interface that refuses groups of several the device. */
type Whole = "group" | "device";

/** A driver that is bound, or an owner, puts it on a domain of its own once, and back. */
export function* attach_own_domain(dev: Device, whole: Whole): Proc {
  const group = dev.iommu_group!;
  const domain = iommu_domain_alloc(dev.bus!);
  if (domain === null) return;
  yield;
  const attached = whole === "group" ? yield* iommu_attach_group(domain, group) : yield* iommu_attach_device(domain, dev);
  yield idle();
  if (attached === 0) {
    if (whole === "group") yield* iommu_detach_group(domain, group);
    else yield* iommu_detach_device(domain, dev);
  }
  yield;
  iommu_domain_free(domain);
}

/** The notifier chain of a group, in drivers/iommu/iommu.c of 5.10.223 until a5f1bd1afacd (v5.19) removed it. VFIO alone listens. */
import { abstraction, applied, list_add_tail, list_del, mutex_lock, mutex_unlock, type Proc } from "iommu-mc";
import type { Device, IommuGroup, VfioGroup } from "../schema.js";
import { vfio_iommu_group_notifier } from "../vfio/viability.js";
import { iommu_group_get, iommu_group_put } from "./group.js";

abstraction("the rwsem of a group's notifier chain is a mutex: two notifications of one group come one after the other", "may miss a bug");
abstraction("what VFIO is told and does not act on is left out: a device leaves, a driver is about to be bound or unbound", "neither");

export type GroupAction = "IOMMU_GROUP_NOTIFY_ADD_DEVICE" | "IOMMU_GROUP_NOTIFY_BOUND_DRIVER" | "IOMMU_GROUP_NOTIFY_UNBOUND_DRIVER";

/** 5.10.223 line 1599, the end of iommu_bus_notifier(): what a bus says of a device is said again to who listens to its group. */
export function* republish_to_group(dev: Device, action: GroupAction): Proc {
  if (applied("a5f1bd1afacd")) return;
  yield;
  const isListening = dev.bus!.has_iommu_notifier;
  if (!isListening) return;
  yield;
  const group = yield* iommu_group_get(dev);
  if (group === null) return;
  yield* blocking_notifier_call_chain(group, action, dev);
  yield;
  iommu_group_put(group);
}

/** `blocking_notifier_call_chain(&group->notifier, ...)`. */
export function* blocking_notifier_call_chain(group: IommuGroup, action: GroupAction, dev: Device): Proc {
  if (applied("a5f1bd1afacd")) return;
  yield* mutex_lock(group.notifier_rwsem);
  for (const listener of group.notifier) yield* vfio_iommu_group_notifier(listener, action, dev);
  mutex_unlock(group.notifier_rwsem);
}

/** 5.10.223 line 1027. */
export function* iommu_group_register_notifier(group: IommuGroup, listener: VfioGroup): Proc {
  yield* mutex_lock(group.notifier_rwsem);
  list_add_tail(listener, group.notifier);
  mutex_unlock(group.notifier_rwsem);
}

/** 5.10.223 line 1041. */
export function* iommu_group_unregister_notifier(group: IommuGroup, listener: VfioGroup): Proc {
  yield* mutex_lock(group.notifier_rwsem);
  list_del(listener, group.notifier);
  mutex_unlock(group.notifier_rwsem);
}

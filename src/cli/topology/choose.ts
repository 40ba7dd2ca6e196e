/** Which groups of a machine a scenario keeps, and why. */
import { MANAGED, type RecordedDevice } from "../../ftrace/topology.js";
import { enumerate } from "../../report/wrap.js";
import { UsageError } from "../errors.js";

export interface KeptGroup {
  readonly id: number;
  readonly devices: readonly { readonly name: string; readonly driver: string; readonly managed: boolean }[];
  /** Why it was kept, in words. */
  readonly why: string;
}

export interface Choice {
  /** By id. */
  readonly groups: readonly KeptGroup[];
  /** What of the machine is left out, in words. */
  readonly leftOut: readonly string[];
  /** What the scenario has in the place of something the machine has not, in words. */
  readonly standIns: readonly string[];
  /** Names of the IOMMUs above the kept devices. */
  readonly iommus: readonly string[];
}

/** Driver given to a device without one where the suites need one at work. */
const STAND_IN_DRIVER = "a_driver";

interface Group {
  readonly id: number;
  readonly devices: readonly RecordedDevice[];
}

/**
 * The groups to keep: `asked`, or the largest group of several devices, rather one with a driver at work, and a group of one
 * device. `capacity` is how many devices of a group the model holds. Throws a UsageError if the suites could not be made of them.
 */
export function chooseGroups(devices: readonly RecordedDevice[], asked: readonly number[], capacity: number): Choice {
  const groups = groupsOf(devices);
  if (groups.length === 0) {
    throw new UsageError(
      "no device of this machine is in an IOMMU group",
      "Record it with the IOMMU switched on (intel_iommu=on, iommu.passthrough=0).",
    );
  }
  const chosen = asked.length > 0 ? askedFor(groups, asked) : byDefault(groups);
  checkRoles(chosen, groups);
  const leftOut: string[] = [];
  const standIns: string[] = [];
  const kept = chosen
    .sort((one, other) => one.group.id - other.group.id)
    .map(({ group, why }): KeptGroup => {
      const fitting = firstThatFit(group, capacity);
      const dropped = group.devices.filter((device) => !fitting.includes(device));
      if (dropped.length > 0) {
        leftOut.push(`${names(dropped)} of group ${group.id}: the model holds ${capacity} devices of a group`);
      }
      const atWork = withWork(fitting);
      if (atWork !== fitting)
        standIns.push(
          `no device of group ${group.id} has a driver that uses the DMA API: ${names([fitting[0] as RecordedDevice])} gets one, ${STAND_IN_DRIVER}`,
        );
      return { id: group.id, devices: atWork.map(({ name, driver }) => ({ name, driver, managed: MANAGED.has(driver) })), why };
    });
  const others = groups.filter(({ id }) => kept.every((group) => group.id !== id));
  if (others.length > 0)
    leftOut.push(`${others.length} more ${others.length === 1 ? "group" : "groups"}: ${ranges(others.map(({ id }) => id))}`);
  const outside = devices.filter(({ group }) => group === null);
  if (outside.length > 0) leftOut.push(`${outside.length} ${outside.length === 1 ? "device" : "devices"} in no group: ${names(outside)}`);
  const iommus = devices
    .filter(({ name }) => kept.some((group) => group.devices.some((device) => device.name === name)))
    .map(({ iommu }) => iommu);
  return { groups: kept, leftOut, standIns, iommus: [...new Set(iommus)] };
}

interface Chosen {
  readonly group: Group;
  readonly why: string;
}

function askedFor(groups: readonly Group[], asked: readonly number[]): Chosen[] {
  return [...new Set(asked)].map((id) => {
    const group = groups.find((candidate) => candidate.id === id);
    if (!group)
      throw new UsageError(`there is no group ${id}`, `The machine has the groups ${ranges(groups.map((candidate) => candidate.id))}.`);
    return { group, why: "asked for" };
  });
}

function byDefault(groups: readonly Group[]): Chosen[] {
  const chosen: Chosen[] = [];
  const [several] = groups
    .filter(hasRoom)
    .sort(
      (one, other) => Number(hasDriver(other)) - Number(hasDriver(one)) || other.devices.length - one.devices.length || one.id - other.id,
    );
  if (several) {
    const why = hasDriver(several) ? "the largest group of several devices with one at work" : "the largest group of several devices";
    chosen.push({ group: several, why });
  }
  const alone = groups.filter(({ devices }) => devices.length === 1);
  const endpoints = alone.filter(({ devices }) => devices.every(isEndpoint));
  const free = endpoints.find(({ devices }) => devices[0]?.driver === "");
  const single = free ?? endpoints[0] ?? alone[0];
  if (single) {
    const [device] = single.devices;
    const why =
      single === free
        ? "the first device alone in its group that no driver has: a user can be given it at once"
        : `the first device alone in its group; every such device has a driver, this one ${device?.driver || "none"}`;
    chosen.push({ group: single, why });
  }
  return chosen;
}

/** The suites need both kinds of group; better said here than by a scenario that cannot be made. */
function checkRoles(chosen: readonly Chosen[], groups: readonly Group[]): void {
  const kept = chosen.map(({ group }) => group);
  const candidates = (fits: (group: Group) => boolean) => groups.filter(fits).map(({ id }) => id);
  const need = (what: string, fits: (group: Group) => boolean) => {
    if (kept.some(fits)) return;
    const there = candidates(fits);
    if (there.length === 0)
      throw new UsageError(`this machine has no ${what.replace(/^an? /, "")}`, "The suites need one; record another machine.");
    throw new UsageError(`the suites need ${what}, and none is kept`, `These are: ${ranges(there)}; add --keep-group ${there[0]}.`);
  };
  need("a group of several devices, one of which is free for a user", hasRoom);
  need("a group of one device", ({ devices }) => devices.length === 1);
}

function groupsOf(devices: readonly RecordedDevice[]): Group[] {
  const ids = [...new Set(devices.flatMap(({ group }) => (group === null ? [] : [group])))].sort((one, other) => one - other);
  return ids.map((id) => ({ id, devices: devices.filter(({ group }) => group === id) }));
}

/** Has a device that can be lent to a user, and another. */
function hasRoom({ devices }: Group): boolean {
  return devices.length > 1 && devices.some((device) => !isBusy(device));
}

function hasDriver({ devices }: Group): boolean {
  return devices.some(isBusy);
}

/** The same devices, one of several with a driver that uses the DMA API; the very same array if there is one already. */
function withWork(devices: readonly RecordedDevice[]): readonly RecordedDevice[] {
  if (devices.length < 2 || devices.some(isBusy)) return devices;
  return devices.map((device, number) => (number === 0 ? { ...device, driver: STAND_IN_DRIVER } : device));
}

/** Has a driver that uses the DMA API. */
function isBusy({ driver }: RecordedDevice): boolean {
  return driver !== "" && !MANAGED.has(driver);
}

/** No bridge of any kind (PCI class 06): nobody hands a bridge to a user. */
function isEndpoint({ isBridge, classCode }: RecordedDevice): boolean {
  return !isBridge && !/^0x06/.test(classCode);
}

/** The first devices that fit, one at work and one that is free among them if the group has such. */
function firstThatFit({ devices }: Group, capacity: number): readonly RecordedDevice[] {
  if (devices.length <= capacity) return devices;
  const first = [devices.find(isBusy), devices.findLast((device) => !isBusy(device))].filter((device) => device !== undefined);
  const rest = devices.filter((device) => !first.includes(device)).slice(0, capacity - first.length);
  return devices.filter((device) => first.includes(device) || rest.includes(device));
}

function names(devices: readonly RecordedDevice[]): string {
  return enumerate(devices.map(({ name }) => name));
}

/** `0 to 4, 6 and 9`. */
function ranges(ids: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const id of [...ids].sort((one, other) => one - other)) {
    const last = parts.at(-1);
    if (last && last[1] + 1 === id) last[1] = id;
    else parts.push([id, id]);
  }
  return enumerate(
    parts.flatMap(([from, to]) => (from === to ? [`${from}`] : to === from + 1 ? [`${from}`, `${to}`] : [`${from} to ${to}`])),
  );
}

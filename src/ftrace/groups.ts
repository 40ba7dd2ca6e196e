/** Snapshots of /sys/kernel/iommu_groups, a line of each group and below it its devices. */
export interface GroupSnapshot {
  readonly id: number;
  /** Of its default domain: `DMA`, `DMA-FQ`, `identity`, `auto`; "" in kernels that do not tell. */
  readonly type: string;
  readonly devices: readonly { readonly name: string; readonly driver: string }[];
}

/** The groups of a snapshot. Reserved regions and what stands behind the groups are passed over. */
export function readGroups(text: string): GroupSnapshot[] {
  const groups: { id: number; type: string; devices: { name: string; driver: string }[] }[] = [];
  for (const line of text.split("\n")) {
    const group = /^group (\d+) type=(\S*)/.exec(line);
    if (group !== null) groups.push({ id: Number(group[1]), type: group[2] as string, devices: [] });
    const device = /^ {2}device (\S+) .*driver=(\S*)/.exec(line);
    if (device !== null) groups.at(-1)?.devices.push({ name: device[1] as string, driver: device[2] as string });
  }
  return groups;
}

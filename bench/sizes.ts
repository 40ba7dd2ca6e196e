/** The models that are timed, each in three sizes, as iommu-mc and its peers are told of them. */

export const SIZES = ["small", "medium", "large"] as const;
export type Size = (typeof SIZES)[number];

/** A model in one size. */
export interface Timed {
  /** File name without ending in bench/models and bench/peers. */
  readonly model: string;
  readonly size: Size;
  /** Constants of the peers' models; in this order the arguments of ours. */
  readonly constants: Readonly<Record<string, number>>;
  /** What our file calls the function that makes the suite. */
  readonly makes: string;
}

function sizes(model: string, makes: string, bySize: Readonly<Record<Size, Timed["constants"]>>): Timed[] {
  return SIZES.map((size) => ({ model, makes, size, constants: bySize[size] }));
}

export const timed: readonly Timed[] = [
  ...sizes("ownership", "ownershipRaces", {
    small: { USERS: 2, DEVICES: 9 },
    medium: { USERS: 3, DEVICES: 11 },
    large: { USERS: 3, DEVICES: 13 },
  }),
  ...sizes("bus-walk", "busWalk", {
    small: { SLOTS: 3, FAULTS: 3 },
    medium: { SLOTS: 4, FAULTS: 3 },
    large: { SLOTS: 5, FAULTS: 4 },
  }),
  ...sizes("spapr-windows", "spaprWindows", {
    small: { DRIVERS: 3, ENTRIES: 7 },
    medium: { DRIVERS: 3, ENTRIES: 9 },
    large: { DRIVERS: 3, ENTRIES: 11 },
  }),
];

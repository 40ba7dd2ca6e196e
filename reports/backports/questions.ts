/** Known bugs whose fixes are tried together: which sets of them a design can take. */

/** Which fixes a design can take, and who is asked. */
export interface Question {
  /** Name of its page. */
  readonly name: string;
  readonly title: string;
  /** Numbers of the bugs. */
  readonly bugs: readonly number[];
  /** A design with changes that has none of the fixes, and why it is this one. */
  readonly base: string;
  readonly because: string;
  readonly fixes: readonly string[];
  /** Designs whose suites are asked. */
  readonly of: RegExp;
  /** Suites that are not, and why. */
  readonly except?: { readonly names: RegExp; readonly because: string };
}

/** Suites of whole machines and of the flush queue. */
const LARGEST = {
  names: /^(ownership|dma|group-alloc)\//,
  because: "they are the largest by far; `iommu-mc backports` asks them too",
};

const PROBING = {
  names: /^(?!(probe|registration|open-race|plug|lookup)\/)/,
  because: "they are not about probing; `iommu-mc backports` asks them too",
};

export const questions: readonly Question[] = [
  {
    name: "direct-mapped-devices",
    title: "Devices whose firmware does DMA, and what may block them",
    bugs: [18, 19, 20],
    base: "linux-6.12-6e6c6d6bc6c9-a48ce36e2786",
    because: "6.12 has the release domain that the last of them is about",
    fixes: ["a48ce36e2786", "6e6c6d6bc6c9", "e94160488e65"],
    of: /^linux-(6\.1|6\.6|6\.12|7\.2)$/,
    except: LARGEST,
  },
  {
    name: "probe-races",
    title: "Races of a device's probe",
    bugs: [2, 3, 4, 5],
    base: "linux-6.1-01657bc14a39-a2e7e59a9426",
    because: "6.1.176 has two of them as backports",
    fixes: ["01657bc14a39", "6eb4da8cf545", "a2e7e59a9426", "b46064a18810", "da33e87bd2bf"],
    of: /^linux-(6\.1|6\.6|6\.12|7\.2)$/,
    except: PROBING,
  },
  {
    name: "bound-before-the-default-domain",
    title: "A driver that is bound before its device has a default domain",
    bugs: [2, 4],
    base: "linux-6.1",
    because: "with the locks that 6.1.176 has, more suites have room for what happens",
    fixes: ["6eb4da8cf545", "b46064a18810"],
    of: /^linux-(6\.1|6\.6|6\.12|7\.2)$/,
    except: PROBING,
  },
  {
    name: "first-iommu-ops-on-ppc64",
    title: "The first iommu_ops of POWER, without default domains",
    bugs: [42, 63],
    base: "ppc64-6.1",
    because: "it is the last one here without iommu_ops",
    fixes: ["a940904443e4", "a5c57fd2e9bd"],
    of: /^ppc64-6\.[67]$/,
  },
  {
    name: "vfio-on-ppc64",
    title: "VFIO on POWER, from the first iommu_ops on",
    bugs: [42, 59, 60, 61, 63],
    base: "ppc64-6.1",
    because: "it is the last one here without iommu_ops",
    fixes: ["a940904443e4", "a8ca9fc9134c", "0846dd77c834", "d2d00e15808c", "a5c57fd2e9bd"],
    of: /^ppc64-/,
  },
];

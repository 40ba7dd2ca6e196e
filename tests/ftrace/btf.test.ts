/** BTF that the tests write themselves. */
import { describe, expect, it } from "vitest";
import { Btf } from "../../src/ftrace/btf.js";
import { encodeBtf, SMALL_KERNEL } from "./btf-encoder.js";

const kernel = encodeBtf(SMALL_KERNEL);

function shown(btf: Btf, name: string): string | null {
  const prototype = btf.prototype(name);
  if (prototype === null) return null;
  const parameters = prototype.parameters.map(({ name, type }) => `${name}: ${btf.describe(type)}`);
  return `(${parameters.join(", ")}) -> ${btf.describe(prototype.returns)}`;
}

describe.each([true, false])("BTF, little endian: %s", (littleEndian) => {
  const btf = new Btf(encodeBtf(SMALL_KERNEL, { littleEndian }).bytes, "vmlinux");

  it.each([
    ["device", "kobj.name", [0], "char *"],
    ["device", "iommu_group", [712], "struct iommu_group *"],
    ["device", "iommu_group->default_domain", [712, 152], "struct iommu_domain *"],
    ["device", "iommu_group->blocking_domain", [712, 160], "struct iommu_domain *"],
    ["device", "iommu_group->domain", [712, 168], "struct iommu_domain *"],
    ["device", "iommu_group->domain->type", [712, 168, 0], "unsigned int"],
    ["pci_dev", "dev.iommu_group->id", [920, 144], "int"],
  ])("%s has %s", (struct, path, offsets, type) => {
    const member = btf.path(struct, path);
    expect(member?.offsets).toEqual(offsets);
    expect(btf.describe(member?.type ?? 0)).toBe(type);
  });

  it.each([
    ["device", "iommu"],
    ["device", "iommu_group->nothing"],
    ["device", "kobj.name.length"],
    ["no_struct", "member"],
    // Has no address.
    ["device", "offline"],
  ])("%s has no %s", (struct, path) => expect(btf.path(struct, path)).toBeNull());

  it("tells what functions take and return", () => {
    expect(shown(btf, "iommu_attach_group")).toBe("(domain: struct iommu_domain *, group: struct iommu_group *) -> int");
    expect(shown(btf, "iommu_release_device")).toBe("(dev: struct device *) -> void");
    expect(shown(btf, "iommu_group_store_type")).toBe("(group: struct iommu_group *, buf: char *) -> ssize_t");
    expect(shown(btf, "no_function")).toBeNull();
  });

  it("tells nothing of a function that there is twice", () => expect(shown(btf, "twice")).toBeNull());

  it.each([
    [1, { size: 4, signed: true }],
    [2, { size: 4, signed: false }],
    [23, { size: 8, signed: true }],
    [14, { size: 8, signed: false }],
    [13, null],
    [0, null],
  ])("type %i is as wide as it is", (type, scalar) => expect(btf.scalar(type)).toEqual(scalar));
});

describe("the BTF of a module", () => {
  const base = new Btf(kernel.bytes, "vmlinux");
  const next = base.count;
  const module = encodeBtf(
    [
      { kind: "struct", name: "vfio_group", size: 16, members: [["iommu_group", 12, 64]] },
      { kind: "ptr", of: next },
      {
        kind: "prototype",
        returns: 1,
        parameters: [
          ["group", next + 1],
          ["dev", 14],
        ],
      },
      { kind: "func", name: "vfio_device_set_group", prototype: next + 2 },
    ],
    { stringsBefore: kernel.strings },
  );
  const vfio = new Btf(module.bytes, "vfio", base);

  it("goes on where that of the kernel ends", () => {
    expect(shown(vfio, "vfio_device_set_group")).toBe("(group: struct vfio_group *, dev: struct device *) -> int");
    expect(vfio.path("vfio_group", "iommu_group->id")?.offsets).toEqual([8, 144]);
    expect([vfio.path("device", "iommu_group->domain")?.offsets, shown(vfio, "iommu_release_device")]).toEqual([
      [712, 168],
      "(dev: struct device *) -> void",
    ]);
    expect([base.struct("vfio_group"), shown(base, "vfio_device_set_group")]).toEqual([null, null]);
  });
});

describe("what is no BTF", () => {
  const damaged = kernel.bytes.slice();
  damaged[24 + 7] = 0x1f;
  it.each([
    ["a text", Buffer.from("struct device { int iommu_group; };"), "vmlinux is no BTF"],
    ["nothing", new Uint8Array(0), "vmlinux is no BTF"],
    ["a program", Buffer.concat([Buffer.from("\x7fELF"), Buffer.alloc(60)]), "vmlinux is a program, not its BTF"],
    ["a part", kernel.bytes.subarray(0, kernel.bytes.length - 10), "vmlinux ends too early"],
    ["damaged", damaged, "vmlinux has types of a kind that is not known"],
  ])("%s", (_, bytes, said) => expect(() => new Btf(bytes, "vmlinux")).toThrow(said));
});

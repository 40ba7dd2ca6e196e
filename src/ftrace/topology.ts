/** Reads a recorded topology: a JSON array with an object per device, as the recording scripts write it. */
import type { Expression, JsonSourceFile } from "typescript";
import { type Location, ModelError } from "../lang/errors.js";
import { ts, useTypescript } from "../load/typescript.js";

export interface RecordedDevice {
  /** Bus address. */
  readonly name: string;
  /** `pci`, `platform`, `amba`; "" if it was not recorded, as are the three behind it. */
  readonly bus: string;
  /** Its folder in sysfs, which names the bridges above it. */
  readonly path: string;
  readonly vendor: string;
  readonly deviceId: string;
  /** Null for a device behind no IOMMU. */
  readonly group: number | null;
  /** The IOMMU's name in sysfs: `dmar0`, `smmu3.0x0000000009050000`; "" if there is none. */
  readonly iommu: string;
  /** "" for none. */
  readonly driver: string;
  /** PCI class code, such as `0x060400`; "" if it was not recorded. */
  readonly classCode: string;
  readonly isBridge: boolean;
}

/** Drivers that answer for DMA ownership themselves (`driver_managed_dma` in 6.1), so that the core does not on binding. */
export const MANAGED: ReadonlySet<string> = new Set([
  "pcieport",
  "pci-stub",
  "vfio-pci",
  "mlx5_vfio_pci",
  "mlx5-vfio-pci",
  "hisi-acc-vfio-pci",
  "vfio-platform",
  "vfio-amba",
  "vfio-fsl-mc",
]);

/** The names that drivers give their IOMMUs in sysfs; virtio-iommu's is that of its PCI or MMIO transport. */
const NAMES_OF: readonly (readonly [RegExp, string])[] = [
  [/^dmar\d+$/, "intel_iommu"],
  [/^ivhd\d+$/, "amd_iommu"],
  [/^smmu3\./, "arm_smmu_v3"],
  [/^iommu-phb[\da-f]{4}$/, "spapr_tce"],
  [/^[\da-f]{4}:[\da-f]{2}:[\da-f]{2}\.[0-7]$|\.virtio_mmio$/, "virtio_iommu"],
];

/** The model's driver for the machine's IOMMU, by its name in sysfs; null if there is none. */
export function iommuDriverOf(iommus: readonly string[]): string | null {
  const drivers = new Set(iommus.map((name) => NAMES_OF.find(([pattern]) => pattern.test(name))?.[1] ?? null));
  const [driver] = drivers;
  return drivers.size === 1 && driver !== undefined ? driver : null;
}

/** The devices in the text. Throws a ModelError with its place for the first thing that is not as it should be. `file` is how places call it. */
export function readTopology(text: string, file: string): RecordedDevice[] {
  // The compiler's JSON parser, since it alone keeps where every value stands.
  useTypescript();
  const source = ts.parseJsonText(file, text);
  checkSyntax(text, source, file);
  const at = (node: Expression): Location => placeAt(source, file, node.getStart(source));
  const [statement] = source.statements;
  const root = statement?.expression;
  if (root === undefined || !ts.isArrayLiteralExpression(root)) {
    throw new ModelError("this is no list of devices", "A topology is an array with an object for each device.", {
      file,
      line: 1,
      column: 1,
    });
  }
  const seen = new Map<string, Location>();
  return root.elements.map((element) => {
    if (!ts.isObjectLiteralExpression(element)) {
      throw new ModelError("this is no device", "Every element is an object with device, iommu_group and driver.", at(element));
    }
    const fields = new Map<string, Expression>();
    for (const property of element.properties) {
      if (ts.isPropertyAssignment(property) && ts.isStringLiteral(property.name)) fields.set(property.name.text, property.initializer);
    }
    const device = readDevice(fields, at(element), at);
    if (seen.has(device.name)) {
      throw new ModelError(`${device.name} is listed twice`, `It stands in line ${seen.get(device.name)?.line} too.`, at(element));
    }
    seen.set(device.name, at(element));
    return device;
  });
}

function readDevice(fields: ReadonlyMap<string, Expression>, place: Location, at: (node: Expression) => Location): RecordedDevice {
  const text = (name: string, ifMissing: string | null): string => {
    const value = fields.get(name);
    if (value === undefined) {
      if (ifMissing !== null) return ifMissing;
      throw new ModelError(`this device has no "${name}"`, `Every device has it; "" stands for none.`, place);
    }
    if (value.kind === ts.SyntaxKind.NullKeyword) return "";
    if (ts.isStringLiteral(value) || ts.isNumericLiteral(value)) return value.text;
    throw new ModelError(`"${name}" is no text`, `Write it as a string; "" stands for none.`, at(value));
  };
  const name = text("device", null);
  if (name === "") throw new ModelError(`"device" is empty`, "It is the device's bus address.", at(fields.get("device") as Expression));
  const group = text("iommu_group", null);
  if (!/^\d*$/.test(group)) {
    throw new ModelError(
      `"${group}" is no group`,
      'An IOMMU group is a number; "" stands for none.',
      at(fields.get("iommu_group") as Expression),
    );
  }
  const isBridge = fields.get("is_bridge")?.kind === ts.SyntaxKind.TrueKeyword;
  return {
    name,
    bus: text("bus", ""),
    path: text("path", ""),
    vendor: text("vendor", ""),
    deviceId: text("device_id", ""),
    group: group === "" ? null : Number(group),
    iommu: text("iommu", ""),
    driver: text("driver", null),
    classCode: text("class", ""),
    isBridge,
  };
}

/** JSON.parse decides what is JSON; the compiler, which takes more, knows where the mistake is. */
function checkSyntax(text: string, source: JsonSourceFile, file: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    const { parseDiagnostics } = source as unknown as { parseDiagnostics?: readonly { start: number; messageText: unknown }[] };
    const [first] = parseDiagnostics ?? [];
    const position = first?.start ?? Number(/position (\d+)/.exec((error as Error).message)?.[1] ?? 0);
    const what = typeof first?.messageText === "string" ? first.messageText : (error as Error).message;
    throw new ModelError(
      `this is no JSON: ${what}`,
      "A topology is an array with an object for each device.",
      placeAt(source, file, Math.min(position, text.length)),
    );
  }
}

function placeAt(source: JsonSourceFile, file: string, position: number): Location {
  const { line, character } = source.getLineAndCharacterOfPosition(position);
  return { file, line: line + 1, column: character + 1 };
}

/** The command line is wrong: what is, and what there is instead. Ends with exit code 2. */
export class UsageError extends Error {
  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
    this.name = "UsageError";
  }
}

/** An error for a name that nothing has: says which is near, and lists what there is. */
export function unknownName(kind: string, name: string, known: readonly string[], plural = `${kind}s`): UsageError {
  const near = nearest(name, known);
  const question = near === null ? "" : `did you mean ${near}? `;
  const list = known.length === 0 ? `there are no ${plural}` : `The ${plural} are:\n    ${known.join("\n    ")}`;
  return new UsageError(
    `there is no ${kind} ${name}`,
    `${question === "" ? "" : `${question[0]?.toUpperCase()}${question.slice(1)}`}${list}`,
  );
}

/** The known name that is closest, if it is close enough to be meant. */
export function nearest(name: string, known: readonly string[]): string | null {
  const wanted = name.toLowerCase();
  let best: { name: string; distance: number } | null = null;
  for (const candidate of known) {
    const lower = candidate.toLowerCase();
    const isPart = wanted.length > 2 && lower.includes(wanted);
    const distance = isPart ? 1 : editDistance(wanted, lower);
    if (best === null || distance < best.distance) best = { name: candidate, distance };
  }
  return best !== null && best.distance <= Math.max(2, Math.floor(name.length / 3)) ? best.name : null;
}

/** Insertions, deletions, replacements and exchanges of neighbours that turn one text into the other. */
function editDistance(one: string, other: string): number {
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= one.length; row++) {
    const above = rows[row - 1] as number[];
    const current = [row];
    for (let column = 1; column <= other.length; column++) {
      const replaced = (above[column - 1] as number) + (one[row - 1] === other[column - 1] ? 0 : 1);
      let least = Math.min(replaced, (above[column] as number) + 1, (current[column - 1] as number) + 1);
      if (row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]) {
        least = Math.min(least, (rows[row - 2]?.[column - 2] as number) + 1);
      }
      current.push(least);
    }
    rows.push(current);
  }
  return rows[one.length]?.[other.length] as number;
}

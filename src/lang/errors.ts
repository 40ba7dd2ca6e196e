/** A place in a source file the user wrote. Lines and columns count from 1. */
export interface Location {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** `file:line:column`, the form editors and terminals make clickable. */
export function formatLocation(location: Location): string {
  return `${location.file}:${location.line}:${location.column}`;
}

/**
 * The *model* is wrong, not the design: the user has to change a source file before anything can be said.
 * `message` says what is wrong, `hint` what to do about it. The command line ends with exit code 2.
 */
export class ModelError extends Error {
  constructor(
    message: string,
    readonly hint: string,
    readonly location?: Location,
  ) {
    super(message);
    this.name = "ModelError";
  }

  /** The whole message as a user reads it: place, what is wrong, what to do. */
  describe(): string {
    const place = this.location ? `${formatLocation(this.location)}: ` : "";
    return `${place}${this.message}\n  ${this.hint}`;
  }
}

/** Error numbers of the kernel (include/uapi/asm-generic/errno-base.h, errno.h, include/linux/errno.h). Procedures return them negated, as the C does. */
export const EPERM = 1;
export const ENOENT = 2;
export const EIO = 5;
export const ENXIO = 6;
export const EBADF = 9;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EFAULT = 14;
export const EBUSY = 16;
export const EEXIST = 17;
export const ENODEV = 19;
export const EINVAL = 22;
export const ENOSPC = 28;
export const ENOTTY = 25;
export const ERANGE = 34;
export const EOPNOTSUPP = 95;
export const ETIMEDOUT = 110;
export const EPROBE_DEFER = 517;

/** 0 or a negated error number. */
export type Errno = number;

const names: ReadonlyMap<number, string> = new Map(
  Object.entries({
    EPERM,
    ENOENT,
    EIO,
    ENXIO,
    EBADF,
    EAGAIN,
    ENOMEM,
    EFAULT,
    EBUSY,
    EEXIST,
    ENODEV,
    EINVAL,
    ENOSPC,
    ENOTTY,
    ERANGE,
    EOPNOTSUPP,
    ETIMEDOUT,
    EPROBE_DEFER,
  }).map(([name, number]) => [number, name]),
);

/** `-EBUSY` for -16; null for a number that is no negated error number known here. */
export function errnoName(value: number): string | null {
  const name = names.get(-value);
  return name === undefined ? null : `-${name}`;
}

let counter = 0;

/**
 * Text that no other call of this machine makes, for temporary names and tokens. It need not be secret: whatever is made under it is made exclusively. (The
 * module node:crypto takes 4 ms to load.)
 */
export function uniqueName(): string {
  counter += 1;
  return `${process.pid}.${process.hrtime.bigint().toString(36)}${Math.floor(Math.random() * 0x7fffffff).toString(36)}.${counter}`;
}

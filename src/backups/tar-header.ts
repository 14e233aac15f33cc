import { bytesFromText, textFromBytes } from "../php-values/text.ts";
import { damaged } from "./damaged.ts";

/** Tar archives are made of blocks of so many bytes. */
export const BLOCK = 512;

export type MemberType = "file" | "directory" | "link" | "hard link" | "fifo" | "device";

/** One member of a tar archive, all that its headers say of it. */
export interface TarMember {
  /** As it stands in the archive, `./files/a.jpg`; a directory without the `/` at its end. Bytes that are not UTF-8 are kept (php-values/text.ts). */
  readonly path: string;
  readonly type: MemberType;
  /** Permission bits with set-id and sticky bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of data that follow; for a sparse file without its holes. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** Where a link leads; the path of the other member for a hard link; else "". */
  readonly target: string;
  /** A file with holes in GNU tar's old form: its size with them, and the map of its data. */
  readonly sparse: { readonly size: number; readonly map: Buffer } | undefined;
  /** The header block and what belongs to it, as they came. */
  readonly blocks: Buffer;
}

const TYPES: Readonly<Record<string, MemberType>> = { "0": "file", "\0": "file", "7": "file", S: "file", "1": "hard link", "2": "link", "3": "device", "4": "device", "5": "directory", "6": "fifo" };
/** Link, device, directory and fifo: they have no data. */
const WITHOUT_DATA = /[1-6]/;

/** What a header block says by itself. `flag` is tar's letter for the type. */
export interface HeaderBlock {
  readonly flag: string;
  readonly path: Buffer;
  readonly target: Buffer;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  /** The checksum stands in it as GNU tar writes it, so that not one bit of it can have changed. */
  readonly canonical: boolean;
}

/**
 * Reads a header block.
 *
 * @param offset where it is in the archive, bytes, for messages
 * @throws ShimError PROVISION_BACKUP_DAMAGED when its checksum is wrong
 */
export function readHeader(block: Buffer, offset: number): HeaderBlock {
  const sum = checksumOf(block);
  const stored = block.subarray(148, 156);
  if (octal(stored) !== sum) throw damaged(`the header at byte ${offset} has a wrong checksum`);
  const flag = String.fromCharCode(block[156] ?? 0);
  const isPosix = block.toString("latin1", 257, 263) === "ustar\0";
  const prefix = isPosix ? textField(block, 345, 155) : Buffer.alloc(0);
  const name = textField(block, 0, 100);
  return {
    flag,
    path: prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from("/"), name]),
    target: textField(block, 157, 100),
    mode: number(block, 100, 8, offset) & 0o7777,
    uid: number(block, 108, 8, offset),
    gid: number(block, 116, 8, offset),
    size: number(block, 124, 12, offset),
    mtime: number(block, 136, 12, offset),
    canonical: stored.equals(checksumField(sum)),
  };
}

/** The member that header and long names make; undefined for a type that no site's backup has. */
export function memberOf(header: HeaderBlock, more: { readonly path?: Buffer; readonly target?: Buffer; readonly size?: number; readonly sparse?: TarMember["sparse"]; readonly blocks: Buffer }): TarMember | undefined {
  const path = textFromBytes(more.path ?? header.path);
  const type = header.flag === "\0" && path.endsWith("/") ? "directory" : TYPES[header.flag];
  if (type === undefined) return undefined;
  return {
    path: path.length > 1 ? path.replace(/\/+$/, "") || "/" : path,
    type,
    mode: header.mode,
    uid: header.uid,
    gid: header.gid,
    size: WITHOUT_DATA.test(header.flag) ? 0 : (more.size ?? header.size),
    mtime: header.mtime,
    target: type === "link" || type === "hard link" ? textFromBytes(more.target ?? header.target) : "",
    sparse: more.sparse,
    blocks: more.blocks,
  };
}

export interface NewFile {
  readonly path: string;
  readonly mode: number;
  readonly size: number;
  readonly mtime: number;
  /** The member whose owner, group and their names it gets. */
  readonly owner: TarMember | undefined;
}

/** Header blocks of a regular file, in the form of GNU tar. */
export function fileHeader(file: NewFile): Buffer {
  const block = Buffer.alloc(BLOCK);
  const like = file.owner?.blocks.subarray(-BLOCK);
  block.write("ustar  \0", 257, "latin1");
  if (like?.toString("latin1", 257, 263) === "ustar ") like.copy(block, 265, 265, 329);
  return filled(block, { flag: "0", path: bytesFromText(file.path), target: Buffer.alloc(0), mode: file.mode, uid: file.owner?.uid ?? 0, gid: file.owner?.gid ?? 0, size: file.size, mtime: file.mtime });
}

/**
 * Header blocks for a member that has been read, written anew: a tar that reads them sees exactly what was understood here and nothing that was not.
 * Names of owner and group are left out.
 */
export function headerAnew(member: TarMember): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write("ustar  \0", 257, "latin1");
  const flags: Readonly<Record<MemberType, string>> = { file: member.sparse === undefined ? "0" : "S", directory: "5", link: "2", "hard link": "1", fifo: "6", device: "" };
  // The map of a sparse file stands in the header and in blocks behind it.
  if (member.sparse !== undefined) member.sparse.map.copy(block, 386, 0, 109);
  const { path, mode, uid, gid, size, mtime } = member;
  const head = filled(block, { flag: flags[member.type], path: bytesFromText(member.type === "directory" ? `${path}/` : path), target: bytesFromText(member.target), mode, uid, gid, size, mtime });
  return member.sparse === undefined ? head : Buffer.concat([head, member.sparse.map.subarray(109)]);
}

/** The map of a sparse file as {@link headerAnew} needs it: the part of the header block (109 bytes), then the blocks behind it. */
export function sparseMapStart(block: Buffer): { readonly start: Buffer; readonly size: number; readonly goesOn: boolean } {
  return { start: Buffer.from(block.subarray(386, 495)), size: number(block, 483, 12, 0), goesOn: block[482] !== 0 };
}

function filled(block: Buffer, header: Omit<HeaderBlock, "canonical">): Buffer {
  const extra = [longName("K", header.target), longName("L", header.path)];
  header.path.copy(block, 0, 0, 100);
  header.target.copy(block, 157, 0, 100);
  putNumber(block, 100, 8, header.mode);
  putNumber(block, 108, 8, header.uid);
  putNumber(block, 116, 8, header.gid);
  putNumber(block, 124, 12, header.size);
  putNumber(block, 136, 12, header.mtime);
  block.write(header.flag, 156, "latin1");
  checksumField(checksumOf(block)).copy(block, 148);
  return Buffer.concat([...extra, block]);
}

/** GNU tar's way to give a name of more than 100 bytes: a member of its own before the real one. */
function longName(flag: "K" | "L", name: Buffer): Buffer {
  if (name.length <= 100) return Buffer.alloc(0);
  const block = Buffer.alloc(BLOCK);
  block.write("ustar  \0", 257, "latin1");
  const head = filled(block, { flag, path: Buffer.from("././@LongLink"), target: Buffer.alloc(0), mode: 0o644, uid: 0, gid: 0, size: name.length + 1, mtime: 0 });
  return Buffer.concat([head, name, Buffer.alloc(1 + paddingAfter(name.length + 1))]);
}

/** How many zero bytes fill the last block of so many bytes. */
export function paddingAfter(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/** The sum of all bytes, the checksum itself counted as blanks. */
function checksumOf(block: Buffer): number {
  let sum = 8 * 32;
  for (let at = 0; at < 148; at++) sum += block[at] ?? 0;
  for (let at = 156; at < BLOCK; at++) sum += block[at] ?? 0;
  return sum;
}

function checksumField(sum: number): Buffer {
  return Buffer.from(`${sum.toString(8).padStart(6, "0")}\0 `, "latin1");
}

function textField(block: Buffer, start: number, length: number): Buffer {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
}

/** Digits, or with the highest bit set a number of as many bytes as the field has (GNU tar, for files of 8 GiB and more). */
function number(block: Buffer, start: number, length: number, offset: number): number {
  const field = block.subarray(start, start + length);
  const first = field[0] ?? 0;
  if (first < 0x80) {
    const value = octal(field);
    if (value === undefined) throw damaged(`the header at byte ${offset} has no number where one belongs`);
    return value;
  }
  const negative = (first & 0x40) !== 0;
  let value = negative ? BigInt(first) - 256n : BigInt(first & 0x7f);
  for (const byte of field.subarray(1)) value = value * 256n + BigInt(byte);
  return Number(value);
}

function octal(field: Buffer): number | undefined {
  const text = field.toString("latin1").replace(/[\0 ]+$/, "").trimStart();
  if (text === "") return 0;
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined;
}

function putNumber(block: Buffer, start: number, length: number, value: number): void {
  if (value >= 0 && value < 8 ** (length - 1)) {
    block.write(`${value.toString(8).padStart(length - 1, "0")}\0`, start, "latin1");
    return;
  }
  let rest = BigInt(value);
  for (let at = start + length - 1; at >= start; at--) {
    block[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  block[start] = (block[start] ?? 0) | 0x80;
}

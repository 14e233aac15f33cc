import { damaged } from "./damaged.ts";
import { BLOCK, memberOf, paddingAfter, readHeader, sparseMapStart, type HeaderBlock, type TarMember } from "./tar-header.ts";

export type TarEvent =
  | { readonly kind: "member"; readonly member: TarMember }
  /** Some of the last member's data. The bytes are the reader's only until the next push. */
  | { readonly kind: "data"; readonly bytes: Buffer }
  /** All of the last member's data has come. */
  | { readonly kind: "ended" };

/** Tar fills its last record with zeros up to so many bytes. */
export const RECORD = 20 * BLOCK;

/** Names and pax headers longer than this are none of a site's. */
const LONGEST_NAME = 1 << 20;

/** Keys of pax headers that change nothing here, or nothing that a site needs. */
const HARMLESS_PAX = /^(?:path|linkpath|size|mtime|atime|ctime|uid|gid|uname|gname|comment|charset|hdrcharset|SCHILY\..*|LIBARCHIVE\..*)$/;

type Place =
  | { readonly is: "header" }
  | { readonly is: "name"; readonly flag: string; readonly size: number }
  | { readonly is: "map"; readonly header: HeaderBlock; readonly size: number }
  | { is: "data"; left: number; padding: number }
  | { is: "padding"; left: number }
  | { readonly is: "end" };

/**
 * Reads a tar archive that comes in pieces: ustar, GNU's long names and sparse files, and the pax headers that other tars write. Each byte of the archive
 * is looked at, also those that carry nothing.
 */
export class TarParser {
  #place: Place = { is: "header" };
  #gathered: Buffer[] = [];
  #gatheredLength = 0;
  #offset = 0;
  #zeroBlocks = 0;
  #endOffset = 0;
  #blocks: Buffer[] = [];
  #map: Buffer[] = [];
  #path: Buffer | undefined;
  #target: Buffer | undefined;
  #size: number | undefined;
  #oddity: string | undefined;

  /** The first thing that GNU tar does not write so; such an archive may be whole, but a changed bit could hide there. */
  get oddity(): string | undefined {
    return this.#oddity;
  }

  /** @throws ShimError PROVISION_BACKUP_DAMAGED */
  push(chunk: Buffer): TarEvent[] {
    const events: TarEvent[] = [];
    for (let at = 0; at < chunk.length; ) at += this.#take(chunk.subarray(at), events);
    return events;
  }

  /** @throws ShimError PROVISION_BACKUP_DAMAGED when the archive ended too early */
  end(): void {
    if (this.#place.is !== "end") throw damaged(`it is cut off: it ends after ${this.#offset + this.#gatheredLength} bytes in the middle of its members`);
    if (this.#offset !== Math.ceil(this.#endOffset / RECORD) * RECORD) this.#odd("it does not end where its last record does");
  }

  /** Uses up some of the chunk; answers how many bytes. */
  #take(chunk: Buffer, events: TarEvent[]): number {
    const place = this.#place;
    switch (place.is) {
      case "data": {
        const bytes = chunk.subarray(0, place.left);
        events.push({ kind: "data", bytes });
        place.left -= bytes.length;
        this.#offset += bytes.length;
        if (place.left === 0) this.#endData(place.padding, events);
        return bytes.length;
      }
      case "padding": {
        const bytes = chunk.subarray(0, place.left);
        this.#expectZeros(bytes, "the filling behind a member");
        place.left -= bytes.length;
        this.#offset += bytes.length;
        if (place.left === 0) this.#place = { is: "header" };
        return bytes.length;
      }
      case "end":
        this.#expectZeros(chunk, "what follows the end of the archive");
        this.#offset += chunk.length;
        return chunk.length;
      default: {
        const wanted = place.is === "name" ? place.size + paddingAfter(place.size) : BLOCK;
        const part = chunk.subarray(0, wanted - this.#gatheredLength);
        const whole = this.#gather(part, wanted);
        if (whole !== undefined) {
          if (place.is === "header") this.#header(whole, events);
          else if (place.is === "name") this.#name(whole, place);
          else this.#mapBlock(whole, place, events);
          this.#offset += wanted;
        }
        return part.length;
      }
    }
  }

  #gather(part: Buffer, wanted: number): Buffer | undefined {
    if (this.#gatheredLength === 0 && part.length === wanted) return Buffer.from(part);
    this.#gathered.push(Buffer.from(part));
    this.#gatheredLength += part.length;
    if (this.#gatheredLength < wanted) return undefined;
    const whole = Buffer.concat(this.#gathered);
    this.#gathered = [];
    this.#gatheredLength = 0;
    return whole;
  }

  #header(block: Buffer, events: TarEvent[]): void {
    if (isZero(block)) {
      this.#zeroBlocks += 1;
      if (this.#path !== undefined || this.#target !== undefined) throw damaged("a long name has no member");
      if (this.#zeroBlocks === 2) {
        this.#place = { is: "end" };
        this.#endOffset = this.#offset + BLOCK;
      }
      return;
    }
    if (this.#zeroBlocks > 0) throw damaged(`there is a block of zeros at byte ${this.#offset - BLOCK} between members`);
    const header = readHeader(block, this.#offset);
    if (!header.canonical) this.#odd(`the checksum at byte ${this.#offset} is written in another way`);
    this.#blocks.push(block);
    switch (header.flag) {
      case "K":
      case "L":
      case "x":
      case "g":
        if (header.size > LONGEST_NAME) throw damaged(`the header at byte ${this.#offset} announces a name of ${header.size} bytes`);
        this.#place = { is: "name", flag: header.flag, size: header.size };
        return;
      case "S": {
        const { start, size, goesOn } = sparseMapStart(block);
        this.#map = [start];
        if (goesOn) this.#place = { is: "map", header, size };
        else this.#member(header, events, size);
        return;
      }
      default:
        this.#member(header, events, undefined);
    }
  }

  #name(whole: Buffer, { flag, size }: { readonly flag: string; readonly size: number }): void {
    this.#blocks.push(whole);
    this.#expectZeros(whole.subarray(size), "the filling behind a name");
    const data = whole.subarray(0, size);
    this.#place = { is: "header" };
    if (flag === "L") this.#path = untilNul(data);
    else if (flag === "K") this.#target = untilNul(data);
    else this.#pax(data, flag === "g");
  }

  #pax(data: Buffer, isGlobal: boolean): void {
    for (const [key, value] of paxRecords(data)) {
      if (!HARMLESS_PAX.test(key)) throw damaged(`it uses "${key}", an extension of tar that is not read here`);
      if (isGlobal && /^(?:path|linkpath|size)$/.test(key)) throw damaged(`it sets "${key}" for all members`);
      if (key === "path") this.#path = Buffer.from(value);
      if (key === "linkpath") this.#target = Buffer.from(value);
      if (key === "size") this.#size = Number(value.toString("latin1"));
    }
    if (this.#size !== undefined && !Number.isSafeInteger(this.#size)) throw damaged("a member has no size");
  }

  #mapBlock(block: Buffer, { header, size }: { readonly header: HeaderBlock; readonly size: number }, events: TarEvent[]): void {
    this.#blocks.push(block);
    this.#map.push(block);
    // 21 pieces of 24 bytes, then whether one more block follows.
    if (block[504] === 0) this.#member(header, events, size);
  }

  #member(header: HeaderBlock, events: TarEvent[], sparseSize: number | undefined): void {
    const member = memberOf(header, {
      ...(this.#path === undefined ? {} : { path: this.#path }),
      ...(this.#target === undefined ? {} : { target: this.#target }),
      ...(this.#size === undefined ? {} : { size: this.#size }),
      ...(sparseSize === undefined ? {} : { sparse: { size: sparseSize, map: Buffer.concat(this.#map) } }),
      blocks: Buffer.concat(this.#blocks),
    });
    this.#path = this.#target = this.#size = undefined;
    this.#blocks = [];
    this.#map = [];
    if (member === undefined) throw damaged(`the member at byte ${this.#offset} is of a kind ("${header.flag}") that no backup has`);
    if (member.size === 0 && header.size !== 0) throw damaged(`the ${member.type} ${member.path} has data`);
    if (member.size < 0) throw damaged(`${member.path} has a negative size`);
    events.push({ kind: "member", member });
    if (member.size === 0) this.#endData(0, events);
    else this.#place = { is: "data", left: member.size, padding: paddingAfter(member.size) };
  }

  #endData(padding: number, events: TarEvent[]): void {
    events.push({ kind: "ended" });
    this.#place = padding === 0 ? { is: "header" } : { is: "padding", left: padding };
  }

  #expectZeros(bytes: Buffer, what: string): void {
    if (this.#oddity === undefined && !isZero(bytes)) this.#odd(`${what} is not all zeros`);
  }

  #odd(what: string): void {
    this.#oddity ??= what;
  }
}

const ZEROS = Buffer.alloc(1 << 16);

function isZero(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const part = bytes.subarray(at, at + ZEROS.length);
    if (ZEROS.compare(part, 0, part.length, 0, part.length) !== 0) return false;
  }
  return true;
}

function untilNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/** `LENGTH KEY=VALUE\n`, one after the other. */
function* paxRecords(data: Buffer): Generator<[string, Buffer]> {
  for (let at = 0; at < data.length; ) {
    const blank = data.indexOf(0x20, at);
    const length = blank < 0 ? Number.NaN : Number(data.toString("latin1", at, blank));
    const record = data.subarray(blank + 1, at + length - 1);
    const equals = record.indexOf(0x3d);
    if (!(length > blank - at) || at + length > data.length || equals < 0 || data[at + length - 1] !== 0x0a) throw damaged("a pax header is broken");
    yield [record.toString("utf8", 0, equals), record.subarray(equals + 1)];
    at += length;
  }
}

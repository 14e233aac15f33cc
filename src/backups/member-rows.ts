import type { Hash } from "node:crypto";
import { manifestRow, Rows } from "./manifest.ts";
import type { TarMember } from "./tar-header.ts";
import type { TarEvent } from "./tar-parser.ts";

/** Makes the rows of a manifest from what passes by. */
export class MemberRows {
  readonly rows = new Rows();
  readonly #newHash: () => Hash;
  #member: TarMember | undefined;
  #hash: Hash | undefined;
  #bytes = 0;

  constructor(newHash: () => Hash) {
    this.#newHash = newHash;
  }

  /** Bytes of data of all members so far. */
  get bytes(): number {
    return this.#bytes;
  }

  take(event: TarEvent): void {
    switch (event.kind) {
      case "member":
        this.#member = event.member;
        this.#hash = event.member.type === "file" ? this.#newHash() : undefined;
        if (event.member.sparse !== undefined) this.#hash?.update(event.member.sparse.map);
        break;
      case "data":
        this.#bytes += event.bytes.length;
        this.#hash?.update(event.bytes);
        break;
      case "ended":
        if (this.#member !== undefined) this.rows.add(manifestRow(this.#member, this.#hash?.digest("hex") ?? ""));
        this.#member = undefined;
        break;
    }
  }
}

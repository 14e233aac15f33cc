import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { siteDrushrcText } from "../../src/aliases/write-drushrc.ts";
import { unpackSite } from "../../src/backups/unpack.ts";
import { verifyBackup } from "../../src/backups/examine.ts";
import { MANIFEST } from "../../src/backups/manifest.ts";
import { loadDatabase } from "../../src/database/load.ts";
import { phpFrom } from "../../src/php-values/convert.ts";
import type { PhpArray } from "../../src/php-values/php-array.ts";
import { contentOf } from "../database/db-stage.ts";
import { good, openFrontEnd, openPlatform, writeAlias, type FrontEnd } from "../support/front-end.ts";

/** How many sites are made up, backed up and compared with what comes out of the backup; a full run has 200. */
const SITES = Number(process.env["SHIM_TEST_SITES"] ?? 4);
const PASSWORD = "Gen'\"\\ pass #1";

let frontEnd: FrontEnd;
let root: string;

beforeAll(async () => {
  frontEnd = await openFrontEnd();
  root = await openPlatform(frontEnd);
}, 300_000);
afterAll(() => frontEnd.strike());

/** The same numbers for the same site in every run. */
function dice(seed: number): (sides: number) => number {
  let state = (seed + 1) * 2654435761;
  return (sides) => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 374761393) | 0;
    return ((state ^ (state >>> 13)) >>> 0) % sides;
  };
}

type Dice = ReturnType<typeof dice>;

const PIECES = ["a", "Z", "0", " ", "  ", "-", "--", ".", "..", "é", "漢", "😀", "'", '"', "\\", "$", "`", "*", "?", "[", "{", "\n", "\t", ":", ";", "&", "|", "<", "~", "#", "%", "x".repeat(60)].map((text) => Buffer.from(text));
const BROKEN = [Buffer.from([0xff]), Buffer.from([0xc3]), Buffer.from([0xed, 0xa0, 0x80])];

/** A name that a file can have, often one that nobody should give. */
function oddName(roll: Dice, number: number): Buffer {
  const pieces = Array.from({ length: roll(5) }, () => (roll(12) === 0 ? BROKEN[roll(BROKEN.length)]! : PIECES[roll(PIECES.length)]!));
  return Buffer.concat([...pieces, Buffer.from(String(number))]);
}

function below(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder, Buffer.from("/"), name]);
}

function makeFiles(site: string, roll: Dice): void {
  const folders: Buffer[] = [Buffer.from(join(site, "files")), Buffer.from(join(site, "private"))];
  for (const folder of folders) mkdirSync(folder);
  const files: Buffer[] = [];
  for (let number = 0, count = 20 + roll(40); number < count; number++) {
    const folder = folders[roll(folders.length)]!;
    const path = below(folder, oddName(roll, number));
    switch (roll(9)) {
      case 0:
        if (path.length < 2000) {
          mkdirSync(path);
          folders.push(path);
        }
        break;
      case 1:
        symlinkSync([Buffer.from("nowhere"), Buffer.from("../files"), oddName(roll, 1), Buffer.from("y/".repeat(80))][roll(4)]!, path);
        break;
      case 2:
        if (files.length > 0) linkSync(files[roll(files.length)]!, path);
        break;
      default: {
        const size = [0, 1, 511, 512, 513, 10_000, 70_000, 600_000][roll(8)]!;
        writeFileSync(path, roll(2) === 0 ? Buffer.alloc(size, "text of a page\n") : Buffer.from(Array.from({ length: Math.min(size, 70_000) }, () => roll(256))));
        chmodSync(path, [0o644, 0o600, 0o664, 0o440, 0o755, 0o2770][roll(6)]!);
        files.push(path);
      }
    }
  }
  if (roll(3) === 0) execFileSync("sh", ["-c", `truncate -s 9M "$0" && printf end | dd of="$0" bs=1M seek=5 conv=notrunc status=none`, join(site, "files/sparse")]);
  for (const folder of folders.reverse()) chmodSync(folder, [0o755, 0o2770, 0o700, 0o555][roll(4)]!);
}

const TYPES: readonly (readonly [string, (roll: Dice) => string])[] = [
  ["BLOB", (roll) => `x'${Buffer.from(Array.from({ length: roll(400) }, () => roll(256))).toString("hex")}'`],
  ["LONGTEXT CHARACTER SET utf8mb4", (roll) => `'${["😀 vier Byte", "it''s", "\\\\ back", "/*!50013 DEFINER=x */", "", "-- x", "ä"][roll(7)]!}'`],
  ["VARCHAR(100) CHARACTER SET latin1", (roll) => `'${["café", "naïve", "x", ""][roll(4)]!}'`],
  ["TEXT CHARACTER SET utf8mb3", (roll) => `'${["漢字", "ελληνικά", "русский"][roll(3)]!}'`],
  ["DECIMAL(20,6)", (roll) => `${roll(1000)}.${roll(1000)}`],
  ["DATETIME(3)", (roll) => `'20${10 + roll(89)}-02-0${1 + roll(9)} 01:02:03.456'`],
  ["BIGINT UNSIGNED", (roll) => `18446744073709551${roll(600)}`],
];

function tableStatements(database: string, roll: Dice): string {
  // Dumps keep the text of a trigger: with the database's name in it, it would go to that one.
  const statements = ["SET NAMES utf8mb4", `USE ${database}`];
  for (let number = 0, count = 2 + roll(6); number < count; number++) {
    const name = ["node", "odd name", "quo`te", "UPPER", "täble", "select"][roll(6)]! + String(number);
    const quoted = `\`${name.replaceAll("`", "``")}\``;
    const columns = Array.from({ length: 1 + roll(5) }, () => TYPES[roll(TYPES.length)]!);
    const generated = roll(3) === 0 ? ", twice INT AS (id * 2) STORED" : "";
    statements.push(`CREATE TABLE ${quoted} (id INT PRIMARY KEY${columns.map(([type], index) => `, c${index} ${type}`).join("")}${generated}) ENGINE=${roll(4) === 0 ? "MyISAM" : "InnoDB"} DEFAULT CHARSET=utf8mb4`);
    const names = ["id", ...columns.map((_, index) => `c${index}`)].join(", ");
    for (let row = 0, rows = roll(30); row < rows; row++) statements.push(`INSERT INTO ${quoted} (${names}) VALUES (${[String(row), ...columns.map(([, value]) => (roll(10) === 0 ? "NULL" : value(roll)))].join(", ")})`);
    if (roll(2) === 0) statements.push(`CREATE DEFINER='aegir_root'@'localhost' SQL SECURITY INVOKER VIEW \`view ${number}\` AS SELECT id, id + 1 AS next FROM ${quoted}`);
    if (roll(2) === 0) statements.push(`CREATE DEFINER='aegir_root'@'localhost' TRIGGER \`trigger_${number}\` BEFORE INSERT ON ${quoted} FOR EACH ROW SET NEW.id = NEW.id + 0`);
  }
  return statements.join(";\n");
}

/** Everything below a folder: type, mode, names as bytes, links, contents, and which names are one file. Neither the manifest nor what a backup replaces. */
function picture(folder: string): string {
  const script = `cd "$0"; find . ! -path ./database.sql ! -path '${MANIFEST}' ! -path ./settings.php ! -path ./drushrc.php -printf '%y %m %P -> %l %n\\0' | LC_ALL=C sort -z | tr '\\0' '\\n'; find . -type f ! -path ./database.sql ! -path '${MANIFEST}' ! -path ./settings.php ! -path ./drushrc.php -print0 | LC_ALL=C sort -z | xargs -0 sha256sum`;
  return execFileSync("sh", ["-c", script, folder], { encoding: "latin1", maxBuffer: 1 << 27 });
}

function contents(database: string): Promise<unknown> {
  const { mariadb } = frontEnd.stage;
  return contentOf({ query: mariadb.query, mariadb }, database);
}

it(`${SITES} made-up sites come out of their backups as they went in`, async () => {
  const { stage, home } = frontEnd;
  for (let number = 0; number < SITES; number++) {
    const roll = dice(number);
    const uri = `made-up-${number}.test`;
    const database = `madeup${number}`;
    const site = join(root, "sites", uri);
    mkdirSync(site);
    makeFiles(site, roll);
    const credentials = { db_type: "mysql", db_host: "127.0.0.1", db_port: String(stage.mariadb.port), db_passwd: PASSWORD, db_name: database, db_user: database };
    writeFileSync(join(site, "drushrc.php"), siteDrushrcText(phpFrom({ ...credentials, installed: true }) as PhpArray, site), { mode: 0o440 });
    writeFileSync(join(site, "settings.php"), "<?php # cloaked\n", { mode: 0o440 });
    stage.home.user.own(site);
    writeAlias(frontEnd, uri, { context_type: "site", platform: "@platform_standin", db_server: "@server_master", uri, profile: "standard" });
    const quotedPassword = PASSWORD.replaceAll("\\", "\\\\").replaceAll("'", "''");
    await stage.mariadb.query(
      `CREATE DATABASE ${database}; CREATE DATABASE ${database}_b; CREATE USER '${database}'@'localhost' IDENTIFIED BY '${quotedPassword}'; CREATE USER '${database}'@'127.0.0.1' IDENTIFIED BY '${quotedPassword}'; ` +
        ["localhost", "127.0.0.1"].flatMap((host) => [database, `${database}_b`].map((name) => `GRANT ALL ON ${name}.* TO '${database}'@'${host}'`)).join("; "),
    );
    await stage.mariadb.query(tableStatements(database, roll));
    const before = [picture(site), await contents(database)];

    const suffix = [".tar.gz", ".tar.gz", ".tar.bz2", ".tar"][number % 4]!;
    const { frame } = await good(frontEnd.task(uri, "backup", { args: [`--provision_backup_suffix=${suffix}`, "--force"] }));
    const file = String((frame["context"] as Record<string, unknown>)["backup_file"]);
    const { signal } = new AbortController();
    const env = { PATH: process.env["PATH"] };
    expect((await verifyBackup(file, { env, signal })).manifest?.facts.uri).toBe(uri);
    const target = join(home, `out-${number}`);
    const { mode } = await unpackSite({ archive: file, target, work: { signal, progress: () => undefined, child: () => undefined }, env });
    chmodSync(target, mode);
    await loadDatabase({ account: { host: "127.0.0.1", port: stage.mariadb.port, user: database, password: PASSWORD, database: `${database}_b` }, file: join(target, "database.sql") }, { env, cwd: "/", signal });
    expect(`${uri}\n${picture(target)}`).toBe(`${uri}\n${before[0] as string}`);
    expect([uri, await contents(`${database}_b`)]).toEqual([uri, before[1]]);
    expect(existsSync(join(site, "database.sql"))).toBe(false);
    execFileSync("sh", ["-c", `chmod -R u+rwX "$0" "$1"; rm -rf "$0" "$1" "$2"`, site, target, file]);
    await stage.mariadb.query(`DROP DATABASE ${database}; DROP DATABASE ${database}_b`);
  }
}, 60_000 + SITES * 15_000);

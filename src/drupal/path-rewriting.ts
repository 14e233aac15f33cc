import { quoteIdentifier, type Db, type DbRow } from "../database/connection.ts";
import { serializedText, siteVariable } from "./variables.ts";

/** Fields that hold texts in which paths may stand, and which columns. */
const TEXT_FIELDS: Readonly<Record<string, readonly string[]>> = { text_long: ["value"], text_with_summary: ["value", "summary"] };
/** What may follow the name of a site's directory in a text; anything else would be another, longer name. */
const ENDS = ["/", '"', "'", "<", " ", ")", "?", "#", "&", "\\", "\n", "\r"];
/** How many pieces of content one statement takes on: a statement has a time limit. */
const SLICE = 2000;

interface TextColumn {
  readonly table: string;
  readonly column: string;
  /** Number that slices go by. */
  readonly key?: string;
}

/**
 * Brings the paths of a site that has moved up to date in its database: texts of blocks and fields, files of modules, the name of the site (as
 * deploy of Provision 7.x-3.x for Drupal 7). Nothing is done without the old name, or when it is the new one.
 *
 * @returns the directories whose paths were replaced, such as `sites/old.example`
 */
export async function rewritePaths(db: Db, names: { readonly from: string | undefined; readonly to: string }): Promise<string[]> {
  const { from, to } = names;
  if (from === undefined || from === "" || from === to) return [];
  const columns = await textColumns(db);
  for (const name of [from, "default"]) {
    for (const column of columns) {
      if (column.table !== "system") await replaceIn(db, column, [`//${name}/sites/${name}/files`, `//${to}/sites/${to}/files`]);
      await replaceIn(db, column, [`sites/${name}`, `sites/${to}`], ENDS);
    }
  }
  const siteName = await siteVariable(db, "site_name");
  if (siteName?.includes(from) === true) {
    await db.run("UPDATE variable SET value = ? WHERE name = 'site_name'", [serializedText(siteName.replaceAll(from, to))]);
  }
  return [`sites/${from}`, "sites/default"];
}

async function textColumns(db: Db): Promise<TextColumn[]> {
  const tables = new Set((await db.rows("SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()")).map(({ name }) => name));
  const fields = tables.has("field_config") ? await db.rows("SELECT field_name, type FROM field_config WHERE deleted = 0") : [];
  const ofFields = fields.flatMap(({ field_name: name, type }: DbRow) =>
    ["data", "revision"].flatMap((kind) => (TEXT_FIELDS[type ?? ""] ?? []).map((part) => ({ table: `field_${kind}_${name ?? ""}`, column: `${name ?? ""}_${part}`, key: "entity_id" }))),
  );
  const all: TextColumn[] = [{ table: "block_custom", column: "body" }, { table: "system", column: "filename" }, ...ofFields];
  return all.filter(({ table }) => tables.has(table));
}

async function replaceIn(db: Db, { table, column, key }: TextColumn, [before, after]: readonly [string, string], ends: readonly string[] = [""]): Promise<void> {
  const name = quoteIdentifier(column);
  const replaced = ends.reduce((text) => `REPLACE(${text}, ?, ?)`, name);
  const pairs = ends.flatMap((end) => [before + end, after + end]);
  // Whole tables are scanned, but only rows that have it are written.
  const statement = `UPDATE ${quoteIdentifier(table)} SET ${name} = ${replaced} WHERE INSTR(${name}, ?) > 0`;
  const atEnd = `UPDATE ${quoteIdentifier(table)} SET ${name} = CONCAT(LEFT(${name}, CHAR_LENGTH(${name}) - ?), ?) WHERE BINARY RIGHT(${name}, ?) = ?`;
  for (const slice of key === undefined ? [undefined] : await slices(db, table, key)) {
    const where = slice === undefined || key === undefined ? "" : ` AND ${quoteIdentifier(key)} BETWEEN ? AND ?`;
    await db.run(statement + where, [...pairs, before, ...(slice ?? [])]);
    if (ends !== ENDS) continue;
    await db.run(atEnd + where, [before.length, after, before.length, before, ...(slice ?? [])]);
  }
}

/** Ranges of the numbers that there are. */
async function slices(db: Db, table: string, key: string): Promise<(readonly [number, number])[]> {
  const [column, from] = [quoteIdentifier(key), quoteIdentifier(table)];
  const ranges: [number, number][] = [];
  let last = -1;
  for (;;) {
    const rows = await db.rows(`SELECT MIN(n) AS first, MAX(n) AS last FROM (SELECT DISTINCT ${column} AS n FROM ${from} WHERE ${column} > ? ORDER BY n LIMIT ?) AS slice`, [last, SLICE]);
    const range = rows[0];
    if (range?.["first"] === null || range?.["first"] === undefined) return ranges;
    last = Number(range["last"]);
    ranges.push([Number(range["first"]), last]);
  }
}

import { quoteIdentifier, type Db } from "../database/connection.ts";
import { serializedText } from "./variables.ts";

/** Above this many rows TRUNCATE is quicker than DELETE, which in turn does not make the table's files anew. */
const FEW_ROWS = 1000;

/**
 * Empties the caches of a Drupal 7 site as far as that is data: all cache tables (but not half-filled forms), the lists of
 * aggregated files, and a mark that the menu is to be rebuilt at the next request.
 *
 * @returns how many tables were emptied
 */
export async function clearCaches(db: Db, now: Date): Promise<number> {
  // The first page after this builds new aggregates, under names that no browser has cached.
  await db.run("DELETE FROM variable WHERE name IN ('drupal_css_cache_files', 'drupal_js_cache_files')");
  await db.run("REPLACE INTO variable (name, value) VALUES ('css_js_query_string', ?), ('menu_rebuild_needed', 'b:1;')", [
    serializedText(Math.floor(now.getTime() / 1000).toString(36)),
  ]);
  const tables = await db.rows(
    "SELECT c.TABLE_NAME AS name, t.TABLE_ROWS AS guess FROM information_schema.COLUMNS c JOIN information_schema.TABLES t USING (TABLE_SCHEMA, TABLE_NAME)" +
      " WHERE c.TABLE_SCHEMA = DATABASE() AND (c.TABLE_NAME = 'cache' OR c.TABLE_NAME LIKE 'cache\\_%') AND c.COLUMN_NAME = 'cid' AND c.TABLE_NAME <> 'cache_form'",
  );
  for (const { name, guess } of tables) {
    if (name === null || name === undefined) continue;
    await db.run(Number(guess ?? 0) > FEW_ROWS ? `TRUNCATE TABLE ${quoteIdentifier(name)}` : `DELETE FROM ${quoteIdentifier(name)}`);
  }
  return tables.length;
}

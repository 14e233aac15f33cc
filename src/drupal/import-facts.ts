import type { Db } from "../database/connection.ts";

/** What a Drupal 7 site says of itself that a context remembers. */
export interface ImportFacts {
  readonly profile: string;
  readonly language: string;
}

/** Variables that the facts come from; settings.php may set them, too, and wins. */
export const IMPORT_VARIABLES = ["install_profile", "language_default"] as const;

/**
 * The site's profile and default language (as the import of Provision 7.x-3.x asks its Drupal).
 *
 * @param settings the variables that settings.php sets, serialized
 */
export async function importFacts(db: Db, settings: Readonly<Record<string, string | null>>): Promise<ImportFacts> {
  const stored = await db.rows(`SELECT name, value FROM variable WHERE name IN (${IMPORT_VARIABLES.map(() => "?").join(", ")})`, IMPORT_VARIABLES);
  const value = (name: string): string => settings[name] ?? stored.find((row) => row["name"] === name)?.["value"] ?? "";
  return {
    profile: /^s:\d+:"(\w+)";$/.exec(value("install_profile"))?.[1] ?? "standard",
    // An object of a language: its code is one of its members.
    language: /s:8:"language";s:\d+:"([\w-]+)";/.exec(value("language_default"))?.[1] ?? "en",
  };
}

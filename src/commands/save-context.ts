import { join } from "node:path";
import { aliasFileText } from "../aliases/write-alias.ts";
import type { Context } from "../contexts/context.ts";
import { contextName, checkedContextName } from "../contexts/names.ts";
import { textList } from "../contexts/context.ts";
import { PhpArray } from "../php-values/php-array.ts";
import type { PhpValue } from "../php-values/value.ts";
import type { Surroundings } from "./command.ts";
import type { Work } from "../task/plan.ts";

/** The alias file of a context of that name. */
export function aliasPath(home: string, name: string): string {
  return join(home, ".drush", `${checkedContextName(name)}.alias.drushrc.php`);
}

/**
 * Writes the alias file of the context, and for a site one more for each of its `drush_aliases` (as Provision_Config_Drushrc_Alias of Provision 7.x-3.x).
 */
export function writeAliasFiles(work: Work, context: Context, { home, launcher }: Pick<Surroundings, "home" | "launcher">): void {
  const properties = withoutDuplicates(context.properties);
  const names = context.type === "site" ? textList(properties, "drush_aliases").map(contextName) : [];
  for (const name of [context.name, ...names]) {
    const path = aliasPath(home, name);
    work.files.directory(join(home, ".drush"));
    const written = work.files.write({ path, content: aliasFileText(name, withDrushScript(properties, context, launcher)), mode: 0o440, secret: context.type === "server" });
    work.log("success", written ? `Generated Drush configuration file (${path})` : `The Drush configuration file is up to date (${path})`);
  }
}

/** Removes the alias files that {@link writeAliasFiles} has written. */
export function removeAliasFiles(work: Work, context: Context, { home }: Pick<Surroundings, "home">): void {
  const names = context.type === "site" ? textList(context.properties, "drush_aliases").map(contextName) : [];
  for (const name of new Set([context.name, ...names])) {
    const path = aliasPath(home, name);
    if (work.files.remove(path)) work.log("success", `Removed ${path}`);
  }
}

/** Repeated items of these two lists are left out of the file; the others keep their index, so the list may get gaps. */
function withoutDuplicates(properties: PhpArray): PhpArray {
  const copy = properties.clone();
  for (const key of ["aliases", "drush_aliases"]) {
    const list = copy.get(key);
    if (!(list instanceof PhpArray)) continue;
    const seen = new Set<PhpValue>();
    copy.set(key, PhpArray.of([...list].filter(([, value]) => !seen.has(value) && seen.add(value))));
  }
  return copy;
}

/**
 * `provision swap on` makes the drush of a platform that has one of its own ineffective by naming us in the aliases of the platform and its sites. That
 * entry must outlive a save, which keeps nothing else that is not a property, and a new site on that platform needs it too.
 */
function withDrushScript(properties: PhpArray, context: Context, launcher: string): PhpArray {
  const inherited = context.type === "site" && drushScript(context.platform) === launcher ? launcher : undefined;
  const script = drushScript(context) ?? inherited;
  return script === undefined ? properties : properties.clone().set("path-aliases", PhpArray.of([["%drush-script", script]]));
}

function drushScript(context: Context): PhpValue | undefined {
  const paths = context.record?.get("path-aliases");
  return paths instanceof PhpArray ? paths.get("%drush-script") : undefined;
}

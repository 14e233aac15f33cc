import { scalarText } from "../php-values/convert.ts";
import type { PhpArray, PhpKey } from "../php-values/php-array.ts";
import { varExport } from "../php-values/var-export.ts";

/** The drushrc.php of a platform, byte for byte as Provision 7.x-3.x writes it (no line break at the end). */
export function platformDrushrcText(options: PhpArray): string {
  return `<?php \n\n${assignments(options)}`;
}

/** The drushrc.php of a site: its options, the database credentials for any drush command, and the administrator's own file. */
export function siteDrushrcText(options: PhpArray, sitePath: string): string {
  const credentials = ["db_type", "db_port", "db_host", "db_user", "db_passwd", "db_name"].map((key) => `$_SERVER['${key}'] = $options['${key}'];\n`);
  const local = varExport(`${sitePath}/local.drushrc.php`);
  return `<?php \n\n${assignments(options)}\n# Aegir additions.\n${credentials.join("")}\n# Local non-aegir-generated additions.\n@include_once(${local});\n`;
}

/** The sites/sites.php of a platform: host name → site directory. */
export function sitesPhpText(sites: PhpArray): string {
  return `<?php \n/**\n * @file Which host names belong to which site directory; written by provision-shim.\n *\n * Each verify of a site rewrites its entries here, those of other sites are kept.\n */\n$sites = ${varExport(sites)};\n`;
}

/** One assignment an option. The original writes keys without escaping, so that an odd one broke the file. */
function assignments(options: PhpArray): string {
  return [...options].map(([key, value]) => `\n$options[${keyText(key)}] = ${varExport(value)};`).join("");
}

function keyText(key: PhpKey): string {
  return varExport(scalarText(key) ?? "");
}

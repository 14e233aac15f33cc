import { isAbsolute, join } from "node:path";
import { isDirectory, readIfThere } from "../files/look.ts";
import type { Work } from "../task/plan.ts";

/** What Drupal looks for in the file to know that it protects against SA-CORE-2013-003. */
const MARKER = "Drupal_Security_Do_Not_Remove_See_SA_2013_003";

/** Keeps a web server from running or listing what is in a directory of uploads. */
const HTACCESS = `# Nothing in this directory is run, whatever its name. The handler below does not exist on purpose.
Options None
Options +FollowSymLinks

SetHandler ${MARKER}
<Files *>
  # Also where another handler was set for the kind of file.
  SetHandler ${MARKER}
</Files>

<IfModule mod_php5.c>
  php_flag engine off
</IfModule>
<IfModule mod_php7.c>
  php_flag engine off
</IfModule>
<IfModule mod_php.c>
  php_flag engine off
</IfModule>
`;

/** Puts the protection into the site's public, private and temporary directory where it is missing or old. */
export function protectUploads(work: Work, root: string, directories: readonly string[]): void {
  for (const directory of directories) {
    const absolute = isAbsolute(directory) ? directory : join(root, directory);
    const path = join(absolute, ".htaccess");
    if (!isDirectory(absolute) || readIfThere(path)?.includes(MARKER) === true) continue;
    work.files.write({ path, content: HTACCESS, mode: 0o444 });
    work.log("notice", `Updated ${path} to match http://drupal.org/SA-CORE-2013-003`);
  }
}

import { escapePattern } from "../escape-pattern.ts";
import denials from "../../../templates/nginx/denials.conf.hbs";
import entries from "../../../templates/nginx/entries.conf.hbs";
import files from "../../../templates/nginx/files.conf.hbs";
import named from "../../../templates/nginx/named.conf.hbs";
import pages from "../../../templates/nginx/pages.conf.hbs";
import scripts from "../../../templates/nginx/scripts.conf.hbs";
import statements from "../../../templates/nginx/statements.conf.hbs";

/** For which place the rules of a Drupal are written: a whole host, or a folder of one. */
export interface RulesPlace {
  readonly extended: boolean;
  /** Path of the folder, `/blog`; empty for a whole host. */
  readonly at: string;
  /** Behind the names of named locations. */
  readonly suffix: string;
  /** Path of the site's files below the document root; may be a variable of nginx. */
  readonly siteFiles: string;
  /** What to look for as a file, in this order, for a request. */
  readonly lookup: string;
  /** The document root, where it does not stand around the named locations. */
  readonly root: string | undefined;
  /** Parameters for PHP, where they do not stand around the named locations. */
  readonly parameters: readonly string[];
  /** Lines that give a request to PHP. */
  readonly php: readonly string[];
}

export interface Rules {
  readonly statements: string;
  readonly denials: string;
  readonly scripts: string;
  readonly entries: string;
  readonly files: string;
  readonly pages: string;
  readonly named: string;
  /** Lines that many rules share, by their names, indented: `use("  ", "quiet page")`. */
  readonly use: (indent: string, names: string) => string;
}

/** Extensions of files as alternatives of a pattern. */
const images = "jpe?g|gif|png|webp|avif|ico|bmp|svg|tiff?";
const fonts = "otf|ttf|woff2?|eot";
const office = "docx?|xlsx?|pptx?|rtf";
const small = `${images}|${fonts}|${office}|swf|txt|vcard|vcf|cgi|bat|dll|class|less|mp3|wav|midi`;
const most = `${small}|avi|mpe?g|mov|wmv|webm|ogg|ogv|zip|tar|t?gz|rar|dmg|exe|apk|pxl|ipa`;
const all = `${most}|pdf`;
/** Code that is no page, and what editors leave beside it. */
const code = "\\.(?:git.*|htaccess|engine|config|inc|ini|info|install|make|module|profile|test|pl|po|sh|[^/]*sql|theme|tpl(?:\\.php)?|xtmpl|twig|ya?ml)(?:~|\\.sw[op]|\\.bak|\\.orig|\\.save)?$";
/** What PHP might be made to run. */
const script = "\\.(?:php[0-9]*|phar|phtml|phps|pht)(?:/|$)";

/** Paths whose pages are never kept, at the beginning of the site or behind a language. */
const PERSONAL = "(?:\\w\\w/)?(?:admin|user|cart|checkout|logout|comment/reply|node/add|node/[0-9]+/(?:edit|delete)|approve|hosting|civicrm|cron|httprl|audio/download|cdn/farfuture)";
const MADE_NOW = "(?:ahah|ajax|batch|autocomplete|x-progress-id|progress/|system/|external/|files/(?:styles|imagecache|advagg_css|advagg_js)/)";

/** The rules for all requests to a Drupal, in groups whose order matters: the first pattern that fits decides. */
export function nginxRules(place: RulesPlace): Rules {
  const { at, suffix, lookup, extended } = place;
  const re = escapePattern(at);
  const drupal = `@drupal${suffix}`;
  const cache = extended ? `@cache${suffix}` : drupal;
  const shared = {
    quiet: ["access_log off;"],
    unlogged: ["log_not_found off;"],
    month: ["expires 30d;"],
    forever: ["expires max;"],
    headers: ['add_header Access-Control-Allow-Origin "*";', "add_header X-Content-Type-Options nosniff;", 'add_header X-XSS-Protection "1; mode=block";'],
    boost: ['add_header Expires "Thu, 01 Jan 1981 00:00:00 GMT";', 'add_header Cache-Control "no-store, no-cache, must-revalidate, post-check=0, pre-check=0";'],
    nobots: ["if ($is_bot) {", "  return 403;", "}"],
    page: [`try_files ${lookup} ${drupal};`],
    cached: [`try_files ${lookup} ${cache};`],
    file: [`try_files ${lookup} =404;`],
    php: place.php,
    // With a path behind the name of the script.
    script: [splitLine(re), ...place.parameters, ...place.php],
  };
  // These stand in front of the rules for what nobody may have, and must not show it either.
  const never = [`error_page 405 = @page${suffix};`, "return 405;"];
  const askDrupal = (more: readonly string[]): string[] => [`location ~* "(?:/\\.|${script}|${code})" {`, ...[...more, ...never].map((line) => `  ${line}`), "}"];
  const lines = { ...shared, code: askDrupal([]), botcode: askDrupal(shared.nobots) };
  const use = (indent: string, names: string): string => names.split(" ").flatMap((name) => (lines as Readonly<Record<string, readonly string[]>>)[name] ?? []).map((line) => indent + line).join("\n");
  const uncached = `^${re}/${PERSONAL}|^[^?]*/${MADE_NOW}|[?&]q=/?(?:${PERSONAL}|[^&]*${MADE_NOW})`;
  const data = { ...place, re, drupal, cache, uncached, images, fonts, office, small, most, all, code, script };
  const text = (template: typeof denials): string => template(data, { helpers: { use } }).trimEnd();
  return { statements: text(statements), denials: text(denials), scripts: text(scripts), entries: text(entries), files: text(files), pages: text(pages), named: text(named), use };
}

/** How nginx tells the name of a script from a path behind it. */
export function splitLine(re: string): string {
  return `fastcgi_split_path_info "^${re}(/.+?\\.php)(/.*)?$";`;
}

/** What hands a script below the document root to PHP, unless it is not there. */
export function phpLines(target: string): string[] {
  return ["if (!-f $document_root$fastcgi_script_name) {", "  return 404;", "}", `fastcgi_pass ${target};`];
}

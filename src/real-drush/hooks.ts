/** Commands that write a site's settings.php or directories. */
const SETTINGS = /^provision-(?:verify|install|deploy|restore|migrate|clone|backup|import)$/;
const WEB = /^provision-(?:verify|install|deploy|enable|disable|delete|restore|migrate|clone|import)$/;
const NOTHING_BUT_FILES = /^provision-backup-delete$/;

/**
 * Functions by which a drush extension takes part in commands that are not its own (Provision's and drush's hooks). `ending` is what
 * follows the extension's name in the name of the function.
 */
const HOOKS: readonly { readonly ending: RegExp; readonly applies: (command: string) => boolean }[] = [
  { ending: /_provision_(?:services|context_alter)$/, applies: (command) => !NOTHING_BUT_FILES.test(command) },
  { ending: /_provision_config_(?:load_templates(?:_alter)?|variables_alter)$/, applies: (command) => !NOTHING_BUT_FILES.test(command) },
  { ending: /_provision_drupal_config$/, applies: (command) => SETTINGS.test(command) },
  { ending: /_provision_drupal_(?:create_directories|chgrp_directories|chgrp_not_recursive|chmod_not_recursive)_alter$/, applies: (command) => SETTINGS.test(command) },
  { ending: /_provision_(?:apache|nginx)_(?:server|dir|vhost)_config$/, applies: (command) => WEB.test(command) },
  { ending: /_provision_mysql_regex_alter$/, applies: (command) => /^provision-(?:backup|delete|restore|migrate|clone)$/.test(command) },
  { ending: /_provision_deploy_options_alter$/, applies: (command) => /^provision-(?:restore|migrate|clone)$/.test(command) },
  { ending: /_provision_drupal_install_settings_alter$/, applies: (command) => command.startsWith("provision-install") },
  { ending: /_drush_(?:init|exit|invoke_alter|command_alter|sitealias_alter)$/, applies: () => true },
];

/** Hooks that only add lines to a file. Their PHP can be asked for them while we write the file (src/real-drush/hook-lines.ts). */
const LINE_HOOKS = ["provision_apache_server_config", "provision_apache_dir_config", "provision_apache_vhost_config", "provision_nginx_server_config", "provision_nginx_vhost_config", "provision_drupal_config"] as const;

export type LineHookName = (typeof LINE_HOOKS)[number];

/** Which hook that adds lines the function implements, if any. */
export function lineHook(name: string): LineHookName | undefined {
  return LINE_HOOKS.find((hook) => name.endsWith(`_${hook}`) && !name.startsWith("drush_"));
}

/** Names of functions in a PHP file that may be hooks; what a command does with them is decided by {@link takesPart}. */
export function possibleHooks(php: string): string[] {
  const names = new Set<string>();
  for (const [, name] of php.matchAll(/\bfunction\s+&?\s*([A-Za-z_]\w*)\s*\(/g)) {
    if (name !== undefined && (/^drush_\w*(?:provision_|updatedb)/.test(name) || HOOKS.some(({ ending }) => ending.test(name)))) names.add(name);
  }
  // Annotated command files (drush 8.4) name the command in a comment.
  for (const [, command] of php.matchAll(/@hook\s+\S+\s+(\S+)/g)) if (command !== undefined) names.add(`@hook ${command}`);
  return [...names];
}

/** Functions of hosting_https by which drush learns of its services, which we have ourselves, or that do nothing for a site or platform. */
const OF_HOSTING_HTTPS = /^(?:(?:https|https_apache|https_nginx|certificate|letsencrypt|self_signed)_(?:drush_init|provision_services)|drush_certificate_provision_verify|drush_(?:letsencrypt|self_signed)_(?:provision_install(?:_rollback)?|post_provision_install))$/;

/** Whether the function need not be called, because what it does is done here. */
export function isDoneHere(name: string, file: string): boolean {
  return file.includes("/hosting_https/") && OF_HOSTING_HTTPS.test(name);
}

/**
 * True when the function takes part in the command: as a hook of one of its phases, `drush_EXTENSION_PHASE` with or without `_rollback`, or as one of the
 * hooks that the command invokes.
 */
export function takesPart(hook: string, command: string): boolean {
  if (hook.startsWith("@hook ")) return hook === `@hook ${command}` || hook === "@hook *";
  const inCode = command.replaceAll("-", "_");
  const phase = new RegExp(`^drush_(?:\\w+_)?(?:pre_|post_)?${inCode}(?:_pre_validate|_validate)?(?:_rollback)?$`);
  return phase.test(hook) || HOOKS.some(({ ending, applies }) => ending.test(hook) && applies(command));
}

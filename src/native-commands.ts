export interface NativeCommand {
  /** One line for people. */
  readonly summary: string;
  /** The words behind the command, for its help. */
  readonly usage: string;
  /** Accepts options that it does not declare; the others refuse them unless --strict=0. */
  readonly anyOption: boolean;
  /** Commands that are part of this one: a hook for one of them takes part in it. */
  readonly within?: readonly string[];
}

/** What is done to a site that is deployed anew. */
const DEPLOYMENT = ["provision-backup", "provision-save", "provision-deploy", "updatedb", "provision-verify"];

/** The commands that this program does itself; lib/launch lists the same names, and load-command.ts has their code. */
export const NATIVE_COMMANDS: Readonly<Record<string, NativeCommand>> = {
  "provision-save": {
    summary: "Create, change or delete a context (server, platform, site)",
    usage: "[@context] [--context_type=server|platform|site] [--property=value …] [--delete]",
    anyOption: true,
  },
  "provision-verify": {
    summary: "Bring a server, platform or site into its right shape",
    usage: "",
    anyOption: true,
    within: ["provision-save"],
  },
  "provision-lock": { summary: "Lock a platform", usage: "", anyOption: false },
  "provision-unlock": { summary: "Unlock a platform; with --stale: release the locks of tasks that are gone", usage: "| --stale [@context]", anyOption: false },
  "provision-enable": { summary: "Serve a disabled site again", usage: "", anyOption: true },
  "provision-disable": { summary: "Send a site's visitors to the page for disabled sites", usage: "", anyOption: true },
  "provision-install": {
    summary: "Install a new site",
    usage: "[--client_email=ADDRESS] [--profile=NAME] [--force-reinstall]",
    anyOption: true,
    within: ["provision-install-backend", "provision-save"],
  },
  "provision-install-backend": { summary: "The part of an install that Drupal does", usage: "[--client_email=ADDRESS]", anyOption: true },
  "provision-import": {
    summary: "Take over a site that is there already",
    usage: "",
    anyOption: true,
    within: ["provision-save", "provision-verify"],
  },
  "provision-login-reset": { summary: "Make a link that logs the first user in once", usage: "", anyOption: true },
  "provision-backup": {
    summary: "Pack a site's files and database into one archive",
    usage: "[FILE] [--provision_backup_suffix=.tar.gz|.tar.bz2|.tar] [--force]",
    anyOption: true,
  },
  "provision-backup-delete": { summary: "Remove backups of a site", usage: "FILE[,FILE…]", anyOption: true },
  "provision-delete": {
    summary: "Delete a site after a last backup, an empty platform, or a server",
    usage: "[FILE] [--force]",
    anyOption: true,
    within: ["provision-backup", "provision-save"],
  },
  "provision-deploy": {
    summary: "Put what a backup holds where a site is to be",
    usage: "FILE [--old_uri=HOST]",
    anyOption: true,
    within: ["updatedb"],
  },
  "provision-restore": {
    summary: "Put a site back to what a backup holds",
    usage: "FILE",
    anyOption: true,
    within: DEPLOYMENT,
  },
  "provision-clone": {
    summary: "Copy a site",
    usage: "@new_site [@platform] [--profile=NAME] [--new_db_server=@server]",
    anyOption: true,
    within: DEPLOYMENT,
  },
  "provision-migrate": {
    summary: "Move a site to another platform, name or database server",
    usage: "@platform [@new_name] [--profile=NAME] [--new_db_server=@server]",
    anyOption: true,
    within: DEPLOYMENT,
  },
  "backend-parse": { summary: "Show what a call in backend mode has said", usage: "", anyOption: true },
};

import { join } from "node:path";
import { command, quoted, type Command, type Line, type Place, type Side } from "./lines.ts";

/** A script while which the front end has no alias, so that it is not asked: it would put a site back to where it knows it to be. */
export function withoutFrontEnd(script: string): string {
  return `mv ~/.drush/hostmaster.alias.drushrc.php ~/.hostmaster.kept; ${script}; mv ~/.hostmaster.kept ~/.drush/hostmaster.alias.drushrc.php`;
}

/** Install to delete. Each side has sites of its own; what must be there before, and goes afterwards, is done by us and not timed. */
export function wholeLife(place: Place, real: string): Line[] {
  const { site, platform, other, backups } = place;
  const quietly = (...words: readonly string[]): string => [place.drush, ...words].map(quoted).join(" ");
  const script = (text: string): Command => ({ words: ["sh", "-c", text] });
  const gone = (name: string): string => `[ ! -e ~/.drush/${name}.alias.drushrc.php ] || ${quietly(`@${name}`, "provision-delete", "--force")}`;
  const each = (make: (side: Side, drush: string) => Command): { ours: Command; theirs: Command } => ({ ours: make("ours", place.drush), theirs: make("theirs", real) });
  const named = (what: string, side: Side): string => `bench-${what}-${side}.test`;
  const kept = join(backups, "bench-kept.tar.gz");
  const line = (what: string, limit: number, make: (side: Side, drush: string) => Command, more: { before?: (side: Side) => Command; after?: readonly Command[]; atMost?: number } = {}): Line => {
    const { before, ...rest } = more;
    return { what, limit: { ratio: limit }, ...each(make), ...rest, ...(before === undefined ? {} : { before: each(before) }) };
  };
  const both = (text: (side: Side) => string): Command => script(`${text("ours")}; ${text("theirs")}`);
  return [
    line("provision-login-reset", 0.35, (_, drush) => command(drush, [`@${site}`, "provision-login-reset"])),
    line("provision-backup", 0.6, (_, drush) => command(drush, [`@${site}`, "provision-backup"]), { after: [script(`rm -f ${backups}/${site}-*`)] }),
    line("provision-install", 0.85, (side, drush) => command(drush, [`@${named("new", side)}`, "provision-install", "--client_email=bench@example.com"]), {
      before: (side) => script(`${gone(named("new", side))}; ${quietly(`--uri=${named("new", side)}`, "provision-save", `@${named("new", side)}`, "--context_type=site", `--platform=@${platform}`, "--db_server=@server_master", `--uri=${named("new", side)}`, "--profile=standard", "--client_name=admin")}`),
      after: [both((side) => gone(named("new", side)))],
      atMost: 5,
    }),
    line("provision-delete", 0.4, (side, drush) => command(drush, [`@${named("gone", side)}`, "provision-delete"]), {
      before: (side) => script(withoutFrontEnd(quietly(`@${site}`, "provision-clone", `@${named("gone", side)}`, `@${platform}`))),
      after: [both((side) => gone(named("gone", side)))],
      atMost: 7,
    }),
    line("provision-restore", 0.4, (side, drush) => command(drush, [`@${named("back", side)}`, "provision-restore", kept.replace("kept", `kept-${side}`)]), {
      before: (side) => script(`[ -e ~/.drush/${named("back", side)}.alias.drushrc.php ] || { ${withoutFrontEnd(quietly(`@${site}`, "provision-clone", `@${named("back", side)}`, `@${platform}`))}; ${quietly(`@${named("back", side)}`, "provision-backup", kept.replace("kept", `kept-${side}`))}; }`),
      after: [both((side) => gone(named("back", side)))],
      atMost: 5,
    }),
    line("provision-clone, other platform", 0.15, (side, drush) => command(drush, [`@${site}`, "provision-clone", `@${named("copy", side)}`, `@${other}`]), {
      before: (side) => script(gone(named("copy", side))),
      after: [both((side) => gone(named("copy", side)))],
      atMost: 3,
    }),
    line("provision-migrate, other platform", 0.15, (_, drush) => command(drush, [`@${site}`, "provision-migrate", `@${other}`]), {
      before: () => script(`grep -q "'platform' => '@${platform}'" ~/.drush/${site}.alias.drushrc.php || { ${withoutFrontEnd(quietly(`@${site}`, "provision-migrate", `@${platform}`))}; }`),
      after: [script(withoutFrontEnd(quietly(`@${site}`, "provision-migrate", `@${platform}`))), script(`rm -f ${backups}/${site}-* ${backups}/bench-*`)],
      atMost: 3,
    }),
  ];
}

import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { platformDrushrcText } from "../aliases/write-drushrc.ts";
import type { PlatformContext } from "../contexts/context.ts";
import { composerDirectory, installDependencies, type ComposerSettings } from "../drupal/composer.ts";
import { findPlatformPackages } from "../drupal/platform-packages.ts";
import { describesItselfInPhp } from "../drupal/profiles.ts";
import { NeedsRealDrush } from "../errors/needs-real-drush.ts";
import { asShimError, ShimError } from "../errors/shim-error.ts";
import { isDirectory, isProgram, namesIn } from "../files/look.ts";
import { textOrUndefined } from "../php-values/convert.ts";
import { PhpArray } from "../php-values/php-array.ts";
import { ensureDirectory } from "../task/ensure-directory.ts";
import { step, type Plan, type Work } from "../task/plan.ts";
import type { CommandCall } from "./command.ts";
import { invalidRoot, nativeCore, nativeServer, switchOption, textOption } from "./native-reach.ts";
import { platformPush } from "./remote-work.ts";
import { writeAliasFiles } from "./save-context.ts";
import { servePlatform } from "./web-work.ts";

/** `provision-verify` of a platform: what code it has, and the web server's file for it (Provision 7.x-3.x). */
export async function verifyPlatform(platform: PlatformContext, call: CommandCall): Promise<Plan> {
  await nativeServer(platform.webServer, call);
  const root = platform.root ?? "";
  if (platform.makefile !== undefined && root !== "" && !isDirectory(root)) throw new NeedsRealDrush(`the makefile of @${platform.name}`);
  await call.options.loadRoot(root);
  const composer = composerSettings(platform, call);
  const composerPlace = composer === undefined ? undefined : composerDirectory(composer);
  // What Composer brings may change which Drupal it is; without it that is settled now.
  if (composerPlace === undefined) nativePlatform(platform);
  const stored = await call.storedContexts.get(platform.name);
  const { note, push, pushAgain } = await platformPush(platform, call);
  return {
    title: `verify platform @${platform.name}`,
    context: platform.name,
    steps: [
      ...note,
      ...(composer === undefined || composerPlace === undefined ? [] : [step("install what Composer says", (work) => compose(work, platform, { ...composer, place: composerPlace }))]),
      step("look whether the platform is usable", (work) => {
        warnWithoutComposer(work, composer);
        refuseUnwritable(work, join(nativePlatform(platform).root, "sites"));
      }),
      ...push,
      [
        step("write the web server's configuration and reload it", async (work) => {
          await servePlatform(work, platform, call);
        }),
        step("write down the platform's code", (work) => {
          reportPackages(work, platform, call);
          writePlatformDrushrc(work, root, call);
        }),
        step("write the alias file", (work) => writeAliasFiles(work, stored, call.surroundings)),
      ],
      ...pushAgain,
    ],
  };
}

/** What Composer could not bring is reported twice, as its own error and as that of the root (both are in Provision's contract). */
async function compose(work: Work, platform: PlatformContext, composer: ComposerSettings & { readonly place: string }): Promise<void> {
  try {
    await installDependencies(work, composer.place, composer);
  } catch (thrown) {
    const error = asShimError(thrown);
    work.error(error);
    throw invalidRoot(platform, `${error.code}: ${error.message}`);
  }
}

/** The platform's options as drush reads them: what is in the `drupal` set, without drush's notes on where it came from. */
export function writePlatformDrushrc(work: Work, root: string, call: CommandCall): void {
  if (!switchOption(call, "provision_save_config", true)) return;
  const options = call.options.set("drupal").clone();
  options.delete("context-path");
  options.delete("config-file");
  const folder = join(root, "sites/all/drush");
  work.files.directory(folder);
  const path = join(folder, "drushrc.php");
  const written = work.files.write({ path, content: platformDrushrcText(options), mode: 0o444 });
  work.log("success", written ? `Generated Platform Drush configuration file (${path})` : `The platform's Drush configuration file is up to date (${path})`);
}

function reportPackages(work: Work, platform: PlatformContext, call: CommandCall): void {
  const core = nativePlatform(platform);
  const found = findPlatformPackages(core);
  work.log("notice", `This platform is running drupal ${core.version}`);
  for (const profile of found.profiles) work.log("notice", `Found install profile ${profile}`);
  call.options.put("drupal", "sites", PhpArray.list(found.sites));
  call.options.put("drupal", "profiles", PhpArray.list(found.profiles));
  call.options.put("drupal", "packages", found.packages);
  const platforms = platform.webServer.http?.paths?.platforms;
  if (platforms !== undefined) ensureDirectory(work, platforms, "Platforms", 0o755);
}

/** @throws NeedsRealDrush for what only PHP can tell of the platform */
function nativePlatform(platform: PlatformContext) {
  const core = nativeCore(platform);
  const inPhp = namesIn(join(core.root, "profiles")).find((name) => describesItselfInPhp(core, name));
  if (inPhp !== undefined) throw new NeedsRealDrush(`the profile ${inPhp}, which describes itself in PHP`);
  return core;
}

function refuseUnwritable(work: Work, directory: string): void {
  try {
    accessSync(directory, constants.W_OK);
    work.log("success", `Drupal sites directory ${directory} is writable by the provisioning script`);
  } catch (cause) {
    throw new ShimError("PROVISION_SITES_DIR_NOT_WRITABLE", `Drupal sites directory ${directory} is not writable by the provisioning script.`, {
      hint: "give it to the backend's user",
      cause,
    });
  }
}

/** Undefined when the administrator does not want Composer on platforms. */
function composerSettings(platform: PlatformContext, call: CommandCall): (ComposerSettings & { readonly there: boolean }) | undefined {
  if (!switchOption(call, "provision_composer_install_platforms", true)) return undefined;
  const { variables } = call.surroundings;
  const there = (variables["PATH"] ?? "").split(":").some((directory) => isProgram(join(directory, "composer")));
  return {
    there,
    places: there ? [platform.root, textOrUndefined(platform.record?.get("repo_path"))] : [],
    always: switchOption(call, "provision_composer_install_platforms_verify_always", true),
    command: textOption(call, "provision_composer_install_command", "composer install --no-interaction --no-progress --no-dev"),
    variables,
  };
}

function warnWithoutComposer(work: Work, composer: { readonly there: boolean } | undefined): void {
  if (composer?.there !== false) return;
  work.log("warning", "The composer executable was not found. Install Composer, or set provision_composer_install_platforms to FALSE in ~/.drush/local.drushrc.php.");
}

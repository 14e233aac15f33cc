import { varExport } from "../php-values/var-export.ts";
import settings7 from "../../templates/drupal/settings-7.php.hbs";

export interface DbCredentials {
  readonly type: string;
  readonly host: string;
  readonly port: string;
  readonly name: string;
  readonly user: string;
  readonly password: string;
}

export interface Settings7 {
  readonly uri: string;
  readonly root: string;
  readonly profile: string;
  readonly enabled: boolean;
  /** Credentials come from the web server's environment instead of standing in the file. */
  readonly cloaked: boolean;
  readonly db: DbCredentials;
  /** The server and this Drupal can both store four-byte characters. */
  readonly utf8mb4: boolean;
  readonly subdirs: boolean;
  /** `include_path` of @server_master. */
  readonly includePath: string;
  /** PHP lines of extension modules. */
  readonly extra: readonly string[];
}

/** First number of Provision's API version, which custom code reads as `aegir_api`. */
const API_VERSION = 3;

/** The settings.php of a Drupal 7 site. */
export function settings7Text(settings: Settings7): string {
  const { uri, root, db } = settings;
  const place = `sites/${uri}`;
  return settings7(
    {
      ...settings,
      db: { ...db, url: `${db.type}://${db.user}:${db.password}@${db.host}:${db.port}/${db.name}` },
      apiVersion: API_VERSION,
      files: { public: `${place}/files`, private: `${place}/private/files`, temporary: `${place}/private/temp` },
      includes: [`${settings.includePath}/global.inc`, `${root}/sites/all/platform.settings.php`, `${root}/${place}/local.settings.php`],
    },
    { helpers: { php: (value: string) => varExport(value) } },
  );
}

/** The file for an administrator's own settings, made once. */
export const LOCAL_SETTINGS_TEXT = "<?php # local settings.php \n";

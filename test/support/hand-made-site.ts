import { join } from "node:path";
import { type MariaDb } from "./mariadb.ts";
import { type Stage } from "./stage.ts";

export interface HandMadeSite {
  readonly root: string;
  readonly uri: string;
  /** Database, its user and the user's password in one. */
  readonly databaseName?: string;
  /** 127.0.0.1, or localhost for the socket. */
  readonly databaseHost?: string;
}

const DEFAULTS = { databaseName: "handmade", databaseHost: "127.0.0.1" };

/**
 * What Provision would do before Drupal's own installer runs: database, settings.php that takes its credentials from the environment,
 * drushrc.php with them, a virtual host. Everything is as plain as possible, so that tests of the servers and of the stand-in need no
 * code of ours. Answers the site's directory; the web server has not read the virtual host yet.
 */
export async function makeSiteByHand({ home, mariadb, apache }: Stage, site: HandMadeSite): Promise<string> {
  const { root, uri, databaseName, databaseHost } = { ...DEFAULTS, ...site };
  const credentials = {
    db_type: "mysql",
    db_host: databaseHost,
    db_port: String(mariadb.port),
    db_passwd: "secret-1",
    db_name: databaseName,
    db_user: databaseName,
  };
  await makeDatabase(mariadb, databaseName, credentials.db_passwd);
  const platform = root.slice(home.path.length + 1);
  const directory = join(platform, "sites", uri);
  home.makeDirectory(`${directory}/files`, 0o2770);
  home.write(`${directory}/settings.php`, SETTINGS, 0o440);
  home.write(`${directory}/drushrc.php`, drushrc(credentials), 0o440);
  home.write(`config/server_master/apache/vhost.d/${uri}`, virtualHost({ root, uri, port: apache.port, credentials }));
  home.write("config/apache.conf", `Include ${home.path}/config/server_master/apache/vhost.d\n`);
  return join(home.path, directory);
}

async function makeDatabase(mariadb: MariaDb, name: string, password: string): Promise<void> {
  const account = `'${name}'@'localhost'`;
  await mariadb.query(`CREATE DATABASE ${name}; CREATE USER ${account} IDENTIFIED BY '${password}'; GRANT ALL ON ${name}.* TO ${account}`);
}

const SETTINGS = `<?php
if (isset($_SERVER['db_name'])) {
  $databases['default']['default'] = [
    'driver' => $_SERVER['db_type'], 'database' => $_SERVER['db_name'], 'username' => $_SERVER['db_user'],
    'password' => $_SERVER['db_passwd'], 'host' => $_SERVER['db_host'], 'port' => (string) $_SERVER['db_port'], 'charset' => 'utf8mb4',
  ];
}
$drupal_hash_salt = '';
`;

function drushrc(credentials: Record<string, string>): string {
  return `<?php\n${Object.entries(credentials).map(([name, value]) => `$_SERVER['${name}'] = '${value}';\n`).join("")}`;
}

interface VirtualHost {
  readonly root: string;
  readonly uri: string;
  readonly port: number;
  readonly credentials: Record<string, string>;
}

function virtualHost({ root, uri, port, credentials }: VirtualHost): string {
  return `<VirtualHost *:${port}>
  ServerName ${uri}
  DocumentRoot ${root}
${Object.entries(credentials).map(([name, value]) => `  SetEnv ${name} ${value}\n`).join("")}
</VirtualHost>
<Directory ${root}>
  Require all granted
  Include ${root}/.htaccess
</Directory>
`;
}

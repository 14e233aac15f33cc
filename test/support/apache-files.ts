export interface ApachePlace {
  readonly directory: string;
  readonly pidFile: string;
  readonly errorLog: string;
}

export interface ApacheConfiguration extends ApachePlace {
  readonly phpLog: string;
  readonly port: number;
  /** Where it listens; default: 127.0.0.1. */
  readonly address?: string;
  readonly phpModule: string;
  /** With it, the server has mod_ssl and listens there, too. */
  readonly tlsPort?: number | undefined;
  /** Where PHP finds the database that is called `localhost`. */
  readonly databaseSocket: string;
}

// The modules of a Debian server after the installation of Aegir.
const MODULES = [
  "mpm_prefork", "authz_core", "authz_host", "access_compat", "alias", "auth_basic", "authn_core", "authn_file", "authz_user", "autoindex",
  "deflate", "dir", "env", "filter", "mime", "negotiation", "rewrite", "setenvif",
];

/** The main configuration of a small private Apache. */
export function configuration({ directory, pidFile, errorLog, phpLog, port, phpModule, databaseSocket, tlsPort, address = "127.0.0.1" }: ApacheConfiguration): string {
  return `ServerName localhost
Listen ${address}:${port}
${tlsPort === undefined ? "" : `Listen ${address}:${tlsPort}\nLoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\n`}PidFile ${pidFile}
DefaultRuntimeDir ${directory}
ErrorLog ${errorLog}
LogLevel warn core:notice mpm_prefork:notice
Timeout 30
KeepAlive On
TypesConfig /etc/mime.types

${MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join("\n")}
LoadModule php_module ${phpModule}

StartServers 2
MinSpareServers 1
MaxSpareServers 3
MaxRequestWorkers 10

<Directory />
  AllowOverride None
  Require all denied
</Directory>
<FilesMatch "^\\.ht">
  Require all denied
</FilesMatch>

DirectoryIndex index.php index.html
<FilesMatch "\\.(php|phar|phtml)$">
  SetHandler application/x-httpd-php
</FilesMatch>
php_admin_value error_reporting 32767
php_admin_flag display_errors off
php_admin_flag log_errors on
php_admin_value error_log ${phpLog}
php_admin_value pdo_mysql.default_socket ${databaseSocket}
php_admin_value mysqli.default_socket ${databaseSocket}
# Tests change code more than once in a second, which is as finely as the cache of compiled code looks.
php_admin_flag opcache.enable off

IncludeOptional ${directory}/conf-enabled/*.conf
`;
}

/**
 * Text of the control program. Like apache2ctl it tests the configuration before it reloads, and says why not. Unlike apache2ctl it
 * returns only when the new configuration is in force and the idle old children are gone, so that a test's next request meets the new one.
 */
export function controlScript({ directory, pidFile, errorLog }: ApachePlace): string {
  return `#!/bin/sh
# Control of the private Apache in ${directory}.
apache() { apache2 -d '${directory}' -f '${directory}/apache2.conf' "$@"; }
reloads() { grep -c 'resuming normal operations' '${errorLog}'; }

# Waits up to five seconds for the command to succeed.
wait_for() {
  tries=0
  until "$@"; do
    tries=$((tries + 1))
    [ $tries -lt 250 ] || return 1
    sleep 0.02
  done
}
has_reloaded() { [ "$(reloads)" -gt "$before" ]; }
are_gone() { for child in $children; do ! kill -0 "$child" 2>/dev/null || return 1; done; }

case "\${1:-}" in
graceful)
  if ! message=$(apache -t 2>&1); then
    printf '%s\\n%s\\n' "$message" 'The configuration is broken; Apache goes on with the old one.' >&2
    exit 1
  fi
  if ! read -r main 2>/dev/null < '${pidFile}' || ! kill -0 "$main" 2>/dev/null; then
    echo 'Apache is not running.' >&2
    exit 1
  fi
  before=$(reloads)
  children=$(cat "/proc/$main/task/$main/children")
  kill -USR1 "$main"
  wait_for has_reloaded || { echo 'Apache did not reload.' >&2; exit 1; }
  # A child that is still answering a long request may go on.
  wait_for are_gone || true
  ;;
configtest)
  apache -t
  ;;
-*)
  apache "$@"
  ;;
*)
  echo "Usage: $0 graceful | configtest | options of apache2" >&2
  exit 64
  ;;
esac
`;
}

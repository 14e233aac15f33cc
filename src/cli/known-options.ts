import { GLOBAL_OPTIONS } from "../backend-protocol/global-options.ts";
import { onlyOptions, type CliArguments } from "./arguments.ts";

/** Properties of servers, platforms and sites that an option may set (src/contexts), by `provision save` and, for this one call, by the others. */
export const PROPERTY_OPTIONS: readonly string[] = [
  ...["context_type", "remote_host", "aegir_root", "script_user", "ip_addresses", "master_url", "admin_email"],
  ...["db_service_type", "db_port", "master_db", "db_grant_all_hosts", "utf8mb4_is_supported"],
  ...["http_service_type", "http_port", "http_restart_cmd", "web_group", "http_ssl_port", "cluster_web_servers", "slave_web_servers", "master_web_servers"],
  ...["nginx_config_mode", "nginx_is_modern", "nginx_has_etag", "nginx_has_http2", "nginx_has_gzip", "nginx_has_upload_progress", "phpfpm_mode", "phpfpm_socket", "nginx_version", "subdirs_support", "satellite_mode"],
  ...["server", "web_server", "root", "makefile", "make_working_copy"],
  ...["platform", "db_server", "uri", "site_enabled", "language", "client_name", "aliases", "redirection", "cron_key", "drush_aliases", "profile", "install_method", "ssl_enabled", "ssl_key"],
  ...["Certificate_service_type", "letsencrypt_ca", "self_signed_field", "https_port", "http_https_port", "https_enabled", "https_key", "https_client_authentication_enabled", "https_client_authentication_path"],
];

/** Settings that the commands read, which Aegir keeps in ~/.drush/drushrc.php and in drushrc.php of platform and site. */
export const SETTINGS: readonly string[] = [
  ...["delete", "force", "aegir_db_prefix", "hosting_features", "installed", "subdirs_support", "provision_save_config", "provision_create_local_settings_file", "provision_db_cloaking"],
  ...["provision_apache_conf_suffix", "provision_composer_install_platforms", "provision_composer_install_platforms_verify_always", "provision_composer_install_command"],
  ...["client_email", "force-reinstall", "admin_user", "clean_url", "php", "provision_db_escape_grants"],
  ...["global_sync_options", "override_slave_authority", "provision_acme_challenge_path", "hosting_https_fail_task_if_certificate_fails", "provision_nginx_state_path", "provision_nginx_log_path", "provision_nginx_ipv6"],
  ...["old_uri", "new_db_server", "provision_verify_platforms_before_migrate", "provision_mysqldump_suppress_gtid_restore", "provision_backup_suffix"],
];

/** Drush takes any option for these commands, so a misspelt one would do nothing and say nothing. */
export function onlyKnownOptions(given: CliArguments): void {
  onlyOptions(given, [...PROPERTY_OPTIONS, ...SETTINGS, ...GLOBAL_OPTIONS.map(({ name }) => name)]);
}

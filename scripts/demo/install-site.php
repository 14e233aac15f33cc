<?php
/**
 * Part of the demo: installs a Drupal 7 site by Drupal's own installer, as `provision-install` lets it be done. Run in the root of the platform:
 *
 *   php install-site.php URI PROFILE
 *
 * The credentials come from the site's drushrc.php, its settings.php is there already.
 */
list(, $uri, $profile) = $argv;
define('DRUPAL_ROOT', getcwd());
define('MAINTENANCE_MODE', 'install');
$_SERVER = array(
  'HTTP_HOST' => $uri, 'SERVER_NAME' => $uri, 'SCRIPT_NAME' => '/index.php', 'PHP_SELF' => '/index.php', 'REQUEST_URI' => '/', 'REQUEST_METHOD' => 'GET',
  'REMOTE_ADDR' => '127.0.0.1', 'SERVER_SOFTWARE' => 'cli', 'QUERY_STRING' => '',
) + $_SERVER;
include "sites/$uri/drushrc.php";
// What old code says of a new PHP is of no interest here.
error_reporting(E_ERROR);
require DRUPAL_ROOT . '/includes/install.core.inc';
$account = array('name' => 'admin', 'mail' => 'admin@example.com', 'pass' => array('pass1' => 'demo', 'pass2' => 'demo'));
install_drupal(array(
  'parameters' => array('profile' => $profile, 'locale' => 'en'),
  'forms' => array('install_configure_form' => array(
    'site_name' => $uri, 'site_mail' => 'admin@example.com', 'account' => $account, 'update_status_module' => array(1 => FALSE, 2 => FALSE), 'clean_url' => TRUE,
  )),
));
echo "installed\n";

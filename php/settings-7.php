<?php

/**
 * Job of bridge.php: tells what the settings.php of a Drupal 7 site comes to, with all files that it includes.
 */

require_once DRUPAL_ROOT . '/includes/bootstrap.inc';

function provision_bridge_job(array $data, array $site) {
  global $conf, $databases, $base_url;
  provision_bridge_bootstrap(DRUPAL_BOOTSTRAP_CONFIGURATION);
  $variables = array();
  foreach ($data['variables'] as $name) {
    // Serialized as in the table of variables; objects as there.
    $variables[$name] = isset($conf[$name]) ? serialize($conf[$name]) : NULL;
  }
  return array(
    'database' => isset($databases['default']['default']) ? $databases['default']['default'] : NULL,
    'hash_salt' => drupal_get_hash_salt(),
    'base_url' => $base_url,
    'variables' => $variables,
  );
}

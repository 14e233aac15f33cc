<?php

/**
 * Job of bridge.php: has a Drupal 7 look for its modules, themes and classes anew, and empty its caches. What its database says of them may all be wrong: the site comes from
 * elsewhere.
 */

require_once DRUPAL_ROOT . '/includes/bootstrap.inc';

function provision_bridge_job(array $data, array $site) {
  provision_bridge_bootstrap(DRUPAL_BOOTSTRAP_CONFIGURATION);
  drupal_bootstrap(DRUPAL_BOOTSTRAP_DATABASE);
  // Lists of files that are elsewhere now would lead the next phases to nothing.
  db_query('DELETE FROM {cache_bootstrap}');
  drupal_bootstrap(DRUPAL_BOOTSTRAP_VARIABLES);
  // Classes are loaded by the registry, so it comes first, with as little code as it can do with.
  foreach (array('common', 'module', 'file') as $part) {
    require_once DRUPAL_ROOT . "/includes/$part.inc";
  }
  drupal_load('module', 'system');
  registry_rebuild();
  drupal_bootstrap(DRUPAL_BOOTSTRAP_FULL);
  drupal_flush_all_caches();
  provision_bridge_messages();
  return array('flushed' => TRUE);
}

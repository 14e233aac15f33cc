<?php

/**
 * Job of bridge.php: works out anew who may see which content of a Drupal 7 site. Its modules decide that.
 */

require_once DRUPAL_ROOT . '/includes/bootstrap.inc';

function provision_bridge_job(array $data, array $site) {
  provision_bridge_bootstrap(DRUPAL_BOOTSTRAP_FULL);
  node_access_rebuild();
  provision_bridge_messages();
  return array('rebuilt' => !node_access_needs_rebuild());
}

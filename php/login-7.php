<?php

/**
 * Job of bridge.php: a one-time link for an account of a Drupal 7 site, made by its own code.
 */

require_once DRUPAL_ROOT . '/includes/bootstrap.inc';

function provision_bridge_job(array $data, array $site) {
  provision_bridge_bootstrap(DRUPAL_BOOTSTRAP_FULL);
  $account = user_load($data['uid']);
  if (!$account) {
    throw new Exception("there is no account {$data['uid']}");
  }
  return array('login_link' => user_pass_reset_url($account) . '/login');
}

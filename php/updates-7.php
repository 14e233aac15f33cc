<?php

/**
 * Job of bridge.php: brings the database of a Drupal 7 site to its code, as update.php does, and empties the caches.
 */

// Modules leave out of a request what the database may not be ready for.
define('MAINTENANCE_MODE', 'update');

require_once DRUPAL_ROOT . '/includes/bootstrap.inc';

/** Answers which updates were applied; the first one that fails ends it. */
function provision_bridge_job(array $data, array $site) {
  provision_bridge_update_bootstrap();
  $start = array();
  foreach (update_get_update_list() as $module => $updates) {
    if (!empty($updates['warning'])) {
      provision_bridge_log('warning', provision_bridge_plain($updates['warning']));
    }
    if (isset($updates['start'])) {
      $start[$module] = $updates['start'];
    }
  }
  $applied = array();
  $failed = NULL;
  if ($start !== array()) {
    $failed = provision_bridge_apply(update_resolve_dependencies($start), $start, $applied);
    if ($failed === NULL) {
      drupal_flush_all_caches();
    }
  }
  provision_bridge_messages();
  return array('applied' => $applied, 'failed' => $failed);
}

/**
 * Updates run in the order that Drupal finds. Until the caches of the former code and its lists of hooks are gone, as little as possible is loaded.
 */
function provision_bridge_update_bootstrap() {
  foreach (array('update', 'common', 'file', 'entity', 'unicode') as $part) {
    provision_bridge_include("includes/$part.inc");
  }
  provision_bridge_bootstrap(DRUPAL_BOOTSTRAP_CONFIGURATION);
  update_prepare_d7_bootstrap();
  drupal_bootstrap(DRUPAL_BOOTSTRAP_SESSION);
  foreach (array('includes/install.inc', 'modules/system/system.install', 'includes/module.inc') as $file) {
    provision_bridge_include($file);
  }
  module_list(TRUE, FALSE, FALSE, array('system' => array('filename' => 'modules/system/system.module')));
  drupal_load('module', 'system');
  module_implements('', FALSE, TRUE);
  drupal_language_initialize();
  drupal_maintenance_theme();
  drupal_bootstrap(DRUPAL_BOOTSTRAP_LANGUAGE);
  update_fix_d7_requirements();
  // The lists of hooks were made while few modules were loaded.
  module_implements('', FALSE, TRUE);
  drupal_static_reset('file_get_stream_wrappers');
  drupal_bootstrap(DRUPAL_BOOTSTRAP_FULL);
  drupal_maintenance_theme();
  drupal_load_updates();
  update_fix_compatibility();
  module_list(TRUE, FALSE, TRUE);
}

function provision_bridge_include($file) {
  if (is_file(DRUPAL_ROOT . '/' . $file)) {
    require_once DRUPAL_ROOT . '/' . $file;
  }
}

/** Asked for by update_prepare_d7_bootstrap(); update.php brings it along. */
function update_extra_requirements($requirements = NULL) {
  static $extra = array();
  if (isset($requirements)) {
    $extra += $requirements;
  }
  return $extra;
}

/** Returns what has failed, or NULL. */
function provision_bridge_apply(array $updates, array $start, array &$applied) {
  $total = count($updates);
  $results = array();
  foreach ($updates as $function => $update) {
    $module = $update['module'];
    $number = $update['number'];
    if (!$update['allowed']) {
      $missing = implode(', ', isset($update['missing_dependencies']) ? $update['missing_dependencies'] : array());
      provision_bridge_log('warning', "$function is left for later: it needs $missing, which is not there.");
      continue;
    }
    if (isset($start[$module])) {
      // Numbers below the first one are not asked for again.
      drupal_set_installed_schema_version($module, $number - 1);
      unset($start[$module]);
    }
    provision_bridge_log('notice', "Executing $function");
    $depends_on = empty($update['reverse_paths']) ? array() : array_keys($update['reverse_paths']);
    $context = array('sandbox' => array(), 'results' => $results, 'finished' => 1, 'message' => '');
    do {
      $context['finished'] = 1;
      update_do_one($module, $number, $depends_on, $context);
      provision_bridge_progress(count($applied) + min(max((float) $context['finished'], 0), 1), $total, 'updates');
    } while ($context['finished'] < 1 && empty($context['results']['#abort']));
    $results = $context['results'];
    $told = isset($results[$module][$number]) ? $results[$module][$number] : array();
    if (!empty($results['#abort'])) {
      $message = isset($told['#abort']['query']) ? $told['#abort']['query'] : (isset($told['results']['query']) ? $told['results']['query'] : '');
      return array('update' => $function, 'message' => provision_bridge_plain($message));
    }
    if (!empty($told['results']['query']) && is_string($told['results']['query'])) {
      provision_bridge_log('ok', provision_bridge_plain($told['results']['query']));
    }
    $applied[] = $function;
  }
  return NULL;
}

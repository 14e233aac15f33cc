<?php

/**
 * @file
 * Run inside a real drush by real-drush.test.ts: does for each line of JOBS what it says and writes one JSON line to ANSWERS.
 */

/** Takes the place of Hosting's log callback. */
function shim_test_log($entry) {
  $GLOBALS['shim_test_log'][] = [$entry['type'], $entry['message'], $entry['error'] ?? NULL, $entry['timestamp']];
}

/** Forgets what earlier jobs left behind. */
function shim_test_reset() {
  drush_set_context('DRUSH_RECEIVED_BACKEND_PACKETS', FALSE);
  drush_set_context('DRUSH_ERROR_LOG', []);
  drush_set_context('DRUSH_ERROR_CODE', 0);
  $GLOBALS['shim_test_log'] = [];
}

/** Calls the stub and tells what came back. */
function shim_test_invoke($job) {
  shim_test_reset();
  $result = drush_invoke_process($job['record'], $job['command'], $job['args'] ?? [], $job['options'] ?? [], $job['backend_options']);
  return [
    'result' => is_array($result) ? (empty($job['whole']) ? 'array' : json_encode($result)) : $result,
    'site' => is_array($result) ? $result['site'] : NULL,
    'errors' => array_map('count', drush_get_error_log()),
    'log' => $GLOBALS['shim_test_log'],
  ];
}

/** Reads a command line with drush's own parser. */
function shim_test_parse($job) {
  drush_set_context('argv', array_merge(['drush'], $job['words']));
  drush_set_context('cli', []);
  $arguments = drush_parse_args();
  return [
    'cli' => array_map(NULL, array_keys(drush_get_context('cli')), array_values(drush_get_context('cli'))),
    'arguments' => $arguments,
    'alias' => isset($arguments[0]) && drush_sitealias_valid_alias_format($arguments[0]),
  ];
}

/** The table of global options. */
function shim_test_globals() {
  $table = [];
  foreach (drush_get_global_options() as $name => $info) {
    $flags = ['never-propagate', 'never-post', 'merge-pathlist', 'propagate', 'propagate-cli-value', 'context'];
    $table[] = [$name, $info['short-form'] ?? NULL, array_values(array_intersect($flags, array_keys($info)))];
  }
  return $table;
}

/** Reads options out of option sets, and merges them. */
function shim_test_options($job) {
  $own = [];
  foreach (drush_context_names() as $name) {
    $own[$name] = drush_get_context($name);
    drush_set_context($name, $job['sets'][$name] ?? []);
  }
  $effective = [];
  foreach ($job['names'] as $name) {
    $effective[] = drush_get_option($name);
  }
  $answer = ['effective' => $effective, 'merged' => json_encode(drush_get_merged_options())];
  foreach ($own as $name => $options) {
    drush_set_context($name, $options);
  }
  return $answer;
}

drush_set_context('DRUSH_LOG_CALLBACK', 'shim_test_log');
$answers = fopen(getenv('ANSWERS'), 'w');
foreach (file(getenv('JOBS')) as $line) {
  $job = json_decode($line, TRUE);
  $do = 'shim_test_' . $job['do'];
  fwrite($answers, json_encode($do($job), JSON_INVALID_UTF8_SUBSTITUTE) . "\n");
}

// The errors were those of the jobs.
shim_test_reset();

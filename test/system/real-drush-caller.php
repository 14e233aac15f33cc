<?php

/**
 * @file
 * Run inside a real drush by real-drush-wire.test.ts: makes the calls of JOB, one after the other, and writes down what came of them.
 */

/** As Hosting's log callback reads an entry. */
function shim_wire_log($entry) {
  $GLOBALS['shim_wire_log'][] = [$entry['type'], $entry['message'], $entry['error'], $entry['timestamp']];
}

set_error_handler(function ($number, $message, $file) {
  if (error_reporting() & $number && strpos($file, __DIR__) === 0 || strpos($message, 'shim_wire') !== FALSE) {
    $GLOBALS['shim_wire_warnings'][] = $message;
  }
  return FALSE;
});
$GLOBALS['shim_wire_warnings'] = [];
drush_set_context('DRUSH_LOG_CALLBACK', 'shim_wire_log');
$answers = [];
foreach (json_decode(getenv('JOB'), TRUE) as $call) {
  $GLOBALS['shim_wire_log'] = [];
  $started = microtime(TRUE);
  if (isset($call['concurrent'])) {
    $result = drush_backend_invoke_concurrent($call['concurrent'], $call['options'] ?? [], $call['backend'] ?? [], '', NULL, NULL);
  }
  else {
    $result = drush_invoke_process($call['site'], $call['command'], $call['args'] ?? [], $call['options'] ?? [], $call['backend'] ?? []);
  }
  $answers[] = [
    'result' => $result,
    'error' => drush_get_error(),
    'errors' => drush_get_error_log(),
    'log' => $GLOBALS['shim_wire_log'],
    'warnings' => $GLOBALS['shim_wire_warnings'],
    'seconds' => microtime(TRUE) - $started,
  ];
}
file_put_contents(getenv('ANSWERS'), json_encode($answers));

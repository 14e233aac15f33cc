<?php

/**
 * Includes one PHP data file, as drush does, and tells its variables.
 *
 *   php read-variables.php MARKER FILE NAME...
 *
 * Each NAME is a variable that is an empty array before. The answer is var_export() text of one array, between two lines that hold
 * only MARKER: `values` (name => value), `returned` (what the file returned, if a scalar), `printed` (what it printed),
 * and `error` (message, file and line) when it could not be run to its end. Anything else on the output is not ours.
 *
 * This must run on every PHP that drush 8 runs on.
 */

/** Runs the file in a scope that has nothing but the wanted variables; the names of arguments would be among them. */
function provision_shim_include() {
  extract(array_fill_keys(array_slice(func_get_args(), 1), array()));
  $GLOBALS['provision_shim']['returned'] = include func_get_arg(0);
  return get_defined_vars();
}

function provision_shim_error($message, $file, $line) {
  $GLOBALS['provision_shim']['error'] = array('message' => (string) $message, 'file' => (string) $file, 'line' => (int) $line);
}

/** Tells what is known. Also runs when the file ended the program or PHP gave up. */
function provision_shim_answer() {
  global $provision_shim;
  if (!empty($provision_shim['answered'])) {
    return;
  }
  $provision_shim['answered'] = TRUE;
  if (!$provision_shim['done'] && $provision_shim['error'] === NULL) {
    $last = error_get_last();
    $fatal = E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_USER_ERROR | E_RECOVERABLE_ERROR;
    if ($last !== NULL && ($last['type'] & $fatal)) {
      provision_shim_error($last['message'], $last['file'], $last['line']);
    }
    else {
      provision_shim_error('it ends the program (exit)', $provision_shim['file'], 0);
    }
  }
  $printed = '';
  while (ob_get_level() > 0) {
    $printed = ob_get_clean() . $printed;
  }
  $answer = array(
    'values' => array_intersect_key($provision_shim['values'], array_flip($provision_shim['names'])),
    'returned' => is_scalar($provision_shim['returned']) ? $provision_shim['returned'] : NULL,
    'printed' => substr($printed, 0, 2000),
    'error' => $provision_shim['error'],
  );
  ini_set('serialize_precision', version_compare(PHP_VERSION, '7.1', '<') ? '17' : '-1');
  echo "\n", $provision_shim['marker'], "\n", @var_export($answer, TRUE), "\n", $provision_shim['marker'], "\n";
}

$provision_shim = array(
  'marker' => $argv[1],
  'file' => $argv[2],
  'names' => array_slice($argv, 3),
  'values' => array(),
  'returned' => NULL,
  'done' => FALSE,
  'error' => NULL,
);
register_shutdown_function('provision_shim_answer');
ob_start();
try {
  $provision_shim['values'] = call_user_func_array('provision_shim_include', array_slice($argv, 2));
  $provision_shim['done'] = TRUE;
}
catch (Exception $e) {
  provision_shim_error(get_class($e) . ': ' . $e->getMessage(), $e->getFile(), $e->getLine());
}
catch (Throwable $e) {
  provision_shim_error(get_class($e) . ': ' . $e->getMessage(), $e->getFile(), $e->getLine());
}
provision_shim_answer();

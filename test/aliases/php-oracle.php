<?php

/**
 * Includes many files, each in a scope of its own, and tells what PHP made of them: the judge of the fuzz tests.
 *
 *   php php-oracle.php LIST NAME... ; LIST has one path a line
 *
 * Prints one line per file: index, `ok` or `broken` or `refused`, and base64 of var_export() of the named variables. A file that ends PHP
 * leaves the lines after it missing.
 */
function oracle_include() {
  extract(array_fill_keys(array_slice(func_get_args(), 1), array()));
  $GLOBALS['oracle_returned'] = include func_get_arg(0);
  return get_defined_vars();
}

$names = array_slice($argv, 2);
foreach (file($argv[1], FILE_IGNORE_NEW_LINES) as $oracle_index => $oracle_file) {
  set_time_limit(5);
  $oracle_level = ob_get_level();
  ob_start();
  try {
    $oracle_found = @oracle_include($oracle_file, ...$names);
    $oracle_values = array();
    foreach ($names as $oracle_name) {
      if (array_key_exists($oracle_name, $oracle_found)) {
        $oracle_values[$oracle_name] = $oracle_found[$oracle_name];
      }
    }
    $oracle_status = $oracle_returned === FALSE ? 'refused' : 'ok';
    $oracle_text = @var_export($oracle_values, TRUE);
  }
  catch (Throwable $e) {
    $oracle_status = 'broken';
    $oracle_text = $e->getMessage();
  }
  while (ob_get_level() > $oracle_level) {
    ob_end_clean();
  }
  echo $oracle_index, "\t", $oracle_status, "\t", base64_encode($oracle_text), "\n";
}

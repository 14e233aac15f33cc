<?php
// Run by the real drush (`drush @none php-script hook-lines.php`), so that the hooks of drush extensions find what they are used to: drush, Provision and its contexts.
// Input, as JSON on standard input: the hooks with the functions that implement them (each with its file), the context that is current, and what Provision gives to hooks.
// Output: a line of its own with the marker and the answer as JSON in base64, because extensions print what they like. Each text in it is in base64 again: JSON refuses bytes that are
// not UTF-8.

/** As drush_command_invoke_all() for one hook: results that are arrays are merged, NULL is left out. */
function provision_shim_hook_lines(array $functions, array $arguments) {
  $lines = array();
  foreach ($functions as $function) {
    if (!function_exists($function['name'])) {
      require_once $function['file'];
    }
    $result = call_user_func_array($function['name'], $arguments);
    if (is_array($result)) {
      $lines = array_merge_recursive($lines, $result);
    }
    elseif (isset($result)) {
      $lines[] = $result;
    }
  }
  return provision_shim_encoded($lines);
}

function provision_shim_encoded(array $texts) {
  return array_map('base64_encode', array_map('strval', array_values($texts)));
}

$request = json_decode(stream_get_contents(STDIN), TRUE);
foreach ($request['options'] as $name => $value) {
  drush_set_option($name, $value, 'site');
}
$data = $request['data'];
if (function_exists('d')) {
  d('@' . $request['context'], TRUE);
  if ($request['server'] !== NULL) {
    $data['server'] = d('@' . $request['server']);
  }
}
$lines = array();
foreach ($request['hooks'] as $hook => $functions) {
  $of_site = strpos($hook, 'vhost_config') !== FALSE || strpos($hook, 'drupal_config') !== FALSE;
  $lines[$hook] = provision_shim_hook_lines($functions, $of_site ? array($request['uri'], $data) : array($data));
}
print "\nPROVISION_SHIM_LINES " . base64_encode(json_encode(array('lines' => (object) $lines, 'errors' => (object) array_map('provision_shim_encoded', drush_get_error_log())))) . "\n";

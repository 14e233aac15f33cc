<?php

/**
 * Runs one job inside a site's Drupal for provision-shim (src/drupal/bridge.ts).
 *
 *   php bridge.php JOB        in the root of the Drupal; JOB.php is beside this file
 *
 * Standard input is one JSON object: `site` (uri, base_url), `server` (entries for $_SERVER: the credentials that settings.php expects there) and
 * `data` (what the job is told). Descriptor 3 gets lines of JSON, each with one member: `log` ([level, message]), `progress` ([done, total, unit]),
 * and as the last one `answer` or `failed` (message, file, line). What Drupal prints goes to the outputs and cannot break that.
 *
 * This must run on every PHP that Drupal 7 runs on.
 */

/** Sends one line. */
function provision_bridge_say($name, $value) {
  global $provision_bridge;
  $line = json_encode(array($name => provision_bridge_clean($value)));
  if ($line === FALSE) {
    $line = json_encode(array($name => NULL));
  }
  $line .= "\n";
  while ($line !== '') {
    $written = fwrite($provision_bridge['channel'], $line);
    if ($written === FALSE || $written === 0) {
      // Nobody listens any more.
      exit(1);
    }
    $line = (string) substr($line, $written);
  }
}

/** The value with text that JSON can hold: bytes that are no UTF-8 are replaced. */
function provision_bridge_clean($value) {
  if (is_array($value)) {
    $clean = array();
    foreach ($value as $key => $item) {
      $clean[is_string($key) ? provision_bridge_clean($key) : $key] = provision_bridge_clean($item);
    }
    return $clean;
  }
  if (is_string($value) && preg_match('//u', $value) !== 1) {
    return htmlspecialchars_decode(htmlspecialchars($value, ENT_NOQUOTES | ENT_SUBSTITUTE, 'UTF-8'), ENT_NOQUOTES);
  }
  return is_object($value) || is_resource($value) ? NULL : $value;
}

function provision_bridge_log($level, $message) {
  provision_bridge_say('log', array($level, substr($message, 0, 10000)));
}

function provision_bridge_progress($done, $total, $unit) {
  provision_bridge_say('progress', array($done, $total, $unit));
}

/** HTML as Drupal's messages have it, as one line of plain text. */
function provision_bridge_plain($html) {
  return trim(preg_replace('/\s+/', ' ', html_entity_decode(strip_tags((string) $html), ENT_QUOTES, 'UTF-8')));
}

/**
 * Goes up to a phase of Drupal's bootstrap and makes sure that it is the site which is meant: without a settings.php where it is looked for,
 * Drupal would take another site.
 */
function provision_bridge_bootstrap($phase) {
  global $provision_bridge;
  drupal_bootstrap($phase);
  $expected = 'sites/' . $provision_bridge['uri'];
  if (conf_path() !== $expected) {
    throw new Exception('Drupal takes ' . conf_path() . " for the site's directory instead of $expected.");
  }
}

/** What Drupal had to tell its visitor. Its own log has told most of it already. */
function provision_bridge_messages() {
  global $provision_bridge;
  foreach (drupal_get_messages() as $type => $messages) {
    foreach ($messages as $message) {
      $plain = provision_bridge_plain($message);
      if (!in_array($plain, $provision_bridge['logged'], TRUE)) {
        provision_bridge_log($type === 'status' ? 'notice' : 'warning', $plain);
      }
    }
  }
}

/**
 * Hears what Drupal logs, in the place of a hook of the module system, which has none and is always there. How bad Drupal finds it does not decide
 * what becomes of the task, so there is no level above a warning.
 */
function system_watchdog(array $entry) {
  global $provision_bridge;
  $variables = is_array($entry['variables']) ? $entry['variables'] : array();
  $message = provision_bridge_plain(strtr((string) $entry['message'], array_filter($variables, 'is_scalar')));
  $provision_bridge['logged'] = array_slice($provision_bridge['logged'], -100);
  $provision_bridge['logged'][] = $message;
  $levels = array(5 => 'notice', 6 => 'info', 7 => 'debug');
  $level = isset($levels[$entry['severity']]) ? $levels[$entry['severity']] : 'warning';
  provision_bridge_log($level, 'WD ' . $entry['type'] . ': ' . $message);
}

/** Tells how it ended when the job has not: by exit(), by a fatal error, for want of memory. */
function provision_bridge_shutdown() {
  global $provision_bridge;
  // There must be room for what follows when all memory is used up.
  unset($provision_bridge['reserve']);
  if ($provision_bridge['told']) {
    return;
  }
  $last = error_get_last();
  $fatal = E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_USER_ERROR | E_RECOVERABLE_ERROR;
  if ($last !== NULL && ($last['type'] & $fatal)) {
    provision_bridge_fail($last['message'], $last['file'], $last['line']);
  }
  else {
    provision_bridge_fail('the code ended the program (exit) before it was done', '', 0);
  }
}

function provision_bridge_fail($message, $file, $line) {
  global $provision_bridge;
  $provision_bridge['told'] = TRUE;
  // The trace of an uncaught error may be long, and may hold arguments.
  $message = preg_replace('/\s*Stack trace:.*/s', '', $message);
  provision_bridge_say('failed', array('message' => provision_bridge_plain($message), 'file' => $file, 'line' => $line));
}

/** What was printed goes to the output at once; PHP itself has printed nothing then, and headers may still be set. */
function provision_bridge_printed($text) {
  file_put_contents('php://stdout', $text);
  return '';
}

$provision_bridge = array(
  'channel' => fopen('php://fd/3', 'w'),
  'told' => FALSE,
  'logged' => array(),
  'reserve' => str_repeat('x', 1 << 18),
  'job' => isset($argv[1]) ? basename($argv[1]) : '',
);
register_shutdown_function('provision_bridge_shutdown');

try {
  $provision_bridge_request = json_decode(stream_get_contents(STDIN), TRUE);
  if (!is_array($provision_bridge_request)) {
    throw new Exception('the request on standard input is no JSON');
  }
  $provision_bridge += $provision_bridge_request;
  $provision_bridge['uri'] = $provision_bridge['site']['uri'];
  foreach ($provision_bridge['server'] as $name => $value) {
    $_SERVER[$name] = $value;
  }
  unset($provision_bridge_request, $provision_bridge['server'], $name, $value);
  $_SERVER = array(
    'HTTP_HOST' => $provision_bridge['uri'],
    'REQUEST_METHOD' => 'GET',
    'REQUEST_URI' => '/',
    'SCRIPT_NAME' => '/index.php',
    'PHP_SELF' => '/index.php',
    'REMOTE_ADDR' => '127.0.0.1',
    'HTTP_USER_AGENT' => '',
    // Drupal takes a request without it for one from the command line.
    'SERVER_SOFTWARE' => NULL,
  ) + $_SERVER;
  define('DRUPAL_ROOT', getcwd());
  ob_start('provision_bridge_printed', 4096);
  require dirname(__FILE__) . '/' . $provision_bridge['job'] . '.php';
  $provision_bridge_answer = call_user_func('provision_bridge_job', $provision_bridge['data'], $provision_bridge['site']);
  $provision_bridge['told'] = TRUE;
  provision_bridge_say('answer', $provision_bridge_answer);
}
catch (Exception $e) {
  provision_bridge_fail($e->getMessage(), $e->getFile(), $e->getLine());
  exit(1);
}
catch (Throwable $e) {
  provision_bridge_fail($e->getMessage(), $e->getFile(), $e->getLine());
  exit(1);
}

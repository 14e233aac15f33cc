<?php
/**
 * Runs before the real drush (see lib/php-ini): makes drush take our launcher for itself, so that every child it starts comes to us.
 *
 * It is also read by every other PHP program below that drush, on any version of PHP: there it does nothing.
 */
call_user_func(function () {
  $real = getenv('PROVISION_SHIM_REAL');
  if (PHP_SAPI !== 'cli' || $real === FALSE || empty($_SERVER['argv'][0])) {
    return;
  }
  $script = realpath($_SERVER['argv'][0]);
  $real = realpath($real);
  if ($script === FALSE || $real === FALSE) {
    return;
  }
  // `drush` is often only a program, in shell or in PHP, that starts the drush.php beside it.
  $beside = dirname($real) . '/drush.php';
  if ($script !== (is_file($beside) ? $beside : $real)) {
    return;
  }
  if (getenv('PROVISION_SHIM_PROBE') !== FALSE) {
    echo $script, "\n";
    exit(0);
  }
  // From here on the real drush runs: what it starts is no longer part of the hand-over that could turn in a circle.
  putenv('PROVISION_SHIM_HANDOVER');
  unset($_SERVER['PROVISION_SHIM_HANDOVER'], $_ENV['PROVISION_SHIM_HANDOVER']);

  // Drush takes its own name from here (DRUSH_COMMAND, as drush 8.4.12 includes/environment.inc), and its children's from that.
  $_SERVER['argv'][0] = $GLOBALS['argv'][0] = dirname(dirname(__FILE__)) . '/bin/drush';
});

#!/usr/bin/env php
<?php
/**
 * Stands in for the real drush: writes down how it was called, then does what FAKE_DRUSH says, one instruction a line:
 *   say TEXT, exit STATUS, signal NUMBER, children COMMAND (run by a shell; %s is the name that this takes itself for),
 *   leave-stdin (does not read it), await-signals (says which came, ends on the second), frame (answers as drush does).
 */
$instructions = explode("\n", (string) getenv('FAKE_DRUSH'));
$fds = [];
foreach ([0, 1, 2] as $number) {
  $stat = @stat("/proc/self/fd/$number") ?: ['mode' => 0, 'nlink' => -1];
  $kinds = [0010000 => 'fifo', 0020000 => 'character', 0100000 => 'file', 0140000 => 'socket'];
  $fds[] = [
    'kind' => $kinds[$stat['mode'] & 0170000] ?? 'none',
    'mode' => decoct($stat['mode'] & 07777),
    'links' => $stat['nlink'],
    'target' => (string) @readlink("/proc/self/fd/$number"),
  ];
}
file_put_contents(getenv('FAKE_DRUSH_LOG'), json_encode([
  'argv' => array_slice($argv, 1),
  'name' => $_SERVER['argv'][0],
  'cwd' => getcwd(),
  'env' => getenv(),
  'stdin' => in_array('leave-stdin', $instructions, TRUE) ? NULL : base64_encode((string) stream_get_contents(STDIN)),
  'fds' => $fds,
  'pid' => getmypid(),
]) . "\n", FILE_APPEND);
foreach ($instructions as $instruction) {
  list($verb, $rest) = explode(' ', $instruction, 2) + [1 => ''];
  switch ($verb) {
    case 'say':
      fwrite(STDOUT, "$rest\n");
      break;

    case 'frame':
      fwrite(STDERR, "\0DRUSH_BACKEND:" . json_encode(['type' => 'ok', 'message' => 'from the real drush', 'timestamp' => 1.5, 'memory' => 1, 'error' => NULL, 'packet' => 'log']) . "\n\0");
      fwrite(STDOUT, "\0DRUSH_BACKEND_OUTPUT_START>>>" . json_encode(['output' => '', 'object' => 'real', 'error_status' => 0, 'log' => [], 'error_log' => [], 'context' => []]) . '<<<DRUSH_BACKEND_OUTPUT_END');
      break;

    case 'children':
      // A child that comes back here has nothing to do.
      putenv('FAKE_DRUSH');
      passthru(str_replace('%s', escapeshellarg($_SERVER['argv'][0]), $rest));
      break;

    case 'signal':
      posix_kill(getmypid(), (int) $rest);
      break;

    case 'await-signals':
      $got = 0;
      pcntl_async_signals(TRUE);
      foreach ([SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2] as $number) {
        pcntl_signal($number, function ($number) use (&$got) {
          fwrite(STDOUT, "got $number\n");
          $got++;
        });
      }
      fwrite(STDOUT, "waiting\n");
      while ($got < 2) {
        usleep(10000);
      }
      break;

    case 'exit':
      exit((int) $rest);
  }
}

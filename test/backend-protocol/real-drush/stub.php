#!/usr/bin/env -S php -n
<?php
// Plays a drush child. `case-N`: sends the bytes of a file. Any other command: notes its words and its input.
$dir = getenv('STUB');
foreach ($argv as $word) {
  if (preg_match('/^case-[0-9]+$/', $word)) {
    fwrite(STDOUT, file_get_contents("$dir/$word"));
    exit((int) file_get_contents("$dir/$word.exit"));
  }
}
file_put_contents("$dir/call", json_encode([array_slice($argv, 1), base64_encode(stream_get_contents(STDIN))]) . "\n", FILE_APPEND);

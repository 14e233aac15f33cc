<?php

/**
 * The mail to the client of a new site, for profiles without a provision_welcome_mail.inc of their own. The words with ! are filled in.
 */

$mail['subject'] = 'Your new site !site has been created';
$mail['body'] = "Hello !username,

the site !site is ready. With this link you log in for the first time:

!login_url

It works once. Choose a password on the page that it leads to:

!edit_uri

After that you log in at !login_uri.
";

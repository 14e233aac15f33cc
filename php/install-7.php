<?php

/**
 * Job of bridge.php: installs the Drupal 7 of a site by its own installer, into the database that its settings.php names.
 */

// Drupal's code asks for this constant before anything else.
define('MAINTENANCE_MODE', 'install');

require_once DRUPAL_ROOT . '/includes/install.core.inc';
require_once DRUPAL_ROOT . '/includes/bootstrap.inc';

/**
 * @param $data
 *   profile, language, admin_name, admin_password, client_email (the first account's address, which gets a mail), clean_url.
 */
function provision_bridge_job(array $data, array $site) {
  global $conf, $profile, $install_locale, $url, $base_url;
  // Profiles find these set.
  $profile = $data['profile'];
  $install_locale = $data['language'];
  $url = $site['uri'];
  $base_url = $site['base_url'];
  provision_bridge_bootstrap(DRUPAL_BOOTSTRAP_CONFIGURATION);
  $mail = provision_bridge_mail($data['client_email']);
  // The answers below are to be stored, whatever a settings.php for all sites says.
  unset($conf['site_name'], $conf['site_mail'], $GLOBALS['db_url']);
  install_drupal(array(
    'parameters' => array('profile' => $data['profile'], 'locale' => $data['language']),
    'forms' => array(
      'install_configure_form' => array(
        'site_name' => $site['uri'],
        'site_mail' => $mail,
        'account' => array(
          'name' => $data['admin_name'],
          'mail' => $mail,
          'pass' => array('pass1' => $data['admin_password'], 'pass2' => $data['admin_password']),
        ),
        'update_status_module' => array(1 => TRUE, 2 => TRUE),
        'clean_url' => $data['clean_url'],
      ),
    ),
  ));
  $account = user_load(1);
  $link = user_pass_reset_url($account) . '/login';
  if ($mail === $data['client_email']) {
    provision_bridge_welcome($account, $mail, $link);
  }
  provision_bridge_messages();
  return array('login_link' => $link);
}

/** The address if it is one, else one that reaches nobody. */
function provision_bridge_mail($mail) {
  if (filter_var($mail, FILTER_VALIDATE_EMAIL)) {
    return $mail;
  }
  $instead = 'this.email@is.invalid';
  provision_bridge_log('warning', "The client's e-mail address \"$mail\" is not valid. So that the site can be installed, $instead has been used instead; with the login link it can be set right.");
  return $instead;
}

/** Writes to whom the site is for. */
function provision_bridge_welcome($account, $mail, $link) {
  global $base_url;
  $variables = array(
    '!username' => $account->name,
    '!site' => variable_get('site_name', 'Drupal'),
    '!login_url' => preg_replace('/\/login$/', '', $link),
    '!uri' => $base_url,
    '!uri_brief' => preg_replace('/^https?:\/\//', '', $base_url),
    '!mailto' => $account->mail,
    '!date' => format_date(time()),
    '!login_uri' => url('user', array('absolute' => TRUE)),
    '!edit_uri' => url("user/$account->uid/edit", array('absolute' => TRUE)),
  );
  $from = variable_get('site_mail', ini_get('sendmail_from'));
  $params = array('variables' => $variables);
  $message = drupal_mail('install', 'welcome-admin', $mail, user_preferred_language($account), $params, $from, TRUE);
  if (empty($message['result'])) {
    provision_bridge_log('warning', "Could not send welcome mail to $mail");
  }
  else {
    provision_bridge_log('success', "Sent welcome mail to $mail");
  }
}

/**
 * Implements hook_mail() for the module "install", which does not exist: Provision sends this mail in its name, so that modules which alter mails know it.
 */
function install_mail($key, &$message, $params) {
  if ($key !== 'welcome-admin') {
    return;
  }
  $own = DRUPAL_ROOT . '/profiles/' . $GLOBALS['profile'] . '/provision_welcome_mail.inc';
  $mail = array('subject' => '', 'body' => '');
  require is_file($own) ? $own : dirname(__FILE__) . '/welcome-mail.php';
  $message['subject'] = st($mail['subject'], $params['variables']);
  $message['body'][] = st($mail['body'], $params['variables']);
}

# Read by lib/launch and lib/provision: finds node and the real drush without starting anything.
#
# The config files are JSON. Here only the form that `provision swap on` writes is understood (one member a line, no escapes);
# whatever else stands there is left to the program proper, which reads them with a JSON parser.

# Sets $drush and $script (empty when not known in this simple way).
read_config() {
  drush=${PROVISION_SHIM_DRUSH-} script=
  [ -z "$drush" ] || return 0
  for config in "${HOME-}/.provision-shim/config.json" "${PROVISION_SHIM_ETC-/etc}/provision-shim.json"; do
    [ -r "$config" ] || continue
    while IFS= read -r line || [ -n "$line" ]; do
      case $line in
        *\\*) drush= script=; return 0 ;;
        '  "drush": "'*'"' | '  "drush": "'*'",') config_value; [ -n "$drush" ] || drush=$value ;;
        '  "script": "'*'"' | '  "script": "'*'",') config_value; [ -n "$script" ] || script=$value ;;
      esac
    done <"$config"
    [ -z "$drush" ] || return 0
  done
}

# The value of $line, which has the form `  "name": "value"` with or without a comma.
config_value() {
  value=${line%,}
  value=${value%'"'}
  value=${value##*'": "'}
}

# Sets $node to a node program, or fails. A search by hand: `command -v` would need a process to catch its output.
find_node() {
  node=${PROVISION_SHIM_NODE-}
  [ -n "$node" ] && [ -x "$node" ] && return 0
  folders=${PATH-}:/usr/local/bin:/usr/bin
  while [ -n "$folders" ]; do
    node=${folders%%:*}/node
    case $folders in *:*) folders=${folders#*:} ;; *) folders= ;; esac
    case $node in /*) [ -f "$node" ] && [ -x "$node" ] && return 0 ;; esac
  done
  return 1
}

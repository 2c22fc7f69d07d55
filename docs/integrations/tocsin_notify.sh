#!/bin/sh
# The notification command of Nagios and Icinga: posts what their environment says of the problem, and tries again for twenty seconds.
#
#   tocsin_notify.sh FILE      FILE holds the address of the integration, https://tocsin.example/ingest/TOKEN; only the
#                              user of Nagios should be able to read it
#
# It needs curl 7.71 or newer. Nagios hands its macros on with `enable_environment_macros=1` in nagios.cfg; of Icinga see docs/integrations/nagios.md.
set -eu
address=$(cat "$1")
: "${NAGIOS_NOTIFICATIONTYPE:?there is no NAGIOS_NOTIFICATIONTYPE; is enable_environment_macros=1 set?}"
answer=$(mktemp)
body=$(mktemp)
trap 'rm -f "$answer" "$body"' EXIT
set --
for name in NOTIFICATIONTYPE NOTIFICATIONNUMBER NOTIFICATIONAUTHOR NOTIFICATIONCOMMENT \
  HOSTNAME HOSTALIAS HOSTADDRESS HOSTSTATE HOSTOUTPUT LONGHOSTOUTPUT HOSTGROUPNAMES HOSTNOTESURL HOSTACTIONURL \
  SERVICEDESC SERVICESTATE SERVICEOUTPUT LONGSERVICEOUTPUT SERVICEGROUPNAMES SERVICENOTESURL SERVICEACTIONURL; do
  value=$(printenv "NAGIOS_$name" || true)
  [ -z "$value" ] || set -- "$@" --data-urlencode "NAGIOS_$name=$value"
done
# The address goes by standard input: what stands in a command line can be read by everybody on the machine. The body goes to
# a file, since curl empties it before it tries again, and gives up when it cannot, as with /dev/null.
printf 'url = "%s"\n' "$address" |
  curl --config - --silent --show-error --max-time 8 --retry 10 --retry-delay 2 --retry-max-time 20 --retry-all-errors \
    --output "$body" --write-out '%{http_code}' "$@" >"$answer"
# Without following it, a redirection looks like success to curl, and the page would be lost.
case $(cat "$answer") in
  2??) ;;
  *)
    echo "Tocsin answered $(cat "$answer") instead of 200; is the address in $1 the right one?" >&2
    exit 1
    ;;
esac

#!/bin/sh
# Collects what trailfold needs to know of an AWS organization: its tree and its service control
# policies, as replies of the AWS CLI, a file a call.
#
#   sh collect-organization.sh DIRECTORY [OPTION OF aws]...
#   sh collect-organization.sh organization-2026-01-31 --profile audit
#   trailfold organization tree organization-2026-01-31
#
# Run it as a principal of the management account or of a delegated administrator. It calls
# organizations:Describe* and organizations:List* only and changes nothing. It needs the AWS CLI
# (version 1 or 2) and a POSIX shell.
#
# DIRECTORY must not exist; it appears when all replies are in it. Until then they gather in
# DIRECTORY.partial, which trailfold refuses to read. A run that was broken off goes on there when
# it is started again; remove DIRECTORY.partial to begin anew.

set -eu
LC_ALL=C
export LC_ALL
umask 077

say() {
    printf '%s\n' "collect-organization: $*" >&2
}

fail() {
    say "$*"
    exit 1
}

case ${1-} in
'' | -*)
    say 'usage: collect-organization.sh DIRECTORY [OPTION OF aws]...'
    exit 2
    ;;
esac
whole=${1%/}
shift
partial=$whole.partial

command -v aws >/dev/null 2>&1 || fail 'the AWS CLI, aws, is not on the PATH'
if [ -e "$whole" ]; then
    fail "$whole exists already: give another name, or remove it"
fi

# Organizations throttles early: wait and repeat, and do so in each call.
AWS_RETRY_MODE=${AWS_RETRY_MODE:-adaptive}
AWS_MAX_ATTEMPTS=${AWS_MAX_ATTEMPTS:-20}
AWS_PAGER=
export AWS_RETRY_MODE AWS_MAX_ATTEMPTS AWS_PAGER

if [ -d "$partial" ]; then
    say "going on in $partial"
else
    mkdir -p "$partial"
fi
# A reply that was cut off, by trailfold's rules: so it does not take this directory for whole.
unfinished=$partial/unfinished.json
printf '%s\n' '{"Accounts": [], "NextToken": "collect-organization.sh has not ended"}' >"$unfinished"

part=$partial/.part
trap 'rm -f "$part"' EXIT
trap 'say "broken off; start it again to go on"; exit 130' HUP INT TERM

# collect NAME CALL ARGUMENT VALUE OPTION...: the reply of a call, all pages of it, into NAME.json.
# ARGUMENT and VALUE may be empty; the options are those of the command line.
collect() {
    name=$1
    call=$2
    argument=$3
    value=$4
    shift 4
    if [ -s "$partial/$name.json" ]; then
        return 0
    fi
    said="$call${argument:+ $argument $value}"
    say "$said"
    if [ -n "$argument" ]; then
        set -- "$argument" "$value" "$@"
    fi
    aws organizations "$call" "$@" --output json >"$part" ||
        fail "aws organizations $said failed; start it again to go on"
    # A whole reply ends with the brace of its object, and has no further pages.
    case $(tail -n 1 "$part") in
    '}') ;;
    *) fail "aws organizations $said gave no JSON object" ;;
    esac
    if grep -q '^    "NextToken"' "$part"; then
        fail "aws organizations $said gave one page only: is max-items or no-paginate set?"
    fi
    mv "$part" "$partial/$name.json"
}

# ids PREFIX NAME: the ids with this prefix in NAME.json, where each member has a line of its own.
ids() {
    sed -n "s/^ *\"Id\": \"\($1[0-9A-Za-z_-]*\)\",\{0,1\}\$/\1/p" "$partial/$2.json"
}

collect describe-organization describe-organization '' '' "$@"
collect list-roots list-roots '' '' "$@"
root=$(ids r- list-roots)
case $root in
'' | *[!0-9a-z-]*) fail 'list-roots did not give one root' ;;
esac

# The tree, from the root down.
open=$root
while [ -n "$open" ]; do
    parent=${open%% *}
    open=${open#"$parent"}
    open=${open# }
    units=list-organizational-units-for-parent
    collect "$units.$parent" "$units" --parent-id "$parent" "$@"
    accounts=list-accounts-for-parent
    collect "$accounts.$parent" "$accounts" --parent-id "$parent" "$@"
    for unit in $(ids ou- "$units.$parent"); do
        open="${open:+$open }$unit"
    done
done
collect list-accounts list-accounts '' '' "$@"

# The policies. Where service control policies are not enabled, list-roots says so, and there is
# nothing to ask.
enabled=$(aws organizations list-roots "$@" --output text \
    --query "Roots[].PolicyTypes[] | [?Status=='ENABLED'].Type") ||
    fail 'aws organizations list-roots failed; start it again to go on'
for type in $enabled; do
    case $type in
    SERVICE_CONTROL_POLICY)
        collect list-policies list-policies --filter "$type" "$@"
        ;;
    *_POLICY*)
        # By name only: they decide nothing about the services that are listed.
        collect "list-policies.$type" list-policies --filter "$type" "$@"
        ;;
    esac
done
if [ -e "$partial/list-policies.json" ]; then
    for policy in $(ids p- list-policies); do
        collect "describe-policy.$policy" describe-policy --policy-id "$policy" "$@"
        targets=list-targets-for-policy
        collect "$targets.$policy" "$targets" --policy-id "$policy" "$@"
    done
fi

rm -f "$unfinished"
mv "$partial" "$whole"
say "$whole is whole"

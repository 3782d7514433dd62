#!/usr/bin/env bash
# Proves the README on a machine that has nothing: Debian 12 with git and python3 in a folder, and in it, as written
# there, `git clone`, `./dev test`, `./dev run` and `./dev run --demo`, each with the time it took.
#
#   tools/fresh_debian.sh FOLDER [STEP …]      steps: setup test run demo; without any: test run demo
#
# Run as root, with debootstrap installed. FOLDER.tar keeps the bare Debian for the next time. What only this machine
# needs to reach its packages is given from outside:
#   COPY   files and folders to copy in at the same place, e.g. certificates     (/etc/resolv.conf and hosts always are)
#   PASS   names of environment variables to hand in                             e.g. "PIP_CERT NODE_EXTRA_CA_CERTS"
#   MIRROR where debootstrap fetches from                                        its own default
#   AS     the user who does it: root, or any other name, who then has sudo      root
#   REPO   what is cloned                                                        the repository of this file
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
if [ $# -eq 0 ]; then sed -n '2,14s/^# \{0,1\}//p' "$0"; exit 2; fi

# Mounts and processes of their own: whatever happens, nothing is left behind.
if [ -z "${FRESH_INSIDE:-}" ]; then
    FRESH_INSIDE=1 exec unshare --mount --pid --fork --kill-child "$0" "$@"
fi

root=$(realpath -m "$1"); shift
steps=${*:-test run demo}
as=${AS:-root}
repo=${REPO:-$here}

timed() { # timed WHAT COMMAND …
    local what=$1 begin=$SECONDS; shift
    "$@"
    printf '\n=== %s: %d s ===\n\n' "$what" $((SECONDS - begin))
}

bare_debian() {
    rm -rf "$root"
    if [ -f "$root.tar" ]; then
        mkdir -p "$root" && tar --numeric-owner -xf "$root.tar" -C "$root"
        return
    fi
    debootstrap --variant=minbase --include=git,python3 bookworm "$root" ${MIRROR:+"$MIRROR"} >"$root.log" 2>&1
    tar --numeric-owner -cf "$root.tar" -C "$root" .
}

furnish() {
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mkdir -p "$root/mnt/repo"
    mount --bind -o ro "$repo" "$root/mnt/repo"
    local path
    for path in /etc/resolv.conf /etc/hosts ${COPY:-}; do
        mkdir -p "$root$(dirname "$path")" && cp -rL "$path" "$root$(dirname "$path")/"
    done
    if [ "$as" != root ]; then
        inside root "apt-get update -qq && apt-get install -y -qq --no-install-recommends sudo >/dev/null
            useradd --create-home --shell /bin/bash $as && echo '$as ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/$as"
    fi
}

inside() { # inside USER COMMANDS: in the chroot, with a clean environment
    local user=$1 home name settings=()
    home=$([ "$user" = root ] && echo /root || echo "/home/$user")
    for name in ${PASS:-}; do settings+=("$name=${!name:-}"); done
    chroot --userspec="$user" "$root" /usr/bin/env -i "HOME=$home" "USER=$user" LANG=C.UTF-8 TERM=dumb \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${settings[@]}" \
        /bin/bash -c "cd ~ && $2"
}

clone() { # git trusts a repository of another user only when told to
    inside "$as" "git config --global safe.directory '*' && git clone -q /mnt/repo onprem-csms && git -C onprem-csms log --oneline -1"
}

serves() { # serves NAME ARGS: ./dev run ARGS until /healthz answers 200, then ended as by Ctrl-C
    inside "$as" "cd onprem-csms
        ./dev run $2 >/tmp/$1.log 2>&1 & server=\$!
        for _ in \$(seq 1200); do
            python3 -c 'import urllib.request as u; u.urlopen(\"http://127.0.0.1:${PORT:-8080}/healthz\", timeout=2)' 2>/dev/null && break
            kill -0 \$server 2>/dev/null || { cat /tmp/$1.log; exit 1; }
            sleep 0.1
        done
        sleep \${LINGER:-3}; cat /tmp/$1.log; kill -INT \$server; wait \$server; echo \"ended with \$?\""
}

timed "Debian 12 with git and python3" bare_debian
furnish
timed "git clone" clone
for step in $steps; do
    case $step in
        setup) timed "./dev setup" inside "$as" "cd onprem-csms && ./dev setup" ;;
        test) timed "./dev test" inside "$as" "cd onprem-csms && ./dev test" ;;
        run) timed "./dev run" serves run "--port ${PORT:-8080}" ;;
        demo) timed "./dev run --demo" serves demo "--demo --port ${PORT:-8080}" ;;
        *) echo "unknown step: $step"; exit 2 ;;
    esac
done
